/* Spans of a text: where it is cut, and the pieces it is cut into. */
#ifndef SP_TEXT_SPANS_H
#define SP_TEXT_SPANS_H

#include "core/memory.h"

#include <stdbool.h>

typedef struct sp_span {
    size_t start, end;
    bool
        flag; /* of a cut: matches the pattern; of a piece: stands at the start of the whole text */
} sp_span;

/* Growable; starts as {0}. */
typedef struct sp_spans {
    sp_span *data;
    size_t len, cap;
} sp_spans;

void sp_spans_push(sp_spans *spans, size_t start, size_t end, bool flag);
void sp_spans_free(sp_spans *spans);

/* A text and the pieces of it that are left; the text between pieces is gone. Starts as {0}. */
typedef struct sp_pieces {
    sp_buf text;
    sp_spans spans;
} sp_pieces;

void sp_pieces_clear(sp_pieces *pieces);
void sp_pieces_free(sp_pieces *pieces);

/* What becomes of the matches of a pattern (SplitDelimiterBehavior of Hugging Face). */
typedef enum sp_cutting {
    SP_CUT_REMOVED,
    SP_CUT_ISOLATED,
    SP_CUT_MERGED_WITH_PREVIOUS,
    SP_CUT_MERGED_WITH_NEXT,
    SP_CUT_CONTIGUOUS
} sp_cutting;

/* Appends to `out` the pieces that cuts[], which cover `piece` in order, make of it. */
void sp_cut_piece(const sp_spans *cuts, sp_cutting cutting, const sp_span *piece, sp_spans *out);

#endif
