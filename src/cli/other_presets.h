/* A study asked for with another preset than it was run with looks as if nothing were done. */
#ifndef SP_CLI_OTHER_PRESETS_H
#define SP_CLI_OTHER_PRESETS_H

#include "cli/study.h"

/* If no run of the study has a file, says so on standard error, and with which other preset there
 * are some. Silent with --quiet; a preset that cannot be read has none. */
void sp_hint_other_presets(const sp_study *study);

#endif
