#include "experiment/runlog.h"

#include "core/file.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef enum attribute_kind { TEXT, NUMBER, INTEGER } attribute_kind;

typedef struct sp_logged_attribute {
    char *name;
    attribute_kind kind;
    char *text;
    double number;
    int64_t integer;
} sp_logged_attribute;

const char *const sp_runlog_train_names[SP_TRAIN_COLUMNS + 1] = {
    "step", "loss", "learning_rate", "gradient_norm", "tokens", "seconds", NULL};
const char *const sp_runlog_dev_names[] = {"loss", "bleu", "accuracy", "span-f1", NULL};

/* ---- filling ---- */

static void push(sp_column *c, double value) {
    if (c->len == c->cap) {
        c->cap = 2 * c->cap + 16;
        c->data = sp_realloc(c->data, c->cap, sizeof *c->data);
    }
    c->data[c->len++] = value;
}

static size_t find_name(const sp_strings *names, const char *name) {
    size_t i = 0;
    while (i < names->len && strcmp(names->data[i], name) != 0) i++;
    return i;
}

void sp_runlog_train(sp_runlog *log, long step, double loss, double learning_rate,
                     double gradient_norm, double tokens, double seconds) {
    const double row[SP_TRAIN_COLUMNS] = {(double)step,  loss,   learning_rate,
                                          gradient_norm, tokens, seconds};
    for (int i = 0; i < SP_TRAIN_COLUMNS; i++) push(&log->train[i], row[i]);
}

/* The series of a metric, as long as dev_step; new ones begin with NaN. */
static sp_column *dev_column(sp_runlog *log, const char *metric) {
    size_t i = find_name(&log->dev_names, metric);
    if (i == log->dev_names.len) {
        sp_strings_push(&log->dev_names, metric);
        log->dev = sp_realloc(log->dev, log->dev_names.len, sizeof *log->dev);
        log->dev[i] = (sp_column){0};
        while (log->dev[i].len < log->dev_step.len) push(&log->dev[i], NAN);
    }
    return &log->dev[i];
}

void sp_runlog_dev(sp_runlog *log, long step, const char *metric, double value) {
    sp_column *column = dev_column(log, metric);
    if (!log->dev_step.len || log->dev_step.data[log->dev_step.len - 1] != (double)step) {
        push(&log->dev_step, (double)step);
        for (size_t i = 0; i < log->dev_names.len; i++) push(&log->dev[i], NAN);
    }
    column->data[column->len - 1] = value;
}

static char *test_name(const char *group, const char *metric) {
    return group ? sp_format("%s/%s", group, metric) : sp_strdup(metric);
}

void sp_runlog_test(sp_runlog *log, const char *group, const char *metric, double value) {
    char *name = test_name(group, metric);
    size_t i = find_name(&log->test_names, name);
    if (i == log->test_names.len) {
        sp_strings_take(&log->test_names, name);
        push(&log->test, value);
    } else {
        log->test.data[i] = value;
        free(name);
    }
}

void sp_runlog_prediction(sp_runlog *log, const char *input, const char *hypothesis,
                          const char *references) {
    sp_strings_push(&log->inputs, input);
    sp_strings_push(&log->hypotheses, hypothesis);
    sp_strings_push(&log->references, references);
}

static sp_transfer_log *transfer_of(sp_runlog *log, const char *set) {
    for (size_t i = 0; i < log->transfer_count; i++)
        if (strcmp(log->transfers[i].set, set) == 0) return &log->transfers[i];
    log->transfers = sp_realloc(log->transfers, log->transfer_count + 1, sizeof *log->transfers);
    sp_transfer_log *added = &log->transfers[log->transfer_count++];
    *added = (sp_transfer_log){.set = sp_strdup(set)};
    return added;
}

void sp_runlog_transfer(sp_runlog *log, const char *set, const char *input, const char *hypothesis,
                        const char *references) {
    sp_transfer_log *transfer = transfer_of(log, set);
    sp_strings_push(&transfer->inputs, input);
    sp_strings_push(&transfer->hypotheses, hypothesis);
    sp_strings_push(&transfer->references, references);
}

static sp_logged_attribute *find_attribute(const sp_runlog *log, const char *name) {
    for (size_t i = 0; i < log->attribute_count; i++)
        if (strcmp(log->attributes[i].name, name) == 0) return &log->attributes[i];
    return NULL;
}

