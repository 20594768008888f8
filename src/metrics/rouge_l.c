#include "core/memory.h"
#include "metrics/metric.h"
#include "metrics/symbols.h"

#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

/* Lower-case text in which all but a-z and 0-9 is white space. Only U+0130, a capital I with a dot,
 * becomes two characters in lower case: i and a combining dot. */
static void read_text(const char *text, sp_symbols *characters, sp_symbols *out) {
    sp_characters(text, characters);
    out->len = 0;
    for (size_t i = 0; i < characters->len; i++) {
        uint32_t c = (uint32_t)utf8proc_tolower((utf8proc_int32_t)characters->data[i]);
        bool word = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        sp_symbols_push(out, word ? c : ' ');
        if (characters->data[i] == 0x130) sp_symbols_push(out, ' ');
    }
}

/* Length of the longest common subsequence. `row` is scratch, [b->len + 1]. */
static size_t common_length(const sp_symbols *a, const sp_symbols *b, size_t *row) {
    memset(row, 0, (b->len + 1) * sizeof *row);
    for (size_t i = 0; i < a->len; i++) {
        size_t diagonal = 0; /* row i - 1, column j - 1 */
        for (size_t j = 1; j <= b->len; j++) {
            size_t above = row[j];
            if (a->data[i] == b->data[j - 1])
                row[j] = diagonal + 1;
            else if (row[j - 1] > above)
                row[j] = row[j - 1];
            diagonal = above;
        }
    }
    return row[b->len];
}

typedef struct rouge_workspace {
    sp_symbols characters, hypothesis, hypothesis_words, reference, reference_words;
    sp_ngrams words;
    size_t *row;
} rouge_workspace;

/* F1 against the best reference, in [0, 1] (Lin 2004, section 3.1 with beta = 1). */
static double score_text(rouge_workspace *w, const sp_scored_text *text) {
    sp_ngrams_clear(&w->words);
    read_text(text->hypothesis, &w->characters, &w->hypothesis);
    sp_add_words(&w->hypothesis, &w->words, &w->hypothesis_words);
    w->row = sp_realloc(w->row, w->hypothesis_words.len + 1, sizeof *w->row);
    double best = 0;
    for (size_t r = 0; r < text->reference_count; r++) {
        read_text(text->references[r], &w->characters, &w->reference);
        sp_find_words(&w->reference, &w->words, &w->reference_words);
        size_t common = common_length(&w->reference_words, &w->hypothesis_words, w->row);
        if (common == 0) continue;
        /* 2PR / (P + R) with P = common / hypothesis, R = common / reference */
        double f = 2 * (double)common / (double)(w->hypothesis_words.len + w->reference_words.len);
        if (f > best) best = f;
    }
    return best;
}

static double score_rouge_l(const sp_scored_text *texts, size_t count) {
    if (count == 0) return 0;
    rouge_workspace w = {0};
    double sum = 0;
    for (size_t i = 0; i < count; i++) sum += score_text(&w, &texts[i]);
    sp_symbols_free(&w.hypothesis), sp_symbols_free(&w.hypothesis_words);
    sp_symbols_free(&w.reference), sp_symbols_free(&w.reference_words);
    sp_symbols_free(&w.characters), sp_ngrams_free(&w.words);
    free(w.row);
    return 100 * sum / (double)count;
}

const sp_metric sp_metric_rouge_l = {
    .name = "rouge-l", .title = "ROUGE-L", .higher_is_better = true, .score = score_rouge_l};
