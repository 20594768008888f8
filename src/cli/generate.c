/* softprompt generate: records from standard input, a text, a label or tags for each. */
#include "cli/command.h"
#include "cli/json.h"
#include "cli/number.h"
#include "cli/records.h"
#include "cli/steered.h"
#include "training/classify.h"

#include <argp.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct arguments {
    sp_steered_names names;
    sp_decode_options decode;
    int seed;
    bool records, json;
} arguments;

enum { KEY_MAX = 256, KEY_PENALTY, KEY_TEMPERATURE, KEY_TOP_K, KEY_TOP_P, KEY_BATCH, KEY_SEED };

static const struct argp_option options[] = {
    {"records", 'r', NULL, 0,
     "read JSON lines with \"input\", \"text\" or \"tokens\", as `softprompt data --json` prints "
     "them: for "
     "inputs of several lines, as pairs of texts",
     0},
    {"beam", 'b', "N", 0, "beams (default 1, greedy)", 0},
    {"max-tokens", KEY_MAX, "N", 0, "most new tokens (default 100)", 0},
    {"length-penalty", KEY_PENALTY, "X", 0, "score = log-probability / length^X (default 1)", 0},
    {"temperature", KEY_TEMPERATURE, "X", 0, "sample at this temperature (default 0: no)", 0},
    {"top-k", KEY_TOP_K, "N", 0, "sample among the N likeliest", 0},
    {"top-p", KEY_TOP_P, "X", 0, "sample among the likeliest that reach X", 0},
    {"batch", KEY_BATCH, "N", 0, "records at a time (default 32)", 0},
    {"seed", KEY_SEED, "N", 0, "of sampling (default 1)", 0},
    {"json", 'j', NULL, 0,
     "print JSON lines {\"input\", \"output\"}, for labels {\"input\", \"label\", "
     "\"probabilities\"}, for tags {\"input\", \"tags\"}",
     0},
    {0}};

