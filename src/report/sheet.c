#include "report/sheet.h"

#include "report/html.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- filling ---- */

void sp_sheet_start(sp_sheet *sheet, const char *name, const char *title) {
    *sheet = (sp_sheet){.level = 1, .caption_in_tex = true};
    sheet->name = sp_strdup(name);
    sheet->title = sp_strdup(title);
}

void sp_sheet_caption(sp_sheet *sheet, const char *text) {
    free(sheet->caption);
    sheet->caption = sp_strdup(text);
}

void sp_sheet_column(sp_sheet *sheet, const char *title, bool number) {
    sheet->columns = sp_realloc(sheet->columns, sheet->column_count + 1, sizeof *sheet->columns);
    sheet->columns[sheet->column_count++] = (sp_sheet_column_head){sp_strdup(title), number};
}

static void add_cell(sp_sheet *sheet, sp_sheet_cell_text cell) {
    if (sheet->cell_count == sheet->cell_cap) {
        sheet->cell_cap = 2 * sheet->cell_cap + 64;
        sheet->cells = sp_realloc(sheet->cells, sheet->cell_cap, sizeof *sheet->cells);
    }
    sheet->cells[sheet->cell_count++] = cell;
}

void sp_sheet_cell(sp_sheet *sheet, const char *text) {
    add_cell(sheet, (sp_sheet_cell_text){.text = sp_strdup(text), .value = NAN, .spread = NAN});
}

char *sp_grouped_text(long n) {
    char digits[32];
    int len = snprintf(digits, sizeof digits, "%ld", n);
    sp_buf b = {0};
    for (int i = 0; i < len; i++) {
        sp_buf_putc(&b, digits[i]);
        if (digits[i] != '-' && i + 1 < len && (len - 1 - i) % 3 == 0) sp_buf_putc(&b, ',');
    }
    return sp_buf_take(&b);
}

void sp_sheet_number(sp_sheet *sheet, double value, int decimals) {
    sp_sheet_mean(sheet, value, NAN, decimals);
}

void sp_sheet_mean(sp_sheet *sheet, double mean, double spread, int decimals) {
    char *text = isnan(mean)                                       ? sp_strdup("\xe2\x80\x93")
                 : isnan(spread) && !decimals && fabs(mean) < 1e15 ? sp_grouped_text(lround(mean))
                 : isnan(spread)
                     ? sp_format("%.*f", decimals, mean)
                     : sp_format("%.*f \xc2\xb1 %.*f", decimals, mean, decimals, spread);
    add_cell(
        sheet,
        (sp_sheet_cell_text){
            .text = text, .value = mean, .spread = spread, .decimals = decimals, .number = true});
}

void sp_sheet_link(sp_sheet *sheet, const char *target) {
    if (!sheet->cell_count) return;
    sp_sheet_cell_text *cell = &sheet->cells[sheet->cell_count - 1];
    free(cell->link);
    cell->link = sp_strdup(target);
}

void sp_sheet_mark(sp_sheet *sheet) {
    if (sheet->cell_count) sheet->cells[sheet->cell_count - 1].best = true;
}

/* A number as it is printed, so that equal looking numbers are equally bold. */
static double printed(const sp_sheet_cell_text *cell) {
    return cell->number ? round(pow(10, cell->decimals) * cell->value) : NAN;
}

void sp_sheet_mark_best(sp_sheet *sheet, size_t column, bool higher_is_better) {
    double best = NAN;
    for (size_t i = column; i < sheet->cell_count; i += sheet->column_count) {
        double x = printed(&sheet->cells[i]);
        if (!isnan(x) && (isnan(best) || (higher_is_better ? x > best : x < best))) best = x;
    }
    for (size_t i = column; i < sheet->cell_count; i += sheet->column_count)
        if (printed(&sheet->cells[i]) == best) sheet->cells[i].best = true;
}

void sp_sheet_note(sp_sheet *sheet, const char *text) {
    sp_strings_push(&sheet->notes, text);
}

size_t sp_sheet_rows(const sp_sheet *sheet) {
    return sheet->column_count ? sheet->cell_count / sheet->column_count : 0;
}

void sp_sheet_free(sp_sheet *sheet) {
    for (size_t i = 0; i < sheet->column_count; i++) free(sheet->columns[i].title);
    for (size_t i = 0; i < sheet->cell_count; i++)
        free(sheet->cells[i].text), free(sheet->cells[i].link);
    free(sheet->name), free(sheet->title), free(sheet->caption);
    free(sheet->columns), free(sheet->cells);
    sp_strings_free(&sheet->notes);
    *sheet = (sp_sheet){0};
}

static const sp_sheet_cell_text *cell_at(const sp_sheet *sheet, size_t row, size_t column) {
    return &sheet->cells[row * sheet->column_count + column];
}

