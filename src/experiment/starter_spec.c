#include "experiment/starter_spec.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- sizes ---- */

enum { EPOCHS = 10, FEWEST_STEPS = 100, MOST_STEPS = 1500, TOKENS_OF_A_STEP = 8192, SEEDS = 3 };

int sp_starter_batch(const sp_starter_facts *f) {
    int batch = f->kind == SP_SET_GENERATION ? 16 : 32;
    while (batch > 2 && batch * f->mean_tokens > TOKENS_OF_A_STEP) batch /= 2;
    while (batch > 2 && 4 * (size_t)batch > f->counts[SP_TRAIN]) batch /= 2;
    return batch;
}

int sp_starter_steps(const sp_starter_facts *f) {
    double steps = EPOCHS * (double)f->counts[SP_TRAIN] / sp_starter_batch(f);
    if (steps < FEWEST_STEPS) return FEWEST_STEPS;
    if (steps > MOST_STEPS) return MOST_STEPS;
    return (int)(ceil(steps / 10) * 10);
}

static int quick_steps(const sp_starter_facts *f) {
    int steps = sp_starter_steps(f) / 5;
    return steps < 40 ? 40 : steps > 150 ? 150 : steps;
}

static const int METHODS = 8; /* and lengths of P-tuning v2 */

double sp_starter_hours(const sp_starter_facts *f) {
    const double flops_per_second = 90e9; /* as estimate.c */
    double tokens = (double)sp_starter_steps(f) * sp_starter_batch(f) * f->mean_tokens;
    double beside = f->kind == SP_SET_GENERATION ? 2 : 1.3; /* evaluation and test */
    return 6 * f->parameters * tokens * beside * METHODS * SEEDS / flops_per_second / 3600;
}

/* ---- learning rates ---- */

/* docs/methods.md tells how those of the ladder were found; the others stand in
 * experiments/table1.yaml, encoder.yaml and tagging.yaml. A linear head trains at its method's
 * rate, and goes astray at those of soft prompts alone. */
typedef struct rates {
    const char *method;
    double generation, verbalizer, head; /* below 30 million parameters, by the output */
    double large, encoder;
} rates;

static const rates known_rates[] = {
    {"fine-tune", 3e-4, 1e-3, 1e-3, 1e-4, 2e-4}, {"lora", 1e-2, 1e-2, 1e-2, 2e-3, 5e-3},
    {"prefix", 3e-3, 1e-3, 1e-3, 5e-4, 5e-3},    {"p-tuning-v2", 3e-1, 1e-1, 3e-2, 1e-1, 2e-2},
    {"p-tuning", 1e-2, 3e-3, 1e-2, 3e-3, 2e-2},  {"prompt", 1, 3, 1e-2, 0.3, 5e-2},
    {"none", 1e-2, 1e-2, 1e-2, 1e-2, 1e-2},
};

static bool is_large(const sp_starter_facts *f) {
    return f->parameters >= 30e6;
}

static double rate_of(const sp_starter_facts *f, const char *method) {
    const rates *r = known_rates;
    while (strcmp(r->method, method) != 0) r++;
    bool head = f->output == SP_OUTPUT_LINEAR || f->output == SP_OUTPUT_TOKEN_LINEAR;
    if (f->encoder) return r->encoder;
    if (is_large(f)) return head && r->large > r->head ? r->head : r->large;
    return head ? r->head : f->output == SP_OUTPUT_TEXT ? r->generation : r->verbalizer;
}

/* ---- the text ---- */

static const char *dev_series(const sp_starter_facts *f) {
    static const char *const series[] = {"bleu", "accuracy", "span-f1"};
    return series[f->kind];
}

static const char *prompt_init(const sp_starter_facts *f) {
    return f->kind == SP_SET_CLASSIFICATION ? "class-label" : "vocab";
}

static void put_head(const sp_starter_facts *f, sp_buf *out) {
    sp_buf_printf(out,
                  "# A study of your own, written by softprompt init; change what you like. All "
                  "keys: docs/formats.md,\n# all options of methods: docs/methods.md. `softprompt "
                  "plan` says what a change costs.\nname: %s\ntitle: ",
                  f->name);
    char *title = sp_format("Methods on %s", f->name);
    sp_put_quoted(title, out);
    free(title);
    sp_buf_puts(out, "\n# The settings of every run.\nbase:\n  model: ");
    sp_put_quoted(f->model, out);
    sp_buf_printf(out, "  # %.3g million parameters\n", f->parameters / 1e6);
    sp_buf_puts(out, "  # A full path, so that the study runs from any folder; change it if you "
                     "move this one.\n  dataset: ");
    sp_put_quoted(f->dataset, out);
    sp_buf_putc(out, '\n');
}

