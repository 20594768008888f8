// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
// clang-format on

#include "model/files.h"
#include "model/pretrained.h"
#include "support/folder.h"
#include "support/golden.h"
#include "tensor/gemm.h"

#include <unistd.h>

#define GGUF "tests/golden/gguf/"

/* ---- same weights ---- */

/* Every weight is equal within `tolerance` times the larger of 1 and its value. */
static void assert_same_weights(const sp_model *a, const sp_model *b, double tolerance) {
    assert_int_equal(a->params.count, b->params.count);
    for (size_t i = 0; i < a->params.count; i++) {
        const sp_param *x = a->params.items[i], *y = b->params.items[i];
        assert_string_equal(x->name, y->name);
        assert_int_equal(x->var.rows * x->var.cols, y->var.rows * y->var.cols);
        for (long k = 0; k < x->var.rows * x->var.cols; k++) {
            double want = (double)y->var.data[k], most = tolerance * fmax(1, fabs(want));
            if (!(fabs((double)x->var.data[k] - want) <= most))
                fail_msg("%s[%ld] is %.9g, expected %.9g", x->name, k, (double)x->var.data[k],
                         want);
        }
    }
}

static void assert_same_config(const sp_config *a, const sp_config *b) {
    assert_string_equal(a->model_type, b->model_type);
    assert_int_equal(a->vocab_size, b->vocab_size);
    assert_int_equal(a->n_positions, b->n_positions);
    assert_int_equal(a->n_inner, b->n_inner);
    assert_int_equal(a->n_head, b->n_head);
    assert_int_equal(a->n_kv_head, b->n_kv_head);
    assert_int_equal(a->head_size, b->head_size);
    assert_int_equal(a->eos_token_id, b->eos_token_id);
    assert_true(fabs(a->layer_norm_epsilon - b->layer_norm_epsilon) < 1e-10);
    assert_true(a->rope_theta == b->rope_theta);
    assert_int_equal(a->rope_scaling.type, b->rope_scaling.type);
    assert_true(a->rope_scaling.factor == b->rope_scaling.factor);
    assert_int_equal(a->tie_word_embeddings, b->tie_word_embeddings);
    assert_int_equal(a->attention_bias, b->attention_bias);
    assert_int_equal(a->mlp_bias, b->mlp_bias);
}

/* F16 keeps 11 bits of weights that are about 0.2. */
static void
a_gguf_file_holds_the_weights_and_the_configuration_of_the_model_it_is_made_of(void **state) {
    (void)state;
    static const struct {
        const char *name;
        double tolerance;
    } cases[] = {{"gpt2-tiny", 5e-4}, {"llama-tiny", 0},  {"llama-tiny-bias", 5e-4},
                 {"qwen2-tiny", 0},   {"linear-tiny", 0}, {"yarn-tiny", 5e-4}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *file = sp_format(GGUF "%s.gguf", cases[i].name);
        char *folder = sp_format("tests/golden/%s", cases[i].name);
        sp_model *gguf = golden_model_in(file, SP_PRECISION_FP32);
        sp_model *original = golden_model_in(folder, SP_PRECISION_FP32);
        assert_same_config(&gguf->config, &original->config);
        assert_same_weights(gguf, original, cases[i].tolerance);
        sp_model_free(gguf);
        sp_model_free(original);
        free(file), free(folder);
    }
}

static void a_gguf_model_gives_the_logits_of_transformers(void **state) {
    (void)state;
    static const char *const names[] = {"llama-tiny", "linear-tiny"};
    for (size_t i = 0; i < 2; i++) {
        char *path = sp_format(GGUF "%s.gguf", names[i]);
        char *folder = sp_format("tests/golden/%s", names[i]);
        sp_model *model = golden_model_in(path, SP_PRECISION_FP32);
        sp_safetensors *file = golden_open_in(folder, "finetune");
        golden_batch b = golden_read_batch(0, 0);
        sp_params_train(&model->params, true);
        sp_tape tape = {0};
        assert_golden_pass(&tape, model, &b, NULL, file);
        sp_tape_free(&tape);
        sp_safetensors_close(file);
        sp_model_free(model);
        free(path), free(folder);
    }
}

