/* AdaLoRA (Zhang et al. 2023): a frozen linear map gets an update in the form of a singular value
 * decomposition (eq. 3),
 *   y = x W + b + alpha / init_r ((x A^T) * E) B^T,   A [r, in], E [r, 1], B [out, r]
 * (the paper's Q, Lambda, P under PEFT's names). Rows of A and columns of B are drawn to be
 * orthonormal by a penalty (eq. 4), and the singular values of the least important triplets of all
 * matrices are set to zero, so that the sum of the ranks falls from init_r to target_r a matrix
 * along a cubic schedule (section 3.3). Names, defaults and details are those of PEFT's
 * RankAllocator: the penalty is the mean of the Frobenius norms, not the sum of their squares. */
#include "tuning/init.h"
#include "tuning/low_rank.h"
#include "tuning/methods.h"
#include "tuning/option_fields.h"
#include "tuning/part.h"

#include <math.h>
#include <stdlib.h>

static const float INIT_STD = 0.02f;

static const sp_option options[] = {{"init_r", SP_INT, SP_METHOD_FIELD(init_r), "12", 1, 65536,
                                     NULL, "rank of each matrix at first"},
                                    {"target_r", SP_INT, SP_METHOD_FIELD(target_r), "8", 1, 65536,
                                     NULL, "mean rank of the matrices in the end"},
                                    SP_OPTION_ALPHA("8", "an update is scaled by alpha / init_r"),
                                    SP_OPTION_TARGETS,
                                    {"orth_reg_weight", SP_REAL, SP_METHOD_FIELD(orth_reg_weight),
                                     "0.5", 0, 1e6, NULL, "weight of the orthogonality penalty"},
                                    {"importance_beta1", SP_REAL, SP_METHOD_FIELD(importance_beta1),
                                     "0.85", 1e-4, 0.9999, NULL, "smoothing of the sensitivity"},
                                    {"importance_beta2", SP_REAL, SP_METHOD_FIELD(importance_beta2),
                                     "0.85", 1e-4, 0.9999, NULL, "smoothing of its uncertainty"},
                                    {"tinit", SP_REAL, SP_METHOD_FIELD(tinit), "0.1", 0, 1, NULL,
                                     "share of the steps before ranks fall"},
                                    {"tfinal", SP_REAL, SP_METHOD_FIELD(tfinal), "0.3", 0, 1, NULL,
                                     "share of the steps after the ranks are final"},
                                    {"deltaT", SP_INT, SP_METHOD_FIELD(delta_t), "1", 1, 1e6, NULL,
                                     "steps between two allocations"},
                                    {0}};

/* The tensors of one updated linear map, with their statistics (all NULL: not updated). */
enum { A, E, B, PARTS };
static const char *const suffixes[PARTS] = {"lora_A", "lora_E", "lora_B"};

typedef struct triplets {
    sp_var *part[PARTS], *sensitivity[PARTS], *uncertainty[PARTS];
    sp_var *kept; /* [r, 1] 1 where the singular value stays in the final phase, else 0 */
} triplets;

static sp_status check_options(const sp_method_options *o) {
    if (o->target_r > o->init_r)
        return sp_fail(SP_ERR_SPEC,
                       "target_r is %d, but init_r is %d; ranks only fall, use at most "
                       "init_r",
                       o->target_r, o->init_r);
    if (o->tinit + o->tfinal >= 1)
        return sp_fail(SP_ERR_SPEC,
                       "tinit %g and tfinal %g leave no steps in which ranks fall; "
                       "their sum must be below 1",
                       o->tinit, o->tfinal);
    return SP_OK;
}

static void add_state(sp_tuner *tuner, const char *what, const sp_param *of) {
    char *name = sp_format("%s.%s", what, of->name);
    sp_params_add(&tuner->state, name, 2, of->var.rows, of->var.cols);
    free(name);
}

