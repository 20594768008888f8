/* What the runs of a study share: each model, tokenizer and data set is opened once, each part of a
 * split chosen and turned into tokens once. The process of a study fills the assets before it makes
 * those of the runs (worker.h), which find all they need here. */
#ifndef SP_EXPERIMENT_ASSETS_H
#define SP_EXPERIMENT_ASSETS_H

#include "experiment/run.h"
#include "training/examples.h"

/* A part of a split as texts and as tokens. */
typedef struct sp_part {
    sp_split split;
    const sp_label *labels; /* of its data set, which the split's labels count; or NULL */
    sp_examples examples;
} sp_part;

/* Which examples, and in which form. */
typedef struct sp_part_name {
    const char *dataset, *split;
    int limit, draw;       /* as sp_split_keep takes them */
    const char *model;     /* by which its tokenizer is known */
    sp_output output;      /* a class head (whichever) has no target texts */
    const char *separator; /* behind the inputs; NULL: the data set's own */
    const sp_tokenizer *tokenizer;
    int eos; /* of sp_examples_end */
} sp_part_name;

typedef struct sp_assets sp_assets;

sp_assets *sp_assets_new(void);
void sp_assets_free(sp_assets *assets); /* NULL is fine */

/* What these return lives in the assets. Errors are those of the functions that open it, and are
 * not kept: the next call tries again. */
sp_status sp_assets_model(sp_assets *assets, const char *name, sp_precision precision,
                          sp_model **model, sp_tokenizer **tokenizer);
sp_status sp_assets_dataset(sp_assets *assets, const char *name, const sp_dataset **out);
/* Errors name data set and split. */
sp_status sp_assets_part(sp_assets *assets, const sp_part_name *name, const sp_part **out);

/* Closes a model that is open: no run needs it any more, or one has changed it. */
void sp_assets_forget_model(sp_assets *assets, const char *name, sp_precision precision);

/* The hashes that are part of a run's id; as sp_identify, whose `user` the assets are. A data set
 * stays open. */
sp_identify sp_assets_identify;

#endif
