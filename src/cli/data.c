/* softprompt data: prints the examples of a split as JSON lines. */
#include "cli/command.h"
#include "cli/number.h"
#include "data/dataset.h"

#include <argp.h>
#include <jansson.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>

typedef struct arguments {
    const char *name, *split;
    int limit; /* -1: all */
    bool json;
} arguments;

static const struct argp_option options[] = {
    {"split", 's', "SPLIT", 0, "train, dev or test (default train)", 0},
    {"limit", 'n', "N", 0, "print the first N examples only", 0},
    {"json", 'j', NULL, 0, "JSON lines (the default)", 0},
    {"text", 't', NULL, 0, "for reading: input, then each reference indented", 0},
    {0},
};

static error_t parse_option(int key, char *value, struct argp_state *state) {
    arguments *a = state->input;
    switch (key) {
    case 's':
        a->split = value;
        return 0;
    case 'j':
        a->json = true;
        return 0;
    case 't':
        a->json = false;
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
    .doc = "Prints the examples of a data set as JSON lines {input, references, category, group}.\n"
           "NAME is a card in datasets/ (wntriples, webnlg), or the path of a card (.yaml) or of a "
           ".jsonl file."};

static void print_json(const sp_example *e) {
    json_t *references = json_array();
    for (size_t i = 0; i < e->references.len; i++)
        json_array_append_new(references, json_string(e->references.data[i]));
    json_t *line = json_pack("{s:s, s:o, s:s, s:s}", "input", e->input, "references", references,
                             "category", e->category, "group", e->group);
    json_dumpf(line, stdout, JSON_PRESERVE_ORDER | JSON_COMPACT);
    putchar('\n');
    json_decref(line);
}

static void print_text(const sp_example *e) {
    printf("%s", e->input);
    if (*e->category) printf("  [%s%s%s]", e->category, *e->group ? ", " : "", e->group);
    putchar('\n');
    for (size_t i = 0; i < e->references.len; i++) printf("    %s\n", e->references.data[i]);
}

static sp_status run(int argc, char **argv) {
    arguments a = {.split = "train", .limit = -1, .json = true};
    argp_parse(&parser, argc, argv, 0, NULL, &a);
    sp_dataset *dataset;
    sp_status st = sp_dataset_open(a.name, &dataset);
    if (st) return st;
    sp_split split = {0};
    st = sp_dataset_load(dataset, a.split, &split);
    for (size_t i = 0; !st && i < split.count && (a.limit < 0 || i < (size_t)a.limit); i++)
        (a.json ? print_json : print_text)(&split.items[i]);
    sp_split_free(&split);
    sp_dataset_free(dataset);
    return st;
}

const sp_command sp_command_data = {
    .name = "data", .help = "print the examples of a data set as JSON lines", .run = run};
