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

/* Bounds a block: its depth, and its elements, which then stay in the caches between being copied
 * and being multiplied. */
enum { DEPTH = 2048, ELEMENTS = 5 << 18 };

/* The size of equal parts of `total`, each at most `most` and a multiple of half a panel. */
static long even_step(long total, long most) {
    const long unit = SP_PANEL / 2;
    long parts = (total + most - 1) / most;
    return ((total + parts - 1) / parts + unit - 1) / unit * unit;
}

static void multiply_block(const product *x, const block *b, bool native, long column, long n,
                           long p, void *copy) {
    float beta = p ? 1 : x->beta, *c = x->c + column;
    long depth = x->forward ? b->inputs : b->outputs;
    copy_block(x->w, b, !native, copy);
    if (native)
        sp_bf16_gemm(!x->forward, x->m, n, depth, x->a + p, x->lda, copy, b->outputs, beta, c,
                     x->ldc);
    else
        sp_gemm(false, !x->forward, x->m, n, depth, x->a + p, x->lda, copy, b->outputs, beta, c,
                x->ldc);
}

static void multiply_in_blocks(const product *x, bool native) {
    long total = x->forward ? x->w->inputs : x->w->outputs;
    long depth = even_step(total, DEPTH), columns = even_step(x->count, ELEMENTS / depth);
    void *copy = sp_realloc(NULL, (size_t)(depth * columns), sizeof(float));
    for (long j = 0; j < x->count; j += columns)
        for (long p = 0; p < total; p += depth) {
            long n = least(columns, x->count - j), d = least(depth, total - p);
            block b = x->forward ? (block){x->first + j, n, p, d} : (block){p, d, x->first + j, n};
            multiply_block(x, &b, native, j, n, p, copy);
        }
    free(copy);
}

void sp_weight_gemm(const sp_weight *w, bool transpose, long first, long count, long m,
                    const float *a, long lda, float beta, float *c, long ldc) {
    product x = {w, transpose == w->transposed, first, count, m, a, lda, beta, c, ldc};
    if (m == 0 || count == 0) return;
    if (x.forward && m <= FEW_ROWS)
        sp_few_rows_gemm_panels(m, first, count, w->inputs, a, lda, w->data, beta, c, ldc);
    else
        multiply_in_blocks(&x, sp_bf16_current() == SP_BF16_NATIVE);
}
