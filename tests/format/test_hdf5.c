#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/clock.h"
#include "core/file.h"
#include "format/hdf5.h"

#include <hdf5.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/sp-hdf5-XXXXXX";
static char *path;

static int make_folder(void **state) {
    (void)state;
    if (!mkdtemp(folder)) return 1;
    path = sp_path_join(folder, "run.h5");
    return 0;
}

static int remove_folder(void **state) {
    (void)state;
    unlink(path);
    free(path);
    return rmdir(folder);
}

static void write_sample(const char *note) {
    sp_h5 *f;
    const double series[3] = {1, 2.5, -3};
    const float grid[6] = {1, 2, 3, 4, 5, 6};
    const int64_t steps[2] = {10, 20};
    const char *const texts[3] = {"caf\xc3\xa9", "", "two\nlines"};
    assert_int_equal(sp_h5_create(path, &f), SP_OK);
    assert_int_equal(sp_h5_set_text(f, "/", "note", note), SP_OK);
    assert_int_equal(sp_h5_set_int(f, "/", "seed", -7), SP_OK);
    assert_int_equal(sp_h5_set_real(f, "/a/b", "x", 0.25), SP_OK);
    assert_int_equal(sp_h5_write_reals(f, "/train/loss", 1, (size_t[]){3}, series), SP_OK);
    assert_int_equal(sp_h5_write_floats(f, "/prompt/w", 2, (size_t[]){2, 3}, grid), SP_OK);
    assert_int_equal(sp_h5_write_ints(f, "/train/step", 1, (size_t[]){2}, steps), SP_OK);
    assert_int_equal(sp_h5_write_reals(f, "/test/bleu", 0, NULL, series), SP_OK);
    assert_int_equal(sp_h5_write_texts(f, "/test/predictions/input", texts, 3), SP_OK);
    assert_int_equal(sp_h5_write_texts(f, "/empty", NULL, 0), SP_OK);
    assert_int_equal(sp_h5_link_file(f, "/runs/other", "runs/other.h5"), SP_OK);
    assert_int_equal(sp_h5_commit(f), SP_OK);
}

/* Attributes, arrays, scalars and strings come back as they were written. */
static void test_round_trip(void **state) {
    (void)state;
    write_sample("x");
    sp_h5 *f;
    assert_int_equal(sp_h5_open(path, &f), SP_OK);
    char *note;
    int64_t seed, *steps;
    double x, *series;
    float *grid;
    size_t n, dims[3];
    int rank;
    assert_int_equal(sp_h5_get_text(f, "/", "note", &note), SP_OK);
    assert_string_equal(note, "x");
    assert_int_equal(sp_h5_get_int(f, "/", "seed", &seed), SP_OK);
    assert_int_equal(seed, -7);
    assert_int_equal(sp_h5_get_real(f, "/a/b", "x", &x), SP_OK);
    assert_true(x == 0.25);
    assert_int_equal(sp_h5_read_reals(f, "/train/loss", &series, &n), SP_OK);
    assert_true(n == 3 && series[1] == 2.5);
    assert_int_equal(sp_h5_shape(f, "/prompt/w", &rank, dims), SP_OK);
    assert_true(rank == 2 && dims[0] == 2 && dims[1] == 3);
    assert_int_equal(sp_h5_read_floats(f, "/prompt/w", &grid, &n), SP_OK);
    assert_true(n == 6 && grid[5] == 6);
    assert_int_equal(sp_h5_read_ints(f, "/train/step", &steps, &n), SP_OK);
    assert_true(n == 2 && steps[1] == 20);
    sp_strings texts = {0}, names = {0};
    assert_int_equal(sp_h5_read_texts(f, "/test/predictions/input", &texts), SP_OK);
    assert_int_equal(texts.len, 3);
    assert_string_equal(texts.data[0], "caf\xc3\xa9");
    assert_string_equal(texts.data[2], "two\nlines");
    assert_int_equal(sp_h5_read_texts(f, "/empty", &texts), SP_OK);
    assert_int_equal(texts.len, 3);
    assert_int_equal(sp_h5_members(f, "/test", &names), SP_OK);
    assert_int_equal(names.len, 2);
    assert_string_equal(names.data[0], "bleu");
    assert_string_equal(names.data[1], "predictions");
    assert_true(sp_h5_exists(f, "/test/bleu") && sp_h5_is_group(f, "/test"));
    assert_false(sp_h5_exists(f, "/test/x/y") || sp_h5_is_group(f, "/test/bleu"));
    sp_strings_free(&texts), sp_strings_free(&names);
    free(note), free(steps), free(series), free(grid);
    sp_h5_close(f);
}

