/* softprompt info: version, CPU, instruction set, GEMM back ends and their measured speed. */
#include "cli/command.h"
#include "core/clock.h"
#include "core/memory.h"
#include "tensor/cpu.h"
#include "tensor/gemm.h"

#include <argp.h>
#include <stdio.h>
#include <stdlib.h>

static const struct argp parser = {
    .doc = "Prints version, CPU, instruction set, threads, and each GEMM back end with its speed."};

enum { SIZE = 1024 };

static double measure_gflops(const float *a, const float *b, float *c) {
    double best = 0;
    for (int i = 0; i < 8; i++) {
        double start = sp_now();
        sp_gemm(false, false, SIZE, SIZE, SIZE, a, SIZE, b, SIZE, 0, c, SIZE);
        double gflops = 2.0 * SIZE * SIZE * SIZE / (sp_now() - start) / 1e9;
        if (i > 0 && gflops > best) best = gflops;
    }
    return best;
}

static void print_backends(void) {
    float *a = sp_alloc_floats(SIZE * SIZE), *b = sp_alloc_floats(SIZE * SIZE);
    float *c = sp_alloc_floats(SIZE * SIZE);
    for (int i = 0; i < SIZE * SIZE; i++) a[i] = b[i] = (float)(i % 7) - 3.0f;
    sp_gemm_backend used = sp_gemm_current();
    for (sp_gemm_backend backend = SP_GEMM_OPENBLAS; backend <= SP_GEMM_ONEDNN; backend++) {
        sp_gemm_use(backend);
        printf("gemm         %s: %.0f GFLOP/s fp32 at %d^3%s\n", sp_gemm_describe(backend),
               measure_gflops(a, b, c), SIZE, backend == used ? " (in use)" : "");
    }
    sp_gemm_use(used);
    free(a), free(b), free(c);
}

static sp_status run(int argc, char **argv) {
    argp_parse(&parser, argc, argv, 0, NULL, NULL);
    sp_status st = sp_gemm_start(0);
    if (st) return st;
    printf("softprompt   %s\n", SP_VERSION);
    printf("cpu          %s, %d usable\n", sp_cpu_name(), sp_cpu_count());
    printf("instructions %s\n", sp_cpu_isa());
    printf("threads      %d\n", sp_threads());
    print_backends();
    printf("bf16         %s\n", sp_bf16_current() == SP_BF16_NATIVE
                                    ? "native: products in bf16, sums in fp32"
                                    : "storage: weights in bf16, arithmetic in fp32");
    return SP_OK;
}

const sp_command sp_command_info = {
    .name = "info", .help = "version, CPU, GEMM back ends and their speed", .run = run};
