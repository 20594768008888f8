/* softprompt submit SPEC --slurm: the runs of a study as jobs of a cluster. */
#include "cli/command.h"
#include "cli/json.h"
#include "cli/number.h"
#include "cli/study.h"
#include "core/file.h"
#include "experiment/trial.h"
#include "report/results.h"
#include "scheduling/slurm.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const char doc[] =
    "Hands the runs of the study SPEC that are not finished to Slurm, as arrays of jobs with the "
    "CPUs, memory and time that `softprompt plan` estimates, and the report as a job that waits "
    "for them. Scripts and logs are in FOLDER/<name>/slurm. The program, the models and FOLDER "
    "must have the same paths on all machines.";

/* ---- command line ---- */

enum { SLURM = 256, PARTITION, ACCOUNT, MAX_ARRAY, DRY_RUN, JSON, MOST_TASKS = 1000000 };

typedef struct submit_options {
    bool slurm, dry_run, json;
    const char *partition, *account;
    int max_array;
} submit_options;

static const struct argp_option option_list[] = {
    {"slurm", SLURM, NULL, 0, "the cluster's system; needed, since it is the only one so far", 0},
    {"partition", PARTITION, "P", 0, "as sbatch takes it", 0},
    {"account", ACCOUNT, "A", 0, "as sbatch takes it", 0},
    {"max-array", MAX_ARRAY, "N", 0,
     "at most N tasks in an array, the rest in further ones (default: 1000; Slurm's MaxArraySize)",
     0},
    {"dry-run", DRY_RUN, NULL, 0, "print scripts and commands; write and submit nothing", 0},
    {"json", JSON, NULL, 0, "print one JSON object", 0},
    {0}};