static void the_rotations_of_llama_3_1_are_recognised_by_their_factors(void **state) {
    (void)state;
    sp_model *model = golden_model_in(GGUF "llama3-tiny.gguf", SP_PRECISION_FP32);
    const sp_rope_scaling *r = &model->config.rope_scaling;
    assert_int_equal(r->type, SP_ROPE_LLAMA3);
    assert_true(r->factor == 8 && r->low_freq_factor == 1 && r->high_freq_factor == 4);
    assert_int_equal(r->original_max_position_embeddings, 8192);
    sp_model_free(model);
}

/* ---- shards ---- */

static void write_text(const char *folder, const char *name, const char *text) {
    char *path = sp_path_join(folder, name);
    assert_int_equal(sp_write_file(path, text, strlen(text)), SP_OK);
    free(path);
}

static void copy_file(const char *from, const char *folder, const char *name) {
    sp_buf data = {0};
    char *path = sp_path_join(folder, name);
    assert_int_equal(sp_read_file(from, &data), SP_OK);
    assert_int_equal(sp_write_file(path, data.data, data.len), SP_OK);
    sp_buf_free(&data);
    free(path);
}

static const char *const shard_names[] = {"model-00001-of-00002.safetensors",
                                          "model-00002-of-00002.safetensors"};

/* gpt2-tiny in two shards, tensor by tensor in turns; the second one in bf16. */
static char *make_shards(void) {
    char *folder = make_folder();
    sp_model *model = golden_model();
    sp_named_tensor parts[2][64];
    size_t counts[2] = {0};
    sp_buf index = {0};
    sp_buf_puts(&index, "{\"metadata\": {\"total_size\": 1}, \"weight_map\": {");
    for (size_t i = 0; i < model->params.count; i++) {
        const sp_param *p = model->params.items[i];
        sp_named_tensor t = {
            p->name, i % 2 ? SP_BF16 : SP_F32, p->rank, {p->dims[0], p->dims[1]}, p->var.data};
        parts[i % 2][counts[i % 2]++] = t;
        sp_buf_printf(&index, "%s\"%s\": \"%s\"", i ? ", " : "", p->name, shard_names[i % 2]);
    }
    sp_buf_puts(&index, "}}");
    for (int i = 0; i < 2; i++) {
        char *path = sp_path_join(folder, shard_names[i]);
        assert_int_equal(sp_safetensors_write(path, parts[i], counts[i]), SP_OK);
        free(path);
    }
    write_text(folder, "model.safetensors.index.json", index.data);
    copy_file(GOLDEN_FOLDER "/config.json", folder, "config.json");
    sp_buf_free(&index);
    sp_model_free(model);
    return folder;
}

static void shards_of_several_types_are_one_model(void **state) {
    (void)state;
    char *folder = make_shards();
    sp_model *original = golden_model(), *model = golden_model_in(folder, SP_PRECISION_FP32);
    assert_same_weights(model, original, 0.004); /* bf16 keeps 8 bits */
    sp_model_free(model);
    sp_model_free(original);
    remove_folder(folder);
}

/* Opening `path` fails with `kind` and says each of `what`. */
static void refuse(const char *path, sp_status kind, const char *what, const char *more) {
    sp_model *model = NULL;
    sp_status st = sp_model_open(path, SP_PRECISION_FP32, &model);
    if (st != kind || !strstr(sp_error(), what) || !strstr(sp_error(), more))
        fail_msg("%s: status %d, '%s' does not say '%s' and '%s'", path, st, sp_error(), what,
                 more);
    assert_null(model);
}

static void a_missing_shard_is_named(void **state) {
    (void)state;
    char *folder = make_shards(), *path = sp_path_join(folder, shard_names[1]);
    unlink(path);
    refuse(folder, SP_ERR_MISSING, shard_names[1], "index.json");
    free(path);
    remove_folder(folder);
}

static void a_shard_that_lacks_what_the_index_promises_is_named_with_the_tensor(void **state) {
    (void)state;
    char *folder = make_shards(), *from = sp_path_join(folder, shard_names[0]);
    copy_file(from, folder, shard_names[1]);
    refuse(folder, SP_ERR_FORMAT, shard_names[1], "has no tensor transformer.");
    free(from);
    remove_folder(folder);
}

