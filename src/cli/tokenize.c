/* softprompt tokenize: lines of standard input as token ids, one JSON object a line; or back. */
#include "cli/command.h"
#include "cli/json.h"
#include "core/clock.h"
#include "model/find.h"
#include "model/model.h"
#include "text/tokenizer.h"
#include "text/unicode.h"

#include <argp.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct settings {
    const char *model;
    bool json, special, decode, skip_special, speed;
} settings;

static const struct argp_option options[] = {
    {"model", 'm', "NAME", 0,
     "a folder with a tokenizer, a .gguf file, or a name below models/ (required)", 0},
    {"special", 's', NULL, 0, "with the special tokens at the ends of a text, and token types", 0},
    {"json", 'j', NULL, 0, "a line is a JSON string, or an array of two: a pair of texts", 0},
    {"decode", 'd', NULL, 0, "the other way: lines are arrays of ids, results JSON strings", 0},
    {"skip-special", 'k', NULL, 0, "with --decode: without special tokens", 0},
    {"speed", 't', NULL, 0, "print only the number of tokens and the seconds they took", 0},
    {0}};

static error_t parse_option(int key, char *value, struct argp_state *state) {
    settings *s = state->input;
    switch (key) {
    case 'm':
        s->model = value;
        return 0;
    case 's':
        return s->special = true, 0;
    case 'j':
        return s->json = true, 0;
    case 'd':
        return s->decode = true, 0;
    case 'k':
        return s->skip_special = true, 0;
    case 't':
        return s->speed = true, 0;
    case ARGP_KEY_END:
        if (!s->model) argp_error(state, "which model? --model NAME");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp parser = {
    .options = options,
    .parser = parse_option,
    .doc = "Reads lines from standard input and prints each as {\"ids\": [...], \"tokens\": "
           "[...]}; tokens are written as the vocabulary has them."};

static sp_status load_tokenizer(const char *model, sp_tokenizer **out) {
    char *path;
    *out = NULL;
    sp_status st = sp_model_find(model, &path);
    if (!st) st = sp_tokenizer_open(path, out);
    free(path);
    return st;
}

typedef struct line_reader {
    const sp_tokenizer *tokenizer;
    const settings *settings;
    size_t number; /* of the line, from 1 */
    sp_ints ids, types;
    size_t tokens; /* all together */
    double seconds;
} line_reader;

static sp_status bad_line(const line_reader *r, const char *wanted) {
    return sp_fail(SP_ERR_USAGE, "line %zu of the input is not %s", r->number, wanted);
}

static json_t *numbers(const sp_ints *list) {
    json_t *array = json_array();
    for (size_t i = 0; i < list->len; i++)
        json_array_append_new(array, json_integer(list->data[i]));
    return array;
}

static void print_json(json_t *value) {
    sp_print_json(value, JSON_ENCODE_ANY);
}

static void print_ids(const line_reader *r) {
    json_t *tokens = json_array();
    for (size_t i = 0; i < r->ids.len; i++)
        json_array_append_new(tokens,
                              json_string(sp_tokenizer_token(r->tokenizer, r->ids.data[i])));
    json_t *line = json_pack("{s:o, s:o}", "ids", numbers(&r->ids), "tokens", tokens);
    if (r->settings->special) json_object_set_new(line, "types", numbers(&r->types));
    print_json(line);
}

/* Encodes one text, or two if b is not NULL. */
static sp_status encode(line_reader *r, const char *a, size_t a_len, const char *b, size_t b_len) {
    double started = sp_now();
    r->ids.len = r->types.len = 0;
    sp_status st = r->settings->special || b ? sp_tokenizer_encode_pair(r->tokenizer, a, a_len, b,
                                                                        b_len, &r->ids, &r->types)
                                             : sp_tokenizer_encode(r->tokenizer, a, a_len, &r->ids);
    r->seconds += sp_now() - started;
    r->tokens += r->ids.len;
    if (!st && !r->settings->speed) print_ids(r);
    return st;
}

static sp_status encode_json(line_reader *r, const json_t *value) {
    const json_t *a = json_is_array(value) ? json_array_get(value, 0) : value;
    const json_t *b = json_is_array(value) ? json_array_get(value, 1) : NULL;
    if (!json_is_string(a) || (b && !json_is_string(b)))
        return bad_line(r, "a JSON string or an array of two");
    return encode(r, json_string_value(a), json_string_length(a), json_string_value(b),
                  json_string_length(b));
}

static sp_status decode_json(line_reader *r, const json_t *value) {
    size_t i;
    json_t *id;
    r->ids.len = 0;
    if (!json_is_array(value)) return bad_line(r, "an array of ids");
    json_array_foreach(value, i, id) {
        json_int_t number = json_is_integer(id) ? json_integer_value(id) : -1;
        sp_ints_push(&r->ids, number > INT32_MAX ? -1 : (int)number);
    }
    sp_buf bytes = {0}, text = {0};
    sp_tokenizer_decode(r->tokenizer, r->ids.data, r->ids.len, r->settings->skip_special, &bytes);
    sp_utf8_repair(bytes.data, bytes.len, &text);
    print_json(json_stringn(text.data ? text.data : "", text.len));
    sp_buf_free(&bytes), sp_buf_free(&text);
    return SP_OK;
}

static sp_status read_line(line_reader *r, const char *line, size_t len) {
    if (!r->settings->json && !r->settings->decode) return encode(r, line, len, NULL, 0);
    json_t *value = json_loadb(line, len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    sp_status st = r->settings->decode ? decode_json(r, value) : encode_json(r, value);
    json_decref(value);
    return st;
}

static sp_status read_lines(line_reader *r) {
    char *line = NULL;
    size_t cap = 0;
    sp_status st = SP_OK;
    for (ssize_t len; !st && (len = getline(&line, &cap, stdin)) >= 0;) {
        if (len && line[len - 1] == '\n') len--;
        r->number++;
        st = read_line(r, line, (size_t)len);
    }
    free(line);
    return st;
}

static sp_status run(int argc, char **argv) {
    settings s = {0};
    argp_parse(&parser, argc, argv, 0, NULL, &s);
    sp_tokenizer *tokenizer;
    sp_status st = load_tokenizer(s.model, &tokenizer);
    if (st) return st;
    line_reader r = {.tokenizer = tokenizer, .settings = &s};
    st = read_lines(&r);
    if (!st && s.speed)
        print_json(json_pack("{s:I, s:f}", "tokens", (json_int_t)r.tokens, "seconds", r.seconds));
    sp_ints_free(&r.ids), sp_ints_free(&r.types);
    sp_tokenizer_free(tokenizer);
    return st;
}

const sp_command sp_command_tokenize = {
    .name = "tokenize", .help = "text lines as token ids", .run = run};
