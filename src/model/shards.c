#include "model/shards.h"

#include "core/file.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/* A model of a thousand blocks and a hundred shards has an index of some megabytes. */
enum { MAX_INDEX = 64 << 20, MAX_SHARDS = 4096 };

struct sp_shards {
    char *index_path; /* NULL: a single file */
    json_t *index;
    const json_t *weight_map; /* in `index`: tensor -> file name */
    sp_strings names;         /* of the shards' files, sorted */
    sp_safetensors **files;   /* [names.len], or the single one */
    size_t count;
};

sp_status sp_shards_open_single(const char *path, sp_shards **out) {
    *out = NULL;
    sp_safetensors *file;
    sp_status st = sp_safetensors_open(path, &file);
    if (st) return st;
    sp_shards *s = sp_alloc(1, sizeof *s);
    s->files = sp_alloc(1, sizeof(sp_safetensors *));
    s->files[0] = file;
    s->count = 1;
    *out = s;
    return SP_OK;
}

/* ---- the index ---- */

static sp_status parse_index(sp_shards *s) {
    sp_map map;
    sp_status st = sp_map_file(s->index_path, &map);
    if (st) return st;
    json_error_t error = {0};
    if (map.len <= MAX_INDEX)
        s->index = json_loadb((const char *)map.data, map.len, JSON_REJECT_DUPLICATES, &error);
    sp_unmap_file(&map);
    s->weight_map = json_object_get(s->index, "weight_map");
    if (json_is_object(s->weight_map)) return SP_OK;
    return sp_fail(SP_ERR_FORMAT,
                   "%s: is no index with an object \"weight_map\"%s%s; copy it again",
                   s->index_path, *error.text ? ": " : "", error.text);
}

/* A shard lies beside its index: nothing else may be opened by what a file says. */
static sp_status check_shard_name(const sp_shards *s, const char *tensor, const char *name) {
    if (name && *name && *name != '.' && !strchr(name, '/')) return SP_OK;
    return sp_fail(SP_ERR_FORMAT,
                   "%s: the shard of %.200s is %.200s; a file name without '/' is needed",
                   s->index_path, tensor, name ? name : "no text");
}

static int by_text(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Puts a name into the sorted list unless it is there. */
static bool add_name(sp_strings *names, const char *name) {
    if (names->len && bsearch(&name, names->data, names->len, sizeof *names->data, by_text))
        return true;
    if (names->len == MAX_SHARDS) return false;
    sp_strings_push(names, name);
    qsort(names->data, names->len, sizeof *names->data, by_text);
    return true;
}

static sp_status list_shards(sp_shards *s) {
    const char *tensor;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)s->weight_map, tensor, value) {
        const char *name = json_string_value(value);
        sp_status st = check_shard_name(s, tensor, name);
        if (st) return st;
        if (!add_name(&s->names, name))
            return sp_fail(SP_ERR_FORMAT, "%s: names more than %d shards; join some of them",
                           s->index_path, MAX_SHARDS);
    }
    return SP_OK;
}

static sp_status open_shards(sp_shards *s) {
    char *folder = sp_path_folder(s->index_path);
    sp_status st = SP_OK;
    s->files = sp_alloc(s->names.len + 1, sizeof(sp_safetensors *));
    for (size_t i = 0; !st && i < s->names.len; i++) {
        char *path = sp_path_join(folder, s->names.data[i]);
        st = sp_safetensors_open(path, &s->files[i]);
        free(path);
        if (st) st = sp_fail_in(st, "%s names this shard", s->index_path);
        s->count += !st;
    }
    free(folder);
    return st;
}

sp_status sp_shards_open_index(const char *path, sp_shards **out) {
    *out = NULL;
    sp_shards *s = sp_alloc(1, sizeof *s);
    s->index_path = sp_strdup(path);
    sp_status st = parse_index(s);
    if (!st) st = list_shards(s);
    if (!st) st = open_shards(s);
    if (st) {
        sp_shards_close(s);
        return st;
    }
    *out = s;
    return SP_OK;
}

void sp_shards_close(sp_shards *s) {
    if (!s) return;
    for (size_t i = 0; i < s->count; i++) sp_safetensors_close(s->files[i]);
    free(s->files);
    sp_strings_free(&s->names);
    json_decref(s->index);
    free(s->index_path);
    free(s);
}

/* ---- tensors ---- */

/* The file that holds a tensor; NULL if the index does not name it. */
static const sp_safetensors *file_of(const sp_shards *s, const char *tensor) {
    if (!s->index_path) return s->files[0];
    const char *name = json_string_value(json_object_get(s->weight_map, tensor));
    char **found = name && s->names.len
                       ? bsearch(&name, s->names.data, s->names.len, sizeof *s->names.data, by_text)
                       : NULL;
    return found ? s->files[found - s->names.data] : NULL;
}

const sp_stored_tensor *sp_shards_find(const sp_shards *s, const char *name) {
    const sp_safetensors *file = file_of(s, name);
    return file ? sp_safetensors_find(file, name) : NULL;
}

sp_status sp_shards_read(const sp_shards *s, const char *name, int rank, const int64_t *dims,
                         float *out) {
    const sp_safetensors *file = file_of(s, name);
    if (file) return sp_safetensors_read(file, name, rank, dims, out);
    return sp_fail(SP_ERR_FORMAT, "%s: has no tensor %s; is it another kind of model?",
                   s->index_path, name);
}

double sp_shards_weights(const sp_shards *s) {
    double n = 0;
    for (size_t i = 0; i < s->count; i++)
        for (size_t k = 0; k < sp_safetensors_count(s->files[i]); k++)
            n += (double)sp_safetensors_at(s->files[i], k)->count;
    return n;
}

void sp_shards_files(const sp_shards *s, sp_strings *out) {
    if (s->index_path) sp_strings_push(out, s->index_path);
    for (size_t i = 0; i < s->count; i++) sp_strings_push(out, sp_safetensors_path(s->files[i]));
}
