/* softprompt score: metrics of texts against references, one text a line. */
#include "cli/command.h"
#include "core/file.h"
#include "core/memory.h"
#include "core/option.h"
#include "metrics/metric.h"

#include <argp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct score_arguments {
    const char *metrics, *hypothesis;
    const char **references; /* [reference_count] */
    size_t reference_count;
    bool json;
} score_arguments;

static const struct argp_option options[] = {
    {"metrics", 'm', "LIST", 0, "metrics separated by commas (default all of texts)", 0},
    {"hyp", 'h', "FILE", 0,
     "the texts or labels to score, one a line; or the tags of a text's words, a text a line", 0},
    {"ref", 'r', "FILE", 0,
     "their references, line by line; give --ref again for more references: an empty line in a "
     "file after the first means that the text has no further one; a label has one only",
     0},
    {"json", 'j', NULL, 0, "print one JSON object with unrounded scores", 0},
    {0}};

/* Appends "; of WHAT: NAME, ..." with the metrics of a task. */
static void put_metrics(sp_task task, const char *what, sp_buf *out) {
    const char *names[SP_METRIC_COUNT];
    size_t count = 0;
    for (int i = 0; i < SP_METRIC_COUNT; i++)
        if (sp_metrics[i]->task == task) names[count++] = sp_metrics[i]->name;
    char *list = sp_list_text(names, count);
    sp_buf_printf(out, "; of %s: %s", what, list);
    free(list);
}

/* The help of --metrics names all that there are. */
static char *complete_help(int key, const char *text, void *input) {
    (void)input;
    if (key != 'm') return (char *)text;
    sp_buf help = {0};
    sp_buf_puts(&help, text);
    put_metrics(SP_GENERATION, "texts", &help);
    put_metrics(SP_CLASSIFICATION, "labels", &help);
    put_metrics(SP_TAGGING, "tags", &help);
    return sp_buf_take(&help);
}

