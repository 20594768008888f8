#include "experiment/starter.h"

#include "core/file.h"
#include "experiment/starter_spec.h"
#include "model/files.h"
#include "model/find.h"
#include "model/outline.h"
#include "tensor/cpu.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const double MOST_HOURS = 4; /* of a study whose model is chosen here */

typedef struct starting {
    const sp_starter *in;
    char *folder, *card; /* absolute, once the folder is there */
    char *model_name;
    sp_model *model; /* outline */
    sp_tokenizer *tokenizer;
    sp_starter_facts facts;
} starting;

/* ---- the model ---- */

/* A folder or file by its full path, so that the study runs from elsewhere; other names as they
 * are. */
static char *lasting_name(const char *name) {
    char *path = realpath(name, NULL);
    char *out = sp_strdup(path ? path : name);
    free(path);
    return out;
}

/* Without a tokenizer: four bytes a token. */
static void guess_length(starting *s) {
    double bytes = 0, n = 0;
    const sp_split *train = &s->in->data->splits[SP_TRAIN];
    for (size_t i = 0; i < train->count; i++, n++)
        bytes +=
            (double)(strlen(train->items[i].input) + strlen(train->items[i].references.data[0]));
    s->facts.mean_tokens = bytes / n / 4 + 2;
}

/* The largest of which the study takes MOST_HOURS at most; else the smallest. */
static sp_status choose_model(starting *s) {
    sp_strings names = {0};
    double best = 0, smallest = 0;
    char *least = NULL;
    sp_models_below(&names);
    guess_length(s);
    for (size_t i = 0; i < names.len; i++) {
        sp_model *model;
        if (sp_model_outline(names.data[i], &model)) continue;
        double size = s->facts.parameters = (double)sp_model_size(model);
        bool writes = !model->family->bidirectional;
        sp_model_free(model);
        if (!writes) continue;
        if (!least || size < smallest) least = names.data[i], smallest = size;
        if (size <= best || sp_starter_hours(&s->facts) / sp_cpu_count() > MOST_HOURS) continue;
        free(s->model_name);
        s->model_name = sp_strdup(names.data[i]);
        best = size;
    }
    if (!s->model_name && least) s->model_name = sp_strdup(least);
    sp_strings_free(&names);
    if (s->model_name) return SP_OK;
    return sp_fail(SP_ERR_MISSING, "there is no model below models/; name one with --model");
}

static sp_status open_model(starting *s) {
    sp_status st = SP_OK;
    if (s->in->model)
        s->model_name = lasting_name(s->in->model);
    else
        st = choose_model(s);
    if (!st) st = sp_model_outline(s->model_name, &s->model);
    if (!st) st = sp_model_open_tokenizer(s->model_name, s->model, &s->tokenizer);
    if (st) return st;
    s->facts.model = s->model_name;
    s->facts.parameters = (double)sp_model_size(s->model);
    s->facts.encoder = s->model->family->bidirectional;
    if (!s->facts.encoder || s->facts.kind != SP_SET_GENERATION) return SP_OK;
    return sp_fail(SP_ERR_SPEC,
                   "model '%s' is an encoder and writes no texts, which %s asks for; name another "
                   "with --model",
                   s->model_name, s->in->data->files[SP_TRAIN]);
}

/* ---- lengths ---- */

static sp_status count_tokens(const starting *s, const char *text, int *count) {
    sp_ints ids = {0};
    sp_status st = sp_tokenizer_encode(s->tokenizer, text, strlen(text), &ids);
    *count = (int)ids.len;
    sp_ints_free(&ids);
    return st;
}

/* The longest answer to an example, and what frames it: an end token, or [CLS] and [SEP]. */
static sp_status measure_answer(const starting *s, const sp_example *e, int *longest) {
    *longest = 0;
    for (size_t i = 0; s->facts.kind != SP_SET_TAGGING && i < e->references.len; i++) {
        char *text = sp_format("%s%s", s->in->data->separator, e->references.data[i]);
        int count;
        sp_status st = count_tokens(s, text, &count);
        free(text);
        if (st) return st;
        if (count > *longest) *longest = count;
    }
    *longest += 2;
    return SP_OK;
}

static sp_status fail_long(const starting *s, sp_split_name split, size_t i, int input,
                           int answer) {
    const char *file = s->in->data->files[split];
    int line = s->in->data->lines[split].data[i], context = s->model->config.n_positions;
    const char *of = s->facts.kind == SP_SET_CLASSIFICATION ? "label" : "answer";
    if (answer + SP_STARTER_ROWS > context)
        return sp_fail(SP_ERR_DATA,
                       "%s:%d: its %s alone takes %d tokens, but the context of model '%s' is %d "
                       "with %d for a prompt; is the right field the %s?",
                       file, line, of, answer, s->model_name, context, SP_STARTER_ROWS, of);
    return sp_fail(SP_ERR_DATA,
                   "%s:%d: the example takes %d tokens, but the context of model '%s' is %d with "
                   "%d for a prompt; shorten it, drop it, or name another model",
                   file, line, input + answer, s->model_name, context, SP_STARTER_ROWS);
}

