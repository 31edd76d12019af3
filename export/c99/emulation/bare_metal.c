/* platform.h for a core without an operating system; cortex_m.c and riscv.c have the rest. */
#include "bare_metal.h"

#include <string.h>

#include "platform.h"

enum { SYS_OPEN = 0x01, SYS_WRITE = 0x05, SYS_READ = 0x06, SYS_EXIT_EXTENDED = 0x20 };
enum { OPEN_READ_BINARY = 1, OPEN_WRITE = 4 };
enum { APPLICATION_EXIT = 0x20026 };
#define PAINT 0xA5A5A5A5U

extern uint32_t data_load[], data_start[], data_end[], bss_start[], bss_end[]; /* of memory.ld */

int main(void);

void run_program(void) {
    memcpy(data_start, data_load, (size_t)((char *)data_end - (char *)data_start));
    memset(bss_start, 0, (size_t)((char *)bss_end - (char *)bss_start));
    platform_exit(main());
}

static uintptr_t open_file(const char *name, uintptr_t mode) {
    uintptr_t argument[] = {(uintptr_t)name, mode, strlen(name)};
    return semihosting(SYS_OPEN, argument);
}

size_t platform_read(void *bytes, size_t size) {
    static uintptr_t file;
    if (file == 0) file = open_file("input.bin", OPEN_READ_BINARY);
    uintptr_t argument[] = {file, (uintptr_t)bytes, size};
    return size - semihosting(SYS_READ, argument); /* it returns how many bytes it did not read */
}

void platform_write(const char *text, size_t size) {
    static uintptr_t console;
    if (console == 0) console = open_file(":tt", OPEN_WRITE);
    uintptr_t argument[] = {console, (uintptr_t)text, size};
    semihosting(SYS_WRITE, argument);
}

void platform_exit(int code) {
    uintptr_t argument[] = {APPLICATION_EXIT, (uintptr_t)code};
    semihosting(SYS_EXIT_EXTENDED, argument);
    for (;;) continue;
}

/* The stack grows down, towards the end of the variables. */
void platform_paint_stack(void) {
    volatile uint32_t *frame = __builtin_frame_address(0);
    for (volatile uint32_t *word = bss_end; word < frame - 16; word++) *word = PAINT;
}

size_t platform_used_stack(void) {
    static const char full[] = "error: the stack is full\n";
    const volatile uint32_t *frame = __builtin_frame_address(0), *word = bss_end;
    if (*word != PAINT) {
        platform_write(full, sizeof full - 1);
        platform_exit(1);
    }
    while (word < frame && *word == PAINT) word++;
    return (size_t)((const volatile char *)frame - (const volatile char *)word);
}
