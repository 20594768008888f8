/* A model as a whole: its tokenizer, and the hash of its files. */
#ifndef SP_MODEL_FILES_H
#define SP_MODEL_FILES_H

#include "core/hash.h"
#include "model/model.h"
#include "text/tokenizer.h"

/* Reads tokenizer.json beside the weights of `model`; `name` is the one it was opened by.
 * SP_ERR_MISSING; SP_ERR_FORMAT, also for more tokens than the model has embeddings. Release with
 * sp_tokenizer_free; NULL after an error. */
sp_status sp_model_open_tokenizer(const char *name, const sp_model *model, sp_tokenizer **out);

/* SHA-256 of what `sha256sum config.json model.safetensors tokenizer.json` prints in the folder:
 * all that decides what the model says. The same of config.json, the index, the shards and
 * tokenizer.json; of the files a tokenizer without tokenizer.json has; of a GGUF file, which holds
 * all of it. SP_ERR_MISSING, SP_ERR_FORMAT, SP_ERR_IO. */
sp_status sp_model_hash(const char *name, sp_digest *out);

/* SHA-256 of model.safetensors or the GGUF file; of index and shards, of what `sha256sum` prints
 * for them. Errors as above. */
sp_status sp_model_hash_weights(const char *name, sp_digest *out);

#endif
