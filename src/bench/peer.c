#include "bench/peer.h"

#include "bench/phases.h"
#include "bench/subject.h"
#include "core/clock.h"
#include "tensor/cpu.h"
#include "tensor/gemm.h"

#include <jansson.h>
#include <stdlib.h>

static void put_real(json_t *object, const char *key, double value) {
    json_object_set_new(object, key, json_real(value));
}

static size_t longest_of(const sp_sequences *s) {
    size_t longest = 0;
    for (size_t i = 0; i < s->count; i++)
        if (s->items[i].len > longest) longest = s->items[i].len;
    return longest;
}

static int longest_of_all(const sp_workload *w) {
    size_t longest = longest_of(&w->inputs) + (size_t)w->tokens;
    for (size_t i = 0; i < w->batch_count; i++)
        if (longest_of(&w->batches[i]) > longest) longest = longest_of(&w->batches[i]);
    return (int)longest;
}

static sp_status train(sp_subject *s, const sp_workload *w, json_t *result) {
    json_t *losses = json_array(), *times = json_array(), *tokens = json_array();
    sp_status st = SP_OK;
    for (size_t i = 0; i < w->batch_count && !st; i++) {
        double loss, started = sp_now();
        sp_subject_pack(s, &w->batches[i]);
        st = sp_subject_step(s, &loss);
        json_array_append_new(times, json_real(sp_now() - started));
        json_array_append_new(losses, json_real(loss));
        json_array_append_new(tokens, json_integer(sp_sequences_tokens(&w->batches[i])));
    }
    json_object_set_new(result, "losses", losses);
    json_object_set_new(result, "train_seconds", times);
    json_object_set_new(result, "train_tokens", tokens);
    return st;
}

static json_t *ids_json(const sp_ints *ids) {
    json_t *list = json_array();
    for (size_t i = 0; i < ids->len; i++) json_array_append_new(list, json_integer(ids->data[i]));
    return list;
}

/* `name`_seconds and `name`_ids of the second of two runs. */
static sp_status generate(sp_subject *s, const sp_workload *w, const char *name, int beam,
                          json_t *result) {
    char *seconds = sp_format("%s_seconds", name), *ids = sp_format("%s_ids", name);
    sp_status st = SP_OK;
    for (int run = 0; run < 2 && !st; run++) {
        sp_ints *out = sp_alloc(w->inputs.count, sizeof *out);
        double started = sp_now();
        st = sp_subject_generate(s, &w->inputs, beam, w->tokens, out);
        put_real(result, seconds, sp_now() - started);
        json_t *lists = json_array();
        for (size_t i = 0; i < w->inputs.count; i++) {
            json_array_append_new(lists, ids_json(&out[i]));
            sp_ints_free(&out[i]);
        }
        json_object_set_new(result, ids, lists);
        free(out);
    }
    free(seconds), free(ids);
    return st;
}

static sp_status open_subject(sp_bench_job *job, const char *path, sp_workload *w, json_t *result,
                              sp_subject *s) {
    double started = sp_now();
    sp_status st = sp_gemm_start(job->settings.threads);
    if (!st) st = sp_subject_open(job, s);
    if (st) return st;
    put_real(result, "load_seconds", sp_now() - started);
    put_real(result, "load_rss", sp_peak_rss());
    if ((st = sp_workload_read(path, s->model->config.vocab_size, w))) return st;
    job->settings.prefix = w->prefix;
    job->settings.hidden = w->hidden;
    st = sp_gemm_start(w->threads);
    return st ? st : sp_subject_tune(job, w->lr, longest_of_all(w), s);
}

static sp_status work(sp_subject *s, const sp_workload *w, const char *parameters, json_t *result) {
    sp_status st = sp_subject_load(s, parameters);
    if (!st) st = train(s, w, result);
    put_real(result, "train_rss", sp_peak_rss());
    sp_tape_free(&s->tape); /* generation has tapes of its own */
    if (!st) st = sp_subject_load(s, parameters);
    if (!st) st = sp_subject_evaluate(s);
    if (!st) st = generate(s, w, "greedy", 1, result);
    if (!st) st = generate(s, w, "beam", w->beam, result);
    put_real(result, "generate_rss", sp_peak_rss());
    return st;
}

static void put_machine(json_t *result) {
    json_object_set_new(result, "version", json_string(SP_VERSION));
    json_object_set_new(result, "cpu", json_string(sp_cpu_name()));
    json_object_set_new(result, "instructions", json_string(sp_cpu_isa()));
    sp_bench_rows rows = {0};
    sp_bench_describe_gemm(&rows);
    json_object_set_new(result, "gemm", json_string(rows.gemm));
    json_object_set_new(result, "threads", json_integer(sp_threads()));
}

sp_status sp_bench_peer(const sp_bench_job *job, const char *path, const char *parameters,
                        sp_buf *out) {
    sp_bench_job own = *job;
    sp_subject s = {0};
    sp_workload w = {0};
    json_t *result = json_object();
    sp_status st = open_subject(&own, path, &w, result, &s);
    if (!st) st = work(&s, &w, parameters, result);
    if (!st) {
        put_machine(result);
        char *text = json_dumps(result, JSON_REAL_PRECISION(9));
        sp_buf_puts(out, text);
        sp_buf_putc(out, '\n');
        free(text);
    }
    json_decref(result);
    sp_workload_free(&w);
    sp_subject_close(&s);
    return st;
}
