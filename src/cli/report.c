/* softprompt report SPEC: tables and figures of a study from its run logs. */
#include "report/report.h"
#include "cli/command.h"
#include "cli/other_presets.h"
#include "core/file.h"

#include <stdio.h>
#include <stdlib.h>

static const char doc[] =
    "Writes what the study SPEC asks for (table.md, table.csv and table.tex; examples.txt of a "
    "generation study; best.md; figures/; and all of it as one page, report.html) into "
    "FOLDER/<name> from the runs that are there, and "
    "prints the tables. Nothing is trained.";

static void print_written(const sp_study *study, size_t figures) {
    const char *folder = study->folder, *separator = "";
    printf("\nWritten into %s: ", folder);
    if (study->spec.has_table) printf("table.md, table.csv, table.tex"), separator = ", ";
    char *examples = sp_path_join(folder, "examples.txt");
    if (study->spec.has_table && sp_file_exists(examples)) printf(", examples.txt");
    free(examples);
    if (study->spec.best) printf("%sbest.md, best.csv, best.tex", separator), separator = ", ";
    if (figures) {
        printf("%s%zu of %zu figures in figures/", separator, figures, study->spec.figure_count);
        separator = ", ";
    }
    printf("%sreport.html\n", separator);
}

static sp_status run(int argc, char **argv) {
    sp_study study;
    sp_buf table = {0};
    size_t figures = 0;
    sp_status st = sp_study_open(argc, argv, doc, NULL, &study);
    if (!st) st = sp_report_write(&study.spec, &study.runs, study.folder, &table, &figures);
    if (table.data) fputs(table.data, stdout);
    if (!st) print_written(&study, figures);
    if (!st) sp_hint_other_presets(&study);
    sp_buf_free(&table);
    sp_study_close(&study);
    return st;
}

const sp_command sp_command_report = {
    .name = "report", .help = "tables and figures of a study", .run = run};
