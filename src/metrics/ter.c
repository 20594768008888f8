/* The rules that are no consequence of the definition (limits, order of preference, beam) are those
 * of tercom as sacrebleu has them; the score would differ without them. */
#include "core/memory.h"
#include "metrics/corpus.h"
#include "metrics/metric.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    MOST_SHIFTED_WORDS = 10,
    MOST_SHIFT_DISTANCE = 50,
    MOST_CANDIDATES = 1000,
    BEAM = 25,
    UNREACHED = 1 << 29 /* a cost; never the cost of a text */
};

/* A row of the table of edit costs: those of columns [first, end); others are not reached. */
typedef struct ter_row {
    int *costs; /* [end - first] */
    long first, end;
} ter_row;

typedef struct ter_workspace {
    sp_words reference;
    uint32_t *words;   /* the hypothesis as shifted so far, [len] */
    uint32_t *shifted; /* the same with one more shift */
    size_t len;
    ter_row *table;     /* of `words`, [len + 1] */
    ter_row row, other; /* two rows of the table of `shifted` */
    long *target; /* by word of the reference: the word of the hypothesis it is aligned with */
    bool *reference_error, *error; /* words that are not aligned with an equal one */
    size_t candidates;             /* shifts tried */
} ter_workspace;

/* A shift puts the words [start, start + length) where they begin at `to` afterwards. */
typedef struct shift {
    int gain;
    size_t length, start, index, to;
} shift;

/* ---- edit distance ---- */

static int cost_at(const ter_row *row, long column) {
    bool reached = column >= row->first && column < row->end;
    return reached ? row->costs[column - row->first] : UNREACHED;
}

/* Only columns near the diagonal are reached, but for the first row and the end of the last. */
static void set_columns(const ter_workspace *w, size_t i, ter_row *row) {
    long columns = (long)w->reference.len + 1;
    double ratio = (double)w->reference.len / (double)w->len;
    long beam = BEAM < ratio / 2 ? (long)ceil(ratio / 2 + BEAM) : BEAM;
    long diagonal = (long)floor((double)i * ratio);
    row->first = i > 0 && diagonal > beam ? diagonal - beam : 0;
    row->end = i > 0 && i < w->len && diagonal + beam < columns ? diagonal + beam : columns;
}

/* Fills row i, with `word`, from the row above it and returns its smallest cost. */
static int fill_row(const ter_workspace *w, size_t i, uint32_t word, const ter_row *above,
                    ter_row *row) {
    set_columns(w, i, row);
    int least = UNREACHED, left = UNREACHED, diagonal = cost_at(above, row->first - 1);
    for (long j = row->first; j < row->end; j++) {
        int up = cost_at(above, j), cost = (up < left ? up : left) + 1;
        bool other = j == 0 || word != w->reference.ids[j - 1];
        if (diagonal + other < cost) cost = diagonal + other;
        row->costs[j - row->first] = left = cost < UNREACHED ? cost : UNREACHED;
        diagonal = up;
        if (left < least) least = left;
    }
    return least;
}

static int last_cost(const ter_workspace *w, const ter_row *row) {
    return cost_at(row, (long)w->reference.len);
}

/* The edit distance of `words`; the whole table is kept. */
static int measure(ter_workspace *w) {
    for (size_t j = 0; j <= w->reference.len; j++) w->table[0].costs[j] = (int)j;
    for (size_t i = 1; i <= w->len; i++)
        fill_row(w, i, w->words[i - 1], &w->table[i - 1], &w->table[i]);
    return last_cost(w, &w->table[w->len]);
}

/* The edit distance of `shifted`, which equals `words` up to `same`; any larger number if it is
 * over `limit`. */
static int measure_shifted(ter_workspace *w, size_t same, int limit) {
    const ter_row *above = &w->table[same];
    for (size_t i = same + 1; i <= w->len; i++) {
        ter_row *row = above == &w->row ? &w->other : &w->row;
        if (fill_row(w, i, w->shifted[i - 1], above, row) > limit) return UNREACHED;
        above = row;
    }
    return last_cost(w, above);
}

