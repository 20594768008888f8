/* safetensors: named tensors in one file (8-byte header length, JSON header, raw little-endian
 * data). The reader trusts nothing: every offset and size is checked against the file. */
#ifndef SP_FORMAT_SAFETENSORS_H
#define SP_FORMAT_SAFETENSORS_H

#include "core/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SP_TENSOR_RANK = 8 };

typedef enum sp_dtype { SP_F32, SP_F16, SP_BF16 } sp_dtype;

/* Bytes of one element. */
size_t sp_dtype_size(sp_dtype dtype);

/* A tensor inside an open file; `name` and `data` live as long as the file. */
typedef struct sp_stored_tensor {
    const char *name;
    sp_dtype dtype;
    int rank;
    int64_t dims[SP_TENSOR_RANK];
    size_t count;     /* elements */
    const void *data; /* count elements of dtype, row-major; may be unaligned */
} sp_stored_tensor;

typedef struct sp_safetensors sp_safetensors;

/* Maps the file and checks its header. SP_ERR_MISSING; SP_ERR_FORMAT with the tensor and the byte
 * for a truncated or foreign file. Tensors of other dtypes (I64 buffers and so on) are checked and
 * left out of the list. Release with sp_safetensors_close. */
sp_status sp_safetensors_open(const char *path, sp_safetensors **out);
void sp_safetensors_close(sp_safetensors *file); /* NULL is fine */

const char *sp_safetensors_path(const sp_safetensors *file);

/* All float tensors, sorted by name. */
size_t sp_safetensors_count(const sp_safetensors *file);
const sp_stored_tensor *sp_safetensors_at(const sp_safetensors *file, size_t index);
/* NULL if there is none of this name. */
const sp_stored_tensor *sp_safetensors_find(const sp_safetensors *file, const char *name);
/* The text of a `__metadata__` entry, or NULL. */
const char *sp_safetensors_metadata(const sp_safetensors *file, const char *key);

/* Checks a tensor's shape: `dims` [rank], where -1 takes any size. SP_ERR_FORMAT if it is absent or
 * has another shape. */
sp_status sp_safetensors_fits(const sp_safetensors *file, const char *name, int rank,
                              const int64_t *dims);

/* Converts a whole tensor to `out` [count] after checking its shape: `dims` [rank], where -1 takes
 * any size; OpenMP. SP_ERR_FORMAT if it is absent or has another shape. */
sp_status sp_safetensors_read(const sp_safetensors *file, const char *name, int rank,
                              const int64_t *dims, float *out);

/* n elements of dtype at `data` (any alignment) to floats. */
void sp_floats_from(sp_dtype dtype, const void *data, size_t n, float *out);
/* n floats to dtype, rounded to nearest even; out needs no alignment. */
void sp_floats_to(sp_dtype dtype, const float *data, size_t n, void *out);

typedef struct sp_named_tensor {
    const char *name;
    sp_dtype dtype; /* of the file; the values are floats */
    int rank;
    int64_t dims[SP_TENSOR_RANK];
    const float *data;
} sp_named_tensor;

/* Writes the tensors, sorted by element size and name (so that each is aligned), with the metadata
 * {"format": "pt"}: equal input gives equal bytes. Atomic (sp_write_file). SP_ERR_IO. */
sp_status sp_safetensors_write(const char *path, const sp_named_tensor *tensors, size_t count);

#endif
