/* A language model: configuration, named parameters, and a family that knows the equations.
 *
 * A model knows no tuning method. What steers it comes in as sp_steering; which parameters train is
 * a switch on each parameter. */
#ifndef SP_MODEL_MODEL_H
#define SP_MODEL_MODEL_H

#include "autograd/ops.h"
#include "format/safetensors.h"
#include "tensor/weight.h"

/* What config.json says, under Hugging Face's names for GPT-2 where GPT-2 has the thing, else under
 * Llama's. Which keys a family reads and writes is its own matter (config.h). */
typedef enum sp_rope_type {
    SP_ROPE_DEFAULT,
    SP_ROPE_LINEAR,
    SP_ROPE_DYNAMIC,
    SP_ROPE_LLAMA3,
    SP_ROPE_YARN
} sp_rope_type;

/* How the rotations depart from those of rope_theta, under Hugging Face's names; what each type
 * makes of them is in rotations.c. Zero where a type does not use a number. */
typedef struct sp_rope_scaling {
    sp_rope_type type;
    double factor;
    int original_max_position_embeddings;          /* LLAMA3 and YARN */
    double low_freq_factor, high_freq_factor;      /* LLAMA3 */
    double beta_fast, beta_slow, attention_factor; /* YARN; attention_factor 0: from factor */
    bool truncate;                                 /* YARN */
} sp_rope_scaling;

typedef struct sp_config {
    char model_type[32];
    int vocab_size, n_positions, n_embd, n_layer, n_head, n_inner;
    int n_kv_head; /* heads of keys and values, a divisor of n_head; 0: n_head */
    int head_size; /* 0: n_embd / n_head */
    int bos_token_id, eos_token_id;
    double layer_norm_epsilon; /* of LayerNorm or RMSNorm */
    double initializer_range;
    double rope_theta;                                  /* base of the rotations; 0: none */
    bool tie_word_embeddings, attention_bias, mlp_bias; /* GPT-2 has all of them */
    bool output_bias;   /* of the map behind attention; attention_bias is that of q, k and v */
    int sliding_window; /* keys that a token sees (tensor/attention.h); 0: all */
    int window_from;    /* the first layer with the window; all below it are without */
    sp_rope_scaling rope_scaling;
    /* Of encoders. */
    sp_activation activation; /* between the two maps of a block's MLP */
    int type_vocab_size;      /* token types; only the first is used */
    int position_offset;      /* row of position 0: RoBERTa's pad_token_id + 1 */
} sp_config;

/* Reads and checks config.json. SP_ERR_MISSING, SP_ERR_FORMAT (with the key). */
sp_status sp_config_read(const char *path, sp_config *out);
sp_status sp_config_write(const char *path, const sp_config *config);

/* Width of one key or value row of a layer: n_kv_head * head_size. */
long sp_config_kv_width(const sp_config *config);

/* What of a model a parameter belongs to. A checkpoint holds all of a part or nothing of it; only
 * the body, without which no hidden state exists, must be there. */
typedef enum sp_model_part {
    SP_PART_BODY,
    SP_PART_POOLER,   /* BERT's map of [CLS] */
    SP_PART_PREDICTOR /* of a masked LM, between the hidden states and the LM head, and its bias */
} sp_model_part;

/* A named parameter; `var` has the last dimension as columns and the rest as rows. */
typedef struct sp_param {
    char *name; /* as in the checkpoint */
    int rank;
    int64_t dims[2];
    int layer; /* of a model's parameter: its block; -1 embeddings; n_layer: after the blocks */
    sp_model_part part;
    sp_var var;
} sp_param;

typedef struct sp_params {
    sp_param **items;
    size_t count, cap;
} sp_params;

/* Adds a zeroed parameter (rank 1: cols only, rows = 1) of layer -1 and returns its variable, which
 * stays where it is until sp_params_free. */
sp_var *sp_params_add(sp_params *params, const char *name, int rank, long rows, long cols);
/* The same without memory: its `data` is NULL until sp_param_allocate has given it zeroed floats.
 */
sp_var *sp_params_declare(sp_params *params, const char *name, int rank, long rows, long cols);
void sp_param_allocate(sp_param *param);
sp_param *sp_params_find(const sp_params *params, const char *name); /* NULL if absent */
/* Moves item i to the end of another list. */
void sp_params_move(sp_params *from, size_t i, sp_params *to);
void sp_params_free(sp_params *params);

/* A linear map of the model by name: what LoRA, AdaLoRA and adapters attach to. */
typedef struct sp_projection {
    char *name; /* of its module in the checkpoint: "transformer.h.0.attn.c_attn" */
    int index;  /* in model->projections, and so in the arrays of sp_steering */
    int layer;
    bool to_residual; /* its output is added to the residual stream */
    sp_linear_map map;
} sp_projection;

