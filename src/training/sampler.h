/* The order in which training visits its items: a new permutation each epoch, a pure function of
 * (seed, purpose, epoch), so that epoch and cursor are all a checkpoint needs. */
#ifndef SP_TRAINING_SAMPLER_H
#define SP_TRAINING_SAMPLER_H

#include <stddef.h>
#include <stdint.h>

typedef struct sp_sampler {
    uint64_t seed;
    const char *purpose;
    int *order; /* [count] of this epoch */
    size_t count;
    int64_t epoch, cursor; /* where it stands; saved in checkpoints */
} sp_sampler;

/* `purpose` must outlive the sampler. */
void sp_sampler_init(sp_sampler *s, size_t count, uint64_t seed, const char *purpose);
/* After epoch and cursor were set from a checkpoint. */
void sp_sampler_resume(sp_sampler *s);
/* The next item. */
size_t sp_sampler_next(sp_sampler *s);
void sp_sampler_free(sp_sampler *s);

#endif
