/* The logits after one pass of a decoder, which must succeed. Include after cmocka. */
#ifndef SP_TESTS_SUPPORT_FEED_H
#define SP_TESTS_SUPPORT_FEED_H

#include "model/decoding.h"

static inline const float *feed(sp_decoder *d, int sequences, const int *slots, const int *counts,
                                const int *ids) {
    sp_var *hidden = NULL;
    if (sp_decoder_feed(d, sequences, slots, counts, ids, &hidden)) fail_msg("%s", sp_error());
    return sp_model_logits(&d->tape, d->model, hidden, sequences)->data;
}

#endif
