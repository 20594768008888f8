/* softprompt tokenize: lines of standard input as token ids, one JSON object a line. */
#include "cli/command.h"
#include "model/find.h"
#include "model/model.h"
#include "text/tokenizer.h"

#include <argp.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct settings {
    const char *model;
} settings;

static const struct argp_option options[] = {
    {"model", 'm', "NAME", 0, "a folder with a tokenizer.json, or a name below models/ (required)",
     0},
    {0}};

static error_t parse_option(int key, char *value, struct argp_state *state) {
    settings *s = state->input;
    if (key == 'm')
        s->model = value;
    else if (key == ARGP_KEY_END && !s->model)
        argp_error(state, "which model? --model NAME");
    else if (key != ARGP_KEY_END)
        return ARGP_ERR_UNKNOWN;
    return 0;
}

static const struct argp parser = {
    .options = options,
    .parser = parse_option,
    .doc =
        "Reads lines from standard input and prints each as {\"ids\": [...], \"tokens\": [...]}; "
        "tokens are written in the vocabulary's own byte-level symbols."};

static sp_status load_tokenizer(const char *model, sp_tokenizer **out) {
    char *path;
    *out = NULL;
    sp_status st = sp_model_find(model, &path);
    if (!st) st = sp_tokenizer_open(path, out);
    free(path);
    return st;
}

static void print_ids(const sp_tokenizer *tokenizer, const sp_ints *ids) {
    json_t *numbers = json_array(), *tokens = json_array();
    for (size_t i = 0; i < ids->len; i++) {
        json_array_append_new(numbers, json_integer(ids->data[i]));
        json_array_append_new(tokens, json_string(sp_tokenizer_token(tokenizer, ids->data[i])));
    }
    json_t *line = json_pack("{s:o, s:o}", "ids", numbers, "tokens", tokens);
    json_dumpf(line, stdout, 0);
    putchar('\n');
    json_decref(line);
}

static sp_status tokenize_lines(const sp_tokenizer *tokenizer) {
    char *line = NULL;
    size_t cap = 0;
    sp_ints ids = {0};
    sp_status st = SP_OK;
    for (ssize_t len; !st && (len = getline(&line, &cap, stdin)) >= 0;) {
        if (len && line[len - 1] == '\n') len--;
        ids.len = 0;
        st = sp_tokenizer_encode(tokenizer, line, (size_t)len, &ids);
        if (!st) print_ids(tokenizer, &ids);
    }
    free(line);
    sp_ints_free(&ids);
    return st;
}

static sp_status run(int argc, char **argv) {
    settings s = {0};
    argp_parse(&parser, argc, argv, 0, NULL, &s);
    sp_tokenizer *tokenizer;
    sp_status st = load_tokenizer(s.model, &tokenizer);
    if (st) return st;
    st = tokenize_lines(tokenizer);
    sp_tokenizer_free(tokenizer);
    return st;
}

const sp_command sp_command_tokenize = {
    .name = "tokenize", .help = "text lines as token ids", .run = run};
