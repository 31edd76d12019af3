"""Run the C99 file on emulated microcontrollers, and show what it needs there.

    python export/export_c.py runs/small --out build/small
    python export/emulate.py build/small

The file is built for each core whose compiler and emulator are installed, with a test program that
feeds it the sounds of the golden vectors. Detections and scores are compared with those of the same
file on this computer. Times are estimates: QEMU counts instructions, not cycles. The exit code is 1
if a result differs.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

if __name__ == "__main__":  # the repository instead of this folder, whose names could hide packages
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from export.c99.emulation.cores import CORES, Core
from training.output.script import report, script

OPTIMIZATIONS = ("-O2", "-Os")


def parse_arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    assert __doc__
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("folders", type=Path, nargs="+", metavar="DIR", help="what export/export_c.py wrote")
    add(
        "--core",
        choices=[core.name for core in CORES],
        action="append",
        metavar="NAME",
        help=f"one of {', '.join(core.name for core in CORES)}; repeat for several "
        "(default: all whose tools are installed)",
    )
    return parser.parse_args(arguments)


@script
def main(arguments: Sequence[str] | None = None) -> int:
    options = parse_arguments(arguments)
    from export.c99.emulation.measurement import measure, run_on_host, table

    cores = usable_cores(options.core)
    measurements = []
    for folder in options.folders:
        expected = run_on_host(folder)
        measurements += [
            measure(folder, core, optimization, expected)
            for core in cores
            for optimization in OPTIMIZATIONS
        ]
    print(table(measurements))
    for measurement in measurements:
        for failure in measurement.failures:
            name = f"{measurement.folder}, {measurement.core}, {measurement.optimization}"
            report("emulate.py", f"{name}: {failure}")
    return 1 if any(measurement.failures for measurement in measurements) else 0


def usable_cores(names: Sequence[str] | None) -> list[Core]:
    """Return the cores of these names (None: all), without those whose tools are not installed.

    Raises:
        ExportError: a named core's tools are not installed, or those of no core.
    """
    from export.errors import ExportError

    chosen = [core for core in CORES if names is None or core.name in names]
    usable = []
    for core in chosen:
        if (tool := core.missing_tool()) is None:
            usable.append(core)
            continue
        message = f"{core.name}: expected {tool}, found none: apt-get install {core.packages}"
        if names is not None:
            raise ExportError(message)
        report("emulate.py", message)
    if not usable:
        raise ExportError("expected the tools of a core, found none")
    return usable


if __name__ == "__main__":
    sys.exit(main())
