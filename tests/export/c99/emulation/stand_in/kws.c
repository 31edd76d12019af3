/* Detects loud hops. Tests replace EXTRA, which runs once a hop. */
#include "kws.h"

#include <math.h>
#include <string.h>

#define EXTRA

const char *const kws_labels[KWS_LABELS] = {"loud", "two words", "silence"};

size_t kws_size(void) { return sizeof(kws_t); }

void kws_reset(kws_t *k) { memset(k, 0, sizeof *k); }

int kws_feed(kws_t *k, const int16_t *samples, size_t n, kws_detection_t *out) {
    int found = 0;
    for (size_t i = 0; i < n; i++) {
        float x = (float)samples[i] / 32768.0f;
        k->energy += x * x;
        if (++k->sample % KWS_HOP_SAMPLES > 0) continue;
        float loud = 1 / (1 + expf(-1.0f - logf(k->energy + 1e-6f)));
        k->energy = 0;
        EXTRA
        k->scores[0] = loud;
        k->scores[1] = 0;
        k->scores[2] = 1 - loud;
        if (loud > 0.9f) out[found++] = (kws_detection_t){0, loud, k->sample};
    }
    return found;
}

int kws_finish(kws_t *k, kws_detection_t *out) {
    (void)out;
    kws_reset(k);
    return 0;
}

const float *kws_scores(const kws_t *k) { return k->scores; }
