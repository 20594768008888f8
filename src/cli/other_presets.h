/* A study asked for with another preset than it was run with looks as if nothing were done. */
#ifndef SP_CLI_OTHER_PRESETS_H
#define SP_CLI_OTHER_PRESETS_H

#include "cli/study.h"

/* If no run of the study has a file, but runs of another of its presets have, says so on standard
 * error, with the option that shows them. Silent with --quiet, and when a spec cannot be read. */
void sp_hint_other_presets(const sp_study *study);

#endif