static void an_index_opens_nothing_but_plain_names_beside_it(void **state) {
    (void)state;
    static const char *const names[] = {
        "\"../x.safetensors\"", "\"/etc/passwd\"", "\"..\"", "\"\"", "\"a/b\"", "7", "null", "[]"};
    char *folder = make_shards();
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char *text = sp_format("{\"weight_map\": {\"w\": %s}}", names[i]);
        write_text(folder, "model.safetensors.index.json", text);
        refuse(folder, SP_ERR_FORMAT, "index.json: the shard of w is", "without '/'");
        free(text);
    }
    remove_folder(folder);
}

static void an_index_that_is_none_is_refused(void **state) {
    (void)state;
    static const char *const texts[] = {"",
                                        "{",
                                        "[]",
                                        "{}",
                                        "{\"weight_map\": 3}",
                                        "{\"weight_map\": {\"a\": \"x\", \"a\": \"y\"}}"};
    char *folder = make_shards();
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        write_text(folder, "model.safetensors.index.json", texts[i]);
        refuse(folder, SP_ERR_FORMAT, "index.json", "weight_map");
    }
    write_text(folder, "model.safetensors.index.json", "{\"weight_map\": {}}");
    refuse(folder, SP_ERR_FORMAT, "holds 0 weights", "index.json");
    remove_folder(folder);
}

/* ---- old names ---- */

static void gamma_and_beta_of_a_layer_norm_are_its_weight_and_bias(void **state) {
    (void)state;
    char *folder = make_folder(), *path = sp_path_join(folder, "model.safetensors");
    const float gamma[] = {1, 2}, beta[] = {3, 4};
    sp_named_tensor tensors[] = {{"a.LayerNorm.gamma", SP_F32, 1, {2}, gamma},
                                 {"a.LayerNorm.beta", SP_F32, 1, {2}, beta}};
    sp_pretrained *files = NULL;
    float out[2];
    int64_t dims[] = {2};
    assert_int_equal(sp_safetensors_write(path, tensors, 2), SP_OK);
    assert_int_equal(sp_pretrained_open(folder, &files), SP_OK);
    assert_true(sp_pretrained_has(files, "a.LayerNorm.weight"));
    assert_true(sp_pretrained_has(files, "a.LayerNorm.bias"));
    assert_false(sp_pretrained_has(files, "b.LayerNorm.bias"));
    assert_int_equal(sp_pretrained_read(files, "a.LayerNorm.weight", 1, dims, out), SP_OK);
    assert_memory_equal(out, gamma, sizeof out);
    assert_int_equal(sp_pretrained_read(files, "a.LayerNorm.bias", 1, dims, out), SP_OK);
    assert_memory_equal(out, beta, sizeof out);
    sp_pretrained_close(files);
    free(path);
    remove_folder(folder);
}

/* ---- finding ---- */

static void a_folder_with_one_gguf_file_is_that_model(void **state) {
    (void)state;
    char *folder = make_folder();
    copy_file(GGUF "llama-tiny.gguf", folder, "a.gguf");
    sp_model_free(golden_model_in(folder, SP_PRECISION_FP32));
    copy_file(GGUF "gpt2-tiny.gguf", folder, "b.gguf");
    refuse(folder, SP_ERR_FORMAT, "give the path of one", "a.gguf, b.gguf");
    remove_folder(folder);
}

static void a_pickle_is_refused_with_the_command_that_converts_it(void **state) {
    (void)state;
    char *folder = make_folder();
    copy_file(GOLDEN_FOLDER "/config.json", folder, "config.json");
    write_text(folder, "pytorch_model.bin", "PK");
    refuse(folder, SP_ERR_FORMAT, "pytorch_model.bin", "python3 -c");
    remove_folder(folder);
}

static void a_file_that_is_no_gguf_file_is_refused(void **state) {
    (void)state;
    sp_pretrained *files;
    assert_int_equal(sp_pretrained_open(GOLDEN_FOLDER "/config.json", &files), SP_ERR_FORMAT);
    assert_non_null(strstr(sp_error(), "config.json: is no model; give its folder"));
}

/* ---- hostile GGUF models ---- */

