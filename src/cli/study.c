#include "cli/study.h"

#include "core/file.h"
#include "experiment/trial.h"

#include <argp.h>
#include <stdlib.h>

static const struct argp_option options[] = {
    {"preset", 'p', "NAME", 0, "apply the preset NAME of the spec", 0},
    {"set", 's', "PATH=VALUE", 0,
     "override a setting, e.g. train.steps=50 or model=gpt2-1m; may be repeated", 0},
    {"results", 'r', "FOLDER", 0, "where studies are kept (default: results)", 0},
    {"quiet", 'q', NULL, 0, "no progress lines", 0},
    {0}};

static error_t parse_option(int key, char *arg, struct argp_state *state) {
    sp_study *study = state->input;
    switch (key) {
    case 'p':
        free(study->preset);
        study->preset = sp_strdup(arg);
        return 0;
    case 's':
        sp_strings_push(&study->sets, arg);
        return 0;
    case 'r':
        free(study->results);
        study->results = sp_strdup(arg);
        return 0;
    case 'q':
        study->quiet = true;
        return 0;
    case ARGP_KEY_ARG:
        if (study->spec_path) argp_error(state, "one SPEC at a time, please");
        study->spec_path = sp_find_file(arg);
        return 0;
    case ARGP_KEY_END:
        if (!study->spec_path) argp_error(state, "SPEC is missing, e.g. experiments/table1.yaml");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

sp_status sp_study_open(int argc, char **argv, const char *doc, sp_study *out) {
    *out = (sp_study){.results = sp_strdup("results")};
    const struct argp parser = {
        .options = options, .parser = parse_option, .args_doc = "SPEC", .doc = doc};
    argp_parse(&parser, argc, argv, 0, NULL, out);
    sp_status st = sp_spec_read(out->spec_path, out->preset, &out->sets, &out->spec);
    if (st) return st;
    out->folder = sp_path_join(out->results, out->spec.name);
    return sp_expand(&out->spec, sp_trial_identify, &out->runs);
}

void sp_study_close(sp_study *study) {
    sp_run_list_free(&study->runs);
    sp_spec_free(&study->spec);
    sp_strings_free(&study->sets);
    free(study->preset), free(study->results), free(study->spec_path), free(study->folder);
    *study = (sp_study){0};
}
