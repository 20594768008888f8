#include "experiment/setup.h"

#include "experiment/groups.h"
#include "experiment/transfer.h"
#include "tensor/cpu.h"
#include "tensor/gemm.h"
#include "tuning/frame.h"

#include <stdlib.h>
#include <string.h>

/* ---- model ---- */

/* The steps of a smaller model are too short to be shared well; two runs on a thread each wait for
 * no barrier. */
static const long PARAMETERS_FOR_TWO = 30000000;

static sp_status choose_threads(sp_setup *s) {
    int cpus = sp_cpu_count(), wanted = s->run->threads;
    s->threads = wanted ? wanted : sp_model_size(s->model) < PARAMETERS_FOR_TWO || cpus < 2 ? 1 : 2;
    if (s->threads <= cpus) return SP_OK;
    return sp_fail(SP_ERR_SPEC, "threads is %d, but %d CPUs may be used here; use 0 or at most %d",
                   wanted, cpus, cpus);
}

static sp_status open_model(sp_setup *s, sp_assets *assets) {
    sp_status st =
        sp_assets_model(assets, s->run->model, sp_run_precision(s->run), &s->model, &s->tokenizer);
    return st ? st : choose_threads(s);
}

/* ---- data ---- */

static bool is_encoder(const sp_setup *s) {
    return s->model->family->bidirectional;
}

static sp_status check_output(const sp_setup *s) {
    if (s->output == SP_OUTPUT_TEXT && is_encoder(s))
        return sp_fail(SP_ERR_SPEC,
                       "output is text, but model '%s' is an encoder (%s) and writes none; use "
                       "output linear or verbalizer with a data set that has labels, or another "
                       "model",
                       s->run->model, s->model->config.model_type);
    if (s->output == SP_OUTPUT_TEXT) return SP_OK;
    bool of_words = s->output == SP_OUTPUT_TOKEN_LINEAR;
    if (s->label_count && of_words == (s->task == SP_TAGGING)) return SP_OK;
    static const char *const lacks[][2] = {[SP_GENERATION] = {"no labels", "text"},
                                           [SP_CLASSIFICATION] = {"labels of texts", "linear"},
                                           [SP_TAGGING] = {"tags of words", "token-linear"}};
    return sp_fail(SP_ERR_SPEC, "output is %s, but data set '%s' has %s; use output %s or auto",
                   sp_output_names[s->output], s->run->dataset, lacks[s->task][0],
                   lacks[s->task][1]);
}

static sp_status choose_output(sp_setup *s) {
    const char *name = s->run->output;
    static const sp_output usual[] = {[SP_GENERATION] = SP_OUTPUT_TEXT,
                                      [SP_CLASSIFICATION] = SP_OUTPUT_VERBALIZER,
                                      [SP_TAGGING] = SP_OUTPUT_TOKEN_LINEAR};
    s->task = !s->label_count                    ? SP_GENERATION
              : sp_dataset_is_tagged(s->dataset) ? SP_TAGGING
                                                 : SP_CLASSIFICATION;
    if (strcmp(name, "auto") == 0) {
        s->output = usual[s->task];
        return check_output(s);
    }
    for (int i = 0; sp_output_names[i]; i++)
        if (strcmp(name, sp_output_names[i]) == 0) s->output = (sp_output)i;
    return check_output(s);
}

static sp_status open_part(sp_setup *s, sp_assets *assets, const char *split, int limit, int draw,
                           const sp_part **part) {
    sp_part_name name = {.dataset = s->run->dataset,
                         .split = split,
                         .limit = limit,
                         .draw = draw,
                         .model = s->run->model,
                         .output = s->output,
                         .tokenizer = s->tokenizer,
                         .eos = sp_examples_end(s->model)};
    return sp_assets_part(assets, &name, part);
}

/* A set has examples of two labels at least, but perhaps not the part of it that is used. */
static sp_status check_labels(const sp_setup *s) {
    if (!s->label_count) return SP_OK;
    int only = sp_split_only_label(&s->train->split);
    if (only < 0) return SP_OK;
    return sp_fail(SP_ERR_DATA,
                   "%s: data.limit is %d, and every training example has the label '%s'; a "
                   "classifier needs two labels, use a larger data.limit",
                   s->run->dataset, s->run->train_limit, s->labels[only].name);
}