static sp_status measure_split(starting *s, sp_split_name split, double *tokens) {
    const sp_split *examples = &s->in->data->splits[split];
    for (size_t i = 0; i < examples->count; i++) {
        int input, answer;
        sp_status st = count_tokens(s, examples->items[i].input, &input);
        if (!st) st = measure_answer(s, &examples->items[i], &answer);
        if (st) return st;
        if (input + answer + SP_STARTER_ROWS > s->model->config.n_positions)
            return fail_long(s, split, i, input, answer);
        *tokens += input + answer;
        if (answer > s->facts.longest_answer) s->facts.longest_answer = answer;
    }
    return SP_OK;
}

static sp_status measure(starting *s) {
    double tokens[SP_SPLITS] = {0};
    for (int i = 0; i < SP_SPLITS; i++) {
        s->facts.counts[i] = s->in->data->splits[i].count;
        sp_status st = measure_split(s, (sp_split_name)i, &tokens[i]);
        if (st) return st;
    }
    s->facts.mean_tokens = tokens[SP_TRAIN] / (double)s->facts.counts[SP_TRAIN];
    return SP_OK;
}

/* ---- the form of the answers ---- */

/* A verbalizer needs words of one token each, which mean something. */
static sp_status are_words(const starting *s, bool *out) {
    const sp_label_set *labels = &s->in->data->labels;
    *out = true;
    for (size_t i = 0; *out && i < labels->count; i++) {
        int count;
        sp_status st = count_tokens(s, labels->items[i].words.data[0], &count);
        if (st) return st;
        *out = count == 1 && !isdigit((unsigned char)labels->items[i].name[0]);
    }
    return SP_OK;
}

static sp_status choose_output(starting *s) {
    sp_starter_facts *f = &s->facts;
    if (f->kind == SP_SET_GENERATION) return SP_OK;
    f->output = f->kind == SP_SET_TAGGING ? SP_OUTPUT_TOKEN_LINEAR : SP_OUTPUT_LINEAR;
    f->why_output = f->kind == SP_SET_TAGGING ? "a linear head on the first token of each word"
                                              : "a linear head on [CLS]";
    if (f->kind == SP_SET_TAGGING || f->encoder) return SP_OK;
    bool words;
    sp_status st = are_words(s, &words);
    if (st) return st;
    if (words) f->output = SP_OUTPUT_VERBALIZER;
    f->why_output = words
                        ? "the likeliest of the labels' words; linear: a head trained from nothing"
                        : "a head trained from nothing: not all labels are words of one token";
    return SP_OK;
}

/* ---- files ---- */

static sp_status write_text(const starting *s, const char *name, sp_buf *text) {
    char *path = sp_path_join(s->folder, name);
    sp_status st = sp_write_file(path, text->data, text->len);
    free(path);
    sp_buf_free(text);
    return st;
}

static sp_status make_folder(starting *s) {
    char *above = sp_path_folder(s->in->folder);
    sp_status st = sp_make_folders(above);
    free(above);
    if (st) return st;
    if (mkdir(s->in->folder, 0777))
        return sp_fail(SP_ERR_IO, "%s: %s; choose another --folder", s->in->folder,
                       strerror(errno));
    s->folder = realpath(s->in->folder, NULL);
    if (!s->folder) return sp_fail(SP_ERR_IO, "%s: %s", s->in->folder, strerror(errno));
    s->card = sp_path_join(s->folder, "data.yaml");
    s->facts.dataset = s->card;
    return SP_OK;
}

static sp_status write_data(const starting *s) {
    sp_buf text = {0};
    for (int i = 0; i < SP_SPLITS; i++) {
        char *name = sp_format("%s.jsonl", sp_split_text((sp_split_name)i));
        sp_own_data_jsonl(s->in->data, (sp_split_name)i, &text);
        sp_status st = write_text(s, name, &text);
        free(name);
        if (st) return st;
    }
    sp_own_data_card(s->in->data, s->in->name, &text);
    return write_text(s, "data.yaml", &text);
}

static sp_status write_spec(const starting *s) {
    char *name = sp_format("%s.yaml", s->in->name);
    sp_buf text = {0};
    sp_starter_spec(&s->facts, &text);
    sp_status st = write_text(s, name, &text);
    free(name);
    return st;
}

