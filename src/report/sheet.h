/* A table of texts and numbers that is filled once and rendered as Markdown, CSV, TeX and HTML. */
#ifndef SP_REPORT_SHEET_H
#define SP_REPORT_SHEET_H

#include "core/memory.h"

#include <stdbool.h>

typedef struct sp_sheet_cell_text {
    char *link;    /* where it leads in HTML; NULL: nowhere */
    char *text;    /* as given; of a number as printed, "" for NaN */
    double value;  /* NaN for a text */
    double spread; /* behind ±; NaN: none */
    int decimals;
    bool number, best;
} sp_sheet_cell_text;

typedef struct sp_sheet_column_head {
    char *title;
    bool number;
} sp_sheet_column_head;

/* Zeroed, or filled by the functions below. Owns all its texts. */
typedef struct sp_sheet {
    char *name;          /* of its files: <folder>/NAME.md, .csv, .tex; NULL before it is started */
    char *title;         /* "": none */
    char *caption;       /* how to read it, below the title; NULL: none */
    bool caption_in_tex; /* as a comment; true unless taken back */
    int level;           /* of the heading: 1 (a document of its own) or more */
    sp_sheet_column_head *columns;
    size_t column_count;
    sp_sheet_cell_text *cells; /* row by row */
    size_t cell_count, cell_cap;
    sp_strings notes; /* a list below the table; "" begins another list */
} sp_sheet;

/* Makes an empty sheet of what is zeroed or uninitialised; release with sp_sheet_free. Texts are
 * copied by all functions here. */
void sp_sheet_start(sp_sheet *sheet, const char *name, const char *title);
/* Replaces the caption. */
void sp_sheet_caption(sp_sheet *sheet, const char *text);
/* All columns come before the first cell. `number`: right-aligned. */
void sp_sheet_column(sp_sheet *sheet, const char *title, bool number);
/* The next cell of the row; after the last column a row is full. "" is empty. */
void sp_sheet_cell(sp_sheet *sheet, const char *text);
/* "1,282,688"; the caller's. */
char *sp_grouped_text(long n);
/* A number: rounded where it is read, whole ones with commas, in full in CSV. NaN: empty in CSV,
 * "–" elsewhere. */
void sp_sheet_number(sp_sheet *sheet, double value, int decimals);
/* "mean ± spread"; a NaN spread is left out. CSV has the mean alone: give the spread a column of
 * its own (sp_sheet_number) where it matters. */
void sp_sheet_mean(sp_sheet *sheet, double mean, double spread, int decimals);
/* The last cell leads to a file or place of the page in HTML. */
void sp_sheet_link(sp_sheet *sheet, const char *target);
/* Makes the last cell bold. */
void sp_sheet_mark(sp_sheet *sheet);
/* Makes bold the best numbers of a column (from 0): all that print alike. */
void sp_sheet_mark_best(sp_sheet *sheet, size_t column, bool higher_is_better);
/* A line below the table; "" begins another list. */
void sp_sheet_note(sp_sheet *sheet, const char *text);
/* Full rows. */
size_t sp_sheet_rows(const sp_sheet *sheet);

/* Each appends the whole sheet. Markdown: heading, caption, table, notes. TeX: a tabular for
 * \input, title and caption as comments. CSV (RFC 4180): header and rows. HTML: a <section> that is
 * well-formed XML, its heading one level below the page's. */
void sp_sheet_markdown(const sp_sheet *sheet, sp_buf *out);
void sp_sheet_csv(const sp_sheet *sheet, sp_buf *out);
void sp_sheet_tex(const sp_sheet *sheet, sp_buf *out);
void sp_sheet_html(const sp_sheet *sheet, sp_buf *out);
void sp_sheet_free(sp_sheet *sheet);

#endif