/* ---- Markdown ---- */

/* A line break would end the row. */
static void put_markdown(const char *text, sp_buf *out) {
    for (; *text; text++)
        if (*text == '\n')
            sp_buf_putc(out, ' ');
        else
            sp_buf_printf(out, "%s%c", *text == '|' ? "\\" : "", *text);
}

static void put_markdown_notes(const sp_sheet *sheet, sp_buf *out) {
    bool begun = false;
    for (size_t i = 0; i < sheet->notes.len; i++) {
        const char *note = sheet->notes.data[i];
        if (*note) sp_buf_printf(out, "%s- %s\n", begun ? "" : "\n", note);
        begun = *note;
    }
}

void sp_sheet_markdown(const sp_sheet *sheet, sp_buf *out) {
    for (int i = 0; *sheet->title && i < sheet->level; i++) sp_buf_putc(out, '#');
    if (*sheet->title) sp_buf_printf(out, " %s\n\n", sheet->title);
    if (sheet->caption) sp_buf_printf(out, "%s\n\n", sheet->caption);
    for (size_t i = 0; i < sheet->column_count; i++) {
        sp_buf_puts(out, i ? " | " : "| ");
        put_markdown(sheet->columns[i].title, out);
    }
    sp_buf_puts(out, " |\n|");
    for (size_t i = 0; i < sheet->column_count; i++)
        sp_buf_puts(out, sheet->columns[i].number ? "---:|" : ":---|");
    sp_buf_putc(out, '\n');
    for (size_t i = 0; i < sp_sheet_rows(sheet); i++) {
        for (size_t j = 0; j < sheet->column_count; j++) {
            const sp_sheet_cell_text *cell = cell_at(sheet, i, j);
            sp_buf_puts(out, j ? " | " : "| ");
            sp_buf_puts(out, cell->best ? "**" : "");
            put_markdown(cell->text, out);
            sp_buf_puts(out, cell->best ? "**" : "");
        }
        sp_buf_puts(out, " |\n");
    }
    put_markdown_notes(sheet, out);
}

/* ---- CSV ---- */

static void put_field(const char *text, sp_buf *out) {
    if (!strpbrk(text, ",\"\r\n")) {
        sp_buf_puts(out, text);
        return;
    }
    sp_buf_putc(out, '"');
    for (; *text; text++) {
        if (*text == '"') sp_buf_putc(out, '"');
        sp_buf_putc(out, *text);
    }
    sp_buf_putc(out, '"');
}

static void put_value(const sp_sheet_cell_text *cell, sp_buf *out) {
    if (!cell->number)
        put_field(cell->text, out);
    else if (!isnan(cell->value))
        sp_buf_printf(out, "%.10g", cell->value);
}

void sp_sheet_csv(const sp_sheet *sheet, sp_buf *out) {
    for (size_t i = 0; i < sheet->column_count; i++) {
        if (i) sp_buf_putc(out, ',');
        put_field(sheet->columns[i].title, out);
    }
    sp_buf_putc(out, '\n');
    for (size_t i = 0; i < sp_sheet_rows(sheet); i++) {
        for (size_t j = 0; j < sheet->column_count; j++) {
            if (j) sp_buf_putc(out, ',');
            put_value(cell_at(sheet, i, j), out);
        }
        sp_buf_putc(out, '\n');
    }
}

/* ---- TeX ---- */

/* Characters that TeX reads as something else, or that its plain fonts lack. */
static const struct {
    const char *text, *tex;
} tex_forms[] = {{"\\", "\\textbackslash{}"},
                 {"~", "\\~{}"},
                 {"^", "\\^{}"},
                 {"<", "$<$"},
                 {">", "$>$"},
                 {"_", "\\_"},
                 {"%", "\\%"},
                 {"&", "\\&"},
                 {"#", "\\#"},
                 {"$", "\\$"},
                 {"{", "\\{"},
                 {"}", "\\}"},
                 {"\n", " "},
                 {"\xc2\xb1", "$\\pm$"},
                 {"\xe2\x80\x93", "--"},
                 {"\xc3\x97", "$\\times$"},
                 {"\xe2\x89\xa5", "$\\ge$"},
                 {"\xe2\x89\xa4", "$\\le$"},
                 {"\xe2\x88\x92", "$-$"}};
enum { TEX_FORMS = sizeof tex_forms / sizeof *tex_forms };

static void put_tex(const char *text, sp_buf *out) {
    while (*text) {
        size_t i = 0, len = 1;
        while (i < TEX_FORMS && strncmp(text, tex_forms[i].text, strlen(tex_forms[i].text)) != 0)
            i++;
        if (i < TEX_FORMS) {
            len = strlen(tex_forms[i].text);
            sp_buf_puts(out, tex_forms[i].tex);
        } else {
            sp_buf_putc(out, *text);
        }
        text += len;
    }
}

