// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
// clang-format on

#include "core/memory.h"
#include "format/gguf.h"
#include "format/gguf_types.h"
#include "format/safetensors.h"
#include "support/folder.h"

#include <math.h>
#include <string.h>

#define TYPES "tests/golden/gguf/types"

static sp_gguf *open_types(void) {
    sp_gguf *file = NULL;
    if (sp_gguf_open(TYPES ".gguf", &file)) fail_msg("%s", sp_error());
    return file;
}

/* ---- what it reads ---- */

static void every_type_dequantises_as_ggml_does(void **state) {
    (void)state;
    sp_gguf *file = open_types();
    sp_safetensors *floats = NULL;
    assert_int_equal(sp_safetensors_open(TYPES ".safetensors", &floats), SP_OK);
    assert_int_equal(sp_gguf_tensor_count(file), 14);
    assert_int_equal(sp_safetensors_count(floats), 14);
    for (size_t i = 0; i < sp_safetensors_count(floats); i++) {
        const sp_stored_tensor *expected = sp_safetensors_at(floats, i);
        float *got = sp_alloc_floats(expected->count);
        assert_int_equal(sp_gguf_read(file, expected->name, expected->rank, expected->dims, got),
                         SP_OK);
        const float *want = expected->data;
        for (size_t k = 0; k < expected->count; k++)
            if (!(fabsf(got[k] - want[k]) <= 1e-6f * fmaxf(1, fabsf(want[k]))))
                fail_msg("%s[%zu] is %.9g, expected %.9g", expected->name, k, (double)got[k],
                         (double)want[k]);
        free(got);
    }
    sp_safetensors_close(floats);
    sp_gguf_close(file);
}

static void metadata_of_every_type_are_found_by_their_key(void **state) {
    (void)state;
    static const struct {
        const char *key;
        int64_t value;
    } ints[] = {{"test.u8", 200},
                {"test.i8", -100},
                {"test.u16", 60000},
                {"test.i16", -30000},
                {"test.u32", 4000000000},
                {"test.i32", -2000000000},
                {"test.u64", INT64_C(1) << 62},
                {"test.i64", -(INT64_C(1) << 62)},
                {"test.bool", 1}};
    sp_gguf *file = open_types();
    for (size_t i = 0; i < sizeof ints / sizeof *ints; i++) {
        int64_t whole = 0;
        double real = 0;
        assert_true(sp_gguf_find_int(file, ints[i].key, &whole));
        assert_true(whole == ints[i].value);
        assert_true(sp_gguf_find_real(file, ints[i].key, &real));
        assert_true(real == (double)ints[i].value);
        assert_null(sp_gguf_find_text(file, ints[i].key).data);
    }
    double real = 0;
    assert_true(sp_gguf_find_real(file, "test.f32", &real) && real == 0.25);
    assert_true(sp_gguf_find_real(file, "test.f64", &real) && real == 0.1);
    sp_gguf_text text = sp_gguf_find_text(file, "test.text");
    assert_int_equal(text.len, 7);
    assert_memory_equal(text.data,
                        "gr\xc3\xbc\xc3\x9f"
                        "e",
                        7);
    sp_gguf_close(file);
}

static void arrays_are_read_element_by_element(void **state) {
    (void)state;
    sp_gguf *file = open_types();
    sp_gguf_text text;
    int64_t whole = 0;
    double real = 0;
    assert_int_equal(sp_gguf_array_count(file, "test.texts"), 3);
    assert_true(sp_gguf_text_at(file, "test.texts", 2, &text));
    assert_int_equal(text.len, 5);
    assert_memory_equal(text.data, "three", 5);
    assert_true(sp_gguf_text_at(file, "test.texts", 1, &text) && text.len == 0);
    assert_false(sp_gguf_text_at(file, "test.texts", 3, &text));
    assert_true(sp_gguf_int_at(file, "test.ints", 1, &whole) && whole == -1);
    assert_true(sp_gguf_real_at(file, "test.reals", 1, &real) && real == -0.25);
    sp_gguf_close(file);
}

static void a_key_that_is_absent_or_of_another_type_is_not_found(void **state) {
    (void)state;
    sp_gguf *file = open_types();
    sp_gguf_text text;
    int64_t whole = 7;
    double real;
    assert_false(sp_gguf_find_int(file, "test.absent", &whole));
    assert_false(sp_gguf_find_int(file, "test.f32", &whole));
    assert_false(sp_gguf_find_int(file, "test.ints", &whole));
    assert_false(sp_gguf_find_real(file, "test.text", &real));
    assert_int_equal(sp_gguf_array_count(file, "test.u8"), 0);
    assert_false(sp_gguf_text_at(file, "test.ints", 0, &text));
    assert_false(sp_gguf_int_at(file, "test.texts", 0, &whole));
    assert_false(sp_gguf_int_at(file, "test.u8", 0, &whole));
    assert_null(sp_gguf_find_text(file, "test.texts").data);
    sp_gguf_close(file);
}

