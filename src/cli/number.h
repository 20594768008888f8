/* Numbers on the command line. */
#ifndef SP_CLI_NUMBER_H
#define SP_CLI_NUMBER_H

#include <argp.h>

/* The whole number `value` of option --NAME; anything else, or one outside [min, max], ends the
 * program with a line that says so (argp_error). */
int sp_argument_number(const char *value, const char *name, int min, int max,
                       struct argp_state *state);

#endif
