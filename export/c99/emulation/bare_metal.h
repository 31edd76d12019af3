/* What cortex_m.c and riscv.c share: memory at the start, semihosting, the painted stack. */
#ifndef BARE_METAL_H
#define BARE_METAL_H

#include <stdint.h>

/* Ask the debugger, here the emulator, to do something:
 * https://github.com/ARM-software/abi-aa/blob/main/semihosting/semihosting.rst */
uintptr_t semihosting(uintptr_t operation, const void *argument);

_Noreturn void run_program(void);

#endif
