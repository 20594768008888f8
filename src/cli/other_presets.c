#include "cli/other_presets.h"

#include "core/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static size_t count_files(const sp_run_list *runs, const char *folder) {
    size_t n = 0;
    for (size_t i = 0; i < runs->count; i++) {
        char *path = sp_run_path(&runs->items[i], folder);
        n += sp_file_exists(path);
        free(path);
    }
    return n;
}

/* How many files the study has with this preset (NULL: none); 0 if it cannot be read. */
static size_t count_with(const sp_study *study, const char *preset) {
    sp_spec spec;
    sp_run_list runs = {0};
    size_t n = 0;
    if (!sp_spec_read(study->spec_path, preset, &study->sets, &spec)) {
        char *folder = sp_path_join(study->results, spec.folder);
        if (!sp_expand(&spec, sp_assets_identify, study->assets, &runs))
            n = count_files(&runs, folder);
        free(folder);
    }
    sp_run_list_free(&runs);
    sp_spec_free(&spec);
    return n;
}

/* "with --preset quick"; the caller's. */
static char *preset_text(const char *preset) {
    return preset ? sp_format("with --preset %s", preset) : sp_strdup("without --preset");
}

static bool hint(const sp_study *study, const char *preset) {
    size_t n = count_with(study, preset);
    if (!n) return false;
    char *asked = preset_text(study->preset), *there = preset_text(preset);
    fprintf(stderr, "%s: no run is finished %s, but %zu %s\n", study->spec.name, asked, n, there);
    free(asked), free(there);
    return true;
}

void sp_hint_other_presets(const sp_study *study) {
    const sp_yaml *presets = sp_yaml_get(study->spec.root, "presets");
    if (study->quiet || count_files(&study->runs, study->folder)) return;
    bool found = study->preset && hint(study, NULL);
    for (size_t i = 0; presets && i < presets->count; i++)
        if (!study->preset || strcmp(presets->keys[i], study->preset) != 0)
            found = hint(study, presets->keys[i]) || found;
    if (!found)
        fprintf(stderr, "%s: no run is finished in %s yet; softprompt run %s does them\n",
                study->spec.name, study->folder, study->spec_path);
}