static error_t parse_option(int key, char *arg, struct argp_state *state) {
    submit_options *o = state->input;
    switch (key) {
    case SLURM:
        o->slurm = true;
        return 0;
    case PARTITION:
        o->partition = arg;
        return 0;
    case ACCOUNT:
        o->account = arg;
        return 0;
    case MAX_ARRAY:
        o->max_array = sp_argument_number(arg, "max-array", 1, MOST_TASKS, state);
        return 0;
    case DRY_RUN:
        o->dry_run = true;
        return 0;
    case JSON:
        o->json = true;
        return 0;
    case ARGP_KEY_END:
        if (!o->slurm) argp_error(state, "to which system? Use --slurm");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp parser = {.options = option_list, .parser = parse_option};

/* ---- what is to be done ---- */

typedef struct submission {
    const sp_study *study;
    const submit_options *options;
    sp_run_need *needs; /* [need_count] */
    size_t need_count;
    sp_slurm_study slurm;
    sp_strings arguments;
    char *program, *spec, *folder, *directory;
    sp_slurm_jobs arrays;
    sp_slurm_job report;
    sp_strings commands, ids; /* [arrays, and the report] */
} submission;

/* As plan has it: as long as finished runs of the row took, else as estimated. */
static sp_status add_row(submission *s, const sp_results *r, const sp_row *row) {
    sp_trial_estimate e;
    if (row->finished == row->count) return SP_OK;
    sp_status st = sp_trial_plan(row->run, s->study->assets, &e);
    if (st) return sp_fail_in(st, "%s", row->title);
    sp_summary past = sp_row_attribute(r, row, "wall_seconds");
    for (size_t i = row->first; i < row->first + row->count; i++)
        if (r->states[i] != SP_RUN_FINISHED)
            s->needs[s->need_count++] =
                (sp_run_need){i + 1, e.threads, past.n ? past.mean : e.seconds, e.bytes};
    return SP_OK;
}

static sp_status list_needs(submission *s) {
    const sp_study *study = s->study;
    sp_results results = {0};
    sp_status st = sp_results_load(&study->spec, &study->runs, study->folder, &results);
    if (st) return st;
    s->needs = sp_alloc(study->runs.count, sizeof *s->needs);
    for (size_t i = 0; !st && i < results.row_count; i++)
        st = add_row(s, &results, &results.rows[i]);
    sp_results_free(&results);
    return st;
}

/* The caller's. */
static char *absolute(const char *directory, const char *path) {
    return *path == '/' ? sp_strdup(path) : sp_path_join(directory, path);
}

static void add_argument(submission *s, const char *name, const char *value) {
    if (!value) return;
    sp_strings_push(&s->arguments, name);
    sp_strings_push(&s->arguments, value);
}

static sp_status describe_study(submission *s) {
    const sp_study *study = s->study;
    s->directory = getcwd(NULL, 0);
    s->program = realpath("/proc/self/exe", NULL);
    if (!s->directory || !s->program)
        return sp_fail(SP_ERR_IO, "the current folder is gone; change to another one");
    s->spec = absolute(s->directory, study->spec_path);
    char *folder = absolute(s->directory, study->folder);
    char *results = absolute(s->directory, study->results);
    s->folder = sp_path_join(folder, "slurm");
    add_argument(s, "--preset", study->preset);
    for (size_t i = 0; i < study->sets.len; i++) add_argument(s, "--set", study->sets.data[i]);
    add_argument(s, "--results", results);
    s->slurm = (sp_slurm_study){.name = study->spec.name,
                                .folder = s->folder,
                                .directory = s->directory,
                                .program = s->program,
                                .spec = s->spec,
                                .arguments = &s->arguments,
                                .partition = s->options->partition,
                                .account = s->options->account,
                                .most_tasks = (size_t)s->options->max_array};
    free(folder), free(results);
    return SP_OK;
}

/* ---- sbatch ---- */

static bool is_in_path(const char *program) {
    const char *path = getenv("PATH");
    char *list = sp_strdup(path ? path : ""), *rest = list;
    bool found = false;
    for (char *folder; !found && (folder = strsep(&rest, ":"));) {
        char *file = sp_path_join(folder, program);
        found = access(file, X_OK) == 0;
        free(file);
    }
    free(list);
    return found;
}

static char *submit_command(const char *path, const sp_strings *after) {
    sp_buf command = {0};
    sp_buf_puts(&command, "sbatch --parsable ");
    for (size_t i = 0; i < after->len; i++)
        sp_buf_printf(&command, "%s%s", i ? ":" : "--dependency=afterany:", after->data[i]);
    if (after->len) sp_buf_putc(&command, ' ');
    sp_shell_quote(&command, path);
    return sp_buf_take(&command);
}

/* Runs sbatch; the line with the id is "ID" or "ID;CLUSTER", and there may be warnings beside it.
 */
static sp_status call_sbatch(const char *command, char **id) {
    char line[512], first[512] = "it says nothing", found[512] = "";
    char *all = sp_format("%s 2>&1", command);
    FILE *out = popen(all, "r");
    free(all);
    if (!out) return sp_fail(SP_ERR_IO, "cannot start sbatch");
    for (bool start = true; fgets(line, sizeof line, out); start = false) {
        line[strcspn(line, "\n")] = '\0';
        if (start && *line) memcpy(first, line, sizeof first);
        if (isdigit((unsigned char)*line)) memcpy(found, line, sizeof found);
    }
    if (pclose(out) != 0 || !*found)
        return sp_fail(SP_ERR_FAILED, "sbatch did not take a job: %s", first);
    found[strspn(found, "0123456789")] = '\0';
    *id = sp_strdup(found);
    return SP_OK;
}

/* On a dry run the id of the n-th job is ID<n>. */
static sp_status submit_job(submission *s, const sp_slurm_job *job, const sp_strings *after) {
    char *command = submit_command(job->path, after), *id = NULL;
    sp_status st = SP_OK;
    if (s->options->dry_run)
        id = sp_format("ID%zu", s->ids.len + 1);
    else if (!(st = sp_write_file(job->path, job->script, strlen(job->script))))
        st = call_sbatch(command, &id);
    if (id) sp_strings_take(&s->ids, id);
    sp_strings_take(&s->commands, command);
    return st;
}

static sp_status submit_all(submission *s) {
    static const sp_strings nothing;
    sp_status st = SP_OK;
    if (!s->options->dry_run) st = sp_make_folders(s->folder);
    for (size_t i = 0; !st && i < s->arrays.count; i++)
        st = submit_job(s, &s->arrays.items[i], &nothing);
    if (!st) st = submit_job(s, &s->report, &s->ids);
    if (st && s->ids.len)
        st = sp_fail_in(st, "%zu arrays were submitted before, the first as job %s", s->ids.len,
                        s->ids.data[0]);
    return st;
}

/* ---- what is printed ---- */

static void print_job(const submission *s, const sp_slurm_job *job, size_t number) {
    if (s->options->dry_run)
        printf("# %s\n%s\n%s\n\n", job->path, job->script, s->commands.data[number]);
    else
        printf("job %s: %s, %zu runs in %zu tasks of %d CPUs, %ld MB, %ld min\n",
               s->ids.data[number], job->path, job->runs, job->tasks, job->cpus, job->megabytes,
               job->minutes);
}

static void print_text(const submission *s) {
    for (size_t i = 0; i < s->arrays.count; i++) print_job(s, &s->arrays.items[i], i);
    if (s->options->dry_run)
        print_job(s, &s->report, s->arrays.count);
    else
        printf("job %s: %s, when these have ended\n", s->ids.data[s->arrays.count], s->report.path);
}

static json_t *job_json(const submission *s, const sp_slurm_job *job, size_t number) {
    json_t *object = json_pack("{s:s, s:s, s:i, s:i, s:i, s:i, s:i}", "script", job->path,
                               "command", s->commands.data[number], "tasks", (int)job->tasks,
                               "runs", (int)job->runs, "cpus", job->cpus, "megabytes",
                               (int)job->megabytes, "minutes", (int)job->minutes);
    json_object_set_new(object, "id",
                        s->options->dry_run ? json_null() : json_string(s->ids.data[number]));
    return object;
}

static void print_json(const submission *s) {
    json_t *arrays = json_array();
    for (size_t i = 0; i < s->arrays.count; i++)
        json_array_append_new(arrays, job_json(s, &s->arrays.items[i], i));
    json_t *report = s->need_count ? job_json(s, &s->report, s->arrays.count) : json_null();
    json_t *object =
        json_pack("{s:s, s:i, s:i, s:b, s:o, s:o}", "study", s->study->spec.name, "runs",
                  (int)s->study->runs.count, "pending", (int)s->need_count, "submitted",
                  s->need_count && !s->options->dry_run, "arrays", arrays, "report", report);
    sp_print_json(object, JSON_COMPACT);
}

static void print_submission(const submission *s) {
    if (s->options->json)
        print_json(s);
    else if (s->need_count)
        print_text(s);
    else
        printf("%s: all %zu runs are finished; nothing to submit\n", s->study->spec.name,
               s->study->runs.count);
}

/* ---- the command ---- */

static void close_submission(submission *s) {
    free(s->needs), free(s->program), free(s->spec), free(s->folder), free(s->directory);
    sp_strings_free(&s->arguments);
    sp_strings_free(&s->commands);
    sp_strings_free(&s->ids);
    sp_slurm_jobs_free(&s->arrays);
    sp_slurm_job_free(&s->report);
}

static sp_status submit(const sp_study *study, const submit_options *options) {
    submission s = {.study = study, .options = options};
    sp_status st = SP_OK;
    if (!options->dry_run && !is_in_path("sbatch"))
        st = sp_fail(SP_ERR_MISSING, "sbatch is not in PATH; call this on a machine of the Slurm "
                                     "cluster, or with --dry-run to see the scripts");
    if (!st) st = list_needs(&s);
    if (!st) st = describe_study(&s);
    if (!st) {
        sp_slurm_arrays(&s.slurm, s.needs, s.need_count, &s.arrays);
        sp_slurm_report(&s.slurm, &s.report);
    }
    if (!st && s.need_count) st = submit_all(&s);
    if (!st) print_submission(&s);
    close_submission(&s);
    return st;
}

static sp_status run(int argc, char **argv) {
    sp_study study;
    submit_options options = {.max_array = 1000};
    const sp_own_options own = {&parser, &options};
    sp_status st = sp_study_open(argc, argv, doc, &own, &study);
    if (!st) st = submit(&study, &options);
    sp_study_close(&study);
    return st;
}

const sp_command sp_command_submit = {
    .name = "submit", .help = "the runs of a study as jobs for Slurm", .run = run};
