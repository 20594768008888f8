#include "format/gguf.h"

#include "core/file.h"
#include "core/memory.h"
#include "format/gguf_types.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "GGUF data are little-endian");

/* Types of metadata. */
enum value_type {
    VALUE_U8,
    VALUE_I8,
    VALUE_U16,
    VALUE_I16,
    VALUE_U32,
    VALUE_I32,
    VALUE_F32,
    VALUE_BOOL,
    VALUE_TEXT,
    VALUE_ARRAY,
    VALUE_U64,
    VALUE_I64,
    VALUE_F64,
    VALUE_TYPES
};

static const size_t value_sizes[VALUE_TYPES] = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};

enum { MAX_ALIGNMENT = 1 << 20, NAME_SHOWN = 200, CHUNK = 1 << 16 };

/* The fewest bytes of a metadata entry (length of its key, type, value) and of a tensor's (length
 * of its name, rank, one dimension, type, offset). */
enum { LEAST_ENTRY = 13, LEAST_TENSOR = 32 };

typedef struct entry {
    sp_gguf_text key;
    uint32_t type; /* of the value, or of the elements of an array */
    bool array;
    size_t count;               /* 1 unless it is an array */
    const unsigned char *data;  /* the value or the first element */
    const unsigned char **text; /* [count] where the texts of an array stand; else NULL */
} entry;

struct sp_gguf {
    char *path;
    sp_map map;
    entry *entries; /* sorted by key */
    size_t entry_count;
    sp_gguf_tensor *tensors; /* sorted by name */
    size_t tensor_count;
};

/* ---- lookup ---- */

static int compare_texts(sp_gguf_text a, sp_gguf_text b) {
    if (a.len != b.len) return a.len < b.len ? -1 : 1;
    return a.len ? memcmp(a.data, b.data, a.len) : 0;
}

static int by_key(const void *a, const void *b) {
    return compare_texts(((const entry *)a)->key, ((const entry *)b)->key);
}

static int by_name(const void *a, const void *b) {
    return compare_texts(((const sp_gguf_tensor *)a)->name, ((const sp_gguf_tensor *)b)->name);
}

static const entry *find(const sp_gguf *f, const char *key) {
    entry wanted = {.key = {key, strlen(key)}};
    return bsearch(&wanted, f->entries, f->entry_count, sizeof wanted, by_key);
}

const sp_gguf_tensor *sp_gguf_find_tensor(const sp_gguf *f, const char *name) {
    sp_gguf_tensor wanted = {.name = {name, strlen(name)}};
    return bsearch(&wanted, f->tensors, f->tensor_count, sizeof wanted, by_name);
}

size_t sp_gguf_tensor_count(const sp_gguf *f) {
    return f->tensor_count;
}

const sp_gguf_tensor *sp_gguf_tensor_at(const sp_gguf *f, size_t index) {
    return &f->tensors[index];
}

const char *sp_gguf_path(const sp_gguf *f) {
    return f->path;
}

/* ---- values ---- */

static uint64_t number_at(const unsigned char *p, size_t size) {
    uint64_t n = 0;
    memcpy(&n, p, size);
    return n;
}

/* The text whose length stands at p; parse_text has checked it. */
static sp_gguf_text text_at(const unsigned char *p) {
    return (sp_gguf_text){(const char *)p + 8, (size_t)number_at(p, 8)};
}

static bool read_int(uint32_t type, const unsigned char *p, int64_t *out) {
    if (type == VALUE_F32 || type == VALUE_F64 || type == VALUE_TEXT) return false;
    uint64_t n = number_at(p, value_sizes[type]);
    switch (type) {
    case VALUE_I8:
        *out = (int8_t)n;
        return true;
    case VALUE_I16:
        *out = (int16_t)n;
        return true;
    case VALUE_I32:
        *out = (int32_t)n;
        return true;
    case VALUE_BOOL:
        *out = n != 0;
        return true;
    default:
        *out = (int64_t)n;
        return type != VALUE_U64 || n <= INT64_MAX;
    }
}

