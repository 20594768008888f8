#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "format/zip.h"
#include "support/folder.h"
#include "support/zip.h"

#include <unistd.h>

static char *folder, *archive, *target;

static int setup(void **state) {
    (void)state;
    folder = make_folder();
    archive = sp_path_join(folder, "a.zip");
    target = sp_path_join(folder, "out");
    return 0;
}

static int teardown(void **state) {
    (void)state;
    free(archive), free(target);
    remove_folder(folder);
    return 0;
}

static sp_status extract(const char *name, uint64_t bytes) {
    unlink(target);
    return sp_zip_extract(archive, &(sp_zip_member){name, target, bytes}, 1);
}

static void expect_error(const char *name, uint64_t bytes, sp_status kind, const char *part) {
    assert_int_equal(extract(name, bytes), kind);
    if (!strstr(sp_error(), part)) fail_msg("'%s' is not in: %s", part, sp_error());
}

/* The named file is unpacked to the given path, and nothing else is. */
static void test_extract(void **state) {
    (void)state;
    static const zip_file files[] = {{"x/other", "no", NULL}, {"x/model", "weights", NULL}};
    write_zip(archive, files, 2);
    assert_int_equal(extract("x/model", 7), SP_OK);
    sp_buf text = {0};
    assert_int_equal(sp_read_file(target, &text), SP_OK);
    assert_string_equal(text.data, "weights");
    sp_buf_free(&text);
    assert_int_equal(count_files(folder), 2);
}

/* A path of the archive leads nowhere: only the given one is written. */
static void test_traversal(void **state) {
    (void)state;
    static const zip_file files[] = {{"../escaped", "a", NULL}, {"/tmp/sp-zip-escaped", "b", NULL}};
    write_zip(archive, files, 2);
    assert_int_equal(extract("../escaped", 1), SP_OK);
    char *outside = sp_path_join(folder, "../escaped");
    assert_false(sp_file_exists(outside));
    assert_false(sp_file_exists("/tmp/sp-zip-escaped"));
    free(outside);
}

/* A file of another size than said, a missing, a double one, and a link are refused. */
static void test_refused(void **state) {
    (void)state;
    static const zip_file files[] = {{"big", "0123456789", NULL},
                                     {"twice", "1", NULL},
                                     {"twice", "2", NULL},
                                     {"link", "", "/etc/passwd"}};
    write_zip(archive, files, 4);
    expect_error("big", 9, SP_ERR_FORMAT, "does not have the 9 bytes");
    expect_error("big", 11, SP_ERR_FORMAT, "does not have the 11 bytes");
    expect_error("none", 1, SP_ERR_FORMAT, "holds no none");
    expect_error("twice", 1, SP_ERR_FORMAT, "holds twice twice");
    expect_error("link", 1, SP_ERR_FORMAT, "is no plain file");
}

/* A truncated archive at any length, and one that is none, are refused with one line. */
static void test_damaged(void **state) {
    (void)state;
    static const zip_file files[] = {{"model", "0123456789 0123456789 0123456789", NULL}};
    write_zip(archive, files, 1);
    sp_buf whole = {0};
    assert_int_equal(sp_read_file(archive, &whole), SP_OK);
    for (size_t len = 0; len + 22 < whole.len; len++) { /* without its end record */
        assert_int_equal(sp_write_file(archive, whole.data, len), SP_OK);
        sp_status st = extract("model", 32);
        if (st != SP_ERR_FORMAT) fail_msg("%zu of %zu bytes: status %d", len, whole.len, st);
    }
    sp_buf_free(&whole);
    unlink(archive);
    expect_error("model", 32, SP_ERR_MISSING, "a.zip: is not there");
}

/* An existing file is never written over. */
static void test_existing_target(void **state) {
    (void)state;
    static const zip_file files[] = {{"model", "1", NULL}};
    write_zip(archive, files, 1);
    assert_int_equal(sp_write_file(target, "old", 3), SP_OK);
    assert_int_equal(sp_zip_extract(archive, &(sp_zip_member){"model", target, 1}, 1), SP_ERR_IO);
    assert_non_null(strstr(sp_error(), "cannot create"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_extract, setup, teardown),
        cmocka_unit_test_setup_teardown(test_traversal, setup, teardown),
        cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(test_damaged, setup, teardown),
        cmocka_unit_test_setup_teardown(test_existing_target, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
