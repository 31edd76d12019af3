"""The emulated cores, and the commands that build and run a program for them."""

import dataclasses
import shutil
from pathlib import Path

SOURCES = Path(__file__).parent


@dataclasses.dataclass(frozen=True)
class Core:
    """A core in a machine that QEMU emulates.

    Attributes:
        name: of the core.
        compiler: of GCC.
        flags: of the compiler, that choose the instruction set.
        start: source file with the code that starts the core.
        emulator: of QEMU.
        machine: arguments of the emulator that choose the machine.
        flash: address and size in bytes of the memory for code and constants.
        ram: address and size in bytes of the memory for variables and stack.
        packages: of Debian, with compiler, C library and emulator.
    """

    name: str
    compiler: str
    flags: tuple[str, ...]
    start: str
    emulator: str
    machine: tuple[str, ...]
    flash: tuple[int, int]
    ram: tuple[int, int]
    packages: str

    def missing_tool(self) -> str | None:
        """Return the name of a tool that is not installed, or None."""
        tools = (self.compiler, self.emulator)
        return next((tool for tool in tools if not shutil.which(tool)), None)

    def link_flags(self) -> list[str]:
        """Return the arguments that place a program in the core's memory."""
        places = {
            "flash_origin": self.flash[0],
            "flash_size": self.flash[1],
            "ram_origin": self.ram[0],
            "ram_size": self.ram[1],
        }
        symbols = [f"-Wl,--defsym={name}={value:#x}" for name, value in places.items()]
        return ["-nostartfiles", f"-T{SOURCES / 'memory.ld'}", "-Wl,--gc-sections", *symbols]

    def run_command(self, program: Path) -> list[str]:
        """Return the command that runs a program, at one nanosecond an instruction."""
        quiet = ["-display", "none", "-monitor", "none", "-serial", "none"]
        counting = ["-icount", "shift=0"]
        semihosting = ["-semihosting-config", "enable=on,target=native"]
        command = [self.emulator, *self.machine, *quiet, *counting, *semihosting]
        return [*command, "-kernel", str(program)]


def _cortex_m(
    core: str,
    machine: str,
    fpu: str | None = None,
    *,
    flash: tuple[int, int] = (0, 256 << 10),
    ram: tuple[int, int] = (0x20000000, 48 << 10),
) -> Core:
    return Core(
        name=core + ("F" if fpu else ""),
        compiler="arm-none-eabi-gcc",
        flags=(
            f"-mcpu={core.lower()}",
            "-mthumb",
            *((f"-mfpu={fpu}", "-mfloat-abi=hard") if fpu else ()),
            "--specs=nano.specs",
        ),
        start="cortex_m.c",
        emulator="qemu-system-arm",
        machine=("-M", machine),
        flash=flash,
        ram=ram,
        packages="gcc-arm-none-eabi libnewlib-arm-none-eabi qemu-system-arm",
    )


# 256 KB and 48 KB, as small boards have; the micro:bit has 16 KB of RAM. F: with FPU.
CORES = (
    _cortex_m("Cortex-M4", "mps2-an386", "fpv4-sp-d16"),
    _cortex_m("Cortex-M7", "mps2-an500", "fpv5-sp-d16"),
    _cortex_m(  # starts in the secure state
        "Cortex-M33",
        "mps2-an505",
        "fpv5-sp-d16",
        flash=(0x10000000, 256 << 10),
        ram=(0x38000000, 48 << 10),
    ),
    _cortex_m("Cortex-M3", "mps2-an385"),
    _cortex_m("Cortex-M0", "microbit", ram=(0x20000000, 16 << 10)),
    Core(
        name="RV32IMC",
        compiler="riscv64-unknown-elf-gcc",
        flags=("-march=rv32imc", "-mabi=ilp32", "--specs=picolibc.specs"),
        start="riscv.c",
        emulator="qemu-system-riscv32",
        machine=("-M", "virt", "-bios", "none"),
        flash=(0x80000000, 256 << 10),
        ram=(0x80100000, 48 << 10),
        packages="gcc-riscv64-unknown-elf picolibc-riscv64-unknown-elf qemu-system-misc",
    ),
)
