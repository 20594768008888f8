/* What a run works on: the model, the data as tokens, the tuner, and for labels a class head. */
#ifndef SP_EXPERIMENT_SETUP_H
#define SP_EXPERIMENT_SETUP_H

#include "experiment/assets.h"
#include "metrics/metric.h"
#include "tuning/class_head.h"
#include "tuning/soft_prompt.h"

/* Start from {0}; release with sp_setup_close. */
typedef struct sp_setup {
    const sp_run_spec *run;
    int threads;
    sp_model *model; /* this and all of the data: the assets' */
    sp_tokenizer *tokenizer;
    const sp_dataset *dataset;
    sp_task task;
    const sp_label *labels; /* [label_count] of the data set; none for generation */
    size_t label_count;
    sp_output output; /* run->output with auto resolved: text for generation, verbalizer for
                       * classification, token-linear for tagging */
    const sp_part *train, *dev, *test;
    const sp_part *transfer[SP_TRANSFERS]; /* [run->transfer_count] of other sets */
    int *frequent;                         /* tokens of train by falling frequency */
    sp_tuner tuner;
    sp_class_head head;    /* {0} for text */
    sp_soft_prompt prompt; /* the tuner's at its start; sp_setup_renew makes it again */
} sp_setup;

/* Opens, in the assets, what `run`, which is kept by reference, shares with others: the model and
 * the data. Sets the threads too (and starts none): as the run says, else 1 for a model of less
 * than 30 million parameters and 2 for others, or 1 where only one CPU may be used. By rule and not
 * by timing, since the last bits of a run depend on them. Failures name model, data set or setting,
 * and a remedy: SP_ERR_MISSING, _FORMAT; SP_ERR_DATA for examples that cannot be used; SP_ERR_SPEC
 * for settings that do not fit the data or the machine. Call sp_setup_close after a failure too. */
sp_status sp_setup_load(const sp_run_spec *run, sp_assets *assets, sp_setup *out);

/* The same, then what is the run's alone, ready for training. From here on the model in `assets`
 * is changed: no other run can use it in this process. SP_ERR_DATA also for examples that do not
 * fit into the context, SP_ERR_SPEC for settings that do not fit the model. */
sp_status sp_setup_open(const sp_run_spec *run, sp_assets *assets, sp_setup *out);
void sp_setup_close(sp_setup *setup);

/* Makes the prompt again, in place, from the tuner as it is now. */
sp_status sp_setup_renew(sp_setup *setup);

/* NULL for text, as sp_tune wants it. */
sp_class_head *sp_setup_head(sp_setup *setup);

/* Numbers that train, and those of them (or made from them) that inference needs; head included. */
long sp_setup_trainable(const sp_setup *setup);
long sp_setup_kept(const sp_setup *setup);

#endif
