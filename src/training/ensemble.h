/* Several soft prompts of one model as voters (Prompt Tuning, Lester et al. 2021, section 6): one
 * copy of the model serves them all, and prompts that are rows of the input serve in one batch. */
#ifndef SP_TRAINING_ENSEMBLE_H
#define SP_TRAINING_ENSEMBLE_H

#include "training/classify.h"
#include "training/predict.h"

/* Start from {0}; release with sp_ensemble_free, which leaves what is borrowed. */
typedef struct sp_ensemble {
    sp_model *model;            /* borrowed, as the next two are */
    sp_soft_prompt *prompts;    /* [count] with their updates of low rank unmerged */
    const sp_class_head *heads; /* [count] */
    size_t count;
    bool together; /* all prompts are virtual rows: an example is in one batch once per prompt */
    sp_var rows;   /* [sum of their lengths, n_embd] all virtual rows, if together */
    sp_template *templates; /* [count] the prompts', their virtual tokens being those of `rows` */
} sp_ensemble;

/* SP_ERR_SPEC if separators, forms of the answers or labels differ; the message counts prompts from
 * 1. */
sp_status sp_ensemble_make(sp_model *model, sp_soft_prompt *prompts, const sp_class_head *heads,
                           size_t count, sp_ensemble *out);
void sp_ensemble_free(sp_ensemble *ensemble);

/* Labels [count, n] and probabilities [count, n, labels] of the first `examples_count` examples by
 * each prompt, n as for sp_classify; `batch` examples at a time. Prompts that do not serve together
 * do so one after the other. Errors as sp_classify. */
sp_status sp_ensemble_classify(sp_ensemble *ensemble, const sp_examples *examples,
                               size_t examples_count, int batch, int *labels, float *probabilities);

/* The text that each prompt leads to, appended to out [count]. Errors as sp_predict. */
sp_status sp_ensemble_predict(sp_ensemble *ensemble, const sp_tokenizer *tokenizer,
                              const sp_decode_options *options, const sp_examples *examples,
                              size_t examples_count, sp_strings *out);

#endif
