/* softprompt bench: how fast this program is on this machine. */
#include "bench/figure.h"
#include "bench/peer.h"
#include "bench/shape.h"
#include "bench/start.h"
#include "bench/suite.h"
#include "cli/command.h"
#include "core/file.h"

#include <argp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct arguments {
    sp_bench_settings settings;
    sp_strings models;
    unsigned precisions, what; /* bits */
    const char *csv, *figures, *workload, *parameters, *open;
    bool json, quick;
} arguments;

enum { KEY_CSV = 256, KEY_FIGURES, KEY_QUICK, KEY_WORKLOAD, KEY_PARAMETERS, KEY_OPEN, KEY_TABLE };

static const struct argp_option fixed_options[] = {
    {"model", 'm', "NAMES", 0,
     "built-in shapes (gpt2-17m, llama-135m), names below models/, or folders, separated by commas "
     "(default the built-in shapes)",
     0},
    {"precision", 'p', "NAMES", 0, "fp32, bf16 or both with a comma (default both)", 0},
    {"what", 'w', "NAMES", 0,
     "some of gemm, train, greedy, beam, start, threads, cost, separated by commas (default all)",
     0},
    {"csv", KEY_CSV, "FILE", 0, "write the rows as CSV", 0},
    {"figures", KEY_FIGURES, "FOLDER", 0, "draw the cost of a token as PNG files", 0},
    {"json", 'j', NULL, 0, "print one JSON object instead of the table", 0},
    {"quick", KEY_QUICK, NULL, 0,
     "two repetitions, without threads and cost, unless options behind this one say otherwise", 0},
    {"workload", KEY_WORKLOAD, "FILE", 0,
     "do the work of this file and print what it took as JSON (tests/peers/bench_peft.py writes "
     "it); needs one model, one precision and --init-params",
     0},
    {"init-params", KEY_PARAMETERS, "FILE", 0, "safetensors with the prefix's first parameters", 0},
    {"open", KEY_OPEN, "FOLDER", OPTION_HIDDEN, NULL, 0}};

/* As bits. */
enum { FP32 = 1u << SP_PRECISION_FP32, BF16 = 1u << SP_PRECISION_BF16, BOTH = FP32 | BF16 };
/* How many options are fixed, and room for those of the settings behind them. */
enum { FIXED = sizeof fixed_options / sizeof *fixed_options, SETTINGS = 16 };

/* ---- the command line ---- */

/* The entries of a list separated by commas. */
static void split_list(const char *value, sp_strings *out) {
    sp_strings_free(out);
    while (true) {
        size_t n = strcspn(value, ",");
        sp_strings_take(out, sp_strndup(value, n));
        if (!value[n]) return;
        value += n + 1;
    }
}

static int index_of(const char *name, const char *const *names) {
    for (int i = 0; names[i]; i++)
        if (strcmp(names[i], name) == 0) return i;
    return -1;
}

/* The place of each entry in `names` as bits. */
static unsigned parse_names(const char *value, const char *option, const char *const *names,
                            struct argp_state *state) {
    unsigned bits = 0;
    sp_strings entries = {0};
    split_list(value, &entries);
    for (size_t i = 0; i < entries.len; i++) {
        int index = index_of(entries.data[i], names);
        if (index < 0)
            argp_error(state, "--%s has '%s'%s", option, entries.data[i],
                       sp_did_you_mean(entries.data[i], names));
        if (index >= 0) bits |= 1u << index;
    }
    sp_strings_free(&entries);
    return bits;
}

static void check(const arguments *a, struct argp_state *state) {
    if (!a->workload != !a->parameters)
        argp_error(state, "--workload and --init-params go together");
    if (a->workload && (a->models.len != 1 || a->precisions == BOTH))
        argp_error(state, "--workload needs one --model and one --precision");
    if (a->workload && (a->csv || a->figures || a->quick))
        argp_error(state, "--workload prints JSON only; leave out --csv, --figures and --quick");
    for (size_t i = 0; i < a->models.len; i++)
        if (!*a->models.data[i]) argp_error(state, "--model has an empty name");
}

static error_t parse(int key, char *value, struct argp_state *state) {
    arguments *a = state->input;
    switch (key) {
    case 'm':
        split_list(value, &a->models);
        return 0;
    case 'p':
        a->precisions = parse_names(value, "precision", sp_precision_names, state);
        return 0;
    case 'w':
        a->what = parse_names(value, "what", sp_bench_whats, state);
        return 0;
    case KEY_CSV:
        a->csv = value;
        return 0;
    case KEY_FIGURES:
        a->figures = value;
        return 0;
    case 'j':
        a->json = true;
        return 0;
    case KEY_QUICK:
        a->quick = true;
        a->settings.steps = 2;
        a->what = ~(unsigned)(SP_BENCH_THREADS | SP_BENCH_COST);
        return 0;
    case KEY_WORKLOAD:
        a->workload = value;
        return 0;
    case KEY_PARAMETERS:
        a->parameters = value;
        return 0;
    case KEY_OPEN:
        a->open = value;
        return 0;
    case ARGP_KEY_ARG:
        argp_error(state, "'%s' is not wanted; models are named with --model", value);
        return 0;
    case ARGP_KEY_END:
        check(a, state);
        return 0;
    default:
        break;
    }
    if (key < KEY_TABLE || key >= KEY_TABLE + SETTINGS) return ARGP_ERR_UNKNOWN;
    const char *name = sp_bench_option_table[key - KEY_TABLE].name;
    if (sp_options_set(sp_bench_option_table, &a->settings, name, value))
        argp_error(state, "--%s", sp_error());
    return 0;
}