static bool read_real(uint32_t type, const unsigned char *p, double *out) {
    float narrow;
    int64_t whole;
    switch (type) {
    case VALUE_F32:
        memcpy(&narrow, p, sizeof narrow);
        *out = (double)narrow;
        return true;
    case VALUE_F64:
        memcpy(out, p, sizeof *out);
        return true;
    default:
        if (!read_int(type, p, &whole)) return false;
        *out = (double)whole;
        return true;
    }
}

static const entry *find_scalar(const sp_gguf *f, const char *key) {
    const entry *e = find(f, key);
    return e && !e->array ? e : NULL;
}

sp_gguf_text sp_gguf_find_text(const sp_gguf *f, const char *key) {
    const entry *e = find_scalar(f, key);
    return e && e->type == VALUE_TEXT ? text_at(e->data) : (sp_gguf_text){0};
}

bool sp_gguf_find_int(const sp_gguf *f, const char *key, int64_t *out) {
    const entry *e = find_scalar(f, key);
    return e && read_int(e->type, e->data, out);
}

bool sp_gguf_find_real(const sp_gguf *f, const char *key, double *out) {
    const entry *e = find_scalar(f, key);
    return e && read_real(e->type, e->data, out);
}

/* NULL if the key holds no array with an element i. */
static const entry *find_array(const sp_gguf *f, const char *key, size_t i) {
    const entry *e = find(f, key);
    return e && e->array && i < e->count ? e : NULL;
}

size_t sp_gguf_array_count(const sp_gguf *f, const char *key) {
    const entry *e = find_array(f, key, 0);
    return e ? e->count : 0;
}

bool sp_gguf_text_at(const sp_gguf *f, const char *key, size_t i, sp_gguf_text *out) {
    const entry *e = find_array(f, key, i);
    if (!e || !e->text) return false;
    *out = text_at(e->text[i]);
    return true;
}

bool sp_gguf_int_at(const sp_gguf *f, const char *key, size_t i, int64_t *out) {
    const entry *e = find_array(f, key, i);
    return e && read_int(e->type, e->data + i * value_sizes[e->type], out);
}

bool sp_gguf_real_at(const sp_gguf *f, const char *key, size_t i, double *out) {
    const entry *e = find_array(f, key, i);
    return e && read_real(e->type, e->data + i * value_sizes[e->type], out);
}

/* ---- parsing ---- */

/* What is still to be read of the file. */
typedef struct cursor {
    const unsigned char *at;
    size_t left;
} cursor;

static bool skip(cursor *c, size_t bytes) {
    if (bytes > c->left) return false;
    c->at += bytes;
    c->left -= bytes;
    return true;
}

static bool parse_number(cursor *c, size_t size, uint64_t *out) {
    const unsigned char *p = c->at;
    *out = 0;
    if (!skip(c, size)) return false;
    *out = number_at(p, size);
    return true;
}

static bool parse_text(cursor *c, sp_gguf_text *out) {
    uint64_t len;
    if (!parse_number(c, 8, &len) || len > c->left) return false;
    *out = (sp_gguf_text){(const char *)c->at, (size_t)len};
    return skip(c, (size_t)len);
}

static sp_status truncated(const sp_gguf *f, const char *where) {
    return sp_fail(SP_ERR_FORMAT,
                   "%s: %s ends behind the file's %zu bytes; it is truncated or damaged, copy it "
                   "again",
                   f->path, where, f->map.len);
}

static int shown(sp_gguf_text text) {
    return text.len < NAME_SHOWN ? (int)text.len : NAME_SHOWN;
}

static sp_status truncated_at(const sp_gguf *f, const char *what, sp_gguf_text name) {
    char *where = sp_format("%s %.*s", what, shown(name), name.data);
    sp_status st = truncated(f, where);
    free(where);
    return st;
}