/* Asking for what is not there or is of another type is one clear error. */
static void test_wrong_requests(void **state) {
    (void)state;
    write_sample("x");
    sp_h5 *f;
    assert_int_equal(sp_h5_open(path, &f), SP_OK);
    char *text;
    double *reals, x;
    size_t n;
    sp_strings names = {0};
    assert_int_equal(sp_h5_get_text(f, "/", "nothing", &text), SP_ERR_FORMAT);
    assert_int_equal(sp_h5_get_text(f, "/", "seed", &text), SP_ERR_FORMAT);
    assert_int_equal(sp_h5_get_real(f, "/", "note", &x), SP_ERR_FORMAT);
    assert_int_equal(sp_h5_read_reals(f, "/nothing", &reals, &n), SP_ERR_FORMAT);
    assert_int_equal(sp_h5_read_reals(f, "/train", &reals, &n), SP_ERR_FORMAT);
    assert_int_equal(sp_h5_read_reals(f, "/empty", &reals, &n), SP_ERR_FORMAT);
    assert_int_equal(sp_h5_read_texts(f, "/train/loss", &names), SP_ERR_FORMAT);
    assert_int_equal(sp_h5_members(f, "/test/bleu", &names), SP_ERR_FORMAT);
    assert_non_null(strstr(sp_error(), path));
    sp_h5_close(f);
}

/* Writing a path again replaces it. */
static void test_replacement(void **state) {
    (void)state;
    sp_h5 *f;
    const double a[2] = {1, 2}, b[1] = {3};
    double *out;
    size_t n;
    assert_int_equal(sp_h5_create(path, &f), SP_OK);
    assert_int_equal(sp_h5_write_reals(f, "/x", 1, (size_t[]){2}, a), SP_OK);
    assert_int_equal(sp_h5_write_reals(f, "/x", 1, (size_t[]){1}, b), SP_OK);
    assert_int_equal(sp_h5_set_text(f, "/", "status", "running"), SP_OK);
    assert_int_equal(sp_h5_set_text(f, "/", "status", "finished"), SP_OK);
    assert_int_equal(sp_h5_commit(f), SP_OK);
    assert_int_equal(sp_h5_open(path, &f), SP_OK);
    assert_int_equal(sp_h5_read_reals(f, "/x", &out, &n), SP_OK);
    assert_true(n == 1 && out[0] == 3);
    free(out);
    sp_h5_close(f);
}

/* Equal content gives equal bytes. */
static void test_determinism(void **state) {
    (void)state;
    sp_buf first = {0}, second = {0};
    write_sample("same");
    assert_int_equal(sp_read_file(path, &first), SP_OK);
    sleep(1); /* a stored time would differ */
    write_sample("same");
    assert_int_equal(sp_read_file(path, &second), SP_OK);
    assert_int_equal(first.len, second.len);
    assert_memory_equal(first.data, second.data, first.len);
    sp_buf_free(&first), sp_buf_free(&second);
}

/* A file that was not committed leaves the old one alone. */
static void test_dropped_file(void **state) {
    (void)state;
    write_sample("old");
    sp_h5 *f;
    char *note;
    assert_int_equal(sp_h5_create(path, &f), SP_OK);
    assert_int_equal(sp_h5_set_text(f, "/", "note", "new"), SP_OK);
    sp_h5_close(f);
    assert_int_equal(sp_h5_open(path, &f), SP_OK);
    assert_int_equal(sp_h5_get_text(f, "/", "note", &note), SP_OK);
    assert_string_equal(note, "old");
    free(note);
    sp_h5_close(f);
}

