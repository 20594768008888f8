#include "tensor/weight.h"

#include "core/memory.h"
#include "tensor/bf16.h"
#include "tensor/few_rows.h"
#include "tensor/gemm.h"
#include "tensor/kernels.h"

#include <stdlib.h>
#include <string.h>

const char *const sp_precision_names[] = {"fp32", "bf16", NULL};

struct sp_weight {
    bool transposed;
    long inputs, outputs;
    uint16_t data[]; /* [panels of SP_PANEL outputs, inputs, SP_PANEL], zeros beyond the last */
};

/* Rows of A up to which the weights are widened panel by panel; above, blocks of them are. */
enum { FEW_ROWS = 80 };

static long least(long a, long b) {
    return a < b ? a : b;
}

static const uint16_t *panel_at(const sp_weight *w, long output, long input) {
    return w->data + (output / SP_PANEL * w->inputs + input) * SP_PANEL;
}

/* ---- making and reading ---- */

static void fill_from_rows(sp_weight *w, const float *data, long ld) {
#pragma omp parallel for
    for (long start = 0; start < w->outputs; start += SP_PANEL) {
        uint16_t *to = (uint16_t *)panel_at(w, start, 0);
        float lanes[SP_PANEL] = {0};
        long count = least(SP_PANEL, w->outputs - start);
        for (long i = 0; i < w->inputs; i++, to += SP_PANEL) {
            for (long j = 0; j < count; j++) lanes[j] = data[(start + j) * ld + i];
            sp_bf16_from_floats(SP_PANEL, lanes, to);
        }
    }
}

static void fill_from_columns(sp_weight *w, const float *data, long ld) {
    for (long i = 0; i < w->inputs; i++)
        for (long start = 0; start < w->outputs; start += SP_PANEL)
            sp_bf16_from_floats(least(SP_PANEL, w->outputs - start), data + i * ld + start,
                                (uint16_t *)panel_at(w, start, i));
}

sp_weight *sp_weight_new(long rows, long cols, const float *data, long ld, bool transposed) {
    long inputs = transposed ? cols : rows, outputs = transposed ? rows : cols;
    size_t panels = (size_t)(outputs + SP_PANEL - 1) / SP_PANEL;
    sp_weight *w = sp_alloc(1, sizeof *w + panels * SP_PANEL * (size_t)inputs * sizeof *w->data);
    w->transposed = transposed;
    w->inputs = inputs;
    w->outputs = outputs;
    if (transposed)
        fill_from_rows(w, data, ld);
    else
        fill_from_columns(w, data, ld);
    return w;
}

void sp_weight_free(sp_weight *w) {
    free(w);
}

/* The weights of one input for all outputs, or of one output for all inputs. */
static void read_input(const sp_weight *w, long input, float *out) {
    for (long o = 0; o < w->outputs; o += SP_PANEL)
        sp_bf16_to_floats(least(SP_PANEL, w->outputs - o), panel_at(w, o, input), out + o);
}

static void read_output(const sp_weight *w, long output, float *out) {
    for (long i = 0; i < w->inputs; i++)
        sp_bf16_to_floats(1, panel_at(w, output, i) + output % SP_PANEL, out + i);
}

void sp_weight_floats(const sp_weight *w, long first_row, long count, float *out) {
    for (long r = first_row; r < first_row + count; r++)
        if (w->transposed)
            read_output(w, r, out + (r - first_row) * w->inputs);
        else
            read_input(w, r, out + (r - first_row) * w->outputs);
}

/* ---- products in blocks of the weight ---- */

/* Outputs first_output .. first_output + outputs, and inputs likewise. */
typedef struct block {
    long first_output, outputs, first_input, inputs;
} block;

