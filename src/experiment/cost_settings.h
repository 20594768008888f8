/* `report: cost` of a spec: against what the costs of a method are weighed. */
#ifndef SP_EXPERIMENT_COST_SETTINGS_H
#define SP_EXPERIMENT_COST_SETTINGS_H

#include "format/yaml.h"

/* PEFT-Bench's names (arXiv 2511.21285): trainable parameters, FLOPs of inference, bytes of memory
 * in training. */
typedef enum sp_cost_kind {
    SP_COST_PARAMETERS,
    SP_COST_FLOPS,
    SP_COST_MEMORY,
    SP_COST_KINDS
} sp_cost_kind;

/* "parameters", "flops", "memory", NULL. */
extern const char *const sp_cost_names[];

typedef struct sp_cost_settings {
    const char *score; /* "test.all.bleu"; NULL: the spec asks for no costs */
    /* C of each cost; 0: what the model itself has (its parameters, its FLOPs without a method) */
    double references[SP_COST_KINDS];
    double exponents[SP_COST_KINDS]; /* b of each */
} sp_cost_settings;

/* Reads the map `cost`; its score, of one of `groups`, lives in the tree. SP_ERR_SPEC with file and
 * line, also for a score that is better when lower. */
sp_status sp_cost_settings_read(const sp_yaml *node, const sp_strings *groups,
                                sp_cost_settings *out);

#endif
