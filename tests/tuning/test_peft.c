/* Adapters in PEFT's layout against what PEFT itself computes with them (tests/golden/peft). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/file.h"
#include "support/folder.h"
#include "support/golden.h"
#include "tensor/gemm.h"
#include "tuning/peft.h"

#include <jansson.h>

#define CASES "tests/golden/peft/"
enum { SEQUENCES = 3 };

static const char *const all_cases[] = {
    "gpt2-prefix",     "gpt2-prompt",           "gpt2-p-tuning",      "gpt2-lora-patterns",
    "gpt2-lora-regex", "gpt2-adalora",          "gpt2-lora-class",    "llama-prefix",
    "llama-lora",      "llama-adaption-prompt", "llama-prompt-class", NULL};

static const sp_strings no_labels = {0};
static const sp_peft_extras extras = {.separator = "\n", .labels = &no_labels};

static sp_model *model_of(const char *name) {
    bool llama = strncmp(name, "llama", 5) == 0;
    return golden_model_in(llama ? "tests/golden/llama-tiny" : "tests/golden/gpt2-tiny",
                           SP_PRECISION_FP32);
}

static sp_peft_adapter import(const char *folder, const sp_model *model) {
    sp_peft_adapter adapter;
    if (sp_peft_import(folder, model, &extras, &adapter)) fail_msg("%s", sp_error());
    return adapter;
}

/* [SEQUENCES, vocabulary or labels] of the last token of each sequence; the caller's. */
static float *last_logits(const sp_model *model, sp_peft_adapter *adapter, size_t *count) {
    sp_steering s = sp_soft_prompt_steering(&adapter->prompt);
    int rows = (int)adapter->prompt.virtual_rows.rows, last[SEQUENCES];
    golden_batch b = golden_read_batch(rows, s.first_position);
    for (int i = 0; i < SEQUENCES; i++) last[i] = b.offsets[i + 1] - 1;
    sp_tape tape = {.inference = true};
    sp_context ctx = golden_context(&b, &s);
    sp_var *hidden = sp_model_forward(&tape, model, b.ids, &ctx);
    hidden = sp_gather_rows(&tape, hidden, last, SEQUENCES);
    sp_var *logits = adapter->head.output == SP_OUTPUT_LINEAR
                         ? sp_class_logits(&tape, &adapter->head, model, hidden)
                         : sp_model_logits(&tape, model, hidden, SEQUENCES);
    *count = (size_t)(SEQUENCES * logits->cols);
    float *copy = memcpy(sp_alloc_floats(*count), logits->data, *count * sizeof(float));
    sp_tape_free(&tape);
    return copy;
}

static void assert_logits(const sp_model *model, const char *folder,
                          const sp_safetensors *expected) {
    sp_peft_adapter adapter = import(folder, model);
    size_t count;
    float *logits = last_logits(model, &adapter, &count);
    assert_golden(expected, "logits", logits, count, 1e-5);
    free(logits);
    sp_peft_adapter_free(&adapter);
}

static void export_to(const sp_model *model, sp_peft_adapter *adapter, const char *folder) {
    sp_peft_source source = {.model = model,
                             .prompt = &adapter->prompt,
                             .head = &adapter->head,
                             .method = adapter->method,
                             .place = "run.h5",
                             .base = "base"};
    if (sp_peft_export(&source, folder, false)) fail_msg("%s", sp_error());
}

/* What PEFT saved gives here the logits that it gives there. */
static void an_imported_adapter_has_the_logits_of_peft(void **state) {
    (void)state;
    for (int i = 0; all_cases[i]; i++) {
        char *folder = sp_format(CASES "%s", all_cases[i]);
        sp_model *model = model_of(all_cases[i]);
        sp_safetensors *expected = golden_open_in(folder, "logits");
        assert_logits(model, folder, expected);
        sp_safetensors_close(expected);
        sp_model_free(model);
        free(folder);
    }
}

/* Every tensor of `before` is in `after`, to the bit. */
static void assert_same_tensors(const sp_safetensors *before, const sp_safetensors *after) {
    for (size_t i = 0; i < sp_safetensors_count(before); i++) {
        const sp_stored_tensor *a = sp_safetensors_at(before, i);
        const sp_stored_tensor *b = sp_safetensors_find(after, a->name);
        if (!b) fail_msg("%s is not there", a->name);
        assert_int_equal(a->rank, b->rank);
        assert_memory_equal(a->dims, b->dims, (size_t)a->rank * sizeof *a->dims);
        assert_memory_equal(a->data, b->data, a->count * sizeof(float));
    }
}

