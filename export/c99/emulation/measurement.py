"""What the C99 file needs on a core, and whether it gives the results that it must."""

import dataclasses
import subprocess
import tempfile
from pathlib import Path

from export.c99.compiling import DoesNotFitError
from export.c99.emulation.building import build_for_core, build_for_host
from export.c99.emulation.comparison import differences, greatest_difference
from export.c99.emulation.cores import Core
from export.c99.emulation.program_output import Output, parse
from export.c99.emulation.streams import input_bytes
from export.errors import ExportError

TIMEOUT = 600  # seconds
MEGAHERTZ = (80, 120, 168)
# Estimated, not measured: QEMU has no cycles. Arm's timing table of the Cortex-M4 gives 1.1 to 1.5
# for the instructions of kws.c (-O2), depending on loads that follow each other and on branches.
# Flash with wait states takes longer.
CYCLES_PER_INSTRUCTION = {"Cortex-M4F": (1.1, 1.5)}


@dataclasses.dataclass(frozen=True)
class Measurement:
    """A core with the C99 file of one folder.

    Attributes:
        folder: of kws.c.
        core: its name.
        optimization: option of the compiler.
        fits: whether the program fits into the core's memory; if not, the rest is 0.
        recogniser_flash: of kws.c alone, in bytes.
        flash: of the whole program, in bytes.
        state: size of kws_t, in bytes.
        stack: greatest stack of a call, in bytes.
        instructions: of a hop, on average.
        longest: instructions of the longest hop.
        hops_per_second: of sound.
        detections: of the golden stream, in words.
        score_difference: greatest, from the same file on this computer.
        failures: how the results differ from those on this computer, in words.
    """

    folder: Path
    core: str
    optimization: str
    fits: bool
    recogniser_flash: int = 0
    flash: int = 0
    state: int = 0
    stack: int = 0
    instructions: int = 0
    longest: int = 0
    hops_per_second: float = 0.0
    detections: str = ""
    score_difference: float = 0.0
    failures: tuple[str, ...] = ()

    def milliseconds(self, megahertz: int, cycles: float) -> float:
        """Return the time for a second of sound, at an assumed number of cycles an instruction."""
        return self.instructions * self.hops_per_second * cycles / (1e3 * megahertz)


def run_on_host(folder: Path) -> Output:
    """Return the results on this computer.

    Raises:
        ExportError: kws.c cannot be built, or the program did not run to its end.
    """
    with tempfile.TemporaryDirectory() as work:
        program = build_for_host(folder, Path(work))
        return _run([str(program)], Path(work), f"{folder / 'kws.c'} on this computer")


def measure(folder: Path, core: Core, optimization: str, expected: Output) -> Measurement:
    """Build the file for a core, run it, and compare the results with those on this computer.

    Raises:
        ExportError: kws.c cannot be built, or the program did not run to its end.
    """
    with tempfile.TemporaryDirectory() as work:
        try:
            program = build_for_core(folder, core, optimization, Path(work))
        except DoesNotFitError:
            return Measurement(folder, core.name, optimization, fits=False)
        command = core.run_command(program.path)
        output = _run(command, Path(work), f"{folder / 'kws.c'} on {core.name}")
    by_hop = [stream for stream in output.streams if stream.scores]
    hops = sum(stream.blocks for stream in by_hop)
    scale = output.instructions_per_tick
    return Measurement(
        folder,
        core.name,
        optimization,
        fits=True,
        recogniser_flash=program.recogniser_flash,
        flash=program.flash,
        state=output.state_bytes,
        stack=output.stack_bytes,
        instructions=round(sum(stream.ticks for stream in by_hop) * scale / hops),
        longest=round(max(stream.longest for stream in by_hop) * scale),
        hops_per_second=output.hops_per_second,
        detections=", ".join(d.label for d in output.streams[-1].detections) or "none",
        score_difference=greatest_difference(output, expected),
        failures=tuple(differences(output, expected)),
    )


def _run(command: list[str], work: Path, name: str) -> Output:
    (work / "input.bin").write_bytes(input_bytes())
    try:
        done = subprocess.run(command, cwd=work, capture_output=True, text=True, timeout=TIMEOUT)
        output = parse(done.stdout)
    except subprocess.TimeoutExpired:
        raise ExportError(f"{name}: expected an end within {TIMEOUT} s, found none") from None
    except ValueError as error:
        raise ExportError(
            f"{name}: expected a run to the end, found exit code {done.returncode}: "
            f"{error} {done.stderr}"
        ) from None
    if done.returncode:
        raise ExportError(f"{name}: expected exit code 0, found {done.returncode}")
    return output


def table(measurements: list[Measurement]) -> str:
    """Return the measurements as a Markdown table."""
    clocks = " / ".join(map(str, MEGAHERTZ))
    header = (
        "file",
        "core",
        "compiler",
        "flash of kws.c (program)",
        "kws_t",
        "stack",
        "instructions a hop (longest)",
        f"ms a second of sound at {clocks} MHz",
        "detected",
        "scores differ by",
    )
    rows = [header, ("---",) * len(header), *map(_row, measurements)]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _row(measurement: Measurement) -> tuple[str, ...]:
    m = measurement
    start = (m.folder.name, m.core, m.optimization)
    if not m.fits:
        return (*start, "does not fit", *[""] * 6)
    low, high = CYCLES_PER_INSTRUCTION.get(m.core, (0, 0))
    times = [f"{m.milliseconds(f, low):.1f} to {m.milliseconds(f, high):.1f}" for f in MEGAHERTZ]
    return (
        *start,
        f"{m.recogniser_flash:,} ({m.flash:,})",
        f"{m.state:,}",
        f"{m.stack:,}",
        f"{m.instructions:,} ({m.longest:,})",
        " / ".join(times) if high else "",
        m.detections + (" DIFFERS" if m.failures else ""),
        f"{m.score_difference:.0e}",
    )