static void put_base(const sp_starter_facts *f, sp_buf *out) {
    if (f->output != SP_OUTPUT_TEXT)
        sp_buf_printf(out, "  output: %s  # %s\n", sp_output_names[f->output], f->why_output);
    if (is_large(f))
        sp_buf_puts(out,
                    "  precision: bf16  # of the weights that do not train: half the memory\n");
    int steps = sp_starter_steps(f), batch = sp_starter_batch(f);
    sp_buf_printf(
        out,
        "  # %zu examples of %.0f tokens on average: %d steps of %d are %.1f passes over "
        "them. The state\n  # that is best on dev is kept, so more steps cost time only.\n"
        "  train: {optimizer: adamw, batch: %d, schedule: linear, warmup: 0.06, clip: "
        "1.0, steps: %d}\n",
        f->counts[SP_TRAIN], f->mean_tokens, steps, batch,
        (double)steps * batch / (double)f->counts[SP_TRAIN], batch, steps);
    if (f->output == SP_OUTPUT_TEXT)
        sp_buf_printf(
            out, "  # The longest answer has %d tokens.\n  decode: {beam: 5, max_tokens: %d}\n",
            f->longest_answer, (f->longest_answer * 5 / 4 / 8 + 1) * 8);
    if (f->counts[SP_DEV] > 500)
        sp_buf_puts(out, "  dev: {limit: 500}  # of the examples, evenly spaced\n");
}

static void put_methods(const sp_starter_facts *f, sp_buf *out) {
    sp_buf_printf(out,
                  "# What is compared: an entry is a line of the table. Learning rates are those "
                  "that did best for models\n# of this size on the project's own data "
                  "(docs/methods.md); preset search tries others on yours.\nmethods:\n");
    sp_buf_printf(out, "  fine-tune:   {lr: %g}  # trains all weights: the upper end in cost\n",
                  rate_of(f, "fine-tune"));
    sp_buf_printf(out, "  lora:        {rank: 8, lr: %g}\n", rate_of(f, "lora"));
    sp_buf_printf(out,
                  "  prefix:      {length: 10, lr: %g, reparametrization: mlp, hidden: %d, init: "
                  "%s}\n",
                  rate_of(f, "prefix"), f->encoder ? 384 : 512,
                  f->encoder ? "random" : "activations");
    sp_buf_printf(out,
                  "  p-tuning-v2: {lr: %g, reparametrization: none, grid: {length: [5, %d]}}\n",
                  rate_of(f, "p-tuning-v2"), SP_STARTER_ROWS);
    sp_buf_printf(out, "  p-tuning:    {length: %d, lr: %g, encoder: lstm%s}\n",
                  f->encoder ? 10 : SP_STARTER_ROWS, rate_of(f, "p-tuning"),
                  f->kind == SP_SET_TAGGING ? ", template: P x" : "");
    sp_buf_printf(out, "  prompt:      {length: %d, lr: %g,%s init: %s}\n", SP_STARTER_ROWS,
                  rate_of(f, "prompt"),
                  f->encoder ? "" : " optimizer: adafactor, schedule: constant,", prompt_init(f));
    if (f->output == SP_OUTPUT_LINEAR || f->output == SP_OUTPUT_TOKEN_LINEAR)
        sp_buf_printf(
            out,
            "  none:        {label: Head alone, lr: %g}  # nothing but the class head trains\n",
            rate_of(f, "none"));
    else
        sp_buf_puts(out, "  none:                  # the model as it is\n");
    sp_buf_puts(out, "# Methods differ by luck too: the table has mean and deviation over these.\n"
                     "seeds: [1, 2, 3]\n");
}

/* Three times and a third of the rate. */
static void put_search(const sp_starter_facts *f, sp_buf *out) {
    static const char *const tried[] = {"fine-tune",   "lora",     "prefix",
                                        "p-tuning-v2", "p-tuning", "prompt"};
    sp_buf_printf(out,
                  "  # Learning rates on your data, chosen on dev; best.md of the report names the "
                  "best. Put them above.\n  search:\n    seeds: [1]\n    train.steps: %d\n    "
                  "report: {best: dev.%s}\n",
                  quick_steps(f) * 2, f->kind == SP_SET_GENERATION ? "loss" : dev_series(f));
    for (size_t i = 0; i < sizeof tried / sizeof *tried; i++) {
        double lr = rate_of(f, tried[i]);
        bool prompt = strcmp(tried[i], "prompt") == 0;
        sp_buf_printf(out, "    methods.%s.grid: {lr: [%.3g, %.3g, %.3g]%s%s%s}\n", tried[i],
                      lr / 3, lr, lr * 3, prompt ? ", init: [random, " : "",
                      prompt ? prompt_init(f) : "", prompt ? "]" : "");
    }
    sp_buf_puts(out, "    methods.p-tuning-v2.length: 10\n");
}

