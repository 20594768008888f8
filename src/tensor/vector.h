/* What the hand-blocked kernels of this room share: vectors of 16 floats as GCC knows them (split
 * by the compiler where registers are shorter), and small steps on them. All is inlined into
 * functions marked VECTORISED. */
#ifndef SP_TENSOR_VECTOR_H
#define SP_TENSOR_VECTOR_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* GCC builds such a function for every set and picks at load time (kernels.c). */
#if defined(__x86_64__) && !defined(SP_SANITIZE) && defined(__GNUC__) && !defined(__clang__)
#define VECTORISED __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define VECTORISED
#endif
#define INLINED static inline __attribute__((always_inline))

enum { LANES = 16 };

typedef float vec __attribute__((vector_size(4 * LANES)));
typedef float vec_unaligned __attribute__((vector_size(4 * LANES), aligned(4), may_alias));
typedef uint16_t half_unaligned __attribute__((vector_size(2 * LANES), aligned(2), may_alias));
typedef uint32_t words __attribute__((vector_size(4 * LANES)));

INLINED long round_to_lanes(long n) {
    return (n + LANES - 1) / LANES * LANES;
}

INLINED void load(const float *p, vec *x) {
    *x = *(const vec_unaligned *)p;
}

INLINED void store(float *p, const vec *x) {
    *(vec_unaligned *)p = *x;
}

/* Interleaves the lanes of a and b at distance 1 << level: halves of a 2 x 2 block transpose. */
INLINED void interleave(const vec *a, const vec *b, int level, vec *low, vec *high) {
    static const words lows[4] = {
        {0, 16, 2, 18, 4, 20, 6, 22, 8, 24, 10, 26, 12, 28, 14, 30},
        {0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29},
        {0, 1, 2, 3, 16, 17, 18, 19, 8, 9, 10, 11, 24, 25, 26, 27},
        {0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23},
    };
    static const words highs[4] = {
        {1, 17, 3, 19, 5, 21, 7, 23, 9, 25, 11, 27, 13, 29, 15, 31},
        {2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31},
        {4, 5, 6, 7, 20, 21, 22, 23, 12, 13, 14, 15, 28, 29, 30, 31},
        {8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31},
    };
    vec x = __builtin_shuffle(*a, *b, lows[level]), y = __builtin_shuffle(*a, *b, highs[level]);
    *low = x;
    *high = y;
}

/* Lane i of x[0] becomes the sum of the lanes of x[i], for 16 vectors. */
INLINED void sum_lanes(vec *x) {
    for (int level = 0; level < 4; level++)
        for (int i = 0; i < LANES >> (level + 1); i++) {
            vec low, high;
            interleave(&x[2 * i], &x[2 * i + 1], level, &low, &high);
            x[i] = low + high;
        }
}

INLINED void transpose_lanes(vec *x) {
    for (int level = 0; level < 4; level++)
        for (int i = 0; i < LANES; i++)
            if (!(i & 1 << level))
                interleave(&x[i], &x[i + (1 << level)], level, &x[i], &x[i + (1 << level)]);
}

INLINED float sum_of(const vec *x) {
    float sum[4] = {0};
    for (int i = 0; i < LANES; i++) sum[i % 4] += (*x)[i];
    return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

INLINED float largest_of(const vec *x) {
    float largest = (*x)[0];
    for (int i = 1; i < LANES; i++) largest = (*x)[i] > largest ? (*x)[i] : largest;
    return largest;
}

/* m = the larger of m and x; m where either is NaN. */
INLINED void take_larger(vec *m, const vec *x) {
    words take = (words)(*x > *m);
    *m = (vec)(((words)*x & take) | ((words)*m & ~take));
}

/* x = exp(x) for x <= 88 within 2 units in the last place (coefficients: Moshier, Cephes expf);
 * below -87 the smallest normal number. NaN stays. */
INLINED void exponential(vec *x) {
    const vec smallest = (vec){0} - 87.0f, magic = (vec){0} + 0x1.8p23f;
    vec v = *x;
    take_larger(&v, &smallest);
    vec shifted = v * 1.44269504f + magic;
    vec n = shifted - magic;
    vec r = v - n * 0.693359375f + n * 2.12194440e-4f;
    vec p = (vec){0} + 1.9875691500e-4f;
    p = p * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    vec y = p * (r * r) + r + 1.0f;
    *x = (vec)((words)y + ((words)shifted << 23));
}

/* c [rows, vectors * 16] (+)= a b with a(i, p) = a[i * a_row + p * a_depth], b [depth, ldb]. */
INLINED void multiply_tile(int rows, int vectors, bool add, long depth, const float *a, long a_row,
                           long a_depth, const float *b, long ldb, float *c, long ldc) {
    vec acc[8][2] = {{{0}}};
    for (int i = 0; add && i < rows; i++)
        for (int j = 0; j < vectors; j++) load(c + i * ldc + j * LANES, &acc[i][j]);
    for (long p = 0; p < depth; p++) {
        vec w[2];
        for (int j = 0; j < vectors; j++) load(b + p * ldb + j * LANES, &w[j]);
        for (int i = 0; i < rows; i++)
            for (int j = 0; j < vectors; j++) acc[i][j] += a[i * a_row + p * a_depth] * w[j];
    }
    for (int i = 0; i < rows; i++)
        for (int j = 0; j < vectors; j++) store(c + i * ldc + j * LANES, &acc[i][j]);
}

#endif
