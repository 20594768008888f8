#include "cli/study.h"

#include "core/file.h"

#include <stdlib.h>

static const struct argp_option options[] = {
    {"preset", 'p', "NAME", 0, "apply the preset NAME of the spec", 0},
    {"set", 's', "PATH=VALUE", 0,
     "override a setting, e.g. train.steps=50 or model=gpt2-1m; may be repeated", 0},
    {"results", 'r', "FOLDER", 0, "where studies are kept (default: results)", 0},
    {"quiet", 'q', NULL, 0, "no progress lines", 0},
    {0}};

typedef struct command_line {
    sp_study *study;
    const sp_own_options *own;
} command_line;

static error_t parse_option(int key, char *arg, struct argp_state *state) {
    const command_line *line = state->input;
    sp_study *study = line->study;
    switch (key) {
    case ARGP_KEY_INIT:
        if (line->own) state->child_inputs[0] = line->own->input;
        return 0;
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

sp_status sp_study_open(int argc, char **argv, const char *doc, const sp_own_options *own,
                        sp_study *out) {
    *out = (sp_study){.results = sp_strdup("results")};
    const struct argp_child children[] = {{.argp = own ? own->parser : NULL}, {0}};
    const struct argp parser = {.options = options,
                                .parser = parse_option,
                                .args_doc = "SPEC",
                                .doc = doc,
                                .children = own ? children : NULL};
    command_line line = {out, own};
    argp_parse(&parser, argc, argv, 0, NULL, &line);
    out->assets = sp_assets_new();
    sp_status st = sp_spec_read(out->spec_path, out->preset, &out->sets, &out->spec);
    if (st) return st;
    out->folder = sp_path_join(out->results, out->spec.folder);
    return sp_expand(&out->spec, sp_assets_identify, out->assets, &out->runs);
}

void sp_study_close(sp_study *study) {
    sp_run_list_free(&study->runs);
    sp_assets_free(study->assets);
    sp_spec_free(&study->spec);
    sp_strings_free(&study->sets);
    free(study->preset), free(study->results), free(study->spec_path), free(study->folder);
    *study = (sp_study){0};
}
