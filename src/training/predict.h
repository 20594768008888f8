/* Texts for the records of a split, from a model steered by a soft prompt. */
#ifndef SP_TRAINING_PREDICT_H
#define SP_TRAINING_PREDICT_H

#include "model/generate.h"
#include "training/examples.h"
#include "tuning/soft_prompt.h"

/* Appends one hypothesis a record, in the order of the records: what is generated up to the end
 * token, without end-of-line characters at its ends. Updates of low rank are merged into the model
 * meanwhile. Errors as sp_generate. `on_done` (may be NULL) is told how many records are done. */
sp_status sp_predict(sp_model *model, sp_soft_prompt *prompt, const sp_tokenizer *tokenizer,
                     const sp_decode_options *options, const sp_examples *examples, size_t count,
                     uint64_t seed, void (*on_done)(void *user, size_t done), void *user,
                     sp_strings *out);

/* The same for templates [voters], whose virtual tokens are rows of the common steering: each
 * record is put once per template, `batch` records of the options at a time, in the same forward
 * passes. out [voters] each receive a hypothesis a record. Nothing is merged. */
sp_status sp_predict_together(const sp_model *model, const sp_steering *steering,
                              const sp_template *const *templates, size_t voters,
                              const sp_tokenizer *tokenizer, const sp_decode_options *options,
                              const sp_examples *examples, size_t count, uint64_t seed,
                              void (*on_done)(void *user, size_t done), void *user,
                              sp_strings *out);

#endif
