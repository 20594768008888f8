/* Normalizers of a tokenizer.json: text -> text, applied before the text is cut. A kind plugs in
 * here: one sp_normalizer_kind, listed in normalizer.c. */
#ifndef SP_TEXT_NORMALIZER_H
#define SP_TEXT_NORMALIZER_H

#include "core/memory.h"
#include "core/status.h"

#include <jansson.h>

typedef struct sp_normalizer_kind {
    const char *type;

    /* Reads the part into settings of its own; NULL if there is nothing to read. SP_ERR_FORMAT. */
    sp_status (*read)(const json_t *part, void **settings);
    void (*free)(void *settings); /* NULL: nothing to release */

    /* Appends the normal form of `len` bytes to `out`. Bytes that are not UTF-8 stay as they are.
     * May be called by several threads at once. SP_ERR_FORMAT if that takes too much work. */
    sp_status (*apply)(const void *settings, const char *text, size_t len, sp_buf *out);
} sp_normalizer_kind;

typedef struct sp_normalizer sp_normalizer;

/* Reads a "normalizer" part, also a Sequence of them; *out is NULL for none (null, missing or an
 * empty Sequence). Release with sp_normalizer_free (NULL is allowed). SP_ERR_FORMAT. */
sp_status sp_normalizer_read(const json_t *part, sp_normalizer **out);
void sp_normalizer_free(sp_normalizer *normalizer);

/* Replaces the content of `out` by the normal form. SP_ERR_FORMAT if a stage gives up or the text
 * grows beyond measure. */
sp_status sp_normalize(const sp_normalizer *normalizer, const char *text, size_t len, sp_buf *out);

#endif
