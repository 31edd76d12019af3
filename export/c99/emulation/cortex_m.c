/* Start, counter and semihosting of a Cortex-M. */
#include "bare_metal.h"
#include "platform.h"

#define CPACR (*(volatile uint32_t *)0xE000ED88U)
#define SYST_CSR (*(volatile uint32_t *)0xE000E010U)
#define SYST_RVR (*(volatile uint32_t *)0xE000E014U)
#define SYST_CVR (*(volatile uint32_t *)0xE000E018U)
enum { SYSTICK_MAX = 0xFFFFFF, FROM_PROCESSOR_CLOCK = 4, ENABLE = 1 };

extern uint32_t stack_top[]; /* of memory.ld */

_Noreturn void reset(void);

static void fault(void) { platform_exit(3); }

/* The initial stack pointer, then reset, NMI and the faults; no interrupt is enabled. */
__attribute__((section(".start"), used)) static const struct {
    uint32_t *stack;
    void (*handlers[15])(void);
} vectors = {stack_top, {reset, fault, fault, fault, fault, fault, fault}};

_Noreturn void reset(void) {
#ifdef __ARM_FP
    CPACR |= 0xFU << 20; /* allow the FPU */
    __asm volatile("dsb\n\tisb");
#endif
    SYST_RVR = SYSTICK_MAX;
    SYST_CVR = 0;
    SYST_CSR = FROM_PROCESSOR_CLOCK | ENABLE;
    run_program();
}

uintptr_t semihosting(uintptr_t operation, const void *argument) {
    register uintptr_t r0 __asm("r0") = operation;
    register const void *r1 __asm("r1") = argument;
    __asm volatile("bkpt 0xAB" : "+r"(r0) : "r"(r1) : "memory");
    return r0;
}

/* SysTick has 24 bits and counts down; no two calls are further apart than it can count. */
uint32_t platform_ticks(void) {
    static uint32_t ticks, last = SYSTICK_MAX;
    uint32_t now = SYST_CVR;
    ticks += (last - now) & SYSTICK_MAX;
    last = now;
    return ticks;
}

void platform_loop(uint32_t rounds) {
    __asm volatile(".syntax unified\n1:\tnop\n\tsubs %0, %0, #1\n\tbne 1b" : "+l"(rounds) : : "cc");
}
