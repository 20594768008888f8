#include "experiment/cost_settings.h"

#include "experiment/figure.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const char *const sp_cost_names[] = {"parameters", "flops", "memory", NULL};

/* Memory of the process, of which the model is only a part on the ladder: 0.1 to 0.7 GB there. */
static const double DEFAULT_MEMORY = 1e9, LARGEST_EXPONENT = 10;

static bool read_number(const sp_yaml *node, double *out) {
    char *end = NULL;
    if (node->kind != SP_YAML_SCALAR) return false;
    *out = strtod(node->text, &end);
    return end != node->text && !*end && isfinite(*out);
}

/* A number above 0, or `model`, which memory does not have. */
static sp_status read_reference(const sp_yaml *node, sp_cost_kind kind, double *out) {
    bool of_model =
        kind != SP_COST_MEMORY && node->kind == SP_YAML_SCALAR && strcmp(node->text, "model") == 0;
    if (of_model) *out = 0;
    if (of_model || (read_number(node, out) && *out > 0)) return SP_OK;
    return sp_yaml_fail(node, "the reference of %s is '%s'; use a number above 0%s",
                        sp_cost_names[kind], node->text ? node->text : "a list or map",
                        kind == SP_COST_MEMORY ? ", in bytes" : ", or model");
}

static sp_status read_exponent(const sp_yaml *node, sp_cost_kind kind, double *out) {
    if (read_number(node, out) && *out >= 0 && *out <= LARGEST_EXPONENT) return SP_OK;
    return sp_yaml_fail(node, "the exponent of %s is '%s'; use a number from 0 to %g",
                        sp_cost_names[kind], node->text ? node->text : "a list or map",
                        LARGEST_EXPONENT);
}

/* The three numbers of one key. */
static sp_status read_three(const sp_yaml *node, const char *key, double out[SP_COST_KINDS],
                            sp_status (*read)(const sp_yaml *, sp_cost_kind, double *)) {
    const sp_yaml *map;
    sp_status st = sp_yaml_map_or_null(node, key, &map);
    if (st || !map) return st;
    if ((st = sp_yaml_check_keys(map, sp_cost_names))) return st;
    for (int i = 0; !st && i < SP_COST_KINDS; i++) {
        const sp_yaml *value = sp_yaml_get(map, sp_cost_names[i]);
        if (value) st = read(value, (sp_cost_kind)i, &out[i]);
    }
    return st;
}

static sp_status read_score(const sp_yaml *node, const sp_strings *groups, const char **out) {
    sp_status st = sp_yaml_text(node, "score", out);
    const sp_yaml *place = sp_yaml_get(node, "score");
    if (!st) st = sp_check_score(place, *out, groups);
    if (!st && sp_lower_is_better(*out))
        st = sp_yaml_fail(place,
                          "score is '%s', which is better when lower; use one that is better "
                          "when higher",
                          *out);
    return st;
}

sp_status sp_cost_settings_read(const sp_yaml *node, const sp_strings *groups,
                                sp_cost_settings *out) {
    *out = (sp_cost_settings){.references = {[SP_COST_MEMORY] = DEFAULT_MEMORY},
                              .exponents = {1, 1, 1}};
    sp_status st =
        sp_yaml_check_keys(node, (const char *const[]){"score", "references", "exponents", NULL});
    if (!st) st = read_score(node, groups, &out->score);
    if (!st) st = read_three(node, "references", out->references, read_reference);
    return st ? st : read_three(node, "exponents", out->exponents, read_exponent);
}
