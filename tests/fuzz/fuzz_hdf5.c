/* A run file cut at any byte is refused, and the whole one survives requests for any path. Bytes
 * inside are not mutated: libhdf5 1.10 itself is not safe against hostile metadata, and everything
 * of ours lies above it. Input: two bytes for the cut (0: whole file), then a path. */
#include "core/file.h"
#include "core/memory.h"
#include "format/hdf5.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char path[64];
static sp_buf image;

static void remove_files(void) {
    unlink(path);
    sp_buf_free(&image);
}

static void make_image(void) {
    sp_h5 *f;
    const double x[3] = {1, 2, 3};
    const char *const texts[2] = {"a", "b"};
    snprintf(path, sizeof path, "/tmp/sp-fuzz-hdf5-%ld.h5", (long)getpid());
    if (sp_h5_create(path, &f) || sp_h5_set_text(f, "/", "schema", "softprompt-run/1") ||
        sp_h5_write_reals(f, "/train/loss", 1, (size_t[]){3}, x) ||
        sp_h5_write_texts(f, "/test/predictions/input", texts, 2) || sp_h5_commit(f) ||
        sp_read_file(path, &image))
        abort();
    atexit(remove_files);
}

static void ask(sp_h5 *f, const char *name) {
    double *reals;
    size_t n, dims[3];
    int rank;
    char *text;
    sp_strings list = {0};
    sp_h5_shape(f, name, &rank, dims);
    if (!sp_h5_read_reals(f, name, &reals, &n)) free(reals);
    if (!sp_h5_get_text(f, "/", name, &text)) free(text);
    if (!sp_h5_get_text(f, name, "schema", &text)) free(text);
    sp_h5_read_texts(f, name, &list);
    sp_h5_members(f, name, &list);
    sp_strings_free(&list);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 2) return 0;
    if (!image.len) make_image();
    size_t cut = (size_t)(data[0] | data[1] << 8) % image.len;
    sp_h5 *f;
    FILE *file = fopen(path, "wb");
    if (!file) abort();
    fwrite(image.data, 1, cut ? cut : image.len, file);
    fclose(file);
    sp_status st = sp_h5_open(path, &f);
    if (cut ? st != SP_ERR_FORMAT : st != SP_OK) abort();
    if (st) return 0;
    char *name = sp_strndup((const char *)data + 2, size - 2);
    ask(f, name);
    free(name);
    sp_h5_close(f);
    return 0;
}
