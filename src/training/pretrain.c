#include "training/pretrain.h"

#include "core/clock.h"
#include "core/file.h"
#include "text/documents.h"
#include "text/tokenizer.h"
#include "training/checkpoint.h"
#include "training/packed.h"
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
    sp_yaml_free(root);
    return st;
}

/* The documents of one file, found once. */
typedef struct collection {
    sp_map map;
    const char **text; /* [count] */
    size_t *len;       /* [count] */
    size_t count;
} collection;

typedef struct pretraining {
    const sp_pretrain_spec *spec;
    sp_tokenizer *tokenizer;
    sp_model *model;
    collection train, heldout;
    sp_sampler sampler; /* of the training documents */
    int64_t tokens;
    sp_param **params; /* those of the model */
    sp_optimizer optimizer;
    sp_packed batch;
    sp_ints ids; /* one document */
    sp_tape tape;
    double heldout_loss;
} pretraining;

static sp_status open_collection(const char *folder, const char *name, collection *c) {
    char *path = sp_path_join(folder, name);
    sp_status st = sp_map_file(path, &c->map);
    if (!st) {
        sp_documents d = {(const char *)c->map.data, c->map.len, 0};
        const char *text;
        size_t len, cap = 0;
        while (sp_next_document(&d, &text, &len)) {
            if (c->count == cap) {
                cap = cap ? 2 * cap : 1024;
                c->text = sp_realloc(c->text, cap, sizeof *c->text);
                c->len = sp_realloc(c->len, cap, sizeof *c->len);
            }
            c->text[c->count] = text;
            c->len[c->count++] = len;
        }
        if (!c->count) st = sp_fail(SP_ERR_DATA, "%s: holds no document", path);
    }
    free(path);
    return st;
}

static void close_collection(collection *c) {
    sp_unmap_file(&c->map);
    free(c->text);
    free(c->len);
}

/* A document as a sequence: its tokens, an end token, cut to the context. */
static sp_status add_document(pretraining *p, const collection *c, size_t index) {
    p->ids.len = 0;
    sp_status st = sp_tokenizer_encode(p->tokenizer, c->text[index], c->len[index], &p->ids);
    if (st) return st;
    sp_ints_push(&p->ids, p->model->config.eos_token_id);
    size_t longest = (size_t)p->spec->n_positions + 1;
    size_t n = p->ids.len < longest ? p->ids.len : longest;
    if (n >= 2) sp_packed_add(&p->batch, p->ids.data, n, 1, 0);
    return SP_OK;
}

static sp_status fill_batch(pretraining *p) {
    sp_status st = SP_OK;
    sp_packed_clear(&p->batch);
    while (!st && sp_packed_tokens(&p->batch) < p->spec->tokens_per_step)
        st = add_document(p, &p->train, sp_sampler_next(&p->sampler));
    return st;
}

static sp_var *batch_loss(pretraining *p) {
    sp_context ctx = sp_packed_context(&p->batch, NULL);
    sp_var *hidden = sp_model_forward(&p->tape, p->model, p->batch.ids.data, NULL, &ctx);
    return sp_lm_loss(&p->tape, hidden, p->model->head, p->batch.targets.data, NULL);
}

/* Mean loss per token over the first held-out documents. */
static sp_status evaluate_heldout(pretraining *p) {
    size_t count = (size_t)p->spec->heldout_documents;
    if (count > p->heldout.count) count = p->heldout.count;
    double sum = 0, tokens = 0;
    sp_status st = SP_OK;
    p->tape.inference = true;
    for (size_t i = 0; !st && i < count;) {
        sp_packed_clear(&p->batch);
        for (; !st && i < count && sp_packed_tokens(&p->batch) < p->spec->tokens_per_step; i++)
            st = add_document(p, &p->heldout, i);
        if (st) break;
        double scored = (double)sp_packed_scored(&p->batch);
        sum += scored * (double)batch_loss(p)->data[0];
        tokens += scored;
        sp_tape_reset(&p->tape);
    }
    p->tape.inference = false;
    p->heldout_loss = sum / tokens;
    return st;
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
    st = sp_checkpoint_write(file, p->spec->name, &p->optimizer, counters);
    if (!st) return sp_h5_commit(file);
    sp_h5_close(file);
    return st;
}

