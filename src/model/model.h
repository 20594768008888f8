/* A language model: configuration, named parameters, and a family that knows the equations.
 *
 * A model knows no tuning method. What steers it comes in as two things: rows that stand among the
 * token embeddings (negative ids), and a key/value prefix per layer. Which parameters train is a
 * switch on each parameter. */
#ifndef SP_MODEL_MODEL_H
#define SP_MODEL_MODEL_H

#include "autograd/ops.h"
#include "format/safetensors.h"

/* The keys of config.json, with Hugging Face's names for GPT-2. */
typedef struct sp_config {
    char model_type[32];
    int vocab_size, n_positions, n_embd, n_layer, n_head, n_inner;
    int bos_token_id, eos_token_id;
    double layer_norm_epsilon, initializer_range;
} sp_config;

/* Reads and checks config.json. SP_ERR_MISSING, SP_ERR_FORMAT (with the key). */
sp_status sp_config_read(const char *path, sp_config *out);
sp_status sp_config_write(const char *path, const sp_config *config);

/* A named parameter; `var` has the last dimension as columns and the rest as rows. */
typedef struct sp_param {
    char *name; /* as in the checkpoint */
    int rank;
    int64_t dims[2];
    sp_var var;
} sp_param;

typedef struct sp_params {
    sp_param **items;
    size_t count, cap;
} sp_params;

/* Adds a zeroed parameter (rank 1: cols only, rows = 1) and returns its variable, which stays
 * where it is until sp_params_free. */
sp_var *sp_params_add(sp_params *params, const char *name, int rank, long rows, long cols);
sp_param *sp_params_find(const sp_params *params, const char *name); /* NULL if absent */
void sp_params_free(sp_params *params);

/* What a forward pass needs besides tokens. */
typedef struct sp_context {
    int sequences;
    const int *offsets;     /* [sequences + 1] into the packed tokens */
    const int *positions;   /* [tokens] position of each token */
    const sp_kv *prefix;    /* [n_layer] or NULL */
    struct sp_cache *cache; /* NULL in training; else the sequences' past (model/cache.h) */
    const int *slots;       /* [sequences] slot of each sequence in the cache */
} sp_context;

typedef struct sp_model sp_model;

/* One file per family (gpt2.c); families are listed in family.c. */
typedef struct sp_family {
    const char *model_type; /* as in config.json */
    /* Declares the parameters and links them into `model->blocks`. */
    void (*build)(sp_model *model);
    /* ids [tokens] (negative: rows of virtual_rows) -> final hidden states [tokens, n_embd]. */
    sp_var *(*forward)(sp_tape *t, const sp_model *model, const int *ids, sp_var *virtual_rows,
                       const sp_context *ctx);
} sp_family;

struct sp_model {
    sp_config config;
    const sp_family *family;
    sp_params params;
    sp_var *embedding; /* token embeddings [vocab_size, n_embd] */
    sp_var *head;      /* LM head [vocab_size, n_embd]; the same variable when tied */
    void *blocks;      /* the family's own, from build(); released with free() */
};

/* The families' registry. NULL if unknown; sp_family_names() lists them for messages. */
const sp_family *sp_family_find(const char *model_type);
const char *sp_family_names(void);

/* Opens a folder with config.json and model.safetensors; `name` is a folder or a name below
 * models/. SP_ERR_MISSING, SP_ERR_FORMAT with the tensor's name. Release with sp_model_free. */
sp_status sp_model_open(const char *name, sp_model **out);
/* The folder sp_model_open would read, owned by the caller. */
char *sp_model_folder(const char *name);
/* A fresh model with zeroed parameters. SP_ERR_SPEC for an unknown family, or sizes that do not fit
 * each other. */
sp_status sp_model_new(const sp_config *config, sp_model **out);
/* Random initialisation as GPT-2's: normal(0, initializer_range), the projections into the residual
 * stream scaled by 1/sqrt(2 n_layer), norms at 1, biases at 0 (Radford et al. 2019, section 2.3).
 */
void sp_model_initialise(sp_model *model, uint64_t seed);
/* Writes config.json and model.safetensors into a folder. */
sp_status sp_model_save(const sp_model *model, const char *folder, sp_dtype dtype);
void sp_model_free(sp_model *model);

/* Number of parameters; number of those that train. */
long sp_model_size(const sp_model *model);
long sp_params_trainable(const sp_params *params);
/* Switches training of all parameters on or off. */
void sp_params_train(sp_params *params, bool train);

/* Runs the family's forward pass. */
sp_var *sp_model_forward(sp_tape *t, const sp_model *model, const int *ids, sp_var *virtual_rows,
                         const sp_context *ctx);

/* logits [rows.count, vocab_size] for the given rows of hidden, without a tape record. */
sp_var *sp_model_logits(sp_tape *t, const sp_model *model, sp_var *hidden, const int *rows,
                        long count);

#endif
