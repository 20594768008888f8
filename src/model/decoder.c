#include "core/clock.h"
#include "model/decoding.h"

#include <math.h>

void sp_decoder_init(sp_decoder *d, const sp_model *model, const sp_steering *steering, int slots,
                     int capacity) {
    *d = (sp_decoder){.model = model, .steering = steering, .tape = {.inference = true}};
    sp_cache_init(&d->cache, model->config.n_layer, slots, capacity,
                  sp_config_kv_width(&model->config));
}

void sp_decoder_free(sp_decoder *d) {
    sp_cache_free(&d->cache);
    sp_tape_free(&d->tape);
    sp_ints_free(&d->offsets);
    sp_ints_free(&d->positions);
    sp_ints_free(&d->prefix_from);
    sp_ints_free(&d->last_rows);
}

/* Positions of the next `count` tokens of a slot; those before the prefix are not shifted. */
static void add_sequence(sp_decoder *d, int slot, int count) {
    int held = d->cache.length[slot];
    if (held == 0) d->cache.prefix_from[slot] = d->steering->infix ? count - 1 : 0;
    int from = d->cache.prefix_from[slot];
    for (int k = held; k < held + count; k++)
        sp_ints_push(&d->positions, k < from ? k : d->steering->first_position + k);
    sp_ints_push(&d->offsets, (int)d->positions.len);
    sp_ints_push(&d->prefix_from, from);
    sp_ints_push(&d->last_rows, (int)d->positions.len - 1);
}

/* A hidden state that is not finite makes every logit NaN: the first tells. */
static sp_status check_finite(const sp_var *logits) {
    for (long r = 0; r < logits->rows; r++)
        if (!isfinite(logits->data[r * logits->ld]))
            return sp_fail(SP_ERR_NUMERIC, "the logits are not finite numbers; the weights of "
                                           "model or prompt are damaged, train them again");
    return SP_OK;
}

sp_status sp_decoder_feed(sp_decoder *d, int sequences, const int *slots, const int *counts,
                          const int *ids, float **logits) {
    if (sp_interrupted()) return sp_fail(SP_ERR_INTERRUPTED, "stopped while generating");
    sp_tape_reset(&d->tape);
    d->offsets.len = d->positions.len = d->prefix_from.len = d->last_rows.len = 0;
    sp_ints_push(&d->offsets, 0);
    for (int i = 0; i < sequences; i++) add_sequence(d, slots[i], counts[i]);
    sp_context ctx = {.sequences = sequences,
                      .offsets = d->offsets.data,
                      .positions = d->positions.data,
                      .steering = d->steering,
                      .prefix_from = d->steering->infix ? d->prefix_from.data : NULL,
                      .cache = &d->cache,
                      .slots = slots,
                      .wanted = d->last_rows.data,
                      .wanted_count = sequences};
    sp_var *hidden = sp_model_forward(&d->tape, d->model, ids, &ctx);
    sp_cache_advance(&ctx);
    sp_var *last = sp_model_logits(&d->tape, d->model, hidden, sequences);
    *logits = last->data;
    return check_finite(last);
}

int sp_decoder_room(const sp_model *model, const sp_steering *steering,
                    const sp_decode_options *options, size_t length) {
    long room = (long)model->config.n_positions - steering->first_position - (long)length;
    return room < options->max_tokens ? (int)room : options->max_tokens;
}