/* The sets of a mixture are groups of scores. */
static sp_status check_groups(const sp_setup *s) {
    sp_strings parts = {0};
    sp_dataset_parts(s->dataset, &parts);
    sp_status st = SP_OK;
    for (size_t i = 0; !st && i < parts.len; i++) {
        const char *taken = sp_group_taken(parts.data[i]);
        if (taken)
            st = sp_fail(SP_ERR_DATA,
                         "%s: a set of the mixture is called '%s', which %s; give it "
                         "another name",
                         s->run->dataset, parts.data[i], taken);
    }
    sp_strings_free(&parts);
    return st;
}

static sp_status open_data(sp_setup *s, sp_assets *assets) {
    const sp_run_spec *run = s->run;
    sp_status st = sp_assets_dataset(assets, run->dataset, &s->dataset);
    if (!st) st = sp_dataset_labels(s->dataset, &s->labels, &s->label_count);
    if (!st) st = choose_output(s);
    if (!st) st = open_part(s, assets, "train", run->train_limit, run->subsample, &s->train);
    if (!st) st = open_part(s, assets, "dev", run->dev_limit, 0, &s->dev);
    if (!st) st = open_part(s, assets, "test", run->test_limit, 0, &s->test);
    if (!st) st = check_groups(s);
    if (!st) st = check_labels(s);
    return st ? st : sp_transfer_open(s, assets);
}

/* ---- method ---- */

static size_t longest_input(const sp_part *part) {
    size_t longest = 0;
    for (size_t i = 0; i < part->examples.count; i++)
        if (part->examples.records[i].input.len > longest)
            longest = part->examples.records[i].input.len;
    return longest;
}

/* Tokens of the longest pair that is trained or evaluated on, or of the longest input of a test
 * with one new token (where text is generated) and the end token. */
static long longest_example(const sp_setup *s) {
    size_t longest = s->train->examples.longest;
    size_t new_tokens = s->output == SP_OUTPUT_TEXT ? 2 : is_encoder(s) ? 0 : 1;
    if (s->dev->examples.longest > longest) longest = s->dev->examples.longest;
    if (longest_input(s->test) + new_tokens > longest)
        longest = longest_input(s->test) + new_tokens;
    for (size_t i = 0; i < s->run->transfer_count; i++)
        if (longest_input(s->transfer[i]) + new_tokens > longest)
            longest = longest_input(s->transfer[i]) + new_tokens;
    return (long)longest;
}

/* The longest sequence must fit beside the prompt and the special tokens; its last token is only a
 * target, which an encoder has none of. */
static sp_status check_context(const sp_setup *s) {
    const sp_run_spec *run = s->run;
    long context = s->model->config.n_positions, room = context + !is_encoder(s);
    long added = (long)(s->prompt.template.before.len + s->prompt.template.after.len) +
                 s->prompt.first_position;
    long longest = longest_example(s);
    long most = room - longest - (added - run->method_options.length);
    if (added + longest <= room) return SP_OK;
    if (longest > context || most < 0)
        return sp_fail(SP_ERR_DATA,
                       "%s: the longest example takes %ld tokens, but %s has a context of %ld; "
                       "shorten it or use another model",
                       run->dataset, longest, run->model, context);
    return sp_fail(SP_ERR_SPEC,
                   "%s: method.length is %d, but %s has a context of %ld and the longest example "
                   "takes %ld tokens; use at most %ld",
                   run->length_place, run->method_options.length, run->model, context, longest,
                   most);
}

/* Before a tuner of that length is made; check_context then counts the examples in. */
static sp_status check_length(const sp_setup *s) {
    const sp_run_spec *run = s->run;
    if (run->method_options.length <= s->model->config.n_positions) return SP_OK;
    return sp_fail(SP_ERR_SPEC, "%s: method.length is %d, but %s has a context of %d",
                   run->length_place, run->method_options.length, run->model,
                   s->model->config.n_positions);
}

/* The tokens of all words of each label. */
static sp_status encode_labels(const sp_setup *s, sp_ints *out /* [label_count] */) {
    sp_status st = SP_OK;
    for (size_t i = 0; !st && i < s->label_count; i++)
        for (size_t k = 0; !st && k < s->labels[i].words.len; k++) {
            const char *word = s->labels[i].words.data[k];
            st = sp_tokenizer_encode(s->tokenizer, word, strlen(word), &out[i]);
        }
    return st;
}

