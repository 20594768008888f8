#include "training/examples.h"

#include <stdlib.h>
#include <string.h>

static sp_status encode_input(const sp_example *example, size_t number, const char *separator,
                              const sp_tokenizer *tokenizer, sp_ints *out) {
    if (!*example->input)
        return sp_fail(SP_ERR_DATA, "example %zu has an empty input; remove it", number);
    char *input = sp_format("%s%s", example->input, separator);
    sp_status st = sp_tokenizer_encode(tokenizer, input, strlen(input), out);
    free(input);
    return st;
}

/* The byte-level alphabet has a symbol for the blank. */
static bool joins_blanks(const sp_tokenizer *tokenizer) {
    return sp_tokenizer_id(tokenizer, "\xc4\xa0") >= 0;
}

static sp_status encode_word(const char *word, size_t len, const sp_tokenizer *tokenizer,
                             size_t number, sp_encoded_record *out) {
    size_t first = out->input.len;
    char *text = sp_format("%s%.*s", joins_blanks(tokenizer) ? " " : "", (int)len, word);
    sp_status st = sp_tokenizer_encode(tokenizer, text, strlen(text), &out->input);
    if (!st && out->input.len == first)
        st = sp_fail(SP_ERR_DATA,
                     "example %zu: the model's tokenizer makes nothing of word '%.*s'; "
                     "remove it",
                     number, (int)len, word);
    free(text);
    sp_ints_push(&out->words, (int)first);
    return st;
}

static sp_status encode_words(const sp_example *example, size_t number,
                              const sp_tokenizer *tokenizer, sp_encoded_record *out) {
    const char blanks[] = " \t\r\n", *at = example->input + strspn(example->input, blanks);
    sp_status st = SP_OK;
    for (size_t len; !st && *at; at += len + strspn(at + len, blanks)) {
        len = strcspn(at, blanks);
        st = encode_word(at, len, tokenizer, number, out);
    }
    if (!st && out->words.len == 0)
        st = sp_fail(SP_ERR_DATA, "example %zu has no words; remove it", number);
    bool known = example->tags.len == out->words.len;
    for (size_t i = 0; i < out->words.len; i++)
        sp_ints_push(&out->tags, known ? example->tags.data[i] : -1);
    return st;
}

static sp_status encode_targets(const sp_example *example, size_t number,
                                const sp_tokenizer *tokenizer, int eos, sp_encoded_record *out) {
    sp_status st = SP_OK;
    out->targets = sp_alloc(example->references.len, sizeof *out->targets);
    for (size_t i = 0; !st && i < example->references.len; i++) {
        const char *text = example->references.data[i];
        sp_ints *target = &out->targets[out->target_count++];
        st = sp_tokenizer_encode(tokenizer, text, strlen(text), target);
        if (!st && target->len == 0)
            st = sp_fail(SP_ERR_DATA, "example %zu has an empty reference; remove it", number);
        sp_ints_push(target, eos);
    }
    return st;
}

static void end_input(int eos, sp_encoded_record *out) {
    out->targets = sp_alloc(1, sizeof *out->targets);
    out->target_count = 1;
    if (eos != SP_NO_END) sp_ints_push(&out->targets[0], eos);
}

static void list_pairs(sp_examples *e) {
    size_t total = 0;
    for (size_t i = 0; i < e->count; i++) total += e->records[i].target_count;
    e->pairs = sp_alloc(total, sizeof *e->pairs);
    for (size_t i = 0; i < e->count; i++)
        for (size_t k = 0; k < e->records[i].target_count; k++) {
            size_t tokens = e->records[i].input.len + e->records[i].targets[k].len;
            if (tokens > e->longest) e->longest = tokens;
            e->pairs[e->pair_count++] = (sp_pair){(int)i, (int)k};
        }
}

sp_status sp_examples_encode(const sp_split *split, sp_output output, const char *separator,
                             const sp_tokenizer *tokenizer, int eos, sp_examples *e) {
    *e = (sp_examples){0};
    if (split->count == 0) return sp_fail(SP_ERR_DATA, "the split has no example");
    e->records = sp_alloc(split->count, sizeof *e->records);
    sp_status st = SP_OK;
    for (size_t i = 0; !st && i < split->count; i++) {
        sp_encoded_record *record = &e->records[e->count++];
        record->label = split->items[i].label;
        record->task = split->items[i].task;
        if (output == SP_OUTPUT_TOKEN_LINEAR)
            st = encode_words(&split->items[i], i + 1, tokenizer, record);
        else
            st = encode_input(&split->items[i], i + 1, separator, tokenizer, &record->input);
        if (output != SP_OUTPUT_TEXT)
            end_input(eos, record);
        else if (!st)
            st = encode_targets(&split->items[i], i + 1, tokenizer, eos, record);
    }
    if (st)
        sp_examples_free(e);
    else
        list_pairs(e);
    return st;
}

