/* The safetensors files of a model as one: a single file, or the shards of an index. */
#ifndef SP_MODEL_SHARDS_H
#define SP_MODEL_SHARDS_H

#include "core/memory.h"
#include "format/safetensors.h"

typedef struct sp_shards sp_shards;

sp_status sp_shards_open_single(const char *path, sp_shards **out);
/* model.safetensors.index.json: "weight_map" names the shard of each tensor, a file beside the
 * index. Every shard is opened, once. SP_ERR_MISSING with the shard; SP_ERR_FORMAT. */
sp_status sp_shards_open_index(const char *path, sp_shards **out);
void sp_shards_close(sp_shards *shards); /* NULL is fine */

/* NULL if there is no such tensor, or it is not in the shard that the index says. */
const sp_stored_tensor *sp_shards_find(const sp_shards *shards, const char *name);
/* As sp_safetensors_read. */
sp_status sp_shards_read(const sp_shards *shards, const char *name, int rank, const int64_t *dims,
                         float *out);

/* Elements of all float tensors. */
double sp_shards_weights(const sp_shards *shards);
/* Appends the paths of the index, if there is one, and of the shards, sorted. */
void sp_shards_files(const sp_shards *shards, sp_strings *out);

#endif
