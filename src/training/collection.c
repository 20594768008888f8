#include "training/collection.h"

#include "text/documents.h"

#include <stdlib.h>

static void find_documents(sp_collection *c) {
    sp_documents d = {(const char *)c->map.data, c->map.len, 0};
    const char *text;
    size_t len, cap = 0;
    while (sp_next_document(&d, &text, &len)) {
        if (c->count == cap) {
            cap = cap ? 2 * cap : 1024;
            c->text = sp_realloc(c->text, cap, sizeof *c->text);
            c->len = sp_realloc(c->len, cap, sizeof *c->len);
        }
        c->text[c->count] = text;
        c->len[c->count++] = len;
    }
}

sp_status sp_collection_open(const char *path, sp_collection *out) {
    *out = (sp_collection){0};
    sp_status st = sp_map_file(path, &out->map);
    if (st) return st;
    find_documents(out);
    if (out->count) return SP_OK;
    sp_collection_close(out);
    return sp_fail(SP_ERR_DATA, "%s: holds no document", path);
}

void sp_collection_close(sp_collection *c) {
    sp_unmap_file(&c->map);
    free(c->text);
    free(c->len);
    *c = (sp_collection){0};
}
