#include "scheduling/slurm.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double TIME_MARGIN = 3, MEMORY_MARGIN = 1.5;
enum { SPARE_MINUTES = 5, WARNING_SECONDS = 120, LEAST_MEGABYTES = 1024, REPORT_MINUTES = 30 };

void sp_shell_quote(sp_buf *out, const char *text) {
    sp_buf_putc(out, '\'');
    for (; *text; text++) {
        if (*text == '\'')
            sp_buf_puts(out, "'\\''");
        else
            sp_buf_putc(out, *text);
    }
    sp_buf_putc(out, '\'');
}

/* ---- which runs go together ---- */

/* Megabytes to ask for: the next power of two, so that few arrays are enough. */
static long ask_megabytes(double bytes) {
    long megabytes = LEAST_MEGABYTES;
    while ((double)megabytes * 1048576 < bytes * MEMORY_MARGIN) megabytes *= 2;
    return megabytes;
}

static long ask_minutes(double seconds) {
    return SPARE_MINUTES + (long)ceil(seconds * TIME_MARGIN / 60);
}

static int compare_needs(const void *a, const void *b) {
    const sp_run_need *x = a, *y = b;
    long x_memory = ask_megabytes(x->bytes), y_memory = ask_megabytes(y->bytes);
    if (x->threads != y->threads) return x->threads - y->threads;
    if (x_memory != y_memory) return x_memory < y_memory ? -1 : 1;
    return x->number < y->number ? -1 : x->number > y->number;
}

static bool is_alike(const sp_run_need *x, const sp_run_need *y) {
    return x->threads == y->threads && ask_megabytes(x->bytes) == ask_megabytes(y->bytes);
}

/* ---- scripts ---- */

static void put_directive(sp_buf *out, const char *name, const char *value) {
    if (!value) return;
    sp_buf_printf(out, "#SBATCH --%s=", name);
    for (; *value; value++) { /* sbatch reads these lines as a shell would */
        if (strchr(" \t\"'\\", *value)) sp_buf_putc(out, '\\');
        sp_buf_putc(out, *value);
    }
    sp_buf_putc(out, '\n');
}

static void put_head(const sp_slurm_study *s, const sp_slurm_job *job, const char *log,
                     sp_buf *out) {
    char *name = sp_format("softprompt-%s", s->name), *logs = sp_format("%s/%s", s->folder, log);
    sp_buf_puts(out, "#!/bin/sh\n");
    put_directive(out, "job-name", name);
    put_directive(out, "chdir", s->directory);
    put_directive(out, "output", logs);
    put_directive(out, "open-mode", "append");
    put_directive(out, "partition", s->partition);
    put_directive(out, "account", s->account);
    sp_buf_printf(out,
                  "#SBATCH --nodes=1\n#SBATCH --ntasks=1\n#SBATCH --cpus-per-task=%d\n"
                  "#SBATCH --mem=%ldM\n#SBATCH --time=%ld\n",
                  job->cpus, job->megabytes, job->minutes);
    free(name), free(logs);
}

static void put_command(const sp_slurm_study *s, const char *command, sp_buf *out) {
    sp_shell_quote(out, s->program);
    sp_buf_printf(out, " %s ", command);
    sp_shell_quote(out, s->spec);
    for (size_t i = 0; i < s->arguments->len; i++) {
        sp_buf_putc(out, ' ');
        sp_shell_quote(out, s->arguments->data[i]);
    }
}

/* The runs of a task go to `only`; sleep until the work ends or a signal has been passed on. */
static void put_work(const sp_slurm_study *s, sp_buf *out) {
    put_command(s, "run", out);
    sp_buf_puts(out, " --quiet --jobs 1 --no-wait $only &\n"
                     "work=$!\n"
                     "requeue=\n"
                     "trap 'requeue=1; kill -TERM $work' USR1\n"
                     "trap : TERM\n" /* Slurm sends it to all processes of a task */
                     "wait $work\n"
                     "code=$?\n"
                     "while kill -0 $work 2> /dev/null; do\n"
                     "    wait $work\n"
                     "    code=$?\n"
                     "done\n"
                     "if [ -n \"$requeue\" ] && [ $code -eq 130 ]; then\n"
                     "    echo 'time is short: made a checkpoint, goes on in the queue'\n"
                     "    scontrol requeue \"$SLURM_JOB_ID\"\n"
                     "fi\n"
                     "exit $code\n");
}

