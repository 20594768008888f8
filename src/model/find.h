/* Where the files of a model are, from what a user calls it. */
#ifndef SP_MODEL_FIND_H
#define SP_MODEL_FIND_H

#include "model/card.h"

/* The folder or .gguf file of a model, owned by the caller. `name` is, in this order, a folder or a
 * .gguf file; a name below models/; the name or alias of a card (model/card.h) whose files were
 * fetched or lie in the Hugging Face cache; a repository "org/name" in that cache. A folder that
 * has no config.json but one .gguf file stands for that file. SP_ERR_MISSING with the command that
 * fetches it, or the nearest known name; SP_ERR_SPEC for a broken card. *path is NULL then. */
sp_status sp_model_find(const char *name, char **path);

/* A folder or .gguf file that is there, or the one below models/, without a look at cards and
 * cache; owned by the caller. NULL: there is none. */
char *sp_model_find_own(const char *name);

/* All names that mean the same as `name`: those of its card, or `name` alone. Appended.
 * SP_ERR_MISSING with the nearest known name if it is neither a card's, nor a path, nor a
 * name below models/. */
sp_status sp_model_names(const char *name, sp_strings *out);

/* The names of the models below models/, sorted, appended. */
void sp_models_below(sp_strings *names);

/* Where the files of a card belong: models/fetched/NAME beside models/cards; owned by the
 * caller. */
char *sp_model_card_folder(const sp_model_card *card);

/* Where they are: that folder, or the snapshot of the Hugging Face cache, if it has all of them;
 * owned by the caller. NULL: nowhere. */
char *sp_model_card_place(const sp_model_card *card);

/* The Hugging Face cache: $HF_HUB_CACHE, $HF_HOME/hub or ~/.cache/huggingface/hub; owned by the
 * caller. */
char *sp_hub_cache(void);

#endif
