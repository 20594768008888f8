#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/file.h"
#include "data/dataset.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[] = "/tmp/sp-dataset-XXXXXX";

static int make_folder(void **state) {
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state) {
    (void)state;
    static const char *const files[] = {"card.yaml", "train.jsonl", "empty.jsonl",
                                        "train.csv", "dev.csv",     "train.tsv"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        char *path = sp_path_join(folder, files[i]);
        unlink(path);
        free(path);
    }
    return rmdir(folder);
}

static char *write_file(const char *name, const char *content) {
    char *path = sp_path_join(folder, name);
    assert_int_equal(sp_write_file(path, content, strlen(content)), SP_OK);
    return path;
}

static void expect_error_text(const char *part) {
    if (!strstr(sp_error(), part)) fail_msg("'%s' is not in: %s", part, sp_error());
}

/* Opening the card fails with this status and this text. */
static void expect_card_error(const char *card, sp_status status, const char *part) {
    char *path = write_file("card.yaml", card);
    sp_dataset *d;
    assert_int_equal(sp_dataset_open(path, &d), status);
    assert_null(d);
    expect_error_text(part);
    free(path);
}

/* Loading a split of the card fails with this status and this text. */
static void expect_load_error(const char *card, const char *split, sp_status status,
                              const char *part) {
    char *path = write_file("card.yaml", card);
    sp_dataset *d;
    assert_int_equal(sp_dataset_open(path, &d), SP_OK);
    sp_split loaded;
    assert_int_equal(sp_dataset_load(d, split, &loaded), status);
    assert_int_equal(loaded.count, 0);
    expect_error_text(part);
    sp_dataset_free(d);
    free(path);
}

/* A card of one's own: paths beside it, renamed fields, a separator. */
static void test_own_card(void **state) {
    (void)state;
    free(write_file("train.jsonl", "{\"q\": \"x\", \"a\": [\"y\", \"z\"], \"id\": 3}\n\n"
                                   "{\"q\": \"\\u00e9\", \"a\": \"w\", \"category\": \"c\", "
                                   "\"group\": \"unseen\"}\n"));
    char *path = write_file("card.yaml", "name: mine\nreader: jsonl\nsplits: {train: train.jsonl}\n"
                                         "fields: {input: q, references: a}\n"
                                         "template: {separator: \" => \"}\n");
    sp_dataset *d;
    sp_split train;
    assert_int_equal(sp_dataset_open(path, &d), SP_OK);
    assert_string_equal(sp_dataset_name(d), "mine");
    assert_string_equal(sp_dataset_separator(d), " => ");
    assert_int_equal(sp_dataset_load(d, "train", &train), SP_OK);
    assert_int_equal(train.count, 2);
    assert_int_equal(train.items[0].references.len, 2);
    assert_string_equal(train.items[0].references.data[1], "z");
    assert_string_equal(train.items[0].group, "");
    assert_string_equal(train.items[1].input, "\xc3\xa9");
    assert_string_equal(train.items[1].group, "unseen");
    sp_digest hash;
    assert_int_equal(sp_dataset_hash(d, &hash), SP_OK);
    assert_int_equal(strlen(hash.hex), 64);
    sp_split_free(&train);
    sp_dataset_free(d);
    free(path);
}

static sp_digest hash_of(const char *card) {
    char *path = write_file("card.yaml", card);
    sp_dataset *d;
    sp_digest hash;
    assert_int_equal(sp_dataset_open(path, &d), SP_OK);
    assert_int_equal(sp_dataset_hash(d, &hash), SP_OK);
    sp_dataset_free(d);
    free(path);
    return hash;
}

/* The hash changes with what a model would read, not with what people are told. */
static void test_hash(void **state) {
    (void)state;
    free(write_file("train.jsonl", "{\"input\": \"a\", \"target\": \"b\"}"));
#define CARD "name: x\nreader: jsonl\nsplits: {train: train.jsonl}\n"
    sp_digest plain = hash_of(CARD);
    assert_string_equal(hash_of(CARD "title: A title\n").hex, plain.hex);
    assert_string_equal(hash_of(CARD "template: {separator: \"\\n\"}\n").hex, plain.hex);
    assert_string_not_equal(hash_of(CARD "template: {separator: \" = \"}\n").hex, plain.hex);
    free(write_file("train.jsonl", "{\"input\": \"a\", \"target\": \"c\"}"));
    assert_string_not_equal(hash_of(CARD).hex, plain.hex);
#undef CARD
}

