/* Entries that several methods' option tables share. */
#ifndef SP_TUNING_OPTION_FIELDS_H
#define SP_TUNING_OPTION_FIELDS_H

#include "tuning/method.h"

#define SP_METHOD_FIELD(name) offsetof(sp_method_options, name)

#define SP_OPTION_LENGTH(fallback)                                                                 \
    { "length", SP_INT, SP_METHOD_FIELD(length), fallback, 0, 1e5, NULL, "virtual tokens" }
#define SP_OPTION_INIT(fallback, choices)                                                          \
    { "init", SP_CHOICE, SP_METHOD_FIELD(init), fallback, 0, 0, choices, "initialisation" }
#define SP_OPTION_INIT_TEXT                                                                        \
    {                                                                                              \
        "init_text", SP_TEXT, SP_METHOD_FIELD(init_text), "a sentence that describes the table",   \
            0, 0, NULL, "words for init text and activations"                                      \
    }
#define SP_OPTION_INIT_TOP                                                                         \
    {                                                                                              \
        "init_top", SP_INT, SP_METHOD_FIELD(init_top), "5000", 1, 1e7, NULL,                       \
            "init vocab samples among this many most frequent tokens"                              \
    }
#define SP_OPTION_TEMPLATE(fallback)                                                               \
    {                                                                                              \
        "template", SP_TEXT, SP_METHOD_FIELD(template), fallback, 0, 0, NULL,                      \
            "place of virtual tokens (P), input (x) and anchor words"                              \
    }
#define SP_OPTION_HIDDEN(fallback)                                                                 \
    {                                                                                              \
        "hidden", SP_INT, SP_METHOD_FIELD(hidden), fallback, 1, 65536, NULL,                       \
            "hidden size of the reparametrisation"                                                 \
    }
#define SP_OPTION_REPARAMETRIZATION(fallback)                                                      \
    {                                                                                              \
        "reparametrization", SP_CHOICE, SP_METHOD_FIELD(reparametrization), fallback, 0, 0,        \
            "none|mlp", "train the prefix directly or through an MLP"                              \
    }
#define SP_OPTION_LAYERS(help)                                                                     \
    { "layers", SP_INT, SP_METHOD_FIELD(layers), "0", 0, 1024, NULL, help }
#define SP_OPTION_LAYERS_FROM                                                                      \
    {                                                                                              \
        "layers_from", SP_CHOICE, SP_METHOD_FIELD(layers_from), "top", 0, 0, "top|bottom",         \
            "which end of the model these layers are at"                                           \
    }
#define SP_OPTION_POSITION                                                                         \
    {                                                                                              \
        "position", SP_CHOICE, SP_METHOD_FIELD(position), "prefix", 0, 0, "prefix|infix",          \
            "before the input, or before its last token, seen from there on"                       \
    }
#define SP_OPTION_FROZEN                                                                           \
    {                                                                                              \
        "frozen", SP_BOOL, SP_METHOD_FIELD(frozen), "true", 0, 0, NULL,                            \
            "false: the language model trains along with the prompt"                               \
    }
#define SP_OPTION_SHIFT                                                                            \
    {                                                                                              \
        "shift_positions", SP_BOOL, SP_METHOD_FIELD(shift_positions), "true", 0, 0, NULL,          \
            "tokens that see the prefix have positions from `length` on"                           \
    }

/* The initialisations of virtual rows, and of keys and values (init.h). */
#define SP_ROW_INITS    "random|normal|zero|vocab|text|class-label"
#define SP_PREFIX_INITS "random|normal|zero|vocab|activations|class-label"

#define SP_OPTION_TARGETS                                                                          \
    {                                                                                              \
        "targets", SP_TEXT, SP_METHOD_FIELD(targets), "auto", 0, 0, NULL,                          \
            "linear maps that get an update: patterns of names or of their last parts, by commas;" \
            " auto: c_attn of gpt2, q_proj and v_proj of llama"                                    \
    }
#define SP_OPTION_ALPHA(fallback, help)                                                            \
    { "alpha", SP_REAL, SP_METHOD_FIELD(alpha), fallback, 0, 1e6, NULL, help }

/* The table of a method with a key/value prefix, but for its end. */
#define SP_KV_PREFIX_OPTIONS(reparametrization, init)                                              \
    SP_OPTION_LENGTH("10"), SP_OPTION_REPARAMETRIZATION(reparametrization),                        \
        SP_OPTION_HIDDEN("512"), SP_OPTION_INIT(init, SP_PREFIX_INITS), SP_OPTION_INIT_TEXT,       \
        SP_OPTION_INIT_TOP, SP_OPTION_LAYERS("number of layers with a prefix; 0: all"),            \
        SP_OPTION_LAYERS_FROM, SP_OPTION_POSITION, SP_OPTION_SHIFT, SP_OPTION_FROZEN

#endif
