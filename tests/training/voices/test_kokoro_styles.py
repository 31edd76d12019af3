"""Tests of training/voices/kokoro_styles.py."""

import hashlib
import io
import tarfile

import numpy as np
import pytest

from training.voices import kokoro_styles
from training.voices.errors import SynthesisError
from training.voices.kokoro_styles import (
    ARCHIVE,
    STYLE_SHAPE,
    blend_of,
    load_package_styles,
    require_styles,
)


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty cache folder."""
    monkeypatch.setenv("SPEECHGRU_CACHE", str(tmp_path))
    load_package_styles.cache_clear()
    yield tmp_path
    load_package_styles.cache_clear()


@pytest.fixture
def archive(cache, monkeypatch):
    """A package with the styles af_a, bm_b and ff_c, and another file."""
    path = cache / ARCHIVE
    with tarfile.open(path, "w:gz") as package:
        for number, name in enumerate(["af_a", "bm_b", "ff_c"]):
            content = np.full(STYLE_SHAPE, number, "<f4").tobytes()
            member = tarfile.TarInfo(f"package/voices/{name}.bin")
            member.size = len(content)
            package.addfile(member, io.BytesIO(content))
        package.addfile(tarfile.TarInfo("package/dist/kokoro.js"))
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    monkeypatch.setattr(kokoro_styles, "ARCHIVE_SHA256", sha256)


def test_a_blend_is_named_by_its_styles():
    assert blend_of("en-us+jf_alpha:60+jm_kumo:40") == {"jf_alpha": 0.6, "jm_kumo": 0.4}
    assert blend_of("en-gb+bf_emma") == {"bf_emma": 1.0}


@pytest.mark.usefixtures("archive")
def test_the_styles_of_all_languages_are_read_from_the_package():
    styles = load_package_styles()
    assert {name: style.shape for name, style in styles.items()} == {
        "af_a": STYLE_SHAPE,
        "bm_b": STYLE_SHAPE,
        "ff_c": STYLE_SHAPE,
    }
    assert (styles["bm_b"] == 1).all()
    require_styles("en-us+af_a")
    with pytest.raises(SynthesisError, match="kokoro has no voice af_nobody"):
        require_styles("en-us+af_a:50+af_nobody:50")


def test_japanese_styles_need_no_package(cache):
    require_styles("en-us+jf_alpha:60+jm_kumo:40")
    assert list(cache.iterdir()) == []


def test_a_missing_package_names_the_command_that_gets_it(cache):
    command = f"mkdir -p {cache} && npm pack kokoro-js@1.2.1 --pack-destination {cache}$"
    with pytest.raises(SynthesisError, match=f"{ARCHIVE}: expected .* found no file: {command}"):
        require_styles("en-us+af_bella")


def test_another_file_in_its_place_is_not_read(cache):
    (cache / ARCHIVE).write_bytes(b"no package")
    with pytest.raises(SynthesisError, match=r"expected kokoro-js@1\.2\.1, found another file"):
        require_styles("en-us+af_bella")
