/* GGUF (llama.cpp's format): metadata and tensors, plain or quantised, in one file; versions 2 and
 * 3, little-endian. The reader trusts nothing: every count, length and offset is checked against
 * the file before it is used. */
#ifndef SP_FORMAT_GGUF_H
#define SP_FORMAT_GGUF_H

#include "core/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SP_GGUF_RANK = 4 };

typedef struct sp_gguf sp_gguf;

/* In the map, not NUL-terminated; data NULL: absent. */
typedef struct sp_gguf_text {
    const char *data;
    size_t len;
} sp_gguf_text;

/* A tensor inside an open file; it lives as long as the file. */
typedef struct sp_gguf_tensor {
    sp_gguf_text name;
    uint32_t type; /* ggml's number (format/gguf_types.h) */
    int rank;
    int64_t dims[SP_GGUF_RANK]; /* outermost first: reversed from the file */
    size_t count, bytes;        /* elements; bytes 0: a type whose size is not known */
    const unsigned char *data;  /* row-major, each row whole blocks; may be unaligned */
} sp_gguf_tensor;

/* Maps the file and checks all of its tables. SP_ERR_MISSING; SP_ERR_FORMAT with key or tensor for
 * a truncated, foreign or inconsistent file: duplicate names, arrays of arrays and tensors that
 * share bytes are refused. Release with sp_gguf_close. */
sp_status sp_gguf_open(const char *path, sp_gguf **out);
void sp_gguf_close(sp_gguf *file); /* NULL is fine */
const char *sp_gguf_path(const sp_gguf *file);

/* The value of a metadata key. Text: data NULL if the key is absent or no text. */
sp_gguf_text sp_gguf_find_text(const sp_gguf *file, const char *key);
/* Any integer type that fits, and bool; false: absent or of another type. */
bool sp_gguf_find_int(const sp_gguf *file, const char *key, int64_t *out);
/* Any number. */
bool sp_gguf_find_real(const sp_gguf *file, const char *key, double *out);

/* Elements of an array; 0: absent or no array. */
size_t sp_gguf_array_count(const sp_gguf *file, const char *key);
/* Element i, in constant time plus the lookup of the key; false: absent, behind the end or of
 * another type. */
bool sp_gguf_text_at(const sp_gguf *file, const char *key, size_t i, sp_gguf_text *out);
bool sp_gguf_int_at(const sp_gguf *file, const char *key, size_t i, int64_t *out);
bool sp_gguf_real_at(const sp_gguf *file, const char *key, size_t i, double *out);

/* All tensors, sorted by name (shorter names first). */
size_t sp_gguf_tensor_count(const sp_gguf *file);
const sp_gguf_tensor *sp_gguf_tensor_at(const sp_gguf *file, size_t index);
/* NULL if there is none of this name. */
const sp_gguf_tensor *sp_gguf_find_tensor(const sp_gguf *file, const char *name);

/* Dequantises a whole tensor to `out` [product of dims] after checking its shape: `dims` [rank],
 * where -1 takes any size; OpenMP over the rows. SP_ERR_FORMAT if it is absent, has another shape,
 * or is stored in a type that is not read. */
sp_status sp_gguf_read(const sp_gguf *file, const char *name, int rank, const int64_t *dims,
                       float *out);

#endif
