/* Feeds standard input to a stream: a byte gives the size of a block, and its samples follow. */
#include <stdio.h>
#include <stdlib.h>

#include "kws.h"

int main(void)
{
    kws_t *kws = malloc(kws_size());
    int size;
    if (!kws) return 2;
    kws_reset(kws);
    while ((size = getchar()) != EOF) {
        size_t n = (size_t)(size < 200 ? size : 50 * (size - 195));
        int16_t *samples = malloc(n * sizeof *samples + 1);  /* exact, so that an overrun is found */
        kws_detection_t *found = malloc(KWS_MAX_DETECTIONS(n) * sizeof *found);
        if (!samples || !found) return 2;
        n = fread(samples, sizeof *samples, n, stdin);
        int count = kws_feed(kws, samples, n, found);
        if (count < 0 || (size_t)count > KWS_MAX_DETECTIONS(n)) return 3;
        for (int i = 0; i < count; i++) {
            if (found[i].label < 0 || found[i].label >= KWS_LABELS) return 4;
            if (!(found[i].confidence > 0 && found[i].confidence <= 1)) return 5;
        }
        for (int i = 0; i < KWS_LABELS; i++)
            if (!(kws_scores(kws)[i] >= 0 && kws_scores(kws)[i] < 1)) return 6;
        free(samples);
        free(found);
        if (size == 77) {
            kws_detection_t rest[KWS_MAX_FINISH];
            if (kws_finish(kws, rest) > KWS_MAX_FINISH) return 7;
        }
    }
    free(kws);
    return 0;
}
