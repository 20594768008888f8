#include "report/persistence.h"

#include "tuning/prompt_file.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- a run's virtual tokens ---- */

static sp_status refuse_method(sp_h5 *file) {
    char *method = NULL;
    sp_status st = sp_h5_get_text(file, "/", "method", &method);
    if (!st)
        st = sp_fail(SP_ERR_SPEC,
                     "%s: method %s puts no virtual tokens into the input, so none has neighbours "
                     "in the vocabulary; use a run of prompt or p-tuning",
                     sp_h5_path(file), method);
    free(method);
    return st;
}

sp_status sp_virtual_rows_read(sp_h5 *file, const sp_model *model, sp_var *out) {
    const char *path = "/prompt/embeddings";
    int rank;
    size_t dims[3];
    *out = (sp_var){0};
    if (!sp_h5_exists(file, path)) return refuse_method(file);
    if (sp_h5_is_group(file, "/prompt/weights"))
        return sp_fail(SP_ERR_SPEC,
                       "%s: trained weights of the model along with its prompt, so the frozen "
                       "model's vocabulary is not what it was learned for; use a run with frozen: "
                       "true",
                       sp_h5_path(file));
    sp_status st = sp_h5_shape(file, path, &rank, dims);
    if (st) return st;
    if (rank != 2 || dims[0] == 0 || dims[1] != (size_t)model->config.n_embd)
        return sp_prompt_misfit(file, path);
    float *rows = NULL;
    size_t count;
    if ((st = sp_h5_read_floats(file, path, &rows, &count))) return st;
    for (size_t i = 0; !st && i < count; i++)
        if (!isfinite(rows[i]))
            st = sp_fail(SP_ERR_NUMERIC,
                         "%s: a virtual token holds a number that is not finite; train it again",
                         sp_h5_path(file));
    if (!st) {
        *out = sp_leaf((long)dims[0], (long)dims[1]);
        memcpy(out->data, rows, count * sizeof(float));
    }
    free(rows);
    return st;
}

/* ---- class words ---- */

static sp_status measure_word(const sp_neighbours *n, const sp_tokenizer *tokenizer,
                              sp_class_word *w) {
    sp_status st = sp_tokenizer_encode(tokenizer, w->word, strlen(w->word), &w->tokens);
    if (st) return st;
    w->rank = sp_neighbours_rank(n, w->tokens.data, w->tokens.len, &w->row);
    w->found = w->rank <= n->top;
    w->cosine = -1;
    for (size_t i = 0; i < w->tokens.len; i++) {
        float cosine = n->cosines[w->row * n->vocabulary + w->tokens.data[i]];
        if (cosine > w->cosine) w->cosine = cosine;
    }
    return SP_OK;
}

sp_status sp_persistence_measure(const sp_neighbours *n, const sp_tokenizer *tokenizer,
                                 const sp_label *labels, size_t label_count, sp_persistence *out) {
    *out = (sp_persistence){0};
    size_t total = 0;
    for (size_t i = 0; i < label_count; i++) total += labels[i].words.len;
    out->words = sp_alloc(total, sizeof *out->words);
    double share = sp_neighbours_share(n);
    sp_status st = SP_OK;
    for (size_t i = 0; i < label_count; i++)
        for (size_t k = 0; !st && k < labels[i].words.len; k++) {
            sp_class_word *w = &out->words[out->count++];
            w->label = labels[i].name;
            w->word = labels[i].words.data[k];
            st = measure_word(n, tokenizer, w);
            out->found += w->found;
            out->chance += 1 - pow(1 - share, (double)w->tokens.len);
        }
    return st;
}

void sp_persistence_free(sp_persistence *p) {
    for (size_t i = 0; i < p->count; i++) sp_ints_free(&p->words[i].tokens);
    free(p->words);
    *p = (sp_persistence){0};
}

/* ---- the table of a study ---- */

/* Sums over the runs of a row. */
typedef struct sums {
    double runs, tokens, cosine, distinct, clustered, cluster_chance;
    double words, found, word_chance, ranks;
} sums;

static void add_neighbours(const sp_neighbours *n, const sp_tokenizer *tokenizer, sums *s) {
    sp_clusters c = sp_neighbours_clusters(n, tokenizer);
    double cosine = 0;
    for (long r = 0; r < n->count; r++) cosine += (double)n->nearest[r * n->top].cosine;
    s->runs++;
    s->tokens += (double)n->count;
    s->cosine += cosine / (double)n->count;
    s->distinct += (double)c.distinct;
    s->clustered += (double)c.clustered;
    s->cluster_chance += c.chance * (double)n->count;
}