/* llama-tiny.gguf with the first occurrence of `from` replaced by `to`, of the same length. */
static char *change_gguf(const char *from, const char *to, size_t len) {
    char *folder = make_folder(), *path = sp_path_join(folder, "x.gguf");
    sp_buf data = {0};
    assert_int_equal(sp_read_file(GGUF "llama-tiny.gguf", &data), SP_OK);
    char *at = memmem(data.data, data.len, from, len);
    assert_non_null(at);
    memcpy(at, to, len);
    assert_int_equal(sp_write_file(path, data.data, data.len), SP_OK);
    sp_buf_free(&data);
    free(path);
    return folder;
}

static void a_changed_name_in_a_gguf_model_is_refused_by_its_name(void **state) {
    (void)state;
    static const struct {
        const char *from, *to, *what;
    } cases[] = {
        {"blk.1.attn_q.weight", "blk.1.attn_z.weight", "has no tensor blk.1.attn_q.weight"},
        {"token_embd.weight", "token_embe.weight", "has no matrix token_embd.weight"},
        {"llama.block_count", "llama.block_kount", "metadata key llama.block_count must"},
        {"general.architecture", "general.architektur", "has no general.architecture"},
        {"output_norm.weight", "ovtput_norm.weight", "has no tensor output_norm.weight"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *folder = change_gguf(cases[i].from, cases[i].to, strlen(cases[i].from));
        refuse(folder, SP_ERR_FORMAT, "x.gguf", cases[i].what);
        remove_folder(folder);
    }
}

/* A key, its type u32 and its value. */
static void number_of(const char *key, uint32_t value, char *out) {
    size_t n = strlen(key);
    const uint32_t type = 4;
    memcpy(out, key, n);
    memcpy(out + n, &type, 4);
    memcpy(out + n + 4, &value, 4);
}

static void a_changed_size_in_a_gguf_model_is_refused(void **state) {
    (void)state;
    static const struct {
        const char *key;
        uint32_t from, to;
        const char *what;
    } cases[] = {
        {"llama.block_count", 2, 1000000, "describes a model of"},
        {"llama.block_count", 2, 3, "has no tensor blk.2."},
        {"llama.block_count", 2, 0, "num_hidden_layers"},
        {"llama.embedding_length", 32, 64, "shape"},
        {"llama.feed_forward_length", 48, 16000000, "describes a model of"},
        {"llama.feed_forward_length", 48, 40, "shape"},
        {"llama.attention.head_count", 4, 3, "divisor"},
        {"llama.attention.head_count_kv", 2, 4, "shape"},
        {"llama.attention.key_length", 8, 16, "rope.dimension_count is 8"},
        {"llama.rope.dimension_count", 8, 4, "rope.dimension_count is 4"},
        {"llama.context_length", 64, 0, "max_position_embeddings"},
        {"tokenizer.ggml.eos_token_id", 0, 97, "eos_token_id"},
    };
    char from[64], to[64];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        number_of(cases[i].key, cases[i].from, from);
        number_of(cases[i].key, cases[i].to, to);
        char *folder = change_gguf(from, to, strlen(cases[i].key) + 8);
        refuse(folder, SP_ERR_FORMAT, "x.gguf", cases[i].what);
        remove_folder(folder);
    }
}

static void factors_that_are_not_llama_3_s_are_refused(void **state) {
    (void)state;
    char *folder = make_folder(), *path = sp_path_join(folder, "x.gguf");
    sp_buf data = {0};
    assert_int_equal(sp_read_file(GGUF "llama3-tiny.gguf", &data), SP_OK);
    /* The four factors are 1, 1, one in between and 8. */
    const float one[] = {1, 1}, two[] = {1, 2}, last = 8;
    char *at = NULL;
    for (size_t i = 0; !at && i + 16 <= data.len; i += 4)
        if (memcmp(data.data + i, one, 8) == 0 && memcmp(data.data + i + 12, &last, 4) == 0)
            at = data.data + i;
    assert_non_null(at);
    memcpy(at, two, sizeof two);
    assert_int_equal(sp_write_file(path, data.data, data.len), SP_OK);
    refuse(path, SP_ERR_FORMAT, "factor 1 of rope_freqs.weight is 2", "not Llama 3's");
    sp_buf_free(&data);
    free(path);
    remove_folder(folder);
}

