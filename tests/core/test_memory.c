/* Arenas, buffers and lists. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/memory.h"

#include <stdlib.h>
#include <string.h>

enum { PIECES = 40 };

/* One round of a step: pieces from 100 bytes to 3 MB, all of them written. */
static void take_pieces(sp_arena *arena, char **pieces) {
    for (int i = 0; i < PIECES; i++) {
        size_t bytes = i % 10 == 9 ? (size_t)3 << 20 : (size_t)(100 + 5000 * i);
        pieces[i] = sp_arena_alloc(arena, bytes);
        memset(pieces[i], i, bytes);
    }
}

static void a_warm_arena_hands_out_the_same_memory_every_round(void **state) {
    (void)state;
    sp_arena arena = {0};
    char *first[PIECES], *again[PIECES];
    take_pieces(&arena, first);
    sp_arena_reset(&arena);
    take_pieces(&arena, first);
    const void *block = arena.first;
    for (int round = 0; round < 3; round++) {
        sp_arena_reset(&arena);
        take_pieces(&arena, again);
        assert_memory_equal(first, again, sizeof first);
        assert_ptr_equal(arena.first, block);
        assert_ptr_equal(arena.current, block);
    }
    sp_arena_free(&arena);
}

static void arena_memory_is_aligned_and_does_not_overlap(void **state) {
    (void)state;
    sp_arena arena = {0};
    char *pieces[PIECES];
    for (int round = 0; round < 2; round++) {
        take_pieces(&arena, pieces);
        for (int i = 0; i < PIECES; i++) {
            assert_int_equal((uintptr_t)pieces[i] % 64, 0);
            assert_int_equal(pieces[i][0], i);
            assert_int_equal(pieces[i][99], i);
        }
        sp_arena_reset(&arena);
    }
    sp_arena_free(&arena);
}

static void zeroed_arena_memory_is_zero_in_every_round(void **state) {
    (void)state;
    sp_arena arena = {0};
    for (int round = 0; round < 3; round++) {
        unsigned char *p = sp_arena_zero(&arena, 1000);
        for (int i = 0; i < 1000; i++) assert_int_equal(p[i], 0);
        memset(p, 0xff, 1000);
        sp_arena_reset(&arena);
    }
    assert_non_null(sp_arena_alloc(&arena, 0));
    sp_arena_free(&arena);
}

static void a_buffer_grows_and_always_ends_in_nul(void **state) {
    (void)state;
    sp_buf b = {0};
    for (int i = 0; i < 1000; i++) {
        sp_buf_printf(&b, "%d", i % 10);
        assert_int_equal(strlen(b.data), b.len);
    }
    assert_int_equal(b.len, 1000);
    sp_buf_clear(&b);
    sp_buf_puts(&b, "ab");
    sp_buf_putc(&b, 'c');
    sp_buf_append(&b, "\0d", 2);
    assert_memory_equal(b.data, "abc\0d", 6);
    char *taken = sp_buf_take(&b);
    assert_memory_equal(taken, "abc\0d", 6);
    assert_null(b.data);
    free(taken);
    sp_buf_free(&b);
}

static void lists_keep_what_was_pushed(void **state) {
    (void)state;
    sp_ints ints = {0};
    sp_strings strings = {0};
    for (int i = 0; i < 500; i++) {
        sp_ints_push(&ints, i);
        sp_strings_take(&strings, sp_format("s%d", i));
    }
    sp_ints_append(&ints, (int[]){-1, -2}, 2);
    sp_ints_append(&ints, NULL, 0);
    sp_strings_push(&strings, "last");
    assert_int_equal(ints.len, 502);
    assert_int_equal(ints.data[499], 499);
    assert_int_equal(ints.data[501], -2);
    assert_int_equal(strings.len, 501);
    assert_string_equal(strings.data[321], "s321");
    assert_string_equal(strings.data[500], "last");
    sp_ints_free(&ints);
    sp_strings_free(&strings);
    assert_int_equal(ints.len + strings.len, 0);
}

static void expect_list(const char *const *names, size_t count, const char *expected) {
    char *text = sp_list_text(names, count);
    assert_string_equal(text, expected);
    free(text);
}

static void a_long_list_of_names_is_cut(void **state) {
    (void)state;
    const char *names[23];
    for (int i = 0; i < 23; i++) names[i] = "x";
    expect_list(names, 0, "none");
    expect_list((const char *[]){""}, 1, "");
    expect_list((const char *[]){"a", "b"}, 2, "a, b");
    expect_list(names, 23,
                "x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, and 3 more");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_warm_arena_hands_out_the_same_memory_every_round),
        cmocka_unit_test(arena_memory_is_aligned_and_does_not_overlap),
        cmocka_unit_test(zeroed_arena_memory_is_zero_in_every_round),
        cmocka_unit_test(a_buffer_grows_and_always_ends_in_nul),
        cmocka_unit_test(lists_keep_what_was_pushed),
        cmocka_unit_test(a_long_list_of_names_is_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
