/* ---------------------------------------------------------------------------------------------
 * Front end: a frame of samples -> window -> spectrum -> mel bands -> dB -> DCT -> scaling.
 * Its constants are librosa's. A frame ends with each KWS_HOP_LENGTH samples.
 */

/* Samples times the window. Two neighbours become one complex number z, in bit-reversed order. */
static void apply_window(const int16_t *samples, float *z)
{
    for (size_t n = 0; n < KWS_N_FFT / 2; n++) {
        float *pair = z + 2 * (size_t)reversed[n];
        pair[0] = 2 * n < KWS_FRAME_LENGTH ? window[2 * n] * samples[2 * n] : 0;
        pair[1] = 2 * n + 1 < KWS_FRAME_LENGTH ? window[2 * n + 1] * samples[2 * n + 1] : 0;
    }
}

/* The discrete Fourier transform of KWS_N_FFT / 2 complex numbers in bit-reversed order, in place.
 *
 * Radix 2 (Cooley and Tukey 1965). twiddles[k] has cos and sin of 2 pi k / KWS_N_FFT.
 */
static void fourier_transform(float *z)
{
    /* The first two stages in one: their factors are 1 and -i. */
    for (float *a = z; a < z + KWS_N_FFT; a += 8) {
        float re_0 = a[0] + a[2], im_0 = a[1] + a[3], re_1 = a[0] - a[2], im_1 = a[1] - a[3];
        float re_2 = a[4] + a[6], im_2 = a[5] + a[7], re_3 = a[4] - a[6], im_3 = a[5] - a[7];
        a[0] = re_0 + re_2;
        a[1] = im_0 + im_2;
        a[2] = re_1 + im_3;
        a[3] = im_1 - re_3;
        a[4] = re_0 - re_2;
        a[5] = im_0 - im_2;
        a[6] = re_1 - im_3;
        a[7] = im_1 + re_3;
    }
    /* Two stages in one, too: the butterflies of a and b, c and d; then those of a and c, and of b and
     * d, whose factor is -i times the other one. */
    size_t half = 4;
    for (; half < KWS_N_FFT / 4; half *= 4) {
        for (size_t k = 0; k < half; k++) {
            const float *first = twiddles[k * (KWS_N_FFT / 2 / half)];
            const float *second = twiddles[k * (KWS_N_FFT / 4 / half)];
            const float c1 = first[0], s1 = first[1], c2 = second[0], s2 = second[1];
            for (float *a = z + 2 * k; a < z + KWS_N_FFT; a += 8 * half) {
                float *b = a + 2 * half, *c = b + 2 * half, *d = c + 2 * half;
                float b_re = c1 * b[0] + s1 * b[1], b_im = c1 * b[1] - s1 * b[0];
                float d_re = c1 * d[0] + s1 * d[1], d_im = c1 * d[1] - s1 * d[0];
                float a_re = a[0] + b_re, a_im = a[1] + b_im;
                b_re = a[0] - b_re;
                b_im = a[1] - b_im;
                float c_re = c[0] + d_re, c_im = c[1] + d_im;
                d_re = c[0] - d_re;
                d_im = c[1] - d_im;
                float ac_re = c2 * c_re + s2 * c_im, ac_im = c2 * c_im - s2 * c_re;
                float bd_re = c2 * d_im - s2 * d_re, bd_im = -c2 * d_re - s2 * d_im;
                a[0] = a_re + ac_re;
                a[1] = a_im + ac_im;
                b[0] = b_re + bd_re;
                b[1] = b_im + bd_im;
                c[0] = a_re - ac_re;
                c[1] = a_im - ac_im;
                d[0] = b_re - bd_re;
                d[1] = b_im - bd_im;
            }
        }
    }
    /* One more stage, if it is left. */
    for (; half < KWS_N_FFT / 2; half *= 2) {
        for (size_t k = 0; k < half; k++) {
            const float *twiddle = twiddles[k * (KWS_N_FFT / 2 / half)];
            float c = twiddle[0], s = twiddle[1];
            for (float *a = z + 2 * k; a < z + KWS_N_FFT; a += 4 * half) {
                float *b = a + 2 * half;
                float re = c * b[0] + s * b[1], im = c * b[1] - s * b[0];
                b[0] = a[0] - re;
                b[1] = a[1] - im;
                a[0] += re;
                a[1] += im;
            }
        }
    }
}

