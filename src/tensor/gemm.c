#include "tensor/gemm.h"

#include "core/memory.h"
#include "tensor/cpu.h"
#include "tensor/few_rows.h"

#include <dlfcn.h>
#include <dnnl.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The three CBLAS constants used here (cblas.h: CblasRowMajor, CblasNoTrans, CblasTrans). */
enum { ROW_MAJOR = 101, NO_TRANSPOSE = 111, TRANSPOSE = 112 };

typedef void sgemm_function(int order, int transpose_a, int transpose_b, int m, int n, int k,
                            float alpha, const float *a, int lda, const float *b, int ldb,
                            float beta, float *c, int ldc);

static struct {
    sgemm_function *sgemm;
    void (*set_threads)(int);
    const char *(*core_name)(void);
    const char *(*config)(void);
} openblas;
static sp_gemm_backend current = SP_GEMM_OPENBLAS;
static sp_bf16_way bf16_way = SP_BF16_STORAGE;
static int threads_in_use = 1;

static sp_status load_openblas(void) {
    if (openblas.sgemm) return SP_OK;
    if (sp_cpu_has_avx512()) setenv("OPENBLAS_CORETYPE", "SkylakeX", 0);
    void *library = dlopen(SP_OPENBLAS_RUNTIME, RTLD_NOW | RTLD_LOCAL);
    if (!library) library = dlopen("libopenblas.so.0", RTLD_NOW | RTLD_LOCAL);
    if (!library)
        return sp_fail(SP_ERR_MISSING,
                       "OpenBLAS cannot be loaded (%s); install it with `make deps`", dlerror());
    *(void **)&openblas.sgemm = dlsym(library, "cblas_sgemm");
    *(void **)&openblas.set_threads = dlsym(library, "openblas_set_num_threads");
    *(void **)&openblas.core_name = dlsym(library, "openblas_get_corename");
    *(void **)&openblas.config = dlsym(library, "openblas_get_config");
    if (!openblas.sgemm || !openblas.set_threads || !openblas.core_name || !openblas.config)
        return sp_fail(SP_ERR_MISSING, "%s is not OpenBLAS; install libopenblas0-openmp",
                       SP_OPENBLAS_RUNTIME);
    return SP_OK;
}

static sp_status choose_backend(void) {
    const char *wanted = getenv("SOFTPROMPT_GEMM");
    if (wanted && strcmp(wanted, "onednn") == 0)
        current = SP_GEMM_ONEDNN;
    else if (!wanted || !*wanted || strcmp(wanted, "openblas") == 0)
        current = SP_GEMM_OPENBLAS;
    else
        return sp_fail(SP_ERR_USAGE, "SOFTPROMPT_GEMM is '%s'; use openblas or onednn", wanted);
    return SP_OK;
}

static sp_status choose_bf16(void) {
    const char *wanted = getenv("SOFTPROMPT_BF16");
    if (!wanted || !*wanted)
        bf16_way = sp_cpu_has_fast_bf16() ? SP_BF16_NATIVE : SP_BF16_STORAGE;
    else if (strcmp(wanted, "native") == 0)
        bf16_way = SP_BF16_NATIVE;
    else if (strcmp(wanted, "storage") == 0)
        bf16_way = SP_BF16_STORAGE;
    else
        return sp_fail(SP_ERR_USAGE, "SOFTPROMPT_BF16 is '%s'; use native or storage", wanted);
    if (bf16_way == SP_BF16_NATIVE && !sp_cpu_has_avx512())
        return sp_fail(SP_ERR_USAGE,
                       "SOFTPROMPT_BF16 is 'native', which needs AVX-512; use storage");
    return SP_OK;
}

sp_status sp_gemm_start(int threads) {
    sp_status st = load_openblas();
    if (st || (st = choose_backend()) || (st = choose_bf16())) return st;
    threads_in_use = threads > 0 ? threads : sp_cpu_count();
    omp_set_dynamic(0);
    omp_set_num_threads(threads_in_use);
    openblas.set_threads(threads_in_use);
    return SP_OK;
}

sp_gemm_backend sp_gemm_current(void) {
    return current;
}

void sp_gemm_use(sp_gemm_backend backend) {
    current = backend;
}

sp_bf16_way sp_bf16_current(void) {
    return bf16_way;
}

int sp_threads(void) {
    return threads_in_use;
}

const char *sp_gemm_describe(sp_gemm_backend backend) {
    static _Thread_local char text[96];
    if (backend == SP_GEMM_ONEDNN) {
        const dnnl_version_t *v = dnnl_version();
        snprintf(text, sizeof text, "oneDNN %d.%d.%d", v->major, v->minor, v->patch);
    } else {
        char version[32] = "?";
        sscanf(openblas.config(), "OpenBLAS %31s", version);
        snprintf(text, sizeof text, "OpenBLAS %s (%s)", version, openblas.core_name());
    }
    return text;
}

/* OpenBLAS and oneDNN pack a large matrix before they multiply by it, which few rows do not pay. */
static bool few_rows(bool transpose_a, bool transpose_b, long m, long n, long k) {
    enum { MOST = 80, MOST_TRANSPOSED = 48, SMALLEST = 64 };
    return current == SP_GEMM_OPENBLAS && sp_cpu_has_avx512() && !transpose_a && n >= SMALLEST &&
           k >= SMALLEST && m <= (transpose_b ? MOST_TRANSPOSED : MOST);
}

void sp_gemm(bool transpose_a, bool transpose_b, long m, long n, long k, const float *a, long lda,
             const float *b, long ldb, float beta, float *c, long ldc) {
    if (m == 0 || n == 0) return;
    if (few_rows(transpose_a, transpose_b, m, n, k)) {
        sp_few_rows_gemm(transpose_b, m, n, k, a, lda, b, ldb, beta, c, ldc);
        return;
    }
    if (current == SP_GEMM_ONEDNN) {
        dnnl_status_t st = dnnl_sgemm(transpose_a ? 'T' : 'N', transpose_b ? 'T' : 'N', m, n, k,
                                      1.0f, a, lda, b, ldb, beta, c, ldc);
        if (st != dnnl_success) sp_panic("oneDNN sgemm %ld x %ld x %ld failed: %d", m, n, k, st);
        return;
    }
    openblas.sgemm(ROW_MAJOR, transpose_a ? TRANSPOSE : NO_TRANSPOSE,
                   transpose_b ? TRANSPOSE : NO_TRANSPOSE, (int)m, (int)n, (int)k, 1.0f, a,
                   (int)lda, b, (int)ldb, beta, c, (int)ldc);
}
