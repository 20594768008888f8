/* The `claims:` of a spec. */
#include "experiment/claim.h"

#include <stdlib.h>
#include <string.h>

/* What a claim is known by on the board and in the words of others. */
static sp_status read_id(const sp_yaml *node, const sp_claim *before, size_t count, sp_claim *out) {
    sp_status st = sp_yaml_text(node, "id", &out->id);
    if (st) return st;
    const sp_yaml *place = sp_yaml_get(node, "id");
    size_t known = strspn(out->id, "abcdefghijklmnopqrstuvwxyz0123456789-");
    if (!*out->id || out->id[known] || known > 64)
        return sp_yaml_fail(place, "id is '%.80s'; use up to 64 of a-z, 0-9 and -", out->id);
    for (size_t i = 0; i < count; i++)
        if (strcmp(before[i].id, out->id) == 0)
            return sp_yaml_fail(place, "two claims are called '%s'; give each an id of its own",
                                out->id);
    return SP_OK;
}

static sp_status read_test(const sp_yaml *node, const sp_yaml *entries, const sp_strings *groups,
                           sp_claim *out) {
    const sp_yaml *test = sp_yaml_get(node, "test"), *reason = sp_yaml_get(node, "not_testable");
    if (!test == !reason)
        return sp_yaml_fail(node, "claim '%s' has %s test %s not_testable; use one of the two",
                            out->id, test ? "a" : "no", test ? "and" : "and no");
    if (test) return sp_claim_parse(test, out->id, entries, groups, &out->test);
    return sp_yaml_text(node, "not_testable", &out->not_testable);
}

static sp_status read_claim(const sp_yaml *node, const sp_yaml *entries, const sp_strings *groups,
                            const sp_claim *before, size_t count, sp_claim *out) {
    static const char *const keys[] = {"id",   "text",         "source", "paper",
                                       "test", "not_testable", NULL};
    sp_status st = sp_yaml_expect(node, SP_YAML_MAP, "a claim");
    if (!st) st = sp_yaml_check_keys(node, keys);
    if (!st) st = read_id(node, before, count, out);
    if (!st) st = sp_yaml_text(node, "text", &out->text);
    if (!st) st = sp_yaml_text_or(node, "source", "", &out->source);
    if (!st) st = sp_yaml_text_or(node, "paper", "", &out->paper);
    return st ? st : read_test(node, entries, groups, out);
}

sp_status sp_claims_read(const sp_yaml *root, const sp_strings *groups, sp_claim **out,
                         size_t *count) {
    const sp_yaml *list, *entries = sp_yaml_get(root, "methods");
    *out = NULL, *count = 0;
    sp_status st = sp_yaml_list_or_null(root, "claims", &list);
    if (st || !list) return st;
    *out = sp_alloc(list->count, sizeof **out);
    for (; !st && *count < list->count; ++*count)
        st = read_claim(list->items[*count], entries, groups, *out, *count, &(*out)[*count]);
    return st;
}

void sp_claims_free(sp_claim *claims, size_t count) {
    for (size_t i = 0; i < count; i++) sp_claim_test_free(&claims[i].test);
    free(claims);
}
