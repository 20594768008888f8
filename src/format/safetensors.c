#include "format/safetensors.h"

#include "core/file.h"
#include "core/memory.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "safetensors data are little-endian");

enum { PREAMBLE = 8, MAX_HEADER = 100 << 20, CHUNK = 1 << 16 };

struct sp_safetensors {
    char *path;
    sp_map map;
    json_t *header; /* owns the names */
    sp_stored_tensor *tensors;
    size_t count, bytes; /* of the float tensors */
};

static const char *const dtype_names[] = {[SP_F32] = "F32", [SP_F16] = "F16", [SP_BF16] = "BF16"};

size_t sp_dtype_size(sp_dtype dtype) {
    return dtype == SP_F32 ? 4 : 2;
}

/* ---- conversion ---- */

static float half_to_float(uint16_t h) {
    uint32_t sign = (uint32_t)(h & 0x8000) << 16, exponent = h & 0x7c00, mantissa = h & 0x3ff;
    uint32_t bits = ((uint32_t)(h & 0x7fff) << 13) + (112u << 23);
    float small = (float)(int)mantissa * 0x1p-24f; /* zero and the subnormals */
    uint32_t small_bits;
    memcpy(&small_bits, &small, 4);
    bits = exponent == 0x7c00 ? bits + (112u << 23) : bits;
    bits = (exponent ? bits : small_bits) | sign;
    float f;
    memcpy(&f, &bits, 4);
    return f;
}

static uint16_t float_to_half(float f) {
    uint32_t bits;
    memcpy(&bits, &f, 4);
    uint32_t sign = bits >> 16 & 0x8000, size = bits & 0x7fffffff;
    if (size > 0x7f800000) return (uint16_t)(sign | 0x7e00);  /* NaN */
    if (size >= 0x477ff000) return (uint16_t)(sign | 0x7c00); /* 65520 and more: infinity */
    if (size < 0x38800000) return (uint16_t)(sign | (uint32_t)lrintf(fabsf(f) * 0x1p24f));
    size += 0xfff + (size >> 13 & 1);
    return (uint16_t)(sign | (size - (112u << 23)) >> 13);
}