/* The option-table name of a key; NULL if it is no decode option. */
static const char *decode_name(int key) {
    static const struct {
        int key;
        const char *name;
    } names[] = {{'b', "beam"},
                 {KEY_MAX, "max_tokens"},
                 {KEY_PENALTY, "length_penalty"},
                 {KEY_TEMPERATURE, "temperature"},
                 {KEY_TOP_K, "top_k"},
                 {KEY_TOP_P, "top_p"},
                 {KEY_BATCH, "batch"}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (names[i].key == key) return names[i].name;
    return NULL;
}

static error_t parse(int key, char *value, struct argp_state *state) {
    arguments *a = state->input;
    const char *name = decode_name(key);
    if (name) {
        if (sp_options_set(sp_decode_option_table, &a->decode, name, value))
            argp_error(state, "%s", sp_error());
        return 0;
    }
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &a->names;
        return 0;
    case 'r':
        a->records = true;
        return 0;
    case 'j':
        a->json = true;
        return 0;
    case KEY_SEED:
        a->seed = sp_argument_number(value, "seed", 0, INT_MAX, state);
        return 0;
    case ARGP_KEY_ARG:
        argp_error(state, "records come from standard input, one a line; '%s' is not wanted",
                   value);
        return 0;
    case ARGP_KEY_END:
        if (a->decode.beam > 1 && a->decode.temperature > 0)
            argp_error(state, "beam search does not sample: use --beam 1 or --temperature 0");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_child children[] = {{&sp_steered_parser, 0, NULL, 0}, {0}};
static const struct argp parser = {
    .options = options,
    .parser = parse,
    .children = children,
    .doc = "Reads records from standard input, one a line (as `softprompt data` shows them in "
           "\"input\"), and prints a text for each; with a run whose output is verbalizer or "
           "linear, the likeliest label, and with token-linear a tag for each of the words, which "
           "white "
           "space separates. A whole split: `softprompt data NAME --split test --json | "
           "softprompt generate --records --model NAME --adapter RUN.h5`."};

static void print_output(const arguments *a, const char *input, char *output) {
    if (!a->json) {
        for (char *c = output; *c; c++)
            if (*c == '\n' || *c == '\r') *c = ' '; /* a line a record */
        puts(output);
        return;
    }
    json_t *line = json_pack("{s:s?, s:s?}", "input", input, "output", output);
    sp_print_json(line, 0);
}

static void print_label(const arguments *a, const sp_class_head *head, const char *input, int label,
                        const float *probabilities) {
    if (!a->json) {
        puts(head->labels.data[label]);
        return;
    }
    json_t *shares = json_object();
    for (size_t i = 0; i < head->labels.len; i++)
        json_object_set_new(shares, head->labels.data[i], json_real((double)probabilities[i]));
    json_t *line = json_pack("{s:s?, s:s, s:o}", "input", input, "label", head->labels.data[label],
                             "probabilities", shares);
    sp_print_json(line, JSON_REAL_PRECISION(6));
}

/* tags [count] of the words of `input`. */
static void print_tags(const arguments *a, const sp_class_head *head, const char *input,
                       const int *tags, size_t count) {
    if (!a->json) {
        for (size_t i = 0; i < count; i++) printf("%s%s", i ? " " : "", head->labels.data[tags[i]]);
        putchar('\n');
        return;
    }
    json_t *names = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(names, json_string(head->labels.data[tags[i]]));
    json_t *line = json_pack("{s:s?, s:o}", "input", input, "tags", names);
    sp_print_json(line, 0);
}

/* Lines that are read before any text is printed. Samples depend on the place in a group and on the
 * group's number, not on --batch. */
enum { GROUP = 256 };

static sp_status answer_texts(const arguments *a, sp_steered *s, const sp_strings *lines,
                              uint64_t seed) {
    sp_ints *inputs = sp_alloc(lines->len, sizeof *inputs);
    sp_ints *outputs = sp_alloc(lines->len, sizeof *outputs);
    sp_status st = SP_OK;
    for (size_t i = 0; !st && i < lines->len; i++)
        st = sp_steered_input(s, lines->data[i], &inputs[i]);
    sp_steering steering = sp_soft_prompt_steering(&s->prompt);
    if (!st)
        st = sp_generate(s->model, &a->decode, &steering, inputs, lines->len, seed, NULL, NULL,
                         outputs);
    for (size_t i = 0; i < lines->len; i++) {
        char *text = sp_tokenizer_text(s->tokenizer, &outputs[i]);
        if (!st) print_output(a, lines->data[i], text);
        free(text);
        sp_ints_free(&inputs[i]);
        sp_ints_free(&outputs[i]);
    }
    free(inputs);
    free(outputs);
    return st;
}

static sp_status encode_lines(const sp_steered *s, const sp_strings *lines, sp_examples *out) {
    sp_split split = {0};
    for (size_t i = 0; i < lines->len; i++) {
        sp_example *example = sp_split_add(&split);
        example->input = sp_strdup(lines->data[i]);
        example->label = -1;
    }
    sp_status st = sp_examples_encode(&split, s->head.output, s->prompt.separator, s->tokenizer,
                                      sp_examples_end(s->model), out);
    sp_split_free(&split);
    return st;
}

static void print_answers(const arguments *a, const sp_steered *s, const sp_examples *examples,
                          const sp_strings *lines, const int *labels, const float *probabilities) {
    for (size_t i = 0; i < lines->len; i++) {
        size_t words = examples->records[i].words.len;
        if (words)
            print_tags(a, &s->head, lines->data[i], labels, words);
        else
            print_label(a, &s->head, lines->data[i], *labels, probabilities);
        size_t answers = words ? words : 1;
        labels += answers;
        probabilities += answers * s->head.labels.len;
    }
}

static sp_status answer_labels(const arguments *a, sp_steered *s, const sp_strings *lines) {
    sp_examples examples;
    sp_status st = encode_lines(s, lines, &examples);
    if (st) return st;
    size_t count = sp_examples_label_count(&examples, lines->len);
    int *labels = sp_alloc(count, sizeof *labels);
    float *probabilities = sp_alloc_floats(count * s->head.labels.len);
    sp_classify_job job = {.model = s->model,
                           .head = &s->head,
                           .prompt = &s->prompt,
                           .examples = &examples,
                           .count = lines->len,
                           .batch = a->decode.batch};
    st = sp_classify(&job, labels, probabilities);
    if (!st) print_answers(a, s, &examples, lines, labels, probabilities);
    sp_examples_free(&examples);
    free(labels);
    free(probabilities);
    return st;
}

/* One group of lines, the first of which follows line *number; *count is 0 at the end of the input.
 */
static sp_status run_group(const arguments *a, sp_steered *s, long *number, size_t *count) {
    long first = *number + 1;
    uint64_t seed = ((uint64_t)a->seed << 32) + (uint64_t)(*number / GROUP);
    sp_strings lines = {0};
    sp_status st = sp_read_records(a->records, GROUP, number, &lines);
    *count = lines.len;
    if (!st && lines.len) {
        st = s->head.output == SP_OUTPUT_TEXT ? answer_texts(a, s, &lines, seed)
                                              : answer_labels(a, s, &lines);
        if (st == SP_ERR_DATA) sp_fail_in(st, "standard input:%ld-%ld", first, *number);
    }
    fflush(stdout);
    sp_strings_free(&lines);
    return st;
}

static sp_status run(int argc, char **argv) {
    arguments a = {.seed = 1};
    sp_options_default(sp_decode_option_table, &a.decode);
    argp_parse(&parser, argc, argv, 0, NULL, &a);
    sp_steered s;
    sp_status st = sp_steered_open(&a.names, &s);
    long number = 0;
    for (size_t count = 1; !st && count > 0;) st = run_group(&a, &s, &number, &count);
    sp_steered_close(&s);
    return st;
}

const sp_command sp_command_generate = {
    .name = "generate",
    .help = "texts, labels or tags for records, with or without a tuned prompt",
    .run = run};
