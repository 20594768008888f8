/* softprompt run SPEC: does every run of a study that is not finished yet. */
#include "cli/command.h"
#include "cli/progress.h"
#include "cli/study.h"
#include "experiment/scheduler.h"

#include <stdio.h>

static const char doc[] =
    "Does every run of the study SPEC that is not finished yet and keeps each as one HDF5 file in "
    "FOLDER/<name>/runs. A finished run is never done twice; an interrupted one goes on where it "
    "was.";

static sp_status run(int argc, char **argv) {
    sp_study study;
    sp_status st = sp_study_open(argc, argv, doc, &study);
    if (!st) {
        sp_printer printer = sp_printer_start(study.quiet);
        sp_progress progress = sp_printer_progress(&printer);
        sp_schedule done;
        st = sp_schedule_runs(&study.runs, study.folder, sp_trial_run, &progress, &done);
        sp_printer_end(&printer);
        if (!study.quiet && (!st || st == SP_ERR_FAILED))
            printf("%s: %zu runs; %zu done now, %zu finished before, %zu failed; logs in %s/runs\n",
                   study.spec.name, study.runs.count, done.done, done.skipped, done.failed,
                   study.folder);
    }
    sp_study_close(&study);
    return st;
}

const sp_command sp_command_run = {
    .name = "run", .help = "do the runs of a study that are not finished", .run = run};
