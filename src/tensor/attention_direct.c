#include "tensor/attention_block.h"

#include "tensor/vector.h"

#include <math.h>

/* Scores and probabilities of one query row: `group` heads by `ld` keys. */
typedef struct query {
    const sp_attention_shape *shape;
    int group;
    long ld, keys; /* keys: how many the row sees */
    float *scores;
} query;

/* Where key or value j lies; the prefix comes first. */
typedef struct place {
    sp_rows prefix;
    long prefix_length; /* as far as the row sees it */
    const float *own;
    long own_ld;
    const int *which;
} place;

INLINED const float *row_at(const place *p, long j) {
    if (j < p->prefix_length) return p->prefix.data + j * p->prefix.ld;
    j -= p->prefix_length;
    return p->own + (p->which ? p->which[j] : j) * p->own_ld;
}

/* The same without the rows that a window leaves out; `prefix_length` of the prefix are seen. */
INLINED place place_from(const place *p, sp_window_start start, long prefix_length) {
    place seen = *p;
    seen.prefix = sp_rows_at(p->prefix, start.prefix, 0);
    seen.prefix_length = prefix_length - start.prefix;
    if (p->which)
        seen.which += start.own;
    else
        seen.own += start.own * p->own_ld;
    return seen;
}

/* scores [group, ld] = q . key * scale, 16 keys at a time; those beyond the last are it again. */
INLINED void score_keys(const query *x, const place *keys, const float *q, float scale) {
    long d = x->shape->head_size;
    for (long j = 0; j < x->keys; j += LANES) {
        const float *key[LANES];
        for (int r = 0; r < LANES; r++)
            key[r] = row_at(keys, j + r < x->keys ? j + r : x->keys - 1);
        for (int h = 0; h < x->group; h++) {
            vec acc[LANES] = {{0}};
            for (long c = 0; c < d; c += LANES) {
                vec a, b;
                load(q + h * d + c, &a);
                for (int r = 0; r < LANES; r++) {
                    load(key[r] + c, &b);
                    acc[r] += a * b;
                }
            }
            sum_lanes(acc);
            acc[0] *= scale;
            store(x->scores + h * x->ld + j, &acc[0]);
        }
    }
}

/* scores = exp(scores - largest); returns the sum, and largest in *shift. */
INLINED float softmax(long n, float *row, float *shift) {
    for (long j = n; j < round_to_lanes(n); j++) row[j] = -INFINITY;
    vec most = (vec){0} - INFINITY, sum = {0}, x;
    for (long j = 0; j < n; j += LANES) {
        load(row + j, &x);
        take_larger(&most, &x);
    }
    *shift = largest_of(&most);
    for (long j = 0; j < n; j += LANES) {
        load(row + j, &x);
        x -= *shift;
        exponential(&x);
        store(row + j, &x);
        long beyond = j + LANES - n;
        for (long r = beyond > 0 ? LANES - beyond : LANES; r < LANES; r++) row[j + r] = 0;
        load(row + j, &x);
        sum += x;
    }
    return sum_of(&sum);
}

/* out [group, d] = scores values / sums, `vectors` of a row at a time from column c. */
INLINED void weigh(const query *x, const place *values, int vectors, long c, int head,
                   float inverse_sum, float *out) {
    vec acc[4] = {{0}};
    const float *weights = x->scores + head * x->ld;
    for (long j = 0; j < x->keys; j++) {
        const float *value = row_at(values, j) + c;
        for (int i = 0; i < vectors; i++) {
            vec v;
            load(value + i * LANES, &v);
            acc[i] += weights[j] * v;
        }
    }
    for (int i = 0; i < vectors; i++) {
        acc[i] *= inverse_sum;
        store(out + c + i * LANES, &acc[i]);
    }
}

INLINED void weigh_values(const query *x, const place *values, int head, float inverse_sum,
                          float *out) {
    long d = x->shape->head_size, c = 0;
    for (; c + 4 * LANES <= d; c += 4 * LANES) weigh(x, values, 4, c, head, inverse_sum, out);
    for (; c + 2 * LANES <= d; c += 2 * LANES) weigh(x, values, 2, c, head, inverse_sum, out);
    if (c < d) weigh(x, values, 1, c, head, inverse_sum, out);
}

INLINED void attend(const query *x, const place *keys, const place *values, const float *q,
                    float *out, float *lse) {
    long d = x->shape->head_size;
    if (x->keys == 0) {
        memset(out, 0, (size_t)(x->group * d) * sizeof *out);
        return;
    }
    score_keys(x, keys, q, 1.0f / sqrtf((float)d));
    for (int h = 0; h < x->group; h++) {
        float shift, sum = softmax(x->keys, x->scores + h * x->ld, &shift);
        if (lse) lse[h] = shift + logf(sum);
        weigh_values(x, values, h, 1.0f / sum, out + h * d);
    }
}

VECTORISED void sp_attention_direct_task(const sp_attention_inputs *in, int sequence, int kv_head,
                                         sp_rows out, float *lse, float *scratch) {
    const sp_attention_shape *s = in->shape;
    const sp_keys *k = &in->keys[sequence];
    long first = s->offsets[sequence], length = s->offsets[sequence + 1] - first;
    long past = k->length - length, d = s->head_size, column = kv_head * d;
    long hidden = sp_hidden_queries(s, sequence, past, length);
    int group = s->heads / s->kv_heads, head = kv_head * group;
    place keys = {sp_rows_at(in->prefix_key, 0, column), 0, k->key + column, in->keys_ld, k->rows};
    place values = {sp_rows_at(in->prefix_value, 0, column), 0, k->value + column, in->keys_ld,
                    k->rows};
    query x = {s, group, round_to_lanes(s->prefix_length + k->length), 0, scratch};
    for (long i = 0; i < length; i++) {
        long own = s->prefix_only ? 0 : s->causal ? past + i + 1 : k->length;
        sp_window_start start = sp_window_start_of(s, sequence, past + i, i >= hidden);
        place seen_keys = place_from(&keys, start, i < hidden ? 0 : s->prefix_length);
        place seen_values = place_from(&values, start, i < hidden ? 0 : s->prefix_length);
        x.keys = seen_keys.prefix_length + own - start.own;
        attend(&x, &seen_keys, &seen_values, in->q.data + (first + i) * in->q.ld + head * d,
               out.data + (first + i) * out.ld + head * d,
               lse ? lse + (first + i) * s->heads + head : NULL);
    }
}
