#include "report/claim_board.h"

#include "core/file.h"
#include "report/sheet_file.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char caption[] =
    "Here: both sides of the test, margins included, or the points of a curve. Effect: left less "
    "right side, of a curve the change along it. The interval is a 95 % bootstrap interval over "
    "test examples and, where there are several, seeds; p is "
    "two-sided and corrected after Holm for the claims of the study. With one seed the interval "
    "holds test examples only. docs/methods.md says how.";

/* "3 hold, 1 fails, 2 undecided, 4 not testable here"; the caller's. */
static char *summarize(const sp_judgement *all, size_t count) {
    size_t n[SP_NOT_TESTABLE + 1] = {0};
    for (size_t i = 0; i < count; i++) n[all[i].verdict]++;
    return sp_format("%zu %s, %zu %s, %zu undecided, %zu not testable here", n[SP_HOLDS],
                     n[SP_HOLDS] == 1 ? "holds" : "hold", n[SP_FAILS],
                     n[SP_FAILS] == 1 ? "fails" : "fail", n[SP_UNDECIDED], n[SP_NOT_TESTABLE]);
}

static void put_count(sp_buf *out, size_t n, const char *what) {
    if (n) sp_buf_printf(out, "%s%zu %s%s", out->len ? ", " : "", n, what, n == 1 ? "" : "s");
}

/* "3 seeds, 200 test examples, 6 runs"; the caller's. */
static char *sample_text(const sp_judgement *j) {
    sp_buf text = {0};
    put_count(&text, j->subsamples, "subsample");
    put_count(&text, j->seeds, "seed");
    put_count(&text, j->examples, "test example");
    put_count(&text, j->runs, "run");
    return text.len ? sp_buf_take(&text) : sp_strdup("");
}

/* "11.1 [9.0, 13.2]", with as many decimals as the largest of the numbers deserves; "–" for none;
 * the caller's. */
static char *effect_text(const sp_judgement *j) {
    sp_buf text = {0};
    if (isnan(j->effect)) return sp_strdup("\xe2\x80\x93");
    double size = fabs(j->effect);
    if (!isnan(j->low)) size = fmax(size, fmax(fabs(j->low), fabs(j->high)));
    int decimals = size >= 1000 ? 0 : size >= 0.5 || size == 0 ? 1 : 3;
    sp_buf_printf(&text, "%.*f", decimals, j->effect);
    if (!isnan(j->low)) sp_buf_printf(&text, " [%.*f, %.*f]", decimals, j->low, decimals, j->high);
    return sp_buf_take(&text);
}

/* ---- by paper ---- */

char *sp_claim_paper(const sp_judgement *j) {
    const char *source = j->claim.source;
    size_t len = strcspn(source, ",(:;");
    while (len && source[len - 1] == ' ') len--;
    return len ? sp_strndup(source, len) : sp_strdup(j->study);
}

void sp_claims_sort(sp_judgement *all, size_t count) {
    for (size_t i = 1; i < count; i++) {
        sp_judgement moved = all[i];
        char *paper = sp_claim_paper(&moved);
        size_t k = i;
        for (; k > 0; k--) {
            char *before = sp_claim_paper(&all[k - 1]);
            bool stays = strcasecmp(before, paper) <= 0;
            free(before);
            if (stays) break;
            all[k] = all[k - 1];
        }
        all[k] = moved;
        free(paper);
    }
}

bool sp_claim_begins_paper(const sp_judgement *all, size_t i) {
    if (i == 0) return true;
    char *paper = sp_claim_paper(&all[i]), *before = sp_claim_paper(&all[i - 1]);
    bool begins = strcmp(paper, before) != 0;
    free(paper), free(before);
    return begins;
}

/* ---- sheets ---- */

/* "Prompt Tuning, section 6: 91.3 against 91.0", either of them, or ""; the caller's. */
static char *with_source(const char *figure, const char *source) {
    return sp_format("%s%s%s", source, *figure && *source ? ": " : "", figure);
}

static char *verdict_text(const sp_judgement *j) {
    if (j->verdict == SP_NOT_TESTABLE)
        return sp_format("%s: %s", sp_verdict_names[j->verdict], j->reason);
    return sp_format("%s, p %.3f", sp_verdict_names[j->verdict], j->adjusted);
}

static char *here_with_effect(const sp_judgement *j) {
    if (j->verdict == SP_NOT_TESTABLE) return sp_strdup("");
    char *effect = effect_text(j), *text = sp_format("%s; effect %s", j->here, effect);
    free(effect);
    return text;
}

/* "table1: 3 seeds, 200 test examples, 6 runs; only 3 seeds"; the caller's. */
static char *study_text(const sp_judgement *j) {
    char *sample = sample_text(j);
    char *text = sp_format("%s%s%s%s%s", j->study, *sample ? ": " : "", sample,
                           *j->note ? "; " : "", j->note);
    free(sample);
    return text;
}

