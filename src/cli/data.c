/* softprompt data: prints the examples of a split, or the classes of a classification set. */
#include "cli/command.h"
#include "cli/number.h"
#include "data/dataset.h"

#include <argp.h>
#include <jansson.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>

typedef enum form { USUAL, JSON, TEXT, CLASSES } form;

typedef struct arguments {
    const char *name, *split;
    int limit; /* -1: all, or SHOWN a class */
    form form;
} arguments;

enum { SHOWN = 3 };

static const struct argp_option options[] = {
    {"split", 's', "SPLIT", 0, "train, dev or test (default train)", 0},
    {"limit", 'n', "N", 0, "print the first N examples only (default all; of each class: 3)", 0},
    {"json", 'j', NULL, 0, "JSON lines (the default, but for classification)", 0},
    {"text", 't', NULL, 0, "for reading: input, then each reference or the label indented", 0},
    {0},
};

static error_t parse_option(int key, char *value, struct argp_state *state) {
    arguments *a = state->input;
    switch (key) {
    case 's':
        a->split = value;
        return 0;
    case 'j':
        a->form = JSON;
        return 0;
    case 't':
        a->form = TEXT;
        return 0;
    case 'n':
        a->limit = sp_argument_number(value, "limit", 0, INT_MAX, state);
        return 0;
    case ARGP_KEY_ARG:
        if (a->name) argp_error(state, "one data set at a time; '%s' is too much", value);
        a->name = value;
        return 0;
    case ARGP_KEY_END:
        if (!a->name) argp_error(state, "name a data set, as wntriples");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp parser = {
    .options = options,
    .parser = parse_option,
    .args_doc = "NAME",
    .doc =
        "Prints the examples of a data set as JSON lines {input, references, category, group}, or "
        "{text, label, category, group} with --json for a classification set. Without --json, a "
        "classification set is shown by its classes: their words, how many examples each has, and "
        "the first of them.\n"
        "NAME is a card in datasets/ (wntriples, wntopic, wnentail, webnlg), or the path of a card "
        "(.yaml) or of a .jsonl, .csv or .tsv file."};

/* What is printed: a split and, for a classification set, its labels. */
typedef struct contents {
    sp_split split;
    const sp_label *labels;
    size_t label_count; /* 0: generation */
} contents;

static json_t *json_of_record(const sp_example *e) {
    json_t *references = json_array();
    for (size_t i = 0; i < e->references.len; i++)
        json_array_append_new(references, json_string(e->references.data[i]));
    return json_pack("{s:s, s:o, s:s, s:s}", "input", e->input, "references", references,
                     "category", e->category, "group", e->group);
}

static json_t *json_of_classified(const sp_example *e, const sp_label *labels) {
    return json_pack("{s:s, s:s, s:s, s:s}", "text", e->input, "label", labels[e->label].name,
                     "category", e->category, "group", e->group);
}

static void print_json(const contents *c, const sp_example *e) {
    json_t *line = c->label_count ? json_of_classified(e, c->labels) : json_of_record(e);
    json_dumpf(line, stdout, JSON_PRESERVE_ORDER | JSON_COMPACT);
    putchar('\n');
    json_decref(line);
}

/* `text` with its further lines below its first. */
static void print_indented(const char *text, int indent) {
    printf("%*s", indent, "");
    for (const char *p = text; *p; p++) {
        putchar(*p);
        if (*p == '\n') printf("%*s", indent, "");
    }
    putchar('\n');
}

static void print_text(const contents *c, const sp_example *e) {
    printf("%s", e->input);
    if (*e->category) printf("  [%s%s%s]", e->category, *e->group ? ", " : "", e->group);
    putchar('\n');
    for (size_t i = 0; i < e->references.len && !c->label_count; i++)
        printf("    %s\n", e->references.data[i]);
    if (c->label_count) printf("    %s\n", c->labels[e->label].name);
}

static size_t count_label(const sp_split *split, int label) {
    size_t count = 0;
    for (size_t i = 0; i < split->count; i++) count += split->items[i].label == label;
    return count;
}

/* "artifact: 800 examples, said " object", " tool"" and the first `shown` of them. */
static void print_class(const contents *c, int label, int shown) {
    const sp_label *l = &c->labels[label];
    size_t count = count_label(&c->split, label);
    printf("%s: %zu example%s, said", l->name, count, count == 1 ? "" : "s");
    for (size_t i = 0; i < l->words.len; i++) printf("%s \"%s\"", i ? "," : "", l->words.data[i]);
    putchar('\n');
    for (size_t i = 0; i < c->split.count && shown > 0; i++) {
        if (c->split.items[i].label != label) continue;
        print_indented(c->split.items[i].input, 4);
        shown--;
    }
}

static void print_classes(const contents *c, const arguments *a) {
    printf("%s: %zu examples in %zu classes\n", a->split, c->split.count, c->label_count);
    for (size_t i = 0; i < c->label_count; i++)
        print_class(c, (int)i, a->limit < 0 ? SHOWN : a->limit);
}

static void print_contents(const contents *c, const arguments *a) {
    form shown = a->form == USUAL ? c->label_count ? CLASSES : JSON : a->form;
    if (shown == CLASSES) {
        print_classes(c, a);
        return;
    }
    for (size_t i = 0; i < c->split.count && (a->limit < 0 || i < (size_t)a->limit); i++)
        (shown == JSON ? print_json : print_text)(c, &c->split.items[i]);
}

static sp_status run(int argc, char **argv) {
    arguments a = {.split = "train", .limit = -1};
    argp_parse(&parser, argc, argv, 0, NULL, &a);
    sp_dataset *dataset;
    sp_status st = sp_dataset_open(a.name, &dataset);
    if (st) return st;
    contents c = {0};
    st = sp_dataset_load(dataset, a.split, &c.split);
    if (!st) st = sp_dataset_labels(dataset, &c.labels, &c.label_count);
    if (!st) print_contents(&c, &a);
    sp_split_free(&c.split);
    sp_dataset_free(dataset);
    return st;
}

const sp_command sp_command_data = {
    .name = "data", .help = "print the examples or the classes of a data set", .run = run};
