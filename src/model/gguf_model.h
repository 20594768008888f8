/* Models in GGUF: llama.cpp's keys, names and layouts turned into Hugging Face's. */
#ifndef SP_MODEL_GGUF_MODEL_H
#define SP_MODEL_GGUF_MODEL_H

#include "format/gguf.h"
#include "model/model.h"

struct json_t;

/* The config.json that belongs to the file; the caller's. SP_ERR_FORMAT for an architecture that is
 * not read (GPT-2, Llama with Mistral, Qwen2 are), a missing key, one part of several. */
sp_status sp_gguf_model_config(const sp_gguf *file, struct json_t **out);

/* The file's name of a tensor of Hugging Face's name, the caller's; NULL if it has no counterpart.
 */
char *sp_gguf_model_name(const sp_gguf *file, const char *name);

/* sp_gguf_read under Hugging Face's name, in its layout. */
sp_status sp_gguf_model_read(const sp_gguf *file, const char *name, int rank, const int64_t *dims,
                             float *out);

#endif
