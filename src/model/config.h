/* For the families: reading and writing the keys of config.json. Every function checks its value
 * and fails with SP_ERR_FORMAT, naming the file and the key; null counts as absent. */
#ifndef SP_MODEL_CONFIG_H
#define SP_MODEL_CONFIG_H

#include "model/model.h"

#include <jansson.h>

/* The object of config.json, and its path for messages. */
typedef struct sp_config_source {
    const char *path;
    const json_t *root;
} sp_config_source;

/* What sp_config_read does with the file's object. */
sp_status sp_config_from_json(sp_config_source source, sp_config *out);

/* Stands for "no fallback". */
enum { SP_CONFIG_REQUIRED = -1 };

/* A whole number from 1 on; `fallback` where it is absent. */
sp_status sp_config_int(sp_config_source s, const char *key, long fallback, int *out);
/* A whole number from 0 on. */
sp_status sp_config_count(sp_config_source s, const char *key, int fallback, int *out);
/* A number above 0, up to `most`. */
sp_status sp_config_real(sp_config_source s, const char *key, double fallback, double most,
                         double *out);
sp_status sp_config_bool(sp_config_source s, const char *key, bool fallback, bool *out);
/* Hugging Face's name of an activation. */
sp_status sp_config_activation(sp_config_source s, const char *key, sp_activation fallback,
                               sp_activation *out);
const char *sp_activation_name(sp_activation kind);
/* A token id of the vocabulary, 0 where it is absent. Of a list of ids, the first. */
sp_status sp_config_token(sp_config_source s, const char *key, int vocab_size, int *out);
/* Refuses a key that is there and not null. */
sp_status sp_config_absent(sp_config_source s, const char *key);
/* Refuses another value of a variant than `only`, which is also what absence means. */
sp_status sp_config_only_bool(sp_config_source s, const char *key, bool only);
/* The same for a text, which may be any of `names` (NULL-terminated). */
sp_status sp_config_only_text(sp_config_source s, const char *key, const char *const *names);

#endif
