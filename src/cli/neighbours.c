/* softprompt neighbours: the vocabulary tokens nearest to a run's virtual tokens (Prompt Tuning,
 * section 7). */
#include "cli/command.h"
#include "cli/json.h"
#include "cli/number.h"
#include "cli/steered.h"
#include "model/files.h"
#include "report/persistence.h"

#include <argp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef enum form { TABLE, JSON, CSV } form;

typedef struct arguments {
    const char *path, *model;
    int top;
    form form;
} arguments;

enum { MOST = 1000 };

static const struct argp_option options[] = {
    {"top", 'k', "K", 0, "neighbours of each virtual token (default 5)", 0},
    {"model", 'm', "NAME", 0, "a folder, a .gguf file or a name (default: that of the run)", 0},
    {"json", 'j', NULL, 0, "one JSON object with all numbers", 0},
    {"csv", 'c', NULL, 0, "lines token,rank,id,text,cosine", 0},
    {0}};

static error_t parse(int key, char *value, struct argp_state *state) {
    arguments *a = state->input;
    switch (key) {
    case 'k':
        a->top = sp_argument_number(value, "top", 1, MOST, state);
        return 0;
    case 'm':
        a->model = value;
        return 0;
    case 'j':
        a->form = JSON;
        return 0;
    case 'c':
        a->form = CSV;
        return 0;
    case ARGP_KEY_ARG:
        if (a->path) argp_error(state, "one run at a time; '%s' is too much", value);
        a->path = value;
        return 0;
    case ARGP_KEY_END:
        if (!a->path) argp_error(state, "name the file of a run, as results/init/runs/ID.h5");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp parser = {
    .options = options,
    .parser = parse,
    .args_doc = "RUN.h5",
    .doc =
        "Prints, for each virtual token of a run of prompt or p-tuning, the vocabulary tokens "
        "with the largest cosine in the frozen model's input embedding. Then: how many different "
        "tokens are nearest; how many virtual tokens have word variants (two tokens of one form: "
        "case folded, then stemmed) among their 5 nearest, beside the share if these were drawn "
        "from the vocabulary; and for a classification set, how many words of the classes are "
        "among the K nearest of any virtual token, beside the share of the vocabulary that is, "
        "and the best rank of each word."};

/* ---- what is printed ---- */

/* Start from {0}; release with close_view. */
typedef struct view {
    const arguments *arguments;
    char *model_name, *method, *init;
    sp_model *model;
    sp_tokenizer *tokenizer;
    sp_dataset *dataset;
    sp_neighbours neighbours;
    sp_clusters clusters;
    sp_persistence words; /* none for a set without classes */
} view;

static void close_view(view *v) {
    sp_persistence_free(&v->words);
    sp_neighbours_free(&v->neighbours);
    sp_dataset_free(v->dataset);
    sp_tokenizer_free(v->tokenizer);
    sp_model_free(v->model);
    free(v->model_name), free(v->method), free(v->init);
}

static sp_status open_model(sp_h5 *file, view *v) {
    sp_digest hash;
    sp_status st = SP_OK;
    if (v->arguments->model)
        v->model_name = sp_strdup(v->arguments->model);
    else
        st = sp_h5_get_text(file, "/", "model", &v->model_name);
    if (!st) st = sp_model_hash(v->model_name, &hash);
    if (!st) st = sp_adapter_check_model(file, v->model_name, &hash);
    if (!st) st = sp_model_open(v->model_name, SP_PRECISION_FP32, &v->model);
    return st ? st : sp_model_open_tokenizer(v->model_name, v->model, &v->tokenizer);
}

static sp_status find_neighbours(sp_h5 *file, view *v) {
    int top = v->arguments->top, wanted = top < SP_NEIGHBOUR_CLUSTER ? SP_NEIGHBOUR_CLUSTER : top;
    sp_var rows;
    sp_neighbours wide;
    sp_status st = sp_virtual_rows_read(file, v->model, &rows);
    if (st) return st;
    long vocabulary = sp_tokenizer_size(v->tokenizer);
    sp_neighbours_find(&rows, v->model->embedding, vocabulary, wanted, &wide);
    v->clusters = sp_neighbours_clusters(&wide, v->tokenizer);
    sp_neighbours_free(&wide);
    sp_neighbours_find(&rows, v->model->embedding, vocabulary, top, &v->neighbours);
    sp_leaf_free(&rows);
    return SP_OK;
}

/* method.init of the run's settings; an imported adapter has none. */
static sp_status read_init(sp_h5 *file, view *v) {
    char *text = NULL;
    sp_yaml *settings = NULL;
    if (!sp_h5_has_attribute(file, "/", "spec")) return SP_OK;
    sp_status st = sp_h5_get_text(file, "/", "spec", &text);
    if (!st) st = sp_yaml_parse(text, strlen(text), sp_h5_path(file), &settings);
    const sp_yaml *init = st ? NULL : sp_yaml_get(sp_yaml_get(settings, "method"), "init");
    if (init && init->kind == SP_YAML_SCALAR) v->init = sp_strdup(init->text);
    sp_yaml_free(settings);
    free(text);
    return st;
}

/* The classes of the data set that the run names; an imported adapter names none. */
static sp_status find_words(sp_h5 *file, view *v) {
    const sp_label *labels;
    size_t count = 0;
    char *name = NULL;
    if (!sp_h5_has_attribute(file, "/", "dataset")) return SP_OK;
    sp_status st = sp_h5_get_text(file, "/", "dataset", &name);
    if (!st) st = sp_dataset_open(name, &v->dataset);
    if (!st) st = sp_dataset_labels(v->dataset, &labels, &count);
    if (!st && count && !sp_dataset_is_tagged(v->dataset))
        st = sp_persistence_measure(&v->neighbours, v->tokenizer, labels, count, &v->words);
    free(name);
    return st;
}

static sp_status open_view(const arguments *a, view *v) {
    *v = (view){.arguments = a};
    sp_h5 *file;
    sp_status st = sp_adapter_open(a->path, a->model, &file);
    if (!st) st = sp_h5_get_text(file, "/", "method", &v->method);
    if (!st) st = open_model(file, v);
    if (!st) st = find_neighbours(file, v);
    if (!st) st = read_init(file, v);
    if (!st) st = find_words(file, v);
    sp_h5_close(file);
    return st;
}

/* The text that a token stands for, as it is in a text: with its blank; the caller's. */
static char *token_text(const view *v, int token) {
    sp_buf text = {0};
    sp_tokenizer_decode(v->tokenizer, &token, 1, false, &text);
    json_t *utf8 = json_stringn(text.data ? text.data : "", text.len);
    bool plain = utf8 && text.len;
    json_decref(utf8);
    if (plain) return sp_buf_take(&text);
    sp_buf_free(&text);
    return sp_strdup(sp_tokenizer_token(v->tokenizer, token)); /* a part of a character */
}

/* ---- for people ---- */

/* Between quotes, ends of line and the like as escapes. */
static void print_quoted(const char *text) {
    json_t *string = json_string(text);
    char *quoted = json_dumps(string, JSON_ENCODE_ANY);
    fputs(quoted ? quoted : "\"?\"", stdout);
    free(quoted);
    json_decref(string);
}

static void print_words(const view *v) {
    const sp_persistence *p = &v->words;
    printf("\nClass words among the %d nearest of any virtual token: %zu of %zu; of words drawn "
           "from the vocabulary: %.2f\n",
           v->neighbours.top, p->found, p->count, p->chance);
    for (size_t i = 0; i < p->count; i++) {
        const sp_class_word *w = &p->words[i];
        printf("  %-16s ", w->label);
        print_quoted(w->word);
        printf("  rank %ld at token %ld, cosine %.3f\n", w->rank, w->row + 1, (double)w->cosine);
    }
}

static void print_table(const view *v) {
    const sp_neighbours *n = &v->neighbours;
    printf("%ld virtual tokens of %s%s%s on %s, %ld tokens in the vocabulary\n\n", n->count,
           v->method, v->init ? ", init " : "", v->init ? v->init : "", v->model_name,
           n->vocabulary);
    for (long r = 0; r < n->count; r++) {
        printf("%4ld ", r + 1);
        for (int k = 0; k < n->top; k++) {
            const sp_neighbour *one = &n->nearest[r * n->top + k];
            char *text = token_text(v, one->token);
            putchar(' ');
            print_quoted(text);
            printf(" %.3f%s", (double)one->cosine, k + 1 < n->top ? "," : "\n");
            free(text);
        }
    }
    printf("\nDifferent nearest tokens: %ld of %ld\n", v->clusters.distinct, n->count);
    printf("With word variants among the %d nearest: %ld of %ld (%.1f %%; drawn from the "
           "vocabulary: %.1f %%)\n",
           SP_NEIGHBOUR_CLUSTER, v->clusters.clustered, n->count,
           100 * (double)v->clusters.clustered / (double)n->count, 100 * v->clusters.chance);
    if (v->words.count) print_words(v);
}

/* ---- for programs ---- */

static json_t *json_neighbours(const view *v, long r) {
    const sp_neighbours *n = &v->neighbours;
    json_t *list = json_array();
    for (int k = 0; k < n->top; k++) {
        const sp_neighbour *one = &n->nearest[r * n->top + k];
        char *text = token_text(v, one->token);
        json_array_append_new(list, json_pack("{s:i, s:s?, s:f}", "id", one->token, "text", text,
                                              "cosine", (double)one->cosine));
        free(text);
    }
    return list;
}

static json_t *json_words(const view *v) {
    json_t *list = json_array();
    for (size_t i = 0; i < v->words.count; i++) {
        const sp_class_word *w = &v->words.words[i];
        json_array_append_new(list, json_pack("{s:s, s:s, s:I, s:I, s:f, s:b}", "label", w->label,
                                              "word", w->word, "rank", (json_int_t)w->rank, "token",
                                              (json_int_t)(w->row + 1), "cosine", (double)w->cosine,
                                              "found", w->found));
    }
    return json_pack("{s:I, s:I, s:f, s:o}", "found", (json_int_t)v->words.found, "count",
                     (json_int_t)v->words.count, "expected_by_chance", v->words.chance, "words",
                     list);
}

static void print_json(const view *v) {
    const sp_neighbours *n = &v->neighbours;
    json_t *tokens = json_array(), *root = json_object();
    for (long r = 0; r < n->count; r++) json_array_append_new(tokens, json_neighbours(v, r));
    json_object_set_new(root, "model", json_string(v->model_name));
    json_object_set_new(root, "method", json_string(v->method));
    json_object_set_new(root, "init", v->init ? json_string(v->init) : json_null());
    json_object_set_new(root, "vocabulary", json_integer(n->vocabulary));
    json_object_set_new(root, "top", json_integer(n->top));
    json_object_set_new(root, "neighbours", tokens);
    json_object_set_new(root, "distinct_nearest", json_integer(v->clusters.distinct));
    json_object_set_new(root, "with_word_variants", json_integer(v->clusters.clustered));
    json_object_set_new(root, "word_variants_by_chance", json_real(v->clusters.chance));
    if (v->words.count) json_object_set_new(root, "class_words", json_words(v));
    sp_print_json(root, JSON_REAL_PRECISION(9));
}

/* RFC 4180: between quotes, quotes doubled. */
static void print_csv(const view *v) {
    const sp_neighbours *n = &v->neighbours;
    puts("token,rank,id,text,cosine");
    for (long i = 0; i < n->count * n->top; i++) {
        char *text = token_text(v, n->nearest[i].token);
        printf("%ld,%ld,%d,\"", i / n->top + 1, i % n->top + 1, n->nearest[i].token);
        for (const char *c = text; *c; c++) fputs(*c == '"' ? "\"\"" : (char[]){*c, 0}, stdout);
        printf("\",%.9g\n", (double)n->nearest[i].cosine);
        free(text);
    }
}

static sp_status run(int argc, char **argv) {
    static void (*const print[])(const view *) = {print_table, print_json, print_csv};
    arguments a = {.top = 5};
    argp_parse(&parser, argc, argv, 0, NULL, &a);
    view v;
    sp_status st = open_view(&a, &v);
    if (!st) print[a.form](&v);
    close_view(&v);
    return st;
}

const sp_command sp_command_neighbours = {
    .name = "neighbours",
    .help = "the vocabulary tokens nearest to a run's virtual tokens",
    .run = run};
