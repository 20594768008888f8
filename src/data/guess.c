#include "data/guess.h"

#include "core/file.h"

#include <ctype.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { SYNONYMS = 16 };

/* The first that a file has counts. A label as text comes before its number. */
static const char *const synonyms[SP_FIELDS][SYNONYMS] = {
    [SP_FIELD_INPUT] = {"input", "inputs", "source", "src", "question", "prompt", "instruction",
                        "query", "document", "article", "dialogue", "meaning_representation",
                        "text", "context"},
    [SP_FIELD_TARGET] = {"target", "targets", "output", "outputs", "response", "completion",
                         "answer", "summary", "highlights", "human_reference", "tgt"},
    [SP_FIELD_REFERENCES] = {"references", "refs"},
    [SP_FIELD_TEXT] = {"text", "sentence", "content", "review", "comment", "tweet", "utterance",
                       "question", "document", "title"},
    [SP_FIELD_LABEL] = {"label_text", "label", "labels", "class", "sentiment", "intent", "topic"},
    [SP_FIELD_TOKENS] = {"tokens", "words"},
    [SP_FIELD_TAGS] = {"tags", "ner_tags", "pos_tags", "ner", "labels"},
    [SP_FIELD_CATEGORY] = {"category"},
    [SP_FIELD_GROUP] = {"group"},
};

/* Two texts that are judged together. */
static const char *const pairs[][2] = {
    {"text_a", "text_b"},       {"sentence1", "sentence2"}, {"premise", "hypothesis"},
    {"question1", "question2"}, {"question", "sentence"},   {"question", "passage"},
    {"query", "passage"},
};

/* What a file has: all its fields, and those whose value is a list. */
typedef struct names {
    sp_strings *all;
    sp_strings lists;
} names;

/* No field of a file is called so. */
static const char nothing[] = "\n";

/* NULL if there is none. */
static const char *find_column(const sp_strings *columns, const char *name) {
    for (size_t i = 0; i < columns->len; i++)
        if (strcasecmp(columns->data[i], name) == 0) return columns->data[i];
    return NULL;
}

static const char *find_field(const sp_strings *columns, sp_field field) {
    const char *found = NULL;
    for (int i = 0; !found && i < SYNONYMS && synonyms[field][i]; i++)
        found = find_column(columns, synonyms[field][i]);
    return found;
}

/* ---- the names of a file ---- */

static size_t line_length(const char *text, size_t len) {
    const char *newline = memchr(text, '\n', len);
    return newline ? (size_t)(newline - text) : len;
}

static bool is_blank(const char *text, size_t len) {
    for (size_t i = 0; i < len; i++)
        if (!isspace((unsigned char)text[i])) return false;
    return true;
}

/* Keys of an object whose values are there. */
static sp_status read_keys(const char *text, size_t len, sp_place at, names *out) {
    json_error_t error;
    json_t *line = json_loadb(text, len, 0, &error);
    if (!json_is_object(line)) {
        json_decref(line);
        return sp_fail(SP_ERR_FORMAT, "%s:%zu: is not a JSON object; write one a line", at.file,
                       at.line);
    }
    const char *key;
    json_t *value;
    json_object_foreach(line, key, value) {
        if (!json_is_null(value)) sp_strings_push(out->all, key);
        if (json_is_array(value)) sp_strings_push(&out->lists, key);
    }
    json_decref(line);
    return SP_OK;
}

/* A header with commas inside a name is beyond a guess; its reader will tell. */
static void read_header(const char *text, size_t len, char separator, sp_strings *columns) {
    while (len && (text[len - 1] == '\r' || text[len - 1] == '\n')) len--;
    for (size_t start = 0; start <= len;) {
        const char *end = memchr(text + start, separator, len - start);
        size_t stop = end ? (size_t)(end - text) : len;
        bool quoted =
            separator == ',' && stop >= start + 2 && text[start] == '"' && text[stop - 1] == '"';
        sp_strings_take(columns, sp_strndup(text + start + quoted, stop - start - 2 * quoted));
        start = stop + 1;
    }
}

static sp_status read_names(const char *text, size_t len, const char *file, const char *reader,
                            names *out) {
    sp_place at = {file, 1};
    size_t start = sp_text_start(text, len), length = line_length(text + start, len - start);
    while (start < len && is_blank(text + start, length)) {
        start += length + 1 < len - start ? length + 1 : len - start;
        length = line_length(text + start, len - start);
        at.line++;
    }
    if (start >= len)
        return sp_fail(SP_ERR_DATA, "%s: has no examples; give a file with some", file);
    if (strcmp(reader, "jsonl") == 0) return read_keys(text + start, length, at, out);
    read_header(text + start, length, strcmp(reader, "csv") == 0 ? ',' : '\t', out->all);
    return SP_OK;
}

/* ---- what they are for ---- */

/* A field that the file has, but that is not to be read. */
static void leave_alone(const names *n, sp_schema *schema, sp_field field) {
    if (find_column(n->all, schema->names[field])) schema->names[field] = nothing;
}

