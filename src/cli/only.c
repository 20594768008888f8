#include "cli/only.h"

#include <ctype.h>
#include <limits.h>
#include <stdlib.h>

static bool read_place(const char **text, int *place) {
    char *end;
    if (!isdigit((unsigned char)**text)) return false;
    long value = strtol(*text, &end, 10);
    *text = end;
    *place = (int)value;
    return value >= 1 && value <= INT_MAX;
}

bool sp_only_add(sp_only *only, const char *text) {
    int first, last;
    if (!read_place(&text, &first)) return false;
    last = first;
    if (*text == '-') {
        text++;
        if (!read_place(&text, &last)) return false;
    }
    if (*text || last < first) return false;
    sp_ints_push(&only->first, first);
    sp_ints_push(&only->last, last);
    return true;
}

sp_status sp_only_apply(const sp_only *only, sp_run_list *runs) {
    if (!only->first.len) return SP_OK;
    bool *kept = sp_alloc(runs->count, sizeof *kept);
    sp_status st = SP_OK;
    for (size_t i = 0; !st && i < only->first.len; i++) {
        int first = only->first.data[i], last = only->last.data[i];
        if ((size_t)last > runs->count)
            st = sp_fail(SP_ERR_USAGE, "--only %d: the study has %zu runs; use 1 to %zu", last,
                         runs->count, runs->count);
        for (int place = first; !st && place <= last; place++) kept[place - 1] = true;
    }
    if (!st) sp_run_list_keep(runs, kept);
    free(kept);
    return st;
}

void sp_only_free(sp_only *only) {
    sp_ints_free(&only->first);
    sp_ints_free(&only->last);
}
