/* What run, plan and report have in common: the command line that names a study, and opening it. */
#ifndef SP_CLI_STUDY_H
#define SP_CLI_STUDY_H

#include "experiment/assets.h"
#include "experiment/grid.h"

#include <argp.h>

typedef struct sp_study {
    char *preset;    /* NULL: none */
    sp_strings sets; /* --set, in order */
    char *results;   /* folder of all studies */
    char *spec_path;
    bool quiet;
    sp_assets *assets;
    sp_spec spec;
    sp_run_list runs;
    char *folder; /* <results>/<spec.folder> */
} sp_study;

/* Options that a command has besides: a parser and what it fills, handed to it at ARGP_KEY_INIT as
 * a child's input. */
typedef struct sp_own_options {
    const struct argp *parser;
    void *input;
} sp_own_options;

/* Parses SPEC [--preset P] [--set A=B]... [--results FOLDER] [--quiet] and the command's `own`
 * options (NULL: none), reads the spec and expands it. `doc` is the text of --help. Release with
 * sp_study_close, also after a failure. */
sp_status sp_study_open(int argc, char **argv, const char *doc, const sp_own_options *own,
                        sp_study *out);
void sp_study_close(sp_study *study);

#endif
