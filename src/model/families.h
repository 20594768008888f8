/* The families family.c lists; a new family adds its line here and there. */
#ifndef SP_MODEL_FAMILIES_H
#define SP_MODEL_FAMILIES_H

#include "model/model.h"

extern const sp_family sp_family_gpt2, sp_family_llama, sp_family_mistral, sp_family_qwen2,
    sp_family_bert, sp_family_roberta;

/* ---- llama_config.c: config.json of llama.c ---- */

sp_status sp_llama_read_config(const char *path, const struct json_t *root, sp_config *out);
sp_status sp_mistral_read_config(const char *path, const struct json_t *root, sp_config *out);
sp_status sp_qwen2_read_config(const char *path, const struct json_t *root, sp_config *out);
struct json_t *sp_llama_write_config(const sp_config *config);
struct json_t *sp_mistral_write_config(const sp_config *config);
struct json_t *sp_qwen2_write_config(const sp_config *config);

/* ---- bert_config.c: config.json of bert.c ---- */

sp_status sp_bert_read_config(const char *path, const struct json_t *root, sp_config *out);
sp_status sp_roberta_read_config(const char *path, const struct json_t *root, sp_config *out);
struct json_t *sp_bert_write_config(const sp_config *config); /* of both */

#endif
