#include "model/pretrained.h"

#include "core/file.h"
#include "model/config.h"
#include "model/gguf_model.h"
#include "model/shards.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

typedef enum pretrained_kind {
    SINGLE, /* model.safetensors */
    SHARDS, /* model.safetensors.index.json */
    GGUF
} pretrained_kind;

struct sp_pretrained {
    char *path;        /* of the weights, their index or the GGUF file: for messages */
    char *config_path; /* NULL for GGUF */
    sp_shards *shards; /* a single file is one shard; NULL for GGUF */
    sp_gguf *gguf;
};

/* ---- finding ---- */

static int is_gguf(const struct dirent *entry) {
    return sp_has_suffix(entry->d_name, ".gguf");
}

static void list_gguf(const char *folder, sp_strings *out) {
    struct dirent **entries;
    int count = scandir(folder, &entries, is_gguf, alphasort);
    for (int i = 0; i < count; i++) {
        sp_strings_push(out, entries[i]->d_name);
        free(entries[i]);
    }
    if (count >= 0) free(entries);
}

static bool holds(const char *folder, const char *name) {
    char *path = sp_path_join(folder, name);
    bool there = sp_file_exists(path);
    free(path);
    return there;
}

static sp_status refuse_pickle(const char *folder) {
    return sp_fail(
        SP_ERR_FORMAT,
        "%s: holds its weights in pytorch_model.bin, a pickle, which may hold code and is not "
        "read; "
        "convert it in that folder: python3 -c \"import glob, torch, safetensors.torch as s; "
        "s.save_file({k: v.contiguous().clone() for f in glob.glob('pytorch_model*.bin') for k, v "
        "in torch.load(f, weights_only=True).items()}, 'model.safetensors')\"",
        folder);
}

static sp_status find_in_folder(const char *folder, pretrained_kind *kind, char **file) {
    static const char single[] = "model.safetensors", index[] = "model.safetensors.index.json";
    sp_strings gguf = {0};
    sp_status st = SP_OK;
    if (!holds(folder, single)) list_gguf(folder, &gguf);
    *kind = SINGLE;
    if (!holds(folder, single) && holds(folder, index)) {
        *kind = SHARDS;
        *file = sp_path_join(folder, index);
    } else if (gguf.len == 1) {
        *kind = GGUF;
        *file = sp_path_join(folder, gguf.data[0]);
    } else if (gguf.len > 1) {
        char *names = sp_list_text((const char *const *)gguf.data, gguf.len);
        st = sp_fail(SP_ERR_FORMAT, "%s: holds several models; give the path of one of %s", folder,
                     names);
        free(names);
    } else if (!holds(folder, single) && (holds(folder, "pytorch_model.bin") ||
                                          holds(folder, "pytorch_model.bin.index.json"))) {
        st = refuse_pickle(folder);
    } else {
        *file = sp_path_join(folder, single);
    }
    sp_strings_free(&gguf);
    return st;
}

/* Where the tensors of `path` stand. *file is the model.safetensors, the index or the GGUF file,
 * the caller's; it may be absent only for SINGLE. */
static sp_status find_tensors(const char *path, pretrained_kind *kind, char **file) {
    struct stat info;
    *file = NULL;
    if (stat(path, &info))
        return sp_fail(SP_ERR_MISSING, "%s: there is no such model; give a folder or a .gguf file",
                       path);
    if (S_ISDIR(info.st_mode)) return find_in_folder(path, kind, file);
    if (!sp_has_suffix(path, ".gguf"))
        return sp_fail(SP_ERR_FORMAT, "%s: is no model; give its folder, or a .gguf file", path);
    *kind = GGUF;
    *file = sp_strdup(path);
    return SP_OK;
}

/* ---- opening ---- */

static sp_status open_files(sp_pretrained *c, pretrained_kind kind) {
    if (kind == GGUF) return sp_gguf_open(c->path, &c->gguf);
    char *folder = sp_path_folder(c->path);
    c->config_path = sp_path_join(folder, "config.json");
    free(folder);
    return kind == SHARDS ? sp_shards_open_index(c->path, &c->shards)
                          : sp_shards_open_single(c->path, &c->shards);
}

sp_status sp_pretrained_open(const char *path, sp_pretrained **out) {
    *out = NULL;
    pretrained_kind kind;
    sp_pretrained *c = sp_alloc(1, sizeof *c);
    sp_status st = find_tensors(path, &kind, &c->path);
    if (!st) st = open_files(c, kind);
    if (st) {
        sp_pretrained_close(c);
        return st;
    }
    *out = c;
    return SP_OK;
}

void sp_pretrained_close(sp_pretrained *c) {
    if (!c) return;
    sp_shards_close(c->shards);
    sp_gguf_close(c->gguf);
    free(c->config_path);
    free(c->path);
    free(c);
}

