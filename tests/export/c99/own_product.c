/* A program with a product of its own, which prints the scores after the samples on standard input. */
#include <stdio.h>

#include "kws.h"

static int calls;

void my_product(const int8_t *weights, const int32_t *bias, size_t rows, size_t columns,
                const int8_t *x, int32_t *sums);

void my_product(const int8_t *weights, const int32_t *bias, size_t rows, size_t columns,
                const int8_t *x, int32_t *sums)
{
    calls++;
    for (size_t i = 0; i < rows; i++) {
        sums[i] = bias[i];
        for (size_t j = 0; j < columns; j++) sums[i] += weights[i * columns + j] * x[j];
    }
}

int main(void)
{
    static kws_t kws;
    static int16_t samples[KWS_HOP_SAMPLES];
    kws_detection_t found[KWS_MAX_DETECTIONS(KWS_HOP_SAMPLES)];
    size_t n;
    kws_reset(&kws);
    while ((n = fread(samples, sizeof *samples, KWS_HOP_SAMPLES, stdin)) > 0)
        kws_feed(&kws, samples, n, found);
    for (int i = 0; i < KWS_LABELS; i++) printf("%.9g\n", (double)kws_scores(&kws)[i]);
    return calls < 1000;
}
