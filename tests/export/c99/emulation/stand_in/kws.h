/* The interface of the generated file, with three labels. */
#ifndef KWS_H
#define KWS_H

#include <stddef.h>
#include <stdint.h>

#define KWS_LABELS 3
#define KWS_HOP_SAMPLES 640
#define KWS_SAMPLE_RATE 16000
#define KWS_MAX_DETECTIONS(n) ((n) / KWS_HOP_SAMPLES + 1)
#define KWS_MAX_FINISH 1

typedef struct {
    int label;
    float confidence;
    uint64_t sample;
} kws_detection_t;

typedef struct {
    uint64_t sample;
    float energy;
    float scores[KWS_LABELS];
} kws_t;

extern const char *const kws_labels[KWS_LABELS];

size_t kws_size(void);
void kws_reset(kws_t *k);
int kws_feed(kws_t *k, const int16_t *samples, size_t n, kws_detection_t *out);
int kws_finish(kws_t *k, kws_detection_t *out);
const float *kws_scores(const kws_t *k);

#endif