/* Missing, foreign and truncated files are told apart. */
static void test_bad_files(void **state) {
    (void)state;
    sp_h5 *f;
    sp_buf whole = {0};
    write_sample("x");
    assert_int_equal(sp_read_file(path, &whole), SP_OK);
    assert_int_equal(sp_write_file(path, whole.data, whole.len / 2), SP_OK);
    assert_int_equal(sp_h5_open(path, &f), SP_ERR_FORMAT);
    assert_non_null(strstr(sp_error(), "is a truncated or damaged HDF5 file"));
    assert_int_equal(sp_write_file(path, "hello", 5), SP_OK);
    assert_int_equal(sp_h5_open(path, &f), SP_ERR_FORMAT);
    assert_non_null(strstr(sp_error(), "is not an HDF5 file"));
    assert_int_equal(sp_write_file(path, "", 0), SP_OK);
    assert_int_equal(sp_h5_open(path, &f), SP_ERR_FORMAT);
    assert_int_equal(sp_h5_open("/nowhere/x.h5", &f), SP_ERR_MISSING);
    sp_buf_free(&whole);
}

/* A disk that is full (here: a file size limit) is SP_ERR_IO, and the old file stays whole. */
static void test_full_disk(void **state) {
    (void)state;
    write_sample("old");
    struct rlimit old_limit, limit;
    getrlimit(RLIMIT_FSIZE, &old_limit);
    limit = old_limit;
    limit.rlim_cur = 4096;
    signal(SIGXFSZ, SIG_IGN);
    sp_h5 *f;
    float *zeros = sp_alloc_floats(10000);
    assert_int_equal(sp_h5_create(path, &f), SP_OK);
    assert_int_equal(sp_h5_write_floats(f, "/w", 1, (size_t[]){10000}, zeros), SP_OK);
    setrlimit(RLIMIT_FSIZE, &limit);
    sp_status st = sp_h5_commit(f);
    setrlimit(RLIMIT_FSIZE, &old_limit);
    assert_int_equal(st, SP_ERR_IO);
    free(zeros);
    assert_int_equal(sp_h5_open(path, &f), SP_OK);
    sp_h5_close(f);
}

enum { LARGE = 3 << 20 };

/* Two large arrays among small things, one of them not at its natural place in memory. */
static sp_status write_large(const float *values, sp_h5 **f) {
    const char *const texts[2] = {"one", "two"};
    sp_status st = sp_h5_create(path, f);
    if (!st) st = sp_h5_write_floats(*f, "/w/small", 1, (size_t[]){3}, values);
    if (!st) st = sp_h5_write_floats(*f, "/w/large", 2, (size_t[]){3, LARGE / 3}, values);
    if (!st) st = sp_h5_write_texts(*f, "/texts", texts, 2);
    if (!st) st = sp_h5_write_floats(*f, "/w/other", 1, (size_t[]){LARGE - 5}, values + 5);
    return st ? st : sp_h5_set_text(*f, "/w", "note", "after them");
}

static float *count_up(void) {
    float *values = sp_alloc_floats(LARGE);
    for (size_t i = 0; i < LARGE; i++) values[i] = (float)i;
    return values;
}

static void test_large_arrays(void **state) {
    (void)state;
    sp_h5 *f;
    float *values = count_up(), *read = NULL;
    size_t count;
    double before = sp_peak_rss();
    assert_int_equal(write_large(values, &f), SP_OK);
    assert_int_equal(sp_h5_commit(f), SP_OK);
    if (sp_peak_rss() - before > 4 << 20) fail_msg("%g bytes", sp_peak_rss() - before);
    assert_int_equal(sp_h5_open(path, &f), SP_OK);
    assert_int_equal(sp_h5_read_floats(f, "/w/large", &read, &count), SP_OK);
    assert_int_equal(count, LARGE);
    assert_memory_equal(read, values, LARGE * sizeof *read);
    assert_int_equal(sp_h5_load_floats(f, "/w/other", read, LARGE), SP_ERR_FORMAT);
    assert_int_equal(sp_h5_load_floats(f, "/w/other", read, LARGE - 5), SP_OK);
    assert_memory_equal(read, values + 5, (LARGE - 5) * sizeof *read);
    assert_int_equal(sp_h5_load_floats(f, "/w/small", read, 3), SP_OK);
    assert_memory_equal(read, values, 3 * sizeof *read);
    sp_h5_close(f);
    free(read);
    /* libhdf5 reads the same. */
    hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    hid_t set = H5Dopen2(file, "/w/other", H5P_DEFAULT);
    read = sp_alloc_floats(LARGE);
    assert_true(H5Dread(set, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, read) >= 0);
    assert_memory_equal(read, values + 5, (LARGE - 5) * sizeof *read);
    H5Dclose(set), H5Fclose(file);
    free(read), free(values);
}

