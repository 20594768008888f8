/* A model folder: the variants config.json may not ask for, the tokenizer that must fit, the hash.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model/files.h"
#include "support/folder.h"
#include "support/golden.h"
#include "support/letters.h"

#define SIZES                                                                                      \
    "\"model_type\": \"gpt2\", \"vocab_size\": 97, \"n_positions\": 64, \"n_embd\": 32, "          \
    "\"n_layer\": 2, \"n_head\": 4"

static sp_status read_config(const char *folder, const char *more) {
    char *path = sp_path_join(folder, "config.json");
    char *text = sp_format("{" SIZES "%s}", more);
    sp_config config;
    assert_int_equal(sp_write_file(path, text, strlen(text)), SP_OK);
    sp_status st = sp_config_read(path, &config);
    free(text);
    free(path);
    return st;
}

static void a_variant_of_the_equations_is_refused_by_its_key(void **state) {
    (void)state;
    char *folder = make_folder();
    static const char *const wrong[] = {
        "\"tie_word_embeddings\": false", "\"scale_attn_weights\": 0",
        "\"scale_attn_by_inverse_layer_idx\": 2", "\"tie_word_embeddings\": 1",
        "\"activation_function\": \"silu\""};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        char *more = sp_format(", %s", wrong[i]), *key = sp_strndup(wrong[i], 15);
        assert_int_equal(read_config(folder, more), SP_ERR_FORMAT);
        if (!strstr(sp_error(), key) || !strstr(sp_error(), "config.json: "))
            fail_msg("%s is not in: %s", key, sp_error());
        free(more);
        free(key);
    }
    if (read_config(folder, ", \"tie_word_embeddings\": true, \"scale_attn_weights\": true, "
                            "\"scale_attn_by_inverse_layer_idx\": false, "
                            "\"reorder_and_upcast_attn\": true"))
        fail_msg("%s", sp_error());
    remove_folder(folder);
}

static void gpt2_takes_the_activations_that_there_are_by_name(void **state) {
    (void)state;
    static const struct {
        const char *name;
        sp_activation kind;
    } known[] = {{"gelu_new", SP_GELU_NEW}, {"gelu", SP_GELU_EXACT}, {"relu", SP_RELU}};
    char *folder = make_folder(), *path = sp_path_join(folder, "config.json");
    sp_config config, again;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        char *text = sp_format("{" SIZES ", \"activation_function\": \"%s\"}", known[i].name);
        assert_int_equal(sp_write_file(path, text, strlen(text)), SP_OK);
        assert_int_equal(sp_config_read(path, &config), SP_OK);
        assert_int_equal(config.activation, known[i].kind);
        assert_int_equal(sp_config_write(path, &config), SP_OK);
        assert_int_equal(sp_config_read(path, &again), SP_OK);
        assert_int_equal(again.activation, known[i].kind);
        free(text);
    }
    assert_int_equal(read_config(folder, ""), SP_OK);
    free(path);
    remove_folder(folder);
}

static void a_token_id_outside_the_vocabulary_is_refused(void **state) {
    (void)state;
    char *folder = make_folder();
    assert_int_equal(read_config(folder, ", \"eos_token_id\": 96"), SP_OK);
    assert_int_equal(read_config(folder, ", \"eos_token_id\": 97"), SP_ERR_FORMAT);
    assert_non_null(strstr(sp_error(), "\"eos_token_id\" is 97, but the vocabulary has 97 tokens"));
    assert_int_equal(read_config(folder, ", \"bos_token_id\": 50256"), SP_ERR_FORMAT);
    remove_folder(folder);
}

static void save_tokenizer(const char *folder) {
    char *path = sp_path_join(folder, "tokenizer.json");
    sp_tokenizer *tokenizer = letters();
    assert_int_equal(sp_tokenizer_save(tokenizer, path), SP_OK);
    sp_tokenizer_free(tokenizer);
    free(path);
}

static void a_tokenizer_larger_than_the_vocabulary_is_refused(void **state) {
    (void)state;
    char *folder = make_folder();
    sp_model *model = golden_model();
    sp_tokenizer *tokenizer = NULL;
    assert_int_equal(sp_model_open_tokenizer(folder, model, &tokenizer), SP_ERR_MISSING);
    save_tokenizer(folder);
    assert_int_equal(sp_model_open_tokenizer(folder, model, &tokenizer), SP_OK);
    assert_int_equal(sp_tokenizer_size(tokenizer), 6);
    sp_tokenizer_free(tokenizer);
    model->config.vocab_size = 5;
    assert_int_equal(sp_model_open_tokenizer(folder, model, &tokenizer), SP_ERR_FORMAT);
    assert_null(tokenizer);
    assert_non_null(strstr(sp_error(), ": the tokenizer has 6 tokens"));
    sp_model_free(model);
    remove_folder(folder);
}

static void change(const char *folder, const char *name) {
    char *path = sp_path_join(folder, name);
    sp_buf text = {0};
    assert_int_equal(sp_read_file(path, &text), SP_OK);
    sp_buf_putc(&text, '\n');
    assert_int_equal(sp_write_file(path, text.data, text.len), SP_OK);
    sp_buf_free(&text);
    free(path);
}

/* What `sha256sum config.json model.safetensors tokenizer.json | sha256sum` prints. */
static void assert_hash_of_sha256sum(const char *folder, const char *hex) {
    char *command = sp_format("cd %s && sha256sum config.json model.safetensors tokenizer.json | "
                              "sha256sum",
                              folder);
    char line[65] = "";
    FILE *pipe = popen(command, "r");
    assert_non_null(fgets(line, sizeof line, pipe));
    pclose(pipe);
    assert_string_equal(line, hex);
    free(command);
}

