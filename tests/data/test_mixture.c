/* Mixtures of data sets: what they hold, and which cards are refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/file.h"
#include "data/dataset.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[] = "/tmp/sp-mixture-XXXXXX";

static int make_folder(void **state) {
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state) {
    (void)state;
    static const char *const sets[] = {"a",     "b",     "same", "other-words",
                                       "taken", "texts", "tags", "m"};
    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++)
        for (int k = 0; k < 2; k++) {
            char *path = sp_format("%s/%s.%s", folder, sets[i], k ? "yaml" : "jsonl");
            unlink(path);
            free(path);
        }
    return rmdir(folder);
}

static void write_file(const char *name, const char *suffix, const char *content) {
    char *path = sp_format("%s/%s.%s", folder, name, suffix);
    assert_int_equal(sp_write_file(path, content, strlen(content)), SP_OK);
    free(path);
}

/* The set NAME, whose splits are the same lines. */
static void write_set(const char *name, const char *keys, const char *lines) {
    char *card = sp_format("name: %s\nreader: jsonl\n"
                           "splits: {train: %s.jsonl, dev: %s.jsonl, test: %s.jsonl}\n%s",
                           name, name, name, name, keys);
    write_file(name, "yaml", card);
    write_file(name, "jsonl", lines);
    free(card);
}

static int write_sets(void **state) {
    if (make_folder(state)) return -1;
    write_set("a", "labels: {x: ex, y: [why, wise]}\ntemplate: {separator: \" A:\"}\n",
              "{\"text\": \"a0\", \"label\": \"x\", \"group\": \"seen\"}\n"
              "{\"text\": \"a1\", \"label\": \"y\"}\n"
              "{\"text\": \"a2\", \"label\": \"x\"}\n{\"text\": \"a3\", \"label\": \"y\"}\n");
    write_set("b", "labels: {z: zed, y: [why, wise]}\ntemplate: {separator: \"\\nB:\"}\n",
              "{\"text\": \"b0\", \"label\": \"y\"}\n{\"text\": \"b1\", \"label\": \"z\"}\n");
    write_set("other-words", "labels: {x: cross, u: you}\n",
              "{\"text\": \"c\", \"label\": \"x\"}\n{\"text\": \"c\", \"label\": \"u\"}\n");
    write_set("taken", "labels: {v: ex, u: you}\ntemplate: {separator: \" C:\"}\n",
              "{\"text\": \"c\", \"label\": \"v\"}\n{\"text\": \"c\", \"label\": \"u\"}\n");
    write_set("texts", "", "{\"input\": \"t\", \"target\": \"u\"}\n");
    write_set("tags", "tags: [O, B-k]\n",
              "{\"tokens\": [\"t\", \"u\"], \"tags\": [\"O\", \"B-k\"]}\n");
    return 0;
}

static char *mixture(const char *keys) {
    char *card = sp_format("name: m\nreader: mixture\n%s", keys);
    write_file("m", "yaml", card);
    free(card);
    return sp_format("%s/m.yaml", folder);
}

static sp_dataset *open_mixture(const char *keys) {
    sp_dataset *d;
    char *path = mixture(keys);
    if (sp_dataset_open(path, &d)) fail_msg("%s", sp_error());
    free(path);
    return d;
}

static const char both[] = "of: [a.yaml, b.yaml]\nsplits: {train: all, dev: all, test: 1}\n";

static void assert_example(const sp_split *split, size_t i, const char *input, const char *group,
                           int label) {
    assert_string_equal(split->items[i].input, input);
    assert_string_equal(split->items[i].group, group);
    assert_int_equal(split->items[i].label, label);
    assert_int_equal(split->items[i].task, *group == 'b');
}

static void examples_alternate_and_keep_separator_and_set(void **state) {
    (void)state;
    sp_dataset *d = open_mixture(both);
    sp_split split;
    if (sp_dataset_load(d, "train", &split)) fail_msg("%s", sp_error());
    assert_string_equal(sp_dataset_separator(d), "");
    assert_int_equal(split.count, 6);
    assert_example(&split, 0, "a0 A:", "a", 0);
    assert_example(&split, 1, "b0\nB:", "b", 1);
    assert_example(&split, 2, "a1 A:", "a", 1);
    assert_example(&split, 3, "a2 A:", "a", 0);
    assert_example(&split, 4, "b1\nB:", "b", 2);
    assert_example(&split, 5, "a3 A:", "a", 1);
    assert_string_equal(split.items[1].references.data[0], " why");
    sp_split_free(&split);
    if (sp_dataset_load(d, "test", &split)) fail_msg("%s", sp_error());
    assert_int_equal(split.count, 2);
    assert_example(&split, 0, "a0 A:", "a", 0);
    assert_example(&split, 1, "b0\nB:", "b", 1);
    sp_split_free(&split);
    sp_dataset_free(d);
}