/* out [inputs, outputs] = the block as floats (`widen`) or as it is. */
static void copy_block(const sp_weight *w, const block *b, bool widen, void *out) {
    long end = b->first_output + b->outputs;
#pragma omp parallel for
    for (long start = b->first_output / SP_PANEL * SP_PANEL; start < end; start += SP_PANEL) {
        long first = start > b->first_output ? start : b->first_output;
        long count = least(start + SP_PANEL, end) - first;
        for (long i = 0; i < b->inputs; i++) {
            const uint16_t *from = panel_at(w, start, b->first_input + i) + first - start;
            long to = i * b->outputs + first - b->first_output;
            if (widen)
                sp_bf16_to_floats(count, from, (float *)out + to);
            else
                memcpy((uint16_t *)out + to, from, (size_t)count * sizeof *from);
        }
    }
}

/* C [m, count] = A op(W)[:, first .. first + count) + beta C. Forward, the columns of C are outputs
 * and the sum runs over inputs; backward, the other way round. */
typedef struct product {
    const sp_weight *w;
    bool forward;
    long first, count, m;
    const float *a;
    long lda;
    float beta;
    float *c;
    long ldc;
} product;

static long depth_of(const product *x) {
    return x->forward ? x->w->inputs : x->w->outputs;
}

static block block_of(const product *x, long column, long n, long p, long depth) {
    return x->forward ? (block){column, n, p, depth} : (block){p, depth, column, n};
}

/* `total` cut into equal parts of about `most`, each a multiple of SP_PANEL. */
static long even_step(long total, long most) {
    long parts = (total + most - 1) / most;
    return ((total + parts - 1) / parts + SP_PANEL - 1) / SP_PANEL * SP_PANEL;
}

/* A block of floats stays in the second-level cache. */
enum { DEPTH = 512, WIDTH = 256 };

static void multiply_widened(const product *x, long column, long n) {
    static _Thread_local float wide[DEPTH * WIDTH] __attribute__((aligned(64)));
    long step = even_step(depth_of(x), DEPTH);
    for (long p = 0; p < depth_of(x); p += step) {
        long depth = least(step, depth_of(x) - p);
        block b = block_of(x, column, n, p, depth);
        copy_block(x->w, &b, true, wide);
        sp_gemm(false, !x->forward, x->m, n, depth, x->a + p, x->lda, wide, b.outputs,
                p ? 1 : x->beta, x->c + column - x->first, x->ldc);
    }
}

/* An even number of column blocks of about the same width, for an even number of threads. */
static long column_step(long n) {
    long blocks = (n + WIDTH - 1) / WIDTH;
    return least(WIDTH, even_step(n, (n + blocks + blocks % 2 - 1) / (blocks + blocks % 2)));
}

static void multiply_by_storage(const product *x) {
    long step = column_step(x->count);
#pragma omp parallel for schedule(dynamic)
    for (long j = 0; j < x->count; j += step)
        multiply_widened(x, x->first + j, least(step, x->count - j));
}

/* Bounds the copies of a weight that oneDNN reads. */
enum { NATIVE_SIDE = 2048 };

static void multiply_natively(const product *x) {
    long columns = least(x->count, NATIVE_SIDE), step = even_step(depth_of(x), NATIVE_SIDE);
    uint16_t *copy = sp_alloc((size_t)(columns * step), sizeof *copy);
    for (long j = 0; j < x->count; j += columns)
        for (long p = 0; p < depth_of(x); p += step) {
            long n = least(columns, x->count - j), depth = least(step, depth_of(x) - p);
            block b = block_of(x, x->first + j, n, p, depth);
            copy_block(x->w, &b, false, copy);
            sp_bf16_gemm(!x->forward, x->m, n, depth, x->a + p, x->lda, copy, b.outputs,
                         p ? 1 : x->beta, x->c + j, x->ldc);
        }
    free(copy);
}

void sp_weight_gemm(const sp_weight *w, bool transpose, long first, long count, long m,
                    const float *a, long lda, float beta, float *c, long ldc) {
    product x = {w, transpose == w->transposed, first, count, m, a, lda, beta, c, ldc};
    if (m == 0 || count == 0) return;
    if (x.forward && m <= FEW_ROWS)
        sp_few_rows_gemm_panels(m, first, count, w->inputs, a, lda, w->data, beta, c, ldc);
    else if (sp_bf16_current() == SP_BF16_NATIVE)
        multiply_natively(&x);
    else
        multiply_by_storage(&x);
}