static void add_part(sp_tuner *tuner, const sp_projection *p, int part, long rows, long cols,
                     sp_rng *rng) {
    sp_var *v = sp_part_add(&tuner->params, p, suffixes[part], 2, rows, cols);
    if (part != E) sp_init_normal(v, INIT_STD, rng);
    const sp_param *param = tuner->params.items[tuner->params.count - 1];
    add_state(tuner, "exp_avg_ipt", param);
    add_state(tuner, "exp_avg_unc", param);
    if (part == E) add_state(tuner, "rank_pattern", param);
}

static sp_status create(sp_tuner *tuner, const sp_init_source *source, sp_rng *rng) {
    (void)source;
    sp_ints targets = {0};
    sp_status st = check_options(&tuner->options);
    if (!st) st = sp_low_rank_targets(tuner, &targets);
    long rank = tuner->options.init_r;
    for (size_t i = 0; i < targets.len; i++) {
        const sp_projection *p = &tuner->model->projections[targets.data[i]];
        add_part(tuner, p, A, rank, sp_linear_inputs(&p->map), rng);
        add_part(tuner, p, E, rank, 1, rng);
        add_part(tuner, p, B, sp_linear_outputs(&p->map), rank, rng);
    }
    sp_ints_free(&targets);
    return st;
}

static void inject(const sp_tuner *tuner, sp_tape *t, sp_steering *out) {
    const sp_model *m = tuner->model;
    sp_low_rank *updates = sp_arena_zero(&t->arena, (size_t)m->projection_count * sizeof *updates);
    /* PEFT adds 1e-5 to the rank against a division by zero */
    float scale = (float)(tuner->options.alpha / (tuner->options.init_r + 1e-5));
    for (int i = 0; i < m->projection_count; i++) {
        const sp_projection *p = &m->projections[i];
        updates[i] = (sp_low_rank){.down = sp_part_find(&tuner->params, p, suffixes[A]),
                                   .diagonal = sp_part_find(&tuner->params, p, suffixes[E]),
                                   .up = sp_part_find(&tuner->params, p, suffixes[B]),
                                   .scale = scale};
    }
    out->low_rank = updates;
}

/* orth_reg_weight * mean over all A and B of ||A A^T - I|| and ||B^T B - I|| */
static sp_var *penalty(const sp_tuner *tuner, sp_tape *t) {
    size_t matrices = 2 * tuner->params.count / PARTS;
    float weight = (float)(tuner->options.orth_reg_weight / (double)matrices);
    sp_var *sum = NULL;
    for (size_t i = 0; i < tuner->params.count; i += PARTS) {
        sp_var *rows = sp_orthogonality(t, &tuner->params.items[i + A]->var, false, weight);
        sp_var *columns = sp_orthogonality(t, &tuner->params.items[i + B]->var, true, weight);
        sp_var *both = sp_add(t, rows, columns);
        sum = sum ? sp_add(t, sum, both) : both;
    }
    return sum;
}

/* ---- importance and budget ---- */

static sp_var *state(const sp_tuner *tuner, const char *what, const sp_param *of) {
    char *name = sp_format("%s.%s", what, of->name);
    sp_param *p = sp_params_find(&tuner->state, name);
    free(name);
    return &p->var;
}

/* The matrices one by one; parameters were added as A, E, B of the first one, then of the next. */
static size_t list_triplets(const sp_tuner *tuner, triplets *out) {
    size_t count = tuner->params.count / PARTS;
    for (size_t i = 0; i < count; i++)
        for (int part = 0; part < PARTS; part++) {
            sp_param *p = tuner->params.items[i * PARTS + (size_t)part];
            out[i].part[part] = &p->var;
            out[i].sensitivity[part] = state(tuner, "exp_avg_ipt", p);
            out[i].uncertainty[part] = state(tuner, "exp_avg_unc", p);
            if (part == E) out[i].kept = state(tuner, "rank_pattern", p);
        }
    return count;
}

