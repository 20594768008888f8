#include "report/predictions.h"

#include <stdlib.h>
#include <string.h>

void sp_predictions_free(sp_predictions *p) {
    sp_strings_free(&p->inputs), sp_strings_free(&p->hypotheses), sp_strings_free(&p->references);
}

sp_status sp_predictions_read_file(const char *path, sp_predictions *out) {
    *out = (sp_predictions){0};
    sp_h5 *file = NULL;
    sp_status st = sp_h5_open(path, &file);
    if (!st) st = sp_h5_read_texts(file, "/test/predictions/input", &out->inputs);
    if (!st) st = sp_h5_read_texts(file, "/test/predictions/hypothesis", &out->hypotheses);
    if (!st) st = sp_h5_read_texts(file, "/test/predictions/reference", &out->references);
    if (file) sp_h5_close(file);
    size_t n = out->inputs.len;
    if (!st && (out->hypotheses.len != n || out->references.len != n))
        st = sp_fail(SP_ERR_FORMAT,
                     "%s: its predictions are lists of different lengths; delete the file and run "
                     "the study again",
                     path);
    if (st) sp_predictions_free(out);
    return st;
}

sp_status sp_predictions_read(const sp_run_spec *run, const char *folder, sp_predictions *out) {
    char *path = sp_run_path(run, folder);
    sp_status st = sp_predictions_read_file(path, out);
    free(path);
    return st;
}

/* The parts of `joined`, which is cut at its ends of line. */
static void cut_lines(char *joined, const char **lines, size_t *count) {
    *count = 0;
    for (char *rest = joined, *line; (line = strsep(&rest, "\n"));) lines[(*count)++] = line;
}

static size_t count_lines(const char *text) {
    size_t n = 1;
    for (; *text; text++) n += *text == '\n';
    return n;
}

void sp_prediction_texts_make(const sp_strings *hypotheses, const sp_strings *references,
                              sp_prediction_texts *out) {
    size_t n = hypotheses->len;
    out->items = sp_alloc(n, sizeof *out->items);
    out->copies = sp_alloc(n, sizeof *out->copies);
    out->count = n;
    for (size_t i = 0; i < n; i++) {
        const char **lines = sp_alloc(count_lines(references->data[i]), sizeof *lines);
        sp_scored_text *text = &out->items[i];
        out->copies[i] = sp_strdup(references->data[i]);
        *text = (sp_scored_text){.hypothesis = hypotheses->data[i], .references = lines};
        cut_lines(out->copies[i], lines, &text->reference_count);
    }
}

void sp_prediction_texts_free(sp_prediction_texts *texts) {
    for (size_t i = 0; i < texts->count; i++)
        free((void *)texts->items[i].references), free(texts->copies[i]);
    free(texts->items), free(texts->copies);
    *texts = (sp_prediction_texts){0};
}

double sp_predictions_score(const sp_strings *hypotheses, const sp_strings *references,
                            const sp_metric *metric) {
    sp_prediction_texts texts;
    sp_prediction_texts_make(hypotheses, references, &texts);
    double score = metric->score(texts.items, texts.count);
    sp_prediction_texts_free(&texts);
    return score;
}
