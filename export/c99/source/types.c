/* @generator@: see kws.h. */
#include "kws.h"

@libm@#include <string.h>

/* Right shifts of negative numbers must be arithmetic, as with every compiler for the targets. */
typedef char shifts_are_arithmetic[(-1 >> 1) == -1 ? 1 : -1];

/* A factor: multiplier / 2^(32 + shift). */
typedef struct {
    int32_t multiplier;
    int32_t shift;
} scale_t;

/* A product of a matrix and a vector. The zero point of x is part of the bias. */
typedef struct {
    const int8_t *weights;  /* rows x columns */
    const int32_t *bias;
    size_t rows, columns;
    scale_t scale;
    int32_t zero_point;
} dense_t;

/* A sum of two tensors: ((a x + b y + offset) >> shift) + zero_point. */
typedef struct {
    int32_t a, b, offset, shift, zero_point;
} add_t;

/* A product of two tensors, element by element. */
typedef struct {
    int32_t a_zero_point, b_zero_point, zero_point;
    scale_t scale;
} multiply_t;

typedef struct {
    size_t units;
    dense_t input, recurrent;
    const int8_t *candidate_bias, *sigmoid, *tanh;
    add_t gate, past, candidate, difference, state;
    multiply_t reset, update;
    int8_t zero_point;  /* of h */
} gru_t;