int sp_examples_end(const sp_model *model) {
    return model->family->bidirectional ? SP_NO_END : model->config.eos_token_id;
}

void sp_examples_free(sp_examples *e) {
    for (size_t i = 0; i < e->count; i++) {
        sp_ints_free(&e->records[i].input);
        sp_ints_free(&e->records[i].words);
        sp_ints_free(&e->records[i].tags);
        for (size_t k = 0; k < e->records[i].target_count; k++)
            sp_ints_free(&e->records[i].targets[k]);
        free(e->records[i].targets);
    }
    free(e->records);
    free(e->pairs);
    *e = (sp_examples){0};
}

void sp_examples_labels(const sp_encoded_record *record, sp_ints *out) {
    if (record->words.len)
        sp_ints_append(out, record->tags.data, record->tags.len);
    else
        sp_ints_push(out, record->label);
}

void sp_examples_tasks(const sp_encoded_record *record, sp_ints *out) {
    for (size_t i = 0; i < (record->words.len ? record->words.len : 1); i++)
        sp_ints_push(out, record->task);
}

size_t sp_examples_label_count(const sp_examples *e, size_t count) {
    size_t sum = 0;
    for (size_t i = 0; i < count; i++) sum += e->records[i].words.len ? e->records[i].words.len : 1;
    return sum;
}

/* All of the sequence is input; the first token of each word is asked for. */
static void pack_words(const sp_encoded_record *record, const sp_template *template,
                       const sp_ints *ids, sp_packed *batch) {
    int *rows = sp_alloc(record->words.len, sizeof *rows);
    for (size_t i = 0; i < record->words.len; i++)
        rows[i] = (int)template->before.len + record->words.data[i];
    sp_packed_add_whole(batch, ids->data, ids->len, rows, record->words.len);
    free(rows);
}

void sp_examples_pack(const sp_examples *e, sp_pair pair, const sp_template *template, sp_ints *ids,
                      sp_packed *batch) {
    const sp_encoded_record *record = &e->records[pair.record];
    const sp_ints *target = &record->targets[pair.target];
    ids->len = 0;
    sp_template_apply(template, &record->input, ids);
    if (record->words.len) {
        pack_words(record, template, ids, batch);
        return;
    }
    if (template->framed) {
        int row = sp_template_row(template, ids->len);
        sp_packed_add_whole(batch, ids->data, ids->len, &row, 1);
        return;
    }
    size_t first_scored = ids->len;
    sp_ints_append(ids, target->data, target->len);
    sp_packed_add(batch, ids->data, ids->len, first_scored);
}

static void count_tokens(const sp_ints *ids, long *counts) {
    for (size_t i = 0; i < ids->len; i++) counts[ids->data[i]]++;
}

typedef struct frequency {
    long count;
    int id;
} frequency;

static int compare_frequencies(const void *a, const void *b) {
    const frequency *x = a, *y = b;
    if (x->count != y->count) return x->count < y->count ? 1 : -1;
    return x->id - y->id;
}

size_t sp_examples_frequent(const sp_examples *e, int vocabulary, int **out) {
    long *counts = sp_alloc((size_t)vocabulary, sizeof *counts);
    for (size_t i = 0; i < e->count; i++) {
        count_tokens(&e->records[i].input, counts);
        for (size_t k = 0; k < e->records[i].target_count; k++)
            count_tokens(&e->records[i].targets[k], counts);
    }
    frequency *sorted = sp_alloc((size_t)vocabulary, sizeof *sorted);
    size_t n = 0;
    for (int id = 0; id < vocabulary; id++)
        if (counts[id]) sorted[n++] = (frequency){counts[id], id};
    qsort(sorted, n, sizeof *sorted, compare_frequencies);
    *out = sp_alloc(n, sizeof **out);
    for (size_t i = 0; i < n; i++) (*out)[i] = sorted[i].id;
    free(sorted);
    free(counts);
    return n;
}
