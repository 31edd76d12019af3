/* A speech-command recogniser: 16-bit samples in, detected commands out.
 *
 * @origin@
 *
 *     static kws_t recogniser;                     all state; nothing is allocated
 *     kws_detection_t found[KWS_MAX_DETECTIONS(BLOCK)];
 *
 *     kws_reset(&recogniser);
 *     for (;;) {
 *         int count = kws_feed(&recogniser, samples, BLOCK, found);
 *         for (int i = 0; i < count; i++) act_on(kws_labels[found[i].label]);
 *     }
 *
 * C99. Of the C library it needs memcpy, memmove and memset@and_libm@. There are no global variables:
 * any number of streams may run, each in a kws_t of its own, also in several threads. Samples are
 * mono, KWS_SAMPLE_RATE a second.
 */
#ifndef KWS_H
#define KWS_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

@sizes@

/* Labels in the order of the scores, in UTF-8. */
extern const char *const kws_labels[KWS_LABELS];

typedef struct {
    int label;         /* index into kws_labels */
    float confidence;  /* 0 to 1 */
    uint64_t sample;   /* the end of the word, in samples since kws_reset */
} kws_detection_t;

/* The greatest number of detections in n samples, and at the end of the audio. */
#define KWS_MAX_DETECTIONS(n) ((n) / KWS_HOP_SAMPLES + 1)
#define KWS_MAX_FINISH (KWS_TAIL_HOPS + 2)

/* Everything that a stream needs. Its members are private: use the functions below. */
typedef struct {
    /* Front end: the samples of a frame, and its spectrum. */
    int16_t samples[KWS_FRAME_LENGTH];
    kws_real_t spectrum[KWS_N_FFT];
    kws_real_t log_mel[KWS_N_MELS];
    size_t filled;          /* samples that are in place */
    unsigned new_frames;    /* frames since the last step of the network */
    uint64_t fed;           /* samples since the start */

    /* Network. A step covers five frames; what two steps share is computed once. */
    int8_t mfcc[KWS_N_MFCC];
    int8_t bands[KWS_HOP_FRAMES + 2][KWS_BANDS];
    int8_t conv_1[3][KWS_CONV_1_BANDS][KWS_CONV_1_FILTERS];
    int8_t conv_2[KWS_CONV_2_BANDS][KWS_CONV_2_FILTERS];
    int8_t patch[KWS_MAX_PATCH];
    int32_t sums[KWS_MAX_ROWS];
    int8_t input[KWS_MAX_ROWS];
    int8_t from_input[KWS_MAX_ROWS];
    int8_t from_state[KWS_MAX_ROWS];
    int8_t h[KWS_GRUS][KWS_MAX_UNITS];
    float scores[KWS_LABELS];

    /* Detection rule. Scores are in steps of 1/256. */
    uint8_t recent[KWS_SMOOTHING_HOPS][KWS_LABELS];
    uint8_t recent_unknown[KWS_CONTEXT_HOPS];
    uint32_t hop;           /* hops since the start; reset before 2^32 of them, 5 years of 40 ms */
    uint32_t decided_at;    /* the hop at which the candidate is decided on */
    uint32_t quiet_until;   /* the last hop without candidates */
    uint32_t end;           /* the hop at which the candidate's word ended */
    uint32_t last_end;      /* that of the last detection */
    int candidate;          /* its label, or -1 */
    float confidence;       /* the candidate's greatest confidence, */
    float smoothed;         /* the mean of its scores there, */
    float context;          /* the mean of the scores of "unknown" there, */
    uint32_t unknown_after; /* and the sum of those that followed */
} kws_t;

/* The size of a kws_t, for callers in other languages. */
size_t kws_size(void);

/* Start a stream. */
void kws_reset(kws_t *kws);

/* Process n samples, any number. Writes the detections to out, which has space for
 * KWS_MAX_DETECTIONS(n), and returns how many there are. */
int kws_feed(kws_t *kws, const int16_t *samples, size_t n, kws_detection_t *out);

/* End the audio: 0.6 s of silence follow, and what is awaited is decided on. Writes at most
 * KWS_MAX_FINISH detections and returns how many there are. Then a new stream begins. */
int kws_finish(kws_t *kws, kws_detection_t *out);

/* The probability of each label after the last hop; zeros before the first one. */
const float *kws_scores(const kws_t *kws);

#ifdef __cplusplus
}
#endif

#endif
