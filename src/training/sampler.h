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
    const int *sizes; /* [count], or NULL; borrowed */
    size_t batch;
    int64_t epoch, cursor; /* where it stands; saved in checkpoints */
} sp_sampler;

/* `purpose` must outlive the sampler. */
void sp_sampler_init(sp_sampler *s, size_t count, uint64_t seed, const char *purpose);
/* Of a sampler at its start whose items are always taken `batch` at a time, makes these batches
 * about equal in the sum of their items' sizes [count], so that the work of a step is even. Each
 * epoch is shuffled as before; then the items of every 16 batches in a row are dealt out again
 * among these. A batch that goes over the end of an epoch gets its share of both. */
void sp_sampler_balance(sp_sampler *s, const int *sizes, size_t batch);
/* After epoch and cursor were set from a checkpoint. */
void sp_sampler_resume(sp_sampler *s);
/* The next item. */
size_t sp_sampler_next(sp_sampler *s);
void sp_sampler_free(sp_sampler *s);

#endif
