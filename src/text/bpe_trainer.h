/* Learns a byte-level BPE vocabulary (Sennrich et al. 2016, algorithm 1, on bytes as in GPT-2). */
#ifndef SP_TEXT_BPE_TRAINER_H
#define SP_TEXT_BPE_TRAINER_H

#include "core/status.h"
#include "text/tokenizer.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct sp_bpe_train_options {
    int vocab_size;             /* special tokens, 256 bytes and merges together */
    const char *const *special; /* NULL-terminated; they get the ids 0, 1, ... */
    int min_count;              /* a pair that occurs less often is not merged; at least 1 */
} sp_bpe_train_options;

/* Gives the next document; false after the last. */
typedef bool (*sp_document_source)(void *context, const char **text, size_t *len);

/* The same documents give the same vocabulary: the pair with the largest count is merged, of equal
 * ones the pair with the smallest ids. Fewer tokens than asked for if no pair is left. SP_ERR_SPEC
 * for a vocabulary without room for the bytes; SP_ERR_DATA if there is no text. */
sp_status sp_bpe_train(const sp_bpe_train_options *options, sp_document_source next, void *context,
                       sp_tokenizer **out);

#endif