static void labels_are_the_union_of_which_each_set_has_its_own(void **state) {
    (void)state;
    static const bool allowed[] = {true, true, false, false, true, true};
    sp_dataset *d = open_mixture(both);
    const sp_label *labels;
    size_t count;
    if (sp_dataset_labels(d, &labels, &count)) fail_msg("%s", sp_error());
    assert_int_equal(count, 3);
    assert_string_equal(labels[0].name, "x");
    assert_string_equal(labels[1].name, "y");
    assert_int_equal(labels[1].words.len, 2);
    assert_string_equal(labels[2].words.data[0], " zed");
    assert_memory_equal(sp_dataset_allowed(d), allowed, sizeof allowed);
    assert_false(sp_dataset_is_tagged(d));
    sp_strings parts = {0};
    sp_dataset_parts(d, &parts);
    assert_int_equal(parts.len, 2);
    assert_string_equal(parts.data[1], "b");
    sp_strings_free(&parts);
    sp_dataset_free(d);
}

static void the_hash_depends_on_the_sets_and_their_order_only(void **state) {
    (void)state;
    sp_digest first, again, turned;
    const char *const cards[] = {both, both,
                                 "of: [b.yaml, a.yaml]\nsplits: {train: all, dev: all, test: 1}\n"};
    sp_digest *const digests[] = {&first, &again, &turned};
    for (int i = 0; i < 3; i++) {
        sp_dataset *d = open_mixture(cards[i]);
        if (sp_dataset_hash(d, digests[i])) fail_msg("%s", sp_error());
        sp_dataset_free(d);
    }
    assert_string_equal(first.hex, again.hex);
    assert_string_not_equal(first.hex, turned.hex);
}

static void sets_of_texts_and_of_tags_mix_with_their_like(void **state) {
    (void)state;
    sp_dataset *d = open_mixture("of: [texts.yaml]\nsplits: {train: all, test: all}\n");
    const sp_label *labels;
    size_t count;
    sp_split split;
    if (sp_dataset_load(d, "test", &split)) fail_msg("%s", sp_error());
    assert_string_equal(split.items[0].input, "t\n");
    assert_string_equal(split.items[0].group, "texts");
    sp_split_free(&split);
    assert_int_equal(sp_dataset_labels(d, &labels, &count), SP_OK);
    assert_int_equal(count, 0);
    assert_null(sp_dataset_allowed(d));
    sp_dataset_free(d);
    d = open_mixture("of: [tags.yaml]\nsplits: {train: all}\n");
    if (sp_dataset_load(d, "train", &split)) fail_msg("%s", sp_error());
    assert_string_equal(split.items[0].input, "t u");
    assert_int_equal(split.items[0].tags.data[1], 1);
    assert_int_equal(sp_dataset_labels(d, &labels, &count), SP_OK);
    assert_true(sp_dataset_is_tagged(d));
    sp_split_free(&split);
    sp_dataset_free(d);
}

static void a_set_is_called_by_its_name_or_that_of_its_file(void **state) {
    (void)state;
    static const char *const names[][2] = {{"wntopic", "wntopic"},
                                           {"my/sets/mine.yaml", "mine"},
                                           {"x.v2.jsonl", "x.v2"},
                                           {"a/b", "b"},
                                           {".yaml", ".yaml"}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char *group = sp_dataset_group(names[i][0]);
        assert_string_equal(group, names[i][1]);
        free(group);
    }
}

/* ---- what is refused ---- */

static void refuse_card(const char *keys, const char *message) {
    sp_dataset *d;
    char *path = mixture(keys);
    sp_status st = sp_dataset_open(path, &d);
    if (st != SP_ERR_SPEC || !strstr(sp_error(), message))
        fail_msg("status %d, '%s' is not in: %s", (int)st, message, sp_error());
    assert_null(d);
    free(path);
}