static sp_status resume(pretraining *p, const char *path) {
    if (!sp_file_exists(path)) return SP_OK;
    sp_counter counters[4];
    list_counters(p, counters);
    sp_h5 *file;
    sp_status st = sp_h5_open(path, &file);
    if (st) return st;
    st = sp_checkpoint_read(file, p->spec->name, &p->optimizer, counters);
    sp_h5_close(file);
    return st;
}

static sp_status open_all(pretraining *p) {
    const sp_pretrain_spec *s = p->spec;
    sp_status st = sp_tokenizer_load(s->tokenizer, &p->tokenizer);
    if (!st) st = open_collection(s->corpus, "train.txt", &p->train);
    if (!st) st = open_collection(s->corpus, "heldout.txt", &p->heldout);
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
    close_collection(&p->train);
    close_collection(&p->heldout);
    sp_tokenizer_free(p->tokenizer);
    sp_sampler_free(&p->sampler);
}

static sp_status one_step(pretraining *p, sp_pretrain_state *state) {
    long step = p->optimizer.step;
    sp_status st = fill_batch(p);
    if (st) return st;
    sp_step_result result;
    state->learning_rate = sp_learning_rate(&p->spec->train, step, state->steps);
    p->tokens += sp_packed_tokens(&p->batch);
    st = sp_train_step(&p->tape, batch_loss(p), &p->optimizer, state->learning_rate, &result);
    state->loss = state->step ? 0.95 * state->loss + 0.05 * result.loss : result.loss;
    state->step = step + 1;
    return st;
}

static sp_status train(pretraining *p, const char *checkpoint, sp_pretrain_report *report,
                       void *user, sp_pretrain_state *state) {
    int every = p->spec->train.eval_every ? p->spec->train.eval_every : 200;
    double started = sp_now(), saved = started;
    int64_t tokens_before = p->tokens;
    long first = p->optimizer.step;
    sp_status st = SP_OK;
    while (!st && p->optimizer.step < state->steps) {
        if ((st = one_step(p, state))) break;
        if (state->step % every == 0 || state->step == state->steps) st = evaluate_heldout(p);
        double now = sp_now(), spent = now - started;
        state->heldout_loss = p->heldout_loss;
        state->tokens = (double)p->tokens;
        state->tokens_per_second = (double)(p->tokens - tokens_before) / spent;
        state->seconds_left =
            spent / (double)(state->step - first) * (double)(state->steps - state->step);
        report(user, state);
        bool stop = sp_interrupted();
        if (!st && (stop || now - saved > p->spec->train.checkpoint_seconds ||
                    state->step == state->steps)) {
            st = save(p, checkpoint);
            saved = now;
        }
        if (!st && stop)
            st = sp_fail(SP_ERR_INTERRUPTED, "stopped at step %ld; the same command goes on there",
                         state->step);
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
                      sp_pretrain_report *report, void *user, sp_pretrain_state *final) {
    pretraining p = {.spec = spec};
    *final = (sp_pretrain_state){.name = spec->name, .steps = spec->train.steps};
    char *file = sp_format("%s/%s.h5", work, spec->name);
    sp_status st = sp_make_folders(work);
    if (!st) st = open_all(&p);
    if (!st) st = resume(&p, file);
    if (!st) {
        sp_sampler_resume(&p.sampler);
        st = train(&p, file, report, user, final);
    }
    if (!st) st = evaluate_heldout(&p);
    final->heldout_loss = p.heldout_loss;
    if (!st) st = write_model(&p, out);
    free(file);
    close_all(&p);
    return st;
}