/* The attribute of this name, new or emptied. */
static sp_logged_attribute *fresh_attribute(sp_runlog *log, const char *name, attribute_kind kind) {
    sp_logged_attribute *a = find_attribute(log, name);
    if (!a) {
        log->attributes =
            sp_realloc(log->attributes, log->attribute_count + 1, sizeof *log->attributes);
        a = &log->attributes[log->attribute_count++];
        *a = (sp_logged_attribute){.name = sp_strdup(name)};
    }
    free(a->text);
    a->text = NULL;
    a->kind = kind;
    return a;
}

void sp_runlog_text(sp_runlog *log, const char *name, const char *value) {
    char *copy = sp_strdup(value); /* the value may be the old one */
    fresh_attribute(log, name, TEXT)->text = copy;
}

void sp_runlog_number(sp_runlog *log, const char *name, double value) {
    fresh_attribute(log, name, NUMBER)->number = value;
}

void sp_runlog_integer(sp_runlog *log, const char *name, int64_t value) {
    fresh_attribute(log, name, INTEGER)->integer = value;
}

/* ---- asking ---- */

const char *sp_runlog_get_text(const sp_runlog *log, const char *name) {
    const sp_logged_attribute *a = find_attribute(log, name);
    return a && a->kind == TEXT ? a->text : NULL;
}

double sp_runlog_get_number(const sp_runlog *log, const char *name) {
    const sp_logged_attribute *a = find_attribute(log, name);
    if (!a || a->kind == TEXT) return NAN;
    return a->kind == NUMBER ? a->number : (double)a->integer;
}

double sp_runlog_get_test(const sp_runlog *log, const char *group, const char *metric) {
    char *name = test_name(group, metric);
    size_t i = find_name(&log->test_names, name);
    free(name);
    return i < log->test_names.len ? log->test.data[i] : NAN;
}

const sp_column *sp_runlog_get_train(const sp_runlog *log, const char *name) {
    for (int i = 0; i < SP_TRAIN_COLUMNS; i++)
        if (strcmp(sp_runlog_train_names[i], name) == 0) return &log->train[i];
    return NULL;
}

const sp_column *sp_runlog_get_dev(const sp_runlog *log, const char *metric) {
    size_t i = find_name(&log->dev_names, metric);
    return i < log->dev_names.len ? &log->dev[i] : NULL;
}

/* ---- writing ---- */

static sp_status write_column(sp_h5 *f, const char *group, const char *name, const sp_column *c) {
    char *path = sp_format("%s/%s", group, name);
    const double none = 0;
    sp_status st = sp_h5_write_reals(f, path, 1, &c->len, c->len ? c->data : &none);
    free(path);
    return st;
}

/* Steps are whole numbers in the file. */
static sp_status write_steps(sp_h5 *f, const char *group, const sp_column *c) {
    int64_t *steps = sp_alloc(c->len, sizeof *steps);
    for (size_t i = 0; i < c->len; i++) steps[i] = (int64_t)c->data[i];
    char *path = sp_format("%s/step", group);
    sp_status st = sp_h5_write_ints(f, path, 1, &c->len, steps);
    free(path), free(steps);
    return st;
}

/* "/" + "train" and "/checkpoint" + "train" without a double slash. */
static char *join(const char *group, const char *name) {
    return sp_format("%s/%s", strcmp(group, "/") == 0 ? "" : group, name);
}

sp_status sp_runlog_save_series(const sp_runlog *log, sp_h5 *f, const char *group) {
    char *train = join(group, "train"), *dev = join(group, "dev");
    sp_status st = write_steps(f, train, &log->train[SP_COLUMN_STEP]);
    for (int i = SP_COLUMN_LOSS; !st && i < SP_TRAIN_COLUMNS; i++)
        st = write_column(f, train, sp_runlog_train_names[i], &log->train[i]);
    if (!st) st = write_steps(f, dev, &log->dev_step);
    for (size_t i = 0; !st && i < log->dev_names.len; i++)
        st = write_column(f, dev, log->dev_names.data[i], &log->dev[i]);
    free(train), free(dev);
    return st;
}

static sp_status write_attribute(const sp_logged_attribute *a, sp_h5 *f) {
    switch (a->kind) {
    case TEXT:
        return sp_h5_set_text(f, "/", a->name, a->text);
    case NUMBER:
        return sp_h5_set_real(f, "/", a->name, a->number);
    case INTEGER:
        break;
    }
    return sp_h5_set_int(f, "/", a->name, a->integer);
}