/* Sensitivity |w dL/dw| of every weight, smoothed, and its uncertainty (eq. 8 to 10). */
static void update_importance(const sp_method_options *o, const sp_var *v, sp_var *sensitivity,
                              sp_var *uncertainty) {
    float beta1 = (float)o->importance_beta1, beta2 = (float)o->importance_beta2;
    for (long i = 0; i < v->rows * v->cols; i++) {
        float now = v->grad_ready ? fabsf(v->data[i] * v->grad[i]) : 0;
        float *mean = &sensitivity->data[i], *spread = &uncertainty->data[i];
        *mean = beta1 * *mean + (1 - beta1) * now;
        *spread = beta2 * *spread + (1 - beta2) * fabsf(now - *mean);
    }
}

static double importance(const triplets *m, int part, long index) {
    return (double)m->sensitivity[part]->data[index] * m->uncertainty[part]->data[index];
}

/* Of triplet k: its singular value's importance and the means of its two vectors' (eq. 7). */
static double score_triplet(const triplets *m, long k) {
    const sp_var *a = m->part[A], *b = m->part[B];
    double right = 0, left = 0;
    for (long i = 0; i < a->cols; i++) right += importance(m, A, k * a->cols + i);
    for (long i = 0; i < b->rows; i++) left += importance(m, B, i * b->cols + k);
    return importance(m, E, k) + right / (double)a->cols + left / (double)b->rows;
}

typedef struct candidate {
    double score;
    long index; /* of the triplet, counted through all matrices */
} candidate;

/* The most important first; of equal ones the first, so that a budget is met whatever the scores.
 */
static int compare_candidates(const void *a, const void *b) {
    const candidate *x = a, *y = b;
    if (x->score != y->score) return x->score < y->score ? 1 : -1;
    return x->index < y->index ? -1 : x->index > y->index;
}

/* Sets to zero the singular values that rank_pattern does not keep. */
static void apply_pattern(triplets *m) {
    for (long k = 0; k < m->kept->rows; k++)
        if (m->kept->data[k] == 0) m->part[E]->data[k] = 0;
}

/* Keeps the `budget` most important triplets of all matrices. */
static void allocate(const sp_tuner *tuner, triplets *matrices, size_t count, long budget) {
    long rank = tuner->options.init_r, total = rank * (long)count;
    candidate *sorted = sp_alloc((size_t)total, sizeof *sorted);
    for (long i = 0; i < total; i++)
        sorted[i] = (candidate){score_triplet(&matrices[i / rank], i % rank), i};
    qsort(sorted, (size_t)total, sizeof *sorted, compare_candidates);
    for (long i = 0; i < total; i++) {
        long index = sorted[i].index;
        matrices[index / rank].kept->data[index % rank] = i < budget ? 1 : 0;
    }
    for (size_t i = 0; i < count; i++) apply_pattern(&matrices[i]);
    free(sorted);
}

/* The sum of all ranks after `step`, falling from `start` to `end` between steps first and last
 * (section 3.3, eq. 12). */
static long budget_at(long step, long first, long last, long start, long end) {
    double left = 1 - (double)(step - first) / (double)(last - first);
    return (long)((double)(start - end) * left * left * left + (double)end);
}

static void after_step(sp_tuner *tuner, long step, long steps) {
    const sp_method_options *o = &tuner->options;
    triplets *matrices = sp_alloc(tuner->params.count / PARTS, sizeof *matrices);
    size_t count = list_triplets(tuner, matrices);
    long first = lround(o->tinit * (double)steps), last = steps - lround(o->tfinal * (double)steps);
    long start = o->init_r * (long)count, end = o->target_r * (long)count;
    for (size_t i = 0; i < count && step < last; i++)
        for (int part = 0; part < PARTS; part++)
            update_importance(o, matrices[i].part[part], matrices[i].sensitivity[part],
                              matrices[i].uncertainty[part]);
    if (step == last)
        allocate(tuner, matrices, count, end);
    else if (step > last)
        for (size_t i = 0; i < count; i++) apply_pattern(&matrices[i]);
    else if (step > first && step % o->delta_t == 0)
        allocate(tuner, matrices, count, budget_at(step, first, last, start, end));
    free(matrices);
}

const sp_method sp_method_adalora = {.name = "adalora",
                                     .title = "AdaLoRA",
                                     .options = options,
                                     .create = create,
                                     .inject = inject,
                                     .penalty = penalty,
                                     .after_step = after_step};
