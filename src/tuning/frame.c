#include "tuning/frame.h"

#include <stdlib.h>
#include <string.h>

/* Where `part` begins in `whole`, of which it is a part; -1 if it is none. */
static long find_ids(const sp_ints *whole, const sp_ints *part) {
    if (part->len == 0) return -1;
    for (size_t i = 0; i + part->len <= whole->len; i++)
        if (memcmp(whole->data + i, part->data, part->len * sizeof(int)) == 0) return (long)i;
    return -1;
}

/* What stands around `part` in `whole`. */
static sp_status take_ends(const sp_ints *whole, const sp_ints *part, sp_frame *out) {
    long first = find_ids(whole, part);
    if (first < 1)
        return sp_fail(
            SP_ERR_SPEC,
            "the tokenizer puts no token such as [CLS] before a text, but the model is an "
            "encoder, which needs one; use the tokenizer of the model");
    size_t end = (size_t)first + part->len;
    sp_ints_append(&out->before, whole->data, (size_t)first);
    sp_ints_append(&out->after, whole->data + end, whole->len - end);
    return SP_OK;
}

sp_status sp_frame_open(const sp_tokenizer *tokenizer, sp_frame *out) {
    *out = (sp_frame){.mask = sp_tokenizer_mask(tokenizer)};
    sp_ints bare = {0}, framed = {0};
    sp_status st = sp_tokenizer_encode(tokenizer, "a", 1, &bare);
    if (!st) st = sp_tokenizer_encode_pair(tokenizer, "a", 1, NULL, 0, &framed, NULL);
    if (!st) st = take_ends(&framed, &bare, out);
    sp_ints_free(&bare);
    sp_ints_free(&framed);
    return st;
}

void sp_frame_free(sp_frame *frame) {
    sp_ints_free(&frame->before);
    sp_ints_free(&frame->after);
}

/* Whether all of the template is virtual tokens in front of the input. */
static bool stands_in_front(const sp_template *t) {
    for (size_t i = 0; i < t->before.len; i++)
        if (t->before.data[i] >= 0) return false;
    return t->after.len == 0;
}

static void put_before(const sp_frame *frame, sp_template *t) {
    sp_ints framed = {0};
    bool in_front = stands_in_front(t);
    if (in_front) sp_ints_append(&framed, t->before.data, t->before.len);
    t->row = (int)framed.len;
    sp_ints_append(&framed, frame->before.data, frame->before.len);
    if (!in_front) sp_ints_append(&framed, t->before.data, t->before.len);
    sp_ints_free(&t->before);
    t->before = framed;
}

sp_status sp_frame_place(const sp_frame *frame, sp_output output, sp_template *t) {
    bool masked = output == SP_OUTPUT_VERBALIZER;
    if (masked && frame->mask < 0)
        return sp_fail(SP_ERR_SPEC,
                       "output verbalizer needs a mask token, which the tokenizer does not have; "
                       "use output linear");
    put_before(frame, t);
    if (masked) {
        sp_ints_push(&t->after, frame->mask);
        t->row = -1 - (int)frame->after.len;
    }
    sp_ints_append(&t->after, frame->after.data, frame->after.len);
    t->framed = true;
    return SP_OK;
}
