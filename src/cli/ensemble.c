/* softprompt ensemble: several prompts on one model, an example in a batch once per prompt, and the
 * majority of their answers (Prompt Tuning, section 6). */
#include "training/ensemble.h"
#include "cli/command.h"
#include "cli/ensemble_scores.h"
#include "cli/json.h"
#include "cli/number.h"
#include "cli/records.h"
#include "cli/steered.h"
#include "data/dataset.h"
#include "experiment/evaluate.h"
#include "experiment/subset.h"
#include "model/files.h"
#include "report/vote.h"
#include "tensor/gemm.h"

#include <argp.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct arguments {
    char **paths; /* [count] of run files */
    size_t count;
    const char *model, *data, *split;
    int limit;
    bool records, json;
    sp_decode_options decode;
} arguments;

enum { KEY_SPLIT = 256, KEY_LIMIT, KEY_BEAM, KEY_MAX, KEY_BATCH };

static const struct argp_option options[] = {
    {"model", 'm', "NAME", 0, "a folder, a .gguf file or a name (default: that of the first run)",
     0},
    {"data", 'd', "CARD", 0, "score on a data set instead of reading standard input", 0},
    {"split", KEY_SPLIT, "NAME", 0, "of the data set: train, dev or test (default test)", 0},
    {"limit", KEY_LIMIT, "N", 0, "at most N examples, evenly spaced as in a study (default all)",
     0},
    {"records", 'r', NULL, 0, "read JSON lines with \"input\", \"text\" or \"tokens\"", 0},
    {"beam", KEY_BEAM, "N", 0, "beams, of runs that write texts (default 1, greedy)", 0},
    {"max-tokens", KEY_MAX, "N", 0, "most new tokens, of runs that write texts (default 100)", 0},
    {"batch", KEY_BATCH, "N", 0, "examples at a time, each once per prompt (default 32)", 0},
    {"json", 'j', NULL, 0,
     "with --data one JSON object {\"runs\", \"average\", \"best\", \"ensemble\"} with unrounded "
     "scores; else JSON lines {\"input\", \"answer\", \"answers\"}",
     0},
    {0}};

static error_t parse_decode(arguments *a, const char *name, const char *value,
                            struct argp_state *state) {
    if (sp_options_set(sp_decode_option_table, &a->decode, name, value))
        argp_error(state, "%s", sp_error());
    return 0;
}

static void check_arguments(const arguments *a, struct argp_state *state) {
    if (a->count < 2) argp_error(state, "an ensemble needs two runs or more; give their files");
    if (a->data && a->records) argp_error(state, "--data or --records, not both");
}