sp_status sp_pretrained_files(const char *path, sp_strings *out) {
    pretrained_kind kind;
    char *file;
    sp_status st = find_tensors(path, &kind, &file);
    if (st) return st;
    if (kind != GGUF) {
        char *folder = sp_path_folder(file);
        sp_strings_take(out, sp_path_join(folder, "config.json"));
        free(folder);
    }
    if (kind == SHARDS) {
        sp_shards *shards;
        st = sp_shards_open_index(file, &shards);
        if (!st) sp_shards_files(shards, out);
        sp_shards_close(shards);
    } else {
        sp_strings_push(out, file);
    }
    free(file);
    return st;
}

/* ---- configuration ---- */

static double count_weights(const sp_pretrained *c) {
    if (c->shards) return sp_shards_weights(c->shards);
    double n = 0;
    for (size_t i = 0; i < sp_gguf_tensor_count(c->gguf); i++) {
        const sp_gguf_tensor *t = sp_gguf_tensor_at(c->gguf, i);
        if (t->bytes) n += (double)t->count;
    }
    return n;
}

/* What is a little too large is found tensor by tensor; this guards the memory. */
static sp_status check_size(const sp_pretrained *c, const sp_config *config) {
    double held = count_weights(c), promised = sp_family_find(config->model_type)->size(config);
    if (promised <= 2 * held) return SP_OK;
    return sp_fail(SP_ERR_FORMAT,
                   "%s: holds %.0f weights, but %s describes a model of %.0f; it is truncated or "
                   "belongs to another model, copy it again",
                   c->path, held, c->gguf ? "its metadata" : "config.json", promised);
}

static sp_status read_gguf_config(const sp_gguf *gguf, sp_config *out) {
    json_t *root;
    sp_status st = sp_gguf_model_config(gguf, &root);
    if (st) return st;
    st = sp_config_from_json((sp_config_source){sp_gguf_path(gguf), root}, out);
    json_decref(root);
    return st ? st : sp_gguf_model_check_rope(gguf, out);
}

sp_status sp_pretrained_config(const sp_pretrained *c, sp_config *out) {
    sp_status st = c->gguf ? read_gguf_config(c->gguf, out) : sp_config_read(c->config_path, out);
    return st ? st : check_size(c, out);
}

/* ---- tensors ---- */

/* The name under which the shards hold a tensor, the caller's; NULL if they do not. */
static char *name_in_shards(const sp_shards *shards, const char *name) {
    static const char *const parts[][2] = {{"LayerNorm.weight", "gamma"},
                                           {"LayerNorm.bias", "beta"}};
    if (sp_shards_find(shards, name)) return sp_strdup(name);
    for (size_t i = 0; i < 2; i++) {
        if (!sp_has_suffix(name, parts[i][0])) continue;
        const char *dot = strrchr(name, '.');
        char *old = sp_format("%.*s.%s", (int)(dot - name), name, parts[i][1]);
        if (sp_shards_find(shards, old)) return old;
        free(old);
    }
    return NULL;
}

bool sp_pretrained_has(const sp_pretrained *c, const char *name) {
    char *stored = c->gguf ? sp_gguf_model_name(c->gguf, name) : name_in_shards(c->shards, name);
    bool there = stored && (!c->gguf || sp_gguf_find_tensor(c->gguf, stored));
    free(stored);
    return there;
}

static void forget_pages(const void *data, size_t bytes) {
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), first = (uintptr_t)data;
    uintptr_t end = first + bytes;
    first = (first + page - 1) / page * page;
    if (end > first) madvise((void *)first, (end - first) / page * page, MADV_DONTNEED);
}

static sp_status read_gguf(const sp_gguf *gguf, const char *name, int rank, const int64_t *dims,
                           float *out) {
    sp_status st = sp_gguf_model_read(gguf, name, rank, dims, out);
    if (st) return st;
    char *stored = sp_gguf_model_name(gguf, name);
    const sp_gguf_tensor *t = sp_gguf_find_tensor(gguf, stored);
    forget_pages(t->data, t->bytes);
    free(stored);
    return SP_OK;
}

static sp_status read_shards(const sp_shards *shards, const char *name, int rank,
                             const int64_t *dims, float *out) {
    char *stored = name_in_shards(shards, name);
    sp_status st = sp_shards_read(shards, stored ? stored : name, rank, dims, out);
    if (!st) {
        const sp_stored_tensor *t = sp_shards_find(shards, stored);
        forget_pages(t->data, t->count * sp_dtype_size(t->dtype));
    }
    free(stored);
    return st;
}

sp_status sp_pretrained_read(const sp_pretrained *c, const char *name, int rank,
                             const int64_t *dims, float *out) {
    return c->gguf ? read_gguf(c->gguf, name, rank, dims, out)
                   : read_shards(c->shards, name, rank, dims, out);
}
