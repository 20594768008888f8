#include "data/own.h"

#include "core/file.h"
#include "core/random.h"
#include "data/jsonl.h"
#include "data/table.h"

#include <ctype.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

enum { SHARE = 10, FEWEST = 2 * SHARE }; /* dev and test are one of SHARE each */

/* ---- reading ---- */

typedef struct format {
    const char *reader;
    sp_parse_file parse;
    bool header, quotes;
} format;

static const format formats[] = {{"jsonl", sp_parse_jsonl, false, false},
                                 {"csv", sp_parse_csv, true, true},
                                 {"tsv", sp_parse_tsv, true, false}};

static sp_status find_format(const char *file, const format **out) {
    const char *dot = strrchr(file, '.');
    for (size_t i = 0; dot && i < sizeof formats / sizeof *formats; i++)
        if (strcmp(dot + 1, formats[i].reader) == 0) {
            *out = &formats[i];
            return SP_OK;
        }
    return sp_fail(SP_ERR_USAGE,
                   "%s: is neither .jsonl, .csv nor .tsv; convert it, or rename it if "
                   "it is",
                   file);
}

/* Whether a record that has not begun does at `c`, as the readers see it: JSON lines hold more than
 * white space, a carriage return ends a record of CSV, and is part of TSV's line end only. */
static bool begins(const format *f, char c, char next) {
    if (!f->header) return !isspace((unsigned char)c);
    if (f->quotes) return c != '\r' && c != '\n';
    return c != '\n' && !(c == '\r' && (next == '\n' || next == '\0'));
}

/* The line on which each record begins; a quoted field may go over several. */
static void find_lines(const format *f, const char *text, size_t len, sp_ints *out) {
    bool header = f->header, quoted = false, begun = false;
    int line = 1;
    for (size_t i = sp_text_start(text, len); i < len; i++) {
        char c = text[i];
        if (!begun && begins(f, c, i + 1 < len ? text[i + 1] : '\0')) {
            if (!header) sp_ints_push(out, line);
            begun = true, header = false;
        }
        if (f->quotes && c == '"') quoted = !quoted;
        if (!quoted && (c == '\n' || (f->quotes && c == '\r'))) begun = false;
        line += c == '\n';
    }
}

static void learn_fields(sp_own_data *data, const sp_schema *schema, const sp_strings *columns) {
    data->kind = schema->kind;
    data->fields = sp_guess_text(schema, columns);
    data->separator = data->kind == SP_SET_CLASSIFICATION ? "\nLabel:" : "\n";
}

sp_status sp_own_data_add(sp_own_data *data, sp_split_name split, const char *text, size_t len,
                          const char *file, const char *task) {
    const format *f = NULL;
    sp_strings columns = {0};
    sp_schema schema = sp_schema_default(&data->labels);
    sp_split *out = &data->splits[split];
    sp_status st = find_format(file, &f);
    if (!st) st = sp_guess_fields(text, len, file, f->reader, task, &schema, &columns);
    if (!st && split == SP_TRAIN) learn_fields(data, &schema, &columns);
    schema.separator = data->separator;
    if (!st) st = f->parse(text, len, file, &schema, out);
    if (!st && !out->count)
        st = sp_fail(SP_ERR_DATA, "%s: has no examples; give a file with some", file);
    data->files[split] = file;
    if (!st) find_lines(f, text, len, &data->lines[split]);
    if (!st && data->lines[split].len != out->count)
        st = sp_fail(SP_ERR_INTERNAL, "%s: %zu examples, but %zu lines with one", file, out->count,
                     data->lines[split].len);
    sp_strings_free(&columns);
    return st;
}

static sp_status read_split(sp_own_data *data, sp_split_name split, const char *file,
                            const char *task) {
    const format *f;
    sp_buf text = {0};
    sp_status st = find_format(file, &f);
    if (!st) st = sp_read_file(file, &text);
    if (!st) st = sp_own_data_add(data, split, text.data ? text.data : "", text.len, file, task);
    sp_buf_free(&text);
    return st;
}

/* ---- cutting ---- */

typedef struct place_in_split {
    int label;
    size_t place, index; /* in the shuffled order and in the split */
} place_in_split;

static int by_label(const void *a, const void *b) {
    const place_in_split *x = a, *y = b;
    if (x->label != y->label) return x->label < y->label ? -1 : 1;
    return x->place < y->place ? -1 : 1;
}

