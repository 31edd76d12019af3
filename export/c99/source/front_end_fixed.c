/* ---------------------------------------------------------------------------------------------
 * Front end: a frame of samples -> window -> spectrum -> mel bands -> log -> DCT -> scaling.
 * Its constants are librosa's. A frame ends with each KWS_HOP_LENGTH samples.
 *
 * In fixed point: "Q15" means that the integer 2^15 stands for 1.
 */

/* Samples times the window (Q30), times 2^(6 + shift). Two neighbours become one complex number z, in
 * bit-reversed order. Returns shift, the greatest one with which no spectrum exceeds 31 bits:
 * |X[k]| is at most the sum of all magnitudes. */
static int32_t apply_window(const int16_t *samples, int32_t *z)
{
    uint32_t sum = 1;
    for (size_t n = 0; n < KWS_FRAME_LENGTH; n++) {
        int32_t magnitude = samples[n] < 0 ? -(int32_t)samples[n] : samples[n];
        sum += (uint32_t)(((int64_t)magnitude * window[n]) >> 30) + 1;
    }
    int32_t shift = -6;
    while (sum << (shift + 6) < UINT32_C(1) << 29) shift++;
    for (size_t n = 0; n < KWS_N_FFT; n++) {
        int64_t product = n < KWS_FRAME_LENGTH ? (int64_t)samples[n] * window[n] : 0;
        z[2 * (size_t)reversed[n / 2] + n % 2] = (int32_t)(((product >> (23 - shift)) + 1) >> 1);
    }
    return shift;
}

/* c a + s b, with c and s in Q30, rounded. */
static int32_t rotate(int32_t c, int32_t a, int32_t s, int32_t b)
{
    return (int32_t)(((int64_t)c * a + (int64_t)s * b + (1 << 29)) >> 30);
}

/* The discrete Fourier transform of KWS_N_FFT / 2 complex numbers in bit-reversed order, in place.
 *
 * Radix 2 (Cooley and Tukey 1965). twiddles[k] has cos and sin of 2 pi k / KWS_N_FFT.
 */
static void fourier_transform(int32_t *z)
{
    for (size_t half = 1; half < KWS_N_FFT / 2; half *= 2) {
        for (size_t k = 0; k < half; k++) {
            const int32_t *twiddle = twiddles[k * (KWS_N_FFT / 2 / half)];
            int32_t c = twiddle[0], s = twiddle[1];
            for (int32_t *a = z + 2 * k; a < z + KWS_N_FFT; a += 4 * half) {
                int32_t *b = a + 2 * half;
                int32_t re = rotate(c, b[0], s, b[1]), im = rotate(c, b[1], -s, b[0]);
                b[0] = a[0] - re;
                b[1] = a[1] - im;
                a[0] += re;
                a[1] += im;
            }
        }
    }
}

/* From the transform Z of the pairs to twice the spectrum X of the samples, in z[2 k], z[2 k + 1].
 *
 *     X[k] = E + w^k O   and   X[-k] = (E - w^k O)*   with   w = exp(-2 pi i / KWS_N_FFT)
 *     and the transforms of the even and the odd samples, E = (Z[k] + Z*[-k]) / 2 and
 *     O = (Z[k] - Z*[-k]) / 2i
 */
static void spectrum(int32_t *z)
{
    z[0] = 2 * (z[0] + z[1]);
    z[1] = 0;
    for (size_t k = 1; k <= KWS_N_FFT / 4; k++) {
        int32_t *a = z + 2 * k, *b = z + KWS_N_FFT - 2 * k;
        int32_t even_re = a[0] + b[0], even_im = a[1] - b[1];
        int32_t odd_re = a[1] + b[1], odd_im = b[0] - a[0];
        int32_t c = twiddles[k][0], s = twiddles[k][1];
        int32_t re = rotate(c, odd_re, s, odd_im), im = rotate(c, odd_im, -s, odd_re);
        a[0] = even_re + re;
        a[1] = even_im + im;
        b[0] = even_re - re;
        b[1] = im - even_im;
    }
}

/* log2 of a positive number in Q20, by linear interpolation in a table of 256 intervals. */
static int32_t log2_of(uint64_t x)
{
    int32_t exponent = 63;
    for (; x < (uint64_t)1 << 55; x <<= 8) exponent -= 8;
    for (; x < (uint64_t)1 << 63; x <<= 1) exponent--;
    uint32_t fraction = (uint32_t)(x >> 31);  /* Q32: the highest bit, 1, is shifted out */
    size_t place = fraction >> 24;
    uint32_t rest = (fraction >> 8) & 0xFFFF;
    uint32_t slope = logarithms[place + 1] - logarithms[place];
    return exponent * (1 << 20) + (int32_t)(logarithms[place] + ((rest * slope + 32768) >> 16));
}

/* log2 of the power in each mel band, in Q20; shift is that of the samples. The lowest POWER_BITS of a
 * power are dropped, so that no sum exceeds 64 bits. */
static void mel_logarithms(const int32_t *z, int32_t shift, int32_t *log_mel)
{
    const uint16_t *weight = mel_weights;
    for (size_t band = 0; band < KWS_N_MELS; band++) {
        uint64_t sum = 0;
        const int32_t *x = z + 2 * (size_t)mel_starts[band];
        for (size_t n = 0; n < mel_lengths[band]; n++, x += 2) {
            uint64_t power = (uint64_t)((int64_t)x[0] * x[0] + (int64_t)x[1] * x[1]);
            sum += (power >> POWER_BITS) * *weight++;
        }
        int32_t power = log2_of(sum | 1) - (mel_exponents[band] + 2 * shift) * (1 << 20);
        log_mel[band] = power > LEAST_POWER ? power : LEAST_POWER;
    }
}

/* The coefficients of the DCT-II, less their mean in training, divided by their deviation, as int8.
 *
 * The cosines are symmetric: even coefficients depend on the sums of the first and the last band,
 * the second and the last but one, ..., odd ones on the differences. dct has half of each row.
 */
static void scaled_mfcc(const int32_t *log_mel, int8_t *mfcc)
{
    int32_t sums[(KWS_N_MELS + 1) / 2], differences[(KWS_N_MELS + 1) / 2];
    for (size_t n = 0; n < (KWS_N_MELS + 1) / 2; n++) {
        int32_t first = log_mel[n], last = log_mel[KWS_N_MELS - 1 - n];
        sums[n] = n == KWS_N_MELS - 1 - n ? first : first + last;  /* the band in the middle */
        differences[n] = first - last;
    }
    for (size_t k = 0; k < KWS_N_MFCC; k++) {
        const int32_t *bands = k % 2 ? differences : sums;
        int64_t sum = 0;
        for (size_t n = 0; n < (KWS_N_MELS + 1) / 2; n++) sum += (int64_t)dct[k][n] * bands[n];
        int64_t scaled = ((sum + (1 << 23)) >> 24) * mfcc_gain[k] + mfcc_offset[k];  /* Q36 */
        scaled = (scaled + ((int64_t)1 << 35)) >> 36;
        mfcc[k] = (int8_t)(scaled < -128 ? -128 : scaled > 127 ? 127 : scaled);
    }
}

/* The MFCC of the frame that is in kws->samples. */
static void compute_mfcc(kws_t *kws)
{
    int32_t shift = apply_window(kws->samples, kws->spectrum);
    fourier_transform(kws->spectrum);
    spectrum(kws->spectrum);
    mel_logarithms(kws->spectrum, shift, kws->log_mel);
    scaled_mfcc(kws->log_mel, kws->mfcc);
}
