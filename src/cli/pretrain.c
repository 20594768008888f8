/* softprompt pretrain SPEC: trains a ladder model and writes it below models/. */
#include "training/pretrain.h"
#include "cli/command.h"
#include "cli/number.h"
#include "cli/progress.h"
#include "core/memory.h"
#include "tensor/gemm.h"

#include <argp.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct arguments {
    const char *spec, *out, *work;
    int threads;
    bool quiet;
} arguments;

static const struct argp_option options[] = {
    {"out", 'o', "FOLDER", 0, "where the model goes (default models/NAME)", 0},
    {"work", 'w', "FOLDER", 0, "where checkpoints go (default build/pretrain)", 0},
    {"threads", 't', "N", 0, "threads (default all CPUs)", 0},
    {"quiet", 'q', NULL, 0, "no progress lines", 0},
    {0}};

static error_t parse(int key, char *value, struct argp_state *state) {
    arguments *a = state->input;
    switch (key) {
    case 'o':
        a->out = value;
        return 0;
    case 'w':
        a->work = value;
        return 0;
    case 't':
        a->threads = sp_argument_number(value, "threads", 1, 1024, state);
        return 0;
    case 'q':
        a->quiet = true;
        return 0;
    case ARGP_KEY_ARG:
        if (a->spec) argp_error(state, "one spec at a time");
        a->spec = value;
        return 0;
    case ARGP_KEY_END:
        if (!a->spec) argp_error(state, "which spec? see experiments/pretrain/");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp parser = {
    .options = options,
    .parser = parse,
    .args_doc = "SPEC",
    .doc = "Pretrains a model on build/corpus (see experiments/pretrain/corpus.sh) and writes it "
           "below models/. Checkpoints; the same command goes on after a stop."};

static sp_status run(int argc, char **argv) {
    arguments a = {.work = "build/pretrain"};
    argp_parse(&parser, argc, argv, 0, NULL, &a);
    sp_pretrain_spec spec;
    sp_status st = sp_pretrain_spec_read(a.spec, &spec);
    if (!st) st = sp_gemm_start(a.threads);
    if (st) return st;
    char *out = a.out ? sp_strdup(a.out) : sp_format("models/%s", spec.name);
    sp_printer printer = sp_printer_start(a.quiet);
    sp_progress progress = sp_printer_progress(&printer);
    sp_pretrain_result result;
    st = sp_pretrain(&spec, a.work, out, &progress, &result);
    sp_printer_end(&printer);
    if (!st)
        printf("%s: held-out perplexity %.2f after %.1fM tokens; written to %s\n", spec.name,
               exp(result.heldout_loss), result.tokens / 1e6, out);
    free(out);
    return st;
}

const sp_command sp_command_pretrain = {
    .name = "pretrain", .help = "train a small model from text", .run = run};