/* Shuffled, then sorted by label. */
static place_in_split *order_of(const sp_split *split) {
    place_in_split *order = sp_alloc(split->count, sizeof *order);
    sp_rng rng = sp_rng_make(1, "own-data");
    for (size_t i = 0; i < split->count; i++)
        order[i] = (place_in_split){split->items[i].label, 0, i};
    sp_rng_shuffle(&rng, order, split->count, sizeof *order);
    for (size_t i = 0; i < split->count; i++) order[i].place = i;
    qsort(order, split->count, sizeof *order, by_label);
    return order;
}

/* Which split each example of train goes to [count]; owned by the caller. */
static sp_split_name *deal(const sp_own_data *data, bool dev, bool test) {
    const sp_split *all = &data->splits[SP_TRAIN];
    sp_split_name *to = sp_alloc(all->count, sizeof *to);
    place_in_split *order = order_of(all);
    for (size_t i = 0; i < all->count; i++) {
        if (dev && i % SHARE == 3) to[order[i].index] = SP_DEV;
        if (test && i % SHARE == 7) to[order[i].index] = SP_TEST;
    }
    free(order);
    return to;
}

/* Moves the examples where they belong, each split in the order of the file. */
static void cut(sp_own_data *data, const sp_split_name *to) {
    sp_split *train = &data->splits[SP_TRAIN];
    size_t kept = 0;
    for (size_t i = 0; i < train->count; i++) {
        sp_example example = train->items[i];
        int line = data->lines[SP_TRAIN].data[i];
        if (to[i] == SP_TRAIN) {
            data->lines[SP_TRAIN].data[kept] = line;
            train->items[kept++] = example;
            continue;
        }
        *sp_split_add(&data->splits[to[i]]) = example;
        sp_ints_push(&data->lines[to[i]], line);
    }
    train->count = data->lines[SP_TRAIN].len = kept;
}

static sp_status cut_missing(sp_own_data *data) {
    bool dev = !data->splits[SP_DEV].count, test = !data->splits[SP_TEST].count;
    const char *file = data->files[SP_TRAIN];
    size_t count = data->splits[SP_TRAIN].count;
    data->cut = dev || test;
    if (!data->cut) return SP_OK;
    if (count < FEWEST)
        return sp_fail(
            SP_ERR_DATA,
            "%s: has %zu examples, too few to cut off dev and test; give at least %d, or "
            "files of their own (--dev, --test)",
            file, count, FEWEST);
    if (dev) data->files[SP_DEV] = file;
    if (test) data->files[SP_TEST] = file;
    sp_split_name *to = deal(data, dev, test);
    cut(data, to);
    free(to);
    return SP_OK;
}

static sp_status check_labels(const sp_own_data *data) {
    if (data->kind == SP_SET_GENERATION) return SP_OK;
    int only = sp_split_only_label(&data->splits[SP_TRAIN]);
    if (only < 0) return SP_OK;
    return sp_fail(SP_ERR_DATA,
                   "%s:%d: all %zu examples for training from here on have one %s, '%s'; at least "
                   "two are needed",
                   data->files[SP_TRAIN], data->lines[SP_TRAIN].data[0],
                   data->splits[SP_TRAIN].count, data->kind == SP_SET_TAGGING ? "tag" : "label",
                   data->labels.items[only].name);
}

sp_status sp_own_data_read(const char *const files[SP_SPLITS], const char *task, sp_own_data *out) {
    static const char *const tasks[] = {"generation", "classification", "tagging"};
    *out = (sp_own_data){.labels.open = true};
    sp_status st = read_split(out, SP_TRAIN, files[SP_TRAIN], task);
    if (!st) sp_label_set_close(&out->labels, &out->splits[SP_TRAIN]);
    for (int i = SP_DEV; !st && i < SP_SPLITS; i++)
        if (files[i]) st = read_split(out, (sp_split_name)i, files[i], tasks[out->kind]);
    if (!st) st = check_labels(out);
    if (!st) st = cut_missing(out);
    if (!st) st = check_labels(out);
    if (st) sp_own_data_free(out);
    return st;
}

