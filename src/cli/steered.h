/* For the commands that use a result: a model, its tokenizer and, if given, a run's soft prompt
 * and class head. */
#ifndef SP_CLI_STEERED_H
#define SP_CLI_STEERED_H

#include "core/hash.h"
#include "tuning/class_head.h"
#include "tuning/soft_prompt.h"

#include <argp.h>

typedef struct sp_steered {
    sp_model *model;
    sp_tokenizer *tokenizer;
    sp_soft_prompt prompt; /* without an adapter: nothing but the separator "\n" */
    sp_class_head head;    /* its output is text if the run has none */
} sp_steered;

/* What --model and --adapter name. */
typedef struct sp_steered_names {
    const char *model, *adapter;
} sp_steered_names;

/* Parses --model (required) and --adapter into an sp_steered_names: a child of the command's own
 * parser, which hands it over at ARGP_KEY_INIT (state->child_inputs[0]). */
extern const struct argp sp_steered_parser;

/* Opens models/NAME or a folder, and a run's HDF5 file (NULL: none), both in `names`, after
 * starting the GEMM back end. SP_ERR_SPEC for a run that failed or was made with another model.
 * Release with sp_steered_close, also after an error. */
sp_status sp_steered_open(const sp_steered_names *names, sp_steered *out);
void sp_steered_close(sp_steered *s);

/* Appends the ids of template, input and separator: all that comes before the target. */
sp_status sp_steered_input(const sp_steered *s, const char *input, sp_ints *out);

/* Opens the file of a finished run, or an imported adapter; `model` (or NULL) is for messages.
 * SP_ERR_SPEC for a failed run or a folder of PEFT's; *file is NULL after an error. */
sp_status sp_adapter_open(const char *path, const char *model, sp_h5 **file);
/* SP_ERR_SPEC if it was made with another model than `model`, whose hash is `found`. */
sp_status sp_adapter_check_model(sp_h5 *file, const char *model, const sp_digest *found);

#endif
