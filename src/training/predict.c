#include "training/predict.h"

#include <stdlib.h>

/* Record indices by input length, so that a batch holds inputs of like length. */
typedef struct by_length {
    size_t length;
    int record;
} by_length;

static int compare_lengths(const void *a, const void *b) {
    const by_length *x = a, *y = b;
    if (x->length != y->length) return x->length < y->length ? -1 : 1;
    return x->record - y->record;
}

static by_length *sort_by_length(const sp_examples *e, size_t count) {
    by_length *sorted = sp_alloc(count, sizeof *sorted);
    for (size_t i = 0; i < count; i++) sorted[i] = (by_length){e->records[i].input.len, (int)i};
    qsort(sorted, count, sizeof *sorted, compare_lengths);
    return sorted;
}

sp_status sp_predict_together(const sp_model *model, const sp_steering *steering,
                              const sp_template *const *templates, size_t voters,
                              const sp_tokenizer *tokenizer, const sp_decode_options *options,
                              const sp_examples *examples, size_t count, uint64_t seed,
                              void (*on_done)(void *user, size_t done), void *user,
                              sp_strings *out) {
    by_length *sorted = sort_by_length(examples, count);
    size_t total = count * voters;
    sp_ints *inputs = sp_alloc(total, sizeof *inputs), *outputs = sp_alloc(total, sizeof *outputs);
    for (size_t i = 0; i < total; i++)
        sp_template_apply(templates[i % voters],
                          &examples->records[sorted[i / voters].record].input, &inputs[i]);
    sp_decode_options all = *options;
    all.batch = options->batch * (int)voters;
    sp_status st = sp_generate(model, &all, steering, inputs, total, seed, on_done, user, outputs);
    size_t *place = sp_alloc(count, sizeof *place);
    for (size_t i = 0; i < count; i++) place[sorted[i].record] = i;
    for (size_t i = 0; !st && i < count; i++)
        for (size_t v = 0; v < voters; v++)
            sp_strings_take(&out[v], sp_tokenizer_text(tokenizer, &outputs[place[i] * voters + v]));
    for (size_t i = 0; i < total; i++) {
        sp_ints_free(&inputs[i]);
        sp_ints_free(&outputs[i]);
    }
    free(place);
    free(inputs);
    free(outputs);
    free(sorted);
    return st;
}

sp_status sp_predict(sp_model *model, sp_soft_prompt *prompt, const sp_tokenizer *tokenizer,
                     const sp_decode_options *options, const sp_examples *examples, size_t count,
                     uint64_t seed, void (*on_done)(void *user, size_t done), void *user,
                     sp_strings *out) {
    sp_soft_prompt_merge(prompt, model);
    sp_steering steering = sp_soft_prompt_steering(prompt);
    const sp_template *template = &prompt->template;
    sp_status st = sp_predict_together(model, &steering, &template, 1, tokenizer, options, examples,
                                       count, seed, on_done, user, out);
    sp_soft_prompt_unmerge(prompt, model);
    return st;
}