/* `folder`: "", or "/" and a set. */
static sp_status write_lists(sp_h5 *f, const char *folder, const sp_strings *const lists[3]) {
    static const char *const names[] = {"input", "hypothesis", "reference"};
    sp_status st = SP_OK;
    for (int i = 0; i < 3 && !st; i++) {
        char *path = sp_format("/test%s/predictions/%s", folder, names[i]);
        st = sp_h5_write_texts(f, path, (const char *const *)lists[i]->data, lists[i]->len);
        free(path);
    }
    return st;
}

static sp_status write_predictions(const sp_runlog *log, sp_h5 *f) {
    const sp_strings *const own[] = {&log->inputs, &log->hypotheses, &log->references};
    sp_status st = write_lists(f, "", own);
    for (size_t i = 0; !st && i < log->transfer_count; i++) {
        const sp_transfer_log *t = &log->transfers[i];
        char *folder = sp_format("/%s", t->set);
        const sp_strings *const lists[] = {&t->inputs, &t->hypotheses, &t->references};
        st = write_lists(f, folder, lists);
        free(folder);
    }
    return st;
}

sp_status sp_runlog_write_to(const sp_runlog *log, sp_h5 *f) {
    sp_status st = sp_h5_set_text(f, "/", "schema", "softprompt-run/1");
    for (size_t i = 0; !st && i < log->attribute_count; i++)
        st = write_attribute(&log->attributes[i], f);
    if (!st) st = sp_runlog_save_series(log, f, "/");
    for (size_t i = 0; !st && i < log->test_names.len; i++) {
        char *path = sp_format("/test/%s", log->test_names.data[i]);
        st = sp_h5_write_reals(f, path, 0, NULL, &log->test.data[i]);
        free(path);
    }
    return st ? st : write_predictions(log, f);
}

sp_status sp_runlog_write(const sp_runlog *log, const char *path) {
    char *folder = sp_path_folder(path);
    sp_status st = sp_make_folders(folder);
    free(folder);
    sp_h5 *f;
    if (!st) st = sp_h5_create(path, &f);
    return st ? st : sp_h5_finish(f, sp_runlog_write_to(log, f));
}

/* ---- reading ---- */

static sp_status read_column(sp_h5 *f, const char *group, const char *name, sp_column *out) {
    char *path = sp_format("%s/%s", group, name);
    free(out->data);
    *out = (sp_column){0};
    sp_status st = sp_h5_read_reals(f, path, &out->data, &out->len);
    out->cap = out->len;
    free(path);
    return st;
}

static sp_status uneven(sp_h5 *f, const char *group) {
    return sp_fail(SP_ERR_FORMAT, "%s: the series of %s differ in length; delete the file",
                   sp_h5_path(f), group);
}

static sp_status load_train(sp_runlog *log, sp_h5 *f, const char *group) {
    sp_status st = SP_OK;
    for (int i = 0; i < SP_TRAIN_COLUMNS && !st; i++)
        st = read_column(f, group, sp_runlog_train_names[i], &log->train[i]);
    for (int i = 0; i < SP_TRAIN_COLUMNS && !st; i++)
        if (log->train[i].len != log->train[0].len) st = uneven(f, group);
    return st;
}

static sp_status load_dev(sp_runlog *log, sp_h5 *f, const char *group) {
    sp_strings names = {0};
    sp_status st = read_column(f, group, "step", &log->dev_step);
    if (!st) st = sp_h5_members(f, group, &names);
    for (size_t i = 0; !st && i < names.len; i++) {
        if (strcmp(names.data[i], "step") == 0) continue;
        sp_column *column = dev_column(log, names.data[i]);
        st = read_column(f, group, names.data[i], column);
        if (!st && column->len != log->dev_step.len) st = uneven(f, group);
    }
    sp_strings_free(&names);
    return st;
}

static void free_dev(sp_runlog *log) {
    for (size_t i = 0; i < log->dev_names.len; i++) free(log->dev[i].data);
    free(log->dev), free(log->dev_step.data);
    log->dev = NULL;
    log->dev_step = (sp_column){0};
    sp_strings_free(&log->dev_names);
}

sp_status sp_runlog_load_series(sp_runlog *log, sp_h5 *f, const char *group) {
    char *train = join(group, "train"), *dev = join(group, "dev");
    free_dev(log);
    sp_status st = load_train(log, f, train);
    if (!st) st = load_dev(log, f, dev);
    free(train), free(dev);
    return st;
}

