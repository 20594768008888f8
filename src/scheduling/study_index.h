/* index.h5 of a study: links to its run files. */
#ifndef SP_SCHEDULING_STUDY_INDEX_H
#define SP_SCHEDULING_STUDY_INDEX_H

#include "core/status.h"

/* Writes it anew with every run of the folder, those of other presets too. Under a short lock,
 * which processes that share the study take one after the other. */
sp_status sp_study_index_write(const char *folder);

#endif
