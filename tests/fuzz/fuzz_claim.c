/* Any bytes as the test of a claim: refused with a message of one line, or taken apart into terms
 * that are whole. */
#include "experiment/claim.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_expr(const sp_claim_expr *e) {
    for (size_t i = 0; i < e->term_count; i++) {
        const sp_claim_term *term = &e->terms[i];
        if (!term->score || !*term->score) abort();
        for (size_t k = 0; k < term->filter_count; k++)
            if (!term->filters[k].setting || !term->filters[k].values.len) abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *text = sp_strndup((const char *)data, size);
    sp_yaml *node = sp_yaml_new_scalar("claim.yaml", 1, text);
    sp_yaml *entries = sp_yaml_new_map("claim.yaml", 1);
    sp_yaml_put(entries, "prefix", sp_yaml_new_scalar("claim.yaml", 1, ""));
    sp_strings groups = {0};
    sp_strings_push(&groups, "all");
    sp_strings_push(&groups, "seen");
    sp_claim_test test;
    if (sp_claim_parse(node, "x", entries, &groups, &test)) {
        if (!*sp_error() || strchr(sp_error(), '\n')) abort();
    } else {
        if (!test.left.term_count && !test.right.term_count) abort();
        check_expr(&test.left);
        check_expr(&test.right);
    }
    sp_claim_test_free(&test);
    sp_strings_free(&groups);
    sp_yaml_free(entries);
    sp_yaml_free(node);
    free(text);
    return 0;
}