static void cards_that_name_no_sets_or_one_twice_are_refused(void **state) {
    (void)state;
    refuse_card("splits: {train: all}\n", "this one names 0");
    refuse_card("of: []\nsplits: {train: all}\n", "this one names 0");
    refuse_card("of: [a.yaml, x/a.yaml]\nsplits: {train: all}\n", "two sets of the mixture are");
    refuse_card("of: [[a]]\nsplits: {train: all}\n", "a data set of the mixture");
    refuse_card("of: [a.yaml]\nsplits: {train: many}\n", "train is 'many'");
    refuse_card("of: [a.yaml]\nsplits: {train: 0}\n", "train is '0'");
    refuse_card("of: [a.yaml]\nsplits: {train: all}\nlabels: {a: b, c: d}\n", "leave out labels");
    refuse_card("of: [a.yaml]\nsplits: {train: all}\ntemplate: {pair: x}\n", "leave out template");
}

static void a_key_of_another_reader_is_refused(void **state) {
    (void)state;
    write_set("same", "of: [a.yaml]\n", "");
    sp_dataset *d;
    char *path = sp_format("%s/same.yaml", folder);
    assert_int_equal(sp_dataset_open(path, &d), SP_ERR_SPEC);
    assert_non_null(strstr(sp_error(), "of is a key of reader mixture, not of jsonl"));
    write_set("same", "part_of_speech: verb\n", "");
    assert_int_equal(sp_dataset_open(path, &d), SP_ERR_SPEC);
    assert_non_null(strstr(sp_error(), "part_of_speech is a key of reader wntopic"));
    free(path);
}

static void refuse_sets(const char *keys, sp_status kind, const char *message) {
    sp_dataset *d = open_mixture(keys);
    sp_split split;
    sp_status st = sp_dataset_load(d, "train", &split);
    if (st != kind || !strstr(sp_error(), message))
        fail_msg("status %d, '%s' is not in: %s", (int)st, message, sp_error());
    sp_dataset_free(d);
}

static void sets_that_do_not_mix_are_refused(void **state) {
    (void)state;
    refuse_sets("of: [m.yaml]\nsplits: {train: all}\n", SP_ERR_SPEC,
                "m.yaml:3: data set 'm.yaml' is a mixture itself; name its sets");
    refuse_sets("of: [a.yaml, nowhere]\nsplits: {train: all}\n", SP_ERR_MISSING,
                "no data set 'nowhere'");
    refuse_sets("of: [a.yaml, texts.yaml]\nsplits: {train: all}\n", SP_ERR_SPEC,
                "'texts.yaml' has texts to generate, but 'a.yaml' has labels of texts");
    refuse_sets("of: [tags.yaml, a.yaml]\nsplits: {train: all}\n", SP_ERR_SPEC,
                "'a.yaml' has labels of texts, but 'tags.yaml' has tags of words");
    refuse_sets("of: [a.yaml, other-words.yaml]\nsplits: {train: all}\n", SP_ERR_SPEC,
                "label 'x' has other words in 'other-words.yaml'");
    refuse_sets("of: [a.yaml, taken.yaml]\nsplits: {train: all}\n", SP_ERR_SPEC,
                "word ' ex' stands for label 'v' of 'taken.yaml' and for 'x'");
    refuse_sets("task: tagging\nof: [a.yaml]\nsplits: {train: all}\n", SP_ERR_SPEC,
                "task is 'tagging', but the sets have labels of texts");
    refuse_sets("of: [a.jsonl, b.jsonl]\nsplits: {train: all, test: all}\n", SP_ERR_DATA,
                "has no split test");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(examples_alternate_and_keep_separator_and_set),
        cmocka_unit_test(labels_are_the_union_of_which_each_set_has_its_own),
        cmocka_unit_test(the_hash_depends_on_the_sets_and_their_order_only),
        cmocka_unit_test(sets_of_texts_and_of_tags_mix_with_their_like),
        cmocka_unit_test(a_set_is_called_by_its_name_or_that_of_its_file),
        cmocka_unit_test(cards_that_name_no_sets_or_one_twice_are_refused),
        cmocka_unit_test(a_key_of_another_reader_is_refused),
        cmocka_unit_test(sets_that_do_not_mix_are_refused),
    };
    return cmocka_run_group_tests(tests, write_sets, remove_folder);
}
