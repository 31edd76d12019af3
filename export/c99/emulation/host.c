/* platform.h for a computer, which gives the results that the cores must give. */
#include <stdio.h>
#include <stdlib.h>

#include "platform.h"

size_t platform_read(void *bytes, size_t size) {
    static FILE *file;
    if (file == NULL && (file = fopen("input.bin", "rb")) == NULL) return 0;
    return fread(bytes, 1, size, file);
}

void platform_write(const char *text, size_t size) { fwrite(text, 1, size, stdout); }

void platform_exit(int code) { exit(code); }

/* Nothing is measured here. */
uint32_t platform_ticks(void) { return 0; }
void platform_loop(uint32_t rounds) { (void)rounds; }
void platform_paint_stack(void) {}
size_t platform_used_stack(void) { return 0; }
