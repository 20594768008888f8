/* SentencePiece's rules of normalization (precompiled_charsmap; Kudo & Richardson 2018, section
 * 3.2): a double array that maps short texts to others, compiled from Unicode tables. */
#ifndef SP_TEXT_CHARSMAP_H
#define SP_TEXT_CHARSMAP_H

#include "core/memory.h"
#include "core/status.h"

typedef struct sp_charsmap sp_charsmap;

/* From the bytes of the map, which are copied: a 32-bit size in bytes, so many bytes of double
 * array, and the replacements, each ending with a zero byte. SP_ERR_FORMAT. Release with
 * sp_charsmap_free (NULL is allowed). */
sp_status sp_charsmap_new(const unsigned char *bytes, size_t len, sp_charsmap **out);
/* The same from base64, as tokenizer.json has it. */
sp_status sp_charsmap_parse(const char *base64, sp_charsmap **out);
void sp_charsmap_free(sp_charsmap *map);

/* Appends the normal form. As the reference does it, a grapheme cluster below 6 bytes that begins
 * with a rule's text becomes that rule's replacement (the shortest rule counts); of others every
 * character is looked up by itself. Bytes that are not UTF-8 stay as they are. */
void sp_charsmap_apply(const sp_charsmap *map, const char *text, size_t len, sp_buf *out);

/* Appends the base64 form of `len` bytes. */
void sp_base64_append(const unsigned char *bytes, size_t len, sp_buf *out);

#endif
