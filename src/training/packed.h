/* A packed batch: sequences one behind the other, no padding. */
#ifndef SP_TRAINING_PACKED_H
#define SP_TRAINING_PACKED_H

#include "model/model.h"

/* Start from {0}; cleared and filled again for every step. */
typedef struct sp_packed {
    sp_ints ids;       /* [tokens]; negative: row -1 - id of the virtual rows */
    sp_ints wanted;    /* [scored] rows whose next token is scored, rising: those of the context */
    sp_ints targets;   /* [scored] these next tokens; of rows that sp_packed_add_whole adds, -1 */
    sp_ints offsets;   /* [sequences + 1] */
    sp_ints asked;     /* [sequences] index within the sequence of the last token that is not to be
                        * predicted: the end of the input, which an infix stands before */
    sp_ints positions; /* [tokens] as of the last sp_packed_context */
} sp_packed;

void sp_packed_clear(sp_packed *p);
void sp_packed_free(sp_packed *p);

/* Adds ids [n] as one sequence whose tokens from index first_scored on (at least 1) are to be
 * predicted. The last token is only a target. n >= 2. */
void sp_packed_add(sp_packed *p, const int *ids, size_t n, size_t first_scored);

/* Adds ids [n] as one sequence with its last token, for an encoder or tags of words; rows [count],
 * rising indices within it, are asked for. count >= 1. */
void sp_packed_add_whole(sp_packed *p, const int *ids, size_t n, const int *rows, size_t count);

int sp_packed_sequences(const sp_packed *p);
long sp_packed_tokens(const sp_packed *p);
/* Number of wanted rows: of tokens that are to be predicted. */
long sp_packed_scored(const sp_packed *p);
/* The context for a training pass (steering NULL: unsteered), which says what position the tokens
 * have, which of them see its prefix, and that only the wanted rows are asked for; points into the
 * batch. */
sp_context sp_packed_context(sp_packed *p, const sp_steering *steering);

#endif
