/* Pretraining of a ladder model on documents, from a spec in experiments/pretrain/. */
#ifndef SP_TRAINING_PRETRAIN_H
#define SP_TRAINING_PRETRAIN_H

#include "core/progress.h"
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

typedef struct sp_pretrain_result {
    long steps;                  /* done, all sessions together */
    double heldout_loss, tokens; /* nats a token; tokens seen */
} sp_pretrain_result;

/* Trains, checkpointing to `<work>/<name>.h5` and going on from there if it exists, and at the end
 * writes the model into models/<name> style folder `out` (fp16 safetensors, tokenizer.json).
 * Between sessions steps, decay, evaluations and checkpoint times may change; a checkpoint made
 * with another model, corpus, tokenizer or optimizer is SP_ERR_FORMAT. SP_ERR_INTERRUPTED after a
 * checkpoint. */
sp_status sp_pretrain(const sp_pretrain_spec *spec, const char *work, const char *out,
                      const sp_progress *progress, sp_pretrain_result *result);

#endif
