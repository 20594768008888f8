/* Somebody's own files: what fields are taken for, and how one file becomes three splits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/file.h"
#include "data/own.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static sp_status add(const char *file, const char *text, const char *task, sp_own_data *out) {
    *out = (sp_own_data){.labels.open = true};
    return sp_own_data_add(out, SP_TRAIN, text, strlen(text), file, task);
}

/* Names of the hub are understood, and what they were taken for is told. */
static void fields_are_guessed(void **state) {
    (void)state;
    static const char *const cases[][3] = {
        {"a.jsonl", "{\"sentence\": \"a\", \"label\": 0, \"idx\": 1}",
         "text from 'sentence', label; left alone: idx"},
        {"a.jsonl", "{\"text\": \"a\", \"label\": 0, \"label_text\": \"x\"}",
         "text, label from 'label_text'; left alone: label"},
        {"a.csv", "Premise,hypothesis,label\na,b,c\n",
         "text_a from 'Premise', text_b from 'hypothesis', label"},
        {"a.csv", ",text,label\n0,a,b\n", "text, label"},
        {"a.tsv", "article\thighlights\tid\na\tb\tc\n",
         "input from 'article', target from 'highlights'; left alone: id"},
        {"a.jsonl", "{\"input\": \"a\", \"target\": \"b\", \"label\": \"c\"}",
         "input, target; left alone: label"},
        {"a.jsonl", "{\"question\": \"a\", \"passage\": \"b\", \"answer\": \"c\", \"label\": 1}",
         "text_a from 'question', text_b from 'passage', label; left alone: answer"},
        {"a.jsonl", "{\"input\": \"a\", \"target\": \"b\", \"references\": [\"b\", \"c\"]}",
         "input, references; left alone: target"},
        {"a.jsonl", "{\"tokens\": [\"a\"], \"labels\": [\"O\"]}", "tokens, tags from 'labels'"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        sp_own_data data;
        if (add(cases[i][0], cases[i][1], NULL, &data)) fail_msg("%s", sp_error());
        assert_string_equal(data.fields, cases[i][2]);
        sp_own_data_free(&data);
    }
}

/* A task that is named decides between fields that allow two. */
static void a_task_decides(void **state) {
    (void)state;
    const char *text = "{\"text\": \"a\", \"summary\": \"b\", \"label\": \"c\"}";
    sp_own_data data;
    assert_int_equal(add("a.jsonl", text, NULL, &data), SP_OK);
    assert_int_equal(data.kind, SP_SET_CLASSIFICATION);
    sp_own_data_free(&data);
    assert_int_equal(add("a.jsonl", text, "generation", &data), SP_OK);
    assert_string_equal(data.fields, "input from 'text', target from 'summary'; left alone: label");
    sp_own_data_free(&data);
}

/* Lines count blank ones, and those inside of quotes. */
static void each_example_has_its_line(void **state) {
    (void)state;
    sp_own_data data;
    const char *csv = "text,label\n\n\"a\nb\",x\nc,y\n";
    assert_int_equal(add("a.csv", csv, NULL, &data), SP_OK);
    assert_int_equal(data.lines[SP_TRAIN].data[0], 3);
    assert_int_equal(data.lines[SP_TRAIN].data[1], 5);
    sp_own_data_free(&data);
}

/* One file becomes three splits that together have every example once, with each label's share. */
static void one_file_becomes_three_splits(void **state) {
    (void)state;
    char path[] = "/tmp/sp-own-XXXXXX.jsonl";
    int fd = mkstemps(path, 6);
    assert_true(fd >= 0);
    FILE *file = fdopen(fd, "w");
    for (int i = 0; i < 200; i++)
        fprintf(file, "{\"text\": \"%d\", \"label\": \"%s\"}\n", i, i < 150 ? "often" : "rare");
    fclose(file);
    sp_own_data data;
    const char *files[SP_SPLITS] = {path};
    if (sp_own_data_read(files, NULL, &data)) fail_msg("%s", sp_error());
    assert_int_equal(data.splits[SP_DEV].count, 20);
    assert_int_equal(data.splits[SP_TEST].count, 20);
    int seen[200] = {0}, rare = 0;
    for (int s = 0; s < SP_SPLITS; s++)
        for (size_t i = 0; i < data.splits[s].count; i++) {
            int number = atoi(data.splits[s].items[i].input);
            seen[number]++;
            assert_int_equal(data.lines[s].data[i], number + 1);
            rare += s == SP_TEST && number >= 150;
        }
    for (int i = 0; i < 200; i++) assert_int_equal(seen[i], 1);
    assert_int_equal(rare, 5);
    sp_own_data_free(&data);
    unlink(path);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(fields_are_guessed),
                                       cmocka_unit_test(a_task_decides),
                                       cmocka_unit_test(each_example_has_its_line),
                                       cmocka_unit_test(one_file_becomes_three_splits)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
