/* What oneDNN 2 and 3 call differently: the description of a matrix is a value in the one and lies
 * behind a pointer in the other. */
#ifndef SP_TENSOR_ONEDNN_H
#define SP_TENSOR_ONEDNN_H

#include <dnnl.h>

#if DNNL_VERSION_MAJOR < 3
typedef const dnnl_memory_desc_t *const_dnnl_memory_desc_t;
#endif

typedef struct sp_onednn_matrix {
    dnnl_memory_desc_t description;
} sp_onednn_matrix;

/* A [rows, cols] matrix; release with sp_onednn_forget. Panics where oneDNN refuses it. */
sp_onednn_matrix sp_onednn_describe(long rows, long cols, dnnl_data_type_t type, long row_stride,
                                    long column_stride);
void sp_onednn_forget(sp_onednn_matrix *matrix);

/* As oneDNN's own functions take it; lives in `matrix`. */
const_dnnl_memory_desc_t sp_onednn_pointer(const sp_onednn_matrix *matrix);

/* c = a b with `attributes`. */
dnnl_status_t sp_onednn_matmul(dnnl_engine_t engine, const sp_onednn_matrix *a,
                               const sp_onednn_matrix *b, const sp_onednn_matrix *c,
                               const_dnnl_primitive_attr_t attributes, dnnl_primitive_desc_t *out);
/* Adds `scale` times what the output held before. */
dnnl_status_t sp_onednn_append_sum(dnnl_post_ops_t operations, float scale);

#endif
