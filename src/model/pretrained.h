/* A model's files, whatever their kind, as one set of named tensors: config.json with
 * model.safetensors or the shards of model.safetensors.index.json, or one GGUF file. Names, shapes
 * and configuration are Hugging Face's. */
#ifndef SP_MODEL_PRETRAINED_H
#define SP_MODEL_PRETRAINED_H

#include "core/memory.h"
#include "model/model.h"

typedef struct sp_pretrained sp_pretrained;

/* Maps and checks the files of `path`: a folder (with a single .gguf file, if there is no
 * safetensors), or a .gguf file. SP_ERR_MISSING, also for a missing shard; SP_ERR_FORMAT, also
 * where there are several GGUF files, or only PyTorch's pickles. Release with sp_pretrained_close.
 */
sp_status sp_pretrained_open(const char *path, sp_pretrained **out);
void sp_pretrained_close(sp_pretrained *pretrained); /* NULL is fine */

/* From config.json or GGUF's metadata. SP_ERR_MISSING, SP_ERR_FORMAT (with the key); also for a
 * configuration that promises far more weights than the files hold, so that memory for it may be
 * taken after. */
sp_status sp_pretrained_config(const sp_pretrained *pretrained, sp_config *out);

/* Whether there is a tensor of Hugging Face's name. LayerNorm.gamma and .beta of BERT's first
 * checkpoints are LayerNorm.weight and .bias. */
bool sp_pretrained_has(const sp_pretrained *pretrained, const char *name);

/* Converts or dequantises a whole tensor to `out` after checking its shape: `dims` [rank], where -1
 * takes any size; OpenMP. The pages it was read from no longer count as this process' memory after.
 * SP_ERR_FORMAT with the tensor if it is absent, has another shape or a type that is not read. */
sp_status sp_pretrained_read(const sp_pretrained *pretrained, const char *name, int rank,
                             const int64_t *dims, float *out);

/* Appends the paths of the files that `path` is opened from: config.json, the index, the weights.
 * Only an index and its shards are opened for it. Errors as sp_pretrained_open. */
sp_status sp_pretrained_files(const char *path, sp_strings *out);

#endif
