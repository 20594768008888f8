#include "tuning/peft_config.h"

#include "core/file.h"

#include <stdlib.h>
#include <string.h>

/* Far above any real file: one with a pattern for each of 10,000 modules has a megabyte. */
enum { LARGEST_FILE = 8 << 20, MOST_DIGITS = 60 };

/* What a type reads, or may leave alone because nothing depends on it once training is over. */
typedef struct type_keys {
    const char *name;
    const char *const *keys;
} type_keys;

static const char *const common_keys[] = {
    "peft_type", "task_type",      "auto_mapping",    "peft_version",
    "revision",  "inference_mode", "modules_to_save", "base_model_name_or_path",
    NULL};
/* fan_in_fan_out only tells how a weight is stored; the model's family knows that. */
static const char *const lora_keys[] = {"r",
                                        "lora_alpha",
                                        "rank_pattern",
                                        "alpha_pattern",
                                        "target_modules",
                                        "use_rslora",
                                        "exclude_modules",
                                        "lora_dropout",
                                        "megatron_core",
                                        "fan_in_fan_out",
                                        "init_lora_weights",
                                        "qalora_group_size",
                                        NULL};
static const char *const adalora_keys[] = {"r",
                                           "lora_alpha",
                                           "rank_pattern",
                                           "init_r",
                                           "target_r",
                                           "target_modules",
                                           "exclude_modules",
                                           "lora_dropout",
                                           "tinit",
                                           "tfinal",
                                           "deltaT",
                                           "beta1",
                                           "beta2",
                                           "orth_reg_weight",
                                           "total_step",
                                           "megatron_core",
                                           "qalora_group_size",
                                           "fan_in_fan_out",
                                           "init_lora_weights",
                                           NULL};
static const char *const prompt_keys[] = {"num_virtual_tokens",
                                          "token_dim",
                                          "num_layers",
                                          "num_attention_heads",
                                          "num_transformer_submodules",
                                          "encoder_hidden_size",
                                          "prefix_projection",
                                          "init_weights",
                                          "prompt_tuning_init",
                                          "prompt_tuning_init_text",
                                          "tokenizer_name_or_path",
                                          "tokenizer_kwargs",
                                          "encoder_reparameterization_type",
                                          "encoder_num_layers",
                                          "encoder_dropout",
                                          NULL};
static const char *const adaption_keys[] = {"adapter_len", "adapter_layers", "target_modules",
                                            NULL};

static const type_keys types[SP_PEFT_TYPES] = {
    [SP_PEFT_LORA] = {"LORA", lora_keys},
    [SP_PEFT_ADALORA] = {"ADALORA", adalora_keys},
    [SP_PEFT_PREFIX_TUNING] = {"PREFIX_TUNING", prompt_keys},
    [SP_PEFT_PROMPT_TUNING] = {"PROMPT_TUNING", prompt_keys},
    [SP_PEFT_P_TUNING] = {"P_TUNING", prompt_keys},
    [SP_PEFT_ADAPTION_PROMPT] = {"ADAPTION_PROMPT", adaption_keys}};

const char *sp_peft_type_name(sp_peft_type type) {
    return types[type].name;
}

static bool is_listed(const char *const *names, const char *name) {
    for (; *names; names++)
        if (strcmp(*names, name) == 0) return true;
    return false;
}

/* A value as in the file, cut to what fits a message. The caller's. */
static char *value_text(const json_t *value) {
    char *whole = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
    char *cut = sp_format("%.*s%s", MOST_DIGITS, whole ? whole : "?",
                          whole && strlen(whole) > MOST_DIGITS ? "..." : "");
    free(whole);
    return cut;
}

static sp_status refuse(const sp_peft_config *c, const char *key, const char *why) {
    const json_t *value = json_object_get(c->root, key);
    char *text = value ? value_text(value) : sp_strdup("missing");
    sp_status st = sp_fail(SP_ERR_FORMAT, "%s: \"%s\" is %s; %s", c->path, key, text, why);
    free(text);
    return st;
}

/* ---- values ---- */

sp_status sp_peft_config_int(const sp_peft_config *c, const char *key, long least, long most,
                             long *out) {
    const json_t *value = json_object_get(c->root, key);
    if (!json_is_integer(value) || json_integer_value(value) < least ||
        json_integer_value(value) > most) {
        char *why = sp_format("it must be a whole number from %ld to %ld", least, most);
        sp_status st = refuse(c, key, why);
        free(why);
        return st;
    }
    *out = (long)json_integer_value(value);
    return SP_OK;
}

sp_status sp_peft_config_expect(const sp_peft_config *c, const char *key, long expected,
                                const char *what) {
    const json_t *value = json_object_get(c->root, key);
    if (!value || json_is_null(value)) return SP_OK;
    if (json_is_integer(value) && json_integer_value(value) == expected) return SP_OK;
    char *why = sp_format("%s %ld; use the model that the adapter was made for", what, expected);
    sp_status st = refuse(c, key, why);
    free(why);
    return st;
}

bool sp_peft_config_is_true(const sp_peft_config *c, const char *key) {
    return json_is_true(json_object_get(c->root, key));
}

