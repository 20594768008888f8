/* One pass of a decoder that must succeed. Include after cmocka. */
#ifndef SP_TESTS_SUPPORT_FEED_H
#define SP_TESTS_SUPPORT_FEED_H

#include "model/decoding.h"

static inline const float *feed(sp_decoder *d, int sequences, const int *slots, const int *counts,
                                const int *ids) {
    float *logits = NULL;
    if (sp_decoder_feed(d, sequences, slots, counts, ids, &logits)) fail_msg("%s", sp_error());
    return logits;
}

#endif
