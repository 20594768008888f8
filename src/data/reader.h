/* What a reader is: it fills splits as a card says. One file a reader, one line in readers.def. */
#ifndef SP_DATA_READER_H
#define SP_DATA_READER_H

#include "data/dataset.h"
#include "data/labels.h"
#include "format/yaml.h"

#include <stdbool.h>

typedef enum sp_split_name { SP_TRAIN, SP_DEV, SP_TEST, SP_SPLITS } sp_split_name;

/* "train", "dev", "test"; static. */
const char *sp_split_text(sp_split_name split);

/* What a card asks for, or what a reader can make. */
typedef enum sp_set_kind {
    SP_SET_GENERATION,
    SP_SET_CLASSIFICATION,
    SP_SET_TAGGING,
    SP_SET_ANY /* card: as the first record of train says; reader: all of them */
} sp_set_kind;

typedef struct sp_reader sp_reader;

/* A card with its keys checked and its paths not yet resolved. Texts live in `root`. */
typedef struct sp_card {
    sp_yaml *root;
    char *path; /* of the card, for messages and for paths relative to it */
    const sp_reader *reader;
    const char *name, *separator, *pair;
    sp_set_kind kind;
    sp_label_set
        *labels; /* the classes or tags; open until train was read if the card lists none */
} sp_card;

/* Fills the card from the file `path` (a .yaml, .jsonl, .csv or .tsv file that exists). SP_ERR_SPEC
 * with file:line for what is wrong in it. Release with sp_card_free, also after a failure. */
sp_status sp_card_open(const char *path, sp_card *out);
void sp_card_free(sp_card *card);

/* The card's node splits.NAME, or NULL. */
const sp_yaml *sp_card_split(const sp_card *card, sp_split_name split);

struct sp_reader {
    const char *name;
    sp_set_kind kind;
    bool together; /* all splits cost hardly more than one: ask for them at once */
    /* Fills splits[i] for every i with wanted[i]; a split the card does not name stays empty. If
     * card->labels is open, train is wanted, and the reader closes the set behind it. */
    sp_status (*load)(const sp_card *card, const bool wanted[SP_SPLITS],
                      sp_split splits[SP_SPLITS]);
};

/* The readers that readers.def lists: `extern const sp_reader sp_reader_NAME;`. */
#define SP_READER(name) extern const sp_reader sp_reader_##name;
#include "data/readers.def"
#undef SP_READER

#endif