static error_t parse(int key, char *arg, struct argp_state *state) {
    score_arguments *a = state->input;
    switch (key) {
    case 'm':
        a->metrics = arg;
        return 0;
    case 'h':
        a->hypothesis = arg;
        return 0;
    case 'r':
        a->references[a->reference_count++] = arg;
        return 0;
    case 'j':
        a->json = true;
        return 0;
    case ARGP_KEY_END:
        if (!a->hypothesis) argp_error(state, "no texts to score; give --hyp FILE");
        if (!a->reference_count) argp_error(state, "nothing to compare with; give --ref FILE");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp parser = {
    .options = options,
    .parser = parse,
    .help_filter = complete_help,
    .doc =
        "Scores texts against references, or labels and tags against the true ones, as sacrebleu, "
        "nltk, rouge-score, pycocoevalcap, scikit-learn and seqeval do. Scores are on a 0 to 100 "
        "scale, but for "
        "nist and cider."};

/* A file cut at its newlines (LF or CRLF), without a byte order mark. */
typedef struct text_lines {
    sp_buf content;
    char **line; /* [count], in content */
    size_t count;
} text_lines;

static sp_status read_lines(const char *path, text_lines *out) {
    sp_status st = sp_read_file(path, &out->content);
    if (st) return st;
    char *end = out->content.data + out->content.len;
    char *at = out->content.data + sp_text_start(out->content.data, out->content.len);
    for (size_t cap = 0; at < end; out->count++) {
        if (out->count == cap) {
            cap = cap ? 2 * cap : 256;
            out->line = sp_realloc(out->line, cap, sizeof *out->line);
        }
        out->line[out->count] = at;
        char *newline = memchr(at, '\n', (size_t)(end - at));
        char *stop = newline ? newline : end;
        if (memchr(at, '\0', (size_t)(stop - at)))
            return sp_fail(SP_ERR_FORMAT, "%s:%zu: has a NUL byte; give a text file", path,
                           out->count + 1);
        at = stop + 1;
        if (stop > out->line[out->count] && stop[-1] == '\r') stop--;
        *stop = '\0';
    }
    return SP_OK;
}

static void free_lines(text_lines *lines) {
    sp_buf_free(&lines->content);
    free(lines->line);
}

/* files[0] holds the hypotheses, files[1..] the references. */
static sp_status read_files(const score_arguments *a, text_lines *files) {
    sp_status st = read_lines(a->hypothesis, &files[0]);
    if (st) return st;
    for (size_t r = 0; r < a->reference_count; r++) {
        if ((st = read_lines(a->references[r], &files[r + 1]))) return st;
        if (files[r + 1].count != files[0].count)
            return sp_fail(SP_ERR_DATA,
                           "%s has %zu lines, but %s has %zu; line N of one must answer line N of "
                           "the other",
                           a->references[r], files[r + 1].count, a->hypothesis, files[0].count);
    }
    if (files[0].count == 0)
        return sp_fail(SP_ERR_DATA, "%s is empty; put one text on a line", a->hypothesis);
    return SP_OK;
}

/* references [count * reference_count] is filled and borrowed by the texts. */
static void pair_texts(const text_lines *files, size_t reference_count, const char **references,
                       sp_scored_text *texts) {
    for (size_t i = 0; i < files[0].count; i++) {
        sp_scored_text *text = &texts[i];
        *text = (sp_scored_text){files[0].line[i], references, 0};
        for (size_t r = 0; r < reference_count; r++) {
            const char *line = files[r + 1].line[i];
            if (r == 0 || *line) references[text->reference_count++] = line;
        }
        references += text->reference_count;
    }
}

typedef struct metric_choice {
    const sp_metric *metrics[SP_METRIC_COUNT];
    size_t count;
} metric_choice;

static sp_status choose_metric(const char *name, metric_choice *chosen) {
    const sp_metric *metric;
    if (sp_metric_require(name, &metric)) return sp_fail_in(SP_ERR_USAGE, "--metrics");
    for (size_t i = 0; i < chosen->count; i++)
        if (chosen->metrics[i] == metric)
            return sp_fail(SP_ERR_USAGE, "--metrics names '%s' twice; name each metric once", name);
    chosen->metrics[chosen->count++] = metric;
    return SP_OK;
}

static void choose_text_metrics(metric_choice *chosen) {
    for (int i = 0; i < SP_METRIC_COUNT; i++)
        if (sp_metrics[i]->task == SP_GENERATION) chosen->metrics[chosen->count++] = sp_metrics[i];
}

/* A list with commas. */
static sp_status choose_listed(const char *list, metric_choice *chosen) {
    char *copy = sp_strdup(list), *rest = copy, *name;
    sp_status st = SP_OK;
    while (!st && (name = strsep(&rest, ","))) st = choose_metric(name, chosen);
    free(copy);
    return st;
}

/* A second true label, or sequence of tags, would be read by no metric. */
static sp_status check_references(const metric_choice *chosen, size_t reference_count) {
    for (size_t i = 0; i < chosen->count; i++)
        if (chosen->metrics[i]->task != SP_GENERATION && reference_count > 1)
            return sp_fail(SP_ERR_USAGE, "--metrics %s is of %s, which have one --ref, not %zu",
                           chosen->metrics[i]->name,
                           chosen->metrics[i]->task == SP_TAGGING ? "tags" : "labels",
                           reference_count);
    return SP_OK;
}

static sp_status choose_metrics(const score_arguments *a, metric_choice *chosen) {
    sp_status st = SP_OK;
    if (a->metrics)
        st = choose_listed(a->metrics, chosen);
    else
        choose_text_metrics(chosen);
    if (!st) st = check_references(chosen, a->reference_count);
    for (size_t i = 0; !st && i < chosen->count; i++)
        if (chosen->metrics[i]->prepare) st = chosen->metrics[i]->prepare();
    return st;
}

static void print_scores(const metric_choice *chosen, const sp_scored_text *texts, size_t count,
                         bool json) {
    double scores[SP_METRIC_COUNT];
#pragma omp parallel for schedule(dynamic)
    for (size_t i = 0; i < chosen->count; i++) scores[i] = chosen->metrics[i]->score(texts, count);
    if (json) printf("{\"texts\": %zu", count);
    for (size_t i = 0; i < chosen->count; i++) {
        if (json)
            printf(", \"%s\": %.17g", chosen->metrics[i]->name, scores[i]);
        else
            printf("%-14s %6.2f\n", chosen->metrics[i]->title, scores[i]);
    }
    if (json) puts("}");
}

static sp_status score_files(const score_arguments *a, text_lines *files) {
    metric_choice chosen = {0};
    sp_status st;
    if ((st = choose_metrics(a, &chosen))) return st;
    if ((st = read_files(a, files))) return st;
    size_t count = files[0].count;
    sp_scored_text *texts = sp_alloc(count, sizeof *texts);
    const char **references = sp_alloc(count * a->reference_count, sizeof *references);
    pair_texts(files, a->reference_count, references, texts);
    print_scores(&chosen, texts, count, a->json);
    free(references);
    free(texts);
    return SP_OK;
}

static sp_status run(int argc, char **argv) {
    score_arguments a = {.references = sp_alloc((size_t)argc, sizeof *a.references)};
    argp_parse(&parser, argc, argv, 0, NULL, &a);
    text_lines *files = sp_alloc(a.reference_count + 1, sizeof *files);
    sp_status st = score_files(&a, files);
    for (size_t i = 0; i <= a.reference_count; i++) free_lines(&files[i]);
    free(files);
    free(a.references);
    return st;
}

const sp_command sp_command_score = {
    .name = "score",
    .help = "BLEU, ROUGE, METEOR and more of texts, F1 and more of labels and tags",
    .run = run};