/* ---- what it refuses ---- */

/* A GGUF file being written by hand. */
static void put(sp_buf *b, uint64_t value, size_t size) {
    sp_buf_append(b, &value, size);
}

static void put_text(sp_buf *b, const char *text) {
    put(b, strlen(text), 8);
    sp_buf_puts(b, text);
}

static sp_buf header(uint32_t version, uint64_t tensors, uint64_t entries) {
    sp_buf b = {0};
    sp_buf_puts(&b, "GGUF");
    put(&b, version, 4);
    put(&b, tensors, 8);
    put(&b, entries, 8);
    return b;
}

static void put_u32(sp_buf *b, const char *key, uint32_t value) {
    put_text(b, key);
    put(b, 4, 4);
    put(b, value, 4);
}

static void put_tensor(sp_buf *b, const char *name, uint64_t columns, uint32_t type,
                       uint64_t offset) {
    put_text(b, name);
    put(b, 1, 4);
    put(b, columns, 8);
    put(b, type, 4);
    put(b, offset, 8);
}

/* 256 zero bytes from the next multiple of 32 on. */
static void put_data(sp_buf *b) {
    while (b->len % 32) sp_buf_putc(b, 0);
    for (int i = 0; i < 256; i++) sp_buf_putc(b, 0);
}

/* Opens the bytes, which it frees, and expects a complaint that names the file and says `what`. */
static void refuse(sp_buf bytes, const char *what) {
    char *folder = make_folder(), *path = sp_path_join(folder, "x.gguf");
    sp_gguf *file;
    assert_int_equal(sp_write_file(path, bytes.data, bytes.len), SP_OK);
    assert_int_equal(sp_gguf_open(path, &file), SP_ERR_FORMAT);
    assert_null(file);
    if (!strstr(sp_error(), what) || !strstr(sp_error(), "x.gguf"))
        fail_msg("'%s' does not say '%s'", sp_error(), what);
    sp_buf_free(&bytes);
    free(path);
    remove_folder(folder);
}

static void another_file_or_version_is_refused(void **state) {
    (void)state;
    sp_buf b = {0};
    sp_buf_puts(&b, "PK\003\004 and so on");
    refuse(b, "is no GGUF file");
    refuse(header(1, 0, 0), "GGUF version 1");
    refuse(header(3u << 24, 0, 0), "little-endian");
}

static void counts_beyond_the_file_take_no_memory(void **state) {
    (void)state;
    refuse(header(3, UINT64_MAX, 0), "tensor table");
    refuse(header(3, 0, UINT64_MAX), "metadata table");
    sp_buf b = header(3, 0, 1);
    put_text(&b, "tokens");
    put(&b, 9, 4), put(&b, 8, 4), put(&b, UINT64_MAX / 8, 8), put(&b, 0, 8);
    refuse(b, "metadata key tokens");
    b = header(3, 0, 1);
    put_text(&b, "numbers");
    put(&b, 9, 4), put(&b, 10, 4), put(&b, UINT64_C(1) << 61, 8), put(&b, 0, 8);
    refuse(b, "metadata key numbers");
    b = header(3, 0, 1);
    put(&b, UINT64_MAX, 8), put(&b, 0, 8), put(&b, 0, 8);
    refuse(b, "a metadata key");
}

static void names_that_stand_twice_are_refused(void **state) {
    (void)state;
    sp_buf b = header(3, 0, 2);
    put_u32(&b, "a.b", 1), put_u32(&b, "a.b", 2);
    refuse(b, "metadata key a.b stands there twice");
    b = header(3, 2, 0);
    put_tensor(&b, "w", 8, 0, 0), put_tensor(&b, "w", 8, 0, 32);
    put_data(&b);
    refuse(b, "tensor w stands there twice");
}

static void values_of_unknown_types_and_nested_arrays_are_refused(void **state) {
    (void)state;
    sp_buf b = header(3, 0, 1);
    put_text(&b, "k");
    put(&b, 13, 4), put(&b, 0, 8);
    refuse(b, "metadata key k has a value of type 13");
    b = header(3, 0, 1);
    put_text(&b, "k");
    put(&b, 9, 4), put(&b, 9, 4), put(&b, 1, 8), put(&b, 0, 8);
    refuse(b, "metadata key k has elements of type 9");
}

