#include "tuning/class_head.h"

#include "tuning/init.h"
#include "tuning/prompt_file.h"

#include <stdlib.h>
#include <string.h>

const char *const sp_output_names[] = {"text", "verbalizer", "linear", "token-linear", NULL};

#define GROUP "/prompt/score"

static void add_linear(sp_class_head *h, const sp_model *model) {
    long labels = (long)h->labels.len;
    h->weight = sp_params_add(&h->params, "score.weight", 2, labels, model->config.n_embd);
    h->bias = sp_params_add(&h->params, "score.bias", 1, 1, labels);
    if (h->output == SP_OUTPUT_TOKEN_LINEAR || !model->family->dense_class_head) return;
    long d = model->config.n_embd;
    h->dense_weight = sp_params_add(&h->params, "score.dense.weight", 2, d, d);
    h->dense_bias = sp_params_add(&h->params, "score.dense.bias", 1, 1, d);
}

static void start_linear(sp_class_head *h, uint64_t seed) {
    sp_rng rng = sp_rng_make(seed, "class head");
    sp_init_linear(h->weight, h->bias, &rng);
    if (h->dense_weight) sp_init_linear(h->dense_weight, h->dense_bias, &rng);
    sp_params_train(&h->params, true);
}

/* ---- label words ---- */

static char *joined_tokens(const sp_tokenizer *tokenizer, const sp_ints *ids) {
    sp_buf text = {0};
    for (size_t i = 0; i < ids->len; i++)
        sp_buf_printf(&text, "%s'%s'", i ? " " : "", sp_tokenizer_token(tokenizer, ids->data[i]));
    return ids->len ? sp_buf_take(&text) : sp_strdup("none");
}

static sp_status refuse_word(const char *label, const char *word, const sp_tokenizer *tokenizer,
                             const sp_ints *ids) {
    char *tokens = joined_tokens(tokenizer, ids);
    sp_status st =
        sp_fail(SP_ERR_SPEC,
                "label '%s': its word '%s' has %zu tokens (%s), but output verbalizer "
                "needs words of one; use another word, a separator that ends in a letter or colon "
                "(the word then begins with a space), or output text or linear",
                label, word, ids->len, tokens);
    free(tokens);
    return st;
}

static sp_status check_unused(const sp_class_head *h, const char *label, const char *word,
                              int token) {
    for (size_t i = 0; i < h->words.len; i++)
        if (h->words.data[i] == token)
            return sp_fail(SP_ERR_SPEC,
                           "label '%s': its word '%s' is also one of label '%s'; use another word, "
                           "or output linear",
                           label, word, h->labels.data[h->label_of.data[i]]);
    return SP_OK;
}

static sp_status add_word(sp_class_head *h, int label, const char *word,
                          const sp_tokenizer *tokenizer) {
    sp_ints ids = {0};
    const char *name = h->labels.data[label];
    sp_status st = sp_tokenizer_encode(tokenizer, word, strlen(word), &ids);
    if (!st && ids.len != 1) st = refuse_word(name, word, tokenizer, &ids);
    if (!st) st = check_unused(h, name, word, ids.data[0]);
    if (!st) {
        sp_ints_push(&h->words, ids.data[0]);
        sp_ints_push(&h->label_of, label);
    }
    sp_ints_free(&ids);
    return st;
}

static sp_status add_words(sp_class_head *h, const sp_label *labels,
                           const sp_tokenizer *tokenizer) {
    sp_status st = SP_OK;
    for (size_t i = 0; !st && i < h->labels.len; i++) {
        if (labels[i].words.len == 0)
            return sp_fail(SP_ERR_SPEC, "label '%s' has no word; give it one, or use output linear",
                           labels[i].name);
        for (size_t k = 0; !st && k < labels[i].words.len; k++)
            st = add_word(h, (int)i, labels[i].words.data[k], tokenizer);
    }
    return st;
}

