"""A small C file with the interface of the generated one, to test the emulation with."""

import shutil
from pathlib import Path

import pytest

STAND_IN = Path(__file__).parent / "c99" / "emulation" / "stand_in"


@pytest.fixture
def stand_in(tmp_path):
    """Write the file with some extra C, which runs once a hop, and return its folder."""

    def write(extra=""):
        folder = tmp_path / "stand-in"
        shutil.copytree(STAND_IN, folder, dirs_exist_ok=True)
        source = folder / "kws.c"
        source.write_text(source.read_text().replace("#define EXTRA", f"#define EXTRA {extra}"))
        return folder

    return write
