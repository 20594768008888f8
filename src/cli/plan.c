/* softprompt plan SPEC: what a study would run, and what that costs. */
#include "cli/command.h"
#include "cli/study.h"
#include "experiment/trial.h"
#include "report/results.h"
#include "tensor/cpu.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static const char doc[] =
    "Lists the runs of the study SPEC with their state, trained parameters, precision, threads, "
    "estimated time and the name of the first seed's file in FOLDER/<name>/runs; a run that cannot "
    "be set up says why, and so does an entry that the spec leaves out with a model. Nothing is "
    "trained.";

/* Seconds of one more run of this row: as its finished runs took, else as estimated; NaN unknown.
 */
static double seconds_of(const sp_results *r, const sp_row *row, const sp_trial_estimate *e) {
    sp_summary past = sp_row_attribute(r, row, "wall_seconds");
    if (past.n) return past.mean;
    return e->seconds > 0 ? e->seconds : NAN;
}

static void print_state(const sp_row *row) {
    printf("%-40s %4zu %8zu %6zu ", row->title, row->count, row->finished, row->failed);
}

static void print_row(const sp_results *r, const sp_row *row, const sp_trial_estimate *e,
                      double *left) {
    size_t pending = row->count - row->finished;
    double seconds = seconds_of(r, row, e);
    char *each = isnan(seconds) ? sp_strdup("unknown") : sp_duration_text(seconds);
    print_state(row);
    printf("%14ld %7.3g%% %9s %7d %12s  %s.h5\n", e->trainable_parameters,
           100.0 * (double)e->trainable_parameters / (double)e->total_parameters,
           row->run->precision, e->threads, each, row->run->id);
    if (pending) *left += (double)pending * seconds * e->threads / sp_cpu_count();
    free(each);
}

static void print_left_out(const sp_study *study) {
    sp_strings lines = {0};
    sp_left_out(&study->spec, &study->runs, &lines);
    for (size_t i = 0; i < lines.len; i++) printf("%s\n", lines.data[i]);
    sp_strings_free(&lines);
}

/* Rows that cannot be set up say why, and the others are listed all the same; then the failure is
 * that of the first such row. */
static sp_status print_plan(const sp_study *study, const sp_results *r) {
    double left = 0;
    size_t broken = 0;
    sp_status result = SP_OK;
    char *first = NULL;
    printf("%-40s %4s %8s %6s %14s %8s %9s %7s %12s  %s\n", "method", "runs", "finished", "failed",
           "trained", "share", "precision", "threads", "time a run", "file of the first run");
    for (size_t i = 0; i < r->row_count; i++) {
        sp_trial_estimate e = {0};
        sp_status st = sp_trial_plan(r->rows[i].run, study->assets, &e);
        if (!st) {
            print_row(r, &r->rows[i], &e, &left);
            continue;
        }
        print_state(&r->rows[i]);
        printf("cannot be set up: %s\n", sp_error());
        if (!broken++) first = sp_strdup(sp_error()), result = st;
    }
    print_left_out(study);
    char *text = isnan(left) ? sp_strdup("unknown") : sp_duration_text(left);
    printf("\n%zu runs into %s; time left%s: %s\n", study->runs.count, study->folder,
           broken ? " without the rows that cannot be set up" : "", text);
    if (broken)
        result = sp_fail(result, "%zu of %zu rows cannot be set up; the first: %s", broken,
                         r->row_count, first);
    free(text), free(first);
    return result;
}

static sp_status run(int argc, char **argv) {
    sp_study study;
    sp_results results = {0};
    sp_status st = sp_study_open(argc, argv, doc, NULL, &study);
    if (!st) st = sp_results_load(&study.spec, &study.runs, study.folder, &results);
    if (!st) {
        st = print_plan(&study, &results);
        sp_results_free(&results);
    }
    sp_study_close(&study);
    return st;
}

const sp_command sp_command_plan = {
    .name = "plan", .help = "what a study would run, and its cost", .run = run};
