/* What tests of single runs share: small sets in the study folder, runs on them, their files. */
#ifndef TESTS_EXPERIMENT_TRIAL_FIXTURE_H
#define TESTS_EXPERIMENT_TRIAL_FIXTURE_H

#include "experiment/study_fixture.h"
#include "experiment/trial.h"

static const char labels_card[] = "labels: {animal: [animal, dog], food: food}\n";

static inline void write_text(const char *name, const sp_buf *text) {
    char *path = sp_path_join(study_folder, name);
    assert_int_equal(sp_write_file(path, text->data, text->len), SP_OK);
    free(path);
}

/* The card NAME.yaml, whose three splits are the file NAME.jsonl. */
static inline void write_set(const char *name, const char *card, const sp_buf *lines) {
    sp_buf text = {0};
    char *file = sp_format("%s.jsonl", name), *card_file = sp_format("%s.yaml", name);
    sp_buf_printf(&text,
                  "name: %s\nreader: jsonl\ntemplate: {separator: \"\\nTopic:\"}\n"
                  "splits: {train: %s, dev: %s, test: %s}\n%s",
                  name, file, file, file, card);
    write_text(card_file, &text);
    write_text(file, lines);
    sp_buf_free(&text);
    free(file);
    free(card_file);
}

/* 32 sentences on animals and food, of which the second label is left out on demand. */
static inline sp_buf sentences(bool one_label) {
    static const char *const animals[] = {"cat", "horse", "bird", "cow"};
    static const char *const foods[] = {"bread", "cheese", "rice", "soup"};
    static const char *const does[] = {"runs", "sleeps", "looks up", "is wild"};
    static const char *const tastes[] = {"is sweet", "is cooked", "was eaten", "tastes good"};
    sp_buf lines = {0};
    for (int i = 0; i < 4; i++)
        for (int k = 0; k < 4; k++) {
            sp_buf_printf(&lines, "{\"text\": \"the %s %s\", \"label\": \"animal\"}\n", animals[i],
                          does[k]);
            if (!one_label)
                sp_buf_printf(&lines, "{\"text\": \"the %s %s\", \"label\": \"food\"}\n", foods[i],
                              tastes[k]);
        }
    return lines;
}

static inline void write_sentences(const char *name, const char *card, bool one_label) {
    sp_buf lines = sentences(one_label);
    write_set(name, card, &lines);
    sp_buf_free(&lines);
}

/* A run of `method` on the set NAME. */
static inline sp_run_spec make_run(const char *method, const char *set, const char *output) {
    sp_run_spec run;
    const sp_method *found = sp_method_find(method);
    assert_non_null(found);
    sp_run_default(&run, found);
    snprintf(run.model, SP_OPTION_TEXT, "gpt2-1m");
    snprintf(run.dataset, SP_OPTION_TEXT, "%s/%s.yaml", study_folder, set);
    snprintf(run.output, SP_OPTION_TEXT, "%s", output);
    snprintf(run.length_place, SP_OPTION_TEXT, "spec.yaml:4");
    run.train.steps = 2;
    run.train.batch = 8;
    return run;
}

static inline sp_status do_run(sp_run_spec *run) {
    char *runs = sp_path_join(study_folder, "runs");
    assert_int_equal(sp_make_folders(runs), SP_OK);
    free(runs);
    sp_run_finish(run);
    sp_assets *assets = sp_assets_new();
    sp_status st = sp_trial_run(run, study_folder, assets, NULL);
    sp_assets_free(assets);
    free(run->spec_yaml);
    return st;
}

/* The run file, opened; fails the test if the run does. */
static inline sp_h5 *file_of(sp_run_spec run) {
    sp_h5 *file = NULL;
    if (do_run(&run)) fail_msg("%s", sp_error());
    char *path = sp_run_path(&run, study_folder);
    if (sp_h5_open(path, &file)) fail_msg("%s", sp_error());
    free(path);
    return file;
}

static inline void assert_text(sp_h5 *file, const char *attribute, const char *expected) {
    char *text = NULL;
    if (sp_h5_get_text(file, "/", attribute, &text)) fail_msg("%s", sp_error());
    assert_string_equal(text, expected);
    free(text);
}

static inline double read_number(sp_h5 *file, const char *path, bool last) {
    double *values = NULL;
    size_t count = 0;
    if (sp_h5_read_reals(file, path, &values, &count)) fail_msg("%s", sp_error());
    assert_true(count > 0);
    double value = values[last ? count - 1 : 0];
    free(values);
    return value;
}

static inline void refuse(sp_run_spec run, sp_status kind, const char *message) {
    sp_status st = do_run(&run);
    if (st != kind) fail_msg("status %d: %s", (int)st, sp_error());
    if (!strstr(sp_error(), message)) fail_msg("'%s' is not in '%s'", message, sp_error());
    if (strchr(sp_error(), '\n')) fail_msg("more than a line: %s", sp_error());
}

#endif
