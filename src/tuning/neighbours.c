#include "tuning/neighbours.h"

#include "core/status.h"
#include "tensor/kernels.h"
#include "text/word_map.h"

#include <ctype.h>
#include <libstemmer.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

/* ---- cosines ---- */

/* Row r of v divided by its length; zeros stay. */
static void unit_row(const sp_var *v, long r, float *out) {
    sp_var_row(v, r, out);
    double length = sqrt(sp_sum_squares(v->cols, out));
    if (length > 0) sp_scale(v->cols, (float)(1.0 / length), out, out);
}

static void fill_cosines(const sp_var *rows, const sp_var *embedding, sp_neighbours *n) {
    long d = rows->cols;
    float *units = sp_alloc_floats((size_t)(n->count * d)), *token = sp_alloc_floats((size_t)d);
    for (long r = 0; r < n->count; r++) unit_row(rows, r, units + r * d);
    for (long t = 0; t < n->vocabulary; t++) {
        unit_row(embedding, t, token);
        for (long r = 0; r < n->count; r++)
            n->cosines[r * n->vocabulary + t] = sp_dot(d, token, units + r * d);
    }
    free(units);
    free(token);
}

/* The list nearest [top], of which `held` are filled, with one more candidate. */
static void insert(sp_neighbour *nearest, int top, int held, sp_neighbour candidate) {
    int at = held < top ? held : top - 1;
    if (held == top && candidate.cosine <= nearest[at].cosine) return;
    while (at > 0 && candidate.cosine > nearest[at - 1].cosine) {
        nearest[at] = nearest[at - 1];
        at--;
    }
    nearest[at] = candidate;
}

void sp_neighbours_find(const sp_var *rows, const sp_var *embedding, long vocabulary, int top,
                        sp_neighbours *n) {
    if (top > vocabulary) top = (int)vocabulary;
    *n = (sp_neighbours){.count = rows->rows, .vocabulary = vocabulary, .top = top};
    n->cosines = sp_alloc_floats((size_t)(n->count * vocabulary));
    n->nearest = sp_alloc((size_t)n->count * (size_t)top, sizeof *n->nearest);
    fill_cosines(rows, embedding, n);
    for (long r = 0; r < n->count; r++)
        for (long t = 0; t < vocabulary; t++)
            insert(n->nearest + r * top, top, t < top ? (int)t : top,
                   (sp_neighbour){(int)t, n->cosines[r * vocabulary + t]});
}

void sp_neighbours_free(sp_neighbours *n) {
    free(n->cosines);
    free(n->nearest);
    *n = (sp_neighbours){0};
}

/* ---- where tokens stand ---- */

static long rank_of(const sp_neighbours *n, long row, int token) {
    const float *cosines = n->cosines + row * n->vocabulary;
    long rank = 1;
    for (long t = 0; t < n->vocabulary; t++) rank += cosines[t] > cosines[token];
    return rank;
}

long sp_neighbours_rank(const sp_neighbours *n, const int *tokens, size_t count, long *row) {
    long best = n->vocabulary + 1;
    *row = 0;
    for (size_t i = 0; i < count; i++)
        for (long r = 0; r < n->count; r++) {
            long rank = rank_of(n, r, tokens[i]);
            if (rank < best) best = rank, *row = r;
        }
    return best;
}

/* How many tokens are among the first `top` of any virtual token. */
static long count_found(const sp_neighbours *n, int top) {
    bool *found = sp_alloc((size_t)n->vocabulary, sizeof *found);
    long count = 0;
    for (long r = 0; r < n->count; r++)
        for (int k = 0; k < top; k++) {
            bool *here = &found[n->nearest[r * n->top + k].token];
            count += !*here;
            *here = true;
        }
    free(found);
    return count;
}

double sp_neighbours_share(const sp_neighbours *n) {
    return (double)count_found(n, n->top) / (double)n->vocabulary;
}

/* ---- word variants ---- */

/* The text of a token without white space and # at its ends, case folded; NULL: it has no letter,
 * or only a part of one. The caller's. */