/* An exported import has the same tensors (AdaLoRA becomes LoRA, the rows of an adaption prompt are
 * found again), and importing it again gives the same logits. */
static void an_exported_import_is_the_same_adapter(void **state) {
    (void)state;
    for (int i = 0; all_cases[i]; i++) {
        char *folder = sp_format(CASES "%s", all_cases[i]), *out = make_folder();
        sp_model *model = model_of(all_cases[i]);
        sp_peft_adapter adapter = import(folder, model);
        export_to(model, &adapter, out);
        sp_safetensors *before = golden_open_in(folder, "adapter_model");
        sp_safetensors *after = golden_open_in(out, "adapter_model");
        if (strcmp(adapter.method, "adalora") != 0 &&
            strcmp(adapter.method, "adaption-prompt") != 0)
            assert_same_tensors(before, after);
        sp_safetensors *expected = golden_open_in(folder, "logits");
        assert_logits(model, out, expected);
        sp_safetensors_close(before);
        sp_safetensors_close(after);
        sp_safetensors_close(expected);
        sp_peft_adapter_free(&adapter);
        sp_model_free(model);
        remove_folder(out);
        free(folder);
    }
}

/* ---- bad adapters ---- */

/* Copies a case into a fresh folder with one key of its configuration replaced by JSON `value`
 * (NULL: the key goes). */
static char *with_setting(const char *name, const char *key, const char *value) {
    char *folder = make_folder();
    for (int i = 0; i < 2; i++) {
        const char *file = i ? "adapter_model.safetensors" : "adapter_config.json";
        char *from = sp_format(CASES "%s/%s", name, file), *to = sp_path_join(folder, file);
        sp_buf data = {0};
        assert_int_equal(sp_read_file(from, &data), SP_OK);
        if (i == 0) {
            json_t *root = json_loads(data.data, 0, NULL);
            if (value)
                json_object_set_new(root, key, json_loads(value, JSON_DECODE_ANY, NULL));
            else
                json_object_del(root, key);
            char *text = json_dumps(root, 0);
            sp_buf_clear(&data);
            sp_buf_puts(&data, text);
            json_decref(root);
            free(text);
        }
        assert_int_equal(sp_write_file(to, data.data, data.len), SP_OK);
        sp_buf_free(&data);
        free(from), free(to);
    }
    return folder;
}

static void assert_refused(const char *name, char *folder, sp_status expected, const char *text) {
    sp_model *model = model_of(name);
    sp_peft_adapter adapter;
    sp_status st = sp_peft_import(folder, model, &extras, &adapter);
    if (st != expected || !strstr(sp_error(), text))
        fail_msg("%s: status %d, '%s' instead of %d, '%s'", name, st, st ? sp_error() : "",
                 expected, text);
    sp_model_free(model);
    remove_folder(folder);
}

