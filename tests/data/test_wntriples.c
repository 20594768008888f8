#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/file.h"
#include "data/dataset.h"
#include "data/english.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

static sp_dataset *dataset;
static sp_split splits[3]; /* train, dev, test */

static int open_all(void **state) {
    (void)state;
    static const char *const names[] = {"train", "dev", "test"};
    sp_status st = sp_dataset_open("wntriples", &dataset);
    for (int i = 0; i < 3 && !st; i++) st = sp_dataset_load(dataset, names[i], &splits[i]);
    if (st) print_error("%s\n", sp_error());
    return st;
}

static int close_all(void **state) {
    (void)state;
    for (int i = 0; i < 3; i++) sp_split_free(&splits[i]);
    sp_dataset_free(dataset);
    return 0;
}

/* The subject of "| subject : relation : object ...". */
static char *subject_of(const sp_example *e) {
    const char *end = strstr(e->input, " : ");
    return sp_strndup(e->input + 2, (size_t)(end - e->input - 2));
}

static int by_text(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The splits have the sizes that the card states, and 2 or 3 references a record. */
static void test_sizes(void **state) {
    (void)state;
    assert_int_equal(splits[0].count, 12000);
    assert_int_equal(splits[1].count, 1000);
    assert_int_equal(splits[2].count, 1500);
    for (int i = 0; i < 3; i++)
        for (size_t k = 0; k < splits[i].count; k++)
            assert_in_range(splits[i].items[k].references.len, 2, 3);
}

/* No subject occurs twice, in one split or in two. */
static void test_no_overlap(void **state) {
    (void)state;
    sp_strings subjects = {0};
    for (int i = 0; i < 3; i++)
        for (size_t k = 0; k < splits[i].count; k++)
            sp_strings_take(&subjects, subject_of(&splits[i].items[k]));
    for (size_t i = 0; i < subjects.len; i++)
        for (char *p = subjects.data[i]; *p; p++)
            if (*p >= 'A' && *p <= 'Z') *p = (char)(*p - 'A' + 'a');
    qsort(subjects.data, subjects.len, sizeof *subjects.data, by_text);
    for (size_t i = 1; i < subjects.len; i++)
        assert_string_not_equal(subjects.data[i - 1], subjects.data[i]);
    sp_strings_free(&subjects);
}

static bool trained_on(const char *category) {
    for (size_t i = 0; i < splits[0].count; i++)
        if (strcmp(splits[0].items[i].category, category) == 0) return true;
    return false;
}

/* A test record is seen just if training has its category; half are. */
static void test_groups(void **state) {
    (void)state;
    int unseen = 0;
    for (size_t i = 0; i < splits[2].count; i++) {
        const sp_example *e = &splits[2].items[i];
        assert_string_equal(e->group, trained_on(e->category) ? "seen" : "unseen");
        unseen += strcmp(e->group, "unseen") == 0;
    }
    assert_int_equal(unseen, 750);
    for (size_t i = 0; i < splits[1].count; i++)
        assert_string_equal(splits[1].items[i].group, "seen");
}

static void expect_said(const char *text, const char *object) {
    char *plural = sp_plural(object);
    if (!strcasestr(text, object) && !strcasestr(text, plural)) fail_msg("%s: %s", object, text);
    free(plural);
}

/* Every reference holds every object, in the singular or the plural, and starts with the subject.
 */
static void test_references_tell_all(void **state) {
    (void)state;
    for (size_t i = 0; i < splits[0].count; i++) {
        const sp_example *e = &splits[0].items[i];
        for (size_t r = 0; r < e->references.len; r++) {
            const char *text = e->references.data[r];
            char *input = sp_strdup(e->input + 2), *rest = input, *fact;
            while ((fact = rest) && *fact) {
                char *next = strstr(fact, " | ");
                rest = next ? next + 3 : NULL;
                if (next) *next = '\0';
                char *object = strstr(strstr(fact, " : ") + 3, " : ") + 3;
                expect_said(text, object);
            }
            free(input);
            for (size_t k = 0; k < r; k++) assert_string_not_equal(text, e->references.data[k]);
            assert_int_equal(text[strlen(text) - 1], '.');
            assert_true(strlen(text) < 400);
        }
    }
}

/* Generating again gives the same content; another seed another. */
static void test_deterministic(void **state) {
    (void)state;
    sp_digest first, again, other;
    assert_int_equal(sp_dataset_hash(dataset, &first), SP_OK);
    sp_dataset *second;
    assert_int_equal(sp_dataset_open("wntriples", &second), SP_OK);
    assert_int_equal(sp_dataset_hash(second, &again), SP_OK);
    sp_dataset_free(second);
    assert_string_equal(first.hex, again.hex);

    char folder[] = "/tmp/sp-wntriples-XXXXXX";
    assert_non_null(mkdtemp(folder));
    char *path = sp_path_join(folder, "other.yaml");
    static const char card[] = "name: other\nreader: wntriples\nseed: 2\n"
                               "splits: {train: 10, dev: 2, test: 2}\n"
                               "categories: {seen: [animal], unseen: [plant]}\n";
    assert_int_equal(sp_write_file(path, card, strlen(card)), SP_OK);
    assert_int_equal(sp_dataset_open(path, &second), SP_OK);
    assert_int_equal(sp_dataset_hash(second, &other), SP_OK);
    assert_string_not_equal(first.hex, other.hex);
    sp_dataset_free(second);
    unlink(path), rmdir(folder);
    free(path);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sizes),         cmocka_unit_test(test_no_overlap),
        cmocka_unit_test(test_groups),        cmocka_unit_test(test_references_tell_all),
        cmocka_unit_test(test_deterministic),
    };
    return cmocka_run_group_tests(tests, open_all, close_all);
}
