#include "training/probe.h"

#include "core/random.h"
#include "model/generate.h"
#include "tensor/kernels.h"
#include "training/packed.h"
#include "training/record.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LENGTH = SP_INDUCTION_LENGTH, FED = 2 * LENGTH - 1 };

static void list_ordinary_tokens(const sp_tokenizer *tokenizer, sp_ints *out) {
    for (int id = 0; id < sp_tokenizer_size(tokenizer); id++)
        if (!sp_tokenizer_is_special(tokenizer, id) && sp_tokenizer_token(tokenizer, id)[0])
            sp_ints_push(out, id);
}

/* Adds what a row of logits [vocabulary] (overwritten) says of `target`. */
static void add_row(float *logits, int vocabulary, int target, sp_copy_score *score) {
    bool best = true;
    for (int id = 0; best && id < vocabulary; id++)
        best = id < target ? logits[id] < logits[target] : logits[id] <= logits[target];
    float shift = sp_max(vocabulary, logits), shifted = logits[target] - shift;
    score->accuracy += best;
    score->logprob += (double)(shifted - logf(sp_exp_sum(vocabulary, logits, shift, logits)));
}

static void score_sequence(const sp_model *model, const int *ids /* [2 * LENGTH] */, sp_tape *tape,
                           sp_packed *batch, sp_induction *out) {
    sp_packed_clear(batch);
    sp_packed_add(batch, ids, 2 * LENGTH, 1);
    sp_context ctx = sp_packed_context(batch, NULL);
    sp_var *hidden = sp_model_forward(tape, model, batch->ids.data, &ctx);
    sp_var *logits = sp_model_logits(tape, model, hidden, FED);
    for (int i = 0; i < FED; i++) {
        if (i == LENGTH - 1) continue; /* predicts the first token of the second copy */
        add_row(logits->data + i * logits->ld, (int)logits->cols, ids[i + 1],
                i < LENGTH ? &out->first : &out->second);
    }
    sp_tape_reset(tape);
}

static void take_mean(sp_copy_score *score) {
    double count = SP_INDUCTION_SEQUENCES * (LENGTH - 1);
    score->accuracy /= count;
    score->logprob /= count;
}

sp_status sp_probe_induction(const sp_model *model, const sp_tokenizer *tokenizer,
                             sp_induction *out) {
    if (model->config.n_positions < FED)
        return sp_fail(SP_ERR_DATA,
                       "the context of %d tokens is too short for the copying probe, "
                       "which needs %d",
                       model->config.n_positions, FED);
    sp_ints ordinary = {0};
    list_ordinary_tokens(tokenizer, &ordinary);
    if (!ordinary.len) return sp_fail(SP_ERR_DATA, "the tokenizer has only special tokens");
    sp_rng rng = sp_rng_make(1, "induction");
    sp_tape tape = {.inference = true};
    sp_packed batch = {0};
    *out = (sp_induction){0};
    for (int s = 0; s < SP_INDUCTION_SEQUENCES; s++) {
        int ids[2 * LENGTH];
        for (int i = 0; i < LENGTH; i++)
            ids[i] = ids[LENGTH + i] = ordinary.data[sp_rng_below(&rng, (uint32_t)ordinary.len)];
        score_sequence(model, ids, &tape, &batch, out);
    }
    take_mean(&out->first);
    take_mean(&out->second);
    sp_packed_free(&batch);
    sp_tape_free(&tape);
    sp_ints_free(&ordinary);
    return SP_OK;
}

typedef struct chosen_records {
    sp_ints inputs[SP_NAMES_RECORDS];    /* record and line end */
    sp_strings values[SP_NAMES_RECORDS]; /* those the reference mentions */
    size_t count;
} chosen_records;

static sp_status encode_input(const sp_tokenizer *tokenizer, const char *document,
                              const sp_told_record *record, sp_ints *out) {
    return sp_tokenizer_encode(tokenizer, document, record->head_len + 1, out);
}