static sp_status create_tuner(sp_setup *s) {
    sp_ints *label_tokens = sp_alloc(s->label_count, sizeof *label_tokens);
    sp_init_source source = {
        .tokenizer = s->tokenizer, .label_tokens = label_tokens, .label_count = s->label_count};
    source.frequent_count =
        sp_examples_frequent(&s->train->examples, s->model->config.vocab_size, &s->frequent);
    source.frequent = s->frequent;
    sp_status st = encode_labels(s, label_tokens);
    if (!st)
        st = sp_tuner_create(s->run->method, &s->run->method_options, s->model, &source,
                             (uint64_t)s->run->seed, &s->tuner);
    for (size_t i = 0; i < s->label_count; i++) sp_ints_free(&label_tokens[i]);
    free(label_tokens);
    return st;
}

static sp_status create_head(sp_setup *s) {
    if (s->output == SP_OUTPUT_TEXT) return SP_OK;
    sp_status st = sp_class_head_create(s->output, s->labels, s->label_count, s->tokenizer,
                                        s->model, (uint64_t)s->run->seed, &s->head);
    return st ? sp_fail_in(st, "%s", s->run->dataset) : SP_OK;
}

/* The words of a decoder see nothing that stands behind them. */
static sp_status check_reach(const sp_setup *s) {
    if (s->output != SP_OUTPUT_TOKEN_LINEAR || is_encoder(s)) return SP_OK;
    if (s->prompt.infix)
        return sp_fail(SP_ERR_SPEC, "position is infix, but output token-linear reads the words "
                                    "before it; use position prefix");
    const sp_ints *after = &s->prompt.template.after;
    for (size_t i = 0; i < after->len; i++)
        if (after->data[i] < 0)
            return sp_fail(SP_ERR_SPEC,
                           "template is '%s', but with output token-linear the words of a decoder "
                           "do not see virtual tokens behind the input; use template P x",
                           s->run->method_options.template);
    return SP_OK;
}

/* Only what the head reads trains. */
static void freeze_unread(sp_setup *s) {
    if (s->output != SP_OUTPUT_TEXT) sp_class_head_freeze_rest(&s->head, s->model);
}

static sp_status place_frame(sp_setup *s) {
    sp_frame frame;
    sp_status st = sp_frame_open(s->tokenizer, &frame);
    if (!st) st = sp_frame_place(&frame, s->output, &s->prompt.template);
    sp_frame_free(&frame);
    return st ? sp_fail_in(st, "model '%s'", s->run->model) : SP_OK;
}

sp_status sp_setup_renew(sp_setup *s) {
    sp_soft_prompt_free(&s->prompt);
    sp_status st =
        sp_soft_prompt_from(&s->tuner, s->tokenizer, sp_dataset_separator(s->dataset), &s->prompt);
    return st || !is_encoder(s) ? st : place_frame(s);
}

sp_status sp_setup_load(const sp_run_spec *run, sp_assets *assets, sp_setup *s) {
    *s = (sp_setup){.run = run};
    sp_status st = open_model(s, assets);
    return st ? st : open_data(s, assets);
}

sp_status sp_setup_open(const sp_run_spec *run, sp_assets *assets, sp_setup *s) {
    sp_status st = sp_setup_load(run, assets, s);
    if (!st) st = sp_gemm_start(s->threads);
    if (!st) st = create_head(s);
    if (!st) st = check_length(s);
    if (!st) st = create_tuner(s);
    if (!st) freeze_unread(s);
    if (!st) st = sp_setup_renew(s);
    if (!st) st = check_reach(s);
    return st ? st : check_context(s);
}

void sp_setup_close(sp_setup *s) {
    sp_soft_prompt_free(&s->prompt);
    sp_class_head_free(&s->head);
    sp_tuner_free(&s->tuner);
    free(s->frequent);
    *s = (sp_setup){0};
}

sp_class_head *sp_setup_head(sp_setup *s) {
    return s->output == SP_OUTPUT_TEXT ? NULL : &s->head;
}

long sp_setup_trainable(const sp_setup *s) {
    return sp_params_trainable(&s->tuner.params) + sp_params_trainable(&s->model->params) +
           sp_params_trainable(&s->head.params);
}

long sp_setup_kept(const sp_setup *s) {
    return sp_soft_prompt_size(&s->prompt, s->model) + sp_params_trainable(&s->head.params);
}
