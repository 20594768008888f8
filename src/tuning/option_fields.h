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
#define SP_OPTION_FIRST_LAYER                                                                      \
    {                                                                                              \
        "first_layer", SP_INT, SP_METHOD_FIELD(first_layer), "0", 0, 1024, NULL,                   \
            "lowest layer with a prefix"                                                           \
    }
#define SP_OPTION_LAST_LAYER                                                                       \
    {                                                                                              \
        "last_layer", SP_INT, SP_METHOD_FIELD(last_layer), "-1", -1, 1024, NULL,                   \
            "highest layer with a prefix; -1: the top one"                                         \
    }
#define SP_OPTION_SHIFT                                                                            \
    {                                                                                              \
        "shift_positions", SP_BOOL, SP_METHOD_FIELD(shift_positions), "true", 0, 0, NULL,          \
            "real tokens start at position `length`"                                               \
    }

/* The table of a method with a key/value prefix, but for its end. */
#define SP_KV_PREFIX_OPTIONS(reparametrization, init)                                              \
    SP_OPTION_LENGTH("10"), SP_OPTION_REPARAMETRIZATION(reparametrization),                        \
        SP_OPTION_HIDDEN("512"), SP_OPTION_INIT(init, "random|normal|zero|vocab|activations"),     \
        SP_OPTION_INIT_TEXT, SP_OPTION_INIT_TOP, SP_OPTION_FIRST_LAYER, SP_OPTION_LAST_LAYER,      \
        SP_OPTION_SHIFT

#endif
