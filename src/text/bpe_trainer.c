#include "text/bpe_trainer.h"
#include "text/alphabet.h"
#include "text/pattern.h"
#include "text/word_map.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/* A pair of neighbouring tokens: how often it occurs, and the words it (perhaps) occurs in. */
typedef struct pair {
    int left, right;
    int64_t count;
    sp_ints words;
    int gained_at; /* the last step at which its count grew */
} pair;

typedef struct ranked {
    int64_t count;
    int left, right;
    size_t pair;
} ranked;

typedef struct trainer {
    sp_word_map words; /* distinct words and their counts */
    int **spelling;    /* by word: its tokens */
    int *lengths;
    sp_pair_map pair_index;
    pair *pairs;
    size_t pair_cap;
    ranked *heap; /* entries whose count is out of date are corrected when they come up */
    size_t heap_len, heap_cap;
    sp_strings tokens; /* by id, in byte-level symbols */
    sp_word_map ids;   /* of tokens */
    sp_ints gained;    /* pairs whose count grew at this step */
    int step;
    json_t *merges;
} trainer;

static sp_status count_text(trainer *t, const sp_pattern *pattern, const char *text, size_t len,
                            sp_spans *cuts) {
    sp_status st = sp_pattern_find(pattern, text, 0, len, cuts);
    for (size_t i = 0; !st && i < cuts->len; i++) {
        const sp_span *cut = &cuts->data[i];
        sp_word_map_add(&t->words, text + cut->start, cut->end - cut->start)->value++;
    }
    return st;
}

static sp_status count_words(trainer *t, sp_document_source next, void *context) {
    sp_pattern *pattern;
    sp_spans cuts = {0};
    sp_status st = sp_pattern_new(sp_gpt2_pattern, &pattern);
    const char *text;
    size_t len;
    while (!st && next(context, &text, &len)) st = count_text(t, pattern, text, len, &cuts);
    sp_pattern_free(pattern);
    sp_spans_free(&cuts);
    if (!st && !t->words.count) return sp_fail(SP_ERR_DATA, "there is no text to train on");
    return st;
}

/* Special tokens first, then the bytes in the order of their symbols. */
static void add_first_tokens(trainer *t, const char *const *special, int byte_ids[256]) {
    for (; *special; special++) sp_strings_push(&t->tokens, *special);
    for (int symbol = 0; symbol < 512; symbol++) {
        int byte = sp_symbol_byte(symbol);
        if (byte < 0) continue;
        sp_buf text = {0};
        sp_bytes_to_symbols(&(char){(char)byte}, 1, &text);
        byte_ids[byte] = (int)t->tokens.len;
        sp_word_map_add(&t->ids, text.data, text.len)->value = byte_ids[byte];
        sp_strings_take(&t->tokens, sp_buf_take(&text));
    }
}

static void spell_words(trainer *t, const int byte_ids[256]) {
    t->spelling = sp_alloc(t->words.count, sizeof *t->spelling);
    t->lengths = sp_alloc(t->words.count, sizeof *t->lengths);
    for (size_t w = 0; w < t->words.count; w++) {
        const sp_word *word = &t->words.words[w];
        t->spelling[w] = sp_alloc(word->len, sizeof **t->spelling);
        t->lengths[w] = (int)word->len;
        for (size_t i = 0; i < word->len; i++)
            t->spelling[w][i] = byte_ids[(unsigned char)word->text[i]];
    }
}

static pair *get_pair(trainer *t, int left, int right) {
    int is_new;
    size_t index = sp_pair_map_add(&t->pair_index, left, right, &is_new);
    if (index >= t->pair_cap) {
        t->pair_cap = t->pair_cap ? t->pair_cap * 2 : 4096;
        t->pairs = sp_realloc(t->pairs, t->pair_cap, sizeof *t->pairs);
    }
    if (is_new) t->pairs[index] = (pair){.left = left, .right = right};
    return &t->pairs[index];
}

static bool comes_before(const ranked *a, const ranked *b) {
    if (a->count != b->count) return a->count > b->count;
    return a->left != b->left ? a->left < b->left : a->right < b->right;
}

