#include "cli/number.h"

#include <stdlib.h>

int sp_argument_number(const char *value, const char *name, int min, int max,
                       struct argp_state *state) {
    char *end;
    long n = strtol(value, &end, 10);
    if (end == value || *end || n < min || n > max)
        argp_error(state, "--%s is '%s'; use a whole number from %d to %d", name, value, min, max);
    return (int)n;
}