/* A single-quoted word of the shell inside a Makefile. */
static void put_shell(const char *text, sp_buf *out) {
    for (; *text; text++)
        if (*text == '\'')
            sp_buf_puts(out, "'\\''");
        else
            sp_buf_printf(out, "%s%c", *text == '$' ? "$" : *text == '#' ? "\\" : "", *text);
}

static sp_status write_makefile(const starting *s) {
    sp_buf text = {0};
    sp_buf_puts(&text, "# make -C this-folder TARGET [PRESET=quick] [SET=\"train.steps=50 ...\"]\n"
                       "SOFTPROMPT := ");
    put_shell(s->in->program, &text);
    sp_buf_printf(&text,
                  "\nSTUDY = '$(CURDIR)/%s.yaml' --results '$(CURDIR)/results' \\\n"
                  "    $(if $(PRESET),--preset $(PRESET)) $(foreach s,$(SET),--set $(s))\n",
                  s->in->name);
    sp_buf_puts(
        &text,
        ".PHONY: help plan run report quick full search\n\n"
        "help: ## this list\n"
        "\t@sed -n 's/^\\([a-z ]*\\):[^#]*## \\(.*\\)/  \\1\\t\\2/p' Makefile | expand -t 12\n\n"
        "plan: ## runs, time and trained parameters; nothing is trained\n"
        "\t@'$(SOFTPROMPT)' plan $(STUDY)\n\n"
        "run: ## do the runs that are not finished, then report; goes on after a stop\n"
        "\t@'$(SOFTPROMPT)' run $(STUDY); status=$$?; '$(SOFTPROMPT)' report $(STUDY) && "
        "exit $$status\n\n"
        "report: ## tables and figures of what is finished\n"
        "\t@'$(SOFTPROMPT)' report $(STUDY)\n\n"
        "quick full search: ## run with the preset of this name\n"
        "\t@$(MAKE) --no-print-directory run PRESET=$@\n");
    return write_text(s, "Makefile", &text);
}

/* ---- all of it ---- */

static sp_status check_name(const char *name) {
    size_t len = strlen(name);
    if (len && len <= 64 && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-_") == len &&
        *name != '-')
        return SP_OK;
    return sp_fail(SP_ERR_USAGE,
                   "the name '%s' is no name of a study; use up to 64 of a-z, 0-9, - "
                   "and _",
                   name);
}

static void tell(const starting *s, sp_buf *told) {
    const sp_starter_facts *f = &s->facts;
    static const char *const kinds[] = {"generation", "classification", "tagging"};
    const sp_own_data *data = s->in->data;
    sp_buf_printf(told, "data    %s; fields: %s\n", kinds[f->kind], data->fields);
    sp_buf_printf(told, "        %zu examples to train on, %zu dev, %zu test%s\n",
                  f->counts[SP_TRAIN], f->counts[SP_DEV], f->counts[SP_TEST],
                  data->cut ? ", cut off one file" : "");
    if (f->kind != SP_SET_GENERATION) {
        char *list = sp_label_set_list(&data->labels);
        sp_buf_printf(told, "        %s: %s\n", f->kind == SP_SET_TAGGING ? "tags" : "labels",
                      list);
        free(list);
    }
    sp_buf_printf(told, "model   %s, %.3g million parameters%s\n", f->model, f->parameters / 1e6,
                  s->in->model ? "" : ": the largest here of which the study takes a few hours");
    sp_buf_printf(told,
                  "        fine-tuning takes %.2g GB and what a step's activations need: weights, "
                  "gradients, two moments\n",
                  f->parameters * 4 * sizeof(float) / 1e9);
    sp_buf_printf(told, "runs    %d steps of %d examples of %.0f tokens on average\n",
                  sp_starter_steps(f), sp_starter_batch(f), f->mean_tokens);
}

static sp_status start(starting *s, sp_buf *told) {
    sp_status st = check_name(s->in->name);
    struct stat info;
    if (!st && lstat(s->in->folder, &info) == 0)
        st = sp_fail(SP_ERR_IO, "%s: is there already; choose another name, or remove it yourself",
                     s->in->folder);
    if (!st) st = open_model(s);
    if (!st) st = measure(s);
    if (!st) st = choose_output(s);
    if (!st) st = make_folder(s);
    if (!st) st = write_data(s);
    if (!st) st = write_spec(s);
    if (!st) st = write_makefile(s);
    if (!st) tell(s, told);
    return st;
}

sp_status sp_starter_write(const sp_starter *in, sp_buf *told) {
    starting s = {.in = in, .facts = {.name = in->name, .kind = in->data->kind, .why_output = ""}};
    for (int i = 0; i < SP_SPLITS; i++) s.facts.counts[i] = in->data->splits[i].count;
    sp_status st = start(&s, told);
    sp_tokenizer_free(s.tokenizer);
    sp_model_free(s.model);
    free(s.folder), free(s.card), free(s.model_name);
    return st;
}