/* Of a target and references the latter, of which a target usually is one. */
static bool guess_generation(const names *n, sp_schema *schema) {
    const char *input = find_field(n->all, SP_FIELD_INPUT);
    const char *target = find_field(n->all, SP_FIELD_TARGET);
    const char *references = find_field(n->all, SP_FIELD_REFERENCES);
    if (!references && target && find_column(&n->lists, target)) references = target;
    if (!input || !(target || references)) return false;
    if (references)
        leave_alone(n, schema, SP_FIELD_TARGET);
    else
        schema->names[SP_FIELD_TARGET] = target;
    if (references) schema->names[SP_FIELD_REFERENCES] = references;
    schema->names[SP_FIELD_INPUT] = input;
    schema->kind = SP_SET_GENERATION;
    return true;
}

static bool guess_pair(const names *n, sp_schema *schema) {
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        const char *a = find_column(n->all, pairs[i][0]), *b = find_column(n->all, pairs[i][1]);
        if (!a || !b) continue;
        leave_alone(n, schema, SP_FIELD_TEXT);
        schema->names[SP_FIELD_TEXT_A] = a, schema->names[SP_FIELD_TEXT_B] = b;
        return true;
    }
    return false;
}

static bool guess_classification(const names *n, sp_schema *schema) {
    const char *label = find_field(n->all, SP_FIELD_LABEL);
    const char *text = find_field(n->all, SP_FIELD_TEXT);
    if (!label) return false;
    bool pair = guess_pair(n, schema);
    if (!pair && !text) return false;
    if (!pair) {
        schema->names[SP_FIELD_TEXT] = text;
        leave_alone(n, schema, SP_FIELD_TEXT_A);
        leave_alone(n, schema, SP_FIELD_TEXT_B);
    }
    schema->names[SP_FIELD_LABEL] = label;
    schema->kind = SP_SET_CLASSIFICATION;
    return true;
}

static bool guess_tagging(const names *n, sp_schema *schema) {
    const char *tokens = find_field(n->all, SP_FIELD_TOKENS);
    const char *tags = find_field(n->all, SP_FIELD_TAGS);
    if (!tokens || !tags) return false;
    schema->names[SP_FIELD_TOKENS] = tokens, schema->names[SP_FIELD_TAGS] = tags;
    schema->kind = SP_SET_TAGGING;
    return true;
}

/* What a file of ours says by its own names comes first; "answer" beside a label is a class. */
static bool guess_any(const names *n, sp_schema *schema) {
    bool own = find_column(n->all, "target") || find_column(n->all, "references");
    if (own && guess_generation(n, schema)) return true;
    return guess_tagging(n, schema) || guess_classification(n, schema) ||
           guess_generation(n, schema);
}

static sp_status fail_unclear(const char *file, const sp_strings *columns) {
    char *list = sp_list_text((const char *const *)columns->data, columns->len);
    sp_status st = sp_fail(SP_ERR_FORMAT,
                           "%s:1: its fields are %s; rename them to text and label, input and "
                           "target, or tokens and tags",
                           file, list);
    free(list);
    return st;
}

sp_status sp_guess_fields(const char *text, size_t len, const char *file, const char *reader,
                          const char *task, sp_schema *schema, sp_strings *columns) {
    static const char *const tasks[] = {"generation", "classification", "tagging", NULL};
    bool (*const guesses[])(const names *, sp_schema *) = {guess_generation, guess_classification,
                                                           guess_tagging, guess_any};
    int which = 0;
    while (task && tasks[which] && strcmp(tasks[which], task) != 0) which++;
    if (!task) which = 3;
    if (task && !tasks[which])
        return sp_fail(SP_ERR_USAGE, "--task is '%s'%s; use generation, classification or tagging",
                       task, sp_did_you_mean(task, tasks));
    names n = {.all = columns};
    sp_status st = read_names(text, len, file, reader, &n);
    if (!st && !guesses[which](&n, schema)) st = fail_unclear(file, columns);
    if (!st) schema->labels->tags = schema->kind == SP_SET_TAGGING;
    sp_strings_free(&n.lists);
    return st;
}

char *sp_guess_text(const sp_schema *schema, const sp_strings *columns) {
    sp_schema own = sp_schema_default(NULL);
    sp_buf used = {0}, others = {0};
    for (size_t i = 0; i < columns->len; i++) {
        int field = 0;
        while (field < SP_FIELDS && !(sp_schema_uses(schema, (sp_field)field) &&
                                      strcmp(schema->names[field], columns->data[i]) == 0))
            field++;
        sp_buf *list = field < SP_FIELDS ? &used : &others;
        sp_buf_puts(list, list->len ? ", " : "");
        if (field < SP_FIELDS && strcmp(own.names[field], columns->data[i]) != 0)
            sp_buf_printf(list, "%s from '%s'", own.names[field], columns->data[i]);
        else
            sp_buf_puts(list, columns->data[i]);
    }
    if (others.len) sp_buf_printf(&used, "; left alone: %s", others.data);
    sp_buf_free(&others);
    return sp_buf_take(&used);
}
