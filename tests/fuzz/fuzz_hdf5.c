/* Any bytes as an HDF5 file: refused, or everything in it can be asked for as anything. */
#include "core/file.h"
#include "core/memory.h"
#include "format/hdf5.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { DEEPEST = 4, MOST_MEMBERS = 32 };

static void read_attributes(sp_h5 *f, const char *group) {
    char *text;
    int64_t whole;
    double real;
    if (!sp_h5_get_text(f, group, "note", &text)) free(text);
    sp_h5_get_int(f, group, "seed", &whole);
    sp_h5_get_real(f, group, "seed", &real);
}

static void read_dataset(sp_h5 *f, const char *path) {
    int rank;
    size_t n, dims[3];
    double *reals;
    int64_t *ints;
    float *floats;
    sp_strings texts = {0};
    if (sp_h5_shape(f, path, &rank, dims)) return;
    if (!sp_h5_read_reals(f, path, &reals, &n)) free(reals);
    if (!sp_h5_read_ints(f, path, &ints, &n)) free(ints);
    if (!sp_h5_read_floats(f, path, &floats, &n)) free(floats);
    sp_h5_read_texts(f, path, &texts);
    sp_strings_free(&texts);
}

static void read_all(sp_h5 *f, const char *path, int depth) {
    sp_strings names = {0};
    read_attributes(f, path);
    read_dataset(f, path);
    if (depth < DEEPEST && !sp_h5_members(f, path, &names))
        for (size_t i = 0; i < names.len && i < MOST_MEMBERS; i++) {
            char *member = sp_format("%s/%s", path, names.data[i]);
            read_all(f, member, depth + 1);
            free(member);
        }
    sp_strings_free(&names);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *path = sp_format("/tmp/sp-fuzz-hdf5-%ld.h5", (long)getpid());
    FILE *file = fopen(path, "wb");
    if (!file) abort();
    fwrite(data, 1, size, file);
    fclose(file);
    sp_h5 *f;
    if (!sp_h5_open(path, &f)) {
        read_all(f, "/", 0);
        sp_h5_close(f);
    }
    unlink(path);
    free(path);
    return 0;
}
