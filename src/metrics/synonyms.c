/* The files (wndb(5WN)) are read in place. libwordnet is no help here: it keeps global state, seeks
 * through its files word by word, and its base forms are not those of nltk. */
#include "metrics/synonyms.h"

#include "core/file.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { PARTS_OF_SPEECH = 4, MOST_LETTERS = 80 };

static const char debian_folder[] = "/usr/share/wordnet";

/* A suffix and what the base form has in its place. */
typedef struct ending {
    const char *suffix, *base;
} ending;

typedef struct part_of_speech {
    const char *name;
    const ending *endings; /* up to an entry whose suffix is NULL */
    sp_map index;          /* lemmas with the offsets of their synsets, sorted */
    sp_map data;           /* synsets */
    sp_map exceptions;     /* irregular forms with their base forms, sorted */
} part_of_speech;

static const ending noun_endings[] = {{"s", ""},    {"ses", "s"},   {"ves", "f"},   {"xes", "x"},
                                      {"zes", "z"}, {"ches", "ch"}, {"shes", "sh"}, {"men", "man"},
                                      {"ies", "y"}, {NULL, NULL}};
static const ending verb_endings[] = {{"s", ""},    {"ies", "y"}, {"es", "e"},
                                      {"es", ""},   {"ed", "e"},  {"ed", ""},
                                      {"ing", "e"}, {"ing", ""},  {NULL, NULL}};
static const ending adjective_endings[] = {
    {"er", ""}, {"est", ""}, {"er", "e"}, {"est", "e"}, {NULL, NULL}};
static const ending adverb_endings[] = {{NULL, NULL}};

/* Filled once and only read from then on. */
static part_of_speech parts[PARTS_OF_SPEECH] = {{.name = "noun", .endings = noun_endings},
                                                {.name = "verb", .endings = verb_endings},
                                                {.name = "adj", .endings = adjective_endings},
                                                {.name = "adv", .endings = adverb_endings}};
static bool is_loaded;

/* ---- loading ---- */

static char *find_folder(void) {
    const char *folder = getenv("WNSEARCHDIR"), *home = getenv("WNHOME");
    if (folder) return sp_strdup(folder);
    return home ? sp_path_join(home, "dict") : sp_strdup(debian_folder);
}

static sp_status map_file(const char *folder, const char *format, const char *part, sp_map *out) {
    char *name = sp_format(format, part), *path = sp_path_join(folder, name);
    sp_status st = sp_map_file(path, out);
    free(path);
    free(name);
    return st;
}

static void unmap_parts(void) {
    for (int i = 0; i < PARTS_OF_SPEECH; i++) {
        sp_unmap_file(&parts[i].index);
        sp_unmap_file(&parts[i].data);
        sp_unmap_file(&parts[i].exceptions);
    }
}

static sp_status map_parts(const char *folder) {
    sp_status st = SP_OK;
    for (int i = 0; !st && i < PARTS_OF_SPEECH; i++) {
        part_of_speech *p = &parts[i];
        st = map_file(folder, "index.%s", p->name, &p->index);
        if (!st) st = map_file(folder, "data.%s", p->name, &p->data);
        if (!st) st = map_file(folder, "%s.exc", p->name, &p->exceptions);
    }
    return st;
}

sp_status sp_synonyms_load(void) {
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    pthread_mutex_lock(&lock);
    sp_status st = SP_OK;
    if (!is_loaded) {
        char *folder = find_folder();
        st = map_parts(folder);
        if (st) {
            unmap_parts();
            st = sp_fail(SP_ERR_MISSING,
                         "METEOR needs WordNet's dictionary, which is not in %s; install "
                         "wordnet-base with `make deps`",
                         folder);
        }
        is_loaded = !st;
        free(folder);
    }
    pthread_mutex_unlock(&lock);
    return st;
}

/* ---- lines and their fields ---- */

typedef struct span {
    const char *at, *end;
} span;

static span line_at(const sp_map *file, size_t at) {
    const char *start = (const char *)file->data + at, *end = (const char *)file->data + file->len;
    const char *newline = memchr(start, '\n', (size_t)(end - start));
    return (span){start, newline ? newline : end};
}

/* Takes the next field from the line; empty at its end. */
static span next_field(span *line) {
    while (line->at < line->end && *line->at == ' ') line->at++;
    span field = {line->at, line->at};
    while (field.end < line->end && *field.end != ' ') field.end++;
    line->at = field.end;
    return field;
}

