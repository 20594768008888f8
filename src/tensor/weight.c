#include "tensor/weight.h"

#include "core/memory.h"
#include "tensor/bf16.h"
#include "tensor/few_rows.h"
#include "tensor/gemm.h"
#include "tensor/kernels.h"

#include <stdlib.h>

const char *const sp_precision_names[] = {"fp32", "bf16", NULL};

struct sp_weight {
    long rows, cols;
    uint16_t data[]; /* [rows, cols] */
};

/* Rows of A up to which the weights are widened in registers; above, blocks of them are widened
 * into memory. */
enum { FEW_ROWS = 48 };
/* A block of weights that stays in the second-level cache: DEPTH * WIDTH floats. */
enum { DEPTH = 512, WIDTH = 256 };

sp_weight *sp_weight_new(long rows, long cols, const float *data, long ld) {
    sp_weight *w = sp_alloc(1, sizeof *w + (size_t)rows * (size_t)cols * sizeof *w->data);
    w->rows = rows;
    w->cols = cols;
    for (long i = 0; i < rows; i++) sp_bf16_from_floats(cols, data + i * ld, w->data + i * cols);
    return w;
}

void sp_weight_free(sp_weight *w) {
    free(w);
}

void sp_weight_floats(const sp_weight *w, long first_row, long count, float *out) {
    sp_bf16_to_floats(count * w->cols, w->data + first_row * w->cols, out);
}

/* [rows, cols] of w as floats with leading dimension cols. */
static void widen_block(const uint16_t *data, long ld, long rows, long cols, float *out) {
    for (long i = 0; i < rows; i++) sp_bf16_to_floats(cols, data + i * ld, out + i * cols);
}

/* Columns `column` to `column` + n of the product: block by block of the k rows of op(W). */
static void multiply_widened(const uint16_t *b, long ldb, bool transpose, long m, long n, long k,
                             const float *a, long lda, float beta, float *c, long ldc) {
    static _Thread_local float block[DEPTH * WIDTH] __attribute__((aligned(64)));
    long blocks = (k + DEPTH - 1) / DEPTH, step = (k + blocks - 1) / blocks;
    for (long p = 0; p < k; p += step) {
        long depth = k - p < step ? k - p : step;
        if (transpose)
            widen_block(b + p, ldb, n, depth, block);
        else
            widen_block(b + p * ldb, ldb, depth, n, block);
        sp_gemm(false, transpose, m, n, depth, a + p, lda, block, transpose ? depth : n,
                p ? 1 : beta, c, ldc);
    }
}

/* An even number of column blocks of about the same width, for an even number of threads. */
static long column_step(long n) {
    long blocks = (n + WIDTH - 1) / WIDTH;
    blocks += blocks % 2;
    long step = ((n + blocks - 1) / blocks + 15) / 16 * 16;
    return step < WIDTH ? step : WIDTH;
}

static void widened_gemm(bool transpose, long m, long n, long k, const float *a, long lda,
                         const uint16_t *b, long ldb, float beta, float *c, long ldc) {
    long step = column_step(n);
#pragma omp parallel for schedule(dynamic)
    for (long j = 0; j < n; j += step)
        multiply_widened(transpose ? b + j * ldb : b + j, ldb, transpose, m,
                         n - j < step ? n - j : step, k, a, lda, beta, c + j, ldc);
}

void sp_weight_gemm(const sp_weight *w, bool transpose, long first, long count, long m,
                    const float *a, long lda, float beta, float *c, long ldc) {
    long k = transpose ? w->cols : w->rows;
    const uint16_t *b = w->data + (transpose ? first * w->cols : first);
    if (m == 0 || count == 0) return;
    if (m <= FEW_ROWS)
        sp_few_rows_gemm_bf16(transpose, m, count, k, a, lda, b, w->cols, beta, c, ldc);
    else if (sp_bf16_current() == SP_BF16_NATIVE)
        sp_bf16_gemm(transpose, m, count, k, a, lda, b, w->cols, beta, c, ldc);
    else
        widened_gemm(transpose, m, count, k, a, lda, b, w->cols, beta, c, ldc);
}