static void tensors_outside_the_file_or_over_each_other_are_refused(void **state) {
    (void)state;
    static const struct {
        uint64_t columns, offset;
        uint32_t type, alignment;
        const char *what;
    } cases[] = {
        {64, 32, 0, 32, "tensor w ends behind"},
        {8, 1 << 20, 0, 32, "tensor w ends behind"},
        {8, UINT64_MAX - 31, 0, 32, "tensor w ends behind"},
        {UINT64_MAX, 0, 0, 32, "tensor w has an impossible size"},
        {INT64_MAX, 0, 0, 32, "tensor w ends behind"},
        {31, 0, 8, 32, "not whole blocks of Q8_0"},
        {8, 8, 0, 32, "no multiple of the alignment"},
        {60, 0, 0, 32, "some overlap"},
        {8, 0, 0, 0, "general.alignment must be a power of 2"},
        {8, 0, 0, 48, "general.alignment must be a power of 2"},
        {8, 0, 0, 1u << 30, "general.alignment must be a power of 2"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        sp_buf b = header(2, 2, 1);
        put_u32(&b, "general.alignment", cases[i].alignment);
        put_tensor(&b, "w", cases[i].columns, cases[i].type, cases[i].offset);
        put_tensor(&b, "v", 8, 0, 0);
        put_data(&b);
        refuse(b, cases[i].what);
    }
}

static void a_truncated_file_is_refused_wherever_it_ends(void **state) {
    (void)state;
    sp_buf whole = {0};
    assert_int_equal(sp_read_file(TYPES ".gguf", &whole), SP_OK);
    for (size_t part = 0; part < 100; part++) {
        sp_buf b = {0};
        sp_buf_append(&b, whole.data, whole.len * part / 100);
        refuse(b, part ? "ends behind" : "is no GGUF file");
    }
    sp_buf_free(&whole);
}

static void a_tensor_that_cannot_be_read_is_named_with_its_type(void **state) {
    (void)state;
    char *folder = make_folder(), *path = sp_path_join(folder, "x.gguf");
    sp_buf b = header(3, 2, 0);
    put_tensor(&b, "coded", 256, 23, 0), put_tensor(&b, "later", 256, 4711, 0);
    put_data(&b);
    sp_gguf *file = NULL;
    float out[256];
    int64_t dims[] = {256};
    assert_int_equal(sp_write_file(path, b.data, b.len), SP_OK);
    assert_int_equal(sp_gguf_open(path, &file), SP_OK);
    assert_int_equal(sp_gguf_read(file, "coded", 1, dims, out), SP_ERR_FORMAT);
    assert_non_null(strstr(sp_error(), "tensor coded is stored as IQ4_XS (type 23)"));
    assert_int_equal(sp_gguf_read(file, "later", 1, dims, out), SP_ERR_FORMAT);
    assert_non_null(strstr(sp_error(), "type 4711"));
    assert_non_null(strstr(sp_error(), "Q4_K"));
    sp_gguf_close(file);
    sp_buf_free(&b);
    free(path);
    remove_folder(folder);
}

static void a_tensor_of_another_shape_is_refused(void **state) {
    (void)state;
    sp_gguf *file = open_types();
    float out[1];
    int64_t dims[] = {3, 2, 256};
    assert_int_equal(sp_gguf_read(file, "Q4_0", 3, dims, out), SP_ERR_FORMAT);
    assert_non_null(strstr(sp_error(), "shape [2, 3, 256]; [3, 2, 256] is needed"));
    assert_int_equal(sp_gguf_read(file, "Q4_0", 2, dims, out), SP_ERR_FORMAT);
    assert_int_equal(sp_gguf_read(file, "absent", 3, dims, out), SP_ERR_FORMAT);
    sp_gguf_close(file);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type_dequantises_as_ggml_does),
        cmocka_unit_test(metadata_of_every_type_are_found_by_their_key),
        cmocka_unit_test(arrays_are_read_element_by_element),
        cmocka_unit_test(a_key_that_is_absent_or_of_another_type_is_not_found),
        cmocka_unit_test(another_file_or_version_is_refused),
        cmocka_unit_test(counts_beyond_the_file_take_no_memory),
        cmocka_unit_test(names_that_stand_twice_are_refused),
        cmocka_unit_test(values_of_unknown_types_and_nested_arrays_are_refused),
        cmocka_unit_test(tensors_outside_the_file_or_over_each_other_are_refused),
        cmocka_unit_test(a_truncated_file_is_refused_wherever_it_ends),
        cmocka_unit_test(a_tensor_that_cannot_be_read_is_named_with_its_type),
        cmocka_unit_test(a_tensor_of_another_shape_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