/* A setting that changes what PEFT says, or does not fit the model, is refused by its name. */
static void a_setting_that_cannot_be_followed_is_refused(void **state) {
    (void)state;
    static const char *const bad[][4] = {
        {"gpt2-lora-patterns", "peft_type", "\"LOHA\"", "\"peft_type\" is \"LOHA\""},
        {"gpt2-lora-patterns", "peft_type", NULL, "\"peft_type\" is missing"},
        {"gpt2-lora-patterns", "task_type", "\"SEQ_2_SEQ_LM\"", "\"task_type\""},
        {"gpt2-lora-patterns", "use_dora", "true", "\"use_dora\" is true"},
        {"gpt2-lora-patterns", "bias", "\"all\"", "\"bias\" is \"all\""},
        {"gpt2-lora-patterns", "layers_to_transform", "[0]", "\"layers_to_transform\" is [0]"},
        {"gpt2-lora-patterns", "modules_to_save", "[\"wte\"]", "\"modules_to_save\""},
        {"gpt2-lora-patterns", "some_new_thing", "3", "\"some_new_thing\" is 3"},
        {"gpt2-lora-patterns", "init_lora_weights", "\"pissa\"", "\"init_lora_weights\""},
        {"gpt2-lora-patterns", "r", "0", "\"r\" must be a number from 1"},
        {"gpt2-lora-patterns", "r", "1e300", "\"r\" must be a number from 1"},
        {"gpt2-lora-patterns", "r", "2.5", "the rank for"},
        {"gpt2-lora-patterns", "rank_pattern", "{\"((a+)+)+$|(\": 1}", "regular expression"},
        {"gpt2-lora-patterns", "rank_pattern", "[]", "\"rank_pattern\" must be an object"},
        {"gpt2-lora-patterns", "rank_pattern", "{}", "has shape [3, 32]; [2, 32] is needed"},
        {"gpt2-lora-patterns", "lora_alpha", "\"5\"", "\"lora_alpha\" must be a number"},
        {"gpt2-lora-patterns", "target_modules", "[\"q_proj\"]", "names no linear map"},
        {"gpt2-lora-patterns", "target_modules", "[3]", "an entry that is no text"},
        {"gpt2-lora-patterns", "target_modules", "\"([a-z]+|[a-z_.0-9]+)+[A-Z]\"",
         "regular expression"},
        {"gpt2-lora-patterns", "target_modules", "[\"c_attn\"]", "has no place"},
        {"gpt2-lora-patterns", "target_modules", "[\"c_attn\", \"c_proj\"]", "has no tensor"},
        {"gpt2-prefix", "num_virtual_tokens", "64", "\"num_virtual_tokens\" is 64"},
        {"gpt2-prefix", "num_virtual_tokens", "4", "has shape [3, 128]; [4, 128] is needed"},
        {"gpt2-prefix", "num_layers", "3", "\"num_layers\" is 3; this model has 2"},
        {"gpt2-prefix", "num_attention_heads", "2", "\"num_attention_heads\" is 2"},
        {"gpt2-prompt", "token_dim", "64", "\"token_dim\" is 64"},
        {"gpt2-prompt", "num_transformer_submodules", "2", "\"num_transformer_submodules\""},
        {"llama-adaption-prompt", "adapter_layers", "2", "has no tensor"},
        {"llama-adaption-prompt", "adapter_layers", "3", "whole number from 1 to 2"},
        {"gpt2-lora-class", "task_type", "\"CAUSAL_LM\"", "\"modules_to_save\""},
        {"gpt2-adalora", "init_r", "null", "\"init_r\" is null"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_refused(bad[i][0], with_setting(bad[i][0], bad[i][1], bad[i][2]), SP_ERR_FORMAT,
                       bad[i][3]);
}

/* An adapter for another model is refused, whatever it is. */
static void an_adapter_of_another_model_is_refused(void **state) {
    (void)state;
    for (int i = 0; all_cases[i]; i++) {
        bool llama = strncmp(all_cases[i], "llama", 5) == 0;
        if (strstr(all_cases[i], "prompt") && !strstr(all_cases[i], "adaption")) continue; /* fit */
        sp_model *model = model_of(llama ? "gpt2" : "llama");
        char *folder = sp_format(CASES "%s", all_cases[i]);
        sp_peft_adapter adapter;
        if (strcmp(all_cases[i], "gpt2-p-tuning") != 0)
            assert_int_not_equal(sp_peft_import(folder, model, &extras, &adapter), SP_OK);
        free(folder);
        sp_model_free(model);
    }
}

/* The prompt's tensors, and one more of this name and values. */
static char *with_tensors(const char *extra, float value, int64_t rows) {
    char *folder = with_setting("gpt2-prompt", "revision", NULL);
    char *path = sp_path_join(folder, "adapter_model.safetensors");
    float values[4 * 32];
    for (int i = 0; i < 4 * 32; i++) values[i] = i == 40 ? value : 0.5f;
    sp_named_tensor tensors[2] = {{.name = extra ? "prompt_embeddings" : "prompt",
                                   .rank = 2,
                                   .dims = {rows, 32},
                                   .data = values},
                                  {.name = extra, .rank = 1, .dims = {1}, .data = values}};
    size_t count = extra && *extra ? 2 : 1;
    assert_int_equal(sp_safetensors_write(path, tensors, count), SP_OK);
    free(path);
    return folder;
}

/* Tensors that are missing, too many, of another shape or not finite are refused by their name. */
static void tensors_that_do_not_fit_are_refused(void **state) {
    (void)state;
    assert_refused("gpt2", with_tensors(NULL, 0, 3), SP_ERR_FORMAT, "has no tensor prompt_emb");
    assert_refused("gpt2", with_tensors("", 0, 4), SP_ERR_FORMAT, "has shape [4, 32]");
    assert_refused("gpt2", with_tensors("", NAN, 3), SP_ERR_FORMAT, "not finite at 40");
    assert_refused("gpt2", with_tensors("", -INFINITY, 3), SP_ERR_FORMAT, "not finite");
    assert_refused("gpt2", with_tensors("strange.weight", 0, 3), SP_ERR_FORMAT,
                   "tensor strange.weight (1 of 2");
}

/* ---- what PEFT cannot hold ---- */

static void assert_not_exported(const sp_model *model, sp_peft_adapter *adapter, const char *text) {
    char *parent = make_folder(), *folder = sp_path_join(parent, "out");
    sp_peft_source source = {.model = model,
                             .prompt = &adapter->prompt,
                             .head = &adapter->head,
                             .method = adapter->method,
                             .place = "run.h5",
                             .base = "base"};
    assert_int_equal(sp_peft_export(&source, folder, false), SP_ERR_SPEC);
    if (!strstr(sp_error(), text)) fail_msg("'%s' is not in '%s'", text, sp_error());
    assert_int_equal(count_files(parent), 0);
    remove_folder(parent);
    free(folder);
}

/* Variants that PEFT's layout has no place for are refused, and nothing is written. */
static void what_peft_cannot_hold_is_refused(void **state) {
    (void)state;
    sp_model *model = model_of("gpt2");
    sp_peft_adapter prefix = import(CASES "gpt2-prefix", model);
    prefix.prompt.infix = true;
    assert_not_exported(model, &prefix, "an infix");
    prefix.prompt.infix = false;
    prefix.prompt.first_position = 0;
    assert_not_exported(model, &prefix, "positions begin at 0");
    prefix.prompt.kv[1] = (sp_kv){0};
    assert_not_exported(model, &prefix, "some of the layers");
    sp_peft_adapter_free(&prefix);

    sp_peft_adapter rows = import(CASES "gpt2-prompt", model);
    sp_ints_push(&rows.prompt.template.after, 5);
    assert_not_exported(model, &rows, "a template");
    rows.prompt.template.after.len = 0;
    rows.prompt.template.before.data[1] = 7;
    assert_not_exported(model, &rows, "a template");
    rows.head.output = SP_OUTPUT_VERBALIZER;
    assert_not_exported(model, &rows, "a verbalizer");
    rows.head.output = SP_OUTPUT_TOKEN_LINEAR;
    assert_not_exported(model, &rows, "a head for tags");
    rows.head.output = SP_OUTPUT_TEXT;
    sp_peft_adapter_free(&rows);

    sp_peft_adapter nothing = {.method = "none"};
    assert_not_exported(model, &nothing, "an adapter of nothing");
    sp_model_free(model);
}

/* A folder with something in it is left alone unless told; then only the adapter's files change. */
static void an_export_does_not_overwrite_a_folder(void **state) {
    (void)state;
    sp_model *model = model_of("gpt2");
    sp_peft_adapter adapter = import(CASES "gpt2-prompt", model);
    char *folder = make_folder(), *note = sp_path_join(folder, "note.txt");
    assert_int_equal(sp_write_file(note, "mine", 4), SP_OK);
    sp_peft_source source = {.model = model,
                             .prompt = &adapter.prompt,
                             .head = &adapter.head,
                             .method = "prompt",
                             .place = "run.h5",
                             .base = "base"};
    assert_int_equal(sp_peft_export(&source, folder, false), SP_ERR_IO);
    assert_int_equal(count_files(folder), 1);
    assert_int_equal(sp_peft_export(&source, folder, true), SP_OK);
    assert_int_equal(count_files(folder), 3);
    free(note);
    remove_folder(folder);
    sp_peft_adapter_free(&adapter);
    sp_model_free(model);
}

int main(void) {
    if (sp_gemm_start(1)) return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_imported_adapter_has_the_logits_of_peft),
        cmocka_unit_test(an_exported_import_is_the_same_adapter),
        cmocka_unit_test(a_setting_that_cannot_be_followed_is_refused),
        cmocka_unit_test(an_adapter_of_another_model_is_refused),
        cmocka_unit_test(tensors_that_do_not_fit_are_refused),
        cmocka_unit_test(what_peft_cannot_hold_is_refused),
        cmocka_unit_test(an_export_does_not_overwrite_a_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
