/* adapter_config.json of PEFT: reading with checks, its keys, and how it names modules. Not for
 * use outside of peft_*.c. */
#ifndef SP_TUNING_PEFT_CONFIG_H
#define SP_TUNING_PEFT_CONFIG_H

#include "model/model.h"

#include <jansson.h>

#define SP_PEFT_CONFIG  "adapter_config.json"
#define SP_PEFT_WEIGHTS "adapter_model.safetensors"

typedef enum sp_peft_type {
    SP_PEFT_LORA,
    SP_PEFT_ADALORA,
    SP_PEFT_PREFIX_TUNING,
    SP_PEFT_PROMPT_TUNING,
    SP_PEFT_P_TUNING,
    SP_PEFT_ADAPTION_PROMPT,
    SP_PEFT_TYPES
} sp_peft_type;

/* PEFT's peft_type. */
const char *sp_peft_type_name(sp_peft_type type);

typedef struct sp_peft_config {
    char *path;
    json_t *root;
    sp_peft_type type;
    bool classifies; /* task_type SEQ_CLS; else CAUSAL_LM or none */
} sp_peft_config;

/* Reads the file of a folder. SP_ERR_MISSING; SP_ERR_FORMAT for what is no such file, for an
 * unknown type or task, and for a key that this program does not know unless its value switches
 * it off (null, false, "none", empty). Release with sp_peft_config_free. */
sp_status sp_peft_config_read(const char *folder, sp_peft_config *out);
void sp_peft_config_free(sp_peft_config *config);

/* A number within limits. SP_ERR_FORMAT, also if it is absent. */
sp_status sp_peft_config_int(const sp_peft_config *config, const char *key, long least, long most,
                             long *out);
/* SP_ERR_FORMAT unless the key is absent, null or `value`; `what` says whose number that is. */
sp_status sp_peft_config_expect(const sp_peft_config *config, const char *key, long value,
                                const char *what);
bool sp_peft_config_is_true(const sp_peft_config *config, const char *key);

/* SP_ERR_SPEC, with `place`, for a BERT without pooler: transformers would make a random one. */
sp_status sp_peft_check_pooler(const sp_model *model, const char *place);

/* ---- peft_names.c ---- */

/* Marks in chosen [projection_count] the linear maps that target_modules (a list of ends of names,
 * or a regular expression) and exclude_modules name. SP_ERR_FORMAT, also if there are none. */
sp_status sp_peft_targets(const sp_peft_config *config, const sp_model *model, bool *chosen);

/* The number for a module: of the first entry of `patterns` (rank_pattern or alpha_pattern, regular
 * expressions for ends of names) that matches its name, else that of `key`. SP_ERR_FORMAT unless
 * it is a number from `least` to `most`. */
sp_status sp_peft_module_number(const sp_peft_config *config, const char *patterns, const char *key,
                                const char *module, double least, double most, double *out);

/* Ends of names that, as target_modules, name exactly the chosen linear maps. Owned by the caller.
 */
json_t *sp_peft_target_names(const sp_model *model, const bool *chosen);

#endif
