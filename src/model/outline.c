#include "model/outline.h"

#include "model/find.h"
#include "model/pretrained.h"

#include <stdlib.h>

sp_status sp_model_outline(const char *name, sp_model **out) {
    char *path = NULL;
    sp_pretrained *files = NULL;
    sp_config config;
    *out = NULL;
    sp_status st = sp_model_find(name, &path);
    if (!st) st = sp_pretrained_open(path, &files);
    if (!st) st = sp_pretrained_config(files, &config);
    if (!st) st = sp_model_declare(&config, out);
    sp_pretrained_close(files);
    free(path);
    return st;
}
