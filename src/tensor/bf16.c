#include "tensor/bf16.h"

#include "core/memory.h"
#include "core/status.h"
#include "tensor/kernels.h"
#include "tensor/onednn.h"

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

static dnnl_primitive_t make_primitive(const sp_onednn_matrix *a, const sp_onednn_matrix *b,
                                       const sp_onednn_matrix *c, float beta) {
    dnnl_primitive_attr_t attributes;
    dnnl_post_ops_t sum;
    dnnl_primitive_desc_t description;
    dnnl_primitive_t primitive;
    check(dnnl_primitive_attr_create(&attributes), "attributes");
    check(dnnl_post_ops_create(&sum), "post-ops");
    if (beta != 0) check(sp_onednn_append_sum(sum, beta), "sum");
    check(dnnl_primitive_attr_set_post_ops(attributes, sum), "post-ops");
    check(sp_onednn_matmul(engine, a, b, c, attributes, &description), "shapes");
    check(dnnl_primitive_create(&primitive, description), "primitive");
    dnnl_primitive_desc_destroy(description);
    dnnl_post_ops_destroy(sum);
    dnnl_primitive_attr_destroy(attributes);
    return primitive;
}

static void execute(dnnl_primitive_t primitive, const sp_onednn_matrix matrices[3], void *data[3]) {
    static const int roles[3] = {DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DST};
    dnnl_stream_t stream;
    dnnl_exec_arg_t arguments[3];
    check(dnnl_stream_create(&stream, engine, dnnl_stream_default_flags), "stream");
    for (int i = 0; i < 3; i++) {
        arguments[i].arg = roles[i];
        check(dnnl_memory_create(&arguments[i].memory, sp_onednn_pointer(&matrices[i]), engine,
                                 data[i]),
              "memory");
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
    sp_onednn_matrix matrices[3] = {
        sp_onednn_describe(m, k, dnnl_bf16, k, 1),
        sp_onednn_describe(k, n, dnnl_bf16, transpose ? 1 : ldb, transpose ? ldb : 1),
        sp_onednn_describe(m, n, dnnl_f32, ldc, 1)};
    dnnl_primitive_t primitive = make_primitive(&matrices[0], &matrices[1], &matrices[2], beta);
    execute(primitive, matrices, (void *[]){rounded, (void *)b, c});
    dnnl_primitive_destroy(primitive);
    for (int i = 0; i < 3; i++) sp_onednn_forget(&matrices[i]);
    free(rounded);
}
