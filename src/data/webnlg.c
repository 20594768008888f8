/* The reader of webnlg: XML files below $SOFTPROMPT_DATA, read with expat. */
#include "data/webnlg.h"

#include "core/file.h"
#include "data/reader.h"
#include "data/relation.h"

#include <ctype.h>
#include <dirent.h>
#include <expat.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { MAX_FOLDERS_DEEP = 4 };

/* The entry being read. */
typedef struct reading {
    XML_Parser parser;
    const char *file;
    sp_split *out;
    sp_status status;
    bool in_entry, in_text; /* in_text: inside <mtriple> or a good <lex> */
    sp_buf text, input;
    sp_strings references;
    char *category;
} reading;

static const char *attribute(const char **attributes, const char *name) {
    for (; attributes[0]; attributes += 2)
        if (strcmp(attributes[0], name) == 0) return attributes[1];
    return "";
}

/* Blanks and line breaks become one space; none at the ends. In place. */
static char *tidy(char *text) {
    char *to = text;
    for (const char *from = text; *from; from++) {
        bool blank = isspace((unsigned char)*from);
        if (!blank)
            *to++ = *from;
        else if (to > text && to[-1] != ' ')
            *to++ = ' ';
    }
    if (to > text && to[-1] == ' ') to--;
    *to = '\0';
    return text;
}

static void fail_reading(reading *r, const char *problem) {
    r->status = sp_fail(SP_ERR_FORMAT, "%s:%lu: %s", r->file,
                        (unsigned long)XML_GetCurrentLineNumber(r->parser), problem);
    XML_StopParser(r->parser, XML_FALSE);
}

static void on_start(void *data, const char *element, const char **attributes) {
    reading *r = data;
    if (r->status) return;
    if (strcmp(element, "entry") == 0) {
        if (r->in_entry) {
            fail_reading(r, "an <entry> inside an <entry>; this is no WebNLG file");
            return;
        }
        r->in_entry = true;
        free(r->category);
        r->category = sp_strdup(attribute(attributes, "category"));
        sp_buf_clear(&r->input);
        sp_strings_free(&r->references);
    }
    bool triple = strcmp(element, "mtriple") == 0;
    bool lex = strcmp(element, "lex") == 0 && strcmp(attribute(attributes, "comment"), "good") == 0;
    if (r->in_entry && (triple || lex)) {
        r->in_text = true;
        sp_buf_clear(&r->text);
    }
}

static void on_text(void *data, const char *text, int len) {
    reading *r = data;
    if (r->in_text) sp_buf_append(&r->text, text, (size_t)len);
}

/* Splits "subject | relation | object" and appends it to the input. */
static void end_triple(reading *r, char *text) {
    for (char *p = text; *p; p++)
        if (*p == '_') *p = ' ';
    char *first = strchr(text, '|');
    char *second = first ? strchr(first + 1, '|') : NULL;
    if (!second || strchr(second + 1, '|')) {
        fail_reading(r, "a triple is not 'subject | relation | object'; correct it");
        return;
    }
    *first = *second = '\0';
    sp_linearise(&r->input, tidy(text), tidy(first + 1), tidy(second + 1));
}

static void end_entry(reading *r) {
    r->in_entry = false;
    if (r->references.len == 0) return;
    if (r->input.len == 0) {
        fail_reading(r, "an <entry> has texts but no <mtriple>; this is no WebNLG file");
        return;
    }
    sp_example *example = sp_split_add(r->out);
    example->input = sp_buf_take(&r->input);
    example->references = r->references;
    example->category = sp_strdup(r->category);
    example->group = sp_strdup("");
    r->references = (sp_strings){0};
}

static void on_end(void *data, const char *element) {
    reading *r = data;
    if (r->status) return;
    if (strcmp(element, "entry") == 0) end_entry(r);
    if (!r->in_text) return;
    bool triple = strcmp(element, "mtriple") == 0;
    if (!triple && strcmp(element, "lex") != 0) return;
    r->in_text = false;
    char *text = tidy(sp_buf_take(&r->text));
    if (triple)
        end_triple(r, text);
    else if (*text)
        sp_strings_push(&r->references, text);
    free(text);
}

