/* ---------------------------------------------------------------------------------------------
 * Arithmetic. A tensor holds integers q from -128 to 127, which stand for scale * (q - zero_point).
 * The results are those of LiteRT's int8 operators.
 */

static int8_t saturate(int32_t value)
{
    value = value > -128 ? value : -128;
    return (int8_t)(value < 127 ? value : 127);
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
 * Most of the network's instructions are here. Define KWS_PRODUCT as the name of a function with these
 * arguments to use another one, such as one with your core's vector instructions.
 */
#if defined(KWS_PRODUCT)
void KWS_PRODUCT(const int8_t *weights, const int32_t *bias, size_t rows, size_t columns,
                 const int8_t *x, int32_t *sums);
#define product KWS_PRODUCT
#elif defined(__ARM_FEATURE_SIMD32) && KWS_MAX_COLUMNS <= 511
#include <arm_acle.h>

/* Cortex-M4, M7, M33 and others multiply two pairs of int16 and add the products in one instruction.
 * Four int8 become two pairs: the first and the third, the second and the fourth. The second pair of
 * weights stays 256 times too large, which takes one instruction less. The first pair of x is
 * made as large, and the sum is divided by 256: it fits for up to 511 columns.
 */
static uint32_t load_four(const int8_t *from)
{
    uint32_t four;
    memcpy(&four, from, sizeof four);
    return four;
}

static int16x2_t first_pair(uint32_t four)
{
    return __sxtb16((int8x4_t)four);
}

static int16x2_t second_pair_256(uint32_t four)
{
    return (int16x2_t)(four & 0xFF00FF00U);
}

static int32_t multiply_four(uint32_t weights, int16x2_t first_256, int16x2_t second, int32_t sum)
{
    sum = __smlad(first_pair(weights), first_256, sum);
    return __smlad(second_pair_256(weights), second, sum);
}

static int32_t multiply_some(const int8_t *w, const int8_t *x, size_t columns)
{
    int32_t sum = 0;
    for (size_t column = 0; column < columns; column++) sum += w[column] * x[column];
    return sum;
}

/* Four rows at a time. */
static void product(const int8_t *weights, const int32_t *bias, size_t rows, size_t columns,
                    const int8_t *x, int32_t *sums)
{
    int16x2_t pairs[KWS_MAX_COLUMNS / 4][2];
    const size_t fours = columns / 4, rest = columns % 4;
    for (size_t i = 0; i < fours; i++) {
        uint32_t four = load_four(x + 4 * i);
        pairs[i][0] = second_pair_256(four << 8);
        pairs[i][1] = first_pair(four >> 8);
    }
    size_t row = 0;
    for (; row + 4 <= rows; row += 4) {
        const int8_t *w = weights + row * columns;
        int32_t s0 = 0, s1 = 0, s2 = 0, s3 = 0;
        for (size_t i = 0; i < fours; i++, w += 4) {
            int16x2_t first_256 = pairs[i][0], second = pairs[i][1];
            s0 = multiply_four(load_four(w), first_256, second, s0);
            s1 = multiply_four(load_four(w + columns), first_256, second, s1);
            s2 = multiply_four(load_four(w + 2 * columns), first_256, second, s2);
            s3 = multiply_four(load_four(w + 3 * columns), first_256, second, s3);
        }
        sums[row] = (s0 >> 8) + bias[row];
        sums[row + 1] = (s1 >> 8) + bias[row + 1];
        sums[row + 2] = (s2 >> 8) + bias[row + 2];
        sums[row + 3] = (s3 >> 8) + bias[row + 3];
        for (size_t i = 0; rest > 0 && i < 4; i++, w += columns)
            sums[row + i] += multiply_some(w, x + 4 * fours, rest);
    }
    for (; row < rows; row++)
        sums[row] = bias[row] + multiply_some(weights + row * columns, x, columns);
}
#else
/* Four rows at a time: an element of x is read once for four weights. */
static void product(const int8_t *weights, const int32_t *bias, size_t rows, size_t columns,
                    const int8_t *x, int32_t *sums)
{
    const int8_t *w = weights;
    size_t row = 0;
    for (; row + 4 <= rows; row += 4) {
        int32_t s0 = bias[row], s1 = bias[row + 1], s2 = bias[row + 2], s3 = bias[row + 3];
        for (size_t column = 0; column < columns; column++, w++) {
            int32_t value = x[column];
            s0 += w[0] * value;
            s1 += w[columns] * value;
            s2 += w[2 * columns] * value;
            s3 += w[3 * columns] * value;
        }
        w += 3 * columns;
        sums[row] = s0;
        sums[row + 1] = s1;
        sums[row + 2] = s2;
        sums[row + 3] = s3;
    }
    for (; row < rows; row++) {
        int32_t sum = bias[row];
        for (size_t column = 0; column < columns; column++) sum += *w++ * x[column];
        sums[row] = sum;
    }
}
#endif

/* y = W x + b. Where the zero point is -128, saturation makes it max(W x + b, 0). */
static void dense(const dense_t *layer, const int8_t *x, int32_t *sums, int8_t *y)
{
    const dense_t d = *layer;  /* a copy: for all that the compiler knows, y is a part of *layer */
    product(d.weights, d.bias, d.rows, d.columns, x, sums);
    for (size_t row = 0; row < d.rows; row++)
        y[row] = saturate(rescale(sums[row], d.scale) + d.zero_point);
}