static void a_truncated_model_is_refused_wherever_it_ends(void **state) {
    (void)state;
    static const char *const files[] = {GGUF "gpt2-tiny.gguf", GGUF "llama-tiny.gguf"};
    for (size_t i = 0; i < 2; i++) {
        char *folder = make_folder(), *path = sp_path_join(folder, "x.gguf");
        sp_buf data = {0};
        assert_int_equal(sp_read_file(files[i], &data), SP_OK);
        for (size_t part = 0; part < 20; part++) {
            assert_int_equal(sp_write_file(path, data.data, data.len * part / 20), SP_OK);
            refuse(path, SP_ERR_FORMAT, "x.gguf", part ? "truncated" : "is no GGUF file");
        }
        sp_buf_free(&data);
        free(path);
        remove_folder(folder);
    }
}

/* ---- hashes ---- */

static void the_hash_covers_every_shard_and_the_index(void **state) {
    (void)state;
    static const char *const names[] = {"config.json", "model.safetensors.index.json",
                                        "model-00001-of-00002.safetensors", "vocab.txt"};
    char *folder = make_shards();
    sp_digest before, after;
    assert_int_equal(sp_model_hash(folder, &before), SP_ERR_MISSING);
    write_text(folder, "vocab.txt", "a\n");
    assert_int_equal(sp_model_hash(folder, &before), SP_OK);
    for (size_t i = 0; i < 4; i++) {
        char *path = sp_path_join(folder, names[i]);
        sp_buf data = {0};
        assert_int_equal(sp_read_file(path, &data), SP_OK);
        sp_buf_puts(&data, " ");
        assert_int_equal(sp_write_file(path, data.data, data.len), SP_OK);
        assert_int_equal(sp_model_hash(folder, &after), SP_OK);
        assert_string_not_equal(before.hex, after.hex);
        before = after;
        sp_buf_free(&data);
        free(path);
    }
    remove_folder(folder);
}

static void the_weights_hash_of_a_gguf_model_is_its_file_s(void **state) {
    (void)state;
    sp_digest weights, file;
    assert_int_equal(sp_model_hash_weights(GGUF "llama-tiny.gguf", &weights), SP_OK);
    assert_int_equal(sp_sha256_file(GGUF "llama-tiny.gguf", &file), SP_OK);
    assert_string_equal(weights.hex, file.hex);
    assert_int_equal(sp_model_hash(GGUF "llama-tiny.gguf", &file), SP_OK);
}

static int start(void **state) {
    (void)state;
    return sp_gemm_start(1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            a_gguf_file_holds_the_weights_and_the_configuration_of_the_model_it_is_made_of),
        cmocka_unit_test(a_gguf_model_gives_the_logits_of_transformers),
        cmocka_unit_test(the_rotations_of_llama_3_1_are_recognised_by_their_factors),
        cmocka_unit_test(shards_of_several_types_are_one_model),
        cmocka_unit_test(a_missing_shard_is_named),
        cmocka_unit_test(a_shard_that_lacks_what_the_index_promises_is_named_with_the_tensor),
        cmocka_unit_test(an_index_opens_nothing_but_plain_names_beside_it),
        cmocka_unit_test(an_index_that_is_none_is_refused),
        cmocka_unit_test(gamma_and_beta_of_a_layer_norm_are_its_weight_and_bias),
        cmocka_unit_test(a_folder_with_one_gguf_file_is_that_model),
        cmocka_unit_test(a_pickle_is_refused_with_the_command_that_converts_it),
        cmocka_unit_test(a_file_that_is_no_gguf_file_is_refused),
        cmocka_unit_test(a_changed_name_in_a_gguf_model_is_refused_by_its_name),
        cmocka_unit_test(a_changed_size_in_a_gguf_model_is_refused),
        cmocka_unit_test(factors_that_are_not_llama_3_s_are_refused),
        cmocka_unit_test(a_truncated_model_is_refused_wherever_it_ends),
        cmocka_unit_test(the_hash_covers_every_shard_and_the_index),
        cmocka_unit_test(the_weights_hash_of_a_gguf_model_is_its_file_s),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
