#include "training/record.h"

#include <stdlib.h>
#include <string.h>

enum { LONGEST_KEY = 40 };

typedef struct span {
    const char *at;
    size_t len;
} span;

/* Cuts what is before `separator` (or all) from `rest` into `out`; false if nothing is left. */
static bool cut(span *rest, const char *separator, span *out) {
    if (!rest->at) return false;
    const char *end = memmem(rest->at, rest->len, separator, strlen(separator));
    *out = *rest;
    if (!end) {
        *rest = (span){0};
        return true;
    }
    out->len = (size_t)(end - rest->at);
    rest->at = end + strlen(separator);
    rest->len -= out->len + strlen(separator);
    return true;
}

static bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

static bool is_key(span s) {
    if (!s.len || s.len > LONGEST_KEY || !is_letter(s.at[0])) return false;
    for (size_t i = 1; i < s.len; i++) {
        char c = s.at[i];
        if (!is_letter(c) && !is_digit(c) && c != ' ' && c != '-' && c != '_') return false;
    }
    return true;
}

static void add_value(sp_told_record *r, span value) {
    char *copy = sp_strndup(value.at, value.len);
    for (size_t i = 0; i < r->values.len; i++)
        if (strcmp(r->values.data[i], copy) == 0) {
            free(copy);
            return;
        }
    sp_strings_take(&r->values, copy);
}

/* Pairs `key ASSIGN value`, at least two, with `between` between them. */
static bool parse_pairs(span head, const char *between, const char *assign, sp_told_record *r) {
    span pair, key;
    size_t count = 0;
    while (cut(&head, between, &pair)) {
        if (!cut(&pair, assign, &key) || !is_key(key) || !pair.len) return false;
        add_value(r, pair);
        count++;
    }
    return count >= 2;
}

static bool parse_triples(span head, sp_told_record *r) {
    span field;
    size_t count = 0;
    while (cut(&head, " | ", &field)) {
        if (!field.len) return false;
        if (count++ % 3 != 1) add_value(r, field);
    }
    return count && count % 3 == 0;
}

static bool is_one_pair(span line) {
    span key;
    return cut(&line, ": ", &key) && is_key(key) && line.len;
}

static bool parse_head(span head, sp_told_record *r) {
    if (memchr(head.at, '\n', head.len)) return parse_pairs(head, "\n", ": ", r);
    if (head.len > 3 && memcmp(head.at, " : ", 3) == 0)
        return parse_triples((span){head.at + 3, head.len - 3}, r);
    if (head.at[0] == ' ') return parse_pairs((span){head.at + 1, head.len - 1}, " | ", " : ", r);
    return parse_pairs(head, "; ", " = ", r);
}

bool sp_record_parse(const char *document, size_t len, sp_told_record *out) {
    *out = (sp_told_record){0};
    while (len && document[len - 1] == '\n') len--;
    const char *end = len ? memrchr(document, '\n', len) : NULL;
    if (!end || end == document) return false;
    out->head_len = (size_t)(end - document);
    out->text = end + 1;
    out->text_len = len - out->head_len - 1;
    return !is_one_pair((span){out->text, out->text_len}) &&
           parse_head((span){document, out->head_len}, out);
}

void sp_record_free(sp_told_record *record) {
    sp_strings_free(&record->values);
}

static bool in_word(char c) {
    return is_letter(c) || is_digit(c) || (unsigned char)c >= 0x80;
}

bool sp_text_mentions(const char *text, size_t len, const char *value) {
    size_t n = strlen(value);
    const char *end = text + len, *at = text;
    while (n && (at = memmem(at, (size_t)(end - at), value, n))) {
        bool cut_left = at > text && in_word(at[-1]) && in_word(value[0]);
        bool cut_right = at + n < end && in_word(at[n]) && in_word(value[n - 1]);
        if (!cut_left && !cut_right) return true;
        at++;
    }
    return false;
}
