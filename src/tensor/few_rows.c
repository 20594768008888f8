#include "tensor/few_rows.h"

#include "tensor/vector.h"

enum {
    TILE = 16,        /* accumulators of a tile of the transposed product */
    WIDTH = SP_PANEL, /* columns of C that a task works on: two vectors */
    ROWS = 96,        /* rows of A that meet a block of B at a time */
    AHEAD = 64,
    DEPTH = 128, /* rows of B in a block; WIDTH * DEPTH floats fit the first-level cache */
    LENGTH = 640 /* elements of a row of B^T in a block; 16 rows of A then fit that cache */
};

/* B or a panel of it, of either kind of element. */
typedef struct source {
    const char *data;
    long ld;
} source;

typedef struct product {
    long m, n, k;
    const float *a;
    long lda;
    const float *b;
    long ldb;
    const uint16_t *panels; /* instead of b, ... */
    long first;             /* ... and the column of B at which C starts */
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

/* c [m, to - from] = columns from .. to of sums [m, WIDTH] + beta c */
INLINED void store_sums(long m, long from, long to, const float (*sums)[WIDTH], float beta,
                        float *c, long ldc) {
    for (long i = 0; i < m; i++)
        for (long j = from; j < to; j++) {
            float *at = c + i * ldc + j - from;
            *at = beta == 0 ? sums[i][j] : sums[i][j] + beta * *at;
        }
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

/* Asks for what the next block of columns will read where this one reads row p of B. */
INLINED void prefetch_next(const float *b, long ldb, long p, long column) {
    for (int j = 0; j < WIDTH; j++) __builtin_prefetch(b + (column + WIDTH + j) * ldb + p);
}

/* panel [depth, WIDTH] = 32 columns from (p, column) on of B, which is stored [n, k]; depth a
 * multiple of 16. */
INLINED void transpose_columns(const float *b, long ldb, long p, long depth, long column,
                               float (*panel)[WIDTH]) {
    for (long i = 0; i < depth; i += LANES) {
        prefetch_next(b, ldb, p + i, column);
        for (int j = 0; j < WIDTH; j += LANES) {
            vec x[LANES];
            for (int r = 0; r < LANES; r++) load(b + (column + j + r) * ldb + p + i, &x[r]);
            transpose_lanes(x);
            for (int r = 0; r < LANES; r++) store(panel[i + r] + j, &x[r]);
        }
    }
}

/* Columns of B in either order at the edges: any depth, and zeros beyond `width` columns. */
INLINED void copy_columns(const float *b, long ldb, bool transpose, long p, long depth, long column,
                          long width, float (*panel)[WIDTH]) {
    for (long i = 0; i < depth; i++)
        for (long j = 0; j < WIDTH; j++)
            panel[i][j] = j >= width  ? 0.0f
                          : transpose ? b[(column + j) * ldb + p + i]
                                      : b[(p + i) * ldb + column + j];
}

INLINED void multiply_columns(const product *x, bool transpose, long column) {
    float sums[ROWS][WIDTH], panel[DEPTH][WIDTH];
    long width = x->n - column < WIDTH ? x->n - column : WIDTH, step = even_block(x->k, DEPTH);
    memset(sums, 0, (size_t)x->m * sizeof *sums);
    for (long p = 0; p < x->k; p += step) {
        long depth = x->k - p < step ? x->k - p : step;
        source b = {(const char *)panel, WIDTH};
        if (width < WIDTH || (transpose && depth % LANES != 0))
            copy_columns(x->b, x->ldb, transpose, p, depth, column, width, panel);
        else if (transpose)
            transpose_columns(x->b, x->ldb, p, depth, column, panel);
        else
            b = (source){(const char *)(x->b + p * x->ldb + column), x->ldb};
        add_rows(x->m, depth, x->a + p, x->lda, b, false, sums);
    }
    store_sums(x->m, 0, width, sums, x->beta, x->c + column, x->ldc);
}

/* ---- B in bf16, in panels of its own ---- */

/* wide [depth, WIDTH] = the panel as floats. */
INLINED void widen_panel(const uint16_t *panel, long depth, float (*wide)[WIDTH]) {
    for (long i = 0; i < depth; i++) {
        __builtin_prefetch(panel + (i + AHEAD) * WIDTH);
        for (int j = 0; j < WIDTH; j += LANES) {
            vec x;
            load_element((const char *)(panel + i * WIDTH + j), true, &x);
            store(wide[i] + j, &x);
        }
    }
}

/* From 8 rows on, widening once costs less than widening for each 8 of them. */
INLINED void multiply_panel(const product *x, long index) {
    float sums[ROWS][WIDTH], wide[DEPTH][WIDTH];
    const uint16_t *panel = x->panels + index * x->k * WIDTH;
    memset(sums, 0, (size_t)x->m * sizeof *sums);
    for (long p = 0; p < x->k; p += DEPTH, panel += DEPTH * WIDTH) {
        long depth = x->k - p < DEPTH ? x->k - p : DEPTH;
        if (x->m > 8) {
            widen_panel(panel, depth, wide);
            add_rows(x->m, depth, x->a + p, x->lda, (source){(const char *)wide, WIDTH}, false,
                     sums);
        } else {
            add_rows(x->m, depth, x->a + p, x->lda, (source){(const char *)panel, WIDTH}, true,
                     sums);
        }
    }
    long start = index * WIDTH, end = x->first + x->n;
    long from = x->first > start ? x->first : start, to = start + WIDTH < end ? start + WIDTH : end;
    store_sums(x->m, from - start, to - start, sums, x->beta, x->c + from - x->first, x->ldc);
}

/* ---- B [n, k] and few rows of A: dot products, for 8 of them at a time ---- */

/* sums [rows, TILE / rows] += a [rows, length] b^T. Rows beyond m and b's rows beyond width are
 * those at the edge again; nobody reads their sums. */
INLINED void add_dots(int rows, long m, long width, long length, const float *a, long lda,
                      const float *b, long ldb, float *sums) {
    int across = TILE / rows;
    vec acc[TILE] = {{0}}, before;
    const float *from_a[8], *from_b[TILE];
    for (int i = 0; i < rows; i++) from_a[i] = a + (i < m ? i : m - 1) * lda;
    for (int j = 0; j < across; j++) from_b[j] = b + (j < width ? j : width - 1) * ldb;
    long whole = length / LANES * LANES;
    for (long p = 0; p < whole; p += LANES) {
        vec w[TILE], y;
        for (int j = 0; j < across; j++) {
            load(from_b[j] + p, &w[j]);
            __builtin_prefetch(from_b[j] + p + WIDTH * ldb); /* the next block of columns */
        }
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
        for (int i = 0; i < TILE; i++) sums[i] += from_a[i / across][p] * from_b[i % across][p];
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

INLINED void multiply_dots(int rows, const product *x, long column) {
    float sums[8 * WIDTH] = {0};
    int across = TILE / rows;
    long width = x->n - column < WIDTH ? x->n - column : WIDTH, step = even_block(x->k, LENGTH);
    for (long p = 0; p < x->k; p += step) {
        long length = x->k - p < step ? x->k - p : step;
        for (long j = 0; j < width; j += across)
            add_dots(rows, x->m, width - j, length, x->a + p, x->lda,
                     x->b + (column + j) * x->ldb + p, x->ldb, sums + j / across * TILE);
    }
    store_tiles(rows, x, column, width, sums);
}

/* Rows of A up to which dot products cost less than transposing B. */
enum { DOT_ROWS = 32 };

VECTORISED static void transposed(const product *x, long column) {
    if (x->m > DOT_ROWS) {
        multiply_columns(x, true, column);
        return;
    }
    for (long i = 0; i < x->m; i += 8) {
        product rows = *x;
        rows.m = x->m - i < 8 ? x->m - i : 8;
        rows.a += i * x->lda;
        rows.c += i * x->ldc;
        if (rows.m > 4)
            multiply_dots(8, &rows, column);
        else if (rows.m > 2)
            multiply_dots(4, &rows, column);
        else if (rows.m > 1)
            multiply_dots(2, &rows, column);
        else
            multiply_dots(1, &rows, column);
    }
}

/* ---- all ---- */

VECTORISED static void straight(const product *x, long column) {
    multiply_columns(x, false, column);
}

VECTORISED static void by_panels(const product *x, long column) {
    multiply_panel(x, column / WIDTH);
}

typedef void task(const product *x, long column);

/* Work (in multiply-adds) below which a second thread does not pay. */
static const long WORTH_THREADS = 1 << 16;

/* Blocks of columns from that of `first` on. */
static void run_tasks(task *run, product x) {
    long rows = x.m, start = x.first / WIDTH * WIDTH, end = x.first + x.n;
    for (long i = 0; i < rows; i += ROWS) {
        x.m = rows - i < ROWS ? rows - i : ROWS;
#pragma omp parallel for schedule(static) if (x.m * x.n * x.k >= WORTH_THREADS)
        for (long column = start; column < end; column += WIDTH) run(&x, column);
        x.a += x.m * x.lda;
        x.c += x.m * x.ldc;
    }
}

void sp_few_rows_gemm(bool transpose, long m, long n, long k, const float *a, long lda,
                      const float *b, long ldb, float beta, float *c, long ldc) {
    run_tasks(transpose ? transposed : straight,
              (product){m, n, k, a, lda, b, ldb, NULL, 0, beta, c, ldc});
}

void sp_few_rows_gemm_panels(long m, long first, long count, long k, const float *a, long lda,
                             const uint16_t *panels, float beta, float *c, long ldc) {
    run_tasks(by_panels, (product){m, count, k, a, lda, NULL, 0, panels, first, beta, c, ldc});
}
