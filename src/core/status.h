/* Errors. A function that can fail returns an sp_status; the sentence for the user is kept per
 * thread and printed only by cli/. Callers pass errors up: `if ((st = f())) return st;`. */
#ifndef SP_CORE_STATUS_H
#define SP_CORE_STATUS_H

/* Each kind is also the exit code of the program. */
typedef enum sp_status {
    SP_OK = 0,
    SP_ERR_INTERNAL = 1,     /* a broken invariant of this program */
    SP_ERR_USAGE = 2,        /* wrong command line */
    SP_ERR_SPEC = 3,         /* wrong experiment spec, option or card */
    SP_ERR_MISSING = 4,      /* a file or data set that is not there */
    SP_ERR_FORMAT = 5,       /* a file that is truncated or not what it should be */
    SP_ERR_DATA = 6,         /* examples that cannot be used: empty split, record too long */
    SP_ERR_IO = 7,           /* unwritable folder, full disk, a folder in place of a file */
    SP_ERR_MEMORY = 8,       /* out of memory */
    SP_ERR_NUMERIC = 9,      /* NaN or infinite loss */
    SP_ERR_BUSY = 10,        /* another process is working on the same thing */
    SP_ERR_FAILED = 11,      /* some runs of a study failed; the rest is done */
    SP_ERR_INTERRUPTED = 130 /* Ctrl-C or SIGTERM; work so far is saved */
} sp_status;

/* Records the message (printf style; one line: place, value, remedy) and returns `kind`. A control
 * character in it becomes '?', so that it stays one line whatever the value holds. */
sp_status sp_fail(sp_status kind, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Puts "context: " before the message of the failure that is being passed up; returns `kind`. */
sp_status sp_fail_in(sp_status kind, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The message of this thread's last failure; "" before any. Valid until the next failure. */
const char *sp_error(void);

/* Ends the program with one line and SP_ERR_INTERNAL: only for broken invariants. */
_Noreturn void sp_panic(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
