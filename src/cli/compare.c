/* softprompt compare RUN RUN...: finished runs side by side. */
#include "report/compare.h"
#include "cli/command.h"
#include "cli/json.h"
#include "report/plot.h"

#include <argp.h>
#include <glob.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OPTION_JSON = 256 };

static const char doc[] =
    "Shows finished runs side by side: the settings in which they differ, their scores, and for "
    "every two of them the difference of one metric with its 95 % interval and p-value, by a "
    "paired bootstrap over the test examples. RUN is a run file, as results/table1/runs/ID.h5, or "
    "its ID.";

static const struct argp_option option_list[] = {
    {"metric", 'm', "NAME", 0, "the metric that is tested (default: the first all runs have)", 0},
    {"figure", 'f', "FILE", 0,
     "draw their learning curves to FILE.svg, .png or .pdf, with the data and the command beside",
     0},
    {"results", 'r', "FOLDER", 0, "where studies are kept, to find IDs (default: results)", 0},
    {"json", OPTION_JSON, NULL, 0, "print one JSON object instead", 0},
    {0}};

typedef struct compare_line {
    sp_strings runs;
    const char *metric, *figure, *results; /* the first two may be NULL */
    bool json;
} compare_line;

static error_t parse_option(int key, char *arg, struct argp_state *state) {
    compare_line *line = state->input;
    switch (key) {
    case 'm':
        line->metric = arg;
        return 0;
    case 'f':
        line->figure = arg;
        return 0;
    case 'r':
        line->results = arg;
        return 0;
    case OPTION_JSON:
        line->json = true;
        return 0;
    case ARGP_KEY_ARG:
        sp_strings_push(&line->runs, arg);
        return 0;
    case ARGP_KEY_END:
        if (line->runs.len < 2) argp_error(state, "two RUNs or more, please");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* ---- run ids ---- */

static bool is_id(const char *text) {
    return strlen(text) == SP_RUN_ID && strspn(text, "0123456789abcdef") == SP_RUN_ID;
}

/* An id becomes the path of its file in the first study that has it. */
static sp_status find_runs(compare_line *line) {
    for (size_t i = 0; i < line->runs.len; i++) {
        char *name = line->runs.data[i];
        if (!is_id(name)) continue;
        char *pattern = sp_format("%s/*/runs/%s.h5", line->results, name);
        glob_t found = {0};
        bool any = glob(pattern, 0, NULL, &found) == 0 && found.gl_pathc > 0;
        sp_status st =
            any ? SP_OK
                : sp_fail(SP_ERR_MISSING, "%s: no study in %s has this run", name, line->results);
        if (any) line->runs.data[i] = sp_strdup(found.gl_pathv[0]);
        if (any) free(name);
        globfree(&found);
        free(pattern);
        if (st) return st;
    }
    return SP_OK;
}

/* ---- output ---- */

static sp_status draw(const sp_comparison *c, const char *path) {
    sp_curve *curves = sp_alloc(c->count, sizeof *curves);
    for (size_t i = 0; i < c->count; i++) curves[i] = (sp_curve){c->runs[i].title, &c->runs[i].log};
    bool drawn;
    sp_status st = sp_plot_curves(curves, c->count, c->metric->name, path, &drawn);
    if (!st && !drawn)
        st = sp_fail(SP_ERR_DATA, "%s: not drawn, for none of these runs has a learning curve",
                     path);
    free(curves);
    return st;
}

static json_t *scores_json(const sp_runlog *log) {
    json_t *scores = json_object();
    for (size_t i = 0; i < SP_METRIC_COUNT; i++) {
        double x = sp_runlog_get_test(log, NULL, sp_metrics[i]->name);
        if (isfinite(x)) json_object_set_new(scores, sp_metrics[i]->name, json_real(x));
    }
    return scores;
}

static void print_json(const sp_comparison *c) {
    json_t *runs = json_array(), *pairs = json_array();
    for (size_t i = 0; i < c->count; i++)
        json_array_append_new(runs,
                              json_pack("{s:s, s:s, s:o}", "file", c->runs[i].path, "title",
                                        c->runs[i].title, "scores", scores_json(&c->runs[i].log)));
    for (size_t i = 0; i < c->pair_count; i++) {
        const sp_compared_pair *p = &c->pairs[i];
        json_array_append_new(pairs,
                              json_pack("{s:i, s:i, s:f, s:f, s:f, s:f, s:f}", "a", (int)p->a, "b",
                                        (int)p->b, "difference", p->difference, "low", p->low,
                                        "high", p->high, "p", p->p, "p_corrected", p->adjusted));
    }
    json_t *all =
        json_pack("{s:s, s:i, s:i, s:o, s:o}", "metric", c->metric->name, "examples",
                  (int)c->examples, "resamples", (int)c->resamples, "runs", runs, "pairs", pairs);
    sp_print_json(all, JSON_INDENT(2));
}

static void print_sheets(const sp_comparison *c) {
    sp_sheet sides, tests;
    sp_buf text = {0};
    sp_comparison_sheet(c, &sides);
    sp_comparison_tests(c, &tests);
    tests.level = 2;
    sp_sheet_markdown(&sides, &text);
    sp_buf_putc(&text, '\n');
    sp_sheet_markdown(&tests, &text);
    fputs(text.data, stdout);
    sp_buf_free(&text);
    sp_sheet_free(&sides), sp_sheet_free(&tests);
}

static sp_status run(int argc, char **argv) {
    const struct argp parser = {
        .options = option_list, .parser = parse_option, .args_doc = "RUN RUN...", .doc = doc};
    compare_line line = {.results = "results"};
    argp_parse(&parser, argc, argv, 0, NULL, &line);
    sp_comparison c = {0};
    sp_status st = line.figure ? sp_check_figure_path(line.figure) : SP_OK;
    if (!st) st = find_runs(&line);
    if (!st) st = sp_compare((const char *const *)line.runs.data, line.runs.len, line.metric, &c);
    if (!st && line.json) print_json(&c);
    if (!st && !line.json) print_sheets(&c);
    if (!st && line.figure) st = draw(&c, line.figure);
    sp_comparison_free(&c);
    sp_strings_free(&line.runs);
    return st;
}

const sp_command sp_command_compare = {
    .name = "compare", .help = "finished runs side by side, with paired tests", .run = run};