/* Encoders fine-tuned for other ends have lost theirs. */
static sp_status check_predictor(const sp_model *model) {
    if (!model->family->bidirectional || sp_model_has(model, SP_PART_PREDICTOR)) return SP_OK;
    return sp_fail(
        SP_ERR_SPEC,
        "output verbalizer needs a masked-LM head, which the model's checkpoint does not "
        "have; use output linear, or a checkpoint of %s with it",
        model->config.model_type);
}

sp_status sp_class_head_create(sp_output output, const sp_label *labels, size_t count,
                               const sp_tokenizer *tokenizer, const sp_model *model, uint64_t seed,
                               sp_class_head *h) {
    *h = (sp_class_head){.output = output};
    if (count < 2)
        return sp_fail(SP_ERR_DATA, "there is %zu label; a classifier needs at least two", count);
    for (size_t i = 0; i < count; i++) sp_strings_push(&h->labels, labels[i].name);
    sp_status st = SP_OK;
    if (output == SP_OUTPUT_VERBALIZER) {
        st = check_predictor(model);
        if (!st) st = add_words(h, labels, tokenizer);
    } else {
        add_linear(h, model);
        start_linear(h, seed);
    }
    if (st) sp_class_head_free(h);
    return st;
}

void sp_class_head_free(sp_class_head *h) {
    sp_strings_free(&h->labels);
    sp_ints_free(&h->words);
    sp_ints_free(&h->label_of);
    sp_params_free(&h->params);
    *h = (sp_class_head){0};
}

void sp_class_head_freeze_rest(const sp_class_head *h, sp_model *model) {
    for (size_t i = 0; i < model->params.count; i++) {
        sp_param *p = model->params.items[i];
        bool unread = (p->part == SP_PART_POOLER && h->output != SP_OUTPUT_LINEAR) ||
                      (p->part == SP_PART_PREDICTOR && h->output != SP_OUTPUT_VERBALIZER);
        if (unread) sp_leaf_train(&p->var, false);
    }
}

/* ---- logits ---- */

static sp_var *linear_logits(sp_tape *t, const sp_class_head *h, const sp_model *model,
                             sp_var *hidden) {
    sp_var *x = h->output == SP_OUTPUT_LINEAR ? sp_model_pool(t, model, hidden) : hidden;
    sp_linear_map dense = {h->dense_weight, h->dense_bias, true}, map = {h->weight, h->bias, true};
    return sp_linear(t, dense.weight ? sp_tanh(t, sp_linear(t, x, &dense)) : x, &map);
}

sp_var *sp_class_logits(sp_tape *t, const sp_class_head *h, const sp_model *model, sp_var *hidden) {
    if (h->output != SP_OUTPUT_VERBALIZER) return linear_logits(t, h, model, hidden);
    long count = (long)h->words.len;
    sp_var *bias = model->head_bias;
    if (bias) bias = sp_gather_columns(t, bias, h->words.data, count);
    sp_var *words = sp_gather_rows(t, model->head, h->words.data, count);
    sp_linear_map map = {words, bias, true}; /* the LM head's rows of the label words */
    sp_var *logits = sp_linear(t, sp_model_predict(t, model, hidden), &map);
    if (h->words.len == h->labels.len) return logits; /* a word each, in the order of the labels */
    return sp_group_logsumexp(t, logits, h->label_of.data, (int)h->labels.len);
}

sp_var *sp_class_mask(sp_tape *t, sp_var *logits, const bool *allowed, const int *task) {
    if (!allowed) return logits;
    sp_var *mask = sp_var_new(t, logits->rows, logits->cols, false);
    for (long r = 0; r < mask->rows; r++)
        for (long c = 0; c < mask->cols; c++)
            mask->data[r * mask->ld + c] = allowed[task[r] * logits->cols + c] ? 0.0f : -1e9f;
    return sp_add(t, logits, mask);
}

int sp_class_best(const sp_class_head *h, const float *logits) {
    int best = 0;
    for (int i = 1; i < (int)h->labels.len; i++)
        if (logits[i] > logits[best]) best = i;
    return best;
}

/* ---- the group /prompt/score ---- */

