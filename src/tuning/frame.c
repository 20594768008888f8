#include "tuning/frame.h"

#include <stdlib.h>
#include <string.h>

static int id_of(const sp_tokenizer *tokenizer, const char *bert, const char *roberta) {
    int id = sp_tokenizer_id(tokenizer, bert);
    return id < 0 ? sp_tokenizer_id(tokenizer, roberta) : id;
}

sp_status sp_frame_open(const sp_tokenizer *tokenizer, sp_frame *out) {
    *out = (sp_frame){.mask = id_of(tokenizer, "[MASK]", "<mask>")};
    int first = id_of(tokenizer, "[CLS]", "<s>"), last = id_of(tokenizer, "[SEP]", "</s>");
    if (first < 0 || last < 0)
        return sp_fail(SP_ERR_SPEC,
                       "the tokenizer has no [CLS] and [SEP] (or <s> and </s>), which an encoder "
                       "needs; use the tokenizer of the model");
    sp_ints_push(&out->before, first);
    sp_ints_push(&out->after, last);
    return SP_OK;
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
