/* same_runs A B: whether the run files of two studies' folders hold the same numbers and texts, bit
 * for bit. What depends on the machine's mood, times and memory, does not count. */
#include "core/file.h"
#include "format/hdf5.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RUN_NAME = 16 + 3 };

static const char *const texts[] = {
    "schema", "experiment", "entry", "label",     "method",       "dataset",     "model",  "spec",
    "status", "error",      "gemm",  "precision", "model_sha256", "data_sha256", "output", NULL};
static const char *const numbers[] = {"seed",
                                      "subsample",
                                      "best_step",
                                      "threads",
                                      "trainable_parameters",
                                      "total_parameters",
                                      "kept_parameters",
                                      NULL};

/* ---- one file ---- */

static void stop(const char *place, const char *what) {
    printf("%s: %s%s%s\n", place, what, *sp_error() ? ": " : "", sp_error());
    exit(1);
}

static void compare_attributes(sp_h5 *a, sp_h5 *b) {
    for (const char *const *name = texts; *name; name++) {
        char *x, *y;
        if (sp_h5_get_text(a, "/", *name, &x) || sp_h5_get_text(b, "/", *name, &y))
            stop(sp_h5_path(a), "no attribute");
        if (strcmp(x, y) != 0) stop(sp_h5_path(b), *name);
        free(x), free(y);
    }
    for (const char *const *name = numbers; *name; name++) {
        double x, y;
        if (sp_h5_get_real(a, "/", *name, &x) || sp_h5_get_real(b, "/", *name, &y))
            stop(sp_h5_path(a), "no attribute");
        if (memcmp(&x, &y, sizeof x) != 0) stop(sp_h5_path(b), *name);
    }
}

static void compare_texts(sp_h5 *a, sp_h5 *b, const char *path) {
    sp_strings x = {0}, y = {0};
    if (sp_h5_read_texts(a, path, &x) || sp_h5_read_texts(b, path, &y))
        stop(sp_h5_path(b), "unreadable");
    if (x.len != y.len) stop(sp_h5_path(b), path);
    for (size_t i = 0; i < x.len; i++)
        if (strcmp(x.data[i], y.data[i]) != 0) stop(sp_h5_path(b), path);
    sp_strings_free(&x), sp_strings_free(&y);
}

/* Numbers as doubles, in which those of every stored type are exact. */
static void compare_arrays(sp_h5 *a, sp_h5 *b, const char *path) {
    double *x, *y;
    size_t n, m;
    if (sp_h5_read_reals(a, path, &x, &n)) {
        compare_texts(a, b, path);
        return;
    }
    if (sp_h5_read_reals(b, path, &y, &m)) stop(sp_h5_path(b), "unreadable");
    if (n != m || memcmp(x, y, n * sizeof *x) != 0) stop(sp_h5_path(b), path);
    free(x), free(y);
}

static void compare_groups(sp_h5 *a, sp_h5 *b, const char *group) {
    sp_strings names = {0}, others = {0};
    if (sp_h5_members(a, group, &names) || sp_h5_members(b, group, &others))
        stop(sp_h5_path(b), "no group");
    if (names.len != others.len) stop(sp_h5_path(b), group);
    for (size_t i = 0; i < names.len; i++) {
        char *path = sp_format("%s/%s", strcmp(group, "/") == 0 ? "" : group, names.data[i]);
        if (sp_h5_is_group(a, path))
            compare_groups(a, b, path);
        else if (strcmp(path, "/train/seconds") != 0)
            compare_arrays(a, b, path);
        free(path);
    }
    sp_strings_free(&names), sp_strings_free(&others);
}

static void compare_files(const char *first, const char *second) {
    sp_h5 *a, *b;
    if (sp_h5_open(first, &a) || sp_h5_open(second, &b)) stop(second, "unreadable");
    compare_attributes(a, b);
    compare_groups(a, b, "/");
    sp_h5_close(a), sp_h5_close(b);
}

/* ---- two folders ---- */

static int is_run_file(const struct dirent *e) {
    return strlen(e->d_name) == RUN_NAME && strcmp(e->d_name + RUN_NAME - 3, ".h5") == 0;
}

static int list_runs(const char *study, char **folder, struct dirent ***files) {
    *folder = sp_path_join(study, "runs");
    int count = scandir(*folder, files, is_run_file, alphasort);
    if (count <= 0) stop(*folder, "no runs");
    return count;
}

int main(int argc, char **argv) {
    if (argc != 3) return 2;
    char *first, *second;
    struct dirent **a, **b;
    int count = list_runs(argv[1], &first, &a);
    if (list_runs(argv[2], &second, &b) != count) stop(second, "not as many runs");
    for (int i = 0; i < count; i++) {
        char *x = sp_path_join(first, a[i]->d_name), *y = sp_path_join(second, b[i]->d_name);
        compare_files(x, y);
        free(x), free(y), free(a[i]), free(b[i]);
    }
    free(a), free(b), free(first), free(second);
    return 0;
}
