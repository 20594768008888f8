/* A tuning method: what it trains and what it injects. One file a method, one line in registry.c.
 *
 * What stays after training is what was injected (virtual rows, or keys and values per layer): the
 * encoders that made it are dropped, as in Prefix-Tuning section 4.3 and P-Tuning section 3. */
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
    int first_layer, last_layer;            /* from 0; last -1: the top one (prefix range) */
    bool shift_positions;
} sp_method_options;

/* What the model sees of a method. */
typedef struct sp_injection {
    sp_var *virtual_rows; /* [n, n_embd] or NULL */
    sp_kv *prefix;        /* [n_layer] (key NULL where a layer has none) or NULL */
} sp_injection;

/* What an initialisation may draw on; see init.h. */
typedef struct sp_init_source {
    const sp_tokenizer *tokenizer;
    const int *frequent; /* token ids, most frequent in the training text first */
    size_t frequent_count;
} sp_init_source;

typedef struct sp_method sp_method;

/* A method at work on a model. */
typedef struct sp_tuner {
    const sp_method *method;
    sp_method_options options;
    sp_model *model;
    sp_params params; /* the method's own; all train */
    sp_var base;      /* constant added to what the parameters make (prefix.c), or empty */
} sp_tuner;

struct sp_method {
    const char *name;         /* as in specs */
    const char *title;        /* as in tables */
    const sp_option *options; /* over sp_method_options */
    /* Adds and initialises the parameters, or switches the model's own on. */
    sp_status (*create)(sp_tuner *tuner, const sp_init_source *source, sp_rng *rng);
    /* Builds the injection on the tape from the parameters; NULL if the method injects nothing. */
    void (*inject)(const sp_tuner *tuner, sp_tape *t, sp_injection *out);
    bool uses_template; /* virtual rows stand in the input as options.template says */
};

const sp_method *sp_method_find(const char *name); /* NULL if unknown */
/* All methods in the order of the registry, NULL-terminated. */
const sp_method *const *sp_methods(void);

/* A tuner for `model`, whose parameters are frozen first. SP_ERR_SPEC for impossible options. */
sp_status sp_tuner_create(const char *method, const sp_method_options *options, sp_model *model,
                          const sp_init_source *source, uint64_t seed, sp_tuner *out);
void sp_tuner_inject(const sp_tuner *tuner, sp_tape *t, sp_injection *out);
/* Every variable that trains, the method's and the model's; *out is owned by the caller. */
size_t sp_tuner_trainable(const sp_tuner *tuner, sp_param ***out);
void sp_tuner_free(sp_tuner *tuner);

#endif