/* Walks back through the table: an equal or replaced word is preferred, then a word that the
 * reference lacks, then one that the hypothesis lacks. */
static void align(ter_workspace *w) {
    size_t i = w->len, j = w->reference.len;
    while (i > 0 || j > 0) {
        int cost = cost_at(&w->table[i], (long)j);
        const ter_row *above = i > 0 ? &w->table[i - 1] : NULL;
        bool equal = above && j > 0 && w->words[i - 1] == w->reference.ids[j - 1];
        if (above && j > 0 && cost == cost_at(above, (long)j - 1) + !equal) {
            i--, j--;
            w->target[j] = (long)i;
            w->error[i] = w->reference_error[j] = !equal;
        } else if (above && cost == cost_at(above, (long)j) + 1) {
            w->error[--i] = true;
        } else {
            w->reference_error[--j] = true;
            w->target[j] = (long)i - 1;
        }
    }
}

/* ---- shifts ---- */

static bool has_error(const bool *errors, size_t start, size_t length) {
    for (size_t i = start; i < start + length; i++)
        if (errors[i]) return true;
    return false;
}

/* Where the shifted words begin if they are put before the word that stands at `index`. */
static size_t place(const ter_workspace *w, size_t start, size_t length, size_t index) {
    if (index < start) return index;
    if (index > start + length) return index - length;
    return index < w->len - length ? index : w->len - length;
}

static void apply(const ter_workspace *w, const shift *s, uint32_t *out) {
    size_t behind = w->len - s->start - s->length;
    memcpy(out, w->words, s->start * sizeof *out);
    memcpy(out + s->start, w->words + s->start + s->length, behind * sizeof *out);
    memmove(out + s->to + s->length, out + s->to, (w->len - s->length - s->to) * sizeof *out);
    memcpy(out + s->to, w->words + s->start, s->length * sizeof *out);
}

/* More gain, then more words, then the earlier words, then the earlier place. */
static bool is_better(const shift *a, const shift *b) {
    if (a->gain != b->gain) return a->gain > b->gain;
    if (a->length != b->length) return a->length > b->length;
    if (a->start != b->start) return a->start < b->start;
    return a->index < b->index;
}

static void try_shift(ter_workspace *w, shift s, int cost, shift *best) {
    w->candidates++;
    s.to = place(w, s.start, s.length, s.index);
    if (s.to == s.start) return;
    apply(w, &s, w->shifted);
    int limit = cost - (best->gain > 0 ? best->gain : 1);
    s.gain = cost - measure_shifted(w, s.to < s.start ? s.to : s.start, limit);
    if (s.gain > 0 && is_better(&s, best)) *best = s;
}

/* Tries to put the words behind each of those that the reference's words, from the one before
 * `target` on, are aligned with. */
static void try_places(ter_workspace *w, size_t start, size_t target, size_t length, int cost,
                       shift *best) {
    long aligned = w->target[target];
    if (!has_error(w->error, start, length)) return;
    if (!has_error(w->reference_error, target, length)) return;
    if (aligned >= (long)start && aligned < (long)(start + length)) return;
    long previous = -1;
    for (size_t k = 0; k <= length; k++) {
        long index = target + k == 0 ? 0 : w->target[target + k - 1] + 1;
        if (index == previous) continue;
        previous = index;
        try_shift(w, (shift){.length = length, .start = start, .index = (size_t)index}, cost, best);
    }
}

/* The best shift of words to where the reference has the same; gain 0 if none lowers the cost. */
static shift find_shift(ter_workspace *w, int cost) {
    shift best = {0};
    for (size_t start = 0; start < w->len; start++) {
        size_t first = start > MOST_SHIFT_DISTANCE ? start - MOST_SHIFT_DISTANCE : 0;
        size_t end = start + MOST_SHIFT_DISTANCE + 1;
        for (size_t target = first; target < w->reference.len && target < end; target++)
            for (size_t length = 1; length <= MOST_SHIFTED_WORDS; length++) {
                if (start + length > w->len || target + length > w->reference.len) break;
                if (w->words[start + length - 1] != w->reference.ids[target + length - 1]) break;
                try_places(w, start, target, length, cost, &best);
                if (w->candidates >= MOST_CANDIDATES) return best;
            }
    }
    return best;
}

