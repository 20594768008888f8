#include "tensor/few_rows.h"

#include "tensor/vector.h"

enum {
    TILE = 16,         /* accumulators of a tile of the transposed product */
    WIDTH = 2 * LANES, /* columns of C that a task works on */
    ROWS = 64,         /* rows of A that meet a block of B at a time */
    DEPTH = 128,       /* rows of B in a block; WIDTH * DEPTH floats fit the first-level cache */
    LENGTH = 640       /* elements of a row of B^T in a block; 16 rows of A then fit that cache */
};

/* B, of either kind of element. */
typedef struct source {
    const char *data;
    long ld;
} source;

typedef struct product {
    long m, n, k;
    const float *a;
    long lda;
    source b;
    float beta;
    float *c;
    long ldc;
} product;

INLINED const char *element(source b, bool half, long row, long column) {
    return b.data + (row * b.ld + column) * (half ? 2 : 4);
}

INLINED void load_element(const char *p, bool half, vec *x) {
    if (half)
        *x = (vec)(__builtin_convertvector(*(const half_unaligned *)p, words) << 16);
    else
        load((const float *)p, x);
}

INLINED float load_one(const char *p, bool half) {
    float x;
    if (half) {
        uint16_t bits;
        memcpy(&bits, p, sizeof bits);
        uint32_t wide = (uint32_t)bits << 16;
        memcpy(&x, &wide, sizeof x);
    } else {
        memcpy(&x, p, sizeof x);
    }
    return x;
}

/* c [m, width] = sums [m, WIDTH] + beta c */
INLINED void store_sums(long m, long width, const float (*sums)[WIDTH], float beta, float *c,
                        long ldc) {
    for (long i = 0; i < m; i++)
        for (long j = 0; j < width; j++)
            c[i * ldc + j] = beta == 0 ? sums[i][j] : sums[i][j] + beta * c[i * ldc + j];
}

/* `parts` equal blocks of at most `most`, in multiples of LANES. */
INLINED long even_block(long length, long most) {
    long parts = (length + most - 1) / most, size = (length + parts - 1) / parts;
    return round_to_lanes(size);
}

/* ---- B [k, n] ---- */

/* sums [rows, WIDTH] += a [rows, depth] b [depth, WIDTH] */
INLINED void add_tile(int rows, long depth, const float *a, long lda, source b, bool half,
                      float (*sums)[WIDTH]) {
    vec acc[8][2];
    for (int i = 0; i < rows; i++)
        for (int j = 0; j < 2; j++) load(sums[i] + j * LANES, &acc[i][j]);
    for (long p = 0; p < depth; p++) {
        vec w[2];
        for (int j = 0; j < 2; j++) load_element(element(b, half, p, j * LANES), half, &w[j]);
        __builtin_prefetch(element(b, half, p + 16, 0));
        if (!half) __builtin_prefetch(element(b, half, p + 16, LANES));
        for (int i = 0; i < rows; i++)
            for (int j = 0; j < 2; j++) acc[i][j] += a[i * lda + p] * w[j];
    }
    for (int i = 0; i < rows; i++)
        for (int j = 0; j < 2; j++) store(sums[i] + j * LANES, &acc[i][j]);
}

INLINED void add_rows(long m, long depth, const float *a, long lda, source b, bool half,
                      float (*sums)[WIDTH]) {
    long i = 0;
    for (; i + 8 <= m; i += 8) add_tile(8, depth, a + i * lda, lda, b, half, sums + i);
    for (; i + 4 <= m; i += 4) add_tile(4, depth, a + i * lda, lda, b, half, sums + i);
    for (; i + 2 <= m; i += 2) add_tile(2, depth, a + i * lda, lda, b, half, sums + i);
    if (i < m) add_tile(1, depth, a + i * lda, lda, b, half, sums + i);
}

/* The last columns of B, widened to WIDTH with zeros. */
INLINED source pad_columns(source b, bool half, long depth, long width, float (*panel)[WIDTH]) {
    for (long p = 0; p < depth; p++)
        for (long j = 0; j < WIDTH; j++)
            panel[p][j] = j < width ? load_one(element(b, half, p, j), half) : 0.0f;
    return (source){(const char *)panel, WIDTH};
}

INLINED void multiply_columns(const product *x, bool half, long column) {
    float sums[ROWS][WIDTH], panel[DEPTH][WIDTH];
    long width = x->n - column < WIDTH ? x->n - column : WIDTH, step = even_block(x->k, DEPTH);
    memset(sums, 0, (size_t)x->m * sizeof *sums);
    for (long p = 0; p < x->k; p += step) {
        long depth = x->k - p < step ? x->k - p : step;
        source b = {element(x->b, half, p, column), x->b.ld};
        if (width == WIDTH)
            add_rows(x->m, depth, x->a + p, x->lda, b, half, sums);
        else
            add_rows(x->m, depth, x->a + p, x->lda, pad_columns(b, half, depth, width, panel),
                     false, sums);
    }
    store_sums(x->m, width, sums, x->beta, x->c + column, x->ldc);
}

