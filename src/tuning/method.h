/* A tuning method: what it trains and how that steers the model. One file a method, one line in
 * methods.def.
 *
 * What stays after training is what steered the model (sp_steering), and weights of the model that
 * were trained: the encoders that made a soft prompt are dropped, as in Prefix-Tuning section 4.3
 * and P-Tuning section 3. */
#ifndef SP_TUNING_METHOD_H
#define SP_TUNING_METHOD_H

#include "core/option.h"
#include "core/random.h"
#include "model/model.h"
#include "text/tokenizer.h"

typedef struct sp_method_options {
    int length, hidden;
    char init[SP_OPTION_TEXT], init_text[SP_OPTION_TEXT];
    int init_top;
    char reparametrization[SP_OPTION_TEXT]; /* none | mlp */
    char encoder[SP_OPTION_TEXT];           /* lstm | mlp */
    char template[SP_OPTION_TEXT];          /* "P x P": see template.h */
    int layers;                             /* how many blocks it works on; 0: see its option */
    char layers_from[SP_OPTION_TEXT];       /* top | bottom */
    char position[SP_OPTION_TEXT];          /* prefix | infix */
    bool shift_positions;
    bool frozen;                  /* false: the language model trains along */
    int size;                     /* width of an adapter ... */
    double share;                 /* ... or percent of the model's parameters that all may take */
    int rank;                     /* of a LoRA update */
    double alpha;                 /* scale of an update of low rank */
    char targets[SP_OPTION_TEXT]; /* linear maps that get one: see low_rank.h */
    int init_r, target_r;         /* AdaLoRA: rank of an update at first, mean rank in the end, */
    double tinit, tfinal;         /* shares of the steps before and after ranks fall, */
    int delta_t;                  /* steps between two allocations, */
    double importance_beta1, importance_beta2; /* smoothing of importance, */
    double orth_reg_weight;                    /* weight of the orthogonality penalty */
} sp_method_options;

/* What an initialisation may draw on; see init.h. */
typedef struct sp_init_source {
    const sp_tokenizer *tokenizer;
    const int *frequent; /* token ids, most frequent in the training text first */
    size_t frequent_count;
    const sp_ints *label_tokens; /* [label_count] the tokens of all words of each label */
    size_t label_count;          /* 0 unless the data are labelled */
} sp_init_source;

typedef struct sp_method sp_method;

/* A method at work on a model. */
typedef struct sp_tuner {
    const sp_method *method;
    sp_method_options options;
    sp_model *model;
    sp_params params; /* the method's own; all train */
    sp_params state;  /* its running statistics: do not train, but a checkpoint holds them */
    sp_var base;      /* constant added to what the parameters make (prefix.c), or empty */
} sp_tuner;

struct sp_method {
    const char *name;         /* as in specs */
    const char *title;        /* as in tables */
    const sp_option *options; /* over sp_method_options */
    /* Adds and initialises the parameters, or switches the model's own on. */
    sp_status (*create)(sp_tuner *tuner, const sp_init_source *source, sp_rng *rng);
    /* Builds on the tape what the model sees of the parameters; `out` is {0} before. NULL if the
     * method injects nothing. */
    void (*inject)(const sp_tuner *tuner, sp_tape *t, sp_steering *out);
    /* A term [1, 1] of the training loss besides the data's; NULL: none. */
    sp_var *(*penalty)(const sp_tuner *tuner, sp_tape *t);
    /* After update number `step` (from 1) of `steps`, while the gradients are still there; NULL:
     * nothing to do. */
    void (*after_step)(sp_tuner *tuner, long step, long steps);
    bool uses_template; /* virtual rows stand in the input as options.template says */
};

const sp_method *sp_method_find(const char *name); /* NULL if unknown */
/* All methods in the order of the registry, NULL-terminated. */
const sp_method *const *sp_methods(void);

/* A tuner for `model`, whose parameters are frozen first. SP_ERR_SPEC for impossible options. */
sp_status sp_tuner_create(const char *method, const sp_method_options *options, sp_model *model,
                          const sp_init_source *source, uint64_t seed, sp_tuner *out);
/* What steers the model, made on the tape; pointers are valid until the tape is reset. */
void sp_tuner_inject(const sp_tuner *tuner, sp_tape *t, sp_steering *out);
/* The method's term of the training loss [1, 1]; NULL if it has none. */
sp_var *sp_tuner_penalty(const sp_tuner *tuner, sp_tape *t);
/* To be called after each update of the optimizer, before the gradients are zeroed. */
void sp_tuner_after_step(sp_tuner *tuner, long step, long steps);
/* Every variable that trains, the method's and the model's; *out is owned by the caller. */
size_t sp_tuner_trainable(const sp_tuner *tuner, sp_param ***out);
void sp_tuner_free(sp_tuner *tuner);

#endif