static bool parse_elements(cursor *c, entry *e) {
    size_t bytes;
    if (e->type != VALUE_TEXT)
        return !__builtin_mul_overflow(e->count, value_sizes[e->type], &bytes) && skip(c, bytes);
    if (e->count > c->left / 8) return false;
    if (e->array) e->text = sp_alloc(e->count + 1, sizeof *e->text);
    for (size_t i = 0; i < e->count; i++) {
        sp_gguf_text text;
        if (e->array) e->text[i] = c->at;
        if (!parse_text(c, &text)) return false;
    }
    return true;
}

/* e belongs to the file already, which frees it. */
static sp_status parse_entry(const sp_gguf *f, cursor *c, entry *e) {
    uint64_t type, count = 1;
    if (!parse_text(c, &e->key)) return truncated(f, "a metadata key");
    bool whole = parse_number(c, 4, &type);
    e->array = whole && type == VALUE_ARRAY;
    if (e->array) whole = parse_number(c, 4, &type) && parse_number(c, 8, &count);
    if (!whole) return truncated_at(f, "metadata key", e->key);
    if (type >= VALUE_TYPES || type == VALUE_ARRAY)
        return sp_fail(SP_ERR_FORMAT,
                       "%s: metadata key %.*s has %s of type %llu, which is not read; convert the "
                       "model again",
                       f->path, shown(e->key), e->key.data, e->array ? "elements" : "a value",
                       (unsigned long long)type);
    e->type = (uint32_t)type;
    e->count = (size_t)count;
    e->data = c->at;
    return parse_elements(c, e) ? SP_OK : truncated_at(f, "metadata key", e->key);
}

static sp_status duplicate(const sp_gguf *f, const char *what, sp_gguf_text name) {
    return sp_fail(SP_ERR_FORMAT, "%s: %s %.*s stands there twice; convert the model again",
                   f->path, what, shown(name), name.data);
}

static sp_status parse_metadata(sp_gguf *f, cursor *c, uint64_t count) {
    if (count > c->left / LEAST_ENTRY) return truncated(f, "the metadata table");
    f->entries = sp_alloc((size_t)count + 1, sizeof *f->entries);
    while (f->entry_count < count) {
        sp_status st = parse_entry(f, c, &f->entries[f->entry_count++]);
        if (st) return st;
    }
    qsort(f->entries, f->entry_count, sizeof *f->entries, by_key);
    for (size_t i = 1; i < f->entry_count; i++)
        if (by_key(&f->entries[i - 1], &f->entries[i]) == 0)
            return duplicate(f, "metadata key", f->entries[i].key);
    return SP_OK;
}

static sp_status parse_dims(const sp_gguf *f, cursor *c, sp_gguf_tensor *t) {
    uint64_t rank, dim;
    bool whole = parse_number(c, 4, &rank);
    if (whole && (rank < 1 || rank > SP_GGUF_RANK))
        return sp_fail(SP_ERR_FORMAT, "%s: tensor %.*s has %llu dimensions; 1 to %d are read",
                       f->path, shown(t->name), t->name.data, (unsigned long long)rank,
                       SP_GGUF_RANK);
    t->rank = (int)rank;
    t->count = 1;
    for (int i = t->rank - 1; whole && i >= 0; i--) {
        if (!(whole = parse_number(c, 8, &dim))) break;
        t->dims[i] = (int64_t)dim;
        if (dim > INT64_MAX || __builtin_mul_overflow(t->count, (size_t)dim, &t->count))
            return sp_fail(SP_ERR_FORMAT, "%s: tensor %.*s has an impossible size; copy it again",
                           f->path, shown(t->name), t->name.data);
    }
    return whole ? SP_OK : truncated_at(f, "the entry of tensor", t->name);
}

