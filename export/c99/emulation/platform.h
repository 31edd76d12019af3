/* What program.c needs from the machine that it runs on: input, output, a counter, the stack. */
#ifndef PLATFORM_H
#define PLATFORM_H

#include <stddef.h>
#include <stdint.h>

/* Read up to `size` bytes of input.bin and return how many were read. */
size_t platform_read(void *bytes, size_t size);

void platform_write(const char *text, size_t size);

_Noreturn void platform_exit(int code);

/* A counter of 32 bits that only rises, in steps of a known number of instructions. */
uint32_t platform_ticks(void);

/* Execute 3 * `rounds` instructions, to check the counter. */
void platform_loop(uint32_t rounds);

/* Paint the free stack. */
void platform_paint_stack(void);

/* Bytes of the stack that were used below this call's caller since it was painted. */
size_t platform_used_stack(void);

#endif
