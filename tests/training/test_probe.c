/* The measurements behind `softprompt model`. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/letters.h"
#include "tensor/gemm.h"
#include "training/perplexity.h"
#include "training/probe.h"
#include "training/record.h"

#include <math.h>
#include <stdlib.h>

enum { VOCABULARY = 6 };

static sp_model *random_model(int positions) {
    sp_config config = {.model_type = "gpt2",
                        .vocab_size = VOCABULARY,
                        .n_positions = positions,
                        .n_embd = 16,
                        .n_layer = 2,
                        .n_head = 2,
                        .n_inner = 64,
                        .bos_token_id = LETTER_END,
                        .eos_token_id = LETTER_END,
                        .layer_norm_epsilon = 1e-5,
                        .initializer_range = 0.02};
    sp_model *model = NULL;
    if (sp_model_new(&config, &model)) fail_msg("%s", sp_error());
    sp_model_initialise(model, 7);
    return model;
}

static sp_documents documents_of(const char *text) {
    return (sp_documents){text, strlen(text), 0};
}

static sp_perplexity measure(const sp_model *model, const char *text, size_t limit, long pass) {
    sp_tokenizer *tokenizer = letters();
    sp_tape tape = {0};
    sp_perplexity result;
    if (sp_measure_perplexity(model, tokenizer, documents_of(text), limit, pass, &tape, &result))
        fail_msg("%s", sp_error());
    assert_false(tape.inference);
    sp_tape_free(&tape);
    sp_tokenizer_free(tokenizer);
    return result;
}

static void random_weights_have_the_perplexity_of_a_die(void **state) {
    (void)state;
    sp_model *model = random_model(64);
    sp_perplexity p = measure(model, "abc abc\n\x1e\ncab x\n\x1e\nxxx", 10, 4);
    assert_int_equal(p.documents, 3);
    assert_int_equal(p.tokens, 7 + 5 + 3);
    assert_true(fabs(exp(p.loss) - VOCABULARY) < 0.05 * VOCABULARY);
    sp_model_free(model);
}

static void perplexity_does_not_depend_on_how_documents_are_batched(void **state) {
    (void)state;
    sp_model *model = random_model(64);
    static const char text[] = "abc abc\n\x1e\ncab x\n\x1e\nxxx ab\n\x1e\nba";
    sp_perplexity alone = measure(model, text, 10, 1), together = measure(model, text, 10, 1000);
    assert_int_equal(alone.tokens, together.tokens);
    assert_true(fabs(alone.loss - together.loss) < 1e-6);
    sp_model_free(model);
}

static void only_the_first_documents_count_and_each_is_cut_to_the_context(void **state) {
    (void)state;
    sp_model *model = random_model(8);
    assert_int_equal(measure(model, "ab\n\x1e\nabc\n\x1e\nx", 2, 100).tokens, 2 + 3);
    assert_int_equal(measure(model, "abcabcabcabcabcabc", 1, 100).tokens, 8);
    sp_model_free(model);
}

static void a_text_without_anything_to_predict_is_refused(void **state) {
    (void)state;
    sp_model *model = random_model(8);
    sp_tokenizer *tokenizer = letters();
    static const char *const texts[] = {"", "\n\x1e\n", "\n\x1e\n\n\x1e\n"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        sp_tape tape = {0};
        sp_perplexity result;
        assert_int_equal(sp_measure_perplexity(model, tokenizer, documents_of(texts[i]), 10, 100,
                                               &tape, &result),
                         SP_ERR_DATA);
        sp_tape_free(&tape);
    }
    sp_tokenizer_free(tokenizer);
    sp_model_free(model);
}

static sp_induction induction(const sp_model *model) {
    sp_tokenizer *tokenizer = letters();
    sp_induction result;
    if (sp_probe_induction(model, tokenizer, &result)) fail_msg("%s", sp_error());
    sp_tokenizer_free(tokenizer);
    return result;
}

static void random_weights_gain_nothing_from_a_repetition(void **state) {
    (void)state;
    sp_model *model = random_model(64);
    sp_induction i = induction(model);
    assert_true(fabs(i.second.logprob - i.first.logprob) < 0.02);
    assert_true(fabs(i.first.logprob + log(VOCABULARY)) < 0.05);
    assert_true(i.first.accuracy > 0.1 && i.first.accuracy < 0.3);
    assert_true(i.second.accuracy > 0.1 && i.second.accuracy < 0.3);
    sp_model_free(model);
}

static void the_probes_say_the_same_every_time(void **state) {
    (void)state;
    sp_model *model = random_model(64);
    sp_tokenizer *tokenizer = letters();
    sp_induction a = induction(model), b = induction(model);
    sp_names one, other;
    sp_documents documents = documents_of("a = b; c = x\nb x");
    assert_memory_equal(&a, &b, sizeof a);
    assert_int_equal(sp_probe_names(model, tokenizer, documents, &one), SP_OK);
    assert_int_equal(sp_probe_names(model, tokenizer, documents, &other), SP_OK);
    assert_memory_equal(&one, &other, sizeof one);
    sp_tokenizer_free(tokenizer);
    sp_model_free(model);
}

static void a_context_too_short_for_the_induction_probe_is_refused(void **state) {
    (void)state;
    sp_model *model = random_model(62);
    sp_tokenizer *tokenizer = letters();
    sp_induction result;
    assert_int_equal(sp_probe_induction(model, tokenizer, &result), SP_ERR_DATA);
    assert_non_null(strstr(sp_error(), "62"));
    sp_tokenizer_free(tokenizer);
    sp_model_free(model);
}

/* A model that says `token` for ever: its embedding is the only one along the final norm's bias. */
static sp_model *parrot(int token) {
    sp_model *model = random_model(64);
    sp_param *bias = sp_params_find(&model->params, "transformer.ln_f.bias");
    for (int i = 0; i < model->config.n_embd; i++) {
        bias->var.data[i] = 100;
        model->embedding->data[token * model->embedding->ld + i] = 1;
    }
    return model;
}