static void the_hash_covers_configuration_weights_and_tokenizer(void **state) {
    (void)state;
    static const char *const names[] = {"config.json", "model.safetensors", "tokenizer.json"};
    char *folder = make_folder();
    sp_model *model = golden_model();
    sp_digest before, after;
    assert_int_equal(sp_model_save(model, folder, SP_F32), SP_OK);
    assert_int_equal(sp_model_hash(folder, &before), SP_ERR_MISSING);
    assert_non_null(strstr(sp_error(), "tokenizer.json"));
    save_tokenizer(folder);
    assert_int_equal(sp_model_hash(folder, &before), SP_OK);
    assert_hash_of_sha256sum(folder, before.hex);
    for (int i = 0; i < 3; i++) {
        change(folder, names[i]);
        assert_int_equal(sp_model_hash(folder, &after), SP_OK);
        assert_string_not_equal(before.hex, after.hex);
        before = after;
    }
    sp_model_free(model);
    remove_folder(folder);
}

static void the_hash_covers_every_file_of_a_tokenizer_in_parts(void **state) {
    (void)state;
    static const char *const names[] = {"vocab.json", "merges.txt", "tokenizer_config.json",
                                        "special_tokens_map.json", "added_tokens.json"};
    char *folder = make_folder();
    sp_model *model = golden_model();
    sp_digest before = {0}, after;
    assert_int_equal(sp_model_save(model, folder, SP_F32), SP_OK);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char *path = sp_path_join(folder, names[i]);
        assert_int_equal(sp_write_file(path, "{}", 2), SP_OK);
        assert_int_equal(sp_model_hash(folder, &after), SP_OK);
        assert_string_not_equal(before.hex, after.hex);
        before = after;
        free(path);
    }
    sp_model_free(model);
    remove_folder(folder);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_variant_of_the_equations_is_refused_by_its_key),
        cmocka_unit_test(gpt2_takes_the_activations_that_there_are_by_name),
        cmocka_unit_test(a_token_id_outside_the_vocabulary_is_refused),
        cmocka_unit_test(a_tokenizer_larger_than_the_vocabulary_is_refused),
        cmocka_unit_test(the_hash_covers_configuration_weights_and_tokenizer),
        cmocka_unit_test(the_hash_covers_every_file_of_a_tokenizer_in_parts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
