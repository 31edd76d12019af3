/* ---------------------------------------------------------------------------------------------
 * Arithmetic. A tensor holds integers q from -128 to 127, which stand for scale * (q - zero_point).
 * The results are those of LiteRT's int8 operators.
 */

static int8_t saturate(int32_t value)
{
    return (int8_t)(value < -128 ? -128 : value > 127 ? 127 : value);
}

/* value * multiplier / 2^(32 + shift), rounded. */
static int32_t rescale(int32_t value, scale_t scale)
{
    int32_t high = (int32_t)(((int64_t)value * scale.multiplier) >> 32);
    return (high + ((int32_t)1 << (scale.shift - 1))) >> scale.shift;
}

static int8_t add(const add_t *rule, int8_t a, int8_t b)
{
    int32_t sum = rule->a * a + rule->b * b + rule->offset;
    return saturate((sum >> rule->shift) + rule->zero_point);
}

static int8_t multiply(const multiply_t *rule, int8_t a, int8_t b)
{
    int32_t product = (a - rule->a_zero_point) * (b - rule->b_zero_point);
    return saturate(rescale(product, rule->scale) + rule->zero_point);
}

/* A function of one int8, as a table. */
static int8_t look_up(const int8_t table[256], int8_t x)
{
    return table[x + 128];
}

/* sums = W x + b: the product of a matrix (rows x columns) and a vector, in 32 bits.
 *
 * Nine tenths of the network's time pass here. Define KWS_PRODUCT as the name of a function with
 * these arguments to use another one, such as a call of CMSIS-NN.
 */
#if defined(KWS_PRODUCT)
void KWS_PRODUCT(const int8_t *weights, const int32_t *bias, size_t rows, size_t columns,
                 const int8_t *x, int32_t *sums);
#define product KWS_PRODUCT
#elif defined(__ARM_FEATURE_DSP)
#include <arm_acle.h>

/* Four int8 as two pairs of int16: the first and the third, and the second and the fourth. */
static uint32_t load_four(const int8_t *from)
{
    uint32_t four;
    memcpy(&four, from, sizeof four);
    return four;
}

static int16x2_t first_and_third(uint32_t four)
{
    return __sxtb16(four);
}

static int16x2_t second_and_fourth(uint32_t four)
{
    return __sxtb16(__ror(four, 8));
}

/* Cortex-M4, M7, M33 and others: two products an instruction, four rows at a time. */
static void product(const int8_t *weights, const int32_t *bias, size_t rows, size_t columns,
                    const int8_t *x, int32_t *sums)
{
    size_t row = 0;
    for (; row + 4 <= rows; row += 4) {
        const int8_t *w0 = weights + row * columns, *w1 = w0 + columns, *w2 = w1 + columns,
                     *w3 = w2 + columns;
        int32_t s0 = bias[row], s1 = bias[row + 1], s2 = bias[row + 2], s3 = bias[row + 3];
        size_t column = 0;
        for (; column + 4 <= columns; column += 4) {
            uint32_t four = load_four(x + column);
            int16x2_t even = first_and_third(four), odd = second_and_fourth(four);
            four = load_four(w0 + column);
            s0 = __smlad(first_and_third(four), even, s0);
            s0 = __smlad(second_and_fourth(four), odd, s0);
            four = load_four(w1 + column);
            s1 = __smlad(first_and_third(four), even, s1);
            s1 = __smlad(second_and_fourth(four), odd, s1);
            four = load_four(w2 + column);
            s2 = __smlad(first_and_third(four), even, s2);
            s2 = __smlad(second_and_fourth(four), odd, s2);
            four = load_four(w3 + column);
            s3 = __smlad(first_and_third(four), even, s3);
            s3 = __smlad(second_and_fourth(four), odd, s3);
        }
        for (; column < columns; column++) {
            s0 += w0[column] * x[column];
            s1 += w1[column] * x[column];
            s2 += w2[column] * x[column];
            s3 += w3[column] * x[column];
        }
        sums[row] = s0;
        sums[row + 1] = s1;
        sums[row + 2] = s2;
        sums[row + 3] = s3;
    }
    for (; row < rows; row++) {
        sums[row] = bias[row];
        for (size_t column = 0; column < columns; column++)
            sums[row] += weights[row * columns + column] * x[column];
    }
}
#else
static void product(const int8_t *weights, const int32_t *bias, size_t rows, size_t columns,
                    const int8_t *x, int32_t *sums)
{
    for (size_t row = 0; row < rows; row++) {
        const int8_t *w = weights + row * columns;
        int32_t sum = bias[row];
        for (size_t column = 0; column < columns; column++) sum += w[column] * x[column];
        sums[row] = sum;
    }
}
#endif

/* y = W x + b. Where the zero point is -128, saturation makes it max(W x + b, 0). */
static void dense(const dense_t *layer, const int8_t *x, int32_t *sums, int8_t *y)
{
    product(layer->weights, layer->bias, layer->rows, layer->columns, x, sums);
    for (size_t row = 0; row < layer->rows; row++)
        y[row] = saturate(rescale(sums[row], layer->scale) + layer->zero_point);
}
