#include "text/normalizer.h"
#include "text/json_part.h"
#include "text/normalizers.h"

#include <stdlib.h>
#include <string.h>

static const sp_normalizer_kind *const kinds[] = {
    &sp_normalizer_nfc,     &sp_normalizer_nfd,       &sp_normalizer_nfkc,
    &sp_normalizer_nfkd,    &sp_normalizer_lowercase, &sp_normalizer_strip_accents,
    &sp_normalizer_bert,    &sp_normalizer_strip,     &sp_normalizer_replace,
    &sp_normalizer_prepend, &sp_normalizer_byte_level};

enum { MAX_STAGES = 32, MAX_DEPTH = 8 };

typedef struct stage {
    const sp_normalizer_kind *kind;
    void *settings;
} stage;

struct sp_normalizer {
    stage stages[MAX_STAGES];
    int count;
};

void sp_normalizer_free(sp_normalizer *normalizer) {
    if (!normalizer) return;
    for (int i = 0; i < normalizer->count; i++) {
        const stage *s = &normalizer->stages[i];
        if (s->kind->free) s->kind->free(s->settings);
    }
    free(normalizer);
}

static const sp_normalizer_kind *find_kind(const char *type) {
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(kinds[i]->type, type) == 0) return kinds[i];
    return NULL;
}

static sp_status add_stage(sp_normalizer *normalizer, const json_t *part) {
    stage s = {find_kind(sp_part_type(part)), NULL};
    if (!s.kind)
        return sp_fail(SP_ERR_FORMAT, "normalizer %.40s is not supported", sp_part_type(part));
    if (normalizer->count == MAX_STAGES)
        return sp_fail(SP_ERR_FORMAT, "more than %d normalizers", MAX_STAGES);
    sp_status st = s.kind->read ? s.kind->read(part, &s.settings) : SP_OK;
    if (!st) normalizer->stages[normalizer->count++] = s;
    return st;
}

static sp_status add_part(sp_normalizer *normalizer, const json_t *part, int depth) {
    if (!sp_part_is(part, "Sequence")) return add_stage(normalizer, part);
    if (depth == MAX_DEPTH)
        return sp_fail(SP_ERR_FORMAT, "normalizers are nested deeper than %d", MAX_DEPTH);
    size_t i;
    json_t *inner;
    json_array_foreach(json_object_get(part, "normalizers"), i, inner) {
        sp_status st = add_part(normalizer, inner, depth + 1);
        if (st) return st;
    }
    return SP_OK;
}

sp_status sp_normalizer_read(const json_t *part, sp_normalizer **out) {
    *out = NULL;
    if (sp_part_absent(part)) return SP_OK;
    sp_normalizer *normalizer = sp_alloc(1, sizeof *normalizer);
    sp_status st = add_part(normalizer, part, 0);
    if (st || !normalizer->count)
        sp_normalizer_free(normalizer);
    else
        *out = normalizer;
    return st;
}

/* NFKC makes of one character of 3 bytes 33 at most; a Replace may do more, but not everything. */
static sp_status check_growth(size_t before, size_t after) {
    if (after / 32 <= before + 4096) return SP_OK;
    return sp_fail(SP_ERR_FORMAT, "the tokenizer's normalizers make %zu bytes of %zu", after,
                   before);
}

sp_status sp_normalize(const sp_normalizer *normalizer, const char *text, size_t len, sp_buf *out) {
    sp_buf input = {0};
    sp_buf_clear(out);
    sp_buf_append(out, text, len);
    sp_status st = SP_OK;
    for (int i = 0; !st && i < normalizer->count; i++) {
        sp_buf swapped = input;
        input = *out;
        *out = swapped;
        sp_buf_clear(out);
        const stage *s = &normalizer->stages[i];
        st = s->kind->apply(s->settings, input.data ? input.data : "", input.len, out);
        if (!st) st = check_growth(len, out->len);
    }
    sp_buf_free(&input);
    return st;
}
