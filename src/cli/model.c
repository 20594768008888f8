/* softprompt model: show, list and fetch; without one of these words, show. */
#include "cli/model.h"
#include "cli/command.h"

#include "core/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct part {
    const char *name, *args, *help;
    sp_status (*run)(int argc, char **argv);
} parts[] = {
    {"show", "NAME", "what a model is, its perplexity and how well it copies", sp_model_show},
    {"list", "", "the models there are, and those that can be fetched", sp_model_list},
    {"fetch", "NAME", "make sure that a model's files are here", sp_model_fetch_command},
};
enum { PARTS = sizeof parts / sizeof *parts };

static void print_help(void) {
    puts("Usage: softprompt model show|list|fetch [OPTION...]\n\n"
         "`softprompt model NAME` is short for `softprompt model show NAME`.\n");
    for (int i = 0; i < PARTS; i++)
        printf("  %-5s %-4s  %s\n", parts[i].name, parts[i].args, parts[i].help);
    puts("\n`softprompt model show --help` and so on tell their options.");
}

static sp_status run_part(const struct part *part, int argc, char **argv) {
    char *name = sp_format("softprompt model %s", part->name);
    argv[0] = name;
    sp_status st = part->run(argc, argv);
    free(name);
    return st;
}

static sp_status run(int argc, char **argv) {
    if (argc == 2 && strcmp(argv[1], "--help") == 0) {
        print_help();
        return SP_OK;
    }
    for (int i = 0; argc > 1 && i < PARTS; i++)
        if (strcmp(argv[1], parts[i].name) == 0) return run_part(&parts[i], argc - 1, argv + 1);
    return sp_model_show(argc, argv);
}

const sp_command sp_command_model = {
    .name = "model", .help = "show what a model is, list the known ones, fetch one", .run = run};
