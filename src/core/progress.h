/* What long work tells about itself while it runs. The rooms below cli/ only fill the state; what
 * is printed, and how often, is decided by whoever gave the callback. */
#ifndef SP_CORE_PROGRESS_H
#define SP_CORE_PROGRESS_H

typedef struct sp_progress_state {
    const char *experiment;         /* NULL: not shown */
    int run, runs;                  /* run 4 of 9; runs 0: not shown */
    int done, running, failed;      /* of `runs`; shown in place of `run` unless running is 0 */
    const char *label;              /* "prefix length 10"; NULL: not shown */
    const char *replicate;          /* "subsample 2 seed 1"; NULL: not shown */
    const char *phase;              /* "dev", "test"; NULL: not shown */
    long step, steps;               /* steps 0: not shown */
    double loss, tokens_per_second; /* NaN: not shown */
    const char *dev_metric;         /* "bleu"; NULL: not shown */
    double dev_value;
    double seconds_left; /* negative: unknown */
} sp_progress_state;

typedef struct sp_progress {
    void (*line)(void *user, const sp_progress_state *state);
    void *user;
} sp_progress;

/* A state in which nothing is shown. */
sp_progress_state sp_progress_start(void);
/* Calls the callback; nothing happens if `progress` or its callback is NULL. */
void sp_progress_report(const sp_progress *progress, const sp_progress_state *state);

/* The state as one line without an end of line, owned by the caller:
 * "table1 · 4/9 runs · prefix length 10 seed 1 · step 220/400 · loss 1.31 · 5.2k tok/s · ...", or
 * "table1 · 3/9 runs done, 2 running, 1 failed · prefix length 10 seed 1 · ..." */
char *sp_progress_text(const sp_progress_state *state);
/* "6 min", "2 h 5 min", "40 s"; owned by the caller. */
char *sp_duration_text(double seconds);

#endif
