/* The classes of a classification set: from the card, or collected from the training split. */
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
} sp_label_set;

/* Reads the card's `labels`: a map from each class to its word or list of words. SP_ERR_SPEC with
 * file:line for fewer than two classes or too many, a class without a word, a word of two classes.
 */
sp_status sp_label_set_read(const sp_yaml *map, const char *separator, sp_label_set *out);

/* The index of a name, or -1; an open set gets a new class (its word is the name), and -1 tells
 * that it is full. */
int sp_label_set_find(sp_label_set *set, const char *name, const char *separator);

/* Sorts a set that train has filled by name and closes it; the labels of train's examples follow.
 */
void sp_label_set_close(sp_label_set *set, sp_split *train);

/* "animal, plant, food", at most 20 of them; the caller's. */
char *sp_label_set_list(const sp_label_set *set);

void sp_label_set_free(sp_label_set *set);

#endif
