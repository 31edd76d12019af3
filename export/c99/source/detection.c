/* ---------------------------------------------------------------------------------------------
 * Detection rule: a command is a word said by itself. docs/deploy.md has it as pseudo code.
 */

/* c is the mean of a command's scores, u that of "unknown": unknown speech lowers the odds. */
static float confidence_of(float c, float u)
{
    return c > 0 ? c / (c + (1 - c) * (1 + CONTEXT_WEIGHT * u)) : 0;
}

/* The hop in which the scores of a label rose to 0.5, or this hop if they did not. */
static uint32_t rise_of(const kws_t *kws, size_t label)
{
    for (uint32_t age = KWS_SMOOTHING_HOPS - 1; age > 0; age--)
        if (age < kws->hop && kws->recent[(kws->hop - age) % KWS_SMOOTHING_HOPS][label] >= 128)
            return kws->hop - age;
    return kws->hop;
}

/* A command whose confidence reaches its threshold becomes the candidate. */
static void consider(kws_t *kws)
{
    uint32_t sum_unknown = 0;
    for (size_t i = 0; i < KWS_CONTEXT_HOPS; i++) sum_unknown += kws->recent_unknown[i];
    float u = (float)sum_unknown / (256.0f * KWS_CONTEXT_HOPS);
    for (size_t label = 0; label < KWS_LABELS; label++) {
        if (thresholds[label] > 1) continue;  /* not a command */
        uint32_t sum = 0;
        for (size_t i = 0; i < KWS_SMOOTHING_HOPS; i++) sum += kws->recent[i][label];
        float c = (float)sum / (256.0f * KWS_SMOOTHING_HOPS);
        if (c < thresholds[label]) continue;  /* no confidence is greater than c */
        float confidence = confidence_of(c, u);
        if (confidence < thresholds[label]) continue;
        if (kws->candidate >= 0 && confidence <= kws->confidence) continue;
        if (kws->candidate < 0) kws->decided_at = kws->hop + WAIT_HOPS;
        if (kws->candidate != (int)label) kws->end = rise_of(kws, label) + WORD_END_HOPS;
        kws->candidate = (int)label;
        kws->confidence = confidence;
        kws->smoothed = c;
        kws->context = u;
        kws->unknown_after = 0;
    }
}

/* Decide on the candidate. Returns the number of detections, 0 or 1. */
static int decide(kws_t *kws, kws_detection_t *out)
{
    if (kws->candidate < 0) return 0;
    size_t label = (size_t)kws->candidate;
    float u = kws->context + (float)kws->unknown_after / (256.0f * KWS_CONTEXT_HOPS);
    float confidence = confidence_of(kws->smoothed, u);
    kws->candidate = -1;
    if (confidence < thresholds[label] || u > MAX_CONTEXT) return 0;
    kws->quiet_until = kws->hop + REFRACTORY_HOPS;
    uint32_t end = kws->end < kws->hop ? kws->end : kws->hop;
    if (end > kws->last_end) kws->last_end = end;
    out->label = (int)label;
    out->confidence = confidence < 1 ? confidence : 1;
    out->sample = (uint64_t)kws->last_end * KWS_HOP_SAMPLES;
    return 1;
}

/* Add the scores after one more hop. Returns the number of detections, 0 or 1. */
static int detect(kws_t *kws, const uint8_t *scores, kws_detection_t *out)
{
    uint8_t unknown = KWS_UNKNOWN < 0 ? 0 : scores[KWS_UNKNOWN < 0 ? 0 : KWS_UNKNOWN];
    kws->hop++;
    memcpy(kws->recent[kws->hop % KWS_SMOOTHING_HOPS], scores, KWS_LABELS);
    kws->recent_unknown[kws->hop % KWS_CONTEXT_HOPS] = unknown;
    if (kws->candidate >= 0) kws->unknown_after += unknown;
    if (kws->hop > kws->quiet_until) consider(kws);
    return kws->candidate >= 0 && kws->hop >= kws->decided_at ? decide(kws, out) : 0;
}
