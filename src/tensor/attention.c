#include "tensor/attention.h"

#include "tensor/attention_block.h"
#include "tensor/gemm.h"
#include "tensor/kernels.h"

#include <omp.h>

/* Query rows of a sequence up to which keys and values are better read in place than packed. */
enum { DIRECT_ROWS = 4 };

static long longest_keys(const sp_attention_shape *s, const sp_keys *keys) {
    long longest = 0;
    for (int i = 0; i < s->sequences; i++)
        if (keys[i].length > longest) longest = keys[i].length;
    return longest;
}

void sp_attention_forward(const sp_attention_shape *s, sp_rows q, const sp_keys *keys, long keys_ld,
                          sp_rows prefix_key, sp_rows prefix_value, sp_rows out, float *lse,
                          sp_arena *scratch) {
    const sp_attention_inputs in = {s, q, prefix_key, prefix_value, keys, keys_ld};
    size_t floats = sp_attention_forward_scratch(s, longest_keys(s, keys));
    float *work = sp_arena_alloc(scratch, (size_t)sp_threads() * floats * sizeof(float));
    int tasks = s->sequences * s->kv_heads;
#pragma omp parallel for schedule(dynamic)
    for (int task = 0; task < tasks; task++) {
        int sequence = task / s->kv_heads, rows = s->offsets[sequence + 1] - s->offsets[sequence];
        bool direct = rows <= DIRECT_ROWS && s->head_size % 16 == 0;
        float *mine = work + (size_t)omp_get_thread_num() * floats;
        (direct ? sp_attention_direct_task
                : sp_attention_forward_task)(&in, sequence, task % s->kv_heads, out, lse, mine);
    }
}

/* target [prefix, kv_heads * d] += the tasks' parts [sequences, kv_heads, prefix, d], in order. */
static void reduce_prefix(const sp_attention_shape *s, const float *parts, sp_rows target) {
    long d = s->head_size, part = s->prefix_length * d;
#pragma omp parallel for
    for (int head = 0; head < s->kv_heads; head++)
        for (int sequence = 0; sequence < s->sequences; sequence++)
            for (long i = 0; i < s->prefix_length; i++)
                sp_axpy(d, 1.0f, parts + ((long)sequence * s->kv_heads + head) * part + i * d,
                        target.data + i * target.ld + head * d);
}

/* The batch's own rows as keys of its sequences. */
static sp_keys *keys_of_batch(const sp_attention_shape *s, sp_rows k, sp_rows v,
                              sp_arena *scratch) {
    sp_keys *keys = sp_arena_alloc(scratch, (size_t)s->sequences * sizeof *keys);
    for (int i = 0; i < s->sequences; i++) {
        long first = s->offsets[i];
        keys[i] = (sp_keys){.key = k.data + first * k.ld,
                            .value = v.data + first * v.ld,
                            .length = s->offsets[i + 1] - first};
    }
    return keys;
}

void sp_attention_backward(const sp_attention_shape *s, sp_rows q, sp_rows k, sp_rows v,
                           sp_rows prefix_key, sp_rows prefix_value, sp_rows dout, const float *lse,
                           const sp_attention_grads *grads, sp_arena *scratch) {
    const sp_attention_inputs in = {
        s, q, prefix_key, prefix_value, keys_of_batch(s, k, v, scratch), k.ld};
    size_t floats = sp_attention_backward_scratch(s, longest_keys(s, in.keys));
    float *work = sp_arena_alloc(scratch, (size_t)sp_threads() * floats * sizeof(float));
    int tasks = s->sequences * s->kv_heads;
    long d = s->head_size, part = s->prefix_length * d;
    size_t parts_bytes = (size_t)tasks * (size_t)part * sizeof(float);
    float *key_parts = grads->prefix_key.data ? sp_arena_zero(scratch, parts_bytes) : NULL;
    float *value_parts = grads->prefix_value.data ? sp_arena_zero(scratch, parts_bytes) : NULL;
#pragma omp parallel for schedule(dynamic)
    for (int task = 0; task < tasks; task++) {
        sp_attention_grads g = *grads;
        g.prefix_key = (sp_rows){key_parts ? key_parts + task * part : NULL, d};
        g.prefix_value = (sp_rows){value_parts ? value_parts + task * part : NULL, d};
        sp_attention_backward_task(&in, task / s->kv_heads, task % s->kv_heads, dout, lse, &g,
                                   work + (size_t)omp_get_thread_num() * floats);
    }
    if (key_parts) reduce_prefix(s, key_parts, grads->prefix_key);
    if (value_parts) reduce_prefix(s, value_parts, grads->prefix_value);
}
