/* What tests of studies share: a temporary folder, specs from text, an identity without files. */
#ifndef TESTS_EXPERIMENT_STUDY_FIXTURE_H
#define TESTS_EXPERIMENT_STUDY_FIXTURE_H

#include "core/file.h"
#include "experiment/grid.h"
#include "experiment/runlog.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char study_folder[64];

static inline int study_setup(void **state) {
    (void)state;
    snprintf(study_folder, sizeof study_folder, "/tmp/sp-study-XXXXXX");
    return mkdtemp(study_folder) ? 0 : 1;
}

static inline void study_remove(const char *path) {
    DIR *dir = opendir(path);
    if (!dir) {
        unlink(path);
        return;
    }
    for (struct dirent *e; (e = readdir(dir));) {
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0) continue;
        char *child = sp_path_join(path, e->d_name);
        study_remove(child);
        free(child);
    }
    closedir(dir);
    rmdir(path);
}

static inline int study_teardown(void **state) {
    (void)state;
    study_remove(study_folder);
    return 0;
}

/* Hashes made from the names alone. */
static inline sp_status study_identify(void *user, const char *model, const char *dataset,
                                       sp_digest *m, sp_digest *d) {
    (void)user;
    if (m) *m = sp_sha256(model, strlen(model));
    if (d) *d = sp_sha256(dataset, strlen(dataset));
    return SP_OK;
}

/* Writes the log as the run's file, and frees it. */
static inline void study_write_log(const sp_run_spec *run, sp_runlog *log) {
    char *path = sp_run_path(run, study_folder);
    if (sp_runlog_write(log, path)) {
        fprintf(stderr, "%s\n", sp_error());
        abort();
    }
    free(path);
    sp_runlog_free(log);
}

static inline void study_write_failed(const sp_run_spec *run) {
    sp_runlog log = {0};
    sp_runlog_text(&log, "status", "failed");
    sp_runlog_text(&log, "error", "the loss is NaN");
    study_write_log(run, &log);
}

/* Reads a spec from text, with at most one --set. */
static inline sp_status study_read(const char *text, const char *preset, const char *set,
                                   sp_spec *out) {
    char *path = sp_path_join(study_folder, "s.yaml");
    sp_strings sets = {0};
    if (set) sp_strings_push(&sets, set);
    sp_status st = sp_write_file(path, text, strlen(text));
    if (!st) st = sp_spec_read(path, preset, &sets, out);
    sp_strings_free(&sets);
    free(path);
    return st;
}

/* The runs of a spec that must be right; text, preset and set as above. */
static inline sp_run_list study_expand(const char *text, const char *preset, const char *set) {
    sp_spec spec;
    sp_run_list runs;
    if (study_read(text, preset, set, &spec) || sp_expand(&spec, study_identify, NULL, &runs)) {
        fprintf(stderr, "%s\n", sp_error());
        abort();
    }
    sp_spec_free(&spec);
    return runs;
}

#endif
