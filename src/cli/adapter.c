/* softprompt adapter: runs as adapters in the layout of PEFT, and the other way round. */
#include "cli/command.h"
#include "cli/steered.h"
#include "core/file.h"
#include "core/option.h"
#include "model/files.h"
#include "model/find.h"
#include "tuning/peft.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct arguments {
    const char *model, *base, *separator, *paths[2]; /* from, to */
    sp_strings labels;
    int count;
    bool force;
} arguments;

enum { BASE = 1, FORCE, SEPARATOR, LABELS };

/* The label names of "a,b,c". */
static void split_labels(const char *text, sp_strings *out) {
    for (;;) {
        size_t n = strcspn(text, ",");
        sp_strings_take(out, sp_strndup(text, n));
        if (!text[n]) return;
        text += n + 1;
    }
}

static error_t parse(int key, char *value, struct argp_state *state) {
    arguments *a = state->input;
    switch (key) {
    case 'm':
        a->model = value;
        return 0;
    case BASE:
        a->base = value;
        return 0;
    case FORCE:
        a->force = true;
        return 0;
    case SEPARATOR:
        a->separator = value;
        return 0;
    case LABELS:
        split_labels(value, &a->labels);
        return 0;
    case ARGP_KEY_ARG:
        if (a->count == 2) argp_error(state, "one adapter at a time; '%s' is too many", value);
        a->paths[a->count++] = value;
        return 0;
    case ARGP_KEY_END:
        if (a->count < 2) argp_error(state, "from where to where? two paths are needed");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* ---- export ---- */

static const struct argp_option export_options[] = {
    {"model", 'm', "NAME", 0,
     "a folder, a .gguf file, or a name of `softprompt model list` (default: that of the run)", 0},
    {"base", BASE, "NAME", 0,
     "base_model_name_or_path of the adapter: a folder or a hub name (default: the model's folder)",
     0},
    {"force", FORCE, NULL, 0, "replace the adapter in a folder that exists", 0},
    {0}};
static const struct argp export_parser = {
    .options = export_options,
    .parser = parse,
    .args_doc = "RUN.h5 DIR",
    .doc = "Writes a run as adapter_config.json and adapter_model.safetensors, which PEFT's "
           "PeftModel.from_pretrained(base_model, DIR) loads: prefix, p-tuning-v2, prompt and "
           "p-tuning with the prompt before the input, lora, adalora (as LoRA), adaption-prompt "
           "(Llama), and linear class heads."};

/* The run's model and method, and whether it is of a kind that can be exported at all. */
static sp_status read_origin(const char *path, char **model, char **method) {
    sp_h5 *file;
    sp_status st = sp_h5_open(path, &file);
    if (st) return st;
    st = sp_h5_get_text(file, "/", "model", model);
    if (!st) st = sp_h5_get_text(file, "/", "method", method);
    if (!st && sp_h5_is_group(file, "/prompt/weights"))
        st = sp_fail(SP_ERR_SPEC,
                     "%s: method %s trained weights of the model itself, which no PEFT adapter "
                     "holds; use `softprompt generate --adapter` with the run itself, or lora",
                     path, *method);
    sp_h5_close(file);
    return st;
}

/* The model's path so that it holds wherever it is read; its name where there is no such model any
 * more. The caller's. */
static char *base_of(const char *model) {
    char *path = NULL;
    char *whole = sp_model_find(model, &path) ? NULL : realpath(path, NULL);
    free(path);
    return whole ? whole : sp_strdup(model);
}

/* A text as it would stand in JSON or a shell. */
static void print_escaped(const char *text) {
    for (; *text; text++)
        if (*text == '\n')
            fputs("\\n", stdout);
        else if (*text == '\t')
            fputs("\\t", stdout);
        else
            putchar(*text);
}

static void print_exported(const arguments *a, const sp_steered *s, const char *method) {
    printf("%s: method %s; PeftModel.from_pretrained(base_model, \"%s\")\n", a->paths[1], method,
           a->paths[1]);
    printf("inputs end with the separator \"");
    print_escaped(s->prompt.separator);
    printf("\", which PEFT does not know: put it behind each input\n");
    if (s->head.output != SP_OUTPUT_LINEAR) return;
    printf("labels in order:");
    for (size_t i = 0; i < s->head.labels.len; i++) printf(" %s", s->head.labels.data[i]);
    putchar('\n');
    if (s->model->family->bidirectional) return;
    printf("the head has a bias, which transformers' decoders lack; before from_pretrained:\n"
           "  base_model.score = torch.nn.Linear(%d, %zu)\n",
           s->model->config.n_embd, s->head.labels.len);
}

static sp_status export_run(const arguments *a) {
    char *model = NULL, *method = NULL;
    sp_status st = read_origin(a->paths[0], &model, &method);
    sp_steered s = {0};
    const char *name = a->model ? a->model : model;
    if (!st) st = sp_steered_open(&(sp_steered_names){name, a->paths[0]}, &s);
    if (!st) {
        char *base = a->base ? sp_strdup(a->base) : base_of(name);
        st = sp_peft_export(&(sp_peft_source){.model = s.model,
                                              .prompt = &s.prompt,
                                              .head = &s.head,
                                              .method = method,
                                              .place = a->paths[0],
                                              .base = base},
                            a->paths[1], a->force);
        free(base);
    }
    if (!st) print_exported(a, &s, method);
    sp_steered_close(&s);
    free(model);
    free(method);
    return st;
}

/* ---- import ---- */

static const struct argp_option import_options[] = {
    {"model", 'm', "NAME", 0, "the base model: a folder, or a name below models/ (required)", 0},
    {"separator", SEPARATOR, "TEXT", 0,
     "what stands behind an input (default: a line end; of an encoder nothing)", 0},
    {"labels", LABELS, "A,B,...", 0,
     "names of the labels of a class head (default: LABEL_0, LABEL_1, ...)", 0},
    {"force", FORCE, NULL, 0, "replace OUT.h5 if it exists", 0},
    {0}};
static const struct argp import_parser = {
    .options = import_options,
    .parser = parse,
    .args_doc = "DIR OUT.h5",
    .doc = "Reads a folder that PEFT saved (LORA, ADALORA, PREFIX_TUNING, PROMPT_TUNING, P_TUNING, "
           "ADAPTION_PROMPT; tasks CAUSAL_LM and SEQ_CLS) and writes what --adapter of "
           "`softprompt generate` and `logprobs` takes."};

/* What stands in a run file for where it comes from. */
static sp_status write_origin(const arguments *a, const char *method, sp_h5 *file) {
    char *origin = sp_format("PEFT adapter %s", a->paths[0]);
    sp_digest hash;
    sp_status st = sp_model_hash(a->model, &hash);
    if (!st) st = sp_h5_set_text(file, "/", "schema", "softprompt-adapter/1");
    if (!st) st = sp_h5_set_text(file, "/", "status", "imported");
    if (!st) st = sp_h5_set_text(file, "/", "origin", origin);
    if (!st) st = sp_h5_set_text(file, "/", "method", method);
    if (!st) st = sp_h5_set_text(file, "/", "model", a->model);
    if (!st) st = sp_h5_set_text(file, "/", "model_sha256", hash.hex);
    if (!st) st = sp_h5_set_text(file, "/", "version", SP_VERSION);
    free(origin);
    return st;
}

static sp_status write_adapter(const arguments *a, const sp_model *model,
                               const sp_peft_adapter *adapter) {
    sp_h5 *file;
    sp_status st = sp_h5_create(a->paths[1], &file);
    if (st) return st;
    st = write_origin(a, adapter->method, file);
    if (!st) st = sp_soft_prompt_write(&adapter->prompt, model, file);
    if (!st && adapter->head.output != SP_OUTPUT_TEXT)
        st = sp_class_head_write(&adapter->head, file);
    return sp_h5_finish(file, st);
}

static void print_imported(const arguments *a, const sp_model *model,
                           const sp_peft_adapter *adapter) {
    printf("%s: method %s, %ld numbers; softprompt generate --model %s --adapter %s\n", a->paths[1],
           adapter->method, sp_soft_prompt_size(&adapter->prompt, model), a->model, a->paths[1]);
}

static sp_status import_folder(const arguments *a) {
    if (!a->force && sp_file_exists(a->paths[1]))
        return sp_fail(SP_ERR_IO, "%s: exists; use another name, or --force", a->paths[1]);
    sp_steered base;
    sp_peft_adapter adapter = {0};
    sp_status st = sp_steered_open(&(sp_steered_names){a->model, NULL}, &base);
    if (!st) {
        bool encoder = base.model->family->bidirectional;
        sp_peft_extras extras = {.tokenizer = base.tokenizer,
                                 .separator = a->separator ? a->separator
                                              : encoder    ? ""
                                                           : "\n",
                                 .labels = &a->labels};
        st = sp_peft_import(a->paths[0], base.model, &extras, &adapter);
    }
    if (!st) st = write_adapter(a, base.model, &adapter);
    if (!st) print_imported(a, base.model, &adapter);
    sp_peft_adapter_free(&adapter);
    sp_steered_close(&base);
    return st;
}

/* ---- the command ---- */

static void print_usage(FILE *out) {
    fputs("Usage: softprompt adapter export RUN.h5 DIR [OPTION...]\n"
          "       softprompt adapter import DIR OUT.h5 --model NAME [OPTION...]\n\n"
          "Runs as adapters in the layout of the PEFT library, and such adapters as runs.\n"
          "`softprompt adapter export --help` and `import --help` tell the options.\n",
          out);
}

static sp_status run_direction(int argc, char **argv) {
    arguments a = {0};
    bool import = strcmp(argv[0], "import") == 0;
    char *name = sp_format("softprompt adapter %s", argv[0]);
    argv[0] = name;
    argp_parse(import ? &import_parser : &export_parser, argc, argv, 0, NULL, &a);
    sp_status st = SP_OK;
    if (import && !a.model)
        st = sp_fail(SP_ERR_USAGE, "adapter import: for which model? --model NAME");
    if (!st) st = import ? import_folder(&a) : export_run(&a);
    sp_strings_free(&a.labels);
    free(name);
    return st;
}

static sp_status run(int argc, char **argv) {
    static const char *const directions[] = {"export", "import", NULL};
    if (argc < 2) {
        print_usage(stderr);
        return sp_fail(SP_ERR_USAGE, "adapter: export or import?");
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        print_usage(stdout);
        return SP_OK;
    }
    for (int i = 0; directions[i]; i++)
        if (strcmp(argv[1], directions[i]) == 0) return run_direction(argc - 1, argv + 1);
    return sp_fail(SP_ERR_USAGE, "adapter: '%s' is neither export nor import%s", argv[1],
                   sp_did_you_mean(argv[1], directions));
}

const sp_command sp_command_adapter = {
    .name = "adapter", .help = "runs to and from adapters of the PEFT library", .run = run};
