/* Any bytes as a run file whose prompt is to steer a small model: refused, or the model runs with
 * it, and its log can be read or is refused. */
#include "experiment/runlog.h"
#include "tensor/gemm.h"
#include "tuning/class_head.h"
#include "tuning/soft_prompt.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const types[] = {"gpt2", "llama", "bert"};
enum { TYPES = sizeof types / sizeof *types, LENGTH = 5, ROOM = 64 };

static sp_model *make_model(const char *type) {
    sp_config config = {.vocab_size = 11,
                        .n_positions = ROOM,
                        .n_embd = 4,
                        .n_layer = 1,
                        .n_head = 2,
                        .n_inner = 6,
                        .n_kv_head = 2,
                        .type_vocab_size = 2,
                        .layer_norm_epsilon = 1e-5,
                        .initializer_range = 0.1,
                        .rope_theta = 1e4,
                        .tie_word_embeddings = true};
    snprintf(config.model_type, sizeof config.model_type, "%s", type);
    sp_model *model;
    if (sp_gemm_start(1) || sp_model_new(&config, &model)) abort();
    sp_model_initialise(model, 1);
    return model;
}

static void run_model(const sp_model *model, sp_soft_prompt *prompt, const sp_class_head *head) {
    sp_ints text = {0}, ids = {0};
    for (int i = 0; i < LENGTH; i++) sp_ints_push(&text, i);
    sp_template_apply(&prompt->template, &text, &ids);
    if (prompt->first_position + (long)ids.len <= model->config.n_positions) {
        sp_tape tape = {.inference = true};
        sp_steering steering = sp_soft_prompt_steering(prompt);
        int offsets[2] = {0, (int)ids.len}, positions[ROOM];
        for (int i = 0; i < offsets[1]; i++) positions[i] = prompt->first_position + i;
        sp_context context = {
            .sequences = 1, .offsets = offsets, .positions = positions, .steering = &steering};
        sp_var *hidden = sp_model_forward(&tape, model, ids.data, &context);
        if (head->output) sp_class_logits(&tape, head, model, hidden);
        sp_tape_free(&tape);
    }
    sp_ints_free(&text);
    sp_ints_free(&ids);
}

static void steer(sp_h5 *file, sp_model *model) {
    sp_soft_prompt prompt;
    sp_class_head head = {0};
    if (sp_soft_prompt_read(file, model, &prompt)) return;
    if (!sp_class_head_read(file, model, &head)) run_model(model, &prompt, &head);
    sp_soft_prompt_unmerge(&prompt, model);
    sp_class_head_free(&head);
    sp_soft_prompt_free(&prompt);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static sp_model *models[TYPES];
    char *path = sp_format("/tmp/sp-fuzz-prompt-%ld.h5", (long)getpid());
    FILE *stream = fopen(path, "wb");
    if (!stream) abort();
    fwrite(data, 1, size, stream);
    fclose(stream);
    sp_h5 *file;
    for (int i = 0; i < TYPES; i++) {
        if (!models[i]) models[i] = make_model(types[i]);
        if (sp_h5_open(path, &file)) break;
        steer(file, models[i]);
        sp_h5_close(file);
    }
    sp_runlog log;
    if (!sp_runlog_read(path, &log)) sp_runlog_free(&log);
    unlink(path);
    free(path);
    return 0;
}