static error_t parse(int key, char *value, struct argp_state *state) {
    arguments *a = state->input;
    switch (key) {
    case 'm':
        a->model = value;
        return 0;
    case 'd':
        a->data = value;
        return 0;
    case KEY_SPLIT:
        a->split = value;
        return 0;
    case KEY_LIMIT:
        a->limit = sp_argument_number(value, "limit", 1, INT_MAX, state);
        return 0;
    case 'r':
        a->records = true;
        return 0;
    case 'j':
        a->json = true;
        return 0;
    case KEY_BEAM:
        return parse_decode(a, "beam", value, state);
    case KEY_MAX:
        return parse_decode(a, "max_tokens", value, state);
    case KEY_BATCH:
        return parse_decode(a, "batch", value, state);
    case ARGP_KEY_ARG:
        a->paths[a->count++] = value;
        return 0;
    case ARGP_KEY_END:
        check_arguments(a, state);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp parser = {
    .options = options,
    .parser = parse,
    .args_doc = "RUN.h5 RUN.h5...",
    .doc = "Loads one model and several tuned prompts, asks all of them, and takes the majority of "
           "their answers (of tags word by word). Of answers with as many votes, the one with the "
           "largest sum of probabilities wins, of texts the one of the earliest run. Prompts of "
           "the methods prompt and p-tuning serve in the same batch; other methods that leave the "
           "model as it is serve one after the other on the one model. With --data: the scores of "
           "each run, their average, the best single one and the ensemble's. Else records come "
           "from standard input, one a line, and the answer to each is printed."};

/* ---- the prompts ---- */

typedef struct board {
    const arguments *arguments;
    char *name; /* of the model */
    sp_digest hash;
    sp_model *model;
    sp_tokenizer *tokenizer;
    sp_soft_prompt *prompts; /* [count] */
    sp_class_head *heads;    /* [count] */
    sp_ensemble ensemble;
} board;

/* --model, or the name in the first run's file. */
static sp_status name_model(board *b) {
    const arguments *a = b->arguments;
    if (a->model) {
        b->name = sp_strdup(a->model);
        return SP_OK;
    }
    sp_h5 *file;
    sp_status st = sp_adapter_open(a->paths[0], NULL, &file);
    if (!st) st = sp_h5_get_text(file, "/", "model", &b->name);
    sp_h5_close(file);
    return st;
}

static sp_status open_model(board *b) {
    sp_status st = name_model(b);
    if (!st) st = sp_gemm_start(0);
    if (!st) st = sp_model_open(b->name, SP_PRECISION_FP32, &b->model);
    if (!st) st = sp_model_open_tokenizer(b->name, b->model, &b->tokenizer);
    return st ? st : sp_model_hash(b->name, &b->hash);
}

/* Weights of its own would steer the other prompts too. */
static sp_status check_frozen(sp_h5 *file) {
    if (!sp_h5_is_group(file, "/prompt/weights")) return SP_OK;
    return sp_fail(SP_ERR_SPEC,
                   "%s: has trained weights of the model, so it cannot share one model with other "
                   "runs; use methods that leave the model frozen",
                   sp_h5_path(file));
}

static sp_status open_prompt(board *b, size_t i) {
    sp_h5 *file;
    sp_status st = sp_adapter_open(b->arguments->paths[i], b->name, &file);
    if (st) return st;
    st = sp_adapter_check_model(file, b->name, &b->hash);
    if (!st) st = check_frozen(file);
    if (!st) st = sp_soft_prompt_read(file, b->model, &b->prompts[i]);
    if (!st) sp_soft_prompt_unmerge(&b->prompts[i], b->model);
    if (!st) st = sp_class_head_read(file, b->model, &b->heads[i]);
    sp_h5_close(file);
    return st;
}

static sp_status open_board(const arguments *a, board *b) {
    *b = (board){.arguments = a};
    b->prompts = sp_alloc(a->count, sizeof *b->prompts);
    b->heads = sp_alloc(a->count, sizeof *b->heads);
    sp_status st = open_model(b);
    for (size_t i = 0; !st && i < a->count; i++) st = open_prompt(b, i);
    return st ? st : sp_ensemble_make(b->model, b->prompts, b->heads, a->count, &b->ensemble);
}

static void close_board(board *b) {
    sp_ensemble_free(&b->ensemble);
    for (size_t i = 0; i < b->arguments->count; i++) {
        sp_soft_prompt_free(&b->prompts[i]);
        sp_class_head_free(&b->heads[i]);
    }
    free(b->prompts), free(b->heads), free(b->name);
    sp_tokenizer_free(b->tokenizer);
    sp_model_free(b->model);
}

/* ---- votes ---- */

/* What all prompts say to the examples, and the majority. */
typedef struct ballot {
    sp_strings *answers; /* [count] */
    size_t count;
    sp_strings winners;
} ballot;

static ballot new_ballot(size_t count) {
    return (ballot){.answers = sp_alloc(count, sizeof(sp_strings)), .count = count};
}

static void free_ballot(ballot *v) {
    for (size_t i = 0; i < v->count; i++) sp_strings_free(&v->answers[i]);
    free(v->answers);
    sp_strings_free(&v->winners);
}

/* Names of labels [count], joined by spaces; the caller's. */
static char *join_names(const sp_class_head *head, const int *labels, size_t count) {
    sp_buf text = {0};
    for (size_t i = 0; i < count; i++)
        sp_buf_printf(&text, "%s%s", i ? " " : "", head->labels.data[labels[i]]);
    return sp_buf_take(&text);
}

/* Labels [count, n] and probabilities [count, n, labels] of all prompts; `words` [examples] says
 * how many of the n belong to each example. */
static void count_labels(const board *b, const sp_examples *examples, const int *labels,
                         const float *probabilities, size_t n, ballot *out) {
    const sp_class_head *head = &b->heads[0];
    size_t voters = out->count, width = head->labels.len;
    int *votes = sp_alloc(voters, sizeof *votes), *majority = sp_alloc(n, sizeof *majority);
    const float **scores = sp_alloc(voters, sizeof *scores);
    for (size_t i = 0; i < n; i++) {
        for (size_t v = 0; v < voters; v++) {
            votes[v] = labels[v * n + i];
            scores[v] = probabilities + (v * n + i) * width;
        }
        majority[i] = sp_vote_label(votes, scores, voters, width);
    }
    for (size_t i = 0, at = 0; i < examples->count; i++) {
        size_t words = examples->records[i].words.len ? examples->records[i].words.len : 1;
        for (size_t v = 0; v < voters; v++)
            sp_strings_take(&out->answers[v], join_names(head, labels + v * n + at, words));
        sp_strings_take(&out->winners, join_names(head, majority + at, words));
        at += words;
    }
    free(votes), free(majority), free(scores);
}

static sp_status vote_labels(board *b, const sp_examples *examples, ballot *out) {
    size_t n = sp_examples_label_count(examples, examples->count);
    int *labels = sp_alloc(out->count * n, sizeof *labels);
    float *probabilities = sp_alloc_floats(out->count * n * b->heads[0].labels.len);
    sp_status st = sp_ensemble_classify(&b->ensemble, examples, examples->count,
                                        b->arguments->decode.batch, labels, probabilities);
    if (!st) count_labels(b, examples, labels, probabilities, n, out);
    free(labels), free(probabilities);
    return st;
}

/* Texts that are to be labels [label_count] become their names. */
static sp_status vote_texts(board *b, const sp_examples *examples, const sp_label *labels,
                            size_t label_count, ballot *out) {
    sp_status st = sp_ensemble_predict(&b->ensemble, b->tokenizer, &b->arguments->decode, examples,
                                       examples->count, out->answers);
    if (st) return st;
    for (size_t v = 0; label_count && v < out->count; v++)
        for (size_t i = 0; i < out->answers[v].len; i++) {
            char *text = out->answers[v].data[i];
            out->answers[v].data[i] = sp_label_said(labels, label_count, text);
            free(text);
        }
    sp_vote(out->answers, out->count, &out->winners);
    return SP_OK;
}

static sp_status vote(board *b, const sp_split *split, const sp_label *labels, size_t label_count,
                      ballot *out) {
    sp_examples examples;
    sp_output output = b->heads[0].output;
    sp_status st = sp_examples_encode(split, output, b->prompts[0].separator, b->tokenizer,
                                      sp_examples_end(b->model), &examples);
    if (st) return st;
    st = output == SP_OUTPUT_TEXT ? vote_texts(b, &examples, labels, label_count, out)
                                  : vote_labels(b, &examples, out);
    sp_examples_free(&examples);
    return st;
}

/* ---- scores on a data set ---- */

static void put_references(const sp_split *split, const sp_label *labels, bool classes,
                           sp_strings *out) {
    for (size_t i = 0; i < split->count; i++) {
        const sp_example *e = &split->items[i];
        sp_buf text = {0};
        if (classes) sp_buf_puts(&text, labels[e->label].name);
        for (size_t k = 0; !classes && k < e->references.len; k++)
            sp_buf_printf(&text, "%s%s", k ? "\n" : "", e->references.data[k]);
        sp_strings_take(out, sp_buf_take(&text));
    }
}

/* The data set's labels must be those that the heads know, in their order. */
static sp_status check_labels(const board *b, const sp_label *labels, size_t count) {
    const sp_strings *known = &b->heads[0].labels;
    bool same = b->heads[0].output == SP_OUTPUT_TEXT || known->len == count;
    for (size_t i = 0; same && i < known->len; i++)
        same = strcmp(known->data[i], labels[i].name) == 0;
    if (same) return SP_OK;
    return sp_fail(SP_ERR_SPEC, "%s has other labels than the runs; use the data set of the runs",
                   b->arguments->data);
}

static void print_scores(const board *b, const ballot *v, const sp_strings *references,
                         sp_task task) {
    const arguments *a = b->arguments;
    const sp_ensemble_answers answers = {.model = b->name,
                                         .data = a->data,
                                         .split = a->split,
                                         .one_batch = b->ensemble.together,
                                         .by_probability = b->heads[0].output != SP_OUTPUT_TEXT,
                                         .paths = a->paths,
                                         .runs = v->answers,
                                         .count = v->count,
                                         .winners = v->winners,
                                         .references = *references};
    sp_ensemble_scores_print(&answers, task, a->json);
}

static sp_status vote_split(board *b, const sp_dataset *dataset) {
    const sp_label *labels;
    size_t label_count;
    sp_split split = {0};
    sp_strings references = {0};
    ballot v = new_ballot(b->arguments->count);
    sp_status st = sp_dataset_labels(dataset, &labels, &label_count);
    if (!st) st = check_labels(b, labels, label_count);
    sp_task task = st || !label_count              ? SP_GENERATION
                   : sp_dataset_is_tagged(dataset) ? SP_TAGGING
                                                   : SP_CLASSIFICATION;
    if (!st) st = sp_metrics_prepare(task);
    if (!st) st = sp_dataset_load(dataset, b->arguments->split, &split);
    if (!st) sp_split_keep(&split, (size_t)b->arguments->limit, 0);
    if (!st) st = vote(b, &split, labels, task == SP_CLASSIFICATION ? label_count : 0, &v);
    if (!st) {
        put_references(&split, labels, task == SP_CLASSIFICATION, &references);
        print_scores(b, &v, &references, task);
    }
    free_ballot(&v);
    sp_strings_free(&references);
    sp_split_free(&split);
    return st;
}

static sp_status score_dataset(board *b) {
    sp_dataset *dataset;
    sp_status st = sp_dataset_open(b->arguments->data, &dataset);
    if (st) return st;
    st = vote_split(b, dataset);
    sp_dataset_free(dataset);
    return st;
}

/* ---- answers to lines ---- */

static void print_answer(const board *b, const ballot *v, const char *input, size_t i) {
    char *winner = v->winners.data[i];
    if (!b->arguments->json) {
        for (char *c = winner; *c; c++)
            if (*c == '\n' || *c == '\r') *c = ' '; /* a line a record */
        puts(winner);
        return;
    }
    json_t *answers = json_array();
    for (size_t k = 0; k < v->count; k++)
        json_array_append_new(answers, json_string(v->answers[k].data[i]));
    json_t *line =
        json_pack("{s:s?, s:s?, s:o}", "input", input, "answer", winner, "answers", answers);
    sp_print_json(line, 0);
}

static sp_status answer_lines(board *b, const sp_strings *inputs) {
    sp_split split = {0};
    for (size_t i = 0; i < inputs->len; i++) {
        sp_example *example = sp_split_add(&split);
        example->input = sp_strdup(inputs->data[i]);
        example->label = -1;
        sp_strings_push(&example->references, "-"); /* not read: nothing is trained */
    }
    ballot v = new_ballot(b->arguments->count);
    sp_status st = vote(b, &split, NULL, 0, &v);
    for (size_t i = 0; !st && i < inputs->len; i++) print_answer(b, &v, inputs->data[i], i);
    free_ballot(&v);
    sp_split_free(&split);
    return st;
}

enum { GROUP = 256 };

static sp_status answer_input(board *b) {
    long number = 0;
    sp_status st = SP_OK;
    for (size_t count = 1; !st && count > 0;) {
        sp_strings inputs = {0};
        long first = number + 1;
        st = sp_read_records(b->arguments->records, GROUP, &number, &inputs);
        count = inputs.len;
        if (!st && count) {
            st = answer_lines(b, &inputs);
            if (st == SP_ERR_DATA) sp_fail_in(st, "standard input:%ld-%ld", first, number);
        }
        fflush(stdout);
        sp_strings_free(&inputs);
    }
    return st;
}

static sp_status run(int argc, char **argv) {
    arguments a = {.split = "test", .paths = sp_alloc((size_t)argc, sizeof *a.paths)};
    sp_options_default(sp_decode_option_table, &a.decode);
    argp_parse(&parser, argc, argv, 0, NULL, &a);
    board b;
    sp_status st = open_board(&a, &b);
    if (!st) st = a.data ? score_dataset(&b) : answer_input(&b);
    close_board(&b);
    free(a.paths);
    return st;
}

const sp_command sp_command_ensemble = {
    .name = "ensemble",
    .help = "the majority of several prompts' answers, all on one model in one batch",
    .run = run};