static sp_status add_words(const sp_neighbours *n, const sp_tokenizer *tokenizer,
                           const sp_dataset *dataset, sums *s) {
    const sp_label *labels;
    size_t count;
    sp_status st = sp_dataset_labels(dataset, &labels, &count);
    if (st || !count || sp_dataset_is_tagged(dataset)) return st;
    sp_persistence p;
    st = sp_persistence_measure(n, tokenizer, labels, count, &p);
    s->words += (double)p.count;
    s->found += (double)p.found;
    s->word_chance += p.chance;
    for (size_t i = 0; !st && i < p.count; i++) s->ranks += (double)p.words[i].rank;
    sp_persistence_free(&p);
    return st;
}

static sp_status add_run(const sp_run_spec *run, const char *folder, sp_assets *assets, sums *s) {
    sp_model *model;
    sp_tokenizer *tokenizer;
    const sp_dataset *dataset;
    sp_h5 *file = NULL;
    char *path = sp_run_path(run, folder);
    sp_var rows = {0};
    sp_status st = sp_h5_open(path, &file);
    bool has_rows =
        !st && sp_h5_exists(file, "/prompt/embeddings") && !sp_h5_is_group(file, "/prompt/weights");
    if (has_rows) {
        st = sp_assets_model(assets, run->model, sp_run_precision(run), &model, &tokenizer);
        if (!st) st = sp_assets_dataset(assets, run->dataset, &dataset);
        if (!st) st = sp_virtual_rows_read(file, model, &rows);
        if (!st) {
            sp_neighbours n;
            sp_neighbours_find(&rows, model->embedding, sp_tokenizer_size(tokenizer),
                               SP_NEIGHBOUR_CLUSTER, &n);
            add_neighbours(&n, tokenizer, s);
            st = add_words(&n, tokenizer, dataset, s);
            sp_neighbours_free(&n);
        }
    }
    sp_leaf_free(&rows);
    sp_h5_close(file);
    free(path);
    return st;
}

sp_status sp_class_words_found(const sp_run_spec *run, const char *folder, sp_assets *assets,
                               double *out) {
    sums s = {0};
    sp_status st = add_run(run, folder, assets, &s);
    *out = s.words > 0 ? 100 * s.found / s.words : NAN;
    return st;
}

static void put_row(const char *title, const sums *s, sp_sheet *out) {
    double words = s->words > 0 ? s->words : NAN, runs = s->runs;
    sp_sheet_cell(out, title);
    sp_sheet_number(out, runs, 0);
    sp_sheet_number(out, s->tokens / runs, 0);
    sp_sheet_number(out, s->cosine / runs, 2);
    sp_sheet_number(out, s->distinct / runs, 1);
    sp_sheet_number(out, 100 * s->clustered / s->tokens, 1);
    sp_sheet_number(out, 100 * s->cluster_chance / s->tokens, 1);
    sp_sheet_number(out, 100 * s->found / words, 1);
    sp_sheet_number(out, 100 * s->word_chance / words, 1);
    sp_sheet_number(out, s->ranks / words, 1);
}

static void start_sheet(const sp_results *r, sp_sheet *out) {
    static const char *const numbers[] = {"Runs",          "Tokens",      "Cosine",
                                          "Distinct",      "Clustered %", "by chance %",
                                          "Class words %", "by chance %", "Mean rank"};
    char *title = sp_format("%s: nearest vocabulary tokens", r->spec->title);
    sp_sheet_start(out, "neighbours", title);
    free(title);
    sp_sheet_column(out, "Method", false);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        sp_sheet_column(out, numbers[i], true);
}

static void put_notes(sp_sheet *out) {
    sp_sheet_note(out, "Cosine: of a virtual token with the nearest vocabulary token, mean; "
                       "Distinct: different tokens among these; docs/methods.md defines all.");
    sp_sheet_note(out,
                  "Clustered: virtual tokens with two variants of one word (case, ending) "
                  "among their 5 nearest; by chance: if these were drawn from the vocabulary.");
    sp_sheet_note(out, "Class words: those of the labels' words that are among the 5 nearest of "
                       "any virtual token; by chance: a token drawn from the vocabulary would be. "
                       "Mean rank: of the class words at the virtual token where each ranks best.");
}

sp_status sp_neighbours_sheet(const sp_results *r, const char *folder, sp_sheet *out) {
    if (!r->spec->neighbours) return SP_OK;
    sp_assets *assets = sp_assets_new();
    start_sheet(r, out);
    sp_status st = SP_OK;
    for (size_t i = 0; !st && i < r->row_count; i++) {
        const sp_row *row = &r->rows[i];
        sums s = {0};
        for (size_t k = row->first; !st && k < row->first + row->count; k++)
            if (r->states[k] == SP_RUN_FINISHED)
                st = add_run(&r->runs->items[k], folder, assets, &s);
        if (!st && s.runs > 0) put_row(row->title, &s, out);
    }
    put_notes(out);
    sp_assets_free(assets);
    return st;
}