static void add_readable_row(const sp_judgement *j, sp_sheet *out) {
    char *cells[] = {sp_format("%s (%s)", j->claim.text, j->claim.id),
                     with_source(j->claim.paper, j->claim.source), here_with_effect(j),
                     verdict_text(j), study_text(j)};
    for (int i = 0; i < 5; i++) {
        sp_sheet_cell(out, cells[i]);
        if (i == 3 && (j->verdict == SP_HOLDS || j->verdict == SP_FAILS)) sp_sheet_mark(out);
        free(cells[i]);
    }
}

void sp_claims_sheet(const sp_judgement *all, size_t count, const char *name, sp_sheet *out) {
    static const char *const columns[] = {"Claim", "In the paper", "Here", "Verdict", "Study"};
    sp_sheet_start(out, name, "Claims");
    sp_sheet_caption(out, caption);
    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++)
        sp_sheet_column(out, columns[i], false);
    for (size_t i = 0; i < count; i++) add_readable_row(&all[i], out);
    char *summary = summarize(all, count);
    sp_sheet_note(out, summary);
    free(summary);
}

/* One number or text a column, for machines. */
static void fill_data(const sp_judgement *all, size_t count, const char *name, sp_sheet *out) {
    static const char *const texts[] = {"study", "id",   "claim",   "source",
                                        "paper", "here", "verdict", "reason"};
    static const char *const numbers[] = {"effect", "low",        "high",     "p",    "adjusted_p",
                                          "seeds",  "subsamples", "examples", "runs", "resamples"};
    sp_sheet_start(out, name, "Claims");
    for (int i = 0; i < 8; i++) sp_sheet_column(out, texts[i], false);
    for (int i = 0; i < 10; i++) sp_sheet_column(out, numbers[i], true);
    sp_sheet_column(out, "note", false);
    for (size_t k = 0; k < count; k++) {
        const sp_judgement *j = &all[k];
        const char *const row[] = {j->study,
                                   j->claim.id,
                                   j->claim.text,
                                   j->claim.source,
                                   j->claim.paper,
                                   j->here,
                                   sp_verdict_names[j->verdict],
                                   j->reason};
        const double values[] = {j->effect,
                                 j->low,
                                 j->high,
                                 j->p,
                                 j->adjusted,
                                 (double)j->seeds,
                                 (double)j->subsamples,
                                 (double)j->examples,
                                 (double)j->runs,
                                 (double)j->resamples};
        for (int i = 0; i < 8; i++) sp_sheet_cell(out, row[i]);
        for (int i = 0; i < 10; i++) sp_sheet_number(out, values[i], 4);
        sp_sheet_cell(out, j->note);
    }
}

sp_status sp_claims_write(const sp_judgement *all, size_t count, const char *folder,
                          const char *name) {
    sp_sheet readable, data;
    sp_claims_sheet(all, count, name, &readable);
    fill_data(all, count, name, &data);
    sp_status st = sp_make_folders(folder);
    if (!st) st = sp_sheets_write(&readable, 1, folder, "md", sp_sheet_markdown);
    if (!st) st = sp_sheets_write(&data, 1, folder, "csv", sp_sheet_csv);
    sp_sheet_free(&readable), sp_sheet_free(&data);
    return st;
}

/* ---- text ---- */

static void put_claim(const sp_judgement *j, sp_buf *out) {
    sp_buf_printf(out, "  %-17s  %s: %s\n", sp_verdict_names[j->verdict], j->claim.id,
                  j->claim.text);
    char *figure = with_source(j->claim.paper, j->claim.source), *here = here_with_effect(j);
    char *study = study_text(j);
    if (*figure) sp_buf_printf(out, "%21spaper  %s\n", "", figure);
    if (j->verdict == SP_NOT_TESTABLE)
        sp_buf_printf(out, "%21s%s: %s\n", "", j->study, j->reason);
    else
        sp_buf_printf(out, "%21shere   %s, p %.3f\n%21s%s\n", "", here, j->adjusted, "", study);
    free(figure), free(here), free(study);
}

void sp_claims_text(const sp_judgement *all, size_t count, sp_buf *out) {
    for (size_t i = 0; i < count; i++) {
        if (sp_claim_begins_paper(all, i)) {
            char *paper = sp_claim_paper(&all[i]);
            sp_buf_printf(out, "%s%s\n", i ? "\n" : "", paper);
            free(paper);
        }
        put_claim(&all[i], out);
    }
    char *summary = summarize(all, count);
    sp_buf_printf(out, "\n%zu claims: %s\n", count, summary);
    free(summary);
}