/* A .jsonl file alone is a data set whose split is train. */
static void test_bare_file(void **state) {
    (void)state;
    char *path = write_file("train.jsonl", "{\"input\": \"a\", \"target\": \"b\"}");
    sp_dataset *d;
    sp_split split;
    assert_int_equal(sp_dataset_open(path, &d), SP_OK);
    assert_string_equal(sp_dataset_separator(d), "\n");
    assert_int_equal(sp_dataset_load(d, "train", &split), SP_OK);
    assert_string_equal(split.items[0].references.data[0], "b");
    sp_split_free(&split);
    assert_int_equal(sp_dataset_load(d, "dev", &split), SP_ERR_DATA);
    expect_error_text("has no split dev");
    assert_int_equal(sp_dataset_load(d, "valid", &split), SP_ERR_USAGE);
    sp_dataset_free(d);
    free(path);
}

static void expect_label(const sp_label *label, const char *name, const char *first_word) {
    assert_string_equal(label->name, name);
    assert_string_equal(label->words.data[0], first_word);
}

#define CLASSES "name: x\nreader: csv\nsplits: {train: train.csv, dev: dev.csv}\n"

/* The card's labels keep their order and may have several words; words follow the separator by a
 * space; an example's reference is the first word of its label. */
static void test_labels_of_card(void **state) {
    (void)state;
    free(write_file("train.csv", "text,label\nx,no\ny,yes\n"));
    char *path = write_file("card.yaml", CLASSES "labels: {yes: [true, right], no: false}\n"
                                                 "template: {separator: \"\\nIs it?\"}\n");
    sp_dataset *d;
    const sp_label *labels;
    size_t count;
    sp_split train;
    assert_int_equal(sp_dataset_open(path, &d), SP_OK);
    assert_int_equal(sp_dataset_labels(d, &labels, &count), SP_OK);
    assert_int_equal(count, 2);
    expect_label(&labels[0], "yes", " true");
    assert_string_equal(labels[0].words.data[1], " right");
    expect_label(&labels[1], "no", " false");
    assert_int_equal(sp_dataset_load(d, "train", &train), SP_OK);
    assert_int_equal(train.items[0].label, 1);
    assert_string_equal(train.items[0].references.data[0], " false");
    assert_int_equal(train.items[1].label, 0);
    sp_split_free(&train);
    sp_dataset_free(d);
    free(path);
}

/* Without labels on the card they are those of train by name, and dev may have no other. */
static void test_labels_of_train(void **state) {
    (void)state;
    free(write_file("train.csv", "text_a,text_b,label\nx,y,b\nz,u,a\nv,w,b\n"));
    free(write_file("dev.csv", "text_a,text_b,label\nx,y,a\n"));
    char *path = write_file("card.yaml", CLASSES "task: classification\n"
                                                 "template: {pair: \" / \"}\n");
    sp_dataset *d;
    const sp_label *labels;
    size_t count;
    sp_split split;
    assert_int_equal(sp_dataset_open(path, &d), SP_OK);
    assert_int_equal(sp_dataset_load(d, "dev", &split), SP_OK);
    assert_int_equal(split.items[0].label, 0);
    assert_string_equal(split.items[0].input, "x / y");
    sp_split_free(&split);
    assert_int_equal(sp_dataset_load(d, "train", &split), SP_OK);
    assert_int_equal(split.items[0].label, 1);
    assert_string_equal(split.items[0].references.data[0], "b"); /* "\n" is white space */
    sp_split_free(&split);
    assert_int_equal(sp_dataset_labels(d, &labels, &count), SP_OK);
    assert_int_equal(count, 2);
    expect_label(&labels[0], "a", "a");
    sp_dataset_free(d);
    free(write_file("dev.csv", "text_a,text_b,label\n\"x\n\",y,a\nx,y,c\n"));
    for (int again = 0; again < 2; again++)
        expect_load_error(CLASSES "task: classification\n", "dev", SP_ERR_DATA,
                          "dev.csv:4: no label 'c'; the labels are a, b");
    free(path);
}

/* A bare table is a classification set if it has a label and no target. */
static void test_bare_tables(void **state) {
    (void)state;
    sp_dataset *d;
    const sp_label *labels;
    size_t count;
    sp_split split;
    char *path = write_file("train.tsv", "text\tlabel\n\"x\ty\nz\tw\n");
    assert_int_equal(sp_dataset_open(path, &d), SP_OK);
    assert_int_equal(sp_dataset_labels(d, &labels, &count), SP_OK);
    assert_int_equal(count, 2);
    expect_label(&labels[0], "w", "w");
    sp_dataset_free(d);
    free(path);
    path = write_file("train.csv", "input,target\na,b\n");
    assert_int_equal(sp_dataset_open(path, &d), SP_OK);
    assert_int_equal(sp_dataset_labels(d, &labels, &count), SP_OK);
    assert_int_equal(count, 0);
    assert_int_equal(sp_dataset_load(d, "train", &split), SP_OK);
    assert_string_equal(split.items[0].references.data[0], "b");
    assert_int_equal(split.items[0].label, -1);
    sp_split_free(&split);
    sp_dataset_free(d);
    free(path);
}

