#include "core/random.h"

#include <Random123/philox.h>
#include <math.h>

sp_rng sp_rng_make(uint64_t seed, const char *purpose) {
    uint64_t h = 1469598103934665603u; /* FNV-1a, 64 bit */
    for (const char *p = purpose; *p; p++) h = (h ^ (unsigned char)*p) * 1099511628211u;
    return (sp_rng){.seed = seed, .purpose = h};
}

uint32_t sp_rng_u32(sp_rng *rng) {
    uint64_t block = rng->counter / 4;
    philox4x32_ctr_t counter = {{(uint32_t)block, (uint32_t)(block >> 32), (uint32_t)rng->purpose,
                                 (uint32_t)(rng->purpose >> 32)}};
    philox4x32_key_t key = {{(uint32_t)rng->seed, (uint32_t)(rng->seed >> 32)}};
    philox4x32_ctr_t out = philox4x32(counter, key);
    return out.v[rng->counter++ % 4];
}

uint32_t sp_rng_below(sp_rng *rng, uint32_t n) {
    uint32_t reject_below = (uint32_t)(-n) % n;
    uint32_t x;
    do x = sp_rng_u32(rng);
    while (x < reject_below);
    return x % n;
}

float sp_rng_uniform(sp_rng *rng) {
    return (float)(sp_rng_u32(rng) >> 8) * 0x1p-24f;
}

float sp_rng_normal(sp_rng *rng) {
    double u = ((double)sp_rng_u32(rng) + 1.0) * 0x1p-32; /* (0, 1] */
    double v = (double)sp_rng_u32(rng) * 0x1p-32;
    return (float)(sqrt(-2.0 * log(u)) * cos(2.0 * M_PI * v));
}

static void swap_bytes(char *a, char *b, size_t size) {
    for (size_t i = 0; i < size; i++) {
        char other = a[i];
        a[i] = b[i];
        b[i] = other;
    }
}

void sp_rng_shuffle(sp_rng *rng, void *items, size_t count, size_t size) {
    char *bytes = items;
    for (size_t i = count; i > 1; i--) {
        size_t j = sp_rng_below(rng, (uint32_t)i);
        swap_bytes(bytes + j * size, bytes + (i - 1) * size, size);
    }
}
