#include "bench/suite.h"

#include "bench/child.h"
#include "bench/phases.h"
#include "bench/shape.h"
#include "bench/start.h"
#include "core/clock.h"
#include "core/file.h"
#include "model/find.h"
#include "model/model.h"
#include "tensor/cpu.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *const sp_bench_whats[] = {"gemm",  "train",   "greedy", "beam",
                                      "start", "threads", "cost",   NULL};

/* ---- rows made of others ---- */

static sp_bench_row start_row(const sp_bench_job *job, const char *phase, const char *measure,
                              const char *unit) {
    sp_bench_row row = sp_bench_row_of(job, phase, measure, unit);
    row.threads = job->settings.threads;
    return row;
}

/* The share of the peak that a step of training reaches. */
static void add_share(const sp_bench_job *job, sp_bench_rows *rows) {
    sp_bench_row row = start_row(job, "train", "share", "% of peak");
    const sp_bench_row *rate = sp_bench_rows_find(rows, &row, "train", "rate");
    const sp_bench_row *peak = sp_bench_rows_find(rows, &row, "gemm", "peak");
    if (!rate || !peak) return;
    row.median = 100 * rate->median / peak->median;
    row.low = 100 * rate->low / peak->median;
    row.high = 100 * rate->high / peak->median;
    row.repetitions = rate->repetitions;
    sp_bench_rows_add(rows, &row);
}

/* Speed with all threads over that with one. */
static void add_speed_up(const sp_bench_job *job, const char *phase, sp_bench_rows *rows) {
    sp_bench_row row = start_row(job, phase, "speed-up", "x"), single = row;
    single.threads = 1;
    const sp_bench_row *all = sp_bench_rows_find(rows, &row, phase, "speed");
    const sp_bench_row *one = sp_bench_rows_find(rows, &single, phase, "speed");
    if (!all || !one) return;
    row.median = all->median / one->median;
    row.low = all->low / one->high;
    row.high = all->high / one->low;
    row.repetitions = all->repetitions;
    sp_bench_rows_add(rows, &row);
}

/* ---- one model in one precision ---- */

/* A measurement in a process of its own. */
typedef struct measurement {
    unsigned what; /* any of these bits asks for it */
    bool single;   /* with one thread */
    const char *words;
    sp_bench_work *work;
} measurement;

static const measurement measurements[] = {
    {SP_BENCH_GEMM, false, "matrix products", sp_bench_gemm},
    {SP_BENCH_TRAIN | SP_BENCH_THREADS, false, "training", sp_bench_train},
    {SP_BENCH_GREEDY | SP_BENCH_THREADS, false, "greedy generation", sp_bench_greedy},
    {SP_BENCH_BEAM, false, "beam search", sp_bench_beam},
    {SP_BENCH_THREADS, true, "training with one thread", sp_bench_train},
    {SP_BENCH_THREADS, true, "greedy generation with one thread", sp_bench_greedy},
    {SP_BENCH_COST, false, "cost over sequences", sp_bench_by_sequences},
    {SP_BENCH_COST, false, "cost over prefix length", sp_bench_by_prefix}};

static sp_status measure(const sp_bench_job *job, const measurement *m, sp_bench_watch *watch,
                         sp_bench_rows *rows) {
    sp_bench_job own = *job;
    if (m->single && own.settings.threads == 1) return SP_OK;
    if (m->single) own.settings.threads = 1;
    watch(&own, m->words);
    sp_status st = sp_bench_in_child(m->work, &own, rows);
    return st ? sp_fail_in(st, "%s, %s, %s", job->label, sp_precision_names[job->precision],
                           m->words)
              : SP_OK;
}

static sp_status measure_job(const sp_bench_job *job, unsigned what, sp_bench_watch *watch,
                             sp_bench_rows *rows) {
    sp_status st = SP_OK;
    if (what & SP_BENCH_START) {
        watch(job, "start");
        st = sp_bench_start(job, rows);
    }
    for (size_t i = 0; i < sizeof measurements / sizeof *measurements && !st; i++)
        if (what & measurements[i].what) st = measure(job, &measurements[i], watch, rows);
    if (st) return st;
    add_share(job, rows);
    if (what & SP_BENCH_THREADS && job->settings.threads > 1) {
        add_speed_up(job, "train", rows);
        add_speed_up(job, "greedy", rows);
    }
    return SP_OK;
}

/* ---- models ---- */

static sp_status write_shape(const void *user, sp_bench_rows *rows) {
    const sp_bench_job *job = user;
    (void)rows;
    return sp_bench_write_shape(job->label, (uint64_t)job->settings.seed, job->folder);
}

static sp_status make_temporary(char **folder) {
    const char *base = getenv("TMPDIR");
    *folder = sp_format("%s/softprompt-bench-XXXXXX", base && *base ? base : "/tmp");
    if (mkdtemp(*folder)) return SP_OK;
    sp_status st =
        sp_fail(SP_ERR_IO, "%s: %s; set TMPDIR to a folder with room", *folder, strerror(errno));
    free(*folder);
    *folder = NULL;
    return st;
}

static void remove_temporary(char *folder) {
    static const char *const names[] = {"config.json", "model.safetensors"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char *path = sp_path_join(folder, names[i]);
        unlink(path);
        free(path);
    }
    rmdir(folder);
}

static sp_status measure_precisions(sp_bench_job *job, const sp_precision *precisions, size_t count,
                                    unsigned what, sp_bench_watch *watch, sp_bench_rows *rows) {
    sp_status st = SP_OK;
    for (size_t i = 0; i < count && !st; i++) {
        job->precision = precisions[i];
        st = sp_interrupted() ? sp_fail(SP_ERR_INTERRUPTED, "interrupted")
                              : measure_job(job, what, watch, rows);
    }
    return st;
}

sp_status sp_bench_model(const char *model, const sp_precision *precisions, size_t precision_count,
                         const sp_bench_settings *settings, unsigned what, sp_bench_watch *watch,
                         sp_bench_rows *rows) {
    sp_bench_job job = {.label = model, .settings = *settings};
    if (job.settings.threads == 0) job.settings.threads = sp_cpu_count();
    char *folder = NULL;
    bool shape = sp_bench_is_shape(model);
    sp_status st = SP_OK;
    if (shape)
        st = make_temporary(&folder);
    else
        st = sp_model_find(model, &folder);
    job.folder = folder;
    if (!st && shape) st = sp_bench_in_child(write_shape, &job, rows);
    if (!st) st = measure_precisions(&job, precisions, precision_count, what, watch, rows);
    if (shape && folder) remove_temporary(folder);
    free(folder);
    return st;
}
