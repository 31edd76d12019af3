/* Start, counter and semihosting of a 32-bit RISC-V. */
#include "bare_metal.h"
#include "platform.h"

__attribute__((section(".start"), naked, used)) _Noreturn void reset(void);

void reset(void) {
    __asm volatile(
        "la sp, stack_top\n\t"
        ".option push\n\t.option norelax\n\tla gp, __global_pointer$\n\t.option pop\n\t"
        ".option push\n\t.option arch, +zicsr\n\t"
        "la t0, fault\n\tcsrw mtvec, t0\n\t"
        "li t0, 0x2000\n\tcsrs mstatus, t0\n\t" /* allow the FPU, if there is one */
        ".option pop\n\t"
        "tail run_program");
}

__attribute__((aligned(4), used)) static void fault(void) { platform_exit(3); }

/* Semihosting is an ebreak between two instructions that do nothing, and none is compressed. */
__attribute__((naked, noinline)) uintptr_t semihosting(uintptr_t operation, const void *argument) {
    (void)operation, (void)argument;
    __asm volatile(
        ".option push\n\t.option norvc\n\t.balign 16\n\t"
        "slli zero, zero, 0x1f\n\tebreak\n\tsrai zero, zero, 7\n\tret\n\t"
        ".option pop");
}

uint32_t platform_ticks(void) {
    uint32_t instructions;
    __asm volatile(
        ".option push\n\t.option arch, +zicsr\n\tcsrr %0, minstret\n\t.option pop"
        : "=r"(instructions));
    return instructions;
}

void platform_loop(uint32_t rounds) {
    __asm volatile("1:\tnop\n\taddi %0, %0, -1\n\tbnez %0, 1b" : "+r"(rounds));
}
