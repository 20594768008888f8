/* What a reader is: it fills splits as a card says. One file a reader, one line in the registry of
 * dataset.c. */
#ifndef SP_DATA_READER_H
#define SP_DATA_READER_H

#include "data/dataset.h"
#include "format/yaml.h"

#include <stdbool.h>

typedef enum sp_split_name { SP_TRAIN, SP_DEV, SP_TEST, SP_SPLITS } sp_split_name;

/* "train", "dev", "test"; static. */
const char *sp_split_text(sp_split_name split);

/* A card with its keys checked and its paths not yet resolved. */
typedef struct sp_card {
    sp_yaml *root;
    const char *path; /* of the card, for messages and for paths relative to it */
} sp_card;

typedef struct sp_reader {
    const char *name;
    bool together; /* all splits cost hardly more than one: ask for them at once */
    /* Fills splits[i] for every i with wanted[i]; a split the card does not name stays empty. */
    sp_status (*load)(const sp_card *card, const bool wanted[SP_SPLITS],
                      sp_split splits[SP_SPLITS]);
} sp_reader;

extern const sp_reader sp_reader_wntriples;
extern const sp_reader sp_reader_webnlg;
extern const sp_reader sp_reader_jsonl;

/* The card's node splits.NAME, or NULL. */
const sp_yaml *sp_card_split(const sp_card *card, sp_split_name split);

#endif
