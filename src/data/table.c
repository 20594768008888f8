/* Both formats split a text into lines of cells; the header and the records are then the same. */
#include "data/table.h"

#include "core/file.h"

#include <csv.h>
#include <stdlib.h>
#include <string.h>

typedef struct table {
    const char *file;
    sp_schema *schema;
    sp_split *out;
    const char *advice; /* for a record with another number of fields than the header */
    sp_strings header;
    int columns[SP_FIELDS]; /* -1: the table has no such column */
} table;

/* libcsv takes a text in pieces and calls back with cells and ends of records; it gets line after
 * line, so that it is known where a record began. */
typedef struct csv_state {
    table *table;
    sp_strings cells;
    size_t record_line;
    bool inside; /* the record goes on behind the line: a line end stands in quotes */
    sp_status status;
} csv_state;

static int by_name(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static sp_status check_duplicates(const sp_strings *header, sp_place at) {
    char **sorted = sp_alloc(header->len + 1, sizeof *sorted);
    memcpy(sorted, header->data, header->len * sizeof *sorted);
    qsort(sorted, header->len, sizeof *sorted, by_name);
    sp_status st = SP_OK;
    for (size_t i = 1; i < header->len && !st; i++)
        if (strcmp(sorted[i], sorted[i - 1]) == 0)
            st = sp_fail(SP_ERR_FORMAT, "%s:%zu: two columns are called '%s'; rename or remove one",
                         at.file, at.line, sorted[i]);
    free(sorted);
    return st;
}

static sp_status fail_columns(const char *lack, const sp_strings *header, sp_place at) {
    char *list = sp_list_text((const char *const *)header->data, header->len);
    sp_status st =
        sp_fail(SP_ERR_FORMAT,
                "%s:%zu: %s; the first line names the columns: %s (a card's `fields` renames)",
                at.file, at.line, lack, list);
    free(list);
    return st;
}

static sp_status read_header(table *t, sp_strings *cells, sp_place at) {
    sp_status st = check_duplicates(cells, at);
    if (st) return st;
    bool present[SP_FIELDS] = {false};
    for (int i = 0; i < SP_FIELDS; i++) {
        t->columns[i] = -1;
        for (size_t k = 0; k < cells->len; k++)
            if (strcmp(cells->data[k], t->schema->names[i]) == 0) t->columns[i] = (int)k;
        present[i] = t->columns[i] >= 0;
    }
    sp_schema_settle(t->schema, present);
    char *lack = sp_schema_lack(t->schema, present, "column");
    if (lack) st = fail_columns(lack, cells, at);
    free(lack);
    t->header = *cells;
    *cells = (sp_strings){0};
    return st;
}

/* The first line's cells are the header and are kept. */
static sp_status add_cells(table *t, sp_strings *cells, size_t line) {
    sp_place at = {t->file, line};
    if (t->header.len == 0) return read_header(t, cells, at);
    if (cells->len != t->header.len)
        return sp_fail(SP_ERR_FORMAT, "%s:%zu: the record counts %zu field(s), the header %zu; %s",
                       t->file, line, cells->len, t->header.len, t->advice);
    sp_row row = {0};
    for (int i = 0; i < SP_FIELDS; i++)
        if (t->columns[i] >= 0) row.values[i] = cells->data[t->columns[i]];
    return sp_add_row(t->schema, &row, at, t->out);
}

static sp_status finish(table *t, sp_status st) {
    if (!st && t->header.len == 0)
        st = sp_fail(SP_ERR_FORMAT, "%s:1: is empty; name the columns in the first line", t->file);
    sp_strings_free(&t->header);
    return st;
}

/* Calls `take` with every line of a text, its line end included. */
static sp_status each_line(const char *text, size_t len, const char *file,
                           sp_status (*take)(void *, const char *, size_t, sp_place), void *user) {
    sp_place at = {file, 1};
    for (size_t start = sp_text_start(text, len); start < len; at.line++) {
        const char *newline = memchr(text + start, '\n', len - start);
        size_t end = newline ? (size_t)(newline - text) + 1 : len;
        sp_status st = sp_check_utf8(text + start, end - start, at);
        if (!st) st = take(user, text + start, end - start, at);
        if (st) return st;
        start = end;
    }
    return SP_OK;
}

static sp_status take_tsv_line(void *user, const char *line, size_t len, sp_place at) {
    if (len > 0 && line[len - 1] == '\n') len--;
    if (len > 0 && line[len - 1] == '\r') len--;
    if (len == 0) return SP_OK;
    sp_strings cells = {0};
    for (size_t start = 0; start <= len;) {
        const char *tab = memchr(line + start, '\t', len - start);
        size_t end = tab ? (size_t)(tab - line) : len;
        sp_strings_take(&cells, sp_strndup(line + start, end - start));
        start = end + 1;
    }
    sp_status st = add_cells(user, &cells, at.line);
    sp_strings_free(&cells);
    return st;
}

sp_status sp_parse_tsv(const char *text, size_t len, const char *file, sp_schema *schema,
                       sp_split *out) {
    table t = {.file = file,
               .schema = schema,
               .out = out,
               .advice = "separate fields by one tab, and write none inside a field"};
    return finish(&t, each_line(text, len, file, take_tsv_line, &t));
}

static void take_cell(void *cell, size_t len, void *user) {
    csv_state *state = user;
    sp_strings_take(&state->cells, sp_strndup(cell ? cell : "", len));
}

static void end_record(int terminator, void *user) {
    (void)terminator;
    csv_state *state = user;
    if (!state->status) state->status = add_cells(state->table, &state->cells, state->record_line);
    sp_strings_free(&state->cells);
    state->inside = false;
}

typedef struct csv_input {
    struct csv_parser parser;
    csv_state state;
} csv_input;

static sp_status take_csv_line(void *user, const char *line, size_t len, sp_place at) {
    csv_input *in = user;
    if (!in->state.inside) {
        in->state.record_line = at.line;
        in->state.inside = line[0] != '\n' && line[0] != '\r';
    }
    if (csv_parse(&in->parser, line, len, take_cell, end_record, &in->state) != len)
        return sp_fail(SP_ERR_FORMAT,
                       "%s:%zu: a quote stands inside a field; put the whole field in quotes and "
                       "double the quotes in it",
                       at.file, at.line);
    return in->state.status;
}

/* RFC 4180: blanks belong to the field. */
static int is_no_space(unsigned char c) {
    (void)c;
    return 0;
}

static sp_status end_csv(csv_input *in) {
    if (csv_fini(&in->parser, take_cell, end_record, &in->state))
        return sp_fail(SP_ERR_FORMAT, "%s:%zu: a quote is opened and never closed; close it",
                       in->state.table->file, in->state.record_line);
    return in->state.status;
}

sp_status sp_parse_csv(const char *text, size_t len, const char *file, sp_schema *schema,
                       sp_split *out) {
    table t = {.file = file,
               .schema = schema,
               .out = out,
               .advice = "put a field that holds a comma in quotes"};
    csv_input in = {.state = {.table = &t}};
    if (csv_init(&in.parser, CSV_STRICT | CSV_STRICT_FINI)) sp_panic("csv_init");
    csv_set_realloc_func(&in.parser, realloc);
    csv_set_space_func(&in.parser, is_no_space);
    sp_status st = each_line(text, len, file, take_csv_line, &in);
    if (!st) st = end_csv(&in);
    csv_free(&in.parser);
    sp_strings_free(&in.state.cells);
    return finish(&t, st);
}

static sp_status load_csv(const sp_card *card, const bool wanted[SP_SPLITS],
                          sp_split splits[SP_SPLITS]) {
    return sp_load_files(card, wanted, splits, sp_parse_csv);
}

static sp_status load_tsv(const sp_card *card, const bool wanted[SP_SPLITS],
                          sp_split splits[SP_SPLITS]) {
    return sp_load_files(card, wanted, splits, sp_parse_tsv);
}

const sp_reader sp_reader_csv = {.name = "csv", .kind = SP_SET_ANY, .load = load_csv};
const sp_reader sp_reader_tsv = {.name = "tsv", .kind = SP_SET_ANY, .load = load_tsv};
