/* The classes of a classification set, or the tags of a tagging set: from the card, or collected
 * from the training split. */
#ifndef SP_DATA_LABELS_H
#define SP_DATA_LABELS_H

#include "data/dataset.h"
#include "format/yaml.h"

#include <stdbool.h>

/* More are a mistake, as a column of identifiers taken for classes. */
enum { SP_MAX_LABELS = 1000 };

/* Start from {0}; release with sp_label_set_free. */
typedef struct sp_label_set {
    sp_label *items;
    size_t count, capacity;
    bool open; /* a name that is not listed is added: the classes are what train has */
    bool tags; /* of words */
    /* [tasks, count]: which labels each task of a mixture has; NULL: there is one task */
    bool *allowed;
    size_t tasks;
} sp_label_set;

/* Reads the card's `labels`: a map from each class to its word or list of words. SP_ERR_SPEC with
 * file:line for fewer than two classes or too many, a class without a word, a word of two classes.
 */
sp_status sp_label_set_read(const sp_yaml *map, const char *separator, sp_label_set *out);

/* Reads the card's `tags`: a list of tags, each its own word. SP_ERR_SPEC with file:line for fewer
 * than two or too many, one that sp_is_tag refuses, one that is listed twice. */
sp_status sp_label_set_read_tags(const sp_yaml *list, const char *separator, sp_label_set *out);

/* Whether a name is a tag of IOB2 (Ratnaparkhi 1998): "O", or "B-" or "I-" and a type without white
 * space. */
bool sp_is_tag(const char *name);

/* Adds a label without words; it lives in the set until the next one is added. */
sp_label *sp_label_set_add(sp_label_set *set, const char *name);

/* The index of a name, or -1; an open set gets a new class (its word is the name), and -1 tells
 * that it is full. */
int sp_label_set_find(sp_label_set *set, const char *name, const char *separator);

/* Sorts a set that train has filled by name and closes it; the labels and tags of train's
 * examples follow. */
void sp_label_set_close(sp_label_set *set, sp_split *train);

/* "animal, plant, food", at most 20 of them; the caller's. */
char *sp_label_set_list(const sp_label_set *set);

void sp_label_set_free(sp_label_set *set);

#endif
