/* An application to start from: an interrupt fills a ring of samples, the main loop empties it.
 *
 * On a computer, standard input stands for the microphone (DIR is that of export/export_c.py):
 *
 *     cc -std=c99 -O2 -I DIR export/c99/example.c DIR/kws.c -lm -o build/listen
 *     arecord -q -t raw -f S16_LE -r 16000 | build/listen
 *
 * On a board, the interrupt of the DMA that reads I2S or PDM calls samples_arrived. Replace the body
 * of wait_for_interrupt by the processor's instruction (WFI), and that of on_detection by what a
 * word does.
 */
#include <stdio.h>

#include "kws.h"

#define BLOCK 160u  /* samples of an interrupt: 10 ms */
#define RING 4096u  /* a power of two; the main loop may pause for 240 ms */

/* Samples are written before `written` changes, and read before `consumed` does. The barrier
 * keeps the compiler to it; with two cores, use the processor's barrier (DMB). */
#if defined(__GNUC__)
#define BARRIER() __asm__ volatile("" ::: "memory")
#else
#define BARRIER() ((void)0) /* the barrier of your compiler */
#endif

static int16_t ring[RING];
static volatile uint32_t written;   /* samples since the start; changed by the interrupt alone */
static volatile uint32_t consumed;  /* changed by the main loop alone */
static volatile uint32_t lost;      /* samples for which there was no space */
static kws_t recogniser;            /* all memory of the recogniser */

/* The interrupt. If the main loop is late, new samples are lost: the ring keeps its order. */
static void samples_arrived(const int16_t *samples, uint32_t n)
{
    uint32_t end = written;
    if (RING - (end - consumed) < n) {
        lost = lost + n;
        return;
    }
    for (uint32_t i = 0; i < n; i++) ring[(end + i) % RING] = samples[i];
    BARRIER();
    written = end + n;
}

/* Returns 0 at the end of the sound, which a board never reaches. */
static int wait_for_interrupt(void)
{
    int16_t block[BLOCK];
    size_t n = fread(block, sizeof *block, BLOCK, stdin);
    samples_arrived(block, (uint32_t)n);
    return n > 0;
}

static void on_detections(const kws_detection_t *found, int count)
{
    for (int i = 0; i < count; i++)
        printf("%.2f %s %.2f\n", (double)found[i].sample / KWS_SAMPLE_RATE,
               kws_labels[found[i].label], (double)found[i].confidence);
    fflush(stdout);
}

int main(void)
{
    static kws_detection_t found[KWS_MAX_DETECTIONS(RING) + KWS_MAX_FINISH];
    kws_reset(&recogniser);
    while (wait_for_interrupt()) {
        uint32_t n;
        while ((n = written - consumed) > 0) {
            uint32_t place = consumed % RING;
            if (n > RING - place) n = RING - place;  /* up to the end of the ring */
            BARRIER();
            on_detections(found, kws_feed(&recogniser, ring + place, n, found));
            BARRIER();
            consumed = consumed + n;
        }
    }
    on_detections(found, kws_finish(&recogniser, found));
    if (lost) fprintf(stderr, "%lu samples were lost\n", (unsigned long)lost);
    return lost > 0;
}
