/* All splits of a generated classification set. Include after cmocka. */
#ifndef SP_TESTS_SUPPORT_GENERATED_H
#define SP_TESTS_SUPPORT_GENERATED_H

#include "core/file.h"
#include "data/dataset.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct generated {
    sp_dataset *dataset;
    sp_split splits[3]; /* train, dev, test */
    const sp_label *labels;
    size_t label_count;
} generated;

static inline sp_status open_generated(const char *name, generated *out) {
    static const char *const names[] = {"train", "dev", "test"};
    sp_status st = sp_dataset_open(name, &out->dataset);
    for (int i = 0; i < 3 && !st; i++)
        st = sp_dataset_load(out->dataset, names[i], &out->splits[i]);
    if (!st) st = sp_dataset_labels(out->dataset, &out->labels, &out->label_count);
    if (st) print_error("%s\n", sp_error());
    return st;
}

static inline void close_generated(generated *g) {
    for (int i = 0; i < 3; i++) sp_split_free(&g->splits[i]);
    sp_dataset_free(g->dataset);
}

static inline size_t count_label(const sp_split *split, int label) {
    size_t count = 0;
    for (size_t i = 0; i < split->count; i++) count += split->items[i].label == label;
    return count;
}

/* The error of loading train from a card with this text. */
static inline void expect_load_failure(const char *card, sp_status status, const char *part) {
    char folder[] = "/tmp/sp-generated-XXXXXX";
    assert_non_null(mkdtemp(folder));
    char *path = sp_path_join(folder, "card.yaml");
    assert_int_equal(sp_write_file(path, card, strlen(card)), SP_OK);
    sp_dataset *d;
    sp_split split;
    assert_int_equal(sp_dataset_open(path, &d), SP_OK);
    assert_int_equal(sp_dataset_load(d, "train", &split), status);
    if (!strstr(sp_error(), part)) fail_msg("'%s' is not in: %s", part, sp_error());
    sp_dataset_free(d);
    remove(path), remove(folder);
    free(path);
}

/* A second data set of the same card has the same hash. */
static inline void expect_same_again(const generated *g, const char *name) {
    sp_digest first, again;
    sp_dataset *second;
    assert_int_equal(sp_dataset_hash(g->dataset, &first), SP_OK);
    assert_int_equal(sp_dataset_open(name, &second), SP_OK);
    assert_int_equal(sp_dataset_hash(second, &again), SP_OK);
    assert_string_equal(first.hex, again.hex);
    sp_dataset_free(second);
}

#endif
