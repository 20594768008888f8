#include "core/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MESSAGE_SIZE = 2048 };
static _Thread_local char message[MESSAGE_SIZE];

/* Values come from files and may hold line ends or a terminal's control characters. */
static void keep_to_one_line(void) {
    for (char *c = message; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7F) *c = '?';
}

sp_status sp_fail(sp_status kind, const char *format, ...) {
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    keep_to_one_line();
    return kind;
}

sp_status sp_fail_in(sp_status kind, const char *format, ...) {
    char inner[MESSAGE_SIZE];
    memcpy(inner, message, sizeof inner);
    va_list args;
    va_start(args, format);
    int n = vsnprintf(message, sizeof message, format, args);
    va_end(args);
    if (n >= 0 && n < MESSAGE_SIZE)
        snprintf(message + n, sizeof message - (size_t)n, ": %s", inner);
    keep_to_one_line();
    return kind;
}

const char *sp_error(void) {
    return message;
}

void sp_panic(const char *format, ...) {
    va_list args;
    va_start(args, format);
    fputs("softprompt: internal error: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    exit(SP_ERR_INTERNAL);
}
