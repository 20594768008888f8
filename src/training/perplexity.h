/* Perplexity of an unsteered model on documents, and documents as training sequences. */
#ifndef SP_TRAINING_PERPLEXITY_H
#define SP_TRAINING_PERPLEXITY_H

#include "model/model.h"
#include "text/documents.h"
#include "text/tokenizer.h"

/* Replaces `ids` with a document as a sequence: its tokens and an end token, cut to one more than
 * the model's context (the last is only a target). Fewer than 2 ids leave nothing to predict.
 * Errors as sp_tokenizer_encode. */
sp_status sp_encode_document(const sp_model *model, const sp_tokenizer *tokenizer, const char *text,
                             size_t len, sp_ints *ids);

typedef struct sp_perplexity {
    size_t documents;
    long tokens; /* that were predicted, end tokens included */
    double loss; /* mean negative natural log-probability of a token; perplexity is exp(loss) */
} sp_perplexity;

/* Each of the first `limit` documents is read alone, as sp_encode_document makes it: every token
 * but the first is predicted from those before it. `pass_tokens` is about how many are run at a
 * time. The tape lends its memory and is reset. SP_ERR_DATA if there is nothing to predict;
 * SP_ERR_SPEC for an encoder. */
sp_status sp_measure_perplexity(const sp_model *model, const sp_tokenizer *tokenizer,
                                sp_documents documents, size_t limit, long pass_tokens,
                                sp_tape *tape, sp_perplexity *out);

#endif
