/* Examples as token ids. */
#ifndef SP_TRAINING_EXAMPLES_H
#define SP_TRAINING_EXAMPLES_H

#include "data/dataset.h"
#include "text/tokenizer.h"
#include "training/packed.h"
#include "tuning/class_head.h"
#include "tuning/template.h"

/* One record: its input with the separator, and each reference with the end token. For a class head
 * the only target is the end token, which ends the sequence where the answer would stand: the model
 * sees template and input, and the label is read off the last of them. (An encoder's examples have
 * an empty target; the template says where the label is read.)
 *
 * For tags the words are encoded one by one and without the separator: with a blank before each by
 * a byte-level BPE, alone by others. A word's first token stands for it, as in Hugging Face's
 * examples of token classification, which give the others the label -100. */
typedef struct sp_encoded_record {
    sp_ints input;
    sp_ints words;    /* for tags: the index in `input` of each word's first token, rising */
    sp_ints tags;     /* [words] -1: unknown */
    sp_ints *targets; /* [target_count] */
    size_t target_count;
    int label; /* -1: none, or unknown */
    int task;  /* of a mixture; else 0 */
} sp_encoded_record;

/* A training pair: one reference of one record, as in Prefix-Tuning's data; with a class head, a
 * record. */
typedef struct sp_pair {
    int record, target;
} sp_pair;

typedef struct sp_examples {
    sp_encoded_record *records; /* [count] */
    size_t count;
    sp_pair *pairs; /* [pair_count] */
    size_t pair_count;
    size_t longest; /* tokens of the longest pair */
    /* [tasks, labels] the labels of each task of a mixture (sp_dataset_allowed), which is not
     * owned; NULL: one task. Set by the caller after sp_examples_encode. */
    const bool *allowed;
} sp_examples;

/* In place of the end token: an encoder has none. */
enum { SP_NO_END = -1 };
/* The end token that examples for a model have. */
int sp_examples_end(const sp_model *model);

/* Encodes a split for answers of a form; eos may be SP_NO_END with a class head only. For tags the
 * words are what white space separates in an example's input. SP_ERR_DATA for an empty split, input
 * or reference, or a word without tokens (with the example's number). Release with
 * sp_examples_free. */
sp_status sp_examples_encode(const sp_split *split, sp_output output, const char *separator,
                             const sp_tokenizer *tokenizer, int eos, sp_examples *out);
void sp_examples_free(sp_examples *e);

/* Appends the labels that a class head is to find: the record's, or those of its words. */
void sp_examples_labels(const sp_encoded_record *record, sp_ints *out);
/* Appends the record's task as often as it has labels. */
void sp_examples_tasks(const sp_encoded_record *record, sp_ints *out);
/* How many these are in the first `count` records. */
size_t sp_examples_label_count(const sp_examples *e, size_t count);

/* Adds a pair to a batch: template, input, target; only the target is scored. With a framed
 * template, and for tags, there is no target: the rows that a class head reads are asked for. `ids`
 * is scratch. */
void sp_examples_pack(const sp_examples *e, sp_pair pair, const sp_template *template, sp_ints *ids,
                      sp_packed *batch);

/* Token ids by falling frequency in all inputs and targets (ties: smaller id first); only those
 * that occur. *out is owned by the caller; returns their number. */
size_t sp_examples_frequent(const sp_examples *e, int vocabulary, int **out);

#endif
