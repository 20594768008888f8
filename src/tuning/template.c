#include "tuning/template.h"

#include <stdlib.h>
#include <string.h>

static int count_word(char *const *words, size_t n, const char *word) {
    int count = 0;
    for (size_t i = 0; i < n; i++) count += strcmp(words[i], word) == 0;
    return count;
}

static void split_words(const char *text, sp_strings *out) {
    while (*text) {
        text += strspn(text, " ");
        size_t n = strcspn(text, " ");
        if (n) sp_strings_take(out, sp_strndup(text, n));
        text += n;
    }
}

static sp_status add_anchor(const char *word, const sp_tokenizer *tokenizer, sp_ints *ids) {
    char *spaced = sp_format(" %s", word);
    sp_status st = sp_tokenizer_encode(tokenizer, spaced, strlen(spaced), ids);
    free(spaced);
    return st;
}

static sp_status place_words(const sp_strings *words, int virtual_tokens, int runs,
                             const sp_tokenizer *tokenizer, sp_template *out) {
    sp_ints *side = &out->before;
    sp_status st = SP_OK;
    int next = 0, run = 0;
    for (size_t i = 0; !st && i < words->len; i++) {
        if (strcmp(words->data[i], "x") == 0) {
            side = &out->after;
        } else if (strcmp(words->data[i], "P") == 0) {
            int size = virtual_tokens / runs + (run++ < virtual_tokens % runs);
            for (int k = 0; k < size; k++) sp_ints_push(side, -1 - next++);
        } else {
            st = add_anchor(words->data[i], tokenizer, side);
        }
    }
    return st;
}

sp_status sp_template_parse(const char *text, int virtual_tokens, const sp_tokenizer *tokenizer,
                            sp_template *out) {
    *out = (sp_template){0};
    sp_strings words = {0};
    split_words(text, &words);
    int runs = count_word(words.data, words.len, "P");
    sp_status st = SP_OK;
    if (count_word(words.data, words.len, "x") != 1)
        st = sp_fail(SP_ERR_SPEC, "template is '%s'; it needs exactly one x for the input", text);
    else if (runs == 0 && virtual_tokens > 0)
        st = sp_fail(SP_ERR_SPEC, "template is '%s'; it needs a P for the %d virtual tokens", text,
                     virtual_tokens);
    else
        st = place_words(&words, virtual_tokens, runs, tokenizer, out);
    sp_strings_free(&words);
    if (st) sp_template_free(out);
    return st;
}

void sp_template_free(sp_template *t) {
    sp_ints_free(&t->before);
    sp_ints_free(&t->after);
}

void sp_template_apply(const sp_template *template, const sp_ints *input, sp_ints *out) {
    sp_ints_append(out, template->before.data, template->before.len);
    sp_ints_append(out, input->data, input->len);
    sp_ints_append(out, template->after.data, template->after.len);
}

int sp_template_row(const sp_template *t, size_t length) {
    return t->row < 0 ? (int)length + t->row : t->row;
}
