/* The speed of bare matrix products at a model's own shapes: the peak that a step is compared to.
 */
#include "bench/phases.h"
#include "bench/subject.h"
#include "core/clock.h"
#include "core/random.h"
#include "tensor/gemm.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

/* y [m, n] = x [m, k] times the weight as it is stored, [k, n], or transposed, [n, k]. */
typedef struct product {
    long m, n, k;
    bool transpose, forward;
    int times; /* a step does it */
    double seconds;
} product;

static double operations(const product *p) {
    return 2.0 * (double)p->m * (double)p->n * (double)p->k;
}

static void add_product(product *list, int *count, product p) {
    for (int i = 0; i < *count; i++)
        if (list[i].n == p.n && list[i].k == p.k && list[i].transpose == p.transpose &&
            list[i].forward == p.forward) {
            list[i].times++;
            return;
        }
    list[(*count)++] = p;
}

/* Forward pass and gradient of the input of every linear map of the blocks. */
static int list_products(const sp_model *m, long tokens, product *list) {
    int count = 0;
    for (int i = 0; i < m->projection_count; i++) {
        const sp_linear_map *map = &m->projections[i].map;
        long in = sp_linear_inputs(map), out = sp_linear_outputs(map);
        add_product(list, &count, (product){tokens, out, in, map->transposed, true, 1, 0});
        add_product(list, &count, (product){tokens, in, out, !map->transposed, false, 1, 0});
    }
    return count;
}

/* `half` is the weight in bf16, or NULL. */
static void multiply(const product *p, const float *x, const float *weight, const sp_weight *half,
                     float *y) {
    if (half)
        sp_weight_gemm(half, p->transpose, 0, p->n, p->m, x, p->k, 0, y, p->n);
    else
        sp_gemm(false, p->transpose, p->m, p->n, p->k, x, p->k, weight, p->transpose ? p->k : p->n,
                0, y, p->n);
}

static float *random_floats(long count, sp_rng *rng) {
    float *values = sp_alloc_floats((size_t)count);
    for (long i = 0; i < count; i++) values[i] = sp_rng_uniform(rng) - 0.5f;
    return values;
}

/* The best of `repetitions`, and of more while they take less than a tenth of a second in all. */
static void time_product(product *p, const sp_bench_job *job, sp_rng *rng) {
    float *x = random_floats(p->m * p->k, rng), *weight = random_floats(p->k * p->n, rng);
    float *y = sp_alloc_floats((size_t)(p->m * p->n));
    long rows = p->transpose ? p->n : p->k, columns = p->transpose ? p->k : p->n;
    sp_weight *half =
        job->precision == SP_PRECISION_BF16
            ? sp_weight_new(rows, columns, weight, columns, p->transpose == p->forward)
            : NULL;
    multiply(p, x, weight, half, y);
    p->seconds = INFINITY;
    double first = sp_now();
    for (int i = 0; i < job->settings.steps || sp_now() - first < 0.1; i++) {
        double started = sp_now();
        multiply(p, x, weight, half, y);
        p->seconds = fmin(p->seconds, sp_now() - started);
    }
    sp_weight_free(half);
    free(x), free(weight), free(y);
}

static void add_peak(const sp_bench_job *job, product *list, int count, sp_bench_rows *rows) {
    sp_rng rng = sp_rng_make((uint64_t)job->settings.seed, "benchmark gemm");
    sp_bench_row row = sp_bench_row_of(job, "gemm", "peak", "GFLOP/s");
    double all_operations = 0, all_seconds = 0;
    row.low = INFINITY;
    for (int i = 0; i < count; i++) {
        product *p = &list[i];
        time_product(p, job, &rng);
        all_operations += p->times * operations(p);
        all_seconds += p->times * p->seconds;
        row.low = fmin(row.low, operations(p) / p->seconds / 1e9);
        row.high = fmax(row.high, operations(p) / p->seconds / 1e9);
    }
    row.median = all_operations / all_seconds / 1e9;
    row.repetitions = count;
    sp_bench_rows_add(rows, &row);
}

/* Tokens that a step feeds: those of the first batch but the last of each sequence. */
static long tokens_of_step(const sp_bench_job *job, const sp_model *m) {
    sp_sequences batch;
    sp_bench_draw((uint64_t)job->settings.seed, 0, (size_t)job->settings.batch,
                  m->config.vocab_size, &batch);
    long tokens = sp_sequences_tokens(&batch) - job->settings.batch;
    sp_sequences_free(&batch);
    return tokens;
}

sp_status sp_bench_gemm(const void *user, sp_bench_rows *rows) {
    const sp_bench_job *job = user;
    sp_subject s = {0};
    sp_status st = sp_gemm_start(job->settings.threads);
    if (!st) st = sp_subject_open(job, &s);
    if (!st) {
        sp_bench_describe_gemm(rows);
        product *list = sp_alloc(2 * (size_t)s.model->projection_count, sizeof *list);
        int count = list_products(s.model, tokens_of_step(job, s.model), list);
        add_peak(job, list, count, rows);
        free(list);
    }
    sp_subject_close(&s);
    return st;
}
