#include "experiment/run.h"

#include "experiment/transfer.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- settings by path ---- */

/* Settings outside the tables of training, decoding and methods. */
static const sp_option run_option_table[] = {
    {"precision", SP_CHOICE, offsetof(sp_run_spec, precision), "fp32", .choices = "fp32|bf16",
     .help = "of the weights that do not train"},
    {"threads", SP_INT, offsetof(sp_run_spec, threads), "0", 0, 1024,
     .help = "of a run; 0: by the size of the model"},
    {"output", SP_CHOICE, offsetof(sp_run_spec, output), "auto",
     .choices = "auto|text|verbalizer|linear|token-linear",
     .help = "how an answer is given and scored"},
    {"dev.limit", SP_INT, offsetof(sp_run_spec, dev_limit), "0", 0, INT_MAX,
     .help = "examples of dev; 0 for all"},
    {"test.limit", SP_INT, offsetof(sp_run_spec, test_limit), "0", 0, INT_MAX,
     .help = "examples of test; 0 for all"},
    {"data.limit", SP_INT, offsetof(sp_run_spec, train_limit), "0", 0, INT_MAX,
     .help = "training examples; 0 for all"},
    {"data.subsample", SP_INT, offsetof(sp_run_spec, subsample), "0", 0, INT_MAX,
     .help = "0: the training examples of data.limit evenly spaced; k: drawn at random with k"},
    {0}};

bool sp_run_is_single(const char *name) {
    static const char *const named[] = {"model", "dataset", "transfer"};
    for (size_t i = 0; i < sizeof named / sizeof *named; i++)
        if (strcmp(name, named[i]) == 0) return true;
    return !strchr(name, '.') && sp_options_find(run_option_table, name);
}

static void push_table(sp_strings *out, const char *prefix, const sp_option *table) {
    for (; table->name; table++) {
        char *path = sp_format("%s.%s", prefix, table->name);
        size_t i = 0;
        while (i < out->len && strcmp(out->data[i], path) != 0) i++;
        if (i == out->len)
            sp_strings_take(out, path);
        else
            free(path);
    }
}

void sp_run_paths(sp_strings *out) {
    sp_strings_push(out, "model");
    sp_strings_push(out, "dataset");
    sp_strings_push(out, "transfer");
    for (const sp_option *o = run_option_table; o->name; o++) sp_strings_push(out, o->name);
    push_table(out, "train", sp_train_option_table);
    push_table(out, "decode", sp_decode_option_table);
    for (const sp_method *const *m = sp_methods(); *m; m++)
        push_table(out, "method", (*m)->options);
}

static sp_status unknown_path(const char *path, const sp_yaml *value) {
    sp_strings known = {0};
    sp_run_paths(&known);
    sp_strings_take(&known, NULL); /* the end mark of sp_nearest_word */
    sp_status st = sp_yaml_fail(value, "unknown setting '%s'%s", path,
                                sp_did_you_mean(path, (const char *const *)known.data));
    sp_strings_free(&known);
    return st;
}

static bool any_method_has(const char *option) {
    for (const sp_method *const *m = sp_methods(); *m; m++)
        if (sp_options_find((*m)->options, option)) return true;
    return false;
}

static sp_status set_name(char field[SP_OPTION_TEXT], const char *path, const sp_yaml *value) {
    sp_status st = sp_yaml_expect(value, SP_YAML_SCALAR, path);
    if (st) return st;
    size_t len = strlen(value->text);
    if (len == 0 || len >= SP_OPTION_TEXT)
        return sp_yaml_fail(value, "%s is '%s'; use a name of 1 to %d bytes", path, value->text,
                            SP_OPTION_TEXT - 1);
    memcpy(field, value->text, len + 1);
    return SP_OK;
}

static void keep_place(char place[SP_OPTION_TEXT], const sp_yaml *value) {
    if (value->line)
        snprintf(place, SP_OPTION_TEXT, "%s:%d", value->file, value->line);
    else
        snprintf(place, SP_OPTION_TEXT, "%s", value->file);
}

sp_status sp_run_set(sp_run_spec *run, const char *path, const sp_yaml *value, bool *used) {
    *used = true;
    if (strcmp(path, "model") == 0) return set_name(run->model, path, value);
    if (strcmp(path, "dataset") == 0) return set_name(run->dataset, path, value);
    if (strcmp(path, "transfer") == 0) return sp_transfer_read(value, run);
    if (sp_options_find(run_option_table, path))
        return sp_yaml_option(value, path, run_option_table, run);
    const char *dot = strchr(path, '.'), *name = dot ? dot + 1 : "";
    size_t len = dot ? (size_t)(dot - path) : 0;
    if (len == 5 && strncmp(path, "train", 5) == 0)
        return sp_yaml_option(value, name, sp_train_option_table, &run->train);
    if (len == 6 && strncmp(path, "decode", 6) == 0) {
        keep_place(run->decode_place, value);
        return sp_yaml_option(value, name, sp_decode_option_table, &run->decode);
    }
    if (len != 6 || strncmp(path, "method", 6) != 0 || !any_method_has(name))
        return unknown_path(path, value);
    const sp_option *table = sp_method_find(run->method)->options;
    *used = sp_options_find(table, name) != NULL;
    if (*used && strcmp(name, "length") == 0) keep_place(run->length_place, value);
    return *used ? sp_yaml_option(value, name, table, &run->method_options) : SP_OK;
}

sp_precision sp_run_precision(const sp_run_spec *run) {
    bool bf16 = strcmp(run->precision, sp_precision_names[SP_PRECISION_BF16]) == 0;
    return bf16 ? SP_PRECISION_BF16 : SP_PRECISION_FP32;
}

