#include "experiment/predictions.h"

#include <stdlib.h>
#include <string.h>

void sp_predictions_free(sp_predictions *p) {
    sp_strings_free(&p->inputs), sp_strings_free(&p->hypotheses), sp_strings_free(&p->references);
}

sp_status sp_predictions_read(const sp_run_spec *run, const char *folder, sp_predictions *out) {
    *out = (sp_predictions){0};
    char *path = sp_run_path(run, folder);
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

double sp_predictions_score(const sp_strings *hypotheses, const sp_strings *references,
                            const sp_metric *metric) {
    size_t n = hypotheses->len;
    sp_scored_text *texts = sp_alloc(n, sizeof *texts);
    char **copies = sp_alloc(n, sizeof *copies);
    for (size_t i = 0; i < n; i++) {
        const char **lines = sp_alloc(count_lines(references->data[i]), sizeof *lines);
        copies[i] = sp_strdup(references->data[i]);
        texts[i] = (sp_scored_text){.hypothesis = hypotheses->data[i], .references = lines};
        cut_lines(copies[i], lines, &texts[i].reference_count);
    }
    double score = metric->score(texts, n);
    for (size_t i = 0; i < n; i++) free((void *)texts[i].references), free(copies[i]);
    free(texts), free(copies);
    return score;
}
