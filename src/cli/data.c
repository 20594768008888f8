/* softprompt data: prints the examples of a split, or the classes or entities of a labelled set. */
#include "cli/command.h"
#include "cli/json.h"
#include "cli/number.h"
#include "data/dataset.h"

#include <argp.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

typedef enum form { USUAL, JSON, TEXT, SUMMARY } form;

typedef struct arguments {
    const char *name, *split;
    int limit; /* -1: all, or SHOWN a class */
    form form;
} arguments;

enum { SHOWN = 3 };

static const struct argp_option options[] = {
    {"split", 's', "SPLIT", 0, "train, dev or test (default train)", 0},
    {"limit", 'n', "N", 0,
     "print the first N examples only (default all; of each class, or of tagged ones: 3)", 0},
    {"json", 'j', NULL, 0, "JSON lines (the default, but for classification and tagging)", 0},
    {"text", 't', NULL, 0,
     "for reading: input, then each reference or the label indented; of a tagging set, the words "
     "with [entities: type]",
     0},
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
        "Prints the examples of a data set as JSON lines {input, references, category, group}; "
        "with --json {text, label, category, group} for a classification set and {tokens, tags, "
        "category, group} for a tagging set. Without --json, a classification set is shown by its "
        "classes: their words, how many examples each has, and the first of them; a tagging set by "
        "its types of entities, and the first examples.\n"
        "NAME is a card in datasets/ (wntriples, wntopic, wnentail, wnslots, webnlg), or the path "
        "of a card "
        "(.yaml) or of a .jsonl, .csv or .tsv file."};

/* What is printed: a split and, for a classification or tagging set, its labels. */
typedef struct contents {
    sp_split split;
    const sp_label *labels;
    size_t label_count; /* 0: generation */
    bool tagged;
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

/* The next of words that one space separates; NULL after the last. */
static const char *next_word(const char **text, size_t *len) {
    if (!**text) return NULL;
    const char *word = *text;
    *len = strcspn(word, " ");
    *text = word + *len + (word[*len] == ' ');
    return word;
}

static json_t *json_of_tagged(const sp_example *e, const sp_label *labels) {
    json_t *tokens = json_array(), *tags = json_array();
    const char *rest = e->input, *word;
    size_t len;
    while ((word = next_word(&rest, &len))) json_array_append_new(tokens, json_stringn(word, len));
    for (size_t i = 0; i < e->tags.len; i++)
        json_array_append_new(tags, json_string(labels[e->tags.data[i]].name));
    return json_pack("{s:o, s:o, s:s, s:s}", "tokens", tokens, "tags", tags, "category",
                     e->category, "group", e->group);
}

static void print_json(const contents *c, const sp_example *e) {
    json_t *line = c->tagged        ? json_of_tagged(e, c->labels)
                   : c->label_count ? json_of_classified(e, c->labels)
                                    : json_of_record(e);
    sp_print_json(line, JSON_PRESERVE_ORDER | JSON_COMPACT);
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

static const char *tag_of(const contents *c, const sp_example *e, size_t word) {
    return word < e->tags.len ? c->labels[e->tags.data[word]].name : "O";
}

/* Whether word i and the word before it are of one entity. */
static bool goes_on(const contents *c, const sp_example *e, size_t i) {
    const char *tag = tag_of(c, e, i), *before = tag_of(c, e, i - 1);
    return *tag == 'I' && *before != 'O' && strcmp(tag + 2, before + 2) == 0;
}

/* "A [sparrow: name] is a kind of [bird of prey: class] ." */
static void print_entities(const contents *c, const sp_example *e) {
    const char *rest = e->input, *word;
    size_t len;
    for (size_t i = 0; (word = next_word(&rest, &len)); i++) {
        bool entity = *tag_of(c, e, i) != 'O', first = i == 0 || !goes_on(c, e, i);
        printf("%s%s%.*s", i ? " " : "", entity && first ? "[" : "", (int)len, word);
        if (entity && !goes_on(c, e, i + 1)) printf(": %s]", tag_of(c, e, i) + 2);
    }
}

static void print_text(const contents *c, const sp_example *e) {
    if (c->tagged)
        print_entities(c, e);
    else
        printf("%s", e->input);
    if (*e->category) printf("  [%s%s%s]", e->category, *e->group ? ", " : "", e->group);
    putchar('\n');
    for (size_t i = 0; i < e->references.len && !c->label_count; i++)
        printf("    %s\n", e->references.data[i]);
    if (c->label_count && !c->tagged) printf("    %s\n", c->labels[e->label].name);
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

/* How many entities have the type of a B- tag. */
static size_t count_entities(const contents *c, int tag) {
    const char *type = c->labels[tag].name + 2;
    size_t count = 0;
    for (size_t i = 0; i < c->split.count; i++) {
        const sp_example *e = &c->split.items[i];
        for (size_t k = 0; k < e->tags.len; k++) {
            const char *name = tag_of(c, e, k);
            bool first = *name != 'O' && (k == 0 || !goes_on(c, e, k));
            count += first && strcmp(name + 2, type) == 0;
        }
    }
    return count;
}

static void print_tagging(const contents *c, const arguments *a) {
    size_t words = 0, shown = a->limit < 0 ? SHOWN : (size_t)a->limit;
    for (size_t i = 0; i < c->split.count; i++) words += c->split.items[i].tags.len;
    printf("%s: %zu examples of %zu words\n", a->split, c->split.count, words);
    for (size_t i = 0; i < c->label_count; i++)
        if (*c->labels[i].name == 'B')
            printf("%s: %zu entities\n", c->labels[i].name + 2, count_entities(c, (int)i));
    for (size_t i = 0; i < c->split.count && i < shown; i++) {
        printf("    ");
        print_text(c, &c->split.items[i]);
    }
}

static void print_contents(const contents *c, const arguments *a) {
    form shown = a->form == USUAL ? c->label_count ? SUMMARY : JSON : a->form;
    if (shown == SUMMARY) {
        (c->tagged ? print_tagging : print_classes)(c, a);
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
    if (!st) c.tagged = sp_dataset_is_tagged(dataset);
    if (!st) print_contents(&c, &a);
    sp_split_free(&c.split);
    sp_dataset_free(dataset);
    return st;
}

const sp_command sp_command_data = {
    .name = "data", .help = "print the examples or the classes of a data set", .run = run};