/* ---- tasks ---- */

/* How many of the runs [count] are the next task; *seconds is what they take. */
static size_t cut_task(const sp_run_need *runs, size_t count, double *seconds) {
    size_t taken = 0;
    *seconds = 0;
    while (taken < count && (taken == 0 || *seconds < SP_SLURM_TASK_SECONDS))
        *seconds += runs[taken++].seconds;
    return taken;
}

static void put_task(size_t task, const sp_run_need *runs, size_t count, sp_buf *out) {
    sp_buf_printf(out, "%zu) only='", task);
    for (size_t i = 0; i < count; i++)
        sp_buf_printf(out, "%s--only %zu", i ? " " : "", runs[i].number);
    sp_buf_puts(out, "' ;;\n");
}

/* Cuts the runs, which are alike, into the tasks of an array and lists them as cases; returns how
 * many runs it took. */
static size_t list_tasks(const sp_slurm_study *s, const sp_run_need *runs, size_t count,
                         sp_slurm_job *job, sp_buf *out) {
    size_t taken = 0;
    double longest = 0;
    while (taken < count && job->tasks < s->most_tasks) {
        double seconds;
        size_t n = cut_task(runs + taken, count - taken, &seconds);
        put_task(job->tasks++, runs + taken, n, out);
        if (seconds > longest) longest = seconds;
        taken += n;
    }
    job->runs = taken;
    job->minutes = ask_minutes(longest);
    return taken;
}

static size_t make_array(const sp_slurm_study *s, const sp_run_need *runs, size_t count,
                         size_t number, sp_slurm_job *job) {
    sp_buf cases = {0}, script = {0};
    *job = (sp_slurm_job){.cpus = runs->threads, .megabytes = ask_megabytes(runs->bytes)};
    size_t taken = list_tasks(s, runs, count, job, &cases);
    put_head(s, job, "%x-%A_%a.log", &script);
    sp_buf_printf(&script, "#SBATCH --array=0-%zu\n#SBATCH --requeue\n", job->tasks - 1);
    sp_buf_printf(&script, "#SBATCH --signal=B:USR1@%d\n", WARNING_SECONDS);
    sp_buf_puts(&script, "case $SLURM_ARRAY_TASK_ID in\n");
    sp_buf_puts(&script, cases.data);
    sp_buf_puts(&script, "esac\n");
    put_work(s, &script);
    job->path = sp_format("%s/runs-%zu.sh", s->folder, number);
    job->script = sp_buf_take(&script);
    sp_buf_free(&cases);
    return taken;
}

void sp_slurm_arrays(const sp_slurm_study *s, const sp_run_need *runs, size_t count,
                     sp_slurm_jobs *out) {
    sp_run_need *sorted = sp_alloc(count, sizeof *sorted);
    *out = (sp_slurm_jobs){0};
    if (count) memcpy(sorted, runs, count * sizeof *sorted);
    qsort(sorted, count, sizeof *sorted, compare_needs);
    for (size_t i = 0; i < count;) {
        size_t alike = 1;
        while (i + alike < count && is_alike(&sorted[i], &sorted[i + alike])) alike++;
        out->items = sp_realloc(out->items, out->count + 1, sizeof *out->items);
        i += make_array(s, sorted + i, alike, out->count + 1, &out->items[out->count]);
        out->count++;
    }
    free(sorted);
}

void sp_slurm_report(const sp_slurm_study *s, sp_slurm_job *out) {
    sp_buf script = {0};
    *out = (sp_slurm_job){
        .tasks = 1, .cpus = 1, .megabytes = 2 * LEAST_MEGABYTES, .minutes = REPORT_MINUTES};
    put_head(s, out, "report-%j.log", &script);
    put_command(s, "report", &script);
    sp_buf_putc(&script, '\n');
    out->path = sp_format("%s/report.sh", s->folder);
    out->script = sp_buf_take(&script);
}

void sp_slurm_job_free(sp_slurm_job *job) {
    free(job->path), free(job->script);
    *job = (sp_slurm_job){0};
}

void sp_slurm_jobs_free(sp_slurm_jobs *jobs) {
    for (size_t i = 0; i < jobs->count; i++) sp_slurm_job_free(&jobs->items[i]);
    free(jobs->items);
    *jobs = (sp_slurm_jobs){0};
}
