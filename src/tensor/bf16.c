#include "tensor/bf16.h"

#include "core/memory.h"
#include "core/status.h"
#include "tensor/kernels.h"

#include <dnnl.h>
#include <pthread.h>
#include <stdlib.h>

static dnnl_engine_t engine;
static pthread_once_t engine_made = PTHREAD_ONCE_INIT;

static void check(dnnl_status_t st, const char *what) {
    if (st != dnnl_success) sp_panic("oneDNN bf16 matmul: %s failed: %d", what, st);
}

static void make_engine(void) {
    check(dnnl_engine_create(&engine, dnnl_cpu, 0), "engine");
}

static dnnl_memory_desc_t describe(long rows, long cols, dnnl_data_type_t type, long row_stride,
                                   long column_stride) {
    dnnl_memory_desc_t d;
    const dnnl_dims_t dims = {rows, cols}, strides = {row_stride, column_stride};
    check(dnnl_memory_desc_init_by_strides(&d, 2, dims, type, strides), "description");
    return d;
}

static dnnl_primitive_t make_primitive(const dnnl_memory_desc_t *a, const dnnl_memory_desc_t *b,
                                       const dnnl_memory_desc_t *c, float beta) {
    dnnl_matmul_desc_t d;
    dnnl_primitive_attr_t attributes;
    dnnl_post_ops_t sum;
    dnnl_primitive_desc_t description;
    dnnl_primitive_t primitive;
    check(dnnl_primitive_attr_create(&attributes), "attributes");
    check(dnnl_post_ops_create(&sum), "post-ops");
    if (beta != 0) check(dnnl_post_ops_append_sum(sum, beta), "sum");
    check(dnnl_primitive_attr_set_post_ops(attributes, sum), "post-ops");
    check(dnnl_matmul_desc_init(&d, a, b, NULL, c), "shapes");
    check(dnnl_primitive_desc_create(&description, &d, attributes, engine, NULL), "primitive");
    check(dnnl_primitive_create(&primitive, description), "primitive");
    dnnl_primitive_desc_destroy(description);
    dnnl_post_ops_destroy(sum);
    dnnl_primitive_attr_destroy(attributes);
    return primitive;
}

static void execute(dnnl_primitive_t primitive, const dnnl_memory_desc_t *descriptions[3],
                    void *data[3]) {
    static const int roles[3] = {DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DST};
    dnnl_stream_t stream;
    dnnl_exec_arg_t arguments[3];
    check(dnnl_stream_create(&stream, engine, dnnl_stream_default_flags), "stream");
    for (int i = 0; i < 3; i++) {
        arguments[i].arg = roles[i];
        check(dnnl_memory_create(&arguments[i].memory, descriptions[i], engine, data[i]), "memory");
    }
    check(dnnl_primitive_execute(primitive, stream, 3, arguments), "run");
    check(dnnl_stream_wait(stream), "run");
    for (int i = 0; i < 3; i++) dnnl_memory_destroy(arguments[i].memory);
    dnnl_stream_destroy(stream);
}

void sp_bf16_gemm(bool transpose, long m, long n, long k, const float *a, long lda,
                  const uint16_t *b, long ldb, float beta, float *c, long ldc) {
    pthread_once(&engine_made, make_engine);
    uint16_t *rounded = sp_alloc((size_t)(m * k), sizeof *rounded);
#pragma omp parallel for
    for (long i = 0; i < m; i++) sp_bf16_from_floats(k, a + i * lda, rounded + i * k);
    dnnl_memory_desc_t x = describe(m, k, dnnl_bf16, k, 1);
    dnnl_memory_desc_t w = describe(k, n, dnnl_bf16, transpose ? 1 : ldb, transpose ? ldb : 1);
    dnnl_memory_desc_t y = describe(m, n, dnnl_f32, ldc, 1);
    dnnl_primitive_t primitive = make_primitive(&x, &w, &y, beta);
    execute(primitive, (const dnnl_memory_desc_t *[]){&x, &w, &y},
            (void *[]){rounded, (void *)b, c});
    dnnl_primitive_destroy(primitive);
    free(rounded);
}