/* `*offset` is where its data begin, from the first tensor's on. */
static sp_status parse_tensor(const sp_gguf *f, cursor *c, sp_gguf_tensor *t, uint64_t *offset) {
    uint64_t type;
    if (!parse_text(c, &t->name)) return truncated(f, "the name of a tensor");
    sp_status st = parse_dims(f, c, t);
    if (st) return st;
    if (!parse_number(c, 4, &type) || !parse_number(c, 8, offset))
        return truncated_at(f, "the entry of tensor", t->name);
    t->type = (uint32_t)type;
    const sp_gguf_type *known = sp_gguf_type_find(t->type);
    if (!known || !known->floats) return SP_OK;
    if ((size_t)t->dims[t->rank - 1] % known->block)
        return sp_fail(SP_ERR_FORMAT, "%s: tensor %.*s has rows of %lld, not whole blocks of %s",
                       f->path, shown(t->name), t->name.data, (long long)t->dims[t->rank - 1],
                       known->name);
    if (__builtin_mul_overflow(t->count / known->block, known->bytes, &t->bytes))
        return truncated_at(f, "tensor", t->name);
    return SP_OK;
}

/* Links a tensor to its bytes; `taken` counts those of all tensors so far. */
static sp_status place_tensor(const sp_gguf *f, size_t start, uint64_t offset, size_t alignment,
                              sp_gguf_tensor *t, size_t *taken) {
    size_t data_bytes = f->map.len - start;
    if (offset % alignment)
        return sp_fail(SP_ERR_FORMAT,
                       "%s: tensor %.*s begins at %llu, which is no multiple of the alignment %zu; "
                       "convert the model again",
                       f->path, shown(t->name), t->name.data, (unsigned long long)offset,
                       alignment);
    if (offset > data_bytes || t->bytes > data_bytes - offset)
        return truncated_at(f, "tensor", t->name);
    t->data = f->map.data + start + offset;
    *taken += t->bytes; /* no overflow: at most the file's length before, and here */
    if (*taken > data_bytes)
        return sp_fail(SP_ERR_FORMAT,
                       "%s: its tensors have more bytes than the file, so that some overlap; "
                       "convert the model again",
                       f->path);
    return SP_OK;
}

static sp_status read_alignment(const sp_gguf *f, size_t *out) {
    int64_t value = 32;
    const char *key = "general.alignment";
    bool given = find(f, key) != NULL, found = sp_gguf_find_int(f, key, &value);
    if ((given && !found) || value < 1 || value > MAX_ALIGNMENT || value & (value - 1))
        return sp_fail(SP_ERR_FORMAT,
                       "%s: %s must be a power of 2 up to %d; convert the model again", f->path,
                       key, MAX_ALIGNMENT);
    *out = (size_t)value;
    return SP_OK;
}

/* The data begin at the first multiple of the alignment behind the tables. */
static sp_status place_tensors(sp_gguf *f, const cursor *c, const uint64_t *offsets) {
    size_t alignment = 1, taken = 0;
    sp_status st = read_alignment(f, &alignment);
    if (st) return st;
    size_t end = f->map.len - c->left, start = (end + alignment - 1) / alignment * alignment;
    if (f->tensor_count && start > f->map.len) return truncated(f, "the tensor table");
    for (size_t i = 0; !st && i < f->tensor_count; i++)
        st = place_tensor(f, start, offsets[i], alignment, &f->tensors[i], &taken);
    return st;
}

static sp_status parse_tensors(sp_gguf *f, cursor *c, uint64_t count) {
    if (count > c->left / LEAST_TENSOR) return truncated(f, "the tensor table");
    f->tensors = sp_alloc((size_t)count + 1, sizeof *f->tensors);
    uint64_t *offsets = sp_alloc((size_t)count + 1, sizeof *offsets);
    sp_status st = SP_OK;
    for (size_t i = 0; !st && i < count; i++) st = parse_tensor(f, c, &f->tensors[i], &offsets[i]);
    f->tensor_count = (size_t)count;
    if (!st) st = place_tensors(f, c, offsets);
    free(offsets);
    if (st) return st;
    qsort(f->tensors, f->tensor_count, sizeof *f->tensors, by_name);
    for (size_t i = 1; i < f->tensor_count; i++)
        if (by_name(&f->tensors[i - 1], &f->tensors[i]) == 0)
            return duplicate(f, "tensor", f->tensors[i].name);
    return SP_OK;
}