/* Shifts as long as they pay (Snover et al. 2006, section 2). */
static size_t count_edits(ter_workspace *w) {
    size_t shifts = 0;
    int cost = measure(w);
    for (;;) {
        align(w);
        shift best = find_shift(w, cost);
        if (w->candidates >= MOST_CANDIDATES || best.gain == 0) return shifts + (size_t)cost;
        apply(w, &best, w->shifted);
        memcpy(w->words, w->shifted, w->len * sizeof *w->words);
        cost = measure(w);
        shifts++;
    }
}

/* The rows of both tables lie in one block, which is w->table[0].costs. */
static void make_tables(ter_workspace *w) {
    w->table = sp_alloc(w->len + 1, sizeof *w->table);
    size_t columns = w->reference.len + 1, total = 2 * columns;
    for (size_t i = 0; i <= w->len; i++) {
        set_columns(w, i, &w->table[i]);
        total += (size_t)(w->table[i].end - w->table[i].first);
    }
    int *costs = sp_alloc(total, sizeof *costs);
    for (size_t i = 0; i <= w->len; i++) {
        w->table[i].costs = costs;
        costs += w->table[i].end - w->table[i].first;
    }
    w->row.costs = costs;
    w->other.costs = costs + columns;
}

static size_t edits_to(sp_words hypothesis, sp_words reference) {
    if (!hypothesis.len || !reference.len) return hypothesis.len + reference.len;
    ter_workspace w = {.reference = reference, .len = hypothesis.len};
    w.words = sp_alloc(2 * w.len, sizeof *w.words);
    w.shifted = w.words + w.len;
    w.target = sp_alloc(reference.len, sizeof *w.target);
    w.error = sp_alloc(w.len + reference.len, sizeof *w.error);
    w.reference_error = w.error + w.len;
    memcpy(w.words, hypothesis.ids, w.len * sizeof *w.words);
    make_tables(&w);
    size_t edits = count_edits(&w);
    free(w.table[0].costs);
    free(w.table);
    free(w.words);
    free(w.target);
    free(w.error);
    return edits;
}

/* ---- the corpus ---- */

typedef struct ter_sums {
    double edits, length; /* against the best reference; mean over the references */
} ter_sums;
enum { SUMS = sizeof(ter_sums) / sizeof(double) };

static ter_sums score_text(const sp_word_text *text) {
    size_t best = SIZE_MAX, length = 0;
    for (size_t r = 0; r < text->reference_count; r++) {
        size_t edits = edits_to(text->hypothesis, text->references[r]);
        if (edits < best) best = edits;
        length += text->references[r].len;
    }
    return (ter_sums){(double)best, (double)length / (double)text->reference_count};
}

static void measure_ter(const sp_scored_text *texts, size_t count, double *out) {
    sp_corpus corpus;
    sp_corpus_read(texts, count, sp_tokenize_ter, &corpus);
    for (size_t i = 0; i < count; i++) {
        ter_sums s = score_text(&corpus.texts[i]);
        out[SUMS * i] = s.edits;
        out[SUMS * i + 1] = s.length;
    }
    sp_corpus_free(&corpus);
}

static double combine_ter(const double *sums, size_t count) {
    (void)count;
    if (sums[1] > 0) return 100 * sums[0] / sums[1];
    return sums[0] > 0 ? 100 : 0; /* nothing but empty references */
}

static double score_ter(const sp_scored_text *texts, size_t count) {
    return sp_metric_add_up(&sp_metric_ter, texts, count);
}

const sp_metric sp_metric_ter = {.name = "ter",
                                 .title = "TER",
                                 .task = SP_GENERATION,
                                 .decimals = 1,
                                 .higher_is_better = false,
                                 .score = score_ter,
                                 .sums = SUMS,
                                 .measure = measure_ter,
                                 .combine = combine_ter};
