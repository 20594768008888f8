#include "experiment/limits.h"

#include "core/progress.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A positive decimal and one letter of `units`, each of which is worth `worth`; without a letter
 * `plain`, 0: not allowed. */
static bool parse(const char *text, const char *units, const double *worth, double plain,
                  double *out) {
    size_t digits = strspn(text, "0123456789.");
    char *end, unit = text[digits];
    double number = strtod(text, &end);
    if (!digits || end != text + digits || (unit && text[digits + 1])) return false;
    const char *found = unit ? strchr(units, unit) : NULL;
    double factor = found ? worth[found - units] : unit ? 0 : plain;
    if (!(number * factor > 0) || !isfinite(number * factor)) return false;
    *out = number * factor;
    return true;
}

bool sp_limits_parse_time(const char *text, double *seconds) {
    static const double worth[] = {1, 60, 3600};
    return parse(text, "smh", worth, 1, seconds);
}

bool sp_limits_parse_memory(const char *text, double *bytes) {
    static const double worth[] = {0x1p10, 0x1p20, 0x1p30};
    return parse(text, "KMG", worth, 0, bytes);
}

static sp_status read_one(const sp_yaml *map, const char *name, const char *remedy,
                          bool (*parse_text)(const char *, double *), double *out) {
    const sp_yaml *node = sp_yaml_get(map, name);
    if (!node) return SP_OK;
    if (node->kind == SP_YAML_SCALAR && parse_text(node->text, out)) return SP_OK;
    return sp_yaml_fail(node, "limits.%s is '%s'; use %s", name,
                        node->kind == SP_YAML_SCALAR ? node->text : "a list or map", remedy);
}

sp_status sp_limits_read(const sp_yaml *root, sp_limits *out) {
    static const char *const keys[] = {"time", "memory", NULL};
    const sp_yaml *map;
    *out = (sp_limits){0};
    sp_status st = sp_yaml_map_or_null(root, "limits", &map);
    if (st || !map) return st;
    st = sp_yaml_check_keys(map, keys);
    if (!st)
        st = read_one(map, "time", "a time such as 90s, 30m or 2h", sp_limits_parse_time,
                      &out->seconds);
    if (!st)
        st = read_one(map, "memory", "a size such as 800M or 4G", sp_limits_parse_memory,
                      &out->bytes);
    return st;
}

/* The kilobytes of a line "Private_Dirty:   12 kB"; 0 for other lines. */
static double own_kilobytes(const char *line) {
    static const char *const names[] = {
        "Private_Clean:", "Private_Dirty:", "Private_Hugetlb:", "Swap:", NULL};
    for (const char *const *name = names; *name; name++)
        if (strncmp(line, *name, strlen(*name)) == 0) return strtod(line + strlen(*name), NULL);
    return 0;
}

double sp_private_bytes(pid_t pid) {
    char *path = sp_format("/proc/%ld/smaps_rollup", (long)pid), line[256];
    FILE *f = fopen(path, "re");
    double kilobytes = 0;
    int lines = 0;
    for (; f && fgets(line, sizeof line, f); lines++) kilobytes += own_kilobytes(line);
    if (f) fclose(f);
    free(path);
    return lines ? 1024 * kilobytes : -1;
}

sp_status sp_limits_check(const sp_limits *limits) {
    if (limits->bytes > 0 && sp_private_bytes(getpid()) < 0)
        return sp_fail(SP_ERR_IO, "/proc/self/smaps_rollup: cannot read it, so a limit of memory "
                                  "cannot be watched; leave it out");
    return SP_OK;
}

char *sp_limits_time_text(const sp_limits *limits) {
    return sp_duration_text(limits->seconds);
}

char *sp_limits_memory_text(const sp_limits *limits) {
    bool large = limits->bytes >= 0x1p30;
    return sp_format("%.4g %s", limits->bytes / (large ? 0x1p30 : 0x1p20), large ? "GB" : "MB");
}
