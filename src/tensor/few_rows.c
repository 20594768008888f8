#include "tensor/few_rows.h"

#include "tensor/vector.h"

enum {
    TILE = 16,         /* accumulators of a tile of the transposed product */
    WIDTH = 2 * LANES, /* columns of C that a task works on */
    ROWS = 96,         /* rows of A that meet a block of B at a time */
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

/* The size of equal blocks of about `most` that `length` is cut into; a multiple of LANES. */
INLINED long even_block(long length, long most) {
    long parts = (length + most - 1) / most, size = (length + parts - 1) / parts;
    return round_to_lanes(size);
}

/* ---- panels of B: [depth, WIDTH] ---- */

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

/* panel [depth, WIDTH] = 32 columns of B from (p, column) on. */
INLINED void widen_columns(source b, bool half, long p, long depth, long column,
                           float (*panel)[WIDTH]) {
    for (long i = 0; i < depth; i++) {
        __builtin_prefetch(element(b, half, p + i + 16, column));
        for (int j = 0; j < WIDTH; j += LANES) {
            vec x;
            load_element(element(b, half, p + i, column + j), half, &x);
            store(panel[i] + j, &x);
        }
    }
}

/* Asks for what the next block of columns will read where this one reads row p of B. */
INLINED void prefetch_next(source b, bool half, long p, long column) {
    if (half && p % (2 * LANES) != 0) return; /* a cache line holds 32 halves */
    for (int j = 0; j < WIDTH; j++) __builtin_prefetch(element(b, half, column + WIDTH + j, p));
}

/* widen_columns where B is stored [n, k]; depth a multiple of 16. */
INLINED void transpose_columns(source b, bool half, long p, long depth, long column,
                               float (*panel)[WIDTH]) {
    for (long i = 0; i < depth; i += LANES) {
        prefetch_next(b, half, p + i, column);
        for (int j = 0; j < WIDTH; j += LANES) {
            vec x[LANES];
            for (int r = 0; r < LANES; r++)
                load_element(element(b, half, column + j + r, p + i), half, &x[r]);
            transpose_lanes(x);
            for (int r = 0; r < LANES; r++) store(panel[i + r] + j, &x[r]);
        }
    }
}

/* Either of them at the edges: any depth, and zeros beyond `width` columns. */
INLINED void copy_columns(source b, bool half, bool transpose, long p, long depth, long column,
                          long width, float (*panel)[WIDTH]) {
    for (long i = 0; i < depth; i++)
        for (long j = 0; j < WIDTH; j++)
            panel[i][j] = j >= width  ? 0.0f
                          : transpose ? load_one(element(b, half, column + j, p + i), half)
                                      : load_one(element(b, half, p + i, column + j), half);
}

INLINED void multiply_columns(const product *x, bool half, bool transpose, long column) {
    float sums[ROWS][WIDTH], panel[DEPTH][WIDTH];
    long width = x->n - column < WIDTH ? x->n - column : WIDTH, step = even_block(x->k, DEPTH);
    memset(sums, 0, (size_t)x->m * sizeof *sums);
    for (long p = 0; p < x->k; p += step) {
        long depth = x->k - p < step ? x->k - p : step;
        const float *a = x->a + p;
        if (width == WIDTH && !transpose && (!half || x->m <= 8)) {
            add_rows(x->m, depth, a, x->lda, (source){element(x->b, half, p, column), x->b.ld},
                     half, sums);
            continue;
        }
        if (width < WIDTH || (transpose && depth % LANES != 0))
            copy_columns(x->b, half, transpose, p, depth, column, width, panel);
        else if (transpose)
            transpose_columns(x->b, half, p, depth, column, panel);
        else
            widen_columns(x->b, half, p, depth, column, panel);
        add_rows(x->m, depth, a, x->lda, (source){(const char *)panel, WIDTH}, false, sums);
    }
    store_sums(x->m, width, sums, x->beta, x->c + column, x->ldc);
}

/* ---- B [n, k] and at most 8 rows of A: dot products ---- */

/* sums [rows, TILE / rows] += a [rows, length] b^T. Rows beyond m and b's rows beyond width are
 * those at the edge again; nobody reads their sums. */
INLINED void add_dots(int rows, long m, long width, long length, const float *a, long lda, source b,
                      bool half, float *sums) {
    int across = TILE / rows;
    vec acc[TILE] = {{0}}, before;
    const float *from_a[8];
    const char *from_b[TILE];
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
    load(sums, &before);
    acc[0] += before;
    store(sums, &acc[0]);
    for (long p = whole; p < length; p++)
        for (int i = 0; i < TILE; i++)
            sums[i] += from_a[i / across][p] * load_one(from_b[i % across] + p * size, half);
}

/* c [m, width] = sums + beta c for tiles of `rows` rows next to each other. */
INLINED void store_tiles(int rows, const product *x, long column, long width, const float *sums) {
    int across = TILE / rows;
    for (long i = 0; i < x->m; i++)
        for (long j = 0; j < width; j++) {
            float *c = x->c + i * x->ldc + column + j;
            float sum = sums[j / across * TILE + i * across + j % across];
            *c = x->beta == 0 ? sum : sum + x->beta * *c;
        }
}

INLINED void multiply_dots(int rows, const product *x, bool half, long column) {
    float sums[8 * WIDTH] = {0};
    int across = TILE / rows;
    long width = x->n - column < WIDTH ? x->n - column : WIDTH, step = even_block(x->k, LENGTH);
    for (long p = 0; p < x->k; p += step) {
        long length = x->k - p < step ? x->k - p : step;
        for (long j = 0; j < width; j += across)
            add_dots(rows, x->m, width - j, length, x->a + p, x->lda,
                     (source){element(x->b, half, column + j, p), x->b.ld}, half,
                     sums + j / across * TILE);
    }
    store_tiles(rows, x, column, width, sums);
}

INLINED void multiply_transposed(const product *x, bool half, long column) {
    if (x->m > 8)
        multiply_columns(x, half, true, column);
    else if (x->m > 4)
        multiply_dots(8, x, half, column);
    else if (x->m > 2)
        multiply_dots(4, x, half, column);
    else if (x->m > 1)
        multiply_dots(2, x, half, column);
    else
        multiply_dots(1, x, half, column);
}

/* ---- all ---- */

VECTORISED static void columns_of_floats(const product *x, long column) {
    multiply_columns(x, false, false, column);
}

VECTORISED static void columns_of_halves(const product *x, long column) {
    multiply_columns(x, true, false, column);
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