/* The fixed options, then those of the settings' table; the caller frees helps [returned]. */
static void list_options(struct argp_option *out, sp_strings *helps) {
    memcpy(out, fixed_options, sizeof fixed_options);
    for (int i = 0; sp_bench_option_table[i].name && i < SETTINGS; i++) {
        const sp_option *o = &sp_bench_option_table[i];
        sp_strings_take(helps, sp_format("%s (default %s)", o->help, o->fallback));
        out[FIXED + i] = (struct argp_option){.name = o->name,
                                              .key = KEY_TABLE + i,
                                              .arg = o->type == SP_INT ? "N" : "NAME",
                                              .doc = helps->data[i]};
    }
}

static void parse_arguments(int argc, char **argv, arguments *a) {
    struct argp_option options[FIXED + SETTINGS + 1] = {0};
    sp_strings helps = {0};
    list_options(options, &helps);
    struct argp parser = {
        .options = options,
        .parser = parse,
        .doc = "Measures this program on this machine: matrix products at the model's shapes, "
               "steps of training, greedy and beam search, start, peak memory, one thread against "
               "all, and the cost of a token over the number of sequences and prefix length. "
               "docs/benchmarks.md says what the numbers mean."};
    argp_parse(&parser, argc, argv, 0, NULL, a);
    sp_strings_free(&helps);
}

/* ---- work ---- */

static void tell(const sp_bench_job *job, const char *what) {
    fprintf(stderr, "bench: %s, %s: %s\n", job->label, sp_precision_names[job->precision], what);
}

static sp_status write_text(const char *path, void (*make)(const sp_bench_rows *, sp_buf *),
                            const sp_bench_rows *rows) {
    sp_buf text = {0};
    make(rows, &text);
    char *folder = sp_path_folder(path);
    sp_status st = sp_make_folders(folder);
    if (!st) st = sp_write_file(path, text.data, text.len);
    free(folder);
    sp_buf_free(&text);
    return st;
}

static void print_rows(const arguments *a, const sp_bench_rows *rows) {
    sp_buf text = {0};
    if (a->json) {
        sp_bench_json(rows, &text);
    } else {
        sp_bench_machine(rows, &text);
        sp_buf_puts(&text, "\n\n");
        sp_bench_table(rows, &text);
    }
    fputs(text.data, stdout);
    sp_buf_free(&text);
}

static sp_status measure(const arguments *a) {
    sp_bench_rows rows = {0};
    sp_status st = SP_OK;
    sp_precision precisions[2];
    size_t count = 0;
    if (a->precisions & FP32) precisions[count++] = SP_PRECISION_FP32;
    if (a->precisions & BF16) precisions[count++] = SP_PRECISION_BF16;
    for (size_t i = 0; i < a->models.len && !st; i++)
        st = sp_bench_model(a->models.data[i], precisions, count, &a->settings, a->what, tell,
                            &rows);
    if (!st && a->csv) st = write_text(a->csv, sp_bench_csv, &rows);
    if (!st && a->figures) st = sp_bench_draw_figures(&rows, a->figures);
    if (!st) print_rows(a, &rows);
    sp_bench_rows_free(&rows);
    return st;
}

static sp_status do_workload(const arguments *a, const sp_bench_job *job) {
    sp_buf text = {0};
    sp_status st = sp_bench_peer(job, a->workload, a->parameters, &text);
    if (!st) fputs(text.data, stdout);
    sp_buf_free(&text);
    return st;
}

static sp_status run(int argc, char **argv) {
    arguments a = {.precisions = BOTH, .what = ~0u};
    sp_options_default(sp_bench_option_table, &a.settings);
    parse_arguments(argc, argv, &a);
    if (a.models.len == 0)
        for (int i = 0; sp_bench_shapes[i]; i++) sp_strings_push(&a.models, sp_bench_shapes[i]);
    sp_bench_job job = {.folder = a.open ? a.open : a.models.data[0],
                        .label = a.models.data[0],
                        .precision = a.precisions == BF16 ? SP_PRECISION_BF16 : SP_PRECISION_FP32,
                        .settings = a.settings};
    sp_status st = a.open ? sp_bench_open(&job) : a.workload ? do_workload(&a, &job) : measure(&a);
    sp_strings_free(&a.models);
    return st;
}

const sp_command sp_command_bench = {
    .name = "bench", .help = "how fast this program is on this machine", .run = run};
