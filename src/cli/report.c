/* softprompt report SPEC: tables and figures of a study from its run logs. */
#include "experiment/report.h"
#include "cli/command.h"
#include "cli/study.h"

#include <stdio.h>

static const char doc[] =
    "Writes table.md, table.csv, table.tex and figures/ of the study SPEC into FOLDER/<name> from "
    "the runs that are there, and prints the table. Nothing is trained.";

static sp_status run(int argc, char **argv) {
    sp_study study;
    sp_buf table = {0};
    sp_status st = sp_study_open(argc, argv, doc, &study);
    if (!st) st = sp_report_write(&study.spec, &study.runs, study.folder, &table);
    if (table.data) fputs(table.data, stdout);
    if (!st) printf("\nTables in %s, figures in %s/figures\n", study.folder, study.folder);
    sp_buf_free(&table);
    sp_study_close(&study);
    return st;
}

const sp_command sp_command_report = {
    .name = "report", .help = "tables and figures of a study", .run = run};
