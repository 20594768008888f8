/* How much memory a run takes, estimated. */
#ifndef SP_EXPERIMENT_MEMORY_NEED_H
#define SP_EXPERIMENT_MEMORY_NEED_H

#include "experiment/setup.h"

/* Bytes at the peak, reckoned from sizes: weights, what the optimizer and the best state keep of
 * what trains, the activations of a step, the loss, the keys and values of decoding, and what every
 * run has. An upper bound by rule of thumb. */
double sp_setup_memory(const sp_setup *setup);

#endif
