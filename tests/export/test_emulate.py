"""emulate.py: a table, the exit codes, and what is missing."""

import dataclasses

import pytest

from export import emulate
from export.c99.emulation.cores import CORES

M4F = CORES[0]
needs_tools = pytest.mark.skipif(
    M4F.missing_tool() is not None, reason=f"needs {M4F.packages} (Debian)"
)


@needs_tools
def test_a_row_for_each_optimisation_is_printed(stand_in, capsys):
    assert emulate.main([str(stand_in()), "--core", "Cortex-M4F"]) == 0
    rows = capsys.readouterr().out.splitlines()[2:]
    assert [row.split(" | ")[:3] for row in rows] == [
        ["| stand-in", "Cortex-M4F", "-O2"],
        ["| stand-in", "Cortex-M4F", "-Os"],
    ]


@needs_tools
def test_other_results_have_exit_code_1(stand_in, capsys):
    folder = stand_in("if (sizeof(void *) == 4) loud *= 0.5f;")
    assert emulate.main([str(folder), "--core", "Cortex-M4F"]) == 1
    output = capsys.readouterr()
    assert "DIFFERS" in output.out
    assert f"emulate.py: {folder}, Cortex-M4F, -O2: expected scores within" in output.err


@needs_tools
def test_a_folder_without_the_file_has_exit_code_2(tmp_path, capsys):
    assert emulate.main([str(tmp_path)]) == 2
    assert "kws.c: expected a file that export/export_c.py wrote, found none" in (
        capsys.readouterr().err
    )


def test_a_core_without_its_tools_is_named_with_the_packages(monkeypatch, capsys, tmp_path):
    missing = dataclasses.replace(M4F, compiler="no-such-gcc")
    monkeypatch.setattr(emulate, "CORES", (missing,))
    assert emulate.main([str(tmp_path)]) == 2
    errors = capsys.readouterr().err.splitlines()
    assert errors[0].startswith("emulate.py: Cortex-M4F: expected no-such-gcc, found none: apt-get")
    assert errors[1] == "emulate.py: expected the tools of a core, found none"
    assert emulate.main([str(tmp_path), "--core", "Cortex-M4F"]) == 2
    assert capsys.readouterr().err.splitlines() == errors[:1]