static sp_names names_of(const sp_model *model, const char *text) {
    sp_tokenizer *tokenizer = letters();
    sp_names names;
    if (sp_probe_names(model, tokenizer, documents_of(text), &names)) fail_msg("%s", sp_error());
    sp_tokenizer_free(tokenizer);
    return names;
}

/* The value of c is a space, the one thing that this model says. */
static void a_value_is_copied_when_reference_and_completion_mention_it(void **state) {
    (void)state;
    sp_model *model = parrot(LETTER_SPACE);
    sp_names names = names_of(model, "abc\n\x1e\na = b; c =  ; x = xxx\nb x");
    assert_int_equal(names.records, 1);
    assert_int_equal(names.values, 2); /* b and the space, not xxx */
    assert_int_equal(names.copied, 1);
    sp_model_free(model);
}

static void records_that_cannot_show_copying_are_left_out(void **state) {
    (void)state;
    sp_model *model = random_model(16);
    assert_int_equal(names_of(model, "abc").records, 0);
    assert_int_equal(names_of(model, "a = b; c = x\na c").records, 0);
    assert_int_equal(names_of(model, "a = b; c = x\nb abcabcabcabcabc").records, 0);
    assert_int_equal(names_of(model, "a = b; c = x\nb").records, 1);
    sp_model_free(model);
}

typedef struct record_case {
    const char *document;
    const char *values; /* joined by '/'; NULL: no record */
    const char *text;
} record_case;

static void check_record(const record_case *c) {
    sp_told_record record;
    bool found = sp_record_parse(c->document, strlen(c->document), &record);
    if (found != (c->values != NULL)) fail_msg("%s", c->document);
    if (found) {
        sp_buf joined = {0};
        for (size_t i = 0; i < record.values.len; i++)
            sp_buf_printf(&joined, "%s%s", i ? "/" : "", record.values.data[i]);
        assert_string_equal(joined.data, c->values);
        assert_int_equal(record.text_len, strlen(c->text));
        assert_memory_equal(record.text, c->text, record.text_len);
        assert_int_equal(c->document[record.head_len], '\n');
        sp_buf_free(&joined);
    }
    sp_record_free(&record);
}

static void records_are_told_from_other_documents_by_their_layout(void **state) {
    (void)state;
    static const record_case cases[] = {
        {"Term: wrong\nPart of speech: noun\nwrong is a noun.", "wrong/noun", "wrong is a noun."},
        {"name = R; needs = a, b\nR needs a and b.\n", "R/a, b", "R needs a and b."},
        {" name : x | url : http://a : b\nSee x.", "x/http://a : b", "See x."},
        {" : R | is | Q | R | has | S\nR is Q.", "R/Q/S", "R is Q."},
        {"Package: a\nDescription: b\n\nLong text.", NULL, NULL},
        {"Q: why?\nA: so.", NULL, NULL},
        {"A: why?\nB: so.\nA: ah.", NULL, NULL},
        {"name = R\nR is alone.", NULL, NULL},
        {" : R | is\nR is.", NULL, NULL},
        {" : R | is | \nR is.", NULL, NULL},
        {"Boule (noun): 1. A council.\n2. Note: of aristocrats.\nText", NULL, NULL},
        {"One line", NULL, NULL},
        {"\n", NULL, NULL},
        {"\nText", NULL, NULL},
        {" \nText", NULL, NULL},
        {"", NULL, NULL}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) check_record(&cases[i]);
}

static bool mentions(const char *text, const char *value) {
    return sp_text_mentions(text, strlen(text), value);
}

static void a_mention_is_a_whole_word(void **state) {
    (void)state;
    assert_true(mentions("in C.", "C"));
    assert_true(mentions("Cat, C", "C"));
    assert_true(mentions("(libfoo-dev)", "libfoo-dev"));
    assert_true(mentions("a.b", "."));
    assert_false(mentions("Cat", "C"));
    assert_false(mentions("the Kāpīsā", "K"));
    assert_false(mentions("abc", "abcd"));
    assert_false(mentions("abc", ""));
    assert_false(mentions("", "a"));
}

int main(void) {
    if (sp_gemm_start(1)) return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_weights_have_the_perplexity_of_a_die),
        cmocka_unit_test(perplexity_does_not_depend_on_how_documents_are_batched),
        cmocka_unit_test(only_the_first_documents_count_and_each_is_cut_to_the_context),
        cmocka_unit_test(a_text_without_anything_to_predict_is_refused),
        cmocka_unit_test(random_weights_gain_nothing_from_a_repetition),
        cmocka_unit_test(the_probes_say_the_same_every_time),
        cmocka_unit_test(a_context_too_short_for_the_induction_probe_is_refused),
        cmocka_unit_test(a_value_is_copied_when_reference_and_completion_mention_it),
        cmocka_unit_test(records_that_cannot_show_copying_are_left_out),
        cmocka_unit_test(records_are_told_from_other_documents_by_their_layout),
        cmocka_unit_test(a_mention_is_a_whole_word),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
