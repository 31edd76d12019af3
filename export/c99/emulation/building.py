"""Compile kws.c with the test program, for a core or for this computer."""

import dataclasses
from pathlib import Path

from export.c99.compiling import WARNINGS, flash_bytes, run_compiler
from export.c99.emulation.cores import SOURCES, Core
from export.errors import ExportError


@dataclasses.dataclass(frozen=True)
class Program:
    """A program that was built.

    Attributes:
        path: of the file to run.
        recogniser_flash: code and constants of kws.c alone, in bytes.
        flash: code and constants of all, with the test program and the C library, in bytes.
    """

    path: Path
    recogniser_flash: int
    flash: int


def build_for_core(folder: Path, core: Core, optimization: str, work: Path) -> Program:
    """Build the program for a core.

    Args:
        folder: has kws.c and kws.h.
        core: to build for.
        optimization: option of the compiler, such as "-O2".
        work: folder for the results.

    Raises:
        DoesNotFitError: the core's memory is too small.
        ExportError: the compiler or the linker failed.
    """
    command = [core.compiler, *core.flags, optimization, "-ffunction-sections", "-fdata-sections"]
    recogniser = _compile(command, folder, work)
    sources = [SOURCES / name for name in ("program.c", "bare_metal.c", core.start)]
    path = work / "program.elf"
    _link([*command, *core.link_flags()], folder, [*sources, recogniser], path)
    size = core.compiler.replace("gcc", "size")
    return Program(path, flash_bytes(size, recogniser), flash_bytes(size, path))


def build_for_host(folder: Path, work: Path) -> Path:
    """Build the program for this computer and return its path.

    Raises:
        ExportError: there is no compiler, or it failed.
    """
    path = work / "program"
    sources = [SOURCES / "program.c", SOURCES / "host.c", _compile(["cc", "-O2"], folder, work)]
    _link(["cc", "-O2"], folder, sources, path)
    return path


def _compile(command: list[str], folder: Path, work: Path) -> Path:
    path = work / "kws.o"
    source = folder / "kws.c"
    if not source.is_file():
        raise ExportError(f"{source}: expected a file that export/export_c.py wrote, found none")
    run_compiler([*command, "-std=c99", *WARNINGS, "-c", str(source), "-o", str(path)], str(source))
    return path


def _link(command: list[str], folder: Path, sources: list[Path], path: Path) -> None:
    includes = [f"-I{folder}", f"-I{SOURCES}"]
    files = [str(source) for source in sources]
    run_compiler(
        [*command, "-std=c11", *WARNINGS, *includes, *files, "-lm", "-o", str(path)], path.name
    )