static size_t number(span field, int base) {
    char digits[16] = {0};
    size_t len = (size_t)(field.end - field.at);
    if (len >= sizeof digits) return 0;
    memcpy(digits, field.at, len);
    return strtoul(digits, NULL, base);
}

/* As strcmp of the first field of a line with a word. The licence lines start with a blank. */
static int compare_key(span line, const char *word, size_t len) {
    size_t key = 0;
    while (line.at + key < line.end && line.at[key] != ' ') key++;
    int order = memcmp(line.at, word, key < len ? key : len);
    return order ? order : (key > len) - (key < len);
}

/* The line of a sorted file that starts with the word, the last of several; empty if none does. */
static span find_line(const sp_map *file, const char *word, size_t len) {
    size_t low = 0, high = file->len; /* starts of lines; the line is in [low, high) */
    span found = {NULL, NULL};
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        while (middle > low && file->data[middle - 1] != '\n') middle--;
        span line = line_at(file, middle);
        int order = compare_key(line, word, len);
        if (order == 0) found = line;
        if (order > 0)
            high = middle;
        else
            low = (size_t)(line.end - (const char *)file->data) + 1;
    }
    return found;
}

/* ---- words ---- */

/* A form of a word; no lemma of WordNet is longer. */
typedef struct form {
    char text[MOST_LETTERS];
    size_t len;
} form;

static bool make_form(const char *stem, size_t len, const char *rest, form *out) {
    size_t more = strlen(rest);
    out->len = len + more;
    if (out->len == 0 || out->len > MOST_LETTERS) return false;
    memcpy(out->text, stem, len);
    memcpy(out->text + len, rest, more);
    return true;
}

/* A synset's line: offset, lexicographer file, type, number of words (hexadecimal), then each word
 * with its number. Collocations have underscores; adjectives may have a marker such as "(p)". */
static void use_synset(const part_of_speech *p, size_t offset, sp_use_synonym *use, void *user) {
    if (offset >= p->data.len) return;
    span line = line_at(&p->data, offset);
    if (number(next_field(&line), 10) != offset) return;
    next_field(&line);
    next_field(&line);
    for (size_t words = number(next_field(&line), 16); words && line.at < line.end; words--) {
        span word = next_field(&line);
        next_field(&line);
        size_t len = (size_t)(word.end - word.at);
        const char *marker = memchr(word.at, '(', len);
        if (!memchr(word.at, '_', len))
            use(user, word.at, marker ? (size_t)(marker - word.at) : len);
    }
}

/* A lemma's line: lemma, part of speech, number of synsets, number of pointer types, these, number
 * of senses (twice), offsets of the synsets. */
static void use_lemma(const part_of_speech *p, const form *lemma, sp_use_synonym *use, void *user) {
    span line = find_line(&p->index, lemma->text, lemma->len);
    if (!line.at) return;
    next_field(&line);
    next_field(&line);
    size_t synsets = number(next_field(&line), 10);
    size_t skipped = number(next_field(&line), 10) + 2;
    while (skipped-- && line.at < line.end) next_field(&line);
    for (; synsets && line.at < line.end; synsets--)
        use_synset(p, number(next_field(&line), 10), use, user);
}

static bool ends_in(const form *word, const char *suffix, size_t len) {
    return word->len >= len && memcmp(word->text + word->len - len, suffix, len) == 0;
}

static void use_base_forms(const part_of_speech *p, const form *word, sp_use_synonym *use,
                           void *user) {
    span line = find_line(&p->exceptions, word->text, word->len);
    form base;
    if (line.at) {
        next_field(&line);
        for (span f = next_field(&line); f.at < f.end; f = next_field(&line))
            if (make_form(f.at, (size_t)(f.end - f.at), "", &base)) use_lemma(p, &base, use, user);
        return;
    }
    for (const ending *e = p->endings; e->suffix; e++) {
        size_t len = strlen(e->suffix);
        if (ends_in(word, e->suffix, len) && make_form(word->text, word->len - len, e->base, &base))
            use_lemma(p, &base, use, user);
    }
}

void sp_find_synonyms(const char *word, size_t len, sp_use_synonym *use, void *user) {
    form whole;
    if (!make_form(word, len, "", &whole)) return;
    for (int i = 0; i < PARTS_OF_SPEECH; i++) {
        use_lemma(&parts[i], &whole, use, user);
        use_base_forms(&parts[i], &whole, use, user);
    }
}