static void push(trainer *t, const pair *p) {
    if (t->heap_len == t->heap_cap) {
        t->heap_cap = t->heap_cap ? t->heap_cap * 2 : 4096;
        t->heap = sp_realloc(t->heap, t->heap_cap, sizeof *t->heap);
    }
    ranked entry = {p->count, p->left, p->right, (size_t)(p - t->pairs)};
    size_t at = t->heap_len++;
    for (; at && comes_before(&entry, &t->heap[(at - 1) / 2]); at = (at - 1) / 2)
        t->heap[at] = t->heap[(at - 1) / 2];
    t->heap[at] = entry;
}

static ranked pop(trainer *t) {
    ranked first = t->heap[0], last = t->heap[--t->heap_len];
    size_t at = 0;
    for (size_t child; (child = 2 * at + 1) < t->heap_len; at = child) {
        if (child + 1 < t->heap_len && comes_before(&t->heap[child + 1], &t->heap[child])) child++;
        if (!comes_before(&t->heap[child], &last)) break;
        t->heap[at] = t->heap[child];
    }
    t->heap[at] = last;
    return first;
}

/* Adds `sign` times the word's count to each of its pairs. Pairs with `fresh` (any pair if -1) also
 * remember the word. */
static void count_pairs(trainer *t, int w, int sign, int fresh) {
    const int *ids = t->spelling[w];
    for (int i = 0; i + 1 < t->lengths[w]; i++) {
        pair *p = get_pair(t, ids[i], ids[i + 1]);
        p->count += sign * t->words.words[w].value;
        bool concerned = fresh < 0 || ids[i] == fresh || ids[i + 1] == fresh;
        bool known = p->words.len && p->words.data[p->words.len - 1] == w;
        if (sign < 0 || !concerned) continue;
        if (!known) sp_ints_push(&p->words, w);
        if (p->gained_at == t->step) continue;
        p->gained_at = t->step;
        sp_ints_push(&t->gained, (int)(p - t->pairs));
    }
}

static void merge_word(trainer *t, int w, int left, int right, int merged) {
    int *ids = t->spelling[w], length = t->lengths[w], kept = 0;
    for (int i = 0; i < length; i++) {
        bool match = ids[i] == left && i + 1 < length && ids[i + 1] == right;
        ids[kept++] = match ? merged : ids[i];
        i += match;
    }
    t->lengths[w] = kept;
}

static bool has_pair(const trainer *t, int w, int left, int right) {
    const int *ids = t->spelling[w];
    for (int i = 0; i + 1 < t->lengths[w]; i++)
        if (ids[i] == left && ids[i + 1] == right) return true;
    return false;
}

/* The id of the merged token. Two ways of cutting a text may lead to the same token. */
static int add_merge(trainer *t, int left, int right) {
    const char *a = t->tokens.data[left], *b = t->tokens.data[right];
    char *merge = sp_format("%s %s", a, b), *both = sp_format("%s%s", a, b);
    json_array_append_new(t->merges, json_string(merge));
    size_t known = t->ids.count;
    sp_word *token = sp_word_map_add(&t->ids, both, strlen(both));
    if (t->ids.count > known) {
        token->value = (int64_t)t->tokens.len;
        sp_strings_push(&t->tokens, both);
    }
    free(merge), free(both);
    return (int)token->value;
}

static void merge_pair(trainer *t, size_t index) {
    int left = t->pairs[index].left, right = t->pairs[index].right;
    int merged = add_merge(t, left, right);
    sp_ints words = t->pairs[index].words;
    t->pairs[index].words = (sp_ints){0};
    t->step++;
    t->gained.len = 0;
    for (size_t i = 0; i < words.len; i++) {
        int w = words.data[i];
        if (!has_pair(t, w, left, right)) continue;
        count_pairs(t, w, -1, merged);
        merge_word(t, w, left, right, merged);
        count_pairs(t, w, +1, merged);
    }
    sp_ints_free(&words);
    for (size_t i = 0; i < t->gained.len; i++) push(t, &t->pairs[t->gained.data[i]]);
}

