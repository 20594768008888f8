/* A model card, models/cards/NAME.yaml: what a published model is, and where its files come from.
 */
#ifndef SP_MODEL_CARD_H
#define SP_MODEL_CARD_H

#include "format/yaml.h"

/* A file of the model. */
typedef struct sp_card_file {
    const char *path;   /* in the wheel or in the repository */
    const char *name;   /* in the model's folder */
    const char *sha256; /* "": the card gives none */
    int bytes;          /* 0: the card does not say */
} sp_card_file;

typedef struct sp_model_card {
    char *path;
    sp_yaml *root; /* owns all texts below */
    const char *name, *title, *model_type, *licence, *source;
    const char *notes;      /* "": none */
    const sp_yaml *aliases; /* list of texts; NULL: none */
    int parameters;
    /* A wheel on PyPI; `package` is NULL for a model of the Hugging Face hub. */
    const char *package, *version, *wheel_sha256;
    int wheel_bytes;
    /* A repository of the hub, and the name it had before ("": none). */
    const char *repository, *formerly;
    sp_card_file *files;
    size_t file_count;
} sp_model_card;

typedef struct sp_model_cards {
    sp_model_card *items;
    size_t count;
} sp_model_cards;

/* Reads and checks one card. SP_ERR_SPEC with file and line; SP_ERR_MISSING, SP_ERR_IO. */
sp_status sp_model_card_read(const char *path, sp_model_card *out);
void sp_model_card_free(sp_model_card *card);

/* All cards of models/cards, sorted by file name; none if there is no such folder. The name of a
 * card is that of its file, and no two cards share a name or an alias: SP_ERR_SPEC. */
sp_status sp_model_cards_read(sp_model_cards *out);
void sp_model_cards_free(sp_model_cards *cards);

/* The card of this name or alias; NULL if there is none. Lives in `cards`. */
const sp_model_card *sp_model_cards_find(const sp_model_cards *cards, const char *name);

#endif
