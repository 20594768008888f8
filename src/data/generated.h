/* What the cards of generated sets have in common: a seed and the sizes of their splits. */
#ifndef SP_DATA_GENERATED_H
#define SP_DATA_GENERATED_H

#include "core/random.h"
#include "data/reader.h"

typedef struct sp_generated {
    uint64_t seed;
    int sizes[SP_SPLITS]; /* 1 to 1,000,000 examples */
} sp_generated;

/* SP_ERR_SPEC with file:line if a size is missing or no number. */
sp_status sp_generated_read(const sp_card *card, sp_generated *out);

/* An example of class `label`; takes `input`. */
void sp_add_classified(const sp_card *card, int label, char *input, const char *category,
                       sp_split *out);

#endif
