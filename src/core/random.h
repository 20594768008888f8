/* Counter-based random numbers (Philox 4x32-10, Random123): the stream is a pure function of
 * (seed, purpose, counter), so saving the counter is saving the generator. */
#ifndef SP_CORE_RANDOM_H
#define SP_CORE_RANDOM_H

#include <stddef.h>
#include <stdint.h>

/* Start with sp_rng_make; copy freely; write the three numbers to resume. */
typedef struct sp_rng {
    uint64_t seed, purpose, counter;
} sp_rng;

/* `purpose` names an independent stream, e.g. "init" or "shuffle". */
sp_rng sp_rng_make(uint64_t seed, const char *purpose);
uint32_t sp_rng_u32(sp_rng *rng);
uint32_t sp_rng_below(sp_rng *rng, uint32_t n); /* uniform in [0, n), n > 0, unbiased */
float sp_rng_uniform(sp_rng *rng);              /* [0, 1), 24 bits */
float sp_rng_normal(sp_rng *rng);               /* mean 0, variance 1 (Box-Muller) */
/* Shuffles items [count] of `size` bytes each (Fisher-Yates). */
void sp_rng_shuffle(sp_rng *rng, void *items, size_t count, size_t size);

#endif
