#include "bench/start.h"

#include "bench/phases.h"
#include "bench/subject.h"
#include "core/clock.h"
#include "tensor/gemm.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Written to the file descriptor itself: this is the protocol between two of this program, not
 * something for a person to read. */
sp_status sp_bench_open(const sp_bench_job *job) {
    sp_subject s = {0};
    sp_status st = sp_gemm_start(job->settings.threads);
    if (!st) st = sp_subject_open(job, &s);
    char *line = sp_format("%.9f %.0f\n", sp_now(), sp_peak_rss());
    if (!st && write(STDOUT_FILENO, line, strlen(line)) < 0)
        st = sp_fail(SP_ERR_IO, "standard output: cannot write to it");
    free(line);
    sp_subject_close(&s);
    return st;
}

/* One start; *peak in bytes. */
static sp_status start_once(const sp_bench_job *job, double *seconds, double *peak) {
    int ends[2];
    if (pipe(ends)) return sp_fail(SP_ERR_IO, "cannot open a pipe; close other programs");
    char *threads = sp_format("%d", job->settings.threads);
    double started = sp_now(), opened = 0;
    pid_t child = fork();
    if (child == 0) {
        dup2(ends[1], STDOUT_FILENO);
        close(ends[0]);
        close(ends[1]);
        unsetenv("GOMP_SPINCOUNT"); /* main starts itself again to set it: part of a real start */
        execl("/proc/self/exe", "softprompt", "bench", "--open", job->folder, "--precision",
              sp_precision_names[job->precision], "--threads", threads, (char *)NULL);
        _exit(SP_ERR_INTERNAL);
    }
    close(ends[1]);
    FILE *in = fdopen(ends[0], "r");
    bool told = child > 0 && fscanf(in, "%lf %lf", &opened, peak) == 2;
    fclose(in);
    int status = 0;
    if (child > 0) waitpid(child, &status, 0);
    free(threads);
    *seconds = opened - started;
    return told && status == 0
               ? SP_OK
               : sp_fail(SP_ERR_INTERNAL, "%s: the program could not be started to open it",
                         job->label);
}

sp_status sp_bench_start(const sp_bench_job *job, sp_bench_rows *rows) {
    int count = job->settings.steps;
    double *seconds = sp_alloc((size_t)count, sizeof *seconds);
    double *peak = sp_alloc((size_t)count, sizeof *peak);
    sp_status st = SP_OK;
    for (int i = 0; i < count && !st; i++) {
        st = start_once(job, &seconds[i], &peak[i]);
        peak[i] /= 1e6;
    }
    if (!st) {
        sp_bench_row time = sp_bench_row_of(job, "start", "time", "s");
        sp_bench_row memory = sp_bench_row_of(job, "start", "memory", "MB");
        time.threads = memory.threads = job->settings.threads;
        sp_bench_rows_summarise(rows, time, seconds, count);
        sp_bench_rows_summarise(rows, memory, peak, count);
    }
    free(seconds), free(peak);
    return st;
}
