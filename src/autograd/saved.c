#include "autograd/saved.h"

#include "autograd/rows.h"
#include "tensor/gemm.h"
#include "tensor/kernels.h"

#include <omp.h>

sp_saved sp_save_input(sp_tape *t, sp_node *node, sp_var *v) {
    sp_saved s = {.floats = v};
    if (t->halves) {
        s = (sp_saved){.halves = sp_var_new(t, v->rows, (v->cols + 1) / 2, false)};
#pragma omp parallel for
        for (long r = 0; r < v->rows; r++)
            sp_bf16_from_floats(v->cols, sp_row(v, r), (uint16_t *)sp_row(s.halves, r));
    }
    sp_tape_save(node, s.halves ? s.halves : v);
    return s;
}

float *sp_saved_room(sp_tape *t, const sp_saved *s, int inputs, long d) {
    size_t floats = (size_t)sp_threads() * (size_t)inputs * (size_t)d;
    return s->halves ? sp_arena_alloc(&t->scratch, floats * sizeof(float)) : NULL;
}

const float *sp_saved_row(const sp_saved *s, long r, long d, float *room, int i, int inputs) {
    if (s->floats) return sp_row(s->floats, r);
    float *row = room + ((long)omp_get_thread_num() * inputs + i) * d;
    sp_bf16_to_floats(d, (const uint16_t *)sp_row(s->halves, r), row);
    return row;
}
