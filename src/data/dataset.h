/* Data sets: a card (datasets/NAME.yaml) says which reader makes the examples of its splits. A path
 * to a card of your own, or to a .jsonl file (its only split is train), serves too.
 *
 * Keys of a card:
 * - name and reader, both needed; the reader is wntriples, webnlg or jsonl
 * - splits {train, dev, test}: sizes for wntriples, paths below $SOFTPROMPT_DATA for webnlg, paths
 *   beside the card for jsonl
 * - template {separator}: the text between input and target
 * - seed and categories {seen, unseen} for wntriples: lists of lexicographer files
 * - fields for jsonl: what input, target, references, category and group are called in the file
 * - sha256 {train, dev, test} for jsonl: the digest that a split's file must have
 * - metrics, a list, and title, task, licence, source, notes: for people and reports
 */
#ifndef SP_DATA_DATASET_H
#define SP_DATA_DATASET_H

#include "core/hash.h"
#include "core/memory.h"
#include "core/status.h"

#include <stddef.h>

/* A record and the texts that say it. */
typedef struct sp_example {
    char *input;
    sp_strings references; /* at least one */
    char *category;        /* "" if the set has none */
    char *group;           /* "seen" or "unseen" among the training categories; "" if none */
} sp_example;

/* Start from {0}; release with sp_split_free. */
typedef struct sp_split {
    sp_example *items;
    size_t count, capacity;
} sp_split;

typedef struct sp_dataset sp_dataset;

/* Opens "wntriples" (datasets/wntriples.yaml below the working folder or sp_home()), a card's path
 * or a .jsonl file. Reads the card only. SP_ERR_MISSING with the cards there are; SP_ERR_SPEC with
 * file:line for an unknown key or a wrong value. Release with sp_dataset_free. */
sp_status sp_dataset_open(const char *name_or_path, sp_dataset **out);
void sp_dataset_free(sp_dataset *dataset); /* NULL is fine */

/* The card's name; lives in the data set, as the separator does. */
const char *sp_dataset_name(const sp_dataset *dataset);
/* The text between input and target: the card's `template: {separator: ...}`, "\n" if not given. */
const char *sp_dataset_separator(const sp_dataset *dataset);

/* A copy of a split's examples, in a fixed order. `split` is train, dev or test (SP_ERR_USAGE if
 * not). SP_ERR_MISSING, _FORMAT, _DATA (the split is empty or the card has none) with place and
 * remedy. Not to be called for one data set from two threads at a time: it caches. */
sp_status sp_dataset_load(const sp_dataset *dataset, const char *split, sp_split *out);

/* SHA-256 over the separator and the content of every split the card has, references and groups
 * included: all of the set that a run depends on. */
sp_status sp_dataset_hash(const sp_dataset *dataset, sp_digest *out);

void sp_split_free(sp_split *split);
/* Adds an empty example at the end for the reader to fill. */
sp_example *sp_split_add(sp_split *split);

#endif
