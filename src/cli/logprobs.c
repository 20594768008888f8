/* softprompt logprobs: the log-probability of each token of the input lines, as JSON. */
#include "cli/command.h"
#include "cli/json.h"
#include "cli/records.h"
#include "cli/steered.h"
#include "training/packed.h"

#include <argp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static error_t parse(int key, char *value, struct argp_state *state) {
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = state->input;
        return 0;
    case ARGP_KEY_ARG:
        argp_error(state, "lines come from standard input; '%s' is not wanted", value);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_child children[] = {{&sp_steered_parser, 0, NULL, 0}, {0}};
static const struct argp parser = {
    .parser = parse,
    .children = children,
    .doc = "Reads lines from standard input and prints, for each, JSON {\"ids\", \"tokens\", "
           "\"logprobs\", \"sum\"}: natural logarithms. A line INPUT<TAB>TARGET scores the target "
           "and its end token after the input, as in training; a line without a tab scores all of "
           "its tokens (the first one only if a soft prompt stands before it; else its logprob is "
           "null). With a run that labels, these are those of the language model with its prompt; "
           "`softprompt generate --json` prints the labels' probabilities."};

/* The ids of a line and the index of the first that is scored. */
static sp_status encode_line(const sp_steered *s, char *line, sp_ints *ids, size_t *first) {
    char *tab = strchr(line, '\t');
    if (!tab) {
        sp_ints_append(ids, s->prompt.template.before.data, s->prompt.template.before.len);
        *first = ids->len;
        return sp_tokenizer_encode(s->tokenizer, line, strlen(line), ids);
    }
    *tab = '\0';
    sp_status st = sp_steered_input(s, line, ids);
    *first = ids->len;
    if (!st) st = sp_tokenizer_encode(s->tokenizer, tab + 1, strlen(tab + 1), ids);
    sp_ints_push(ids, s->model->config.eos_token_id);
    return st;
}

/* logprobs: of the tokens that are scored, the first of all tokens never being one. */
static void print_line(const sp_steered *s, const sp_ints *ids, size_t first,
                       const float *logprobs) {
    json_t *id_list = json_array(), *tokens = json_array(), *values = json_array();
    double sum = 0;
    for (size_t i = first; i < ids->len; i++) {
        json_array_append_new(id_list, json_integer(ids->data[i]));
        json_array_append_new(tokens, json_string(sp_tokenizer_token(s->tokenizer, ids->data[i])));
        json_array_append_new(values, i ? json_real((double)*logprobs) : json_null());
        if (i) sum += (double)*logprobs++;
    }
    json_t *line = json_pack("{s:o, s:o, s:o, s:f}", "ids", id_list, "tokens", tokens, "logprobs",
                             values, "sum", sum);
    sp_print_json(line, JSON_REAL_PRECISION(9));
    fflush(stdout);
}

static sp_status score(sp_steered *s, const sp_ints *ids, size_t first) {
    sp_steering steering = sp_soft_prompt_steering(&s->prompt);
    if (steering.first_position + (long)ids->len - 1 > s->model->config.n_positions)
        return sp_fail(SP_ERR_DATA,
                       "a line takes %zu tokens with its prompt, but the context is %d",
                       ids->len + (size_t)steering.first_position, s->model->config.n_positions);
    float *logprobs = sp_alloc_floats(ids->len);
    if (ids->len > 1) {
        sp_tape tape = {.inference = true};
        sp_packed batch = {0};
        sp_packed_clear(&batch);
        sp_packed_add(&batch, ids->data, ids->len, first ? first : 1);
        sp_context ctx = sp_packed_context(&batch, &steering);
        sp_var *hidden = sp_model_forward(&tape, s->model, batch.ids.data, &ctx);
        sp_lm_loss(&tape, hidden, s->model->head, batch.targets.data, logprobs);
        sp_packed_free(&batch);
        sp_tape_free(&tape);
    }
    print_line(s, ids, first, logprobs);
    free(logprobs);
    return SP_OK;
}

static sp_status run(int argc, char **argv) {
    sp_steered_names names = {0};
    argp_parse(&parser, argc, argv, 0, NULL, &names);
    sp_steered s;
    sp_status st = sp_steered_open(&names, &s);
    if (!st) st = sp_model_check_causal(s.model);
    sp_buf line = {0};
    sp_ints ids = {0};
    long number = 0;
    while (!st && sp_read_line(&line, &number)) {
        size_t first = 0;
        ids.len = 0;
        if ((st = sp_check_line(&line, number))) break;
        st = encode_line(&s, line.data, &ids, &first);
        if (!st) st = score(&s, &ids, first);
        if (st == SP_ERR_DATA) sp_fail_in(st, "standard input:%ld", number);
    }
    sp_ints_free(&ids);
    sp_buf_free(&line);
    sp_steered_close(&s);
    return st;
}

const sp_command sp_command_logprobs = {
    .name = "logprobs", .help = "token log-probabilities of lines, as JSON", .run = run};
