#include "training/pretrain.h"

#include "core/clock.h"
#include "core/file.h"
#include "core/hash.h"
#include "text/documents.h"
#include "text/tokenizer.h"
#include "training/checkpoint.h"
#include "training/collection.h"
#include "training/packed.h"
#include "training/perplexity.h"
#include "training/sampler.h"
#include "training/schedule.h"
#include "training/step.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define FIELD(name) offsetof(sp_pretrain_spec, name)
static const sp_option spec_table[] = {
    {"name", SP_TEXT, FIELD(name), "", 0, 0, NULL, "name of the model"},
    {"corpus", SP_TEXT, FIELD(corpus), "build/corpus", 0, 0, NULL, "folder of the text"},
    {"tokenizer", SP_TEXT, FIELD(tokenizer), "", 0, 0, NULL, "tokenizer.json"},
    {"n_positions", SP_INT, FIELD(n_positions), "512", 8, 65536, NULL, "context"},
    {"n_embd", SP_INT, FIELD(n_embd), "64", 8, 65536, NULL, "hidden size"},
    {"n_layer", SP_INT, FIELD(n_layer), "2", 1, 1024, NULL, "blocks"},
    {"n_head", SP_INT, FIELD(n_head), "2", 1, 1024, NULL, "heads"},
    {"tokens_per_step", SP_INT, FIELD(tokens_per_step), "4096", 64, 1e7, NULL, "tokens a step"},
    {"heldout_documents", SP_INT, FIELD(heldout_documents), "300", 1, 1e6, NULL,
     "held-out documents of an evaluation"},
    {"seed", SP_INT, FIELD(seed), "1", 0, 2e9, NULL, "seed of initialisation and order"},
    {0}};
#undef FIELD

sp_status sp_pretrain_spec_read(const char *path, sp_pretrain_spec *out) {
    sp_yaml *root = NULL;
    sp_options_default(spec_table, out);
    sp_options_default(sp_train_option_table, &out->train);
    sp_status st = sp_yaml_read(path, &root);
    const sp_yaml *train = NULL;
    if (!st) st = sp_yaml_map_or_null(root, "train", &train);
    if (!st && train) st = sp_yaml_options(train, sp_train_option_table, &out->train);
    if (!st) {
        sp_yaml_remove(root, "train");
        st = sp_yaml_options(root, spec_table, out);
    }
    if (!st && (!out->name[0] || !out->tokenizer[0] || !out->train.steps))
        st = sp_yaml_fail(root, "name, tokenizer and train.steps must be given");
    if (!st && out->n_embd % out->n_head)
        st = sp_yaml_fail(root, "n_embd %d is not a multiple of n_head %d", out->n_embd,
                          out->n_head);
    sp_yaml_free(root);
    return st;
}

typedef struct pretraining {
    const sp_pretrain_spec *spec;
    sp_tokenizer *tokenizer;
    sp_model *model;
    char *identity; /* what a checkpoint must have been made with */
    sp_collection train, heldout;
    sp_sampler sampler; /* of the training documents */
    int64_t tokens;
    sp_param **params; /* those of the model */
    sp_optimizer optimizer;
    sp_packed batch;
    sp_ints ids; /* one document */
    sp_tape tape;
    double heldout_loss;
} pretraining;

static sp_status add_document(pretraining *p, size_t index) {
    sp_status st = sp_encode_document(p->model, p->tokenizer, p->train.text[index],
                                      p->train.len[index], &p->ids);
    if (!st && p->ids.len >= 2) sp_packed_add(&p->batch, p->ids.data, p->ids.len, 1);
    return st;
}

/* A corpus none of whose documents has a token to predict ends here, not never. */
static sp_status fill_batch(pretraining *p) {
    sp_status st = SP_OK;
    size_t without_tokens = 0; /* documents in a row */
    sp_packed_clear(&p->batch);
    while (!st && sp_packed_tokens(&p->batch) < p->spec->tokens_per_step) {
        long before = sp_packed_tokens(&p->batch);
        st = add_document(p, sp_sampler_next(&p->sampler));
        without_tokens = sp_packed_tokens(&p->batch) > before ? 0 : without_tokens + 1;
        if (!st && without_tokens > 2 * p->train.count)
            st = sp_fail(SP_ERR_DATA, "%s/train.txt: holds no document with tokens to predict",
                         p->spec->corpus);
    }
    return st;
}

