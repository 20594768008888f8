#include "tensor/onednn.h"

#include "core/status.h"

static void check(dnnl_status_t st) {
    if (st != dnnl_success) sp_panic("oneDNN: the description of a matrix failed: %d", st);
}

#if DNNL_VERSION_MAJOR >= 3

sp_onednn_matrix sp_onednn_describe(long rows, long cols, dnnl_data_type_t type, long row_stride,
                                    long column_stride) {
    sp_onednn_matrix m;
    const dnnl_dims_t dims = {rows, cols}, strides = {row_stride, column_stride};
    check(dnnl_memory_desc_create_with_strides(&m.description, 2, dims, type, strides));
    return m;
}

void sp_onednn_forget(sp_onednn_matrix *matrix) {
    dnnl_memory_desc_destroy(matrix->description);
}

const_dnnl_memory_desc_t sp_onednn_pointer(const sp_onednn_matrix *matrix) {
    return matrix->description;
}

dnnl_status_t sp_onednn_matmul(dnnl_engine_t engine, const sp_onednn_matrix *a,
                               const sp_onednn_matrix *b, const sp_onednn_matrix *c,
                               const_dnnl_primitive_attr_t attributes, dnnl_primitive_desc_t *out) {
    return dnnl_matmul_primitive_desc_create(out, engine, a->description, b->description, NULL,
                                             c->description, attributes);
}

dnnl_status_t sp_onednn_append_sum(dnnl_post_ops_t operations, float scale) {
    return dnnl_post_ops_append_sum(operations, scale, 0, dnnl_data_type_undef);
}

#else

sp_onednn_matrix sp_onednn_describe(long rows, long cols, dnnl_data_type_t type, long row_stride,
                                    long column_stride) {
    sp_onednn_matrix m;
    const dnnl_dims_t dims = {rows, cols}, strides = {row_stride, column_stride};
    check(dnnl_memory_desc_init_by_strides(&m.description, 2, dims, type, strides));
    return m;
}

void sp_onednn_forget(sp_onednn_matrix *matrix) {
    *matrix = (sp_onednn_matrix){0};
}

const_dnnl_memory_desc_t sp_onednn_pointer(const sp_onednn_matrix *matrix) {
    return &matrix->description;
}

dnnl_status_t sp_onednn_matmul(dnnl_engine_t engine, const sp_onednn_matrix *a,
                               const sp_onednn_matrix *b, const sp_onednn_matrix *c,
                               const_dnnl_primitive_attr_t attributes, dnnl_primitive_desc_t *out) {
    dnnl_matmul_desc_t d;
    dnnl_status_t st =
        dnnl_matmul_desc_init(&d, &a->description, &b->description, NULL, &c->description);
    return st != dnnl_success ? st : dnnl_primitive_desc_create(out, &d, attributes, engine, NULL);
}

dnnl_status_t sp_onednn_append_sum(dnnl_post_ops_t operations, float scale) {
    return dnnl_post_ops_append_sum(operations, scale);
}

#endif