/* ---- checks ---- */

static sp_status find_type(sp_peft_config *c) {
    const char *name = json_string_value(json_object_get(c->root, "peft_type"));
    for (int i = 0; name && i < SP_PEFT_TYPES; i++)
        if (strcmp(name, types[i].name) == 0) {
            c->type = (sp_peft_type)i;
            return SP_OK;
        }
    return refuse(c, "peft_type",
                  "use an adapter of type LORA, ADALORA, PREFIX_TUNING, PROMPT_TUNING, P_TUNING or "
                  "ADAPTION_PROMPT");
}

static sp_status find_task(sp_peft_config *c) {
    const json_t *value = json_object_get(c->root, "task_type");
    const char *name = json_string_value(value);
    c->classifies = name && strcmp(name, "SEQ_CLS") == 0;
    if (!value || json_is_null(value) || c->classifies) return SP_OK;
    if (name && strcmp(name, "CAUSAL_LM") == 0) return SP_OK;
    return refuse(c, "task_type", "use an adapter for CAUSAL_LM or SEQ_CLS");
}

/* Whether a value of a key that is not known leaves its feature out. */
static bool is_off(const json_t *value) {
    const char *text = json_string_value(value);
    return json_is_null(value) || json_is_false(value) || (text && strcmp(text, "none") == 0) ||
           (json_is_object(value) && json_object_size(value) == 0) ||
           (json_is_array(value) && json_array_size(value) == 0);
}

/* Modules saved whole: the class head only, under the names PEFT looks for. */
static sp_status check_modules(const sp_peft_config *c) {
    static const char *const heads[] = {"classifier", "score", NULL};
    const json_t *list = json_object_get(c->root, "modules_to_save"), *item;
    size_t i;
    bool fits = json_is_array(list) && (c->classifies || json_array_size(list) == 0);
    if (!list || json_is_null(list)) return SP_OK;
    json_array_foreach(list, i, item) {
        const char *name = json_string_value(item);
        fits = fits && name && is_listed(heads, name);
    }
    return fits ? SP_OK
                : refuse(c, "modules_to_save",
                         "only the head (classifier, score) of an adapter for SEQ_CLS can be "
                         "taken over");
}

/* Some ways of initialisation change the base model's weights. */
static sp_status check_initialisation(const sp_peft_config *c) {
    static const char *const harmless[] = {"gaussian", "eva", "orthogonal", NULL};
    const json_t *value = json_object_get(c->root, "init_lora_weights");
    const char *name = json_string_value(value);
    if (!value || json_is_null(value) || json_is_boolean(value)) return SP_OK;
    if (name && is_listed(harmless, name)) return SP_OK;
    return refuse(c, "init_lora_weights",
                  "it may have changed the base model; let PEFT save the adapter as plain LoRA "
                  "(path_initial_model_for_weight_conversion)");
}

static sp_status check_keys(const sp_peft_config *c) {
    const char *key;
    json_t *value;
    json_object_foreach(c->root, key, value) {
        if (is_listed(common_keys, key) || is_listed(types[c->type].keys, key)) continue;
        if (!is_off(value))
            return refuse(c, key, "this program does not have that; use an adapter without it");
    }
    return SP_OK;
}

sp_status sp_peft_check_pooler(const sp_model *m, const char *place) {
    if (strcmp(m->config.model_type, "bert") != 0 || sp_model_has(m, SP_PART_POOLER)) return SP_OK;
    return sp_fail(
        SP_ERR_SPEC,
        "%s: the model's checkpoint has no pooler, on which BertForSequenceClassification "
        "puts its head; use a checkpoint with one",
        place);
}

/* ---- the file ---- */

static sp_status parse(sp_peft_config *c) {
    sp_map map;
    sp_status st = sp_map_file(c->path, &map);
    if (st) return st;
    json_error_t error;
    if (map.len > LARGEST_FILE) {
        st = sp_fail(SP_ERR_FORMAT, "%s: has %zu bytes; no configuration is that large", c->path,
                     map.len);
    } else { /* jansson itself limits the depth */
        c->root = json_loadb((const char *)map.data, map.len, JSON_REJECT_DUPLICATES, &error);
        if (!json_is_object(c->root))
            st = sp_fail(SP_ERR_FORMAT, "%s:%d: not a JSON object: %s", c->path,
                         c->root ? 1 : error.line, c->root ? "other JSON" : error.text);
    }
    sp_unmap_file(&map);
    return st;
}

sp_status sp_peft_config_read(const char *folder, sp_peft_config *c) {
    *c = (sp_peft_config){.path = sp_path_join(folder, SP_PEFT_CONFIG)};
    sp_status st = parse(c);
    if (!st) st = find_type(c);
    if (!st) st = find_task(c);
    if (!st) st = check_modules(c);
    if (!st) st = check_initialisation(c);
    if (!st) st = check_keys(c);
    if (st) sp_peft_config_free(c);
    return st;
}

void sp_peft_config_free(sp_peft_config *c) {
    json_decref(c->root);
    free(c->path);
    *c = (sp_peft_config){0};
}
