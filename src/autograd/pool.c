#include "autograd/pool.h"

#ifdef SP_SANITIZE
#include <math.h>
#include <sanitizer/asan_interface.h>
#endif

enum { ROUNDING = 16 }; /* floats: 64 bytes */

/* All buffers of one size. */
typedef struct sp_pool_size {
    struct sp_pool_size *next;
    size_t floats;
    sp_buffer *free;
} sp_pool_size;

#ifdef SP_SANITIZE
/* GEMM libraries are not instrumented: NaN shows what poison does not. */
static void forbid(float *data, size_t floats) {
    for (size_t i = 0; i < floats; i++) data[i] = NAN;
    ASAN_POISON_MEMORY_REGION(data, floats * sizeof(float));
}

static void allow(float *data, size_t floats) {
    ASAN_UNPOISON_MEMORY_REGION(data, floats * sizeof(float));
}
#else
static void forbid(float *data, size_t floats) {
    (void)data;
    (void)floats;
}

static void allow(float *data, size_t floats) {
    (void)data;
    (void)floats;
}
#endif

static sp_pool_size *find_size(sp_pool *p, size_t floats) {
    for (sp_pool_size *s = p->sizes; s; s = s->next)
        if (s->floats == floats) return s;
    sp_pool_size *s = sp_arena_alloc(&p->arena, sizeof *s);
    *s = (sp_pool_size){.next = p->sizes, .floats = floats};
    return p->sizes = s;
}

static sp_buffer *new_buffer(sp_pool *p, sp_pool_size *size) {
    sp_buffer *b = sp_arena_alloc(&p->arena, sizeof *b);
    *b = (sp_buffer){.data = sp_arena_alloc(&p->arena, size->floats * sizeof(float)), .size = size};
    forbid(b->data, size->floats);
    return b;
}

sp_buffer *sp_pool_take(sp_pool *p, size_t floats) {
    size_t rounded = (floats + ROUNDING - 1) / ROUNDING * ROUNDING;
    sp_pool_size *size = find_size(p, rounded ? rounded : ROUNDING);
    sp_buffer *b = size->free;
    if (b)
        size->free = b->next;
    else
        b = new_buffer(p, size);
    b->holders = 1;
    allow(b->data, size->floats);
    p->held += size->floats;
    if (p->held > p->peak) p->peak = p->held;
    return b;
}

void sp_pool_drop(sp_pool *p, sp_buffer *b) {
    if (--b->holders) return;
    p->held -= b->size->floats;
    b->next = b->size->free;
    b->size->free = b;
    forbid(b->data, b->size->floats);
}

/* What lies in the arena is no longer ours to forbid. */
static void allow_all(sp_pool *p) {
    for (sp_pool_size *s = p->sizes; s; s = s->next)
        for (sp_buffer *b = s->free; b; b = b->next) allow(b->data, s->floats);
    p->sizes = NULL;
    p->held = p->peak = 0;
}

void sp_pool_reset(sp_pool *p) {
    allow_all(p);
    sp_arena_reset(&p->arena);
}

void sp_pool_free(sp_pool *p) {
    allow_all(p);
    sp_arena_free(&p->arena);
}
