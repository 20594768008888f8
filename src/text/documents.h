/* Text files of many documents, separated by lines that hold only the byte 0x1e (ASCII RS). */
#ifndef SP_TEXT_DOCUMENTS_H
#define SP_TEXT_DOCUMENTS_H

#include <stdbool.h>
#include <stddef.h>

/* A place in `len` bytes of text that the caller keeps (a mapped file). */
typedef struct sp_documents {
    const char *text;
    size_t len, at;
} sp_documents;

/* The next document without its separator; false at the end. Empty documents are left out. */
bool sp_next_document(sp_documents *documents, const char **text, size_t *len);

#endif
