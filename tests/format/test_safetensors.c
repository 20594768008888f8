#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/file.h"
#include "core/memory.h"
#include "format/safetensors.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[] = "/tmp/sp-safetensors-XXXXXX";
static char *path;

static int make_folder(void **state) {
    (void)state;
    if (!mkdtemp(folder)) return 1;
    path = sp_path_join(folder, "model.safetensors");
    return 0;
}

static int remove_folder(void **state) {
    (void)state;
    unlink(path);
    free(path);
    return rmdir(folder);
}

/* A file of this JSON header, whose stated length is `header_len` (-1: the real one). */
static void write_raw(const char *header, long long header_len, size_t data_bytes) {
    sp_buf b = {0};
    uint64_t n = header_len < 0 ? (uint64_t)strlen(header) : (uint64_t)header_len;
    sp_buf_append(&b, &n, 8);
    sp_buf_puts(&b, header);
    for (size_t i = 0; i < data_bytes; i++) sp_buf_putc(&b, 'x');
    assert_int_equal(sp_write_file(path, b.data, b.len), SP_OK);
    sp_buf_free(&b);
}

static void expect_failure(const char *part) {
    sp_safetensors *f;
    assert_int_equal(sp_safetensors_open(path, &f), SP_ERR_FORMAT);
    assert_null(f);
    assert_non_null(strstr(sp_error(), path));
    if (!strstr(sp_error(), part)) fail_msg("'%s' is not in: %s", part, sp_error());
}

/* What is written is read back, in all three dtypes, with shape and metadata. */
static void test_round_trip(void **state) {
    (void)state;
    const float values[6] = {1, -2, 0.5f, 0, 65504, -0.25f};
    sp_named_tensor in[3] = {
        {.name = "z", .dtype = SP_BF16, .rank = 2, .dims = {2, 3}, .data = values},
        {.name = "a", .dtype = SP_F16, .rank = 1, .dims = {6}, .data = values},
        {.name = "m", .dtype = SP_F32, .rank = 3, .dims = {1, 2, 3}, .data = values}};
    assert_int_equal(sp_safetensors_write(path, in, 3), SP_OK);
    sp_safetensors *f;
    assert_int_equal(sp_safetensors_open(path, &f), SP_OK);
    assert_int_equal(sp_safetensors_count(f), 3);
    assert_string_equal(sp_safetensors_at(f, 0)->name, "a");
    assert_string_equal(sp_safetensors_metadata(f, "format"), "pt");
    assert_null(sp_safetensors_metadata(f, "other"));
    float out[6];
    assert_int_equal(sp_safetensors_read(f, "a", 1, (int64_t[]){6}, out), SP_OK);
    assert_memory_equal(out, values, sizeof out);
    assert_int_equal(sp_safetensors_read(f, "m", 3, (int64_t[]){1, -1, 3}, out), SP_OK);
    assert_memory_equal(out, values, sizeof out);
    assert_int_equal((uintptr_t)sp_safetensors_find(f, "m")->data % 8, 0);
    assert_int_equal(sp_safetensors_read(f, "z", 2, (int64_t[]){2, 3}, out), SP_OK);
    assert_true(out[2] == 0.5f && out[4] == 65536.0f); /* 8 bits of mantissa */
    assert_int_equal(sp_safetensors_read(f, "z", 2, (int64_t[]){3, 2}, out), SP_ERR_FORMAT);
    assert_non_null(strstr(sp_error(), "tensor z has shape [2, 3]; [3, 2] is needed"));
    assert_int_equal(sp_safetensors_read(f, "y", 1, (int64_t[]){6}, out), SP_ERR_FORMAT);
    sp_safetensors_close(f);
}

/* Equal tensors give equal bytes, whatever their order. */
static void test_writing_is_deterministic(void **state) {
    (void)state;
    const float x[2] = {1, 2};
    sp_named_tensor in[2] = {{.name = "b", .rank = 1, .dims = {2}, .data = x},
                             {.name = "a", .rank = 1, .dims = {1}, .data = x}};
    sp_named_tensor swapped[2] = {in[1], in[0]};
    sp_buf first = {0}, second = {0};
    assert_int_equal(sp_safetensors_write(path, in, 2), SP_OK);
    assert_int_equal(sp_read_file(path, &first), SP_OK);
    assert_int_equal(sp_safetensors_write(path, swapped, 2), SP_OK);
    assert_int_equal(sp_read_file(path, &second), SP_OK);
    assert_int_equal(first.len, second.len);
    assert_memory_equal(first.data, second.data, first.len);
    sp_buf_free(&first), sp_buf_free(&second);
}

