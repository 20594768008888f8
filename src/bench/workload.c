#include "bench/workload.h"

#include "core/file.h"
#include "core/random.h"

#include <jansson.h>
#include <stdlib.h>

void sp_sequences_free(sp_sequences *s) {
    for (size_t i = 0; i < s->count; i++) sp_ints_free(&s->items[i]);
    free(s->items);
    *s = (sp_sequences){0};
}

static void make_room(sp_sequences *s, size_t count) {
    *s = (sp_sequences){.items = sp_alloc(count, sizeof *s->items), .count = count};
}

void sp_bench_draw(uint64_t seed, uint64_t index, size_t count, int vocabulary, sp_sequences *out) {
    make_room(out, count);
    sp_rng rng = sp_rng_make(seed, "benchmark");
    rng.purpose += index;
    for (size_t i = 0; i < count; i++) {
        uint32_t span = SP_BENCH_LONGEST - SP_BENCH_SHORTEST + 1;
        uint32_t length = SP_BENCH_SHORTEST + sp_rng_below(&rng, span);
        for (uint32_t k = 0; k < length; k++)
            sp_ints_push(&out->items[i], 1 + (int)sp_rng_below(&rng, (uint32_t)vocabulary - 1));
    }
}

void sp_bench_first_halves(const sp_sequences *whole, sp_sequences *out) {
    make_room(out, whole->count);
    for (size_t i = 0; i < whole->count; i++)
        sp_ints_append(&out->items[i], whole->items[i].data, whole->items[i].len / 2);
}

long sp_sequences_tokens(const sp_sequences *s) {
    long n = 0;
    for (size_t i = 0; i < s->count; i++) n += (long)s->items[i].len;
    return n;
}

/* ---- the file ---- */

static sp_status read_sequence(const char *path, const json_t *list, int vocabulary, sp_ints *out) {
    if (json_array_size(list) < 2)
        return sp_fail(SP_ERR_FORMAT, "%s: a sequence is no list of two ids or more", path);
    size_t i;
    json_t *id;
    json_array_foreach(list, i, id) {
        if (!json_is_integer(id) || json_integer_value(id) < 0 ||
            json_integer_value(id) >= vocabulary)
            return sp_fail(SP_ERR_FORMAT, "%s: a token id is not in 0..%d", path, vocabulary - 1);
        sp_ints_push(out, (int)json_integer_value(id));
    }
    return SP_OK;
}

static sp_status read_sequences(const char *path, const json_t *list, int vocabulary,
                                sp_sequences *out) {
    if (json_array_size(list) == 0)
        return sp_fail(SP_ERR_FORMAT, "%s: \"batches\" and \"inputs\" must be filled lists", path);
    make_room(out, json_array_size(list));
    sp_status st = SP_OK;
    for (size_t i = 0; i < out->count && !st; i++)
        st = read_sequence(path, json_array_get(list, i), vocabulary, &out->items[i]);
    return st;
}

static sp_status read_lists(const char *path, const json_t *root, int vocabulary,
                            sp_workload *out) {
    const json_t *batches = json_object_get(root, "batches");
    size_t count = json_array_size(batches);
    if (count < 2)
        return sp_fail(SP_ERR_FORMAT, "%s: \"batches\" must be a list of two or more", path);
    out->batches = sp_alloc(count, sizeof *out->batches);
    out->batch_count = count;
    sp_status st = SP_OK;
    for (size_t i = 0; i < count && !st; i++)
        st = read_sequences(path, json_array_get(batches, i), vocabulary, &out->batches[i]);
    return st ? st
              : read_sequences(path, json_object_get(root, "inputs"), vocabulary, &out->inputs);
}

static sp_status read_workload(const char *path, json_t *root, int vocabulary, sp_workload *out) {
    json_error_t error;
    if (json_unpack_ex(root, &error, 0, "{s:i, s:i, s:i, s:i, s:i, s:F}", "prefix", &out->prefix,
                       "hidden", &out->hidden, "threads", &out->threads, "tokens", &out->tokens,
                       "beam", &out->beam, "lr", &out->lr))
        return sp_fail(SP_ERR_FORMAT, "%s: %s", path, error.text);
    const int numbers[] = {out->prefix, out->hidden, out->threads, out->tokens, out->beam};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (numbers[i] < 1 || numbers[i] > 65536)
            return sp_fail(SP_ERR_FORMAT, "%s: %d is not from 1 to 65536", path, numbers[i]);
    return read_lists(path, root, vocabulary, out);
}

sp_status sp_workload_read(const char *path, int vocabulary, sp_workload *out) {
    sp_buf text = {0};
    sp_status st = sp_read_file(path, &text);
    if (!st) {
        json_error_t error;
        json_t *root = json_loadb(text.data, text.len, JSON_REJECT_DUPLICATES, &error);
        st = root ? read_workload(path, root, vocabulary, out)
                  : sp_fail(SP_ERR_FORMAT, "%s:%d: is not JSON: %s", path, error.line, error.text);
        json_decref(root);
    }
    sp_buf_free(&text);
    return st;
}

void sp_workload_free(sp_workload *w) {
    for (size_t i = 0; i < w->batch_count; i++) sp_sequences_free(&w->batches[i]);
    free(w->batches);
    sp_sequences_free(&w->inputs);
    *w = (sp_workload){0};
}
