/* `transfer` in specs, and the names of groups that tables and figures may ask for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "experiment/study_fixture.h"

#define SPEC                                                                                       \
    "name: demo\n"                                                                                 \
    "base: {model: gpt2-1m, dataset: wntopic-shared}\n"                                            \
    "methods: {prompt: {lr: 1}}\n"
#define TRANSFER                                                                                   \
    "name: demo\n"                                                                                 \
    "base: {model: gpt2-1m, dataset: wntopic-shared, transfer: [wntopic-verbs, "                   \
    "my/sets/own.yaml]}\n"                                                                         \
    "methods: {prompt: {lr: 1}}\n"

static void accept(const char *text, const char *set) {
    sp_spec spec;
    if (study_read(text, NULL, set, &spec)) fail_msg("%s", sp_error());
    sp_spec_free(&spec);
}

static void refuse(const char *text, const char *set, const char *message) {
    sp_spec spec;
    sp_run_list runs = {0};
    sp_status st = study_read(text, NULL, set, &spec);
    if (!st) {
        st = sp_expand(&spec, study_identify, NULL, &runs);
        sp_spec_free(&spec);
        sp_run_list_free(&runs);
    }
    if (st != SP_ERR_SPEC || !strstr(sp_error(), message))
        fail_msg("status %d, '%s' is not in: %s", (int)st, message, sp_error());
}

#define COLUMN(name) "report: {table: {columns: [" name "]}}\n"

static void other_test_sets_are_groups_wherever_the_spec_names_them(void **state) {
    (void)state;
    accept(TRANSFER COLUMN("wntopic-verbs.accuracy, own.accuracy, all.accuracy, seen.accuracy"),
           NULL);
    accept(TRANSFER "report: {table: {metrics: [accuracy], groups: [own, unseen]}}\n", NULL);
    accept(TRANSFER "report: {figure: {kind: scatter, y: test.own.accuracy}}\n", NULL);
    accept(SPEC "presets: {quick: {transfer: [wntopic-verbs]}}\n" COLUMN("wntopic-verbs.accuracy"),
           NULL);
    accept(SPEC COLUMN("wntopic-verbs.accuracy"), "transfer=[wntopic-verbs]");
}

static void the_sets_of_a_mixture_are_groups(void **state) {
    (void)state;
    accept(SPEC COLUMN("wnentail.accuracy"), "dataset=wn-tasks");
    accept(SPEC "grid: {dataset: [wntopic, wn-tasks]}\n" COLUMN("wntopic-verbs.accuracy"), NULL);
    refuse(SPEC COLUMN("wnentail.accuracy"), NULL, "no group 'wnentail'");
}

static void an_unknown_group_is_refused_with_the_nearest_one(void **state) {
    (void)state;
    refuse(TRANSFER COLUMN("wntopic-verb.accuracy"), NULL,
           "no group 'wntopic-verb'; the groups are all, seen, unseen, wntopic-verbs, own; did you "
           "mean 'wntopic-verbs'?");
    refuse(TRANSFER "report: {figure: {kind: scatter, y: test.ow.accuracy}}\n", NULL,
           "no group 'ow'");
    refuse(TRANSFER COLUMN("own.acuracy"), NULL, "acuracy");
}

static void a_list_that_cannot_be_tested_on_is_refused(void **state) {
    (void)state;
    refuse(SPEC, "transfer=wntopic-verbs", "transfer is '");
    refuse(SPEC, "transfer=[a, x/a.yaml]", "transfer has two sets called 'a'");
    refuse(SPEC, "transfer=[bleu]", "transfer has 'bleu', but 'bleu' is a metric");
    refuse(SPEC, "transfer=[sets/seen.yaml]", "but 'seen' is a group of every set");
    refuse(SPEC, "transfer=[predictions]", "what the run file calls the answers");
    refuse(SPEC, "transfer=['']", "is no name");
    refuse(SPEC, "transfer=[[a]]", "a data set of transfer");
    refuse(SPEC, "transfer=[a, b, c, d, e, f, g, h, i]", "transfer has 9 data sets; use at most 8");
    refuse(SPEC "grid: {transfer: [a, b]}\n", NULL, "transfer is 'a'; use a list");
}

/* Runs that were there before the key was keep their ids. */
static void the_id_depends_on_other_test_sets_if_there_are_any(void **state) {
    (void)state;
    static const char *const sets[] = {NULL, "transfer=[]", "transfer=[a]", "transfer=[a, b]",
                                       "transfer=[b, a]"};
    char ids[5][SP_RUN_ID + 1];
    for (int i = 0; i < 5; i++) {
        sp_run_list runs = study_expand(SPEC, NULL, sets[i]);
        assert_int_equal(runs.count, 1);
        assert_true((strstr(runs.items[0].spec_yaml, "transfer") != NULL) == (i > 1));
        memcpy(ids[i], runs.items[0].id, sizeof ids[i]);
        sp_run_list_free(&runs);
    }
    assert_string_equal(ids[0], ids[1]);
    for (int i = 1; i < 5; i++)
        for (int k = 1; k < i; k++) assert_string_not_equal(ids[i], ids[k]);
}

/* As sp_identify, but the content of set "a" is as `user` says. */
static sp_status identify_as(void *user, const char *model, const char *dataset, sp_digest *m,
                             sp_digest *d) {
    return study_identify(NULL, model, strcmp(dataset, "a") == 0 ? user : dataset, m, d);
}

static void the_id_depends_on_the_content_of_other_test_sets(void **state) {
    (void)state;
    char old[] = "old", new[] = "new";
    sp_spec spec;
    sp_run_list first, second;
    if (study_read(SPEC, NULL, "transfer=[a]", &spec)) fail_msg("%s", sp_error());
    assert_int_equal(sp_expand(&spec, identify_as, old, &first), SP_OK);
    assert_int_equal(sp_expand(&spec, identify_as, new, &second), SP_OK);
    assert_string_not_equal(first.items[0].id, second.items[0].id);
    sp_run_list_free(&first), sp_run_list_free(&second);
    sp_spec_free(&spec);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(other_test_sets_are_groups_wherever_the_spec_names_them),
        cmocka_unit_test(the_sets_of_a_mixture_are_groups),
        cmocka_unit_test(an_unknown_group_is_refused_with_the_nearest_one),
        cmocka_unit_test(a_list_that_cannot_be_tested_on_is_refused),
        cmocka_unit_test(the_id_depends_on_other_test_sets_if_there_are_any),
        cmocka_unit_test(the_id_depends_on_the_content_of_other_test_sets),
    };
    return cmocka_run_group_tests(tests, study_setup, study_teardown);
}
