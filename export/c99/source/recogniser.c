/* ---------------------------------------------------------------------------------------------
 * Streams
 */

size_t kws_size(void)
{
    return sizeof(kws_t);
}

void kws_reset(kws_t *kws)
{
    memset(kws, 0, sizeof *kws);
    kws->filled = KWS_FRAME_LENGTH - KWS_HOP_LENGTH;  /* zeros before the first sample */
    kws->candidate = -1;
    reset_network(kws);
}

/* A frame is complete. Every KWS_HOP_FRAMES frames, the network takes a step. */
static int add_samples(kws_t *kws, kws_detection_t *out)
{
    uint8_t scores[KWS_LABELS];
    compute_mfcc(kws);
    add_frame(kws);
    kws->filled = KWS_FRAME_LENGTH - KWS_HOP_LENGTH;
    memmove(kws->samples, kws->samples + KWS_HOP_LENGTH, kws->filled * sizeof *kws->samples);
    if (++kws->new_frames < KWS_HOP_FRAMES) return 0;
    kws->new_frames = 0;
    network_step(kws, scores);
    for (size_t i = 0; i < KWS_LABELS; i++) kws->scores[i] = (float)scores[i] / 256;
    return detect(kws, scores, out);
}

int kws_feed(kws_t *kws, const int16_t *samples, size_t n, kws_detection_t *out)
{
    int count = 0;
    kws->fed += n;
    while (n > 0) {
        size_t space = KWS_FRAME_LENGTH - kws->filled, part = n < space ? n : space;
        memcpy(kws->samples + kws->filled, samples, part * sizeof *samples);
        samples += part;
        n -= part;
        kws->filled += part;
        if (kws->filled == KWS_FRAME_LENGTH) count += add_samples(kws, out + count);
    }
    return count;
}

int kws_finish(kws_t *kws, kws_detection_t *out)
{
    static const int16_t zeros[KWS_HOP_LENGTH];
    const uint64_t end = kws->fed;
    int count = 0;
    size_t missing = (size_t)(KWS_HOP_SAMPLES - end % KWS_HOP_SAMPLES) % KWS_HOP_SAMPLES;
    for (size_t left = missing + (size_t)KWS_TAIL_HOPS * KWS_HOP_SAMPLES; left > 0;) {
        size_t part = left < KWS_HOP_LENGTH ? left : KWS_HOP_LENGTH;
        count += kws_feed(kws, zeros, part, out + count);
        left -= part;
    }
    count += decide(kws, out + count);
    for (int i = 0; i < count; i++)
        if (out[i].sample > end) out[i].sample = end;
    kws_reset(kws);
    return count;
}

const float *kws_scores(const kws_t *kws)
{
    return kws->scores;
}