/* Every one of the 65,536 halves and bfloats survives the way to float and back. */
static void test_all_halves(void **state) {
    (void)state;
    for (sp_dtype d = SP_F16; d <= SP_BF16; d++)
        for (uint32_t i = 0; i < 65536; i++) {
            uint16_t word = (uint16_t)i, back;
            float f;
            sp_floats_from(d, &word, 1, &f);
            sp_floats_to(d, &f, 1, &back);
            if (isnan(f)) {
                sp_floats_from(d, &back, 1, &f);
                assert_true(isnan(f));
            } else {
                assert_int_equal(back, word);
            }
        }
}

/* Rounding is to nearest, ties to even. */
static void test_rounding(void **state) {
    (void)state;
    const float ties[4] = {1 + 0x1p-8f, 1 + 0x3p-8f, 1 + 0x1p-11f, 1 + 0x3p-11f};
    uint16_t out[4];
    sp_floats_to(SP_BF16, ties, 2, out);
    sp_floats_to(SP_F16, ties + 2, 2, out + 2);
    assert_int_equal(out[0], 0x3f80);
    assert_int_equal(out[1], 0x3f82);
    assert_int_equal(out[2], 0x3c00);
    assert_int_equal(out[3], 0x3c02);
}

/* A truncated file is told by tensor and byte. */
static void test_truncated(void **state) {
    (void)state;
    write_raw("{\"w\":{\"dtype\":\"F32\",\"shape\":[4],\"data_offsets\":[0,16]}}   ", -1, 12);
    expect_failure("tensor w ends at byte 82, but the file has 78; it is truncated, copy it again");
    write_raw("{}", 4096, 0);
    expect_failure("the header ends at byte 4104, but the file has 10");
    assert_int_equal(sp_write_file(path, "1234", 4), SP_OK);
    expect_failure("has only 4 bytes");
    assert_int_equal(sp_write_file(path, "", 0), SP_OK);
    expect_failure("has only 0 bytes");
}

/* Headers that lie are refused. */
static void test_lying_headers(void **state) {
    (void)state;
    write_raw("not json", -1, 0);
    expect_failure("the header is not a JSON object");
    write_raw("[1]", -1, 0);
    expect_failure("the header is not a JSON object");
    write_raw("{}", (long long)1 << 60, 0);
    expect_failure("the header's length is impossible");
    write_raw("{\"w\":{\"dtype\":\"F32\",\"shape\":[4],\"data_offsets\":[8,4]}}", -1, 64);
    expect_failure("impossible offsets 8 to 4");
    write_raw("{\"w\":{\"dtype\":\"F32\",\"shape\":[5],\"data_offsets\":[0,16]}}", -1, 64);
    expect_failure("which is not its shape in F32");
    write_raw("{\"w\":{\"dtype\":\"F32\",\"shape\":[4294967296,4294967296,4],"
              "\"data_offsets\":[0,0]}}",
              -1, 64);
    expect_failure("no valid dtype, shape and data_offsets");
    write_raw("{\"w\":{\"dtype\":\"F32\",\"shape\":[-4],\"data_offsets\":[0,16]}}", -1, 64);
    expect_failure("no valid dtype, shape and data_offsets");
    write_raw("{\"w\":3}", -1, 64);
    expect_failure("no valid dtype, shape and data_offsets");
}

/* Integer buffers beside the weights are left out, not an error. */
static void test_other_dtypes(void **state) {
    (void)state;
    write_raw("{\"n\":{\"dtype\":\"I64\",\"shape\":[2],\"data_offsets\":[0,16]}}", -1, 16);
    sp_safetensors *f;
    assert_int_equal(sp_safetensors_open(path, &f), SP_OK);
    assert_int_equal(sp_safetensors_count(f), 0);
    sp_safetensors_close(f);
}

static void test_missing(void **state) {
    (void)state;
    sp_safetensors *f;
    assert_int_equal(sp_safetensors_open("/nowhere/x.safetensors", &f), SP_ERR_MISSING);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),   cmocka_unit_test(test_writing_is_deterministic),
        cmocka_unit_test(test_all_halves),   cmocka_unit_test(test_rounding),
        cmocka_unit_test(test_truncated),    cmocka_unit_test(test_lying_headers),
        cmocka_unit_test(test_other_dtypes), cmocka_unit_test(test_missing),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