static char *folded_text(const sp_tokenizer *tokenizer, int token) {
    sp_ints one = {.data = &token, .len = 1, .cap = 1};
    char *text = sp_tokenizer_text(tokenizer, &one), *start = text + strspn(text, " \t\r\n#");
    size_t len = strlen(start);
    while (len && strchr(" \t\r\n#", start[len - 1])) len--;
    bool letter = false, part = strstr(start, "\xEF\xBF\xBD") != NULL; /* of a character */
    for (size_t i = 0; i < len; i++)
        letter = letter || isalpha((unsigned char)start[i]) || (start[i] & 0x80);
    utf8proc_uint8_t *folded = NULL;
    if (letter && !part)
        utf8proc_map((const utf8proc_uint8_t *)start, (utf8proc_ssize_t)len, &folded,
                     UTF8PROC_CASEFOLD | UTF8PROC_COMPOSE);
    free(text);
    return (char *)folded;
}

/* forms [vocabulary]: tokens with the same number from 1 on share a form; 0: none. Returns the
 * largest number. */
static int number_forms(const sp_tokenizer *tokenizer, long vocabulary, int *forms) {
    struct sb_stemmer *stemmer = sb_stemmer_new("english", NULL);
    if (!stemmer) sp_panic("libstemmer has no stemmer 'english'");
    sp_word_map map = {0};
    int count = 0;
    for (long t = 0; t < vocabulary; t++) {
        char *text = folded_text(tokenizer, (int)t);
        if (!text) continue;
        const sb_symbol *stem =
            sb_stemmer_stem(stemmer, (const sb_symbol *)text, (int)strlen(text));
        if (!stem) sp_panic("libstemmer has no memory left");
        sp_word *word =
            sp_word_map_add(&map, (const char *)stem, (size_t)sb_stemmer_length(stemmer));
        if (!word->value) word->value = ++count;
        forms[t] = (int)word->value;
        free(text);
    }
    sb_stemmer_delete(stemmer);
    sp_word_map_free(&map);
    return count;
}

/* The probability that `drawn` tokens, drawn without replacement, have two of one form: 1 - (ways
 * to take as many of different forms) / (ways to take as many), by the elementary symmetric
 * polynomial of the sizes of the forms; a token without form is a form of its own. */
static double chance_of_variants(const int *forms, long vocabulary, int form_count, int drawn) {
    long *sizes = sp_alloc((size_t)form_count + 1, sizeof *sizes);
    double ways[SP_NEIGHBOUR_CLUSTER + 1] = {1}, all = 1;
    for (long t = 0; t < vocabulary; t++) sizes[forms[t]]++;
    for (int f = 1; f <= form_count; f++)
        for (int k = drawn; k > 0; k--) ways[k] += ways[k - 1] * (double)sizes[f];
    for (long alone = 0; alone < sizes[0]; alone++)
        for (int k = drawn; k > 0; k--) ways[k] += ways[k - 1];
    for (int k = 0; k < drawn; k++) all *= (double)(vocabulary - k) / (double)(k + 1);
    free(sizes);
    return all > 0 ? fmax(0, 1 - ways[drawn] / all) : 0;
}

static bool has_variants(const sp_neighbour *nearest, int count, const int *forms) {
    for (int i = 0; i < count; i++)
        for (int j = 0; j < i; j++) {
            int form = forms[nearest[i].token];
            if (form && form == forms[nearest[j].token]) return true;
        }
    return false;
}

sp_clusters sp_neighbours_clusters(const sp_neighbours *n, const sp_tokenizer *tokenizer) {
    int looked_at = n->top < SP_NEIGHBOUR_CLUSTER ? n->top : SP_NEIGHBOUR_CLUSTER;
    int *forms = sp_alloc((size_t)n->vocabulary, sizeof *forms);
    int form_count = number_forms(tokenizer, n->vocabulary, forms);
    sp_clusters c = {.distinct = count_found(n, 1),
                     .chance = chance_of_variants(forms, n->vocabulary, form_count, looked_at)};
    for (long r = 0; r < n->count; r++)
        c.clustered += has_variants(n->nearest + r * n->top, looked_at, forms);
    free(forms);
    return c;
}