/* A limit where there are more. */
static void put_limit(const char *split, size_t count, size_t limit, sp_buf *out) {
    if (count > limit) sp_buf_printf(out, ", %s.limit: %zu", split, limit);
}

static void put_quick(const sp_starter_facts *f, sp_buf *out) {
    int steps = quick_steps(f);
    bool text = f->output == SP_OUTPUT_TEXT;
    sp_buf_printf(out,
                  "  # Does all of it work? Minutes, one seed.\n"
                  "  quick: {train.steps: %d, train.eval_every: %d, seeds: [1]",
                  steps, steps / 2);
    put_limit("dev", f->counts[SP_DEV], 100, out);
    put_limit("test", f->counts[SP_TEST], text ? 100 : 400, out);
    sp_buf_printf(out, "%s,\n          methods.p-tuning-v2.grid: {length: [10]}}\n",
                  text ? ", decode.beam: 1" : "");
}

static void put_presets(const sp_starter_facts *f, sp_buf *out) {
    sp_buf_puts(out, "presets:\n");
    put_quick(f, out);
    sp_buf_puts(out, "  # For a claim: more steps, more seeds, more lengths.\n");
    sp_buf_printf(out,
                  "  full:  {train.steps: %d, seeds: [1, 2, 3, 4, 5],\n          "
                  "methods.p-tuning-v2.grid: {length: [5, 10, %d]}, methods.prompt.grid: {length: "
                  "[5, %d]}}\n",
                  3 * sp_starter_steps(f), SP_STARTER_ROWS, SP_STARTER_ROWS);
    put_search(f, out);
}

static void put_report(const sp_starter_facts *f, sp_buf *out) {
    static const char *const metrics[] = {"bleu, rouge-l, chrf", "accuracy, macro-f1",
                                          "span-f1, span-precision, span-recall, token-accuracy"};
    const char *series = dev_series(f);
    sp_buf_printf(out,
                  "report:\n  table: {metrics: [%s]}\n"
                  "  # What each method costs, and the score weighed by it (docs/methods.md).\n"
                  "  cost: {score: test.all.%s}\n  figures:\n"
                  "    - {name: learning-curve, kind: learning-curve, y: dev.%s}\n"
                  "    - {name: training-loss, kind: learning-curve, y: train.loss, logy: true}\n"
                  "    - {name: quality-against-parameters, kind: scatter, y: test.all.%s}\n",
                  metrics[f->kind], series, series, series);
}

static void put_claims(const sp_starter_facts *f, sp_buf *out) {
    const char *metric = dev_series(f);
    sp_buf_printf(out,
                  "# What you expect; the report of the claims says whether your runs bear it "
                  "out.\nclaims:\n"
                  "  - id: prefix-near-fine-tuning\n"
                  "    text: Prefix-tuning comes within a tenth of fine-tuning\n"
                  "    source: Prefix-Tuning, Table 1\n"
                  "    test: mean(test.all.%s | method=prefix) > 0.9 * mean(test.all.%s | "
                  "method=fine-tune)\n"
                  "  - id: deep-over-shallow\n"
                  "    text: Prompts in every layer do better than prompts in the embedding layer\n"
                  "    source: P-tuning v2, section 4\n"
                  "    test: mean(test.all.%s | method=p-tuning-v2) > mean(test.all.%s | "
                  "method=prompt)\n"
                  "  - id: lora-over-prompt\n"
                  "    text: LoRA does better than prompt tuning\n"
                  "    source: PEFT-Bench\n"
                  "    test: mean(test.all.%s | method=lora) > mean(test.all.%s | method=prompt)\n",
                  metric, metric, metric, metric, metric, metric);
}

void sp_starter_spec(const sp_starter_facts *f, sp_buf *out) {
    put_head(f, out);
    put_base(f, out);
    put_methods(f, out);
    put_presets(f, out);
    put_report(f, out);
    put_claims(f, out);
}