/* The widths of a linear map, however its weight is stored. */
long sp_linear_inputs(const sp_linear_map *map);
long sp_linear_outputs(const sp_linear_map *map);

/* A trained update of a frozen linear map (Hu et al. 2021, section 4.1; Zhang et al. 2023, eq. 3):
 *   y = x W + b + scale * ((x down^T) * diagonal) up^T */
typedef struct sp_low_rank {
    sp_var *down;     /* [rank, in]; NULL: no update */
    sp_var *diagonal; /* [rank, 1], or NULL for ones */
    sp_var *up;       /* [out, rank] */
    float scale;
} sp_low_rank;

/* An adapter behind a linear map (Houlsby et al. 2019, section 2.1): h + up(gelu(down(h))). */
typedef struct sp_bottleneck {
    sp_linear_map down, up; /* n_embd -> size -> n_embd; down.weight NULL: none */
} sp_bottleneck;

/* What steers a model: all that it ever sees of a tuning method. {0} for an unsteered model. */
typedef struct sp_steering {
    sp_var *virtual_rows;            /* [n, n_embd]: rows of negative ids; or NULL */
    const sp_kv *prefix;             /* [n_layer] (key NULL: none) or NULL */
    const sp_low_rank *low_rank;     /* [projection_count] or NULL */
    const sp_bottleneck *bottleneck; /* [projection_count] or NULL */
    int first_position;              /* position of the first real token */
    /* The prefix stands before the last token of the input, not before the first: earlier tokens do
     * not see it and have positions 0, 1, ...; the last one and all that follow see it and are
     * shifted by first_position. */
    bool infix;
} sp_steering;

/* What a forward pass needs besides tokens. */
typedef struct sp_context {
    int sequences;
    const int *offsets;          /* [sequences + 1] into the packed tokens */
    const int *positions;        /* [tokens] position of each token */
    const sp_steering *steering; /* NULL: unsteered */
    /* [sequences] index within the sequence (its tokens in the cache included) of the first token
     * that sees the prefix; NULL: all see it */
    const int *prefix_from;
    struct sp_cache *cache; /* NULL in training; else the sequences' past (model/cache.h) */
    const int *slots;       /* [sequences] slot of each sequence in the cache */
    /* [wanted_count] rows of the packed tokens whose final hidden state is asked for, rising; NULL:
     * all. Behind its attention, the last block works on these only. */
    const int *wanted;
    long wanted_count;
    bool recompute; /* training: a block's activations are computed again by the backward pass,
                     * until when the arrays of the context must stay */
} sp_context;

typedef struct sp_model sp_model;

struct json_t;

/* Families with the same equations share a file (gpt2.c, llama.c); family.c lists them all. */
typedef struct sp_family {
    const char *model_type; /* as in config.json */
    /* Start of a parameter's name that checkpoints of the bare model, without its head, lack. */
    const char *optional_start;
    /* The linear maps that LoRA and AdaLoRA update unless told: see tuning/low_rank.h. */
    const char *targets;
    /* An encoder: tokens see those after them too, and a class head reads [CLS] or the mask token
     * (tuning/frame.h). It continues no text. */
    bool bidirectional;
    /* A linear class head has a map with tanh of its own before the last one (Hugging Face's
     * RobertaClassificationHead). */
    bool dense_class_head;
    /* From and to the object of config.json; `path` is for messages. SP_ERR_FORMAT with the key,
     * also for variants of the equations that the family does not have. */
    sp_status (*read_config)(const char *path, const struct json_t *root, sp_config *out);
    struct json_t *(*write_config)(const sp_config *config);
    /* Number of parameters that every checkpoint has. */
    double (*size)(const sp_config *config);
    /* Declares parameters and projections (build.h) and links them into `model->blocks`. */
    void (*build)(sp_model *model);
    /* ids [tokens] (negative: virtual rows) -> [tokens, n_embd]: what the first block gets. */
    sp_var *(*embed)(sp_tape *t, const sp_model *model, const int *ids, const sp_context *ctx);
    /* x [tokens, n_embd] through one block; behind its attention through sp_wanted_rows. */
    sp_var *(*block)(sp_tape *t, const sp_model *model, int layer, sp_var *x,
                     const sp_context *ctx);
    /* The norm behind the last block. */
    sp_var *(*finish)(sp_tape *t, const sp_model *model, sp_var *x);
    /* Key and value that a layer's attention computes for rows [n, n_embd], before any norm. */
    sp_kv (*keys_values)(sp_tape *t, const sp_model *model, int layer, sp_var *rows);
    /* hidden [n, n_embd] -> [n, n_embd]: SP_PART_PREDICTOR without the bias, and SP_PART_POOLER;
     * NULL for a family without that part. Only for a model that has it. */
    sp_var *(*predict)(sp_tape *t, const sp_model *model, sp_var *hidden);
    sp_var *(*pool)(sp_tape *t, const sp_model *model, sp_var *hidden);
} sp_family;

