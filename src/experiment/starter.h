/* A user's own study, begun for them: a folder with their data as a data set, a commented spec that
 * suits data and model, and a Makefile. */
#ifndef SP_EXPERIMENT_STARTER_H
#define SP_EXPERIMENT_STARTER_H

#include "data/own.h"

typedef struct sp_starter {
    const char *name;        /* of study and data set, as a spec's `name` */
    const char *folder;      /* made, and refused if it is there */
    const char *model;       /* what sp_model_find takes; NULL: the largest below models/ of which
                              * the study takes a few hours */
    const char *program;     /* path that the Makefile calls */
    const sp_own_data *data; /* read */
} sp_starter;

/* Writes train.jsonl, dev.jsonl, test.jsonl, data.yaml (the card), NAME.yaml (the spec) and
 * Makefile, and appends to `told` what was found and chosen, a few lines. Nothing is written if
 * anything is wrong: SP_ERR_USAGE for a name that a spec cannot have; SP_ERR_MISSING, SP_ERR_FORMAT
 * for the model; SP_ERR_DATA with file and line for an example or a label that is too long for it;
 * SP_ERR_SPEC for an encoder that is to write texts; SP_ERR_IO if the folder is there or cannot be
 * made. */
sp_status sp_starter_write(const sp_starter *starter, sp_buf *told);

#endif
