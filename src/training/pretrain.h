/* Pretraining of a ladder model on documents, from a spec in experiments/pretrain/. */
#ifndef SP_TRAINING_PRETRAIN_H
#define SP_TRAINING_PRETRAIN_H

#include "format/yaml.h"
#include "model/model.h"
#include "training/options.h"

typedef struct sp_pretrain_spec {
    char name[SP_OPTION_TEXT];
    char corpus[SP_OPTION_TEXT]; /* folder with train.txt and heldout.txt */
    char tokenizer[SP_OPTION_TEXT];
    int n_positions, n_embd, n_layer, n_head;
    int tokens_per_step, heldout_documents, seed;
    sp_train_options train;
} sp_pretrain_spec;

/* SP_ERR_SPEC with file:line. */
sp_status sp_pretrain_spec_read(const char *path, sp_pretrain_spec *out);

typedef struct sp_pretrain_state {
    const char *name;
    long step, steps;
    double loss, heldout_loss, learning_rate; /* heldout_loss is 0 before the first evaluation */
    double tokens, tokens_per_second, seconds_left;
} sp_pretrain_state;

typedef void sp_pretrain_report(void *user, const sp_pretrain_state *state);

/* Trains, checkpointing to `<work>/<name>.h5` and going on from there if it exists, and at the end
 * writes the model into models/<name> style folder `out` (fp16 safetensors, tokenizer.json).
 * SP_ERR_INTERRUPTED after a checkpoint. `final` receives the last state. */
sp_status sp_pretrain(const sp_pretrain_spec *spec, const char *work, const char *out,
                      sp_pretrain_report *report, void *user, sp_pretrain_state *final);

#endif
