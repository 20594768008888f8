/* What a run works on: the model, the data as tokens, the tuner, and for labels a class head. */
#ifndef SP_EXPERIMENT_SETUP_H
#define SP_EXPERIMENT_SETUP_H

#include "experiment/run.h"
#include "metrics/metric.h"
#include "training/examples.h"
#include "tuning/class_head.h"
#include "tuning/soft_prompt.h"

/* A split as texts and as tokens. */
typedef struct sp_part {
    sp_split split;
    sp_examples examples;
} sp_part;

/* Start from {0}; release with sp_setup_close. */
typedef struct sp_setup {
    const sp_run_spec *run;
    sp_model *model;
    sp_tokenizer *tokenizer;
    sp_dataset *dataset;
    sp_task task;
    const sp_label *labels; /* [label_count] of the data set; none for generation */
    size_t label_count;
    sp_output output; /* run->output with auto resolved: text for generation, else verbalizer */
    sp_part train, dev, test;
    int *frequent; /* tokens of train by falling frequency */
    sp_tuner tuner;
    sp_class_head head;    /* {0} for text */
    sp_soft_prompt prompt; /* the tuner's at its start; sp_setup_renew makes it again */
} sp_setup;

/* Opens everything that `run`, which is kept by reference, names. Failures name model, data set or
 * setting, and a remedy: SP_ERR_MISSING, _FORMAT; SP_ERR_DATA for examples that cannot be used or
 * do not fit into the context; SP_ERR_SPEC for settings that do not fit the data or the model. Call
 * sp_setup_close after a failure too. */
sp_status sp_setup_open(const sp_run_spec *run, sp_setup *out);
void sp_setup_close(sp_setup *setup);

/* Makes the prompt again, in place, from the tuner as it is now. */
sp_status sp_setup_renew(sp_setup *setup);

/* NULL for text, as sp_tune wants it. */
sp_class_head *sp_setup_head(sp_setup *setup);

/* Numbers that train, and those of them (or made from them) that inference needs; head included. */
long sp_setup_trainable(const sp_setup *setup);
long sp_setup_kept(const sp_setup *setup);

#endif