sp_status sp_parse_webnlg(const char *xml, size_t len, const char *file, sp_split *out) {
    if (len > INT_MAX)
        return sp_fail(SP_ERR_FORMAT, "%s: has %zu bytes; WebNLG files have a few million", file,
                       len);
    XML_Parser parser = XML_ParserCreate("UTF-8");
    if (!parser) return sp_fail(SP_ERR_MEMORY, "%s: no memory for an XML parser", file);
    reading r = {.parser = parser, .file = file, .out = out};
    XML_SetUserData(parser, &r);
    XML_SetElementHandler(parser, on_start, on_end);
    XML_SetCharacterDataHandler(parser, on_text);
    sp_buf_puts(&r.text, "");
    enum XML_Status ok = XML_Parse(parser, xml, (int)len, XML_TRUE);
    if (ok != XML_STATUS_OK && !r.status)
        r.status = sp_fail(SP_ERR_FORMAT, "%s:%lu: %s; copy the file again", file,
                           (unsigned long)XML_GetCurrentLineNumber(parser),
                           XML_ErrorString(XML_GetErrorCode(parser)));
    XML_ParserFree(parser);
    sp_buf_free(&r.text), sp_buf_free(&r.input);
    sp_strings_free(&r.references);
    free(r.category);
    return r.status;
}

static sp_status read_xml(const char *path, sp_split *out) {
    sp_buf content = {0};
    sp_status st = sp_read_file(path, &content);
    if (!st) st = sp_parse_webnlg(content.data, content.len, path, out);
    sp_buf_free(&content);
    return st;
}

static int by_bytes(const struct dirent **a, const struct dirent **b) {
    return strcmp((*a)->d_name, (*b)->d_name);
}

/* One file, or every .xml file of a folder and its folders, by name. */
static sp_status read_tree(const char *path, int depth, sp_split *out) {
    struct stat info;
    if (stat(path, &info) != 0 || !S_ISDIR(info.st_mode)) return read_xml(path, out);
    if (depth == MAX_FOLDERS_DEEP) return SP_OK;
    struct dirent **entries;
    int count = scandir(path, &entries, NULL, by_bytes);
    if (count < 0) return sp_fail(SP_ERR_MISSING, "%s: the folder cannot be read", path);
    sp_status st = SP_OK;
    for (int i = 0; i < count; i++) {
        const char *name = entries[i]->d_name;
        const char *dot = strrchr(name, '.');
        char *child = sp_path_join(path, name);
        bool folder = name[0] != '.' && stat(child, &info) == 0 && S_ISDIR(info.st_mode);
        if (!st && (folder || (name[0] != '.' && dot && strcmp(dot, ".xml") == 0)))
            st = read_tree(child, depth + 1, out);
        free(child), free(entries[i]);
    }
    free(entries);
    return st;
}

static sp_status find_root(const sp_card *card, const char **out) {
    *out = getenv("SOFTPROMPT_DATA");
    if (*out && **out) return SP_OK;
    const char *source;
    sp_status st = sp_yaml_text_or(card->root, "source", "its card's source", &source);
    if (st) return st;
    return sp_fail(SP_ERR_MISSING,
                   "data set webnlg needs SOFTPROMPT_DATA=FOLDER, the folder with train/, dev/ and "
                   "test/ of WebNLG 2017; it comes from %s",
                   source);
}

static sp_status load_split(const sp_card *card, sp_split_name split, sp_split *out) {
    const char *root, *name;
    sp_status st = find_root(card, &root);
    if (st) return st;
    st = sp_yaml_text(sp_yaml_get(card->root, "splits"), sp_split_text(split), &name);
    if (st) return st;
    char *path = sp_path_join(root, name);
    if (sp_file_exists(path))
        st = read_tree(path, 0, out);
    else
        st = sp_fail(SP_ERR_MISSING,
                     "%s: is not there; SOFTPROMPT_DATA must name the folder with train/, dev/ and "
                     "test/ of WebNLG 2017",
                     path);
    free(path);
    return st;
}

static bool has_category(const sp_split *split, const char *category) {
    for (size_t i = split->count; i-- > 0;)
        if (strcmp(split->items[i].category, category) == 0) return true;
    return false;
}

/* Categories of the training set are seen, all others unseen. */
static void mark_groups(const sp_split *train, sp_split *split) {
    for (size_t i = 0; i < split->count; i++) {
        sp_example *e = &split->items[i];
        free(e->group);
        e->group = sp_strdup(has_category(train, e->category) ? "seen" : "unseen");
    }
}

static sp_status load(const sp_card *card, const bool wanted[SP_SPLITS],
                      sp_split splits[SP_SPLITS]) {
    sp_split train = {0};
    sp_status st = load_split(card, SP_TRAIN, &train);
    if (!st) mark_groups(&train, &train);
    for (int i = SP_DEV; i < SP_SPLITS && !st; i++) {
        if (!wanted[i] || !sp_card_split(card, (sp_split_name)i)) continue;
        st = load_split(card, (sp_split_name)i, &splits[i]);
        if (!st) mark_groups(&train, &splits[i]);
    }
    if (wanted[SP_TRAIN] && !st)
        splits[SP_TRAIN] = train;
    else
        sp_split_free(&train);
    return st;
}

const sp_reader sp_reader_webnlg = {.name = "webnlg", .load = load};