static sp_status parse_file(sp_gguf *f) {
    cursor c = {f->map.data, f->map.len};
    uint64_t magic, version, tensors, entries;
    bool whole = parse_number(&c, 4, &magic);
    if (!whole || memcmp(f->map.data, "GGUF", 4) != 0)
        return sp_fail(SP_ERR_FORMAT,
                       "%s: is no GGUF file; it does not begin with the letters GGUF", f->path);
    if (!parse_number(&c, 4, &version)) return truncated(f, "the header");
    if (version != 2 && version != 3)
        return sp_fail(SP_ERR_FORMAT,
                       "%s: is of GGUF version %llu; 2 and 3 are read, little-endian; convert the "
                       "model with a newer llama.cpp",
                       f->path, (unsigned long long)version);
    if (!parse_number(&c, 8, &tensors) || !parse_number(&c, 8, &entries))
        return truncated(f, "the header");
    sp_status st = parse_metadata(f, &c, entries);
    return st ? st : parse_tensors(f, &c, tensors);
}

sp_status sp_gguf_open(const char *path, sp_gguf **out) {
    *out = NULL;
    sp_gguf *f = sp_alloc(1, sizeof *f);
    f->path = sp_strdup(path);
    sp_status st = sp_map_file(path, &f->map);
    if (!st) st = parse_file(f);
    if (st) {
        sp_gguf_close(f);
        return st;
    }
    *out = f;
    return SP_OK;
}

void sp_gguf_close(sp_gguf *f) {
    if (!f) return;
    for (size_t i = 0; i < f->entry_count; i++) free(f->entries[i].text);
    free(f->entries);
    free(f->tensors);
    sp_unmap_file(&f->map);
    free(f->path);
    free(f);
}

/* ---- tensors ---- */

static void put_shape(sp_buf *b, int rank, const int64_t *dims) {
    for (int i = 0; i < rank; i++) {
        sp_buf_puts(b, i ? ", " : "[");
        if (dims[i] < 0)
            sp_buf_putc(b, '*');
        else
            sp_buf_printf(b, "%lld", (long long)dims[i]);
    }
    sp_buf_putc(b, ']');
}

static sp_status check_shape(const sp_gguf *f, const char *name, const sp_gguf_tensor *t, int rank,
                             const int64_t *dims) {
    bool same = t->rank == rank;
    for (int i = 0; same && i < rank; i++) same = dims[i] < 0 || dims[i] == t->dims[i];
    if (same) return SP_OK;
    sp_buf is = {0}, wanted = {0};
    put_shape(&is, t->rank, t->dims);
    put_shape(&wanted, rank, dims);
    sp_status st = sp_fail(SP_ERR_FORMAT, "%s: tensor %s has shape %s; %s is needed", f->path, name,
                           is.data, wanted.data);
    sp_buf_free(&is), sp_buf_free(&wanted);
    return st;
}

sp_status sp_gguf_read(const sp_gguf *f, const char *name, int rank, const int64_t *dims,
                       float *out) {
    const sp_gguf_tensor *t = sp_gguf_find_tensor(f, name);
    if (!t)
        return sp_fail(SP_ERR_FORMAT, "%s: has no tensor %s; is it another kind of model?", f->path,
                       name);
    const sp_gguf_type *type = sp_gguf_type_find(t->type);
    if (!type || !type->floats)
        return sp_fail(SP_ERR_FORMAT,
                       "%s: tensor %s is stored as %s (type %u), which is not read; quantise the "
                       "model to one of %s",
                       f->path, name, type ? type->name : "an unknown type", t->type,
                       sp_gguf_type_names());
    sp_status st = check_shape(f, name, t, rank, dims);
    if (st) return st;
    size_t blocks = t->count / type->block, chunk = CHUNK / type->block;
#pragma omp parallel for if (blocks > chunk)
    for (size_t first = 0; first < blocks; first += chunk)
        type->floats(t->data + first * type->bytes, first + chunk < blocks ? chunk : blocks - first,
                     out + first * type->block);
    return SP_OK;
}
