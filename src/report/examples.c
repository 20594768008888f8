#include "report/examples.h"

#include "report/predictions.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The first finished run of a row, or -1 if it has none that generates text. */
static long speaking_run(const sp_results *r, const sp_row *row) {
    for (size_t i = row->first; i < row->first + row->count; i++) {
        const char *output = sp_runlog_get_text(&r->logs[i], "output");
        if (r->states[i] == SP_RUN_FINISHED && output && strcmp(output, "text") == 0 &&
            isnan(sp_runlog_get_test(&r->logs[i], NULL, "accuracy")))
            return (long)i;
    }
    return -1;
}

/* ---- records ---- */

/* The records that are shown, and what each row says to them. */
typedef struct examples {
    const char *dataset;
    sp_strings inputs, references; /* [count] */
    size_t count;
    const char **titles;    /* [rows] of the rows that say something */
    sp_strings *hypotheses; /* [rows], each [count]; "" where the row has not seen the record */
    size_t rows;
} examples;

static void choose_records(const sp_predictions *p, examples *e) {
    size_t n = p->inputs.len;
    e->count = n < SP_EXAMPLES ? n : SP_EXAMPLES;
    for (size_t i = 0; i < e->count; i++) {
        sp_strings_push(&e->inputs, p->inputs.data[i * n / e->count]);
        sp_strings_push(&e->references, p->references.data[i * n / e->count]);
    }
}

static void add_row(const sp_predictions *p, const char *title, examples *e) {
    sp_strings *said = &e->hypotheses[e->rows];
    e->titles[e->rows++] = title;
    for (size_t i = 0; i < e->count; i++) {
        size_t j = 0;
        while (j < p->inputs.len && strcmp(p->inputs.data[j], e->inputs.data[i]) != 0) j++;
        sp_strings_push(said, j < p->inputs.len ? p->hypotheses.data[j] : "");
    }
}

static sp_status collect(const sp_results *r, const char *folder, examples *e) {
    sp_status st = SP_OK;
    for (size_t i = 0; !st && i < r->row_count; i++) {
        const sp_row *row = &r->rows[i];
        long run = strcmp(row->run->dataset, e->dataset) == 0 ? speaking_run(r, row) : -1;
        if (run < 0) continue;
        sp_predictions p;
        st = sp_predictions_read(&r->runs->items[run], folder, &p);
        if (st) break;
        if (!e->count) choose_records(&p, e);
        add_row(&p, row->title, e);
        sp_predictions_free(&p);
    }
    return st;
}

/* ---- text ---- */

/* Behind "  name  ", lines below each other; control characters become '?'. */
static void put_lines(const char *name, int width, const char *text, sp_buf *out) {
    sp_buf_printf(out, "  %-*s  ", width, name);
    for (const char *c = text; *c; c++) {
        if (*c == '\n')
            sp_buf_printf(out, "\n  %-*s  ", width, "");
        else
            sp_buf_putc(out, (unsigned char)*c < 0x20 || *c == 0x7f ? '?' : *c);
    }
    sp_buf_putc(out, '\n');
}

static void put_examples(const sp_spec *spec, const examples *e, sp_buf *out) {
    int width = (int)strlen("reference");
    for (size_t j = 0; j < e->rows; j++)
        if ((int)strlen(e->titles[j]) > width) width = (int)strlen(e->titles[j]);
    sp_buf_printf(out,
                  "%s%s\n%zu test records of %s, evenly spaced; of each line of the table the "
                  "first finished run.\n",
                  out->len ? "\n" : "", spec->title, e->count, e->dataset);
    for (size_t i = 0; i < e->count; i++) {
        sp_buf_printf(out, "\n%zu\n", i + 1);
        put_lines("input", width, e->inputs.data[i], out);
        put_lines("reference", width, e->references.data[i], out);
        for (size_t j = 0; j < e->rows; j++)
            put_lines(e->titles[j], width, e->hypotheses[j].data[i], out);
    }
}

static sp_status put_dataset(const sp_results *r, const char *folder, const char *dataset,
                             sp_buf *out) {
    examples e = {.dataset = dataset};
    e.titles = sp_alloc(r->row_count, sizeof *e.titles);
    e.hypotheses = sp_alloc(r->row_count, sizeof *e.hypotheses);
    sp_status st = collect(r, folder, &e);
    if (!st && e.count) put_examples(r->spec, &e, out);
    for (size_t j = 0; j < e.rows; j++) sp_strings_free(&e.hypotheses[j]);
    sp_strings_free(&e.inputs), sp_strings_free(&e.references);
    free(e.titles), free(e.hypotheses);
    return st;
}

sp_status sp_examples_text(const sp_results *r, const char *folder, sp_buf *out) {
    sp_status st = SP_OK;
    for (size_t i = 0; !st && i < r->row_count; i++) {
        const char *dataset = r->rows[i].run->dataset;
        size_t j = 0;
        while (strcmp(r->rows[j].run->dataset, dataset) != 0) j++;
        if (j == i) st = put_dataset(r, folder, dataset, out);
    }
    return st;
}
