#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "data/english.h"
#include "data/gloss.h"
#include "support/generated.h"

#include <ctype.h>

static generated set;

static int open_set(void **state) {
    (void)state;
    return open_generated("wnentail", &set);
}

static int close_set(void **state) {
    (void)state;
    close_generated(&set);
    return 0;
}

/* "A poodle is a dog ...\nA poodle is a kind of dog.": poodle, poodle, dog without articles and in
 * small letters. */
typedef struct parts {
    char *defined, *subject, *object;
} parts;

static char *noun_of(const char *text, const char *end) {
    char *noun = sp_strndup(text, (size_t)(end - text));
    noun[0] = (char)tolower((unsigned char)noun[0]);
    const char *rest = strncmp(noun, "a ", 2) == 0     ? noun + 2
                       : strncmp(noun, "an ", 3) == 0  ? noun + 3
                       : strncmp(noun, "the ", 4) == 0 ? noun + 4
                                                       : noun;
    char *out = sp_strdup(rest);
    free(noun);
    return out;
}

static parts take_apart(const char *input) {
    const char *second = strchr(input, '\n') + 1;
    const char *kind = strstr(second, " is a kind of ");
    assert_non_null(kind);
    assert_int_equal(second[-2], '.');
    const char *object = kind + strlen(" is a kind of ");
    return (parts){noun_of(input, strstr(input, " is ")), noun_of(second, kind),
                   noun_of(object, object + strlen(object) - 1)};
}

static void free_parts(parts *p) {
    free(p->defined), free(p->subject), free(p->object);
}

static size_t count_category(const sp_split *split, const char *category) {
    size_t count = 0;
    for (size_t i = 0; i < split->count; i++)
        count += strcmp(split->items[i].category, category) == 0;
    return count;
}

/* The splits have the card's sizes; half is true; the false ones are of three sorts alike. */
static void test_balance(void **state) {
    (void)state;
    static const size_t sizes[] = {8000, 1000, 2000};
    assert_int_equal(set.label_count, 2);
    assert_string_equal(set.labels[0].words.data[0], " true");
    for (int s = 0; s < 3; s++) {
        const sp_split *split = &set.splits[s];
        assert_int_equal(split->count, sizes[s]);
        assert_int_equal(count_label(split, 0), sizes[s] / 2);
        assert_int_equal(count_category(split, "kind"), sizes[s] / 2);
        static const char *const sorts[] = {"sibling", "converse", "near miss"};
        for (int i = 0; i < 3; i++)
            assert_in_range(count_category(split, sorts[i]), sizes[s] / 6, sizes[s] / 6 + 1);
    }
}

typedef struct mention {
    char *noun;
    int split;
} mention;

static int by_noun(const void *a, const void *b) {
    return strcmp(((const mention *)a)->noun, ((const mention *)b)->noun);
}

/* No noun that is defined or stated about is in two splits. */
static void test_no_overlap(void **state) {
    (void)state;
    size_t count = 0;
    mention *all = sp_alloc(3 * 11000, sizeof *all);
    for (int s = 0; s < 3; s++)
        for (size_t i = 0; i < set.splits[s].count; i++) {
            parts p = take_apart(set.splits[s].items[i].input);
            all[count++] = (mention){p.defined, s};
            all[count++] = (mention){p.subject, s};
            all[count++] = (mention){p.object, s};
        }
    qsort(all, count, sizeof *all, by_noun);
    for (size_t i = 1; i < count; i++)
        if (strcmp(all[i - 1].noun, all[i].noun) == 0 && all[i - 1].split != all[i].split)
            fail_msg("%s is in two splits", all[i].noun);
    for (size_t i = 0; i < count; i++) free(all[i].noun);
    free(all);
}

/* A statement is about the defined noun, but for the converse, which says it of its parent. */
static void test_statements(void **state) {
    (void)state;
    size_t told = 0;
    for (size_t i = 0; i < set.splits[0].count; i++) {
        const sp_example *e = &set.splits[0].items[i];
        parts p = take_apart(e->input);
        bool converse = strcmp(e->category, "converse") == 0;
        assert_string_equal(p.defined, converse ? p.object : p.subject);
        assert_string_not_equal(p.subject, p.object);
        assert_int_equal(e->label, strcmp(e->category, "kind") == 0 ? 0 : 1);
        char *definition = sp_strndup(e->input, strcspn(e->input, "\n"));
        told += e->label == 0 && sp_text_has_word(definition, sp_last_word(p.object));
        free(definition);
        free_parts(&p);
    }
    assert_in_range(told, 3550, 3650); /* nine of ten true ones */
}

/* Generating again gives the same content. */
static void test_deterministic(void **state) {
    (void)state;
    expect_same_again(&set, "wnentail");
}

/* Other labels than yes and no, and more examples than there are. */
static void test_errors(void **state) {
    (void)state;
    expect_load_failure("name: x\nreader: wnentail\nsplits: {train: 4, dev: 2, test: 2}\n"
                        "labels: {right: x, wrong: y}\n",
                        SP_ERR_SPEC, "card.yaml:4: reader wnentail has two labels, yes and no");
    expect_load_failure("name: x\nreader: wnentail\nsplits: {train: 900000, dev: 2, test: 2}\n"
                        "labels: {yes: x, no: y}\n",
                        SP_ERR_DATA, "ask for fewer");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_balance),    cmocka_unit_test(test_no_overlap),
        cmocka_unit_test(test_statements), cmocka_unit_test(test_deterministic),
        cmocka_unit_test(test_errors),
    };
    return cmocka_run_group_tests(tests, open_set, close_set);
}
