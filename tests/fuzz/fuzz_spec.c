/* Any bytes as an experiment spec: refused cleanly, or expanded into runs whose resolved specs are
 * YAML. */
#include "core/memory.h"
#include "experiment/grid.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static sp_status identify(void *user, const char *model, const char *dataset, sp_digest *m,
                          sp_digest *d) {
    (void)user;
    if (m) *m = sp_sha256(model, strlen(model));
    if (d) *d = sp_sha256(dataset, strlen(dataset));
    return SP_OK;
}

static void check_runs(const sp_spec *spec) {
    sp_run_list runs;
    size_t replicates = spec->seed_count * (spec->subsamples ? spec->subsample_count : 1);
    if (spec->entry_count * replicates > 50 || sp_expand(spec, identify, NULL, &runs)) return;
    for (size_t i = 0; i < runs.count && i < 20; i++) {
        sp_yaml *root;
        const char *text = runs.items[i].spec_yaml;
        if (sp_yaml_parse(text, strlen(text), "run", &root)) abort();
        sp_yaml_free(root);
    }
    sp_run_list_free(&runs);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *path = sp_format("/tmp/sp-fuzz-spec-%ld.yaml", (long)getpid());
    FILE *file = fopen(path, "wb");
    if (!file) abort();
    fwrite(data, 1, size, file);
    fclose(file);
    static const char *const presets[] = {NULL, "quick"};
    sp_strings sets = {0};
    sp_strings_push(&sets, "train.steps=5");
    for (int i = 0; i < 2; i++) {
        sp_spec spec;
        if (sp_spec_read(path, presets[i], &sets, &spec)) continue;
        check_runs(&spec);
        sp_spec_free(&spec);
    }
    sp_strings_free(&sets);
    unlink(path);
    free(path);
    return 0;
}
