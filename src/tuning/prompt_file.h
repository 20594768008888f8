/* What the writers and readers of a run file's group /prompt share. Paths are whole:
 * "/prompt/score/bias". */
#ifndef SP_TUNING_PROMPT_FILE_H
#define SP_TUNING_PROMPT_FILE_H

#include "autograd/tape.h"
#include "format/hdf5.h"

/* SP_ERR_FORMAT: what stands at `path` is not for the model it is read for. */
sp_status sp_prompt_misfit(sp_h5 *file, const char *path);

sp_status sp_prompt_write_ids(sp_h5 *file, const char *path, const sp_ints *ids);
/* Appends ids, which must be in [least, limit). SP_ERR_FORMAT. */
sp_status sp_prompt_read_ids(sp_h5 *file, const char *path, long least, long limit, sp_ints *out);

/* Fills `out` [rows, cols]; SP_ERR_FORMAT unless the file has as many numbers there. */
sp_status sp_prompt_read_var(sp_h5 *file, const char *path, sp_var *out);

#endif
