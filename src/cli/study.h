/* What run, plan and report have in common: the command line that names a study, and opening it. */
#ifndef SP_CLI_STUDY_H
#define SP_CLI_STUDY_H

#include "experiment/grid.h"

typedef struct sp_study {
    char *preset;    /* NULL: none */
    sp_strings sets; /* --set, in order */
    char *results;   /* folder of all studies */
    char *spec_path;
    bool quiet;
    sp_spec spec;
    sp_run_list runs;
    char *folder; /* <results>/<spec name> */
} sp_study;

/* Parses SPEC [--preset P] [--set A=B]... [--results FOLDER] [--quiet], reads the spec and expands
 * it. `doc` is the text of --help. Release with sp_study_close, also after a failure. */
sp_status sp_study_open(int argc, char **argv, const char *doc, sp_study *out);
void sp_study_close(sp_study *study);

#endif
