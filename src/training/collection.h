/* A file of documents (text/documents.h), mapped and found once, for access by index. */
#ifndef SP_TRAINING_COLLECTION_H
#define SP_TRAINING_COLLECTION_H

#include "core/file.h"

/* Start from {0}; release with sp_collection_close. */
typedef struct sp_collection {
    sp_map map;
    const char **text; /* [count]; not NUL-terminated */
    size_t *len;       /* [count] bytes */
    size_t count;
} sp_collection;

/* SP_ERR_MISSING, SP_ERR_IO; SP_ERR_DATA if it holds no document. */
sp_status sp_collection_open(const char *path, sp_collection *out);
void sp_collection_close(sp_collection *collection);

#endif