static void learn_merges(trainer *t, int vocab_size, int min_count) {
    t->step = 1;
    for (size_t w = 0; w < t->words.count; w++) count_pairs(t, (int)w, +1, -1);
    for (size_t i = 0; i < t->gained.len; i++) push(t, &t->pairs[t->gained.data[i]]);
    while (t->tokens.len < (size_t)vocab_size && t->heap_len) {
        ranked best = pop(t);
        const pair *p = &t->pairs[best.pair];
        if (p->count != best.count) {
            if (p->count >= min_count) push(t, p);
            continue;
        }
        if (p->count < min_count) break;
        merge_pair(t, best.pair);
    }
}

static json_t *added_token(const char *text, size_t id) {
    return json_pack("{s:I, s:s, s:b, s:b, s:b, s:b, s:b}", "id", (json_int_t)id, "content", text,
                     "single_word", 0, "lstrip", 0, "rstrip", 0, "normalized", 0, "special", 1);
}

static json_t *byte_level(void) {
    return json_pack("{s:s, s:b, s:b, s:b}", "type", "ByteLevel", "add_prefix_space", 0,
                     "trim_offsets", 1, "use_regex", 1);
}

/* The learnt vocabulary as tokenizer.json, read back by the parser: one way to make a tokenizer. */
static sp_status make_tokenizer(trainer *t, const char *const *special, sp_tokenizer **out) {
    json_t *added = json_array(), *vocabulary = json_object();
    for (size_t i = 0; special[i]; i++) json_array_append_new(added, added_token(special[i], i));
    for (size_t i = 0; i < t->tokens.len; i++)
        json_object_set_new(vocabulary, t->tokens.data[i], json_integer((json_int_t)i));
    json_t *model =
        json_pack("{s:s, s:n, s:n, s:n, s:n, s:b, s:b, s:b, s:o, s:O}", "type", "BPE", "dropout",
                  "unk_token", "continuing_subword_prefix", "end_of_word_suffix", "fuse_unk", 0,
                  "byte_fallback", 0, "ignore_merges", 0, "vocab", vocabulary, "merges", t->merges);
    json_t *root =
        json_pack("{s:s, s:n, s:n, s:o, s:n, s:o, s:o, s:o, s:o}", "version", "1.0", "truncation",
                  "padding", "added_tokens", added, "normalizer", "pre_tokenizer", byte_level(),
                  "post_processor", byte_level(), "decoder", byte_level(), "model", model);
    char *text = json_dumps(root, JSON_INDENT(1));
    sp_status st = sp_tokenizer_parse(text, strlen(text), "the trained tokenizer", out);
    free(text);
    json_decref(root);
    return st;
}

static void free_trainer(trainer *t) {
    for (size_t w = 0; t->spelling && w < t->words.count; w++) free(t->spelling[w]);
    for (size_t i = 0; i < t->pair_index.count; i++) sp_ints_free(&t->pairs[i].words);
    free(t->spelling), free(t->lengths), free(t->pairs), free(t->heap);
    sp_word_map_free(&t->words);
    sp_pair_map_free(&t->pair_index);
    sp_strings_free(&t->tokens);
    sp_word_map_free(&t->ids);
    sp_ints_free(&t->gained);
    json_decref(t->merges);
}

sp_status sp_bpe_train(const sp_bpe_train_options *options, sp_document_source next, void *context,
                       sp_tokenizer **out) {
    *out = NULL;
    int first = 256;
    for (int i = 0; options->special[i]; i++) first++;
    if (options->vocab_size < first)
        return sp_fail(SP_ERR_SPEC, "a vocabulary of %d has no room for the bytes; use %d or more",
                       options->vocab_size, first);
    trainer t = {.merges = json_array()};
    sp_status st = count_words(&t, next, context);
    if (!st) {
        int byte_ids[256];
        add_first_tokens(&t, options->special, byte_ids);
        spell_words(&t, byte_ids);
        learn_merges(&t, options->vocab_size, options->min_count);
        st = make_tokenizer(&t, options->special, out);
    }
    free_trainer(&t);
    return st;
}
