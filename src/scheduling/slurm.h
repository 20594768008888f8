/* A study as jobs for Slurm: arrays of tasks that do some runs each, and a job for the report. Only
 * texts are made here; `softprompt submit` hands them to sbatch. */
#ifndef SP_SCHEDULING_SLURM_H
#define SP_SCHEDULING_SLURM_H

#include "core/memory.h"

#include <stdbool.h>
#include <stddef.h>

/* What a run that is to be done needs. */
typedef struct sp_run_need {
    size_t number; /* place in the list of runs, from 1 */
    int threads;
    double seconds, bytes;
} sp_run_need;

/* All paths are absolute. */
typedef struct sp_slurm_study {
    const char *name;                /* of the study */
    const char *folder;              /* of its scripts and logs */
    const char *directory;           /* that tasks start in */
    const char *program, *spec;      /* softprompt, and what it is to run */
    const sp_strings *arguments;     /* --preset, --set, --results with their values */
    const char *partition, *account; /* NULL: Slurm's default */
    size_t most_tasks;               /* of an array */
} sp_slurm_study;

/* A script for sbatch. */
typedef struct sp_slurm_job {
    char *path, *script;
    size_t tasks, runs; /* of the report 1 and 0 */
    int cpus;
    long megabytes, minutes; /* of a task */
} sp_slurm_job;

typedef struct sp_slurm_jobs {
    sp_slurm_job *items;
    size_t count;
} sp_slurm_jobs;

/* Runs of a task that is short by the estimate are joined by others until it takes this long. */
enum { SP_SLURM_TASK_SECONDS = 600 };

/* The arrays for runs [count]: those that need as many CPUs and about as much memory share one, in
 * their order. A task asks for three times the time that its runs are estimated at, and 5 minutes,
 * and half as much memory again. Two minutes before its time is over Slurm sends it SIGUSR1: the
 * run at work makes a checkpoint, and the task is requeued and goes on there; so it is after a
 * failure of the node. On SIGTERM (scancel, preemption) it makes one and ends. */
void sp_slurm_arrays(const sp_slurm_study *study, const sp_run_need *runs, size_t count,
                     sp_slurm_jobs *out);
/* The report of what there is then. */
void sp_slurm_report(const sp_slurm_study *study, sp_slurm_job *out);
void sp_slurm_jobs_free(sp_slurm_jobs *jobs);
void sp_slurm_job_free(sp_slurm_job *job);

/* Appends `text` as one word of the shell. */
void sp_shell_quote(sp_buf *out, const char *text);

#endif