/* Whether record, reference and end token fit; fills the record's input. */
static sp_status encode_record(const sp_model *model, const sp_tokenizer *tokenizer,
                               const char *document, const sp_told_record *record, sp_ints *input,
                               bool *fits) {
    sp_ints reference = {0};
    sp_status st = encode_input(tokenizer, document, record, input);
    if (!st) st = sp_tokenizer_encode(tokenizer, record->text, record->text_len, &reference);
    *fits = input->len && reference.len <= SP_NAMES_TOKENS &&
            input->len + reference.len + 1 <= (size_t)model->config.n_positions;
    sp_ints_free(&reference);
    return st;
}

static void keep_mentioned(const sp_told_record *record, sp_strings *out) {
    for (size_t i = 0; i < record->values.len; i++)
        if (sp_text_mentions(record->text, record->text_len, record->values.data[i]))
            sp_strings_push(out, record->values.data[i]);
}

static sp_status consider(const sp_model *model, const sp_tokenizer *tokenizer,
                          const char *document, size_t len, chosen_records *chosen) {
    sp_told_record record;
    sp_ints *input = &chosen->inputs[chosen->count];
    sp_strings *values = &chosen->values[chosen->count];
    bool fits = false;
    sp_status st = SP_OK;
    if (sp_record_parse(document, len, &record)) {
        keep_mentioned(&record, values);
        if (values->len) st = encode_record(model, tokenizer, document, &record, input, &fits);
    }
    sp_record_free(&record);
    if (!st && fits) {
        chosen->count++;
        return SP_OK;
    }
    sp_ints_free(input);
    sp_strings_free(values);
    return st;
}

static sp_status choose_records(const sp_model *model, const sp_tokenizer *tokenizer,
                                sp_documents documents, chosen_records *chosen) {
    sp_status st = SP_OK;
    const char *text;
    size_t len;
    while (!st && chosen->count < SP_NAMES_RECORDS && sp_next_document(&documents, &text, &len))
        st = consider(model, tokenizer, text, len, chosen);
    return st;
}

static void count_copied(const sp_tokenizer *tokenizer, const sp_ints *output,
                         const sp_strings *values, sp_names *out) {
    sp_buf text = {0};
    sp_tokenizer_decode(tokenizer, output->data, output->len, true, &text);
    for (size_t i = 0; i < values->len; i++)
        out->copied += text.len && sp_text_mentions(text.data, text.len, values->data[i]);
    out->values += values->len;
    sp_buf_free(&text);
}

static sp_status complete_records(const sp_model *model, const sp_tokenizer *tokenizer,
                                  const chosen_records *chosen, sp_names *out) {
    sp_decode_options options;
    sp_options_default(sp_decode_option_table, &options);
    options.beam = 1;
    options.temperature = 0;
    options.max_tokens = SP_NAMES_TOKENS;
    sp_steering plain = {0};
    sp_ints outputs[SP_NAMES_RECORDS] = {0};
    sp_status st =
        sp_generate(model, &options, &plain, chosen->inputs, chosen->count, 1, NULL, NULL, outputs);
    for (size_t i = 0; !st && i < chosen->count; i++)
        count_copied(tokenizer, &outputs[i], &chosen->values[i], out);
    for (size_t i = 0; i < chosen->count; i++) sp_ints_free(&outputs[i]);
    out->records = chosen->count;
    return st;
}

sp_status sp_probe_names(const sp_model *model, const sp_tokenizer *tokenizer,
                         sp_documents documents, sp_names *out) {
    chosen_records chosen = {0};
    *out = (sp_names){0};
    sp_status st = choose_records(model, tokenizer, documents, &chosen);
    if (!st && chosen.count) st = complete_records(model, tokenizer, &chosen, out);
    for (size_t i = 0; i < chosen.count; i++) {
        sp_ints_free(&chosen.inputs[i]);
        sp_strings_free(&chosen.values[i]);
    }
    return st;
}
