/* Metrics of tag sequences, as the seqeval package in its default mode, which counts as
 * conlleval.pl does: what the tags say together, and not only whether they are well formed, decides
 * where an entity begins. */
#include "metrics/metric.h"

#include <stdbool.h>
#include <string.h>

/* A tag: "B-name" begins an entity of type name, "I-name" goes on with it; of other schemes E ends
 * one and S is one alone. O, or '\0' behind the end of a text, is outside of all. */
typedef struct tag {
    char place;       /* 'B', 'I', 'E', 'S', 'O' */
    const char *type; /* [type_len] */
    size_t type_len;
} tag;

static const tag OUTSIDE = {'O', "_", 1};

static bool is_same(const char *a, size_t a_len, const char *b, size_t b_len) {
    return a_len == b_len && memcmp(a, b, a_len) == 0;
}

/* The next word of *text, which moves behind it; length 0 at the end. */
static const char *next_word(const char **text, size_t *len) {
    const char *word = *text + strspn(*text, " \t\r\n");
    *len = strcspn(word, " \t\r\n");
    *text = word + *len;
    return word;
}

/* The type is what follows the first "-", or all but the first letter if there is none. */
static tag read_tag(const char *word, size_t len) {
    if (len == 0) return OUTSIDE;
    const char *type = word + 1, *dash = memchr(type, '-', len - 1);
    if (dash) type = dash + 1;
    size_t type_len = (size_t)(word + len - type);
    return type_len ? (tag){*word, type, type_len} : (tag){*word, "_", 1};
}

static bool is_one_of(char place, const char *places) {
    return strchr(places, place) != NULL;
}

static bool types_differ(tag a, tag b) {
    return !is_same(a.type, a.type_len, b.type, b.type_len);
}

/* Whether an entity ends between two neighbours. */
static bool ends(tag before, tag now) {
    if (is_one_of(before.place, "ES")) return true;
    if (is_one_of(before.place, "BI") && is_one_of(now.place, "BSO")) return true;
    return !is_one_of(before.place, "O.") && types_differ(before, now);
}

/* Whether one begins there. */
static bool begins(tag before, tag now) {
    if (is_one_of(now.place, "BS")) return true;
    if (is_one_of(before.place, "ESO") && is_one_of(now.place, "EI")) return true;
    return !is_one_of(now.place, "O.") && types_differ(before, now);
}

/* One of the two sequences of a text, read tag by tag. */
typedef struct reading {
    tag before;
    size_t begin; /* of the entity that is open */
    size_t entities;
} reading;

/* Goes on to tag `now` at place i; true if an entity has ended before it, which then is of
 * *ended's type and began at *began. */
static bool advance(reading *r, tag now, size_t i, tag *ended, size_t *began) {
    bool end = ends(r->before, now);
    *ended = r->before, *began = r->begin;
    r->entities += end;
    if (begins(r->before, now)) r->begin = i;
    r->before = now;
    return end;
}

/* Of a text, and added up: numbers that a double holds exactly. */
typedef struct counts {
    double predicted, truth, correct; /* entities */
    double tags, right_tags;
} counts;
enum { SUMS = sizeof(counts) / sizeof(double) };

/* The truth says how long a text is. */
static void count_text(const char *hypothesis, const char *reference, counts *c) {
    reading predicted = {OUTSIDE, 0, 0}, truth = {OUTSIDE, 0, 0};
    bool more = true;
    for (size_t i = 0; more; i++) {
        size_t said_len, true_len, said_begin, true_begin;
        tag said_type, true_type;
        const char *true_word = next_word(&reference, &true_len);
        const char *said_word = next_word(&hypothesis, &said_len);
        more = true_len > 0;
        tag said = more ? read_tag(said_word, said_len) : OUTSIDE;
        bool said_ends = advance(&predicted, said, i, &said_type, &said_begin);
        bool true_ends = advance(&truth, read_tag(true_word, true_len), i, &true_type, &true_begin);
        c->correct += said_ends && true_ends && said_begin == true_begin &&
                      !types_differ(said_type, true_type);
        c->tags += more;
        if (said_len == 0) said_word = "O", said_len = 1;
        c->right_tags += more && is_same(said_word, said_len, true_word, true_len);
    }
    c->predicted = (double)predicted.entities;
    c->truth = (double)truth.entities;
}

static void measure_tags(const sp_scored_text *texts, size_t count, double *out) {
    for (size_t i = 0; i < count; i++) {
        counts c = {0};
        const char *reference = texts[i].reference_count ? texts[i].references[0] : "";
        count_text(texts[i].hypothesis, reference, &c);
        memcpy(out + i * SUMS, &c, sizeof c);
    }
}

static counts as_counts(const double *sums) {
    counts c;
    memcpy(&c, sums, sizeof c);
    return c;
}

static double percent(double part, double whole) {
    return whole > 0 ? 100 * part / whole : 0;
}

static double combine_f1(const double *sums, size_t count) {
    (void)count;
    counts c = as_counts(sums);
    return percent(2 * c.correct, c.predicted + c.truth);
}

static double combine_precision(const double *sums, size_t count) {
    (void)count;
    counts c = as_counts(sums);
    return percent(c.correct, c.predicted);
}

static double combine_recall(const double *sums, size_t count) {
    (void)count;
    counts c = as_counts(sums);
    return percent(c.correct, c.truth);
}

static double combine_accuracy(const double *sums, size_t count) {
    (void)count;
    counts c = as_counts(sums);
    return percent(c.right_tags, c.tags);
}

static double score_f1(const sp_scored_text *texts, size_t count) {
    return sp_metric_add_up(&sp_metric_span_f1, texts, count);
}

static double score_precision(const sp_scored_text *texts, size_t count) {
    return sp_metric_add_up(&sp_metric_span_precision, texts, count);
}

static double score_recall(const sp_scored_text *texts, size_t count) {
    return sp_metric_add_up(&sp_metric_span_recall, texts, count);
}

static double score_accuracy(const sp_scored_text *texts, size_t count) {
    return sp_metric_add_up(&sp_metric_token_accuracy, texts, count);
}

const sp_metric sp_metric_span_f1 = {.name = "span-f1",
                                     .title = "Span F1",
                                     .task = SP_TAGGING,
                                     .decimals = 1,
                                     .higher_is_better = true,
                                     .score = score_f1,
                                     .sums = SUMS,
                                     .measure = measure_tags,
                                     .combine = combine_f1};
const sp_metric sp_metric_span_precision = {.name = "span-precision",
                                            .title = "Span precision",
                                            .task = SP_TAGGING,
                                            .decimals = 1,
                                            .higher_is_better = true,
                                            .score = score_precision,
                                            .sums = SUMS,
                                            .measure = measure_tags,
                                            .combine = combine_precision};
const sp_metric sp_metric_span_recall = {.name = "span-recall",
                                         .title = "Span recall",
                                         .task = SP_TAGGING,
                                         .decimals = 1,
                                         .higher_is_better = true,
                                         .score = score_recall,
                                         .sums = SUMS,
                                         .measure = measure_tags,
                                         .combine = combine_recall};
const sp_metric sp_metric_token_accuracy = {.name = "token-accuracy",
                                            .title = "Token accuracy",
                                            .task = SP_TAGGING,
                                            .decimals = 1,
                                            .higher_is_better = true,
                                            .score = score_accuracy,
                                            .sums = SUMS,
                                            .measure = measure_tags,
                                            .combine = combine_accuracy};
