/* What a run may take: time and memory. Not part of its settings: no number depends on it. */
#ifndef SP_EXPERIMENT_LIMITS_H
#define SP_EXPERIMENT_LIMITS_H

#include "format/yaml.h"

#include <stdbool.h>
#include <sys/types.h>

typedef struct sp_limits {
    double seconds; /* of one try of a run; 0: no limit */
    double bytes;   /* of the run's process, without the pages it shares with others; 0: no limit */
} sp_limits;

/* "90", "90s", "30m", "1.5h". False for anything else; then *seconds is left alone. */
bool sp_limits_parse_time(const char *text, double *seconds);
/* "800M", "4G", "1.5G", "500K". False for anything else, and for a number without a unit. */
bool sp_limits_parse_memory(const char *text, double *bytes);

/* `limits: {time: 30m, memory: 4G}` of a spec; all 0 without. SP_ERR_SPEC with file and line. */
sp_status sp_limits_read(const sp_yaml *root, sp_limits *out);

/* Bytes of a process' pages that no other process has, those on swap included; -1: unknown. */
double sp_private_bytes(pid_t pid);

/* SP_ERR_IO if the kernel does not tell what a limit needs. */
sp_status sp_limits_check(const sp_limits *limits);

/* "30 min", "4 GB"; owned by the caller. */
char *sp_limits_time_text(const sp_limits *limits);
char *sp_limits_memory_text(const sp_limits *limits);

#endif
