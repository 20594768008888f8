#include "model/model.h"

#include <stdlib.h>
#include <string.h>

static void append(sp_params *p, sp_param *param) {
    if (p->count == p->cap) {
        p->cap = p->cap ? 2 * p->cap : 64;
        p->items = sp_realloc(p->items, p->cap, sizeof *p->items);
    }
    p->items[p->count++] = param;
}

sp_var *sp_params_declare(sp_params *p, const char *name, int rank, long rows, long cols) {
    sp_param *param = sp_alloc(1, sizeof *param);
    param->name = sp_strdup(name);
    param->rank = rank;
    param->layer = -1;
    param->dims[0] = rank == 1 ? cols : rows;
    param->dims[1] = rank == 1 ? 1 : cols;
    param->var = (sp_var){.rows = rows, .cols = cols, .ld = cols, .leaf = true};
    append(p, param);
    return &param->var;
}

void sp_param_allocate(sp_param *param) {
    param->var = sp_leaf(param->var.rows, param->var.cols);
}

sp_var *sp_params_add(sp_params *p, const char *name, int rank, long rows, long cols) {
    sp_var *var = sp_params_declare(p, name, rank, rows, cols);
    sp_param_allocate(p->items[p->count - 1]);
    return var;
}

sp_param *sp_params_find(const sp_params *p, const char *name) {
    for (size_t i = 0; i < p->count; i++)
        if (strcmp(p->items[i]->name, name) == 0) return p->items[i];
    return NULL;
}

void sp_params_move(sp_params *from, size_t i, sp_params *to) {
    append(to, from->items[i]);
    memmove(from->items + i, from->items + i + 1, (--from->count - i) * sizeof *from->items);
}

void sp_params_free(sp_params *p) {
    for (size_t i = 0; i < p->count; i++) {
        free(p->items[i]->name);
        sp_leaf_free(&p->items[i]->var);
        free(p->items[i]);
    }
    free(p->items);
    *p = (sp_params){0};
}

void sp_params_train(sp_params *p, bool train) {
    for (size_t i = 0; i < p->count; i++) sp_leaf_train(&p->items[i]->var, train);
}

long sp_params_trainable(const sp_params *p) {
    long n = 0;
    for (size_t i = 0; i < p->count; i++)
        if (p->items[i]->var.needs_grad) n += p->items[i]->var.rows * p->items[i]->var.cols;
    return n;
}
