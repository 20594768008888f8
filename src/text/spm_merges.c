#include "text/spm_merges.h"
#include "core/memory.h"
#include "text/word_map.h"

#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Longer tokens are not made of merges: SentencePiece's are 16 characters unless told otherwise,
 * and trying all cuts of long ones takes quadratic time. */
enum { LONGEST_MERGED = 256 };

typedef struct merge {
    double score;
    int left_len, right_len; /* in characters */
    int merged, left, right; /* ids */
    const char *text;        /* of the merged token */
    size_t cut;              /* bytes of the left part */
} merge;

typedef struct merge_list {
    merge *data;
    size_t len, cap;
} merge_list;

static int descending(double a, double b) {
    return (a < b) - (a > b);
}

static int ascending(int a, int b) {
    return (a > b) - (a < b);
}

static int in_order(const void *a, const void *b) {
    const merge *x = a, *y = b;
    int order;
    if ((order = descending(x->score, y->score))) return order;
    if ((order = ascending(y->left_len, x->left_len))) return order;
    if ((order = ascending(y->right_len, x->right_len))) return order;
    if ((order = ascending(x->merged, y->merged))) return order;
    if ((order = ascending(x->left, y->left))) return order;
    return ascending(x->right, y->right);
}

static bool starts_character(char byte) {
    return ((unsigned char)byte & 0xc0) != 0x80;
}

static int count_characters(const char *text, size_t len) {
    int count = 0;
    for (size_t i = 0; i < len; i++) count += starts_character(text[i]);
    return count;
}

static void push(merge_list *list, merge m) {
    if (list->len == list->cap) {
        list->cap = list->cap ? 2 * list->cap : 1024;
        list->data = sp_realloc(list->data, list->cap, sizeof *list->data);
    }
    list->data[list->len++] = m;
}

/* All ways to make one token of two. */
static void add_cuts(const sp_word_map *ids, const char *text, int id, double score,
                     merge_list *list) {
    size_t len = strlen(text);
    if (len > LONGEST_MERGED) return;
    for (size_t cut = 1; cut < len; cut++) {
        if (!starts_character(text[cut])) continue;
        const sp_word *left = sp_word_map_find(ids, text, cut);
        const sp_word *right = left ? sp_word_map_find(ids, text + cut, len - cut) : NULL;
        if (right)
            push(list, (merge){score, count_characters(text, cut),
                               count_characters(text + cut, len - cut), id, (int)left->value,
                               (int)right->value, text, cut});
    }
}

sp_status sp_spm_merges(json_t *vocabulary, const double *scores, json_t *merges) {
    sp_word_map ids = {0};
    merge_list list = {0};
    const char *text;
    json_t *id;
    json_object_foreach(vocabulary, text, id) sp_word_map_add(&ids, text, strlen(text))->value =
        json_integer_value(id);
    json_object_foreach(vocabulary, text, id) {
        int value = (int)json_integer_value(id);
        add_cuts(&ids, text, value, scores[value], &list);
    }
    sp_word_map_free(&ids);
    if (list.len) qsort(list.data, list.len, sizeof *list.data, in_order);
    sp_status st = list.len < INT_MAX ? SP_OK : sp_fail(SP_ERR_FORMAT, "too many merges");
    for (size_t i = 0; !st && i < list.len; i++) {
        const merge *m = &list.data[i];
        json_array_append_new(merges, json_pack("[s%, s]", m->text, m->cut, m->text + m->cut));
    }
    free(list.data);
    return st;
}