/* ---- B [n, k]: dot products ---- */

/* sums [rows, TILE / rows] += a [rows, length] b^T. Rows beyond m and b's rows beyond width are
 * those at the edge again, and are dropped. */
INLINED void add_dots(int rows, long m, long width, long length, const float *a, long lda, source b,
                      bool half, float (*sums)[WIDTH], long column) {
    int across = TILE / rows;
    vec acc[TILE] = {{0}};
    const float *from_a[8];
    const char *from_b[TILE];
    float out[TILE];
    for (int i = 0; i < rows; i++) from_a[i] = a + (i < m ? i : m - 1) * lda;
    for (int j = 0; j < across; j++) from_b[j] = element(b, half, j < width ? j : width - 1, 0);
    long whole = length / LANES * LANES, size = half ? 2 : 4;
    for (long p = 0; p < whole; p += LANES) {
        vec w[TILE], y;
        for (int j = 0; j < across; j++) load_element(from_b[j] + p * size, half, &w[j]);
        for (int i = 0; i < rows; i++) {
            load(from_a[i] + p, &y);
            for (int j = 0; j < across; j++) acc[i * across + j] += y * w[j];
        }
    }
    sum_lanes(acc);
    store(out, &acc[0]);
    for (int i = 0; i < rows && i < m; i++)
        for (int j = 0; j < across && j < width; j++) {
            float sum = sums[i][column + j] + out[i * across + j];
            for (long p = whole; p < length; p++)
                sum += from_a[i][p] * load_one(from_b[j] + p * size, half);
            sums[i][column + j] = sum;
        }
}

/* sums [rows, width] += a [m, length] b [width, length]^T for the first min(m, rows) rows. */
INLINED void add_dot_rows(int rows, long m, long width, long length, const float *a, long lda,
                          source b, bool half, float (*sums)[WIDTH]) {
    int across = TILE / rows;
    for (long j = 0; j < width; j += across)
        add_dots(rows, m, width - j, length, a, lda, (source){element(b, half, j, 0), b.ld}, half,
                 sums, j);
}

INLINED void multiply_transposed(const product *x, bool half, long column) {
    float sums[ROWS][WIDTH];
    long width = x->n - column < WIDTH ? x->n - column : WIDTH, step = even_block(x->k, LENGTH);
    memset(sums, 0, (size_t)x->m * sizeof *sums);
    for (long p = 0; p < x->k; p += step) {
        long length = x->k - p < step ? x->k - p : step;
        source b = {element(x->b, half, column, p), x->b.ld};
        for (long i = 0; i < x->m; i += 8) {
            const float *a = x->a + i * x->lda + p;
            long m = x->m - i;
            if (m > 4)
                add_dot_rows(8, m, width, length, a, x->lda, b, half, sums + i);
            else if (m > 2)
                add_dot_rows(4, m, width, length, a, x->lda, b, half, sums + i);
            else if (m > 1)
                add_dot_rows(2, m, width, length, a, x->lda, b, half, sums + i);
            else
                add_dot_rows(1, m, width, length, a, x->lda, b, half, sums + i);
        }
    }
    store_sums(x->m, width, sums, x->beta, x->c + column, x->ldc);
}

/* ---- all ---- */

VECTORISED static void columns_of_floats(const product *x, long column) {
    multiply_columns(x, false, column);
}

VECTORISED static void columns_of_halves(const product *x, long column) {
    multiply_columns(x, true, column);
}

VECTORISED static void transposed_floats(const product *x, long column) {
    multiply_transposed(x, false, column);
}

VECTORISED static void transposed_halves(const product *x, long column) {
    multiply_transposed(x, true, column);
}

typedef void task(const product *x, long column);

/* Work (in multiply-adds) below which a second thread does not pay. */
static const long WORTH_THREADS = 1 << 16;

static void run_tasks(task *run, product x) {
    long rows = x.m;
    for (long i = 0; i < rows; i += ROWS) {
        x.m = rows - i < ROWS ? rows - i : ROWS;
#pragma omp parallel for schedule(static) if (x.m * x.n * x.k >= WORTH_THREADS)
        for (long column = 0; column < x.n; column += WIDTH) run(&x, column);
        x.a += x.m * x.lda;
        x.c += x.m * x.ldc;
    }
}

void sp_few_rows_gemm(bool transpose, long m, long n, long k, const float *a, long lda,
                      const float *b, long ldb, float beta, float *c, long ldc) {
    run_tasks(transpose ? transposed_floats : columns_of_floats,
              (product){m, n, k, a, lda, {(const char *)b, ldb}, beta, c, ldc});
}

void sp_few_rows_gemm_bf16(bool transpose, long m, long n, long k, const float *a, long lda,
                           const uint16_t *b, long ldb, float beta, float *c, long ldc) {
    run_tasks(transpose ? transposed_halves : columns_of_halves,
              (product){m, n, k, a, lda, {(const char *)b, ldb}, beta, c, ldc});
}
