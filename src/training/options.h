/* The settings of a training, stated once in an option table. (Those of decoding are in
 * model/generate.h.) */
#ifndef SP_TRAINING_OPTIONS_H
#define SP_TRAINING_OPTIONS_H

#include "core/option.h"
#include "model/generate.h"

#include <stdbool.h>

typedef struct sp_train_options {
    char optimizer[SP_OPTION_TEXT]; /* adamw | adafactor */
    double lr, weight_decay, beta1, beta2, epsilon, clip;
    char schedule[SP_OPTION_TEXT]; /* linear | constant | cosine | wsd */
    double warmup, decay;          /* fractions of the steps */
    int steps, epochs, batch;
    int eval_every, patience;
    int checkpoint_seconds;
    bool recompute;
} sp_train_options;

extern const sp_option sp_train_option_table[];

#endif
