/* Feeds the streams in input.bin to kws.c and prints what it finds, on any machine.
 *
 * input.bin holds for each stream two integers of 32 bits, the number of samples and whether they are
 * fed hop by hop (1) or in blocks of uneven sizes (0), then the samples; integers are little-endian.
 * Floats are printed as their bits. The exit code is 0, or 1 after a line that starts with "error".
 */
#include <string.h>

#include "kws.h"
#include "platform.h"

enum { MAX_BLOCK = KWS_HOP_SAMPLES + 1, CALIBRATION_ROUNDS = 1000000 };
enum { MAX_FED = KWS_MAX_DETECTIONS(MAX_BLOCK) };

static const uint16_t uneven[] = {1, KWS_HOP_SAMPLES - 1, KWS_HOP_SAMPLES, 7, MAX_BLOCK, 2,
                                  KWS_HOP_SAMPLES / 4, KWS_HOP_SAMPLES / 2 + 13};

static kws_t recogniser;
static int16_t samples[MAX_BLOCK];
static kws_detection_t detections[MAX_FED > KWS_MAX_FINISH ? MAX_FED : KWS_MAX_FINISH];
static struct {
    uint32_t ticks;   /* of the last call */
    uint32_t longest; /* ticks of the longest call in this stream */
    uint64_t total;   /* ticks of all calls in this stream */
    size_t stack;     /* greatest stack of a call in bytes */
} used;

static void print(const char *text) { platform_write(text, strlen(text)); }

static void print_integer(uint64_t value) {
    char text[21], *start = text + sizeof text;
    *--start = '\0';
    do *--start = (char)('0' + value % 10);
    while ((value /= 10) > 0);
    print(" ");
    print(start);
}

static void print_bits(float value) {
    char text[10] = " ";
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    for (int digit = 0; digit < 8; digit++)
        text[1 + digit] = "0123456789abcdef"[bits >> (28 - 4 * digit) & 15];
    print(text);
}

static _Noreturn void fail(const char *message) {
    print("error: ");
    print(message);
    print("\n");
    platform_exit(1);
}

static void read_all(void *bytes, size_t size) {
    if (platform_read(bytes, size) != size) fail("input.bin ends too early");
}

/* Feed n samples, or finish when n is 0, and measure the call. */
static int measure(size_t n) {
    platform_paint_stack();
    uint32_t start = platform_ticks();
    int count = n > 0 ? kws_feed(&recogniser, samples, n, detections)
                      : kws_finish(&recogniser, detections);
    used.ticks = platform_ticks() - start;
    size_t stack = platform_used_stack();
    if (stack > used.stack) used.stack = stack;
    return count;
}

static void print_detections(int count, int limit) {
    if (count < 0 || count > limit) fail("the number of detections is out of range");
    for (int i = 0; i < count; i++) {
        if (detections[i].label < 0 || detections[i].label >= KWS_LABELS) fail("no such label");
        print("detection ");
        print(kws_labels[detections[i].label]);
        print("\t");
        print_integer(detections[i].sample);
        print_bits(detections[i].confidence);
        print("\n");
    }
}

static void print_scores(void) {
    const float *scores = kws_scores(&recogniser);
    print("scores");
    for (int label = 0; label < KWS_LABELS; label++) print_bits(scores[label]);
    print("\n");
}

static void run_stream(uint32_t left, uint32_t by_hop) {
    uint32_t calls = 0;
    kws_reset(&recogniser);
    used.longest = 0;
    used.total = 0;
    while (left > 0) {
        uint32_t n = by_hop ? KWS_HOP_SAMPLES : uneven[calls % (sizeof uneven / sizeof *uneven)];
        if (n > left) n = left;
        read_all(samples, n * sizeof *samples);
        int count = measure(n);
        used.total += used.ticks;
        if (used.ticks > used.longest) used.longest = used.ticks;
        print_detections(count, (int)KWS_MAX_DETECTIONS(n));
        if (by_hop) print_scores();
        left -= n;
        calls++;
    }
    print_detections(measure(0), KWS_MAX_FINISH);
    print("ticks");
    print_integer(used.total);
    print_integer(used.longest);
    print_integer(calls);
    print("\n");
}

int main(void) {
    uint32_t header[2]; /* samples, by hop */
    if (kws_size() != sizeof recogniser) fail("kws_size() is not the size of kws_t");

    uint32_t start = platform_ticks();
    platform_loop(CALIBRATION_ROUNDS);
    print("calibration");
    print_integer(3 * CALIBRATION_ROUNDS);
    print_integer(platform_ticks() - start);
    print("\n");

    size_t size;
    while ((size = platform_read(header, sizeof header)) == sizeof header) {
        print("stream\n");
        run_stream(header[0], header[1]);
    }
    if (size > 0) fail("input.bin ends too early");
    print("sizes");
    print_integer(KWS_SAMPLE_RATE);
    print_integer(KWS_HOP_SAMPLES);
    print_integer(sizeof recogniser);
    print_integer(used.stack);
    print("\n");
    platform_exit(0);
}
