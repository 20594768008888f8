/* The shapes of models that are measured where no checkpoint is named. */
#ifndef SP_BENCH_SHAPE_H
#define SP_BENCH_SHAPE_H

#include "core/status.h"

#include <stdbool.h>
#include <stdint.h>

/* The built-in shapes, NULL-terminated: "gpt2-17m", "llama-135m". */
extern const char *const sp_bench_shapes[];

/* Whether `name` is one of them. */
bool sp_bench_is_shape(const char *name);

/* Writes a model of a built-in shape with random weights into `folder`: config.json and
 * model.safetensors (bf16), a pure function of shape and seed. SP_ERR_IO. */
sp_status sp_bench_write_shape(const char *name, uint64_t seed, const char *folder);

#endif
