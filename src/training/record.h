/* A corpus document that is a record and, on its last line, a text that tells it (as
 * experiments/pretrain/records.pl writes them). The record has one of four layouts:
 *
 *   Key: value             a line each, at least two
 *   key = value; key = value
 *   key : value | key : value                     after a leading space
 *   : subject | relation | object | subject ...   after a leading space
 *
 * A key is a letter and then letters, digits, spaces, '-' or '_'. A document in which any part of
 * the record has another form is no record. */
#ifndef SP_TRAINING_RECORD_H
#define SP_TRAINING_RECORD_H

#include "core/memory.h"

#include <stdbool.h>

/* Points into the document. */
typedef struct sp_told_record {
    size_t head_len;  /* bytes of the record, without the line end */
    const char *text; /* the line after it [text_len] */
    size_t text_len;
    sp_strings values; /* the values, subjects and objects; each once */
} sp_told_record;

/* False if the document is no record. Release with sp_record_free after either answer. */
bool sp_record_parse(const char *document, size_t len, sp_told_record *out);
void sp_record_free(sp_told_record *record);

/* Whether `value` occurs in the text byte for byte and is not a part of a longer word: a letter or
 * digit (any byte from 0x80 on counts as one) at its ends has none beside it. */
bool sp_text_mentions(const char *text, size_t len, const char *value);

#endif
