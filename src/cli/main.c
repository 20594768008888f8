/* softprompt: finds the subcommand, runs it, prints the one line of a failure. */
#include "cli/command.h"

#include "core/clock.h"
#include "core/memory.h"
#include "core/option.h"

#include <argp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern const sp_command sp_command_info;
extern const sp_command sp_command_run;
extern const sp_command sp_command_plan;
extern const sp_command sp_command_status;
extern const sp_command sp_command_cancel;
extern const sp_command sp_command_watch;
extern const sp_command sp_command_submit;
extern const sp_command sp_command_report;
extern const sp_command sp_command_claims;
extern const sp_command sp_command_compare;
extern const sp_command sp_command_ensemble;
extern const sp_command sp_command_neighbours;
extern const sp_command sp_command_init;
extern const sp_command sp_command_data;
extern const sp_command sp_command_model;
extern const sp_command sp_command_logprobs;
extern const sp_command sp_command_generate;
extern const sp_command sp_command_score;
extern const sp_command sp_command_adapter;
extern const sp_command sp_command_pretrain;
extern const sp_command sp_command_train_tokenizer;
extern const sp_command sp_command_tokenize;
extern const sp_command sp_command_bench;

static const sp_command *const commands[] = {
    &sp_command_info,     &sp_command_run,      &sp_command_plan,
    &sp_command_status,   &sp_command_cancel,   &sp_command_watch,
    &sp_command_submit,   &sp_command_report,   &sp_command_claims,
    &sp_command_compare,  &sp_command_ensemble, &sp_command_neighbours,
    &sp_command_init,     &sp_command_data,     &sp_command_model,
    &sp_command_logprobs, &sp_command_generate, &sp_command_score,
    &sp_command_adapter,  &sp_command_pretrain, &sp_command_train_tokenizer,
    &sp_command_tokenize, &sp_command_bench,
};
enum { COMMANDS = sizeof commands / sizeof *commands };

const char *argp_program_version = "softprompt " SP_VERSION;

static int longest_name(void) {
    size_t longest = 0;
    for (int i = 0; i < COMMANDS; i++)
        if (strlen(commands[i]->name) > longest) longest = strlen(commands[i]->name);
    return (int)longest;
}

static void print_help(FILE *out) {
    int width = longest_name();
    fputs("Usage: softprompt COMMAND [OPTION...]\n\n"
          "Compares ways of steering a frozen language model (prefix-tuning, prompt tuning,\n"
          "P-tuning, P-tuning v2, LLaMA-Adapter) with each other and with LoRA, adapters, BitFit\n"
          "and fine-tuning.\n\nCommands:\n",
          out);
    for (int i = 0; i < COMMANDS; i++)
        fprintf(out, "  %-*s  %s\n", width, commands[i]->name, commands[i]->help);
    fputs("\n`softprompt COMMAND --help` tells a command's options. Exit codes: 0 done, 2 usage,\n"
          "3 spec, 4 missing file, 5 broken file, 6 unusable data, 7 cannot read or write,\n"
          "8 memory, 9 NaN, 10 busy, 11 some runs failed, 130 interrupted, 1 a bug.\n",
          out);
}

static const sp_command *find_command(const char *name) {
    for (int i = 0; i < COMMANDS; i++)
        if (strcmp(commands[i]->name, name) == 0) return commands[i];
    return NULL;
}

static sp_status fail_unknown(const char *name) {
    const char *names[COMMANDS + 1] = {0};
    for (int i = 0; i < COMMANDS; i++) names[i] = commands[i]->name;
    fprintf(stderr, "softprompt: unknown command '%s'%s (`softprompt --help` lists them)\n", name,
            sp_did_you_mean(name, names));
    return SP_ERR_USAGE;
}

/* Settings of libraries that must be in the environment before these are loaded, so the program
 * starts itself again with them; what the user has set stays.
 * - libgomp's threads spin for milliseconds at a barrier before they sleep, which makes two threads
 *   several times slower than one as soon as another process wants a core.
 * - Weights on large pages: reading them is what generation costs, and the CPU's page tables do not
 *   reach over them otherwise. */
static void prepare_environment(char **argv) {
    bool spinning = getenv("GOMP_SPINCOUNT") || getenv("OMP_WAIT_POLICY");
    bool pages = getenv("GLIBC_TUNABLES");
    if (spinning && pages) return;
    if (!spinning) setenv("GOMP_SPINCOUNT", "2000", 1);
    if (!pages) setenv("GLIBC_TUNABLES", "glibc.malloc.hugetlb=1", 1);
    execv("/proc/self/exe", argv); /* comes back only if it failed; then all is as before */
}

int main(int argc, char **argv) {
    prepare_environment(argv);
    if (argc < 2) {
        print_help(stderr);
        return SP_ERR_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        print_help(stdout);
        return SP_OK;
    }
    if (strcmp(argv[1], "--version") == 0) {
        puts(argp_program_version);
        return SP_OK;
    }
    const sp_command *command = find_command(argv[1]);
    if (!command) return fail_unknown(argv[1]);
    char *name = sp_format("softprompt %s", argv[1]);
    argv[1] = name;
    argp_err_exit_status = SP_ERR_USAGE;
    sp_watch_interrupts();
    signal(SIGXFSZ, SIG_IGN); /* a file beyond the limit of its size is an error of writing */
    sp_status st = command->run(argc - 1, argv + 1);
    if (!st && (fflush(stdout) != 0 || ferror(stdout)))
        st = sp_fail(SP_ERR_IO, "standard output: cannot write to it; not all was printed");
    if (st) fprintf(stderr, "softprompt: %s\n", sp_error());
    free(name);
    return st;
}
