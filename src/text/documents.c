#include "text/documents.h"

#include <string.h>

static const char separator[] = "\n\x1e\n";

bool sp_next_document(sp_documents *documents, const char **text, size_t *len) {
    while (documents->at < documents->len) {
        const char *start = documents->text + documents->at;
        size_t left = documents->len - documents->at;
        const char *end = memmem(start, left, separator, sizeof separator - 1);
        *text = start;
        *len = end ? (size_t)(end - start) : left;
        documents->at += *len + (end ? sizeof separator - 1 : 0);
        if (*len) return true;
    }
    return false;
}
