/* ---------------------------------------------------------------------------------------------
 * Network: a step takes the frames of a hop and gives the probability of each label.
 */

/* MFCC -> bands, by a dense layer, after the bands of the earlier frames. */
static void add_frame(kws_t *kws)
{
    memmove(kws->bands[0], kws->bands[1], sizeof kws->bands - sizeof kws->bands[0]);
    dense(&bands_layer, kws->mfcc, kws->sums, kws->bands[KWS_HOP_FRAMES + 1]);
}

/* A row of the first convolution: 3 frames by 5 bands, every second band. */
static void convolve_1(kws_t *kws, size_t first_frame, size_t row)
{
    for (size_t band = 0; band < KWS_CONV_1_BANDS; band++) {
        for (size_t frame = 0; frame < 3; frame++)
            memcpy(kws->patch + 5 * frame, &kws->bands[first_frame + frame][2 * band], 5);
        kws->patch[15] = 0;  /* with a weight of 0, so that rows have a multiple of 4 columns */
        dense(&conv_1, kws->patch, kws->sums, kws->conv_1[row][band]);
    }
}

/* The second convolution: 3 rows by 3 bands, every second band. */
static void convolve_2(kws_t *kws)
{
    const size_t width = 3 * KWS_CONV_1_FILTERS;
    for (size_t band = 0; band < KWS_CONV_2_BANDS; band++) {
        for (size_t row = 0; row < 3; row++)
            memcpy(kws->patch + row * width, kws->conv_1[row][2 * band], width);
        dense(&conv_2, kws->patch, kws->sums, kws->conv_2[band]);
    }
}

/* One step of a GRU (Cho 2014, Chung 2014), where z near 1 writes the candidate:
 *
 *     z  = sigmoid(W_z x + U_z h + b_z)             update gate
 *     r  = sigmoid(W_r x + U_r h + b_r)             reset gate
 *     h~ = tanh(W_h x + b_h + r (U_h h + c_h))      candidate
 *     h  = h + z (h~ - h)                           = (1 - z) h + z h~
 *
 * from_input has W_z x + b_z, W_r x + b_r, W_h x + b_h; from_state has U_z h, U_r h, U_h h.
 */
static void gru_step(const gru_t *gru, kws_t *kws, const int8_t *x, int8_t *h)
{
    const size_t units = gru->units;
    const int8_t *wx = kws->from_input, *uh = kws->from_state;
    dense(&gru->input, x, kws->sums, kws->from_input);
    dense(&gru->recurrent, h, kws->sums, kws->from_state);
    for (size_t i = 0; i < units; i++) {
        int8_t z = look_up(gru->sigmoid, add(&gru->gate, wx[i], uh[i]));
        int8_t r = look_up(gru->sigmoid, add(&gru->gate, wx[units + i], uh[units + i]));
        int8_t past = add(&gru->past, uh[2 * units + i], gru->candidate_bias[i]);
        int8_t reset = multiply(&gru->reset, r, past);
        int8_t candidate = look_up(gru->tanh, add(&gru->candidate, wx[2 * units + i], reset));
        int8_t change = add(&gru->difference, candidate, h[i]);  /* h~ - h: the factor of h is < 0 */
        h[i] = add(&gru->state, h[i], multiply(&gru->update, z, change));
    }
}

/* exp(x_i) / sum of exp(x), in steps of 1/256. exponentials[d] is 2^20 exp(-scale d). */
static void softmax(const int8_t *logits, uint8_t *scores)
{
    int8_t greatest = -128;
    uint32_t sum = 0;
    for (size_t i = 0; i < KWS_LABELS; i++)
        if (logits[i] > greatest) greatest = logits[i];
    for (size_t i = 0; i < KWS_LABELS; i++) sum += exponentials[greatest - logits[i]];
    for (size_t i = 0; i < KWS_LABELS; i++) {
        uint32_t score = (256 * exponentials[greatest - logits[i]] + sum / 2) / sum;
        scores[i] = (uint8_t)(score < 255 ? score : 255);
    }
}

static void network_step(kws_t *kws, uint8_t *scores)
{
    memcpy(kws->conv_1[0], kws->conv_1[2], sizeof kws->conv_1[0]);  /* the last step computed it */
    convolve_1(kws, 0, 1);
    convolve_1(kws, 1, 2);
    convolve_2(kws);
    dense(&conv_out, kws->conv_2[0], kws->sums, kws->input);
    const int8_t *x = kws->input;
    for (size_t n = 0; n < KWS_GRUS; n++) {
        gru_step(&grus[n], kws, x, kws->h[n]);
        x = kws->h[n];
    }
    dense(&logits_layer, x, kws->sums, kws->from_input);
    softmax(kws->from_input, scores);
}

/* Zeros are the start: of the scaled MFCC, and of the states. */
static void reset_network(kws_t *kws)
{
    memset(kws->mfcc, MFCC_ZERO_POINT, sizeof kws->mfcc);
    for (size_t frame = 0; frame < KWS_HOP_FRAMES + 2; frame++) add_frame(kws);
    convolve_1(kws, 0, 2);
    for (size_t n = 0; n < KWS_GRUS; n++) memset(kws->h[n], grus[n].zero_point, grus[n].units);
}
