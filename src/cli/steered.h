/* For the commands that use a result: a model, its tokenizer and, if given, a run's soft prompt
 * and class head. */
#ifndef SP_CLI_STEERED_H
#define SP_CLI_STEERED_H

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

/* The next line of standard input without its end, and its number, counted up from 0; false at the
 * end of the input. */
bool sp_read_line(sp_buf *line, long *number);
/* SP_ERR_DATA if the line of this number is empty or has a NUL byte. */
sp_status sp_check_line(const sp_buf *line, long number);

#endif