/* Wherever in a large file the disk fills up, the old file stays, nothing is left over, and the
 * next file is written as if nothing had been. */
static void test_full_disk_in_a_large_array(void **state) {
    (void)state;
    float *values = count_up();
    struct rlimit old_limit, limit;
    getrlimit(RLIMIT_FSIZE, &old_limit);
    limit = old_limit;
    signal(SIGXFSZ, SIG_IGN);
    write_sample("old");
    for (rlim_t room = 0; room < 2 * LARGE * sizeof *values; room += 1234567) {
        sp_h5 *f;
        limit.rlim_cur = room;
        setrlimit(RLIMIT_FSIZE, &limit);
        sp_status st = write_large(values, &f);
        st = sp_h5_finish(f, st);
        setrlimit(RLIMIT_FSIZE, &old_limit);
        assert_int_equal(st, SP_ERR_IO);
        assert_non_null(strstr(sp_error(), "cannot write: File too large"));
    }
    sp_h5 *f;
    char *note;
    assert_int_equal(sp_h5_open(path, &f), SP_OK);
    assert_int_equal(sp_h5_get_text(f, "/", "note", &note), SP_OK);
    assert_string_equal(note, "old");
    free(note);
    sp_h5_close(f);
    assert_int_equal(write_large(values, &f), SP_OK);
    assert_int_equal(sp_h5_commit(f), SP_OK);
    free(values);
}

/* An unwritable folder is SP_ERR_IO. */
static void test_unwritable_folder(void **state) {
    (void)state;
    sp_h5 *f;
    assert_int_equal(sp_h5_create("/proc/none/run.h5", &f), SP_OK);
    assert_int_equal(sp_h5_commit(f), SP_ERR_IO);
}

/* A million zeros in chunks of 8 MB, with or without a filter, or in another file. */
static void add_foreign(hid_t file, const char *name, bool chunks, bool outside) {
    const hsize_t count = 1 << 20;
    hid_t list = H5Pcreate(H5P_DATASET_CREATE), space = H5Screate_simple(1, &count, NULL);
    if (chunks) H5Pset_chunk(list, 1, &count);
    if (chunks) H5Pset_deflate(list, 9);
    if (outside) H5Pset_external(list, "/dev/zero", 0, count * sizeof(double));
    hid_t set = H5Dcreate2(file, name, H5T_NATIVE_DOUBLE, space, H5P_DEFAULT, list, H5P_DEFAULT);
    assert_true(set >= 0);
    H5Dclose(set), H5Sclose(space), H5Pclose(list);
}

/* What the program never writes is refused, whatever libhdf5 would make of it: chunks and filters,
 * bytes of other files, links out of the file and in circles. */
static void test_foreign_parts(void **state) {
    (void)state;
    hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    add_foreign(file, "chunks", true, false);
    add_foreign(file, "outside", false, true);
    hid_t group = H5Gcreate2(file, "group", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    H5Lcreate_hard(file, "/", group, "up", H5P_DEFAULT, H5P_DEFAULT);
    H5Lcreate_soft("/group", group, "soft", H5P_DEFAULT, H5P_DEFAULT);
    H5Gclose(group);
    H5Fclose(file);
    sp_h5 *f;
    double *reals;
    size_t n;
    sp_strings names = {0};
    assert_int_equal(sp_h5_open(path, &f), SP_OK);
    assert_int_equal(sp_h5_read_reals(f, "/chunks", &reals, &n), SP_ERR_FORMAT);
    assert_int_equal(sp_h5_read_reals(f, "/outside", &reals, &n), SP_ERR_FORMAT);
    assert_true(sp_h5_is_group(f, "/group/up/group/up"));
    assert_false(sp_h5_exists(f, "/group/soft"));
    assert_int_equal(sp_h5_members(f, "/group", &names), SP_OK);
    assert_int_equal(names.len, 1);
    sp_strings_free(&names);
    sp_h5_close(f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),        cmocka_unit_test(test_wrong_requests),
        cmocka_unit_test(test_replacement),       cmocka_unit_test(test_determinism),
        cmocka_unit_test(test_dropped_file),      cmocka_unit_test(test_bad_files),
        cmocka_unit_test(test_foreign_parts),     cmocka_unit_test(test_full_disk),
        cmocka_unit_test(test_large_arrays),      cmocka_unit_test(test_full_disk_in_a_large_array),
        cmocka_unit_test(test_unwritable_folder),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