void sp_run_default(sp_run_spec *run, const sp_method *method) {
    *run = (sp_run_spec){.method = method->name, .seed = 1};
    sp_options_default(run_option_table, run);
    sp_options_default(method->options, &run->method_options);
    sp_options_default(sp_train_option_table, &run->train);
    sp_options_default(sp_decode_option_table, &run->decode);
}

sp_status sp_run_check(const sp_run_spec *run) {
    if (run->decode.beam == 1 || run->decode.temperature == 0) return SP_OK;
    return sp_fail(SP_ERR_SPEC, "%s: beam %d with temperature %g: beam search does not sample; %s",
                   run->decode_place, run->decode.beam, run->decode.temperature,
                   "use beam 1 or temperature 0");
}

/* ---- the resolved spec ---- */

/* The shortest decimal that reads back as the same number. */
static char *shortest_real(double x) {
    for (int digits = 6;; digits++) {
        char *text = sp_format("%.*g", digits, x);
        if (digits == 17 || strtod(text, NULL) == x) return text;
        free(text);
    }
}

static void put_text(sp_yaml *map, const char *key, const char *text) {
    sp_yaml_put(map, key, sp_yaml_new_scalar("run", 0, text));
}

static void put_int(sp_yaml *map, const char *key, int value) {
    char *text = sp_format("%d", value);
    put_text(map, key, text);
    free(text);
}

static void put_options(sp_yaml *map, const sp_option *table, const void *settings) {
    for (; table->name; table++) {
        const char *field = (const char *)settings + table->offset;
        char *text = table->type == SP_REAL ? shortest_real(*(const double *)(const void *)field)
                                            : sp_options_get(table, settings);
        put_text(map, table->name, text);
        free(text);
    }
}

static sp_yaml *put_map(sp_yaml *map, const char *key) {
    sp_yaml *child = sp_yaml_new_map("run", 0);
    sp_yaml_put(map, key, child);
    return child;
}

/* "a, b"; nothing if the run is tested on its own set only. */
static void put_transfer(sp_yaml *map, const sp_run_spec *run) {
    sp_buf names = {0};
    for (size_t i = 0; i < run->transfer_count; i++)
        sp_buf_printf(&names, "%s%s", i ? ", " : "", run->transfer[i]);
    if (names.len) put_text(map, "transfer", names.data);
    sp_buf_free(&names);
}

static char *resolved_text(const sp_run_spec *run) {
    sp_yaml *root = sp_yaml_new_map("run", 0);
    put_text(root, "model", run->model);
    put_text(root, "dataset", run->dataset);
    put_text(root, "precision", run->precision);
    put_int(root, "threads", run->threads);
    sp_yaml *method = put_map(root, "method");
    put_text(method, "name", run->method);
    put_options(method, sp_method_find(run->method)->options, &run->method_options);
    sp_yaml *train = put_map(root, "train");
    put_options(train, sp_train_option_table, &run->train);
    sp_yaml_remove(train, "checkpoint_seconds"); /* does not change what comes out */
    put_options(put_map(root, "decode"), sp_decode_option_table, &run->decode);
    put_text(root, "output", run->output);
    put_int(put_map(root, "dev"), "limit", run->dev_limit);
    put_int(put_map(root, "test"), "limit", run->test_limit);
    sp_yaml *data = put_map(root, "data");
    put_int(data, "limit", run->train_limit);
    put_int(data, "subsample", run->subsample);
    put_transfer(root, run);
    put_int(root, "seed", run->seed);
    sp_buf text = {0};
    sp_yaml_emit(root, &text);
    sp_yaml_free(root);
    return sp_buf_take(&text);
}

void sp_run_finish(sp_run_spec *run) {
    run->spec_yaml = resolved_text(run);
    sp_buf all = {0};
    sp_buf_printf(&all, "%sresults version %d\nmodel %s\ndata %s\n", run->spec_yaml,
                  SP_RESULTS_VERSION, run->model_sha256.hex, run->data_sha256.hex);
    for (size_t i = 0; i < run->transfer_count; i++)
        sp_buf_printf(&all, "transfer %s\n", run->transfer_sha256[i].hex);
    sp_digest digest = sp_sha256(all.data, all.len);
    memcpy(run->id, digest.hex, SP_RUN_ID);
    run->id[SP_RUN_ID] = '\0';
    sp_buf_free(&all);
}

void sp_run_describe(const sp_run_spec *run, sp_runlog *log) {
    sp_runlog_text(log, "experiment", run->experiment);
    sp_runlog_text(log, "entry", run->entry);
    sp_runlog_text(log, "label", run->label);
    sp_runlog_text(log, "method", run->method);
    sp_runlog_text(log, "dataset", run->dataset);
    sp_runlog_text(log, "model", run->model);
    sp_runlog_integer(log, "seed", run->seed);
    sp_runlog_integer(log, "subsample", run->subsample);
    sp_runlog_text(log, "spec", run->spec_yaml);
    sp_runlog_text(log, "model_sha256", run->model_sha256.hex);
    sp_runlog_text(log, "data_sha256", run->data_sha256.hex);
}

char *sp_run_title(const sp_run_spec *run) {
    return sp_format("%s%s%s", run->label, *run->point ? " " : "", run->point);
}

char *sp_run_replicate(const sp_run_spec *run) {
    if (!run->subsample) return sp_format("seed %d", run->seed);
    return sp_format("subsample %d seed %d", run->subsample, run->seed);
}

char *sp_run_path(const sp_run_spec *run, const char *folder) {
    return sp_format("%s/runs/%s.h5", folder, run->id);
}

char *sp_run_checkpoint_path(const sp_run_spec *run, const char *folder) {
    return sp_format("%s/runs/%s.checkpoint.h5", folder, run->id);
}