/* A card that says neither task nor labels is for what train has, whichever split is asked for
 * first; with another task it is for generation. */
static void test_kind_of_train(void **state) {
    (void)state;
    free(write_file("train.csv", "text,label\nx,b\ny,a\n"));
    free(write_file("dev.csv", "text,label,input,target\nx,a,i,t\n"));
    char *path = write_file("card.yaml", CLASSES);
    sp_dataset *d;
    sp_split dev;
    for (int both = 0; both < 2; both++) {
        assert_int_equal(sp_dataset_open(path, &d), SP_OK);
        if (both) {
            assert_int_equal(sp_dataset_load(d, "train", &dev), SP_OK);
            sp_split_free(&dev);
        }
        assert_int_equal(sp_dataset_load(d, "dev", &dev), SP_OK);
        assert_int_equal(dev.items[0].label, 0);
        assert_string_equal(dev.items[0].input, "x");
        sp_split_free(&dev);
        sp_dataset_free(d);
    }
    free(path);
    expect_load_error(CLASSES "task: data-to-text\n", "train", SP_ERR_FORMAT,
                      "column \"input\" is missing");
}

/* The hash changes with the words of a label and with the label of an example. */
static void test_hash_of_labels(void **state) {
    (void)state;
    free(write_file("train.csv", "text,label\nx,a\ny,b\nz,a\n"));
    free(write_file("dev.csv", "text,label\nx,a\n"));
    sp_digest plain = hash_of(CLASSES "labels: {a: good, b: bad}\n");
    assert_string_equal(hash_of(CLASSES "labels: {a: [good], b: bad}\n").hex, plain.hex);
    assert_string_not_equal(hash_of(CLASSES "labels: {a: good, b: poor}\n").hex, plain.hex);
    assert_string_not_equal(hash_of(CLASSES "labels: {a: [good, fine], b: bad}\n").hex, plain.hex);
    assert_string_not_equal(hash_of(CLASSES "labels: {b: bad, a: good}\n").hex, plain.hex);
    free(write_file("train.csv", "text,label\nx,a\ny,b\nz,b\n"));
    assert_string_not_equal(hash_of(CLASSES "labels: {a: good, b: bad}\n").hex, plain.hex);
}

/* Labels without a word, words of two labels, classes that are too few. */
static void test_label_errors(void **state) {
    (void)state;
    expect_card_error(CLASSES "labels: {a: x, b: }\n", SP_ERR_SPEC,
                      "card.yaml:4: label 'b' has no word");
    expect_card_error(CLASSES "labels:\n  a: x\n  b: []\n", SP_ERR_SPEC,
                      "card.yaml:6: label 'b' has no word");
    expect_card_error(CLASSES "labels: {a: x, b: [y, x]}\n", SP_ERR_SPEC,
                      "word 'x' stands for label 'a' and again for 'b'");
    expect_card_error(CLASSES "labels: {a: {x: y}, b: z}\n", SP_ERR_SPEC, "a word of a label");
    expect_card_error(CLASSES "labels: {a: x}\n", SP_ERR_SPEC, "one class only");
    expect_card_error(CLASSES "labels: {}\n", SP_ERR_SPEC, "no class");
    expect_card_error(CLASSES "labels: [a, b]\n", SP_ERR_SPEC, "labels");
    expect_card_error(CLASSES "labels: {a: x, b: y}\ntask: data-to-text\n", SP_ERR_SPEC,
                      "card.yaml:5: task is 'data-to-text', but the set has labels");
    expect_card_error("name: x\nreader: csv\nsplits: {test: a.csv}\ntask: classification\n",
                      SP_ERR_SPEC, "neither labels nor splits.train");
    expect_card_error("name: x\nreader: webnlg\nsplits: {train: a}\nlabels: {a: x, b: y}\n",
                      SP_ERR_SPEC, "reader webnlg makes no classes");
    expect_card_error("name: x\nreader: wntopic\nsplits: {train: 5}\n", SP_ERR_SPEC,
                      "reader wntopic needs labels");
    free(write_file("train.csv", "text,label\nx,a\ny,a\n"));
    expect_load_error(CLASSES "labels: {a: x, b: y}\n", "train", SP_ERR_DATA,
                      "train has one class only, 'a'");
    expect_load_error(CLASSES "task: classification\n", "train", SP_ERR_DATA, "one class only");
}

