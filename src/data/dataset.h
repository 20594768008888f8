/* Data sets: a card (datasets/NAME.yaml) says which reader makes the examples of its splits. A path
 * to a card of your own, or to a .jsonl, .csv or .tsv file (its only split is train), serves too.
 * docs/formats.md lists the keys of a card and the fields of a file.
 *
 * A set is for generation (an input and texts that say it), for classification (a text or a pair of
 * texts, and one of a fixed list of labels) or for tagging (words, and one of a fixed list of tags
 * for each). A mixture joins sets of one kind. */
#ifndef SP_DATA_DATASET_H
#define SP_DATA_DATASET_H

#include "core/hash.h"
#include "core/memory.h"
#include "core/status.h"

#include <stdbool.h>
#include <stddef.h>

/* A record and the texts that say it; or a text, or a pair joined by the card's template.pair, and
 * its class; or the words of a text, joined by one space each, and their tags. */
typedef struct sp_example {
    char *input;
    sp_strings references; /* at least one; the first word of the label in a classification set,
                            * the tags' names joined by spaces in a tagging set */
    char *category;        /* "" if the set has none */
    char *group;           /* "seen" or "unseen" among the training categories, or, in a mixture,
                            * the set it is from; "" if none */
    int task;              /* which set of a mixture, from 0; 0 in the other sets */
    int label;             /* index into sp_dataset_labels; -1 in the other sets */
    sp_ints tags;          /* [words] the same, in a tagging set */
} sp_example;

/* A class or a tag. The words are its verbalizer (a tag's is its name): literal target texts, as
 * they follow the separator; they begin with a space if the separator does not end in white space.
 * At least one. */
typedef struct sp_label {
    char *name;
    sp_strings words;
} sp_label;

/* Start from {0}; release with sp_split_free. */
typedef struct sp_split {
    sp_example *items;
    size_t count, capacity;
} sp_split;

typedef struct sp_dataset sp_dataset;

/* Opens "wntriples" (datasets/wntriples.yaml below the working folder or sp_home()), a card's path
 * or a .jsonl, .csv or .tsv file. Reads the card only. SP_ERR_MISSING with the cards there are;
 * SP_ERR_SPEC with file:line for an unknown key or a wrong value. Release with sp_dataset_free. */
sp_status sp_dataset_open(const char *name_or_path, sp_dataset **out);
void sp_dataset_free(sp_dataset *dataset); /* NULL is fine */

/* The card's name; lives in the data set, as the separator does. */
const char *sp_dataset_name(const sp_dataset *dataset);
/* The text between input and target: the card's `template: {separator: ...}`, "\n" if not given. */
const char *sp_dataset_separator(const sp_dataset *dataset);

/* The classes or tags in their order: that of the card's `labels` or `tags`; if it has none, those
 * of train sorted by name, each its own word (this reads train). *count is 0 for a generation set,
 * at least 2 otherwise. *labels lives in the data set. Errors as sp_dataset_load. */
sp_status sp_dataset_labels(const sp_dataset *dataset, const sp_label **labels, size_t *count);

/* Of a mixture of sets with labels: [sets, labels] which labels are those of each set; NULL of
 * other sets. Lives in the data set; sp_dataset_labels must have succeeded. */
const bool *sp_dataset_allowed(const sp_dataset *dataset);

/* What a set is called in scores, as a group of test examples: "mine" for "mine" and for
 * "my/sets/mine.yaml". Owned by the caller. */
char *sp_dataset_group(const char *name_or_path);

/* Appends the groups of a mixture's sets (sp_dataset_group); nothing of other sets. */
void sp_dataset_parts(const sp_dataset *dataset, sp_strings *out);
bool sp_dataset_is_mixture(const sp_dataset *dataset);

/* Whether they are tags of words; sp_dataset_labels must have succeeded. */
bool sp_dataset_is_tagged(const sp_dataset *dataset);

/* A copy of a split's examples, in a fixed order. `split` is train, dev or test (SP_ERR_USAGE if
 * not). SP_ERR_MISSING, _FORMAT, _DATA (the split is empty or the card has none) with place and
 * remedy. Not to be called for one data set from two threads at a time: it caches. */
sp_status sp_dataset_load(const sp_dataset *dataset, const char *split, sp_split *out);

/* SHA-256 over the separator, the labels with their words, and the content of every split the card
 * has, references and groups included: all of the set that a run depends on. */
sp_status sp_dataset_hash(const sp_dataset *dataset, sp_digest *out);

void sp_split_free(sp_split *split);
/* The label or tag that all examples, or all their words, have; -1 if there are several or none. */
int sp_split_only_label(const sp_split *split);
/* Adds an empty example at the end for the reader to fill. */
sp_example *sp_split_add(sp_split *split);

#endif
