/* softprompt train-tokenizer: learns a byte-level BPE vocabulary from text files. */
#include "cli/command.h"
#include "cli/number.h"
#include "core/clock.h"
#include "core/file.h"
#include "text/bpe_trainer.h"
#include "text/documents.h"

#include <argp.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct settings {
    int vocab, min_count;
    const char *out;
    char **files;
    int file_count;
} settings;

static const struct argp_option options[] = {
    {"vocab", 'v', "N", 0, "number of tokens, with <|endoftext|> as 0 and the bytes (8192)", 0},
    {"min-count", 'm', "N", 0, "least count of a pair that is merged (2)", 0},
    {"out", 'o', "FILE", 0, "where to write the tokenizer.json (required)", 0},
    {0}};

static error_t parse_option(int key, char *value, struct argp_state *state) {
    settings *s = state->input;
    switch (key) {
    case 'v':
        s->vocab = sp_argument_number(value, "vocab", 1, INT_MAX, state);
        break;
    case 'm':
        s->min_count = sp_argument_number(value, "min-count", 1, INT_MAX, state);
        break;
    case 'o':
        s->out = value;
        break;
    case ARGP_KEY_ARGS:
        s->files = state->argv + state->next;
        s->file_count = state->argc - state->next;
        break;
    case ARGP_KEY_END:
        if (!s->out) argp_error(state, "--out FILE is missing");
        if (!s->file_count) argp_error(state, "no text files given");
        break;
    default:
        return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

static const struct argp parser = {
    .options = options,
    .parser = parse_option,
    .args_doc = "TEXTFILE...",
    .doc = "Learns a byte-level BPE vocabulary and writes it as tokenizer.json. Documents in a "
           "text file are separated by lines that hold only the byte 0x1e.\v"
           "The same text gives the same vocabulary."};

/* The documents of several mapped files, one after the other. */
typedef struct reader {
    sp_map *maps;
    int count, at;
    sp_documents documents;
} reader;

static bool next_document(void *context, const char **text, size_t *len) {
    reader *r = context;
    while (!sp_next_document(&r->documents, text, len)) {
        if (r->at == r->count) return false;
        const sp_map *map = &r->maps[r->at++];
        r->documents = (sp_documents){(const char *)map->data, map->len, 0};
    }
    return true;
}

static sp_status train(const settings *s, reader *r) {
    for (; r->count < s->file_count; r->count++) {
        sp_status st = sp_map_file(s->files[r->count], &r->maps[r->count]);
        if (st) return st;
    }
    const char *special[] = {"<|endoftext|>", NULL};
    sp_bpe_train_options how = {s->vocab, special, s->min_count};
    double start = sp_now();
    sp_tokenizer *tokenizer;
    sp_status st = sp_bpe_train(&how, next_document, r, &tokenizer);
    if (st) return st;
    st = sp_tokenizer_save(tokenizer, s->out);
    if (!st)
        printf("%s: %d tokens, %.0f s\n", s->out, sp_tokenizer_size(tokenizer), sp_now() - start);
    sp_tokenizer_free(tokenizer);
    return st;
}

static sp_status run(int argc, char **argv) {
    settings s = {.vocab = 8192, .min_count = 2};
    argp_parse(&parser, argc, argv, 0, NULL, &s);
    reader r = {.maps = sp_alloc((size_t)s.file_count, sizeof(sp_map))};
    sp_status st = train(&s, &r);
    for (int i = 0; i < r.count; i++) sp_unmap_file(&r.maps[i]);
    free(r.maps);
    return st;
}

const sp_command sp_command_train_tokenizer = {
    .name = "train-tokenizer", .help = "learn a byte-level BPE vocabulary", .run = run};
