/* Cutting glosses to their definition, and looking for words in them. */
#include "data/gloss.h"

#include "data/english.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Where the first example begins: behind the semicolon or colon, or the comma, before a quote. */
static size_t definition_length(const char *gloss) {
    const char *quote = strchr(gloss, '"');
    size_t end = quote ? (size_t)(quote - gloss) : strlen(gloss);
    if (!quote) return end;
    while (end > 0 && gloss[end - 1] == ' ') end--;
    return end > 0 && strchr(";:,", gloss[end - 1]) ? end - 1 : strlen(gloss);
}

static const char *skip_field(const char *text) {
    text += strspn(text, " ");
    if (*text != '(') return text;
    const char *end = strchr(text, ')');
    if (!end) return text;
    return end + 1 + strspn(end + 1, " ,:");
}

/* The depth of parentheses at the end, or -1 if one closes that was not open. */
static int open_parentheses(const char *text) {
    int depth = 0;
    for (; *text && depth >= 0; text++) depth += *text == '(' ? 1 : *text == ')' ? -1 : 0;
    return depth;
}

char *sp_gloss_definition(const char *gloss) {
    char *whole = sp_strndup(gloss, definition_length(gloss));
    size_t end = strlen(whole);
    while (end > 0 && strchr(" ;:,.", whole[end - 1])) whole[--end] = '\0';
    if (end > 0 && whole[end - 1] == ')' && open_parentheses(whole) < 0) whole[--end] = '\0';
    while (end > 0 && strchr(" ;:,.", whole[end - 1])) whole[--end] = '\0';
    char *text = sp_strdup(skip_field(whole));
    free(whole);
    if (*text && !strpbrk(text, "\"`0123456789") && open_parentheses(text) == 0) return text;
    free(text);
    return NULL;
}

int sp_count_words(const char *text) {
    int count = 0;
    for (const char *p = text; *p; p++) count += *p != ' ' && (p == text || p[-1] == ' ');
    return count;
}

static bool is_inflection(const char *found, const char *word) {
    static const char *const endings[] = {"", "s", "es", "d", "ed", "ing"};
    size_t n = strlen(word);
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++)
        if (strncasecmp(found, word, n) == 0 && strcasecmp(found + n, endings[i]) == 0) return true;
    bool silent_e = n > 0 && word[n - 1] == 'e';
    return silent_e && strncasecmp(found, word, n - 1) == 0 &&
           strcasecmp(found + n - 1, "ing") == 0;
}

bool sp_text_has_word(const char *text, const char *word) {
    char *plural = strcasecmp(word, "person") == 0 ? sp_strdup("people") : sp_plural(word);
    bool has = false;
    while (*text && !has) {
        size_t len = 0;
        while (isalpha((unsigned char)text[len])) len++;
        char *found = sp_strndup(text, len);
        has = len > 0 && (is_inflection(found, word) || strcasecmp(found, plural) == 0);
        free(found);
        text += len > 0 ? len : 1;
    }
    free(plural);
    return has;
}
