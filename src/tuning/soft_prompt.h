/* What is left of a method after training, and all that inference needs: a template, virtual rows,
 * a key/value prefix, updates of linear maps. (Methods that train the model's own weights leave
 * them in the model.) */
#ifndef SP_TUNING_SOFT_PROMPT_H
#define SP_TUNING_SOFT_PROMPT_H

#include "format/hdf5.h"
#include "model/generate.h"
#include "tuning/attached.h"
#include "tuning/method.h"
#include "tuning/template.h"

typedef struct sp_soft_prompt {
    sp_template template;
    sp_var virtual_rows; /* [n, n_embd]; rows 0 for none */
    sp_var prefix;       /* [length, 2 * n_layer * kv width]; rows 0 for none */
    sp_var gates;        /* [n_layer, 1 or n_head]; rows 0 for a prefix without gates */
    sp_var *views;       /* [3 * n_layer] key and value columns of each layer; then rows of gates */
    sp_kv *kv;           /* [n_layer] or NULL */
    int layers;
    sp_attached attached; /* to the model's linear maps */
    int first_position;   /* of real tokens: the prefix length if positions are shifted */
    bool infix;           /* see sp_steering */
    char *separator;      /* text between input and target */
} sp_soft_prompt;

/* Evaluates what steers the model once and copies it. SP_ERR_SPEC for a template that cannot be
 * parsed; `out` is then {0}. Release with sp_soft_prompt_free. */
sp_status sp_soft_prompt_from(const sp_tuner *tuner, const sp_tokenizer *tokenizer,
                              const char *separator, sp_soft_prompt *out);
/* A copy of what a steering holds, with an empty template. Release with sp_soft_prompt_free. */
void sp_soft_prompt_copy(const sp_model *model, const sp_steering *steering, const char *separator,
                         sp_soft_prompt *out);
void sp_soft_prompt_free(sp_soft_prompt *p);

/* Numbers that inference needs: virtual rows, the prefix of the layers that have one with its
 * gates, updates, adapters, and weights of the model that were trained. */
long sp_soft_prompt_size(const sp_soft_prompt *p, const sp_model *model);

/* For inference without the cost of updates of low rank (Hu et al. 2021, section 4.1): adds them to
 * the weights of the model; sp_soft_prompt_unmerge gives these back, to the bit. */
void sp_soft_prompt_merge(sp_soft_prompt *p, sp_model *model);
void sp_soft_prompt_unmerge(sp_soft_prompt *p, sp_model *model);

/* For sp_generate; points into `p`. Merged updates are not part of it. */
sp_steering sp_soft_prompt_steering(sp_soft_prompt *p);

/* Group /prompt of a run file: `template_before`, `template_after` (ids), `embeddings` [n, d],
 * `layers` [k], `key` and `value` [k, length, d], `gate` [k, 1 or heads], `low_rank` and
 * `bottleneck` (attached.h), attributes `first_position`, `separator` and, if so, `infix`, and for
 * methods that train the model `weights/<name>`. */
sp_status sp_soft_prompt_write(const sp_soft_prompt *p, const sp_model *model, sp_h5 *file);
/* Reads it for `model`: its trained weights are replaced, and updates merged. SP_ERR_FORMAT if it
 * does not fit. */
sp_status sp_soft_prompt_read(sp_h5 *file, sp_model *model, sp_soft_prompt *out);

#endif
