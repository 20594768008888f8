/* Option tables. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/option.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

typedef struct settings {
    int length;
    double rate;
    bool shift;
    char kind[SP_OPTION_TEXT], note[SP_OPTION_TEXT];
} settings;

#define FIELD(name) offsetof(settings, name)
static const sp_option table[] = {
    {"length", SP_INT, FIELD(length), "10", 0, 100, NULL, "tokens"},
    {"rate", SP_REAL, FIELD(rate), "1e-3", 0, 2, NULL, "learning rate"},
    {"shift", SP_BOOL, FIELD(shift), "true", 0, 0, NULL, "shift positions"},
    {"kind", SP_CHOICE, FIELD(kind), "linear", 0, 0, "linear|cosine|constant", "schedule"},
    {"note", SP_TEXT, FIELD(note), "", 0, 0, NULL, "any text"},
    {0}};

static settings defaults(void) {
    settings s;
    memset(&s, 0xaa, sizeof s);
    sp_options_default(table, &s);
    return s;
}

static void defaults_fill_every_field(void **state) {
    (void)state;
    settings s = defaults();
    assert_int_equal(s.length, 10);
    assert_true(s.rate == 1e-3);
    assert_true(s.shift);
    assert_string_equal(s.kind, "linear");
    assert_string_equal(s.note, "");
}

static void values_are_read_as_yaml_writes_them(void **state) {
    (void)state;
    settings s = defaults();
    assert_int_equal(sp_options_set(table, &s, "length", "100"), SP_OK);
    assert_int_equal(sp_options_set(table, &s, "rate", "3e-2"), SP_OK);
    assert_int_equal(sp_options_set(table, &s, "shift", "false"), SP_OK);
    assert_int_equal(sp_options_set(table, &s, "kind", "cosine"), SP_OK);
    assert_int_equal(sp_options_set(table, &s, "note", "a | b: c"), SP_OK);
    assert_int_equal(s.length, 100);
    assert_true(s.rate == 3e-2);
    assert_false(s.shift);
    assert_string_equal(s.kind, "cosine");
    assert_string_equal(s.note, "a | b: c");
}

typedef struct wrong {
    const char *name, *value, *message;
} wrong;

static void wrong_values_are_refused_with_what_would_fit_and_change_nothing(void **state) {
    (void)state;
    static const wrong cases[] = {
        {"length", "101", "0 to 100"},
        {"length", "-1", "0 to 100"},
        {"length", "2.5", "whole number"},
        {"length", "ten", "whole number"},
        {"length", "", "whole number"},
        {"length", "5 tokens", "whole number"},
        {"rate", "2.1", "0 to 2"},
        {"rate", "nan", "number"},
        {"rate", "inf", "number"},
        {"shift", "yes", "true or false"},
        {"kind", "cos", "linear|cosine|constant"},
        {"kind", "linear|cosine", "linear|cosine|constant"},
        {"kind", "", "linear|cosine|constant"},
    };
    settings s = defaults(), before = s;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const wrong *c = &cases[i];
        assert_int_equal(sp_options_set(table, &s, c->name, c->value), SP_ERR_SPEC);
        if (!strstr(sp_error(), c->name) || !strstr(sp_error(), c->message))
            fail_msg("%s = '%s': %s", c->name, c->value, sp_error());
    }
    char longest[SP_OPTION_TEXT + 1];
    memset(longest, 'x', SP_OPTION_TEXT);
    longest[SP_OPTION_TEXT] = '\0';
    assert_int_equal(sp_options_set(table, &s, "note", longest), SP_ERR_SPEC);
    assert_memory_equal(&s, &before, sizeof s);
    assert_int_equal(sp_options_set(table, &s, "note", longest + 1), SP_OK);
}

static void an_unknown_key_names_the_nearest_known_one(void **state) {
    (void)state;
    settings s = defaults();
    assert_int_equal(sp_options_set(table, &s, "lenght", "5"), SP_ERR_SPEC);
    assert_non_null(strstr(sp_error(), "'lenght'"));
    assert_non_null(strstr(sp_error(), "did you mean 'length'"));
    assert_int_equal(sp_options_set(table, &s, "quantisation", "5"), SP_ERR_SPEC);
    assert_null(strstr(sp_error(), "did you mean"));
    assert_null(sp_options_find(table, "lenght"));
    assert_ptr_equal(sp_options_find(table, "rate"), &table[1]);
}

static void what_get_writes_set_reads_back(void **state) {
    (void)state;
    settings s = defaults(), again = defaults();
    s.length = 77;
    s.rate = 0.1 + 0.2;
    s.shift = false;
    strcpy(s.kind, "constant");
    strcpy(s.note, "text with 'quotes'");
    for (const sp_option *o = table; o->name; o++) {
        char *text = sp_options_get(o, &s);
        assert_int_equal(sp_options_set(table, &again, o->name, text), SP_OK);
        free(text);
    }
    assert_int_equal(again.length, s.length);
    assert_true(again.rate == s.rate);
    assert_int_equal(again.shift, s.shift);
    assert_string_equal(again.kind, s.kind);
    assert_string_equal(again.note, s.note);
}

static void the_nearest_word_is_near_or_none(void **state) {
    (void)state;
    static const char *const names[] = {"prefix", "prompt", "p-tuning", NULL};
    assert_string_equal(sp_nearest_word("perfix", names), "prefix");
    assert_string_equal(sp_nearest_word("promt", names), "prompt");
    assert_string_equal(sp_nearest_word("ptuning", names), "p-tuning");
    assert_null(sp_nearest_word("zzzzzzzz", names));
    assert_string_equal(sp_did_you_mean("perfix", names), "; did you mean 'prefix'?");
    assert_string_equal(sp_did_you_mean("zzzzzzzz", names), "");
    char endless[1000];
    memset(endless, 'p', sizeof endless);
    endless[999] = '\0';
    sp_nearest_word(endless, names);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_fill_every_field),
        cmocka_unit_test(values_are_read_as_yaml_writes_them),
        cmocka_unit_test(wrong_values_are_refused_with_what_would_fit_and_change_nothing),
        cmocka_unit_test(an_unknown_key_names_the_nearest_known_one),
        cmocka_unit_test(what_get_writes_set_reads_back),
        cmocka_unit_test(the_nearest_word_is_near_or_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
