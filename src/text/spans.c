#include "text/spans.h"

#include <stdlib.h>

void sp_spans_push(sp_spans *spans, size_t start, size_t end, bool flag) {
    if (spans->len == spans->cap) {
        spans->cap = spans->cap ? spans->cap * 2 : 64;
        spans->data = sp_realloc(spans->data, spans->cap, sizeof *spans->data);
    }
    spans->data[spans->len++] = (sp_span){start, end, flag};
}

void sp_spans_free(sp_spans *spans) {
    free(spans->data);
    *spans = (sp_spans){0};
}

void sp_pieces_clear(sp_pieces *pieces) {
    sp_buf_clear(&pieces->text);
    pieces->spans.len = 0;
}

void sp_pieces_free(sp_pieces *pieces) {
    sp_buf_free(&pieces->text);
    sp_spans_free(&pieces->spans);
}

/* Whether the cut at i belongs to the same piece as the one before it. */
static bool joins_previous(const sp_spans *cuts, size_t i, sp_cutting cutting) {
    bool before = cuts->data[i - 1].flag, here = cuts->data[i].flag;
    switch (cutting) {
    case SP_CUT_MERGED_WITH_PREVIOUS:
        return here && !before;
    case SP_CUT_MERGED_WITH_NEXT:
        return before && !here;
    case SP_CUT_CONTIGUOUS:
        return before == here;
    default:
        return false;
    }
}

void sp_cut_piece(const sp_spans *cuts, sp_cutting cutting, const sp_span *piece, sp_spans *out) {
    for (size_t i = 0, next; i < cuts->len; i = next) {
        for (next = i + 1; next < cuts->len && joins_previous(cuts, next, cutting);) next++;
        size_t start = cuts->data[i].start, end = cuts->data[next - 1].end;
        if (start == end || (cutting == SP_CUT_REMOVED && cuts->data[i].flag)) continue;
        sp_spans_push(out, start, end, piece->flag && start == piece->start);
    }
}
