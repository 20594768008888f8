/* Somebody's own examples, from one file or a file a split, as the files of a data set of ours. */
#ifndef SP_DATA_OWN_H
#define SP_DATA_OWN_H

#include "data/guess.h"

/* Start from {0}; release with sp_own_data_free. */
typedef struct sp_own_data {
    sp_set_kind kind;
    const char *separator;      /* static */
    sp_split splits[SP_SPLITS]; /* none is empty */
    /* Where each example comes from; a split that was cut off has the file of the others. */
    const char *files[SP_SPLITS]; /* the caller's */
    sp_ints lines[SP_SPLITS];     /* [count] */
    sp_label_set labels;          /* closed; none for generation */
    char *fields;                 /* sp_guess_text of the first file */
    bool cut;                     /* dev or test was cut off train */
} sp_own_data;

/* Reads files[SP_TRAIN] and those of dev and test that are not NULL; names are guessed file by file
 * (guess.h). A split without a file is a tenth of train: the examples are shuffled, always in the
 * same way, and taken label by label, so that each label gives its share. SP_ERR_USAGE for a file
 * of another kind than .jsonl, .csv and .tsv; SP_ERR_MISSING, SP_ERR_FORMAT; SP_ERR_DATA for too
 * few examples, or one label only. */
sp_status sp_own_data_read(const char *const files[SP_SPLITS], const char *task, sp_own_data *out);
void sp_own_data_free(sp_own_data *data);

/* A part of it: appends the examples of a text in memory, whose name `file` has the ending of its
 * format, to a split, that of train first, with the line of each. Starts from labels that are open
 * and {0}. */
sp_status sp_own_data_add(sp_own_data *data, sp_split_name split, const char *text, size_t len,
                          const char *file, const char *task);

/* Appends a split as JSON lines, with our own names of the fields. */
void sp_own_data_jsonl(const sp_own_data *data, sp_split_name split, sp_buf *out);

/* Appends the card of the data set `name` whose splits are train.jsonl, dev.jsonl and test.jsonl
 * beside it. */
void sp_own_data_card(const sp_own_data *data, const char *name, sp_buf *out);

/* Appends a text in double quotes, as YAML and JSON read it. */
void sp_put_quoted(const char *text, sp_buf *out);

#endif
