/* Any bytes as a data set card: refused cleanly, or a card whose mixture, if it is one of sets that
 * lie beside it, is read or refused. Sets made from WordNet are opened only: they take long. */
#include "core/memory.h"
#include "data/dataset.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char one[] = "text,label\nred,x\nblue,y\n";
static const char two[] = "text,label\nup,y\ndown,z\n";

static void write_bytes(const char *path, const void *data, size_t size) {
    FILE *file = fopen(path, "wb");
    if (!file) abort();
    fwrite(data, 1, size, file);
    fclose(file);
}

static void check_example(const sp_example *e, size_t labels) {
    if (!e->input || !e->group || e->references.len == 0) abort();
    if (e->label >= 0 && (size_t)e->label >= labels) abort();
}

static void check_mixture(const sp_dataset *dataset) {
    sp_split split;
    const sp_label *labels;
    size_t count;
    if (sp_dataset_load(dataset, "train", &split)) return;
    if (sp_dataset_labels(dataset, &labels, &count)) abort();
    if ((count > 0) != (sp_dataset_allowed(dataset) != NULL)) abort();
    for (size_t i = 0; i < split.count; i++) check_example(&split.items[i], count);
    sp_split_free(&split);
}

/* Whether all sets are the two files beside the card. */
static bool is_of_files(const sp_dataset *dataset) {
    sp_strings parts = {0};
    sp_dataset_parts(dataset, &parts);
    bool files = parts.len > 0;
    for (size_t i = 0; i < parts.len; i++)
        files &= strcmp(parts.data[i], "one") == 0 || strcmp(parts.data[i], "two") == 0;
    sp_strings_free(&parts);
    return files;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char folder[] = "/tmp/sp-fuzz-dataset-XXXXXX";
    if (!mkdtemp(folder)) abort();
    char *card = sp_format("%s/card.yaml", folder), *first = sp_format("%s/one.csv", folder),
         *second = sp_format("%s/two.csv", folder);
    write_bytes(card, data, size);
    write_bytes(first, one, strlen(one));
    write_bytes(second, two, strlen(two));
    sp_dataset *dataset;
    if (!sp_dataset_open(card, &dataset)) {
        if (is_of_files(dataset)) check_mixture(dataset);
        sp_dataset_free(dataset);
    }
    unlink(card), unlink(first), unlink(second), rmdir(folder);
    free(card), free(first), free(second);
    return 0;
}
