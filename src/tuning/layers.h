/* Which layers a method works on: the options `layers` and `layers_from`. */
#ifndef SP_TUNING_LAYERS_H
#define SP_TUNING_LAYERS_H

#include "tuning/method.h"

typedef struct sp_layer_range {
    int first, count;
} sp_layer_range;

/* The first options.layers layers (0: `fallback` of them), or the last ones unless layers_from is
 * bottom. */
sp_layer_range sp_layers_of(const sp_tuner *tuner, int fallback);

/* SP_ERR_SPEC for more layers than the model has. */
sp_status sp_layers_check(const sp_tuner *tuner);

#endif