/* Each line of the text needs a mark of its own. */
static void put_tex_comment(const char *text, sp_buf *out) {
    sp_buf_puts(out, "% ");
    for (; *text; text++) {
        sp_buf_putc(out, *text);
        if (*text == '\n' && text[1]) sp_buf_puts(out, "% ");
    }
    sp_buf_putc(out, '\n');
}

void sp_sheet_tex(const sp_sheet *sheet, sp_buf *out) {
    if (*sheet->title) put_tex_comment(sheet->title, out);
    if (sheet->caption && sheet->caption_in_tex) put_tex_comment(sheet->caption, out);
    sp_buf_puts(out, "\\begin{tabular}{");
    for (size_t i = 0; i < sheet->column_count; i++)
        sp_buf_putc(out, sheet->columns[i].number ? 'r' : 'l');
    sp_buf_puts(out, "}\n\\hline\n");
    for (size_t i = 0; i < sheet->column_count; i++) {
        if (i) sp_buf_puts(out, " & ");
        put_tex(sheet->columns[i].title, out);
    }
    sp_buf_puts(out, " \\\\\n\\hline\n");
    for (size_t i = 0; i < sp_sheet_rows(sheet); i++) {
        for (size_t j = 0; j < sheet->column_count; j++) {
            const sp_sheet_cell_text *cell = cell_at(sheet, i, j);
            sp_buf_puts(out, j ? " & " : "");
            sp_buf_puts(out, cell->best ? "\\textbf{" : "");
            put_tex(cell->text, out);
            sp_buf_puts(out, cell->best ? "}" : "");
        }
        sp_buf_puts(out, " \\\\\n");
    }
    sp_buf_puts(out, "\\hline\n\\end{tabular}\n");
}

/* ---- HTML ---- */

static void put_element(const char *tag, const char *text, sp_buf *out) {
    sp_buf_printf(out, "<%s>", tag);
    sp_html_text(out, text);
    sp_buf_printf(out, "</%s>", tag);
}

static void put_html_notes(const sp_sheet *sheet, sp_buf *out) {
    bool open = false;
    for (size_t i = 0; i < sheet->notes.len; i++) {
        bool empty = !*sheet->notes.data[i];
        if (open && empty) sp_buf_puts(out, "</ul>\n");
        if (!open && !empty) sp_buf_puts(out, "<ul class=\"notes\">\n");
        open = !empty;
        if (empty) continue;
        put_element("li", sheet->notes.data[i], out);
        sp_buf_putc(out, '\n');
    }
    if (open) sp_buf_puts(out, "</ul>\n");
}

static void put_html_text(const sp_sheet_cell_text *cell, sp_buf *out) {
    if (cell->link) {
        sp_buf_puts(out, "<a href=\"");
        sp_html_text(out, cell->link);
        sp_buf_puts(out, "\">");
    }
    if (cell->best)
        put_element("b", cell->text, out);
    else
        sp_html_text(out, cell->text);
    if (cell->link) sp_buf_puts(out, "</a>");
}

static void put_html_row(const sp_sheet *sheet, size_t row, sp_buf *out) {
    sp_buf_puts(out, "<tr>");
    for (size_t j = 0; j < sheet->column_count; j++) {
        const char *tag = j ? "td" : "th";
        sp_buf_printf(out, "<%s%s%s>", tag, j ? "" : " scope=\"row\"",
                      sheet->columns[j].number ? " class=\"n\"" : "");
        put_html_text(cell_at(sheet, row, j), out);
        sp_buf_printf(out, "</%s>", tag);
    }
    sp_buf_puts(out, "</tr>\n");
}

void sp_sheet_html(const sp_sheet *sheet, sp_buf *out) {
    sp_buf_puts(out, "<section class=\"sheet\">\n");
    char heading[] = {'h', (char)('1' + sheet->level), '\0'};
    if (*sheet->title) put_element(heading, sheet->title, out);
    if (sheet->caption) put_element("p", sheet->caption, out);
    sp_buf_puts(out, "\n<div class=\"scroll\"><table>\n<thead><tr>");
    for (size_t i = 0; i < sheet->column_count; i++) {
        sp_buf_printf(out, "<th scope=\"col\"%s>", sheet->columns[i].number ? " class=\"n\"" : "");
        sp_html_text(out, sheet->columns[i].title);
        sp_buf_puts(out, "</th>");
    }
    sp_buf_puts(out, "</tr></thead>\n<tbody>\n");
    for (size_t i = 0; i < sp_sheet_rows(sheet); i++) put_html_row(sheet, i, out);
    sp_buf_puts(out, "</tbody>\n</table></div>\n");
    put_html_notes(sheet, out);
    sp_buf_puts(out, "</section>\n");
}
