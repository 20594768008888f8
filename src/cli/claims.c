/* softprompt claims SPEC...: what studies say about the claims of the papers. */
#include "cli/command.h"
#include "cli/json.h"
#include "core/file.h"
#include "experiment/assets.h"
#include "report/claim_board.h"

#include <argp.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OPTION_JSON = 256 };

static const char doc[] =
    "Judges the claims of each study SPEC from the runs that are there, prints the board, and "
    "writes it into FOLDER/claims (claims.md, claims.csv and the figure claims.svg, .png, .pdf "
    "with its data), paper by paper, and, study by study, as claims.md and claims.csv into the "
    "studies' folders. Nothing is trained; a claim whose runs are missing is not testable here.";

static const struct argp_option options[] = {
    {"preset", 'p', "NAME", 0, "apply the preset NAME of the specs", 0},
    {"set", 's', "PATH=VALUE", 0, "override a setting of all specs; may be repeated", 0},
    {"results", 'r', "FOLDER", 0, "where studies are kept (default: results)", 0},
    {"json", OPTION_JSON, NULL, 0, "print the board as one JSON array instead", 0},
    {0}};

typedef struct claims_line {
    const char *preset, *results; /* preset NULL: none */
    sp_strings sets, specs;
    bool json;
} claims_line;

static error_t parse_option(int key, char *arg, struct argp_state *state) {
    claims_line *line = state->input;
    switch (key) {
    case 'p':
        line->preset = arg;
        return 0;
    case 's':
        sp_strings_push(&line->sets, arg);
        return 0;
    case 'r':
        line->results = arg;
        return 0;
    case OPTION_JSON:
        line->json = true;
        return 0;
    case ARGP_KEY_ARG:
        sp_strings_take(&line->specs, sp_find_file(arg));
        return 0;
    case ARGP_KEY_END:
        if (!line->specs.len) argp_error(state, "SPEC is missing, e.g. experiments/table1.yaml");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* ---- one study ---- */

typedef struct board {
    sp_judgement *items;
    size_t count;
} board;

static sp_status judge_runs(const sp_spec *spec, const char *folder, sp_assets *assets,
                            board *out) {
    sp_run_list runs;
    sp_status st = sp_expand(spec, sp_assets_identify, assets, &runs);
    if (st) return st;
    sp_results results;
    st = sp_results_load(spec, &runs, folder, &results);
    if (!st) {
        st = sp_claims_judge(&results, folder, assets, &out->items, &out->count);
        sp_results_free(&results);
    }
    sp_run_list_free(&runs);
    return st;
}

static void append(board *all, board *more) {
    all->items = sp_realloc(all->items, all->count + more->count, sizeof *all->items);
    memcpy(all->items + all->count, more->items, more->count * sizeof *all->items);
    all->count += more->count;
    free(more->items);
}

static sp_status judge_study(const claims_line *line, const char *path, sp_assets *assets,
                             board *all) {
    sp_spec spec;
    sp_status st = sp_spec_read(path, line->preset, &line->sets, &spec);
    if (st) return st;
    board own = {0};
    char *folder = sp_path_join(line->results, spec.folder);
    if (spec.claim_count) st = judge_runs(&spec, folder, assets, &own);
    st = sp_claims_settle(st, &spec, &own.items, &own.count);
    if (!st && own.count && sp_file_exists(folder))
        st = sp_claims_write(own.items, own.count, folder, "claims");
    if (own.count) append(all, &own);
    free(folder);
    sp_spec_free(&spec);
    return st;
}

/* ---- what is printed ---- */

static json_t *number(double x) {
    return isfinite(x) ? json_real(x) : json_null();
}

static json_t *judgement_json(const sp_judgement *j) {
    return json_pack(
        "{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:i, s:i, s:i, s:i, "
        "s:i}",
        "study", j->study, "id", j->claim.id, "claim", j->claim.text, "source", j->claim.source,
        "paper", j->claim.paper, "verdict", sp_verdict_names[j->verdict], "here", j->here, "why",
        j->verdict == SP_NOT_TESTABLE ? j->reason : j->note, "effect", number(j->effect), "low",
        number(j->low), "high", number(j->high), "p", number(j->p), "adjusted_p",
        number(j->adjusted), "seeds", (int)j->seeds, "subsamples", (int)j->subsamples, "examples",
        (int)j->examples, "runs", (int)j->runs, "resamples", (int)j->resamples);
}

static void print_json(const board *all) {
    json_t *array = json_array();
    for (size_t i = 0; i < all->count; i++)
        json_array_append_new(array, judgement_json(&all->items[i]));
    sp_print_json(array, JSON_INDENT(2));
}

static void print_text(const board *all, const char *folder) {
    sp_buf text = {0};
    sp_claims_text(all->items, all->count, &text);
    printf("%s\nWritten into %s: claims.md, claims.csv, claims.svg, .png, .pdf and .dat\n",
           text.data, folder);
    sp_buf_free(&text);
}

static sp_status judge_all(const claims_line *line, board *all) {
    sp_assets *assets = sp_assets_new();
    sp_status st = SP_OK;
    for (size_t i = 0; !st && i < line->specs.len; i++)
        st = judge_study(line, line->specs.data[i], assets, all);
    sp_assets_free(assets);
    return st;
}

static sp_status run(int argc, char **argv) {
    const struct argp parser = {
        .options = options, .parser = parse_option, .args_doc = "SPEC...", .doc = doc};
    claims_line line = {.results = "results"};
    board all = {0};
    argp_parse(&parser, argc, argv, 0, NULL, &line);
    char *folder = sp_path_join(line.results, "claims");
    sp_status st = judge_all(&line, &all);
    if (!st && !all.count)
        st = sp_fail(SP_ERR_SPEC, "%s: has no claims; give a spec with some", line.specs.data[0]);
    sp_claims_sort(all.items, all.count);
    if (!st) st = sp_claims_write(all.items, all.count, folder, "claims");
    if (!st) st = sp_claims_draw(all.items, all.count, folder);
    if (!st && line.json) print_json(&all);
    if (!st && !line.json) print_text(&all, folder);
    sp_judgements_free(all.items, all.count);
    sp_strings_free(&line.sets), sp_strings_free(&line.specs);
    free(folder);
    return st;
}

const sp_command sp_command_claims = {
    .name = "claims", .help = "what the studies say about the papers' claims", .run = run};