static uint16_t float_to_bfloat(float f) {
    uint32_t bits;
    memcpy(&bits, &f, 4);
    if ((bits & 0x7fffffff) > 0x7f800000) return (uint16_t)(bits >> 16 | 0x40); /* NaN stays one */
    return (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

void sp_floats_from(sp_dtype dtype, const void *data, size_t n, float *out) {
    const unsigned char *bytes = data;
    uint16_t word;
    switch (dtype) {
    case SP_F32:
        if (n) memcpy(out, data, n * sizeof(float));
        return;
    case SP_F16:
        for (size_t i = 0; i < n; i++) {
            memcpy(&word, bytes + 2 * i, 2);
            out[i] = half_to_float(word);
        }
        return;
    case SP_BF16:
        for (size_t i = 0; i < n; i++) {
            memcpy(&word, bytes + 2 * i, 2);
            uint32_t bits = (uint32_t)word << 16;
            memcpy(out + i, &bits, 4);
        }
        return;
    }
}

void sp_floats_to(sp_dtype dtype, const float *data, size_t n, void *out) {
    if (dtype == SP_F32) {
        if (n) memcpy(out, data, n * sizeof(float));
        return;
    }
    unsigned char *bytes = out;
    for (size_t i = 0; i < n; i++) {
        uint16_t word = dtype == SP_F16 ? float_to_half(data[i]) : float_to_bfloat(data[i]);
        memcpy(bytes + 2 * i, &word, 2);
    }
}

/* ---- reading ---- */

static sp_status damaged(const sp_safetensors *f, const char *what) {
    return sp_fail(SP_ERR_FORMAT, "%s: %s; this is no safetensors file or it is damaged", f->path,
                   what);
}

/* The dims and their product; false if it is no shape or too large for this machine. */
static bool read_shape(const json_t *shape, sp_stored_tensor *t, size_t *elements) {
    if (!json_is_array(shape) || json_array_size(shape) > SP_TENSOR_RANK) return false;
    t->rank = (int)json_array_size(shape);
    *elements = 1;
    for (int i = 0; i < t->rank; i++) {
        const json_t *dim = json_array_get(shape, (size_t)i);
        t->dims[i] = json_integer_value(dim);
        if (!json_is_integer(dim) || t->dims[i] < 0 ||
            __builtin_mul_overflow(*elements, (size_t)t->dims[i], elements))
            return false;
    }
    return true;
}

static bool find_dtype(const char *name, sp_dtype *out) {
    for (sp_dtype d = SP_F32; d <= SP_BF16; d++)
        if (strcmp(name, dtype_names[d]) == 0) {
            *out = d;
            return true;
        }
    return false;
}

/* Checks one header entry against the file; a float tensor joins the list. */
static sp_status read_entry(sp_safetensors *f, const char *name, const json_t *entry,
                            size_t data_start) {
    sp_stored_tensor t = {.name = name};
    const json_t *offsets = json_object_get(entry, "data_offsets");
    const char *dtype = json_string_value(json_object_get(entry, "dtype"));
    const json_t *first = json_array_get(offsets, 0), *last = json_array_get(offsets, 1);
    size_t bytes;
    if (!dtype || !json_is_integer(first) || !json_is_integer(last) ||
        !read_shape(json_object_get(entry, "shape"), &t, &t.count))
        return sp_fail(SP_ERR_FORMAT, "%s: tensor %s has no valid dtype, shape and data_offsets",
                       f->path, name);
    long long begin = json_integer_value(first), end = json_integer_value(last);
    if (begin < 0 || end < begin)
        return sp_fail(SP_ERR_FORMAT, "%s: tensor %s has impossible offsets %lld to %lld", f->path,
                       name, begin, end);
    if ((unsigned long long)end > f->map.len - data_start)
        return sp_fail(SP_ERR_FORMAT,
                       "%s: tensor %s ends at byte %llu, but the file has %zu; it is truncated, "
                       "copy it again",
                       f->path, name, (unsigned long long)end + data_start, f->map.len);
    if (!find_dtype(dtype, &t.dtype)) return SP_OK;
    if (__builtin_mul_overflow(t.count, sp_dtype_size(t.dtype), &bytes) ||
        bytes != (size_t)(end - begin))
        return sp_fail(SP_ERR_FORMAT, "%s: tensor %s has %lld bytes, which is not its shape in %s",
                       f->path, name, end - begin, dtype);
    f->bytes += bytes; /* no overflow: at most the file's length before, and here */
    if (f->bytes > f->map.len - data_start)
        return damaged(f, "its tensors have more bytes than the file, so that some overlap");
    t.data = f->map.data + data_start + begin;
    f->tensors[f->count++] = t;
    return SP_OK;
}

static int by_name(const void *a, const void *b) {
    return strcmp(((const sp_stored_tensor *)a)->name, ((const sp_stored_tensor *)b)->name);
}

static sp_status read_header(sp_safetensors *f) {
    uint64_t size = 0;
    if (f->map.len < PREAMBLE)
        return sp_fail(SP_ERR_FORMAT, "%s: has only %zu bytes; it is truncated, copy it again",
                       f->path, f->map.len);
    memcpy(&size, f->map.data, PREAMBLE);
    if (size > MAX_HEADER) return damaged(f, "the header's length is impossible");
    if (size > f->map.len - PREAMBLE)
        return sp_fail(SP_ERR_FORMAT,
                       "%s: the header ends at byte %llu, but the file has %zu; it is truncated, "
                       "copy it again",
                       f->path, (unsigned long long)size + PREAMBLE, f->map.len);
    json_error_t error;
    f->header = json_loadb((const char *)f->map.data + PREAMBLE, (size_t)size,
                           JSON_REJECT_DUPLICATES, &error);
    if (!json_is_object(f->header)) return damaged(f, "the header is not a JSON object");
    f->tensors = sp_alloc(json_object_size(f->header) + 1, sizeof *f->tensors);
    const char *name;
    json_t *entry;
    json_object_foreach(f->header, name, entry) {
        if (strcmp(name, "__metadata__") == 0) continue;
        sp_status st = read_entry(f, name, entry, PREAMBLE + (size_t)size);
        if (st) return st;
    }
    qsort(f->tensors, f->count, sizeof *f->tensors, by_name);
    return SP_OK;
}

sp_status sp_safetensors_open(const char *path, sp_safetensors **out) {
    *out = NULL;
    sp_safetensors *f = sp_alloc(1, sizeof *f);
    f->path = sp_strdup(path);
    sp_status st = sp_map_file(path, &f->map);
    if (!st) st = read_header(f);
    if (st) {
        sp_safetensors_close(f);
        return st;
    }
    *out = f;
    return SP_OK;
}

void sp_safetensors_close(sp_safetensors *f) {
    if (!f) return;
    json_decref(f->header);
    sp_unmap_file(&f->map);
    free(f->tensors);
    free(f->path);
    free(f);
}

size_t sp_safetensors_count(const sp_safetensors *f) {
    return f->count;
}

const sp_stored_tensor *sp_safetensors_at(const sp_safetensors *f, size_t index) {
    return &f->tensors[index];
}

const sp_stored_tensor *sp_safetensors_find(const sp_safetensors *f, const char *name) {
    sp_stored_tensor key = {.name = name};
    return bsearch(&key, f->tensors, f->count, sizeof key, by_name);
}

const char *sp_safetensors_path(const sp_safetensors *f) {
    return f->path;
}

const char *sp_safetensors_metadata(const sp_safetensors *f, const char *key) {
    return json_string_value(json_object_get(json_object_get(f->header, "__metadata__"), key));
}

static char *shape_text(int rank, const int64_t *dims) {
    sp_buf b = {0};
    sp_buf_putc(&b, '[');
    for (int i = 0; i < rank; i++) {
        sp_buf_puts(&b, i ? ", " : "");
        if (dims[i] < 0)
            sp_buf_putc(&b, '*');
        else
            sp_buf_printf(&b, "%lld", (long long)dims[i]);
    }
    sp_buf_putc(&b, ']');
    return sp_buf_take(&b);
}

sp_status sp_safetensors_fits(const sp_safetensors *f, const char *name, int rank,
                              const int64_t *dims) {
    const sp_stored_tensor *t = sp_safetensors_find(f, name);
    if (!t)
        return sp_fail(SP_ERR_FORMAT, "%s: has no tensor %s; is it another kind of model?", f->path,
                       name);
    bool same = t->rank == rank;
    for (int i = 0; same && i < rank; i++) same = dims[i] < 0 || dims[i] == t->dims[i];
    if (same) return SP_OK;
    char *is = shape_text(t->rank, t->dims), *want = shape_text(rank, dims);
    sp_status st =
        sp_fail(SP_ERR_FORMAT, "%s: tensor %s has shape %s; %s is needed", f->path, name, is, want);
    free(is), free(want);
    return st;
}

sp_status sp_safetensors_read(const sp_safetensors *f, const char *name, int rank,
                              const int64_t *dims, float *out) {
    sp_status st = sp_safetensors_fits(f, name, rank, dims);
    if (st) return st;
    const sp_stored_tensor *t = sp_safetensors_find(f, name);
#pragma omp parallel for if (t->count > CHUNK)
    for (size_t first = 0; first < t->count; first += CHUNK)
        sp_floats_from(t->dtype, (const unsigned char *)t->data + first * sp_dtype_size(t->dtype),
                       t->count - first < CHUNK ? t->count - first : CHUNK, out + first);
    return SP_OK;
}

/* ---- writing ---- */

static size_t element_count(const sp_named_tensor *t) {
    size_t n = 1;
    for (int i = 0; i < t->rank; i++) n *= (size_t)t->dims[i];
    return n;
}

static int by_size_and_name(const void *a, const void *b) {
    const sp_named_tensor *x = *(const sp_named_tensor *const *)a;
    const sp_named_tensor *y = *(const sp_named_tensor *const *)b;
    size_t m = sp_dtype_size(x->dtype), n = sp_dtype_size(y->dtype);
    return m != n ? (m < n) - (m > n) : strcmp(x->name, y->name);
}

static json_t *describe(const sp_named_tensor *t, size_t begin, size_t end) {
    json_t *shape = json_array();
    for (int i = 0; i < t->rank; i++) json_array_append_new(shape, json_integer(t->dims[i]));
    return json_pack("{s:s, s:o, s:[I, I]}", "dtype", dtype_names[t->dtype], "shape", shape,
                     "data_offsets", (json_int_t)begin, (json_int_t)end);
}

/* Length, JSON and padding, so that the data begin at a multiple of 8. */
static void write_header(const sp_named_tensor *const *sorted, size_t count, sp_buf *out) {
    json_t *header = json_pack("{s:{s:s}}", "__metadata__", "format", "pt");
    size_t at = 0;
    for (size_t i = 0; i < count; i++) {
        size_t end = at + element_count(sorted[i]) * sp_dtype_size(sorted[i]->dtype);
        json_object_set_new(header, sorted[i]->name, describe(sorted[i], at, end));
        at = end;
    }
    char *text = json_dumps(header, JSON_COMPACT | JSON_PRESERVE_ORDER);
    json_decref(header);
    if (!text) sp_panic("a tensor's name is not UTF-8");
    uint64_t size = (strlen(text) + 7) & ~(uint64_t)7;
    sp_buf_append(out, &size, sizeof size);
    sp_buf_puts(out, text);
    while (out->len < PREAMBLE + size) sp_buf_putc(out, ' ');
    free(text);
}

sp_status sp_safetensors_write(const char *path, const sp_named_tensor *tensors, size_t count) {
    const sp_named_tensor **sorted = sp_alloc(count, sizeof *sorted);
    for (size_t i = 0; i < count; i++) sorted[i] = &tensors[i];
    qsort(sorted, count, sizeof *sorted, by_size_and_name);
    sp_buf out = {0};
    write_header(sorted, count, &out);
    size_t total = out.len, at = out.len;
    for (size_t i = 0; i < count; i++)
        total += element_count(sorted[i]) * sp_dtype_size(sorted[i]->dtype);
    out.data = sp_realloc(out.data, total + 1, 1);
    for (size_t i = 0; i < count; i++) {
        size_t n = element_count(sorted[i]);
        sp_floats_to(sorted[i]->dtype, sorted[i]->data, n, out.data + at);
        at += n * sp_dtype_size(sorted[i]->dtype);
    }
    sp_status st = sp_write_file(path, out.data, total);
    sp_buf_free(&out);
    free(sorted);
    return st;
}
