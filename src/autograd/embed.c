#include "autograd/ops.h"
#include "autograd/rows.h"
#include "tensor/kernels.h"

#include <string.h>

typedef struct embed_node {
    sp_node node;
    sp_var *table, *virtual_rows;
    int *ids;
} embed_node;

/* Where the gradient of output row r goes; NULL: nowhere. */
static float *target_row(const embed_node *n, float *table, float *rows, long r) {
    int id = n->ids[r];
    if (id >= 0) return table ? table + id * n->table->ld : NULL;
    return rows ? rows + (-1 - id) * n->virtual_rows->ld : NULL;
}

static void embed_backward(sp_tape *t, sp_node *node) {
    embed_node *n = (embed_node *)node;
    sp_var *y = node->out;
    float *table = n->table->needs_grad ? sp_grad(t, n->table) : NULL;
    float *rows =
        n->virtual_rows && n->virtual_rows->needs_grad ? sp_grad(t, n->virtual_rows) : NULL;
#pragma omp parallel for
    for (long c = 0; c < y->cols; c += SP_COLUMN_STRIP)
        for (long r = 0; r < y->rows; r++) {
            float *target = target_row(n, table, rows, r);
            if (target)
                sp_axpy(sp_strip_width(c, y->cols), 1.0f, y->grad + r * y->ld + c, target + c);
        }
}

sp_var *sp_embed(sp_tape *t, sp_var *table, sp_var *virtual_rows, const int *ids, long count) {
    bool needs = table->needs_grad || (virtual_rows && virtual_rows->needs_grad);
    sp_var *y = sp_var_new(t, count, table->cols, needs);
#pragma omp parallel for
    for (long r = 0; r < count; r++) {
        int id = ids[r];
        sp_var_row(id >= 0 ? table : virtual_rows, id >= 0 ? id : -1 - id, sp_row(y, r));
    }
    embed_node *n = sp_tape_record(t, y, embed_backward, sizeof *n);
    if (n) {
        size_t bytes = (size_t)count * sizeof(int);
        n->table = table;
        n->virtual_rows = virtual_rows;
        n->ids = memcpy(sp_arena_alloc(&t->arena, bytes), ids, bytes);
    }
    return y;
}
