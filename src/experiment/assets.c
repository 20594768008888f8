#include "experiment/assets.h"

#include "experiment/subset.h"
#include "model/files.h"
#include "tensor/gemm.h"

#include <stdlib.h>
#include <string.h>

/* The entries of each list are found by comparing; there are few. Their pointers stay valid. */
typedef struct shared_model {
    char *name;
    sp_precision precision;
    sp_model *model;
    sp_tokenizer *tokenizer;
    struct shared_model *next;
} shared_model;

typedef struct shared_dataset {
    char *name;
    sp_dataset *dataset;
    struct shared_dataset *next;
} shared_dataset;

typedef struct shared_part {
    sp_part_name name; /* its texts are owned */
    sp_part part;
    struct shared_part *next;
} shared_part;

struct sp_assets {
    shared_model *models;
    shared_dataset *datasets;
    shared_part *parts;
};

sp_assets *sp_assets_new(void) {
    return sp_alloc(1, sizeof(sp_assets));
}

/* ---- models ---- */

static void free_model(shared_model *m) {
    sp_tokenizer_free(m->tokenizer);
    sp_model_free(m->model);
    free(m->name), free(m);
}

/* Where the model is linked in, or the end of the list. */
static shared_model **find_model(sp_assets *assets, const char *name, sp_precision precision) {
    shared_model **at = &assets->models;
    while (*at && ((*at)->precision != precision || strcmp((*at)->name, name) != 0))
        at = &(*at)->next;
    return at;
}

static sp_status open_model(const char *name, sp_precision precision, shared_model **out) {
    shared_model *m = sp_alloc(1, sizeof *m);
    m->name = sp_strdup(name);
    m->precision = precision;
    sp_status st = sp_gemm_start(1); /* a process with threads cannot be copied */
    if (!st) st = sp_model_open(name, precision, &m->model);
    if (!st) st = sp_model_open_tokenizer(name, m->model, &m->tokenizer);
    if (st)
        free_model(m);
    else
        *out = m;
    return st;
}

sp_status sp_assets_model(sp_assets *assets, const char *name, sp_precision precision,
                          sp_model **model, sp_tokenizer **tokenizer) {
    shared_model **at = find_model(assets, name, precision);
    sp_status st = *at ? SP_OK : open_model(name, precision, at);
    if (st) return st;
    *model = (*at)->model;
    *tokenizer = (*at)->tokenizer;
    return SP_OK;
}

void sp_assets_forget_model(sp_assets *assets, const char *name, sp_precision precision) {
    shared_model **at = find_model(assets, name, precision), *found = *at;
    if (!found) return;
    *at = found->next;
    free_model(found);
}

/* ---- data sets ---- */

sp_status sp_assets_dataset(sp_assets *assets, const char *name, const sp_dataset **out) {
    shared_dataset **at = &assets->datasets;
    while (*at && strcmp((*at)->name, name) != 0) at = &(*at)->next;
    if (!*at) {
        sp_dataset *opened;
        sp_status st = sp_dataset_open(name, &opened);
        if (st) return st;
        *at = sp_alloc(1, sizeof **at);
        **at = (shared_dataset){.name = sp_strdup(name), .dataset = opened};
    }
    *out = (*at)->dataset;
    return SP_OK;
}

/* Class heads of texts have the same tokens. */
static bool is_encoded_alike(sp_output a, sp_output b) {
    bool both_texts = a != SP_OUTPUT_TOKEN_LINEAR && b != SP_OUTPUT_TOKEN_LINEAR;
    return a == b || (both_texts && a != SP_OUTPUT_TEXT && b != SP_OUTPUT_TEXT);
}

static bool is_separated_alike(const sp_part_name *a, const sp_part_name *b) {
    if (!a->separator || !b->separator) return a->separator == b->separator;
    return strcmp(a->separator, b->separator) == 0;
}

static bool is_same(const sp_part_name *a, const sp_part_name *b) {
    return strcmp(a->dataset, b->dataset) == 0 && strcmp(a->split, b->split) == 0 &&
           strcmp(a->model, b->model) == 0 && is_separated_alike(a, b) && a->limit == b->limit &&
           a->draw == b->draw && is_encoded_alike(a->output, b->output);
}

static void free_part(shared_part *p) {
    sp_examples_free(&p->part.examples);
    sp_split_free(&p->part.split);
    free((char *)(uintptr_t)p->name.dataset);
    free((char *)(uintptr_t)p->name.split);
    free((char *)(uintptr_t)p->name.model);
    free((char *)(uintptr_t)p->name.separator);
    free(p);
}

static sp_status make_part(const sp_part_name *name, const sp_dataset *dataset, sp_part *out) {
    size_t labels;
    sp_status st = sp_dataset_load(dataset, name->split, &out->split);
    if (!st) st = sp_dataset_labels(dataset, &out->labels, &labels);
    if (st) return st;
    sp_split_keep(&out->split, (size_t)name->limit, name->draw);
    const char *separator = name->separator ? name->separator : sp_dataset_separator(dataset);
    st = sp_examples_encode(&out->split, name->output, separator, name->tokenizer, name->eos,
                            &out->examples);
    out->examples.allowed = sp_dataset_allowed(dataset);
    return st ? sp_fail_in(st, "%s, split %s", name->dataset, name->split) : SP_OK;
}

static sp_status open_part(sp_assets *assets, const sp_part_name *name, shared_part **out) {
    const sp_dataset *dataset;
    sp_status st = sp_assets_dataset(assets, name->dataset, &dataset);
    if (st) return st;
    shared_part *p = sp_alloc(1, sizeof *p);
    p->name = *name;
    p->name.dataset = sp_strdup(name->dataset);
    p->name.split = sp_strdup(name->split);
    p->name.model = sp_strdup(name->model);
    p->name.separator = name->separator ? sp_strdup(name->separator) : NULL;
    st = make_part(name, dataset, &p->part);
    if (st)
        free_part(p);
    else
        *out = p;
    return st;
}

sp_status sp_assets_part(sp_assets *assets, const sp_part_name *name, const sp_part **out) {
    shared_part **at = &assets->parts;
    while (*at && !is_same(&(*at)->name, name)) at = &(*at)->next;
    sp_status st = *at ? SP_OK : open_part(assets, name, at);
    if (!st) *out = &(*at)->part;
    return st;
}

/* ---- all ---- */

void sp_assets_free(sp_assets *assets) {
    if (!assets) return;
    for (shared_part *p = assets->parts, *next; p; p = next) next = p->next, free_part(p);
    for (shared_dataset *d = assets->datasets, *next; d; d = next) {
        next = d->next;
        sp_dataset_free(d->dataset);
        free(d->name), free(d);
    }
    for (shared_model *m = assets->models, *next; m; m = next) next = m->next, free_model(m);
    free(assets);
}

sp_status sp_assets_identify(void *user, const char *model, const char *dataset,
                             sp_digest *model_sha256, sp_digest *data_sha256) {
    sp_status st = model_sha256 ? sp_model_hash(model, model_sha256) : SP_OK;
    if (st) return st;
    const sp_dataset *opened;
    if (data_sha256) st = sp_assets_dataset(user, dataset, &opened);
    return st || !data_sha256 ? st : sp_dataset_hash(opened, data_sha256);
}
