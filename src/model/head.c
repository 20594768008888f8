#include "model/head.h"

#include "tensor/gemm.h"
#include "tensor/kernels.h"
#include "tensor/weight.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

/* A chunk of logits [rows, tokens] is of at most CHUNK floats (256 KB, a part of the L2 cache) and
 * between the two numbers of tokens; its maxima are taken over BLOCK tokens. */
enum { CHUNK = 1 << 16, LEAST_TOKENS = 64, MOST_TOKENS = 1024, BLOCK = 64 };

/* What a part of the vocabulary has told so far: for each row its likeliest tokens, and
 * sum of exp(logit - shift). */
typedef struct part {
    sp_candidate *best; /* [rows, k] */
    int *found;         /* [rows] how many of them there are */
    float *shift;       /* [rows] the largest logit so far */
    double *sum;        /* [rows] */
    float *logits;      /* [rows, chunk] */
} part;

/* Inserts into a list of at most k, likeliest first; equal ones keep their order of arrival. */
static int insert(sp_candidate *best, int found, int k, sp_candidate c) {
    int at = found < k ? found++ : k - 1;
    while (at > 0 && best[at - 1].logit < c.logit) {
        best[at] = best[at - 1];
        at--;
    }
    best[at] = c;
    return found;
}

static bool enters(const sp_candidate *best, int found, int k, float logit) {
    return found < k || logit > best[k - 1].logit;
}

/* Takes the candidates of one row of a chunk; returns its largest logit. */
static float take_candidates(const float *logits, int first, int tokens, int k, sp_candidate *best,
                             int *found) {
    float largest = -INFINITY;
    for (int start = 0; start < tokens; start += BLOCK) {
        int end = start + BLOCK < tokens ? start + BLOCK : tokens;
        float most = sp_max(end - start, logits + start);
        if (most > largest) largest = most;
        if (!enters(best, *found, k, most)) continue;
        for (int i = start; i < end; i++)
            if (enters(best, *found, k, logits[i]))
                *found = insert(best, *found, k, (sp_candidate){logits[i], first + i});
    }
    return largest;
}

/* sum of exp(x - shift) over what was summed before and n more; x is overwritten. */
static void add_exponentials(long n, float *x, float largest, float *shift, double *sum) {
    if (largest > *shift) {
        *sum *= exp((double)*shift - (double)largest);
        *shift = largest;
    }
    *sum += (double)sp_exp_sum(n, x, *shift, x);
}

static void multiply(const sp_var *head, const float *hidden, long ld, long rows, long first,
                     long tokens, float *logits, long logits_ld) {
    if (head->weight)
        sp_weight_gemm(head->weight, true, first, tokens, rows, hidden, ld, 0, logits, logits_ld);
    else
        sp_gemm(false, true, rows, tokens, head->cols, hidden, ld, head->data + first * head->ld,
                head->ld, 0, logits, logits_ld);
}

static part new_part(sp_arena *scratch, long rows, int k, long chunk) {
    size_t n = (size_t)rows;
    part p = {.best = sp_arena_alloc(scratch, n * (size_t)k * sizeof *p.best),
              .found = sp_arena_zero(scratch, n * sizeof *p.found),
              .shift = sp_arena_alloc(scratch, n * sizeof *p.shift),
              .sum = sp_arena_zero(scratch, n * sizeof *p.sum),
              .logits = sp_arena_alloc(scratch, n * (size_t)chunk * sizeof *p.logits)};
    for (long r = 0; r < rows; r++) p.shift[r] = -INFINITY;
    return p;
}

/* Tokens first .. end of the vocabulary. */
static void run_part(const sp_var *head, const sp_var *hidden, int k, bool sum, long chunk,
                     long first, long end, part *p) {
    for (; first < end; first += chunk) {
        long tokens = end - first < chunk ? end - first : chunk;
        multiply(head, hidden->data, hidden->ld, hidden->rows, first, tokens, p->logits, tokens);
        for (long r = 0; r < hidden->rows; r++) {
            float *row = p->logits + r * tokens;
            float largest =
                take_candidates(row, (int)first, (int)tokens, k, p->best + r * k, &p->found[r]);
            if (sum) add_exponentials(tokens, row, largest, &p->shift[r], &p->sum[r]);
        }
    }
}

/* Row r of all parts, in the order of the vocabulary; returns how many candidates it has. */
static int join_row(const part *parts, int count, long r, int k, sp_candidate *best,
                    double *log_sum) {
    int found = 0;
    float shift = -INFINITY;
    double sum = 0;
    for (int i = 0; i < count; i++) {
        const sp_candidate *from = parts[i].best + r * k;
        for (int c = 0; c < parts[i].found[r] && enters(best, found, k, from[c].logit); c++)
            found = insert(best, found, k, from[c]);
        if (parts[i].shift[r] > shift) shift = parts[i].shift[r];
    }
    for (int i = 0; i < count; i++)
        sum += parts[i].sum[r] * exp((double)parts[i].shift[r] - (double)shift);
    if (log_sum) log_sum[r] = (double)shift + log(sum);
    return found;
}

static bool all_finite(int n, const sp_candidate *candidates) {
    for (int i = 0; i < n; i++)
        if (!isfinite(candidates[i].logit)) return false;
    return true;
}

static sp_status refuse(void) {
    return sp_fail(SP_ERR_NUMERIC, "the logits are not finite numbers; the weights of model or "
                                   "prompt are damaged, train them again");
}

static long chunk_tokens(long rows) {
    long tokens = CHUNK / (rows ? rows : 1) / BLOCK * BLOCK;
    return tokens < LEAST_TOKENS ? LEAST_TOKENS : tokens > MOST_TOKENS ? MOST_TOKENS : tokens;
}

sp_status sp_head_best(const sp_var *head, const sp_var *hidden, int k, sp_candidate *best,
                       double *log_sum, sp_arena *scratch) {
    int count = sp_threads();
    long rows = hidden->rows, vocabulary = head->rows, chunk = chunk_tokens(rows);
    part *parts = sp_arena_alloc(scratch, (size_t)count * sizeof *parts);
    for (int i = 0; i < count; i++) parts[i] = new_part(scratch, rows, k, chunk);
#pragma omp parallel for schedule(static)
    for (int i = 0; i < count; i++)
        run_part(head, hidden, k, log_sum != NULL, chunk, vocabulary * i / count,
                 vocabulary * (i + 1) / count, &parts[i]);
    bool finite = true;
    for (long r = 0; r < rows; r++) {
        int found = join_row(parts, count, r, k, best + r * k, log_sum);
        finite = finite && found == k && all_finite(k, best + r * k) &&
                 (!log_sum || isfinite(log_sum[r]));
    }
    sp_arena_reset(scratch);
    return finite ? SP_OK : refuse();
}

sp_status sp_head_logits(const sp_var *head, const sp_var *hidden, long first, long count,
                         float *logits) {
    long vocabulary = head->rows;
    multiply(head, hidden->data + first * hidden->ld, hidden->ld, count, 0, vocabulary, logits,
             vocabulary);
    for (long r = 0; r < count; r++)
        if (!isfinite(logits[r * vocabulary])) return refuse();
    return SP_OK;
}
