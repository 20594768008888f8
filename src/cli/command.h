/* What every subcommand is: one file src/cli/<name>.c that defines `sp_command_<name>`, and one
 * line in main.c. Only cli/ prints. */
#ifndef SP_CLI_COMMAND_H
#define SP_CLI_COMMAND_H

#include "core/status.h"

typedef struct sp_command {
    const char *name;
    const char *help; /* one line for `softprompt --help` */
    /* argv[0] is "softprompt NAME"; parses its own options with argp (which serves --help). */
    sp_status (*run)(int argc, char **argv);
} sp_command;

#endif
