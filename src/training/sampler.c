#include "training/sampler.h"

#include "core/memory.h"
#include "core/random.h"

#include <stdlib.h>

/* Keeps the seeds of epochs apart; any odd number far from small seeds does. */
static const uint64_t EPOCH_STRIDE = 1000003;

void sp_sampler_resume(sp_sampler *s) {
    for (size_t i = 0; i < s->count; i++) s->order[i] = (int)i;
    sp_rng rng = sp_rng_make(s->seed + (uint64_t)s->epoch * EPOCH_STRIDE, s->purpose);
    sp_rng_shuffle(&rng, s->order, s->count, sizeof *s->order);
}

void sp_sampler_init(sp_sampler *s, size_t count, uint64_t seed, const char *purpose) {
    *s = (sp_sampler){.seed = seed, .purpose = purpose, .count = count};
    s->order = sp_alloc(count, sizeof *s->order);
    sp_sampler_resume(s);
}

size_t sp_sampler_next(sp_sampler *s) {
    if (s->cursor < 0 || s->cursor >= (int64_t)s->count) { /* a checkpoint may hold any number */
        s->cursor = 0;
        s->epoch++;
        sp_sampler_resume(s);
    }
    return (size_t)s->order[s->cursor++];
}

void sp_sampler_free(sp_sampler *s) {
    free(s->order);
    *s = (sp_sampler){0};
}