static sp_var *batch_loss(pretraining *p) {
    sp_context ctx = sp_packed_context(&p->batch, NULL);
    ctx.recompute = p->spec->train.recompute;
    sp_var *hidden = sp_model_forward(&p->tape, p->model, p->batch.ids.data, &ctx);
    return sp_lm_loss(&p->tape, hidden, p->model->head, p->batch.targets.data, NULL);
}

static sp_status evaluate_heldout(pretraining *p) {
    sp_documents documents = {(const char *)p->heldout.map.data, p->heldout.map.len, 0};
    sp_perplexity result;
    sp_status st =
        sp_measure_perplexity(p->model, p->tokenizer, documents, (size_t)p->spec->heldout_documents,
                              p->spec->tokens_per_step, &p->tape, &result);
    p->heldout_loss = result.loss;
    return st ? sp_fail_in(st, "%s/heldout.txt", p->spec->corpus) : SP_OK;
}

static void list_counters(pretraining *p, sp_counter counters[4]) {
    counters[0] = (sp_counter){"epoch", &p->sampler.epoch};
    counters[1] = (sp_counter){"cursor", &p->sampler.cursor};
    counters[2] = (sp_counter){"tokens", &p->tokens};
    counters[3] = (sp_counter){0};
}

static sp_status save(pretraining *p, const char *path) {
    sp_counter counters[4];
    list_counters(p, counters);
    sp_h5 *file;
    sp_status st = sp_h5_create(path, &file);
    if (st) return st;
    return sp_h5_finish(file, sp_checkpoint_write(file, p->identity, &p->optimizer, counters));
}

static sp_status resume(pretraining *p, const char *path) {
    if (!sp_file_exists(path)) return SP_OK;
    sp_counter counters[4];
    list_counters(p, counters);
    sp_h5 *file;
    sp_status st = sp_h5_open(path, &file);
    if (st) return st;
    st = sp_checkpoint_read(file, p->identity, &p->optimizer, counters);
    sp_h5_close(file);
    return st;
}

static sp_status open_documents(const char *folder, const char *name, sp_collection *out) {
    char *path = sp_path_join(folder, name);
    sp_status st = sp_collection_open(path, out);
    free(path);
    return st;
}

static void put_options(const sp_option *table, const void *settings, const char *const *names,
                        sp_buf *out) {
    for (; *names; names++) {
        char *value = sp_options_get(sp_options_find(table, *names), settings);
        sp_buf_printf(out, "%s: %s\n", *names, value);
        free(value);
    }
}

/* All that decides the numbers except how long the training goes: its number of steps and the fall
 * of the learning rate at its end may change between sessions. */
static sp_status identify(pretraining *p) {
    static const char *const model[] = {"name",   "n_positions",     "n_embd", "n_layer",
                                        "n_head", "tokens_per_step", "seed",   NULL};
    static const char *const train[] = {"optimizer", "lr",   "weight_decay", "beta1",  "beta2",
                                        "epsilon",   "clip", "schedule",     "warmup", NULL};
    sp_digest tokenizer;
    sp_status st = sp_sha256_file(p->spec->tokenizer, &tokenizer);
    if (st) return st;
    sp_buf text = {0};
    put_options(spec_table, p->spec, model, &text);
    put_options(sp_train_option_table, &p->spec->train, train, &text);
    sp_buf_printf(&text, "corpus: %s\ntokenizer: %s\n",
                  sp_sha256(p->train.map.data, p->train.map.len).hex, tokenizer.hex);
    p->identity = sp_buf_take(&text);
    return SP_OK;
}

static sp_status open_all(pretraining *p) {
    const sp_pretrain_spec *s = p->spec;
    sp_status st = sp_tokenizer_load(s->tokenizer, &p->tokenizer);
    if (!st) st = open_documents(s->corpus, "train.txt", &p->train);
    if (!st) st = open_documents(s->corpus, "heldout.txt", &p->heldout);
    if (!st) st = identify(p);
    if (st) return st;
    sp_config config = {.model_type = "gpt2",
                        .vocab_size = sp_tokenizer_size(p->tokenizer),
                        .n_positions = s->n_positions,
                        .n_embd = s->n_embd,
                        .n_layer = s->n_layer,
                        .n_head = s->n_head,
                        .n_inner = 4 * s->n_embd,
                        .layer_norm_epsilon = 1e-5,
                        .initializer_range = 0.02};
    config.bos_token_id = config.eos_token_id = sp_tokenizer_id(p->tokenizer, "<|endoftext|>");
    if (config.eos_token_id < 0)
        return sp_fail(SP_ERR_FORMAT, "%s: has no <|endoftext|> token", s->tokenizer);
    if ((st = sp_model_new(&config, &p->model))) return st;
    sp_model_initialise(p->model, (uint64_t)s->seed);
    sp_params_train(&p->model->params, true);
    sp_optimizer_init(&p->optimizer, &s->train, p->model->params.items, p->model->params.count);
    sp_sampler_init(&p->sampler, p->train.count, (uint64_t)s->seed, "documents");
    return SP_OK;
}

