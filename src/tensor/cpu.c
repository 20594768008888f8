#include "tensor/cpu.h"

#include <cpuid.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

bool sp_cpu_has_avx512(void) {
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512vl");
}

static bool has_avx512_bf16(void) {
    return __builtin_cpu_supports("avx512bf16");
}

static bool has_amx_bf16(void) {
    unsigned a, b, c, d;
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (d & (1u << 22));
}

bool sp_cpu_has_fast_bf16(void) {
    return has_amx_bf16() || (has_avx512_bf16() && !__builtin_cpu_is("intel"));
}

const char *sp_cpu_isa(void) {
    if (has_amx_bf16()) return "AMX-BF16";
    if (has_avx512_bf16()) return "AVX-512 BF16";
    if (sp_cpu_has_avx512()) return "AVX-512";
    return __builtin_cpu_supports("avx2") ? "AVX2" : "baseline";
}

const char *sp_cpu_name(void) {
    static char name[128] = "unknown CPU";
    FILE *f = fopen("/proc/cpuinfo", "r");
    if (!f) return name;
    char line[256];
    while (fgets(line, sizeof line, f)) {
        char *value = strchr(line, ':');
        if (strncmp(line, "model name", 10) != 0 || !value) continue;
        value += strspn(value, ": \t");
        value[strcspn(value, "\n")] = '\0';
        snprintf(name, sizeof name, "%s", value);
        break;
    }
    fclose(f);
    return name;
}

int sp_cpu_count(void) {
    cpu_set_t set;
    return sched_getaffinity(0, sizeof set, &set) ? 1 : CPU_COUNT(&set);
}