static sp_status read_attributes(sp_runlog *log, sp_h5 *f) {
    static const char *const texts[] = {
        "schema", "experiment", "entry",        "label",       "method",  "dataset",
        "model",  "spec",       "status",       "error",       "version", "cpu",
        "gemm",   "precision",  "model_sha256", "data_sha256", "output",  "language_model"};
    static const char *const numbers[] = {"seed",
                                          "subsample",
                                          "best_step",
                                          "train_seconds",
                                          "threads",
                                          "trainable_parameters",
                                          "total_parameters",
                                          "kept_parameters",
                                          "wall_seconds",
                                          "peak_rss_bytes"};
    sp_status st = SP_OK;
    for (size_t i = 0; !st && i < sizeof texts / sizeof *texts; i++) {
        char *text = NULL;
        if (!sp_h5_has_attribute(f, "/", texts[i])) continue;
        if ((st = sp_h5_get_text(f, "/", texts[i], &text))) break;
        sp_runlog_text(log, texts[i], text);
        free(text);
    }
    for (size_t i = 0; !st && i < sizeof numbers / sizeof *numbers; i++) {
        double number;
        if (!sp_h5_has_attribute(f, "/", numbers[i])) continue;
        if (!(st = sp_h5_get_real(f, "/", numbers[i], &number)))
            sp_runlog_number(log, numbers[i], number);
    }
    return st;
}

static sp_status read_score(sp_runlog *log, sp_h5 *f, const char *group, const char *metric) {
    sp_column value = {0};
    char *folder = group ? sp_format("/test/%s", group) : sp_strdup("/test");
    sp_status st = read_column(f, folder, metric, &value);
    if (!st && value.len == 1) sp_runlog_test(log, group, metric, value.data[0]);
    free(folder), free(value.data);
    return st;
}

static sp_status read_group(sp_runlog *log, sp_h5 *f, const char *group) {
    sp_strings names = {0};
    char *path = sp_format("/test/%s", group);
    sp_status st = sp_h5_members(f, path, &names);
    for (size_t i = 0; !st && i < names.len; i++)
        if (strcmp(names.data[i], "predictions") != 0)
            st = read_score(log, f, group, names.data[i]);
    sp_strings_free(&names);
    free(path);
    return st;
}

static sp_status read_tests(sp_runlog *log, sp_h5 *f) {
    sp_strings names = {0};
    if (!sp_h5_exists(f, "/test")) return SP_OK;
    sp_status st = sp_h5_members(f, "/test", &names);
    for (size_t i = 0; !st && i < names.len; i++) {
        if (strcmp(names.data[i], "predictions") == 0) continue;
        char *path = sp_format("/test/%s", names.data[i]);
        st = sp_h5_is_group(f, path) ? read_group(log, f, names.data[i])
                                     : read_score(log, f, NULL, names.data[i]);
        free(path);
    }
    sp_strings_free(&names);
    return st;
}

static sp_status check_schema(const sp_runlog *log, const char *path) {
    const char *schema = sp_runlog_get_text(log, "schema");
    if (schema && strcmp(schema, "softprompt-run/1") == 0) return SP_OK;
    return sp_fail(SP_ERR_FORMAT,
                   "%s: is not a run log of this program (schema '%s'); move it away", path,
                   schema ? schema : "none");
}

sp_status sp_runlog_read(const char *path, sp_runlog *out) {
    *out = (sp_runlog){0};
    sp_h5 *f;
    sp_status st = sp_h5_open(path, &f);
    if (st) return st;
    st = read_attributes(out, f);
    if (!st) st = check_schema(out, path);
    if (!st) st = sp_runlog_load_series(out, f, "/");
    if (!st) st = read_tests(out, f);
    sp_h5_close(f);
    if (st) sp_runlog_free(out);
    return st;
}

void sp_runlog_free(sp_runlog *log) {
    for (int i = 0; i < SP_TRAIN_COLUMNS; i++) free(log->train[i].data);
    free_dev(log);
    sp_strings_free(&log->test_names);
    free(log->test.data);
    sp_strings_free(&log->inputs);
    sp_strings_free(&log->hypotheses);
    sp_strings_free(&log->references);
    for (size_t i = 0; i < log->transfer_count; i++) {
        sp_transfer_log *t = &log->transfers[i];
        free(t->set), sp_strings_free(&t->inputs);
        sp_strings_free(&t->hypotheses), sp_strings_free(&t->references);
    }
    free(log->transfers);
    for (size_t i = 0; i < log->attribute_count; i++)
        free(log->attributes[i].name), free(log->attributes[i].text);
    free(log->attributes);
    *log = (sp_runlog){0};
}
