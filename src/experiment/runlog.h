/* The log of one run: filled in memory while it trains, written as one HDF5 file with the names of
 * docs/formats.md, read back for reports. */
#ifndef SP_EXPERIMENT_RUNLOG_H
#define SP_EXPERIMENT_RUNLOG_H

#include "format/hdf5.h"

typedef struct sp_column { /* values of one series */
    double *data;
    size_t len, cap;
} sp_column;

typedef enum sp_train_column {
    SP_COLUMN_STEP,
    SP_COLUMN_LOSS,
    SP_COLUMN_LEARNING_RATE,
    SP_COLUMN_GRADIENT_NORM,
    SP_COLUMN_TOKENS, /* since the start */
    SP_COLUMN_SECONDS,
    SP_TRAIN_COLUMNS
} sp_train_column;

/* The names of the columns of /train, and of the series that a run logs under /dev; both end with
 * NULL. */
extern const char *const sp_runlog_train_names[SP_TRAIN_COLUMNS + 1];
extern const char *const sp_runlog_dev_names[];

/* Answers to the test examples of another set than the run's. */
typedef struct sp_transfer_log {
    char *set;
    sp_strings inputs, hypotheses, references;
} sp_transfer_log;

/* Start from {0}; release with sp_runlog_free. */
typedef struct sp_runlog {
    sp_column train[SP_TRAIN_COLUMNS];
    sp_column dev_step;
    sp_strings dev_names;
    sp_column *dev;        /* [dev_names.len], each as long as dev_step; NaN where not measured */
    sp_strings test_names; /* "bleu", "seen/bleu" */
    sp_column test;
    sp_strings inputs, hypotheses, references;
    sp_transfer_log *transfers;
    size_t transfer_count;
    struct sp_logged_attribute *attributes;
    size_t attribute_count;
} sp_runlog;

/* One line of the training curve; `tokens` and `seconds` count from the start of the run. */
void sp_runlog_train(sp_runlog *log, long step, double loss, double learning_rate,
                     double gradient_norm, double tokens, double seconds);
void sp_runlog_dev(sp_runlog *log, long step, const char *metric, double value);
/* `group` NULL is all test examples, else some of them ("seen", a set of a mixture) or another set.
 * Replaces an earlier value. */
void sp_runlog_test(sp_runlog *log, const char *group, const char *metric, double value);
/* `references` are joined with end-of-line characters. */
void sp_runlog_prediction(sp_runlog *log, const char *input, const char *hypothesis,
                          const char *references);
/* The same of another set, whose scores are those of the group of that name. */
void sp_runlog_transfer(sp_runlog *log, const char *set, const char *input, const char *hypothesis,
                        const char *references);
/* Root attributes; a later value replaces an earlier one. */
void sp_runlog_text(sp_runlog *log, const char *name, const char *value);
void sp_runlog_number(sp_runlog *log, const char *name, double value);
void sp_runlog_integer(sp_runlog *log, const char *name, int64_t value);

/* NULL, or the text, which lives in the log. */
const char *sp_runlog_get_text(const sp_runlog *log, const char *name);
/* NaN if there is none. */
double sp_runlog_get_number(const sp_runlog *log, const char *name);
/* NULL if there is none. */
const sp_column *sp_runlog_get_train(const sp_runlog *log, const char *name);
/* NaN if there is none. */
double sp_runlog_get_test(const sp_runlog *log, const char *group, const char *metric);
/* NULL if there is none. */
const sp_column *sp_runlog_get_dev(const sp_runlog *log, const char *metric);

/* Atomic; makes the folder. SP_ERR_IO. */
sp_status sp_runlog_write(const sp_runlog *log, const char *path);
/* The same into a file that the caller has created and commits. */
sp_status sp_runlog_write_to(const sp_runlog *log, sp_h5 *file);
/* Attributes, series and test scores; the predictions stay on disk. SP_ERR_MISSING, SP_ERR_FORMAT.
 */
sp_status sp_runlog_read(const char *path, sp_runlog *out);

/* Only the train and dev series, below `group` of any file ("/" in a run file): a checkpoint takes
 * them along, so that a resumed run has the same log. Loading replaces the log's series. */
sp_status sp_runlog_save_series(const sp_runlog *log, sp_h5 *file, const char *group);
sp_status sp_runlog_load_series(sp_runlog *log, sp_h5 *file, const char *group);

void sp_runlog_free(sp_runlog *log); /* and {0} again */

#endif
