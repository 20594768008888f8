/* How far a run at work is, for other processes: <folder>/runs/<id>.progress.json, which the
 * process of the study replaces every few seconds and removes at the end (docs/formats.md). */
#ifndef SP_SCHEDULING_RUN_PROGRESS_H
#define SP_SCHEDULING_RUN_PROGRESS_H

#include "core/progress.h"
#include "experiment/run.h"

enum { SP_PROGRESS_WORD = 80 };

typedef struct sp_run_progress {
    long pid, run_pid;                            /* of the study's process, and of the run's */
    char host[SP_PROGRESS_WORD];                  /* "": unknown */
    char started[SP_PROGRESS_WORD];               /* "2026-01-31T12:00:00Z" */
    char phase[SP_PROGRESS_WORD];                 /* "start", "training", "dev", "test", ... */
    long step, steps;                             /* of the phase; steps 0: unknown */
    double loss, tokens_per_second, seconds_left; /* NaN; NaN; negative: unknown */
} sp_run_progress;

/* What is known of a run that starts now, as this process' own. */
sp_run_progress sp_run_progress_start(long run_pid);
void sp_run_progress_take(sp_run_progress *p, const sp_progress_state *state);

/* Readers see the old file or the new one. Nothing depends on it, so a failure is none. */
void sp_run_progress_write(const sp_run_progress *p, const sp_run_spec *run, const char *folder);
void sp_run_progress_remove(const sp_run_spec *run, const char *folder);

/* All unknown if there is no such file, or one that is not understood. */
sp_run_progress sp_run_progress_read(const sp_run_spec *run, const char *folder);
/* The same from the file's text. */
sp_run_progress sp_run_progress_parse(const char *text, size_t len);

#endif
