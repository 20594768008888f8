/* The board as a figure: plots/claims.gp. */
#include "core/file.h"
#include "report/claim_board.h"
#include "report/gnuplot.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Intervals that reach further are cut there. */
static const double WIDEST = 100;

/* An effect is drawn in points of its score, towards the right where it speaks for the claim; one
 * of another unit in percent of the largest value it is made of. */
static double drawn(const sp_judgement *j, double x) {
    double scale = j->in_points ? 1 : j->size > 0 ? 100 / j->size : 1;
    return fmax(-WIDEST, fmin(WIDEST, x * scale * j->direction));
}

static void put_row(const sp_judgement *j, size_t row, sp_buf *out) {
    double a = drawn(j, j->low), b = drawn(j, j->high), x = drawn(j, j->effect);
    if (isnan(j->effect)) x = 0;
    if (isnan(j->low)) a = b = x;
    sp_buf_printf(out, "%zu %.10g %.10g %.10g %d \"%s\" \"%s\"\n", row, x, fmin(a, b), fmax(a, b),
                  (int)j->verdict, j->claim.id, sp_verdict_names[j->verdict]);
}

/* All rows, each paper's behind one with its name; returns how many there are. */
static size_t put_rows(const sp_judgement *all, size_t count, sp_buf *out) {
    size_t rows = 0;
    sp_buf_puts(out, "# row, effect for the claim, its interval, verdict (0 holds, 1 fails, 2 "
                     "undecided, 3 not testable here, -1 a paper's name), claim, verdict\n");
    for (size_t i = 0; i < count; i++) {
        if (sp_claim_begins_paper(all, i)) {
            char *paper = sp_claim_paper(&all[i]);
            for (char *at = paper; (at = strchr(at, '"'));) *at = '\'';
            sp_buf_printf(out, "%zu 0 0 0 -1 \"%s\" \"\"\n", rows++, paper);
            free(paper);
        }
        put_row(&all[i], rows++, out);
    }
    return rows;
}

static size_t longest_id(const sp_judgement *all, size_t count) {
    size_t longest = 0;
    for (size_t i = 0; i < count; i++) {
        size_t len = strlen(all[i].claim.id);
        if (len > longest) longest = len;
    }
    return longest;
}

static double reach_of(const sp_judgement *all, size_t count) {
    double reach = 10;
    for (size_t i = 0; i < count; i++) {
        const double ends[] = {all[i].effect, all[i].low, all[i].high};
        for (int k = 0; k < 3; k++)
            if (!isnan(ends[k])) reach = fmax(reach, fabs(drawn(&all[i], ends[k])));
    }
    return reach;
}

sp_status sp_claims_draw(const sp_judgement *all, size_t count, const char *folder) {
    static const char *const formats[] = {"svg", "png", "pdf", NULL};
    char *stem = sp_path_join(folder, "claims");
    sp_buf rows = {0}, settings = {0};
    size_t row_count = put_rows(all, count, &rows);
    sp_buf_printf(&settings, "rows=%zu;reach=%.10g;letters=%zu;", row_count, reach_of(all, count),
                  longest_id(all, count));
    sp_status st = sp_make_folders(folder);
    if (!st) st = sp_gnuplot_figure(stem, "claims", settings.data, &rows, formats);
    sp_buf_free(&rows), sp_buf_free(&settings);
    free(stem);
    return st;
}
