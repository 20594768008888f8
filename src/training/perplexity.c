#include "training/perplexity.h"

#include "training/packed.h"

sp_status sp_encode_document(const sp_model *model, const sp_tokenizer *tokenizer, const char *text,
                             size_t len, sp_ints *ids) {
    ids->len = 0;
    sp_status st = sp_tokenizer_encode(tokenizer, text, len, ids);
    if (st) return st;
    sp_ints_push(ids, model->config.eos_token_id);
    size_t longest = (size_t)model->config.n_positions + 1;
    if (ids->len > longest) ids->len = longest;
    return SP_OK;
}

/* Adds the loss of a batch to the sums in `out`; out->loss is a sum here. */
static void add_batch(const sp_model *model, sp_packed *batch, sp_tape *tape, sp_perplexity *out) {
    long scored = sp_packed_scored(batch);
    if (!scored) return;
    sp_context ctx = sp_packed_context(batch, NULL);
    sp_var *hidden = sp_model_forward(tape, model, batch->ids.data, &ctx);
    sp_var *loss = sp_lm_loss(tape, hidden, model->head, batch->targets.data, NULL);
    out->loss += (double)scored * (double)loss->data[0];
    out->tokens += scored;
    sp_tape_reset(tape);
}

sp_status sp_measure_perplexity(const sp_model *model, const sp_tokenizer *tokenizer,
                                sp_documents documents, size_t limit, long pass_tokens,
                                sp_tape *tape, sp_perplexity *out) {
    sp_packed batch = {0};
    sp_ints ids = {0};
    sp_status st = sp_model_check_causal(model);
    const char *text;
    size_t len;
    bool inference = tape->inference;
    tape->inference = true;
    *out = (sp_perplexity){0};
    sp_packed_clear(&batch);
    while (!st && out->documents < limit && sp_next_document(&documents, &text, &len)) {
        st = sp_encode_document(model, tokenizer, text, len, &ids);
        if (!st && ids.len >= 2) sp_packed_add(&batch, ids.data, ids.len, 1);
        out->documents++;
        if (sp_packed_tokens(&batch) < pass_tokens) continue;
        add_batch(model, &batch, tape, out);
        sp_packed_clear(&batch);
    }
    if (!st) add_batch(model, &batch, tape, out);
    if (!st && !out->tokens) st = sp_fail(SP_ERR_DATA, "holds no document with tokens to predict");
    if (!st) out->loss /= (double)out->tokens;
    tape->inference = inference;
    sp_packed_free(&batch);
    sp_ints_free(&ids);
    return st;
}
