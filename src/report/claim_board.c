#include "report/claim_board.h"

#include "core/file.h"
#include "report/sheet_file.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char caption[] =
    "Effect: left less right side of the claim, of a curve the change along it. The interval is a "
    "95 % bootstrap interval over test examples and, where there are several, seeds; p is "
    "two-sided and corrected after Holm for the claims of the study. docs/methods.md says how.";

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

/* A number with as many decimals as its size deserves; "–" for none. */
static void put_number(sp_buf *out, double x) {
    double size = fabs(x);
    if (isnan(x))
        sp_buf_puts(out, "\xe2\x80\x93");
    else
        sp_buf_printf(out, "%.*f", size >= 1000 ? 0 : size >= 0.1 || size == 0 ? 1 : 3, x);
}

/* "11.1 [9.0, 13.2]"; the caller's. */
static char *effect_text(const sp_judgement *j) {
    sp_buf text = {0};
    put_number(&text, j->effect);
    if (!isnan(j->low)) {
        sp_buf_puts(&text, " [");
        put_number(&text, j->low);
        sp_buf_puts(&text, ", ");
        put_number(&text, j->high);
        sp_buf_puts(&text, "]");
    }
    return sp_buf_take(&text);
}

/* ---- sheets ---- */

static void add_readable_row(const sp_judgement *j, sp_sheet *out) {
    char *effect = effect_text(j), *sample = sample_text(j);
    bool tested = j->verdict != SP_NOT_TESTABLE;
    char *verdict = tested ? sp_strdup(sp_verdict_names[j->verdict])
                           : sp_format("%s: %s", sp_verdict_names[j->verdict], j->reason);
    char *sample_and_note = sp_format("%s%s%s", sample, *j->note ? "; " : "", j->note);
    char *claim = sp_format("%s (%s)", j->claim.text, j->claim.id);
    sp_sheet_cell(out, claim);
    sp_sheet_cell(out, j->claim.source);
    sp_sheet_cell(out, j->claim.paper);
    sp_sheet_cell(out, j->here);
    sp_sheet_cell(out, tested ? effect : "");
    sp_sheet_number(out, j->adjusted, 3);
    sp_sheet_cell(out, verdict);
    if (j->verdict == SP_HOLDS || j->verdict == SP_FAILS) sp_sheet_mark(out);
    sp_sheet_cell(out, j->study);
    sp_sheet_cell(out, sample_and_note);
    free(effect), free(sample), free(verdict), free(sample_and_note), free(claim);
}

void sp_claims_sheet(const sp_judgement *all, size_t count, const char *name, sp_sheet *out) {
    static const char *const columns[] = {"Claim", "Source",  "Paper", "Here",  "Effect [95 %]",
                                          "p",     "Verdict", "Study", "Sample"};
    sp_sheet_start(out, name, "Claims");
    sp_sheet_caption(out, caption);
    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++)
        sp_sheet_column(out, columns[i], columns[i][0] == 'p');
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
    if (*j->claim.paper || *j->claim.source)
        sp_buf_printf(out, "%21spaper  %s%s%s%s\n", "", j->claim.paper,
                      *j->claim.paper && *j->claim.source ? " (" : "", j->claim.source,
                      *j->claim.paper && *j->claim.source ? ")" : "");
    if (j->verdict == SP_NOT_TESTABLE) {
        sp_buf_printf(out, "%21s%s\n", "", j->reason);
        return;
    }
    char *effect = effect_text(j), *sample = sample_text(j);
    sp_buf_printf(out, "%21shere   %s; effect %s, p %.3f; %s%s%s\n", "", j->here, effect,
                  j->adjusted, sample, *j->note ? "; " : "", j->note);
    free(effect), free(sample);
}

void sp_claims_text(const sp_judgement *all, size_t count, sp_buf *out) {
    for (size_t i = 0; i < count; i++) {
        bool begins = i == 0 || strcmp(all[i].study, all[i - 1].study) != 0;
        if (begins) sp_buf_printf(out, "%s%s\n", i ? "\n" : "", all[i].study);
        put_claim(&all[i], out);
    }
    char *summary = summarize(all, count);
    sp_buf_printf(out, "\n%zu claims: %s\n", count, summary);
    free(summary);
}