void sp_own_data_free(sp_own_data *data) {
    for (int i = 0; i < SP_SPLITS; i++) {
        sp_split_free(&data->splits[i]);
        sp_ints_free(&data->lines[i]);
    }
    sp_label_set_free(&data->labels);
    free(data->fields);
    *data = (sp_own_data){0};
}

/* ---- writing ---- */

/* A JSON list of the words of a text. */
static json_t *words_of(const char *text) {
    json_t *list = json_array();
    for (text += strspn(text, SP_BLANKS); *text; text += strspn(text, SP_BLANKS)) {
        size_t len = strcspn(text, SP_BLANKS);
        json_array_append_new(list, json_stringn(text, len));
        text += len;
    }
    return list;
}

static json_t *references_of(const sp_example *e) {
    json_t *list = json_array();
    for (size_t i = 0; i < e->references.len; i++)
        json_array_append_new(list, json_string(e->references.data[i]));
    return list;
}

static json_t *object_of(const sp_own_data *data, const sp_example *e) {
    if (data->kind == SP_SET_TAGGING)
        return json_pack("{s:o, s:o}", "tokens", words_of(e->input), "tags",
                         words_of(e->references.data[0]));
    if (data->kind == SP_SET_CLASSIFICATION)
        return json_pack("{s:s, s:s}", "text", e->input, "label",
                         data->labels.items[e->label].name);
    return json_pack("{s:s, s:o}", "input", e->input, "references", references_of(e));
}

static void put_json(json_t *value, size_t flags, sp_buf *out) {
    char *text = json_dumps(value, flags);
    if (!text) sp_panic("a text that was read as UTF-8 is none");
    sp_buf_puts(out, text);
    free(text);
    json_decref(value);
}

void sp_put_quoted(const char *text, sp_buf *out) {
    put_json(json_string(text), JSON_ENCODE_ANY, out);
}

void sp_own_data_jsonl(const sp_own_data *data, sp_split_name split, sp_buf *out) {
    for (size_t i = 0; i < data->splits[split].count; i++) {
        const sp_example *e = &data->splits[split].items[i];
        json_t *line = object_of(data, e);
        if (*e->category) json_object_set_new(line, "category", json_string(e->category));
        if (*e->group) json_object_set_new(line, "group", json_string(e->group));
        put_json(line, JSON_PRESERVE_ORDER, out);
        sp_buf_putc(out, '\n');
    }
}

static void put_labels(const sp_own_data *data, sp_buf *out) {
    bool tags = data->kind == SP_SET_TAGGING;
    sp_buf_puts(out, tags
                         ? "tags:\n"
                         : "# A class and what the model is to say for it: another word, or a list "
                           "of words, may be better.\nlabels:\n");
    for (size_t i = 0; i < data->labels.count; i++) {
        const char *name = data->labels.items[i].name;
        sp_buf_puts(out, tags ? "  - " : "  ");
        sp_put_quoted(name, out);
        if (!tags) sp_buf_puts(out, ": ");
        if (!tags) sp_put_quoted(name, out);
        sp_buf_putc(out, '\n');
    }
}

void sp_own_data_card(const sp_own_data *data, const char *name, sp_buf *out) {
    static const char *const tasks[] = {"generation", "classification", "tagging"};
    sp_buf_puts(out, "# A data set card; docs/formats.md tells its keys. Written by softprompt "
                     "init.\n");
    sp_buf_printf(out, "name: %s\ntask: %s\nreader: jsonl\n", name, tasks[data->kind]);
    sp_buf_puts(out, "# What stands between an input and its answer.\ntemplate: {separator: ");
    sp_put_quoted(data->separator, out);
    sp_buf_puts(out, "}\n");
    if (data->kind != SP_SET_GENERATION) put_labels(data, out);
    sp_buf_puts(out, "splits: {train: train.jsonl, dev: dev.jsonl, test: test.jsonl}\nsource: ");
    sp_put_quoted(data->files[SP_TRAIN], out);
    sp_buf_puts(out, "\nnotes: ");
    char *notes = sp_format("fields: %s; %zu, %zu, %zu examples%s", data->fields,
                            data->splits[SP_TRAIN].count, data->splits[SP_DEV].count,
                            data->splits[SP_TEST].count,
                            data->cut ? ", of one file shuffled and cut label by label" : "");
    sp_put_quoted(notes, out);
    sp_buf_putc(out, '\n');
    free(notes);
}