struct sp_model {
    sp_config config;
    const sp_family *family;
    sp_params params;
    sp_params absent;           /* those of the parts that the checkpoint lacks; without memory */
    sp_projection *projections; /* [projection_count] in the order of the forward pass */
    int projection_count;
    sp_var *embedding; /* token embeddings [vocab_size, n_embd] */
    sp_var *head;      /* LM head [vocab_size, n_embd]; the same variable when tied */
    sp_var *head_bias; /* [1, vocab_size] of SP_PART_PREDICTOR, or NULL */
    void *blocks;      /* the family's own, from build(), in `memory` */
    sp_arena memory;   /* for as long as the model is there */
};

/* The families' registry. NULL if unknown; sp_family_names() lists them for messages. */
const sp_family *sp_family_find(const char *model_type);
const char *sp_family_names(void);

/* Opens a model's files (model/pretrained.h); `name` is a folder, a .gguf file or a name below
 * models/. In bf16, the weights of the linear maps, the embedding and the head are kept in bf16
 * (what later trains, turns to fp32: sp_leaf_train); everything else is fp32. Tensor by tensor, so
 * that little more memory is taken than the model needs in the end. SP_ERR_MISSING, SP_ERR_FORMAT
 * with the tensor's name. Release with sp_model_free. */
sp_status sp_model_open(const char *name, sp_precision precision, sp_model **out);
/* The folder or file sp_model_open would read, owned by the caller. */
char *sp_model_folder(const char *name);
/* A fresh model with zeroed parameters. SP_ERR_SPEC for an unknown family, or sizes that do not fit
 * each other. */
sp_status sp_model_new(const sp_config *config, sp_model **out);
/* The same, but no parameter has memory yet (sp_param_allocate). */
sp_status sp_model_declare(const sp_config *config, sp_model **out);
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

/* Final hidden states of ids [tokens] (negative: the steering's virtual rows): [wanted_count,
 * n_embd] of the wanted rows, or [tokens, n_embd]. */
sp_var *sp_model_forward(sp_tape *t, const sp_model *model, const int *ids, const sp_context *ctx);

/* For a family: x [tokens, n] behind the attention of `layer` -> the rows that the rest of the
 * block works on, which are the wanted ones in the last layer and x itself before it. */
sp_var *sp_wanted_rows(sp_tape *t, const sp_model *model, int layer, sp_var *x,
                       const sp_context *ctx);

/* The key and value [n, kv_heads * head_size] that the attention of `layer` computes for hidden
 * rows [n, n_embd], to which no norm is applied; unsteered. */
sp_kv sp_model_keys_values(sp_tape *t, const sp_model *model, int layer, sp_var *rows);

/* Whether the model has a part. */
bool sp_model_has(const sp_model *model, sp_model_part part);

/* hidden [n, n_embd] -> what the LM head is to be applied to: itself, or what a masked LM's
 * predictor makes of it. */
sp_var *sp_model_predict(sp_tape *t, const sp_model *model, sp_var *hidden);
/* Rows of [CLS], hidden [n, n_embd] -> what the pooler makes of them; themselves without one. */
sp_var *sp_model_pool(sp_tape *t, const sp_model *model, sp_var *hidden);

/* SP_ERR_SPEC for an encoder, which has no probability of the next token. */
sp_status sp_model_check_causal(const sp_model *model);

/* logits [count, vocab_size] of the first `count` rows of hidden, to which no gradient flows. */
sp_var *sp_model_logits(sp_tape *t, const sp_model *model, const sp_var *hidden, long count);

/* ---- projection.c ---- */

/* The linear map with this weight; NULL if there is none. */
const sp_projection *sp_model_projection(const sp_model *model, const sp_var *weight);

/* x [n, in] -> [n, out]: the projection with what the steering attaches to it, added to residual
 * [n, out] unless that is NULL. Every linear map of a family goes through here. */
sp_var *sp_project(sp_tape *t, sp_var *x, const sp_projection *projection, sp_var *residual,
                   const sp_context *ctx);

/* Adds the update to the projection's weight, in place: from then on the bare map gives what
 * sp_project gave with it (Hu et al. 2021, section 4.1: no added latency). A weight in bf16 turns
 * to fp32 first. */
void sp_low_rank_merge(const sp_low_rank *update, const sp_projection *projection);

#endif
