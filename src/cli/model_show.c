/* softprompt model show NAME: what a model is, its held-out perplexity, and how well it copies. */
#include "cli/json.h"
#include "cli/model.h"
#include "cli/number.h"
#include "core/file.h"
#include "core/hash.h"
#include "model/files.h"
#include "tensor/gemm.h"
#include "training/perplexity.h"
#include "training/probe.h"

#include <argp.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { PASS_TOKENS = 2048 };
static const char default_text[] = "build/corpus/heldout.txt";

typedef struct arguments {
    const char *name, *text;
    int documents, threads;
    bool json, card;
} arguments;

static const struct argp_option options[] = {
    {"text", 't', "FILE", 0,
     "documents, separated by lines of the byte 0x1e (default "
     "build/corpus/heldout.txt, if it is there)",
     0},
    {"documents", 'n', "N", 0, "take the perplexity of the first N (default 300)", 0},
    {"json", 'j', NULL, 0, "print one JSON object", 0},
    {"card", 'c', NULL, 0, "print a Markdown table for a model card", 0},
    {"threads", 'T', "N", 0, "threads (default all CPUs)", 0},
    {0}};

static error_t parse(int key, char *value, struct argp_state *state) {
    arguments *a = state->input;
    switch (key) {
    case 't':
        a->text = value;
        return 0;
    case 'n':
        a->documents = sp_argument_number(value, "documents", 1, INT_MAX, state);
        return 0;
    case 'T':
        a->threads = sp_argument_number(value, "threads", 1, 1024, state);
        return 0;
    case 'j':
        a->json = true;
        return 0;
    case 'c':
        a->card = true;
        return 0;
    case ARGP_KEY_ARG:
        if (a->name) argp_error(state, "one model at a time");
        a->name = value;
        return 0;
    case ARGP_KEY_END:
        if (!a->name)
            argp_error(state,
                       "which model? a name (`softprompt model list`), a folder or a .gguf file");
        if (a->json && a->card) argp_error(state, "--json or --card, not both");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp parser = {
    .options = options,
    .parser = parse,
    .args_doc = "NAME",
    .doc = "Describes a model that `softprompt model list` names, a folder or a .gguf file, and "
           "measures it without any tuning:\n"
           "(An encoder, which reads in both directions, is described only.)\n"
           "perplexity: of documents, each read alone and cut to the context;\n"
           "induction: 32 random tokens twice, 50 times; accuracy and mean natural log-probability "
           "of the tokens of the first and of the second copy, from the second one on;\n"
           "names: the first 100 records of the documents, completed greedily; of the record's "
           "values that the reference mentions, the share that the completion mentions."};

/* What was found out. Without a text, `text` is NULL and perplexity and names are not measured. */
typedef struct findings {
    const char *name, *text;
    sp_model *model;
    sp_tokenizer *tokenizer;
    sp_digest weights;
    sp_perplexity perplexity;
    sp_induction induction;
    sp_names names;
} findings;

static double induction_gain(const findings *f) {
    return f->induction.second.logprob - f->induction.first.logprob;
}

/* 0 where there was nothing to copy. */
static double copied_share(const findings *f) {
    return f->names.values ? (double)f->names.copied / (double)f->names.values : 0;
}

static sp_status measure_text(const char *path, int documents, findings *f) {
    sp_map map;
    sp_status st = sp_map_file(path, &map);
    if (st) return st;
    sp_documents all = {(const char *)map.data, map.len, 0};
    sp_tape tape = {0};
    st = sp_measure_perplexity(f->model, f->tokenizer, all, (size_t)documents, PASS_TOKENS, &tape,
                               &f->perplexity);
    sp_tape_free(&tape);
    if (!st) st = sp_probe_names(f->model, f->tokenizer, all, &f->names);
    sp_unmap_file(&map);
    return st ? sp_fail_in(st, "%s", path) : SP_OK;
}

/* The default text may be absent; one that was asked for may not. */
static sp_status find_and_measure_text(const arguments *a, findings *f) {
    char *path = a->text ? sp_strdup(a->text) : sp_find_file(default_text);
    sp_status st = SP_OK;
    if (a->text || sp_file_exists(path)) {
        f->text = a->text ? a->text : default_text;
        st = measure_text(path, a->documents, f);
    }
    free(path);
    return st;
}

static sp_status examine(const arguments *a, findings *f) {
    f->name = a->name;
    sp_status st = sp_gemm_start(a->threads);
    if (!st) st = sp_model_open(a->name, SP_PRECISION_FP32, &f->model);
    if (!st) st = sp_model_open_tokenizer(a->name, f->model, &f->tokenizer);
    if (!st) st = sp_model_hash_weights(a->name, &f->weights);
    if (st || f->model->family->bidirectional) return st; /* nothing to continue */
    st = sp_probe_induction(f->model, f->tokenizer, &f->induction);
    if (!st) st = find_and_measure_text(a, f);
    return st;
}

static void print_text(const findings *f) {
    const sp_config *c = &f->model->config;
    const sp_induction *i = &f->induction;
    printf("model        %s\n", f->name);
    printf("config       %s, %d blocks, hidden size %d, inner size %d, %d heads, context %d, "
           "vocabulary %d\n",
           c->model_type, c->n_layer, c->n_embd, c->n_inner, c->n_head, c->n_positions,
           c->vocab_size);
    printf("parameters   %ld\n", sp_model_size(f->model));
    printf("weights      sha256 %s\n", f->weights.hex);
    if (f->model->family->bidirectional) {
        printf("reads        in both directions: perplexity and induction have no meaning\n");
        return;
    }
    printf("induction    log-probability %.2f, repeated %.2f, gain %.2f; top-1 %.1f %%, repeated "
           "%.1f %%\n",
           i->first.logprob, i->second.logprob, induction_gain(f), 100 * i->first.accuracy,
           100 * i->second.accuracy);
    if (!f->text) {
        printf("perplexity   not measured: no %s (sh experiments/pretrain/corpus.sh build/corpus "
               "makes it); or give --text FILE\n",
               default_text);
        return;
    }
    printf("perplexity   %.2f (%zu documents, %ld tokens of %s)\n", exp(f->perplexity.loss),
           f->perplexity.documents, f->perplexity.tokens, f->text);
    if (f->names.records)
        printf("names        %.1f %% of %zu values copied from %zu records of %s\n",
               100 * copied_share(f), f->names.values, f->names.records, f->text);
    else
        printf("names        not measured: %s holds no record\n", f->text);
}

static json_t *copy_score_json(const sp_copy_score *score) {
    return json_pack("{s:f, s:f}", "accuracy", score->accuracy, "logprob", score->logprob);
}

static json_t *perplexity_json(const findings *f) {
    if (!f->text) return json_null();
    return json_pack("{s:s, s:I, s:I, s:f, s:f}", "text", f->text, "documents",
                     (json_int_t)f->perplexity.documents, "tokens",
                     (json_int_t)f->perplexity.tokens, "loss", f->perplexity.loss, "perplexity",
                     exp(f->perplexity.loss));
}

static json_t *names_json(const findings *f) {
    if (!f->names.records) return json_null();
    return json_pack("{s:I, s:I, s:I, s:f}", "records", (json_int_t)f->names.records, "values",
                     (json_int_t)f->names.values, "copied", (json_int_t)f->names.copied, "share",
                     copied_share(f));
}

static void print_json(const findings *f) {
    const sp_config *c = &f->model->config;
    json_t *config =
        json_pack("{s:s, s:i, s:i, s:i, s:i, s:i, s:i}", "model_type", c->model_type, "vocab_size",
                  c->vocab_size, "n_positions", c->n_positions, "n_embd", c->n_embd, "n_layer",
                  c->n_layer, "n_head", c->n_head, "n_inner", c->n_inner);
    bool measured = !f->model->family->bidirectional;
    json_t *induction =
        !measured
            ? json_null()
            : json_pack("{s:o, s:o, s:f}", "first", copy_score_json(&f->induction.first), "second",
                        copy_score_json(&f->induction.second), "gain", induction_gain(f));
    json_t *all = json_pack("{s:s, s:o, s:I, s:s, s:o, s:o, s:o}", "model", f->name, "config",
                            config, "parameters", (json_int_t)sp_model_size(f->model),
                            "weights_sha256", f->weights.hex, "perplexity", perplexity_json(f),
                            "induction", induction, "names", names_json(f));
    sp_print_json(all, JSON_INDENT(2) | JSON_REAL_PRECISION(9));
}

static void print_card(const findings *f) {
    const sp_config *c = &f->model->config;
    const sp_induction *i = &f->induction;
    printf("| `%s` | |\n|---|---|\n", f->name);
    printf(
        "| architecture | %s, %d blocks, hidden size %d, %d heads, context %d, vocabulary %d |\n",
        c->model_type, c->n_layer, c->n_embd, c->n_head, c->n_positions, c->vocab_size);
    printf("| parameters | %ld |\n", sp_model_size(f->model));
    printf("| sha256 of the weights | `%s` |\n", f->weights.hex);
    if (f->model->family->bidirectional) return;
    if (f->text)
        printf("| held-out perplexity (first %zu documents, %ld tokens, of `%s`) | %.2f |\n",
               f->perplexity.documents, f->perplexity.tokens, f->text, exp(f->perplexity.loss));
    printf("| %d random tokens, read once: log-probability of a token, top-1 accuracy | %.2f, "
           "%.1f %% |\n",
           SP_INDUCTION_LENGTH, i->first.logprob, 100 * i->first.accuracy);
    printf("| the same tokens repeated | %.2f, %.1f %% |\n", i->second.logprob,
           100 * i->second.accuracy);
    if (f->names.records)
        printf("| values copied from a record (%zu held-out records, %zu values) | %.1f %% |\n",
               f->names.records, f->names.values, 100 * copied_share(f));
}

sp_status sp_model_show(int argc, char **argv) {
    arguments a = {.documents = 300};
    argp_parse(&parser, argc, argv, 0, NULL, &a);
    findings f = {0};
    sp_status st = examine(&a, &f);
    if (!st) (a.json ? print_json : a.card ? print_card : print_text)(&f);
    sp_tokenizer_free(f.tokenizer);
    sp_model_free(f.model);
    return st;
}
