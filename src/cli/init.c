/* softprompt init NAME --data FILE: a study of one's own data, ready to run. */
#include "cli/command.h"
#include "core/file.h"
#include "experiment/starter.h"

#include <argp.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const char doc[] =
    "Makes the folder NAME with FILE as a data set (train, dev, test and a card), a commented spec "
    "that suits data and model, and a Makefile; then says what the study costs and how to run it. "
    "FILE is .jsonl, .csv or .tsv with text and label, input and target, or tokens and tags; names "
    "that are usual on the Hugging Face hub are understood. A folder that is there is left alone.";

enum { KEY_DATA = 256, KEY_DEV, KEY_TEST };

static const struct argp_option options[] = {
    {"data", KEY_DATA, "FILE", 0, "the examples; those to train on if dev and test are given", 0},
    {"dev", KEY_DEV, "FILE", 0, "examples to choose by; default: a tenth of the data", 0},
    {"test", KEY_TEST, "FILE", 0, "examples to test on; default: a tenth of the data", 0},
    {"model", 'm', "MODEL", 0,
     "a name, folder or .gguf file (default: the largest that comes along of which the study takes "
     "a few hours)",
     0},
    {"task", 't', "TASK", 0, "generation, classification or tagging (default: by the fields)", 0},
    {"folder", 'f', "DIR", 0, "where NAME is made (default: here)", 0},
    {0}};

typedef struct arguments {
    const char *files[SP_SPLITS];
    const char *name, *model, *task, *folder;
} arguments;

static error_t parse_option(int key, char *arg, struct argp_state *state) {
    arguments *a = state->input;
    switch (key) {
    case KEY_DATA:
        a->files[SP_TRAIN] = arg;
        return 0;
    case KEY_DEV:
        a->files[SP_DEV] = arg;
        return 0;
    case KEY_TEST:
        a->files[SP_TEST] = arg;
        return 0;
    case 'm':
        a->model = arg;
        return 0;
    case 't':
        a->task = arg;
        return 0;
    case 'f':
        a->folder = arg;
        return 0;
    case ARGP_KEY_ARG:
        if (a->name) argp_error(state, "one NAME at a time, please");
        a->name = arg;
        return 0;
    case ARGP_KEY_END:
        if (!a->name) argp_error(state, "NAME is missing: what is the study to be called?");
        if (!a->files[SP_TRAIN]) argp_error(state, "--data FILE is missing");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* This program's own path. */
static char *find_program(void) {
    char *path = realpath("/proc/self/exe", NULL);
    return path ? path : sp_strdup("softprompt");
}

extern const sp_command sp_command_plan;

/* As `softprompt plan` prints it. */
static sp_status print_plan(const char *spec, const char *results, const char *preset) {
    char *line[] = {"softprompt plan",          (char *)spec,   "--results", (char *)results,
                    preset ? "--preset" : NULL, (char *)preset, NULL};
    printf("\nPlan%s%s:\n", preset ? " of preset " : "", preset ? preset : "");
    return sp_command_plan.run(preset ? 6 : 4, line);
}

static sp_status print_plans(const char *folder, const char *name) {
    char *spec = sp_format("%s/%s.yaml", folder, name), *results = sp_path_join(folder, "results");
    sp_status st = print_plan(spec, results, "quick");
    if (!st) st = print_plan(spec, results, NULL);
    free(spec), free(results);
    return st;
}

static void print_step(const char *why, char *command) {
    printf("  %-44s # %s\n", command, why);
    free(command);
}

static void print_next(const char *folder, const char *name) {
    printf("\nNext:\n");
    print_step("are they read as meant?",
               sp_format("softprompt data %s/data.yaml --split train", folder));
    print_step("methods, grids, seeds", sp_format("$EDITOR %s/%s.yaml", folder, name));
    print_step("does all of it work?", sp_format("make -C %s quick", folder));
    print_step("the study; stopped, it goes on where it was", sp_format("make -C %s run", folder));
    print_step("tables and figures of what is finished", sp_format("make -C %s report", folder));
}

static sp_status run(int argc, char **argv) {
    arguments a = {.folder = "."};
    const struct argp parser = {
        .options = options, .parser = parse_option, .args_doc = "NAME --data FILE", .doc = doc};
    argp_parse(&parser, argc, argv, 0, NULL, &a);
    bool here = a.folder[0] == '.' && !a.folder[1];
    char *folder = here ? sp_strdup(a.name) : sp_path_join(a.folder, a.name);
    char *program = find_program();
    sp_own_data data;
    sp_buf told = {0};
    sp_status st = sp_own_data_read(a.files, a.task, &data);
    if (!st) {
        sp_starter starter = {a.name, folder, a.model, program, &data};
        st = sp_starter_write(&starter, &told);
        sp_own_data_free(&data);
    }
    if (!st)
        printf("%swritten %s: %s.yaml, data.yaml, train, dev and test.jsonl, Makefile\n", told.data,
               folder, a.name);
    if (!st) st = print_plans(folder, a.name);
    if (!st) print_next(folder, a.name);
    sp_buf_free(&told);
    free(folder), free(program);
    return st;
}

const sp_command sp_command_init = {
    .name = "init", .help = "begin a study of your own data", .run = run};
