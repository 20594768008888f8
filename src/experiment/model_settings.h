/* `models:` of a spec: settings that hold only for the runs with a certain model. */
#ifndef SP_EXPERIMENT_MODEL_SETTINGS_H
#define SP_EXPERIMENT_MODEL_SETTINGS_H

#include "format/yaml.h"

/* Maps of dotted paths ("train.steps", "methods.prefix.lr") live in the spec's tree. */
typedef struct sp_model_settings {
    sp_strings names;      /* the model's name and aliases */
    const sp_yaml *always; /* with the keys `presets` and `leave_out` in it, which are no paths */
    const sp_yaml *preset; /* those of the chosen preset; NULL: none */
    const sp_yaml *leave_out; /* entry -> why it has no run with this model; NULL: none */
} sp_model_settings;

/* Reads `models` of `root`, of which `presets` names the known presets and `methods` the entries.
 * `preset` may be NULL. Paths are checked up to the name of an entry; values are not looked at.
 * SP_ERR_SPEC with file and line, also for an unknown model. Release the list with
 * sp_model_settings_free, also after a failure. */
sp_status sp_model_settings_read(const sp_yaml *root, const char *preset, sp_model_settings **out,
                                 size_t *count);
void sp_model_settings_free(sp_model_settings *list, size_t count);

/* The settings of a model of this name or alias; NULL if there are none. */
const sp_model_settings *sp_model_settings_find(const sp_model_settings *list, size_t count,
                                                const char *model);

/* Whether a key of `always` is the path of a setting. */
bool sp_model_settings_is_path(const char *key);

/* Why an entry has no run with a model of these settings (NULL: none are known); NULL if it has. */
const char *sp_model_settings_left_out(const sp_model_settings *settings, const char *entry);

/* Takes the path `methods.ENTRY.SETTING`, or all that begin with "methods.ENTRY", out of every
 * model's settings: --set stands above them. `root` may lack `models`. */
void sp_model_settings_end(sp_yaml *root, const char *path);

#endif