/* A class without an example in train is no mistake: its words can be said all the same. */
static void test_class_without_example(void **state) {
    (void)state;
    free(write_file("train.csv", "text,label\nx,a\ny,b\n"));
    char *path = write_file("card.yaml", CLASSES "labels: {a: x, b: y, c: z}\n");
    sp_dataset *d;
    sp_split train;
    assert_int_equal(sp_dataset_open(path, &d), SP_OK);
    assert_int_equal(sp_dataset_load(d, "train", &train), SP_OK);
    assert_int_equal(train.count, 2);
    sp_split_free(&train);
    sp_dataset_free(d);
    free(path);
}
#undef CLASSES

/* Mistakes in a card name file, line and what is known. */
static void test_card_errors(void **state) {
    (void)state;
    expect_card_error("name: x\nreeder: jsonl\n", SP_ERR_SPEC, "card.yaml:2");
    expect_card_error("name: x\nreader: json\nsplits: {}\n", SP_ERR_SPEC,
                      "card.yaml:2: no reader 'json'; did you mean 'jsonl'? (the readers are "
                      "wntriples, wnslots, wntopic, wnentail, webnlg, jsonl, csv, tsv, mixture)");
    expect_card_error("name: x\nreader: jsonl\n", SP_ERR_SPEC, "no splits");
    expect_card_error("name: x\nreader: jsonl\nsplits: {trian: a}\n", SP_ERR_SPEC, "train");
    expect_card_error("name: x\nreader: jsonl\nsplits: {}\ntemplate: {seperator: a}\n", SP_ERR_SPEC,
                      "separator");
    expect_card_error("- a\n", SP_ERR_SPEC, "card.yaml:1");
    sp_dataset *d;
    assert_int_equal(sp_dataset_open("wntriplets", &d), SP_ERR_MISSING);
    expect_error_text("wntriples");
}

/* Mistakes that only its reader sees. */
static void test_reader_errors(void **state) {
    (void)state;
    expect_load_error("name: x\nreader: jsonl\nsplits: {train: none.jsonl}\n", "train",
                      SP_ERR_MISSING, "none.jsonl");
    free(write_file("empty.jsonl", "\n \n"));
    expect_load_error("name: x\nreader: jsonl\nsplits: {train: empty.jsonl}\n", "train",
                      SP_ERR_DATA, "split train is empty");
    expect_load_error("name: x\nreader: jsonl\nsplits: {train: empty.jsonl}\nsha256: {train: 00}\n",
                      "train", SP_ERR_DATA, "sha256");
    expect_load_error("name: x\nreader: jsonl\nsplits: {train: empty.jsonl}\nfields: {inptu: a}\n",
                      "train", SP_ERR_SPEC, "input");
    expect_load_error("name: x\nreader: wntriples\nsplits: {train: 5}\n", "train", SP_ERR_SPEC,
                      "categories");
    expect_load_error("name: x\nreader: wntriples\nsplits: {train: 5, dev: 1, test: 2}\n"
                      "categories: {seen: [animals], unseen: [plant]}\n",
                      "train", SP_ERR_SPEC, "card.yaml:4");
    expect_load_error("name: x\nreader: wntriples\nsplits: {train: 5, dev: 1, test: 2}\n"
                      "categories: {seen: [plant], unseen: [plant]}\n",
                      "train", SP_ERR_SPEC, "both seen and unseen");
    expect_load_error("name: x\nreader: wntriples\nsplits: {train: 900000, dev: 1, test: 2}\n"
                      "categories: {seen: [animal], unseen: [plant]}\n",
                      "train", SP_ERR_DATA, "usable nouns");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_own_card),        cmocka_unit_test(test_hash),
        cmocka_unit_test(test_bare_file),       cmocka_unit_test(test_card_errors),
        cmocka_unit_test(test_reader_errors),   cmocka_unit_test(test_labels_of_card),
        cmocka_unit_test(test_labels_of_train), cmocka_unit_test(test_bare_tables),
        cmocka_unit_test(test_kind_of_train),   cmocka_unit_test(test_hash_of_labels),
        cmocka_unit_test(test_label_errors),    cmocka_unit_test(test_class_without_example),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