/* From the transform Z of the pairs to the power spectrum |X[k]|^2 of the samples, in z[2 k].
 *
 *     X[k] = E + w^k O   and   X[-k] = (E - w^k O)*   with   w = exp(-2 pi i / KWS_N_FFT)
 *     and the transforms of the even and the odd samples, E = (Z[k] + Z*[-k]) / 2 and
 *     O = (Z[k] - Z*[-k]) / 2i
 *
 * The window holds the factor 1/2.
 */
static void power_spectrum(float *z)
{
    z[0] = 4 * (z[0] + z[1]) * (z[0] + z[1]);
    for (size_t k = 1; k <= KWS_N_FFT / 4; k++) {
        float *a = z + 2 * k, *b = z + KWS_N_FFT - 2 * k;
        float even_re = a[0] + b[0], even_im = a[1] - b[1];
        float odd_re = a[1] + b[1], odd_im = b[0] - a[0];
        float c = twiddles[k][0], s = twiddles[k][1];
        float re = c * odd_re + s * odd_im, im = c * odd_im - s * odd_re;
        a[0] = (even_re + re) * (even_re + re) + (even_im + im) * (even_im + im);
        b[0] = (even_re - re) * (even_re - re) + (even_im - im) * (even_im - im);
    }
}

/* Decibels of the power in each mel band. */
static void mel_decibels(const float *power, float *log_mel)
{
    const float *weight = mel_weights;
    for (size_t band = 0; band < KWS_N_MELS; band++) {
        float sum = 0;
        const float *from = power + 2 * (size_t)mel_starts[band];
        for (size_t n = 0; n < mel_lengths[band]; n++) sum += *weight++ * from[2 * n];
        log_mel[band] = DECIBELS_PER_NEPER * logf(sum > LEAST_POWER ? sum : LEAST_POWER);
    }
}

/* The coefficients of the DCT-II, less their mean in training, divided by their deviation, as int8.
 *
 * The cosines are symmetric: even coefficients depend on the sums of the first and the last band,
 * the second and the last but one, ..., odd ones on the differences. dct has half of each row.
 */
static void scaled_mfcc(const float *log_mel, int8_t *mfcc)
{
    float sums[(KWS_N_MELS + 1) / 2], differences[(KWS_N_MELS + 1) / 2];
    for (size_t n = 0; n < (KWS_N_MELS + 1) / 2; n++) {
        float first = log_mel[n], last = log_mel[KWS_N_MELS - 1 - n];
        sums[n] = n == KWS_N_MELS - 1 - n ? first : first + last;  /* the band in the middle */
        differences[n] = first - last;
    }
    for (size_t k = 0; k < KWS_N_MFCC; k++) {
        const float *bands = k % 2 ? differences : sums;
        float sum = 0;
        for (size_t n = 0; n < (KWS_N_MELS + 1) / 2; n++) sum += dct[k][n] * bands[n];
        float scaled = mfcc_gain[k] * sum + mfcc_offset[k];
        mfcc[k] = (int8_t)lrintf(scaled < -128 ? -128 : scaled > 127 ? 127 : scaled);
    }
}

/* The MFCC of the frame that is in kws->samples. */
static void compute_mfcc(kws_t *kws)
{
    apply_window(kws->samples, kws->spectrum);
    fourier_transform(kws->spectrum);
    power_spectrum(kws->spectrum);
    mel_decibels(kws->spectrum, kws->log_mel);
    scaled_mfcc(kws->log_mel, kws->mfcc);
}