sp_status sp_class_head_write(const sp_class_head *h, sp_h5 *file) {
    sp_status st = sp_h5_set_text(file, GROUP, "output", sp_output_names[h->output]);
    if (!st)
        st = sp_h5_write_texts(file, GROUP "/labels", (const char *const *)h->labels.data,
                               h->labels.len);
    if (h->output == SP_OUTPUT_VERBALIZER) {
        if (!st) st = sp_prompt_write_ids(file, GROUP "/words", &h->words);
        return st ? st : sp_prompt_write_ids(file, GROUP "/label_of", &h->label_of);
    }
    size_t dims[2] = {h->labels.len, (size_t)h->weight->cols};
    if (!st) st = sp_h5_write_floats(file, GROUP "/weight", 2, dims, h->weight->data);
    if (!st) st = sp_h5_write_floats(file, GROUP "/bias", 1, dims, h->bias->data);
    if (st || !h->dense_weight) return st;
    dims[0] = dims[1];
    st = sp_h5_write_floats(file, GROUP "/dense_weight", 2, dims, h->dense_weight->data);
    return st ? st : sp_h5_write_floats(file, GROUP "/dense_bias", 1, dims, h->dense_bias->data);
}

/* Every label has a word, and the words are in the order of the labels. */
static bool words_fit(const sp_class_head *h) {
    if (h->words.len != h->label_of.len) return false;
    int label = -1;
    for (size_t i = 0; i < h->label_of.len; i++) {
        int step = h->label_of.data[i] - label;
        if (step < 0 || step > 1) return false;
        label += step;
    }
    return label + 1 == (int)h->labels.len;
}

static sp_status read_words(sp_h5 *file, const sp_model *model, sp_class_head *h) {
    sp_status st = sp_prompt_read_ids(file, GROUP "/words", 0, model->config.vocab_size, &h->words);
    if (!st) st = sp_prompt_read_ids(file, GROUP "/label_of", 0, (long)h->labels.len, &h->label_of);
    return st || words_fit(h) ? st : sp_prompt_misfit(file, GROUP "/label_of");
}

/* Room is made for the labels only if the file has as many weights. */
static sp_status read_linear(sp_h5 *file, const sp_model *model, sp_class_head *h) {
    int rank = 0;
    size_t dims[3], count = 1;
    sp_status st = sp_h5_shape(file, GROUP "/weight", &rank, dims);
    for (int i = 0; i < rank; i++) count *= dims[i];
    if (!st && count != h->labels.len * (size_t)model->config.n_embd)
        st = sp_prompt_misfit(file, GROUP "/weight");
    if (st) return st;
    add_linear(h, model);
    st = sp_prompt_read_var(file, GROUP "/weight", h->weight);
    if (!st) st = sp_prompt_read_var(file, GROUP "/bias", h->bias);
    if (st || !h->dense_weight) return st;
    st = sp_prompt_read_var(file, GROUP "/dense_weight", h->dense_weight);
    return st ? st : sp_prompt_read_var(file, GROUP "/dense_bias", h->dense_bias);
}

sp_status sp_class_head_read(sp_h5 *file, const sp_model *model, sp_class_head *h) {
    *h = (sp_class_head){0};
    if (!sp_h5_is_group(file, GROUP)) return SP_OK;
    char *output = NULL;
    sp_status st = sp_h5_get_text(file, GROUP, "output", &output);
    if (!st) st = sp_h5_read_texts(file, GROUP "/labels", &h->labels);
    if (!st && h->labels.len < 2) st = sp_prompt_misfit(file, GROUP "/labels");
    if (st) {
        free(output);
        sp_class_head_free(h);
        return st;
    }
    for (int i = 0; sp_output_names[i]; i++)
        if (strcmp(output, sp_output_names[i]) == 0) h->output = (sp_output)i;
    if (h->output == SP_OUTPUT_TEXT)
        st = sp_prompt_misfit(file, GROUP);
    else if (h->output == SP_OUTPUT_VERBALIZER)
        st = read_words(file, model, h);
    else
        st = read_linear(file, model, h);
    free(output);
    if (st) sp_class_head_free(h);
    return st;
}
