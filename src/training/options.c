#include "training/options.h"

#define FIELD(name) offsetof(sp_train_options, name)
const sp_option sp_train_option_table[] = {
    {"optimizer", SP_CHOICE, FIELD(optimizer), "adamw", 0, 0, "adamw|adafactor", "update rule"},
    {"lr", SP_REAL, FIELD(lr), "1e-3", 0, 100, NULL, "peak learning rate"},
    {"weight_decay", SP_REAL, FIELD(weight_decay), "0", 0, 1, NULL,
     "decoupled weight decay of matrices"},
    {"beta1", SP_REAL, FIELD(beta1), "0.9", 0, 0.9999, NULL, "AdamW: decay of the first moment"},
    {"beta2", SP_REAL, FIELD(beta2), "0.999", 0, 0.99999, NULL,
     "AdamW: decay of the second moment"},
    {"epsilon", SP_REAL, FIELD(epsilon), "1e-8", 1e-12, 1, NULL, "AdamW: added to the denominator"},
    {"clip", SP_REAL, FIELD(clip), "1.0", 0, 1e6, NULL,
     "largest global gradient norm; 0 switches clipping off"},
    {"schedule", SP_CHOICE, FIELD(schedule), "linear", 0, 0, "linear|constant|cosine|wsd",
     "learning rate after warm-up: down to 0, constant, cosine, or constant then down to 0"},
    {"warmup", SP_REAL, FIELD(warmup), "0.06", 0, 1, NULL, "fraction of the steps that warm up"},
    {"decay", SP_REAL, FIELD(decay), "0.3", 0, 1, NULL,
     "wsd: fraction of the steps that go down at the end"},
    {"steps", SP_INT, FIELD(steps), "0", 0, 1e9, NULL, "optimizer steps; 0: as many as epochs ask"},
    {"epochs", SP_INT, FIELD(epochs), "5", 1, 1e6, NULL, "passes over the training pairs"},
    {"batch", SP_INT, FIELD(batch), "16", 1, 65536, NULL, "examples a step"},
    {"eval_every", SP_INT, FIELD(eval_every), "0", 0, 1e9, NULL,
     "steps between evaluations on dev; 0: ten times a run"},
    {"patience", SP_INT, FIELD(patience), "0", 0, 1e6, NULL,
     "evaluations without a better state on dev before stopping; 0: never"},
    {"checkpoint_seconds", SP_INT, FIELD(checkpoint_seconds), "30", 0, 86400, NULL,
     "seconds between checkpoints"},
    {"recompute", SP_BOOL, FIELD(recompute), "false", 0, 0, NULL,
     "keep no activations within a block but compute them again: slower, in less memory"},
    {0}};
#undef FIELD