static void close_all(pretraining *p) {
    if (p->optimizer.params) sp_optimizer_free(&p->optimizer);
    sp_tape_free(&p->tape);
    sp_packed_free(&p->batch);
    sp_ints_free(&p->ids);
    sp_model_free(p->model);
    sp_collection_close(&p->train);
    sp_collection_close(&p->heldout);
    free(p->identity);
    sp_tokenizer_free(p->tokenizer);
    sp_sampler_free(&p->sampler);
}

static sp_status one_step(pretraining *p, sp_progress_state *state) {
    sp_status st = fill_batch(p);
    if (st) return st;
    sp_step_result result;
    double learning_rate = sp_learning_rate(&p->spec->train, p->optimizer.step, state->steps);
    p->tokens += sp_packed_tokens(&p->batch);
    st = sp_train_step(&p->tape, batch_loss(p), &p->optimizer, learning_rate, &result);
    state->loss = isnan(state->loss) ? result.loss : 0.95 * state->loss + 0.05 * result.loss;
    state->step = p->optimizer.step;
    return st;
}

/* What this session did so far: `steps` and `tokens` in `seconds`. */
static void set_speed(sp_progress_state *state, long steps, int64_t tokens, double seconds) {
    state->tokens_per_second = (double)tokens / seconds;
    state->seconds_left = seconds / (double)steps * (double)(state->steps - state->step);
}

static sp_status evaluate_and_show(pretraining *p, sp_progress_state *state) {
    sp_status st = evaluate_heldout(p);
    state->dev_metric = "perplexity";
    state->dev_value = exp(p->heldout_loss);
    return st;
}

static sp_status train(pretraining *p, const char *checkpoint, const sp_progress *progress) {
    int every = p->spec->train.eval_every ? p->spec->train.eval_every : 200;
    double started = sp_now(), saved = started;
    int64_t tokens_before = p->tokens;
    long first = p->optimizer.step;
    sp_progress_state state = sp_progress_start();
    state.experiment = p->spec->name;
    state.steps = p->spec->train.steps;
    sp_status st = SP_OK;
    while (!st && p->optimizer.step < state.steps) {
        if ((st = one_step(p, &state))) break;
        bool last = state.step == state.steps;
        if (state.step % every == 0 || last) st = evaluate_and_show(p, &state);
        double now = sp_now();
        set_speed(&state, state.step - first, p->tokens - tokens_before, now - started);
        sp_progress_report(progress, &state);
        bool stop = sp_interrupted();
        if (!st && (stop || last || now - saved > p->spec->train.checkpoint_seconds)) {
            st = save(p, checkpoint);
            saved = now;
        }
        if (!st && stop)
            st = sp_fail(SP_ERR_INTERRUPTED, "stopped at step %ld; the same command goes on there",
                         state.step);
    }
    return st;
}

static sp_status write_model(const pretraining *p, const char *out) {
    sp_status st = sp_model_save(p->model, out, SP_F16);
    if (st) return st;
    char *path = sp_path_join(out, "tokenizer.json");
    st = sp_tokenizer_save(p->tokenizer, path);
    free(path);
    return st;
}

sp_status sp_pretrain(const sp_pretrain_spec *spec, const char *work, const char *out,
                      const sp_progress *progress, sp_pretrain_result *result) {
    pretraining p = {.spec = spec};
    char *file = sp_format("%s/%s.h5", work, spec->name);
    sp_status st = sp_make_folders(work);
    if (!st) st = open_all(&p);
    if (!st) st = resume(&p, file);
    if (!st) {
        sp_sampler_resume(&p.sampler);
        st = train(&p, file, progress);
    }
    if (!st) st = evaluate_heldout(&p);
    *result = (sp_pretrain_result){p.optimizer.step, p.heldout_loss, (double)p.tokens};
    if (!st) st = write_model(&p, out);
    free(file);
    close_all(&p);
    return st;
}
