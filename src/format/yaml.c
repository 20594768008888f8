#include "format/yaml.h"

#include "core/file.h"

#include <limits.h>
#include <math.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

enum { MAX_DEPTH = 64, MAX_NODES = 200000, MAX_BYTES = 16 << 20, MAX_KEY = 256 };

/* ---- trees ---- */

static sp_yaml *new_node(sp_yaml_kind kind, const char *file, int line) {
    sp_yaml *n = sp_alloc(1, sizeof *n);
    n->kind = kind;
    n->file = sp_strdup(file);
    n->line = line;
    return n;
}

sp_yaml *sp_yaml_new_map(const char *file, int line) {
    return new_node(SP_YAML_MAP, file, line);
}

sp_yaml *sp_yaml_new_scalar(const char *file, int line, const char *text) {
    sp_yaml *n = new_node(SP_YAML_SCALAR, file, line);
    n->text = sp_strdup(text);
    return n;
}

void sp_yaml_free(sp_yaml *n) {
    if (!n) return;
    for (size_t i = 0; i < n->count; i++) {
        if (n->keys) free(n->keys[i]);
        sp_yaml_free(n->items[i]);
    }
    free(n->keys), free(n->items), free(n->text), free(n->file);
    free(n);
}

static void add_item(sp_yaml *n, const char *key, sp_yaml *item) {
    if (n->count == n->capacity) {
        n->capacity = 2 * n->capacity + 4;
        n->items = sp_realloc(n->items, n->capacity, sizeof *n->items);
        if (key) n->keys = sp_realloc(n->keys, n->capacity, sizeof *n->keys);
    }
    if (key) n->keys[n->count] = sp_strdup(key);
    n->items[n->count++] = item;
}

sp_yaml *sp_yaml_copy(const sp_yaml *n) {
    sp_yaml *copy = new_node(n->kind, n->file, n->line);
    if (n->text) copy->text = sp_strdup(n->text);
    for (size_t i = 0; i < n->count; i++)
        add_item(copy, n->keys ? n->keys[i] : NULL, sp_yaml_copy(n->items[i]));
    return copy;
}

static size_t find_key(const sp_yaml *map, const char *key) {
    size_t i = 0;
    while (i < map->count && strcmp(map->keys[i], key) != 0) i++;
    return i;
}

sp_yaml *sp_yaml_get(const sp_yaml *map, const char *key) {
    if (!map || map->kind != SP_YAML_MAP) return NULL;
    size_t i = find_key(map, key);
    return i < map->count ? map->items[i] : NULL;
}

sp_yaml *sp_yaml_at(const sp_yaml *node, const char *path) {
    char *steps = sp_strdup(path), *rest = steps, *step;
    const sp_yaml *at = node;
    while (at && (step = strsep(&rest, "."))) at = sp_yaml_get(at, step);
    free(steps);
    return (sp_yaml *)(uintptr_t)at;
}

void sp_yaml_put(sp_yaml *map, const char *key, sp_yaml *value) {
    size_t i = find_key(map, key);
    if (i == map->count) {
        add_item(map, key, value);
        return;
    }
    sp_yaml_free(map->items[i]);
    map->items[i] = value;
}

void sp_yaml_remove(sp_yaml *map, const char *key) {
    if (map->kind != SP_YAML_MAP) return;
    size_t i = find_key(map, key);
    if (i == map->count) return;
    free(map->keys[i]);
    sp_yaml_free(map->items[i]);
    map->count--;
    memmove(map->keys + i, map->keys + i + 1, (map->count - i) * sizeof *map->keys);
    memmove(map->items + i, map->items + i + 1, (map->count - i) * sizeof *map->items);
}

sp_status sp_yaml_set_node(sp_yaml *root, const char *path, sp_yaml *value) {
    char *steps = sp_strdup(path), *rest = steps, *step;
    sp_yaml *map = root;
    sp_status st = SP_OK;
    while (!st && (step = strsep(&rest, "."))) {
        if (*step == '\0' || map->kind != SP_YAML_MAP) {
            st = sp_yaml_fail(value, "cannot set '%s'; write a path like train.steps", path);
        } else if (!rest) {
            sp_yaml_put(map, step, value);
        } else {
            if (!sp_yaml_get(map, step))
                sp_yaml_put(map, step, sp_yaml_new_map(value->file, value->line));
            map = sp_yaml_get(map, step);
        }
    }
    free(steps);
    if (st) sp_yaml_free(value);
    return st;
}

static void forget_lines(sp_yaml *n) {
    n->line = 0;
    for (size_t i = 0; i < n->count; i++) forget_lines(n->items[i]);
}

sp_status sp_yaml_set(sp_yaml *root, const char *assignment, const char *origin) {
    const char *equals = strchr(assignment, '=');
    if (!equals || equals == assignment)
        return sp_fail(SP_ERR_SPEC, "%s: '%s' is no setting; write path=value, like train.steps=50",
                       origin, assignment);
    sp_yaml *value = NULL;
    if (equals[1] == '\0') {
        value = sp_yaml_new_scalar(origin, 0, "");
    } else {
        if (sp_yaml_parse(equals + 1, strlen(equals + 1), origin, &value))
            return sp_fail(SP_ERR_SPEC,
                           "%s: '%s' is no YAML value; lists are [1, 2], texts \"a: b\"", origin,
                           equals + 1);
        forget_lines(value);
    }
    char *path = sp_strndup(assignment, (size_t)(equals - assignment));
    sp_status st = sp_yaml_set_node(root, path, value);
    free(path);
    return st;
}

/* ---- reading ---- */

/* One document on its way into a tree. The budgets count what aliases expand to, so a few lines
 * cannot grow into gigabytes. */
typedef struct reading {
    yaml_document_t *document;
    const char *file;
    size_t nodes, bytes;
} reading;

static sp_status build(reading *r, int id, int depth, sp_yaml **out);

static sp_status too_large(const reading *r, int line, const char *what) {
    return sp_fail(SP_ERR_SPEC, "%s:%d: the document %s; split it or remove aliases", r->file, line,
                   what);
}

static int node_line(const yaml_node_t *node) {
    return (int)node->start_mark.line + 1;
}

static sp_status read_scalar(reading *r, const yaml_node_t *node, const char **out) {
    const char *text = (const char *)node->data.scalar.value;
    size_t len = node->data.scalar.length;
    r->bytes += len;
    if (r->bytes > MAX_BYTES) return too_large(r, node_line(node), "holds over 16 MB");
    if (memchr(text, '\0', len))
        return sp_fail(SP_ERR_SPEC, "%s:%d: a value contains a NUL character; remove it", r->file,
                       node_line(node));
    *out = text;
    return SP_OK;
}

static sp_status build_pair(reading *r, yaml_node_pair_t pair, int depth, sp_yaml *map) {
    const yaml_node_t *key_node = yaml_document_get_node(r->document, pair.key);
    int line = node_line(key_node);
    if (key_node->type != YAML_SCALAR_NODE)
        return sp_fail(SP_ERR_SPEC, "%s:%d: a key is a list or map; use plain text", r->file, line);
    const char *key;
    sp_status st = read_scalar(r, key_node, &key);
    if (st) return st;
    if (strlen(key) > MAX_KEY)
        return sp_fail(SP_ERR_SPEC, "%s:%d: a key is longer than %d bytes", r->file, line, MAX_KEY);
    if (sp_yaml_get(map, key))
        return sp_fail(SP_ERR_SPEC, "%s:%d: key '%s' stands here twice; remove one", r->file, line,
                       key);
    sp_yaml *value;
    if ((st = build(r, pair.value, depth, &value))) return st;
    add_item(map, key, value);
    return SP_OK;
}

static sp_status build_children(reading *r, const yaml_node_t *node, int depth, sp_yaml *out) {
    sp_status st = SP_OK;
    if (node->type == YAML_SEQUENCE_NODE) {
        yaml_node_item_t *item = node->data.sequence.items.start;
        for (; !st && item < node->data.sequence.items.top; item++) {
            sp_yaml *child;
            if (!(st = build(r, *item, depth, &child))) add_item(out, NULL, child);
        }
    } else {
        yaml_node_pair_t *pair = node->data.mapping.pairs.start;
        for (; !st && pair < node->data.mapping.pairs.top; pair++)
            st = build_pair(r, *pair, depth, out);
    }
    return st;
}

static sp_status build(reading *r, int id, int depth, sp_yaml **out) {
    const yaml_node_t *node = yaml_document_get_node(r->document, id);
    int line = node_line(node);
    *out = NULL;
    if (depth > MAX_DEPTH) return too_large(r, line, "is nested deeper than 64 levels");
    if (++r->nodes > MAX_NODES) return too_large(r, line, "has over 200,000 values");
    if (node->type == YAML_SCALAR_NODE) {
        const char *text;
        sp_status st = read_scalar(r, node, &text);
        if (!st) *out = sp_yaml_new_scalar(r->file, line, text);
        return st;
    }
    sp_yaml_kind kind = node->type == YAML_SEQUENCE_NODE ? SP_YAML_LIST : SP_YAML_MAP;
    sp_yaml *n = new_node(kind, r->file, line);
    sp_status st = build_children(r, node, depth + 1, n);
    if (st)
        sp_yaml_free(n);
    else
        *out = n;
    return st;
}

static sp_status syntax_error(const yaml_parser_t *parser, const char *file) {
    return sp_fail(SP_ERR_SPEC, "%s:%d: %s%s%s; mend the YAML there", file,
                   (int)parser->problem_mark.line + 1,
                   parser->problem ? parser->problem : "this is not YAML",
                   parser->context ? " " : "", parser->context ? parser->context : "");
}

/* The rest of the text must hold no second document. */
static sp_status expect_end(yaml_parser_t *parser, const char *file) {
    yaml_document_t next;
    if (!yaml_parser_load(parser, &next)) return syntax_error(parser, file);
    const yaml_node_t *root = yaml_document_get_root_node(&next);
    sp_status st = SP_OK;
    if (root)
        st = sp_fail(SP_ERR_SPEC, "%s:%d: a second document begins here; use one file for each",
                     file, node_line(root));
    yaml_document_delete(&next);
    return st;
}

static sp_status load(yaml_parser_t *parser, const char *file, sp_yaml **out) {
    yaml_document_t document;
    if (!yaml_parser_load(parser, &document)) return syntax_error(parser, file);
    reading r = {.document = &document, .file = file};
    sp_status st = SP_OK;
    if (yaml_document_get_root_node(&document)) {
        st = build(&r, 1, 0, out);
        if (!st) st = expect_end(parser, file);
        if (st) {
            sp_yaml_free(*out);
            *out = NULL;
        }
    } else {
        *out = sp_yaml_new_map(file, 1);
    }
    yaml_document_delete(&document);
    return st;
}

sp_status sp_yaml_parse(const char *text, size_t len, const char *file, sp_yaml **out) {
    *out = NULL;
    if (len > MAX_BYTES) return sp_fail(SP_ERR_SPEC, "%s: is larger than 16 MB", file);
    yaml_parser_t parser;
    if (!yaml_parser_initialize(&parser)) return sp_fail(SP_ERR_MEMORY, "%s: no memory", file);
    size_t start = sp_text_start(text, len); /* libyaml would indent the first line by the mark */
    yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&parser, (const unsigned char *)text + start, len - start);
    sp_status st = load(&parser, file, out);
    yaml_parser_delete(&parser);
    return st;
}

sp_status sp_yaml_read(const char *path, sp_yaml **out) {
    *out = NULL;
    sp_buf text = {0};
    sp_status st = sp_read_file(path, &text);
    if (!st) st = sp_yaml_parse(text.data, text.len, path, out);
    sp_buf_free(&text);
    return st;
}

/* ---- getters ---- */

static char *place(const sp_yaml *n) {
    return n->line ? sp_format("%s:%d", n->file, n->line) : sp_strdup(n->file);
}

sp_status sp_yaml_fail(const sp_yaml *n, const char *format, ...) {
    char *where = place(n), *message = NULL;
    va_list args;
    va_start(args, format);
    if (vasprintf(&message, format, args) < 0) message = NULL;
    va_end(args);
    sp_status st = sp_fail(SP_ERR_SPEC, "%s: %s", where, message ? message : format);
    free(message), free(where);
    return st;
}

static const char *const kind_names[] = {"a single value", "a list", "a map"};

sp_status sp_yaml_expect(const sp_yaml *n, sp_yaml_kind kind, const char *what) {
    if (n->kind == kind) return SP_OK;
    if (n->kind == SP_YAML_SCALAR)
        return sp_yaml_fail(n, "%s is '%s'; use %s", what, n->text, kind_names[kind]);
    return sp_yaml_fail(n, "%s is %s; use %s", what, kind_names[n->kind], kind_names[kind]);
}

/* The scalar under `key`; absent is an error unless `optional`, then *out is NULL. */
static sp_status get_scalar(const sp_yaml *map, const char *key, bool optional,
                            const sp_yaml **out) {
    *out = sp_yaml_get(map, key);
    if (*out) return sp_yaml_expect(*out, SP_YAML_SCALAR, key);
    return optional ? SP_OK : sp_yaml_fail(map, "key '%s' is missing; add it", key);
}

sp_status sp_yaml_text(const sp_yaml *map, const char *key, const char **out) {
    const sp_yaml *n;
    sp_status st = get_scalar(map, key, false, &n);
    if (st) return st;
    if (!*n->text) return sp_yaml_fail(n, "%s is empty; give it a value", key);
    *out = n->text;
    return SP_OK;
}

sp_status sp_yaml_text_or(const sp_yaml *map, const char *key, const char *fallback,
                          const char **out) {
    const sp_yaml *n;
    sp_status st = get_scalar(map, key, true, &n);
    if (!st) *out = n ? n->text : fallback;
    return st;
}

static sp_status get_int(const sp_yaml *map, const char *key, int min, int max, bool optional,
                         int *out) {
    const sp_yaml *n;
    sp_status st = get_scalar(map, key, optional, &n);
    if (st || !n) return st;
    char *end;
    double x = strtod(n->text, &end);
    if (end == n->text || *end || !(x >= min && x <= max) || x != floor(x))
        return sp_yaml_fail(n, "%s is '%s'; use a whole number from %d to %d", key, n->text, min,
                            max);
    *out = (int)x;
    return SP_OK;
}

sp_status sp_yaml_int(const sp_yaml *map, const char *key, int min, int max, int *out) {
    *out = 0;
    return get_int(map, key, min, max, false, out);
}

sp_status sp_yaml_int_or(const sp_yaml *map, const char *key, int min, int max, int fallback,
                         int *out) {
    *out = fallback;
    return get_int(map, key, min, max, true, out);
}

sp_status sp_yaml_bool_or(const sp_yaml *map, const char *key, bool fallback, bool *out) {
    const sp_yaml *n;
    sp_status st = get_scalar(map, key, true, &n);
    if (st) return st;
    *out = n ? strcmp(n->text, "true") == 0 : fallback;
    if (n && !*out && strcmp(n->text, "false") != 0)
        return sp_yaml_fail(n, "%s is '%s'; use true or false", key, n->text);
    return SP_OK;
}

static sp_status get_collection(const sp_yaml *map, const char *key, sp_yaml_kind kind,
                                const sp_yaml **out) {
    *out = sp_yaml_get(map, key);
    return *out ? sp_yaml_expect(*out, kind, key) : SP_OK;
}

sp_status sp_yaml_list_or_null(const sp_yaml *map, const char *key, const sp_yaml **out) {
    return get_collection(map, key, SP_YAML_LIST, out);
}

sp_status sp_yaml_map_or_null(const sp_yaml *map, const char *key, const sp_yaml **out) {
    return get_collection(map, key, SP_YAML_MAP, out);
}

static bool is_known(const char *key, const char *const *known) {
    while (*known && strcmp(*known, key) != 0) known++;
    return *known != NULL;
}

sp_status sp_yaml_check_keys(const sp_yaml *map, const char *const *known) {
    sp_status st = sp_yaml_expect(map, SP_YAML_MAP, "the value here");
    if (st) return st;
    for (size_t i = 0; i < map->count; i++) {
        if (is_known(map->keys[i], known)) continue;
        return sp_yaml_fail(map->items[i], "unknown key '%s'%s", map->keys[i],
                            sp_did_you_mean(map->keys[i], known));
    }
    return SP_OK;
}

sp_status sp_yaml_option(const sp_yaml *n, const char *name, const sp_option *table,
                         void *settings) {
    sp_status st = SP_OK;
    if (sp_options_find(table, name)) st = sp_yaml_expect(n, SP_YAML_SCALAR, name);
    if (st) return st;
    st = sp_options_set(table, settings, name, n->text ? n->text : "");
    if (st) {
        char *where = place(n);
        sp_fail_in(st, "%s", where);
        free(where);
    }
    return st;
}

sp_status sp_yaml_options(const sp_yaml *map, const sp_option *table, void *settings) {
    sp_status st = sp_yaml_expect(map, SP_YAML_MAP, "the value here");
    for (size_t i = 0; !st && i < map->count; i++)
        st = sp_yaml_option(map->items[i], map->keys[i], table, settings);
    return st;
}

/* ---- writing ---- */

static bool is_plain(const char *s) {
    static const char first[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789./_";
    static const char other[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789./_+-";
    size_t skip = *s == '-' ? 1 : 0; /* a negative number */
    if (!s[skip] || !strchr(first, s[skip]) || strncmp(s, "...", 3) == 0) return false;
    return s[strspn(s, other)] == '\0';
}

/* The code point at s and its length in bytes; a byte that is no UTF-8 counts as itself. */
static uint32_t decode(const char *s, size_t *len) {
    unsigned char c = (unsigned char)*s;
    size_t n = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : c >= 0xc0 ? 2 : 1;
    uint32_t code = n == 1 ? c : c & (0x7fu >> n);
    for (size_t i = 1; i < n; i++) {
        if (((unsigned char)s[i] & 0xc0) != 0x80) {
            *len = 1;
            return c;
        }
        code = code << 6 | ((unsigned char)s[i] & 0x3f);
    }
    *len = n;
    return code;
}

static bool must_escape(uint32_t c) {
    return c < 0x20 || c == '"' || c == '\\' || (c >= 0x7f && c < 0xa0) || c == 0x2028 ||
           c == 0x2029 || c == 0xfeff || c == 0xfffe || c == 0xffff;
}

static void emit_text(const char *s, sp_buf *out) {
    if (is_plain(s)) {
        sp_buf_puts(out, s);
        return;
    }
    sp_buf_putc(out, '"');
    for (size_t len; *s; s += len) {
        uint32_t c = decode(s, &len);
        if (c == '\n')
            sp_buf_puts(out, "\\n");
        else if (c == '"' || c == '\\')
            sp_buf_printf(out, "\\%c", (char)c);
        else if (must_escape(c))
            sp_buf_printf(out, "\\u%04x", c);
        else
            sp_buf_append(out, s, len);
    }
    sp_buf_putc(out, '"');
}

static bool all_scalars(const sp_yaml *n) {
    for (size_t i = 0; i < n->count; i++)
        if (n->items[i]->kind != SP_YAML_SCALAR) return false;
    return true;
}

/* Whether the node fits on the line of its key: a scalar, or a list of scalars. */
static bool is_inline(const sp_yaml *n) {
    return n->kind == SP_YAML_SCALAR || n->count == 0 ||
           (n->kind == SP_YAML_LIST && all_scalars(n));
}

static void emit_inline(const sp_yaml *n, sp_buf *out) {
    if (n->kind == SP_YAML_SCALAR) {
        emit_text(n->text, out);
        return;
    }
    sp_buf_puts(out, n->kind == SP_YAML_LIST ? "[" : "{");
    for (size_t i = 0; i < n->count; i++) {
        sp_buf_puts(out, i ? ", " : "");
        emit_text(n->items[i]->text, out);
    }
    sp_buf_puts(out, n->kind == SP_YAML_LIST ? "]" : "}");
}

static void emit(const sp_yaml *n, int indent, sp_buf *out) {
    if (is_inline(n)) {
        emit_inline(n, out);
        sp_buf_putc(out, '\n');
        return;
    }
    for (size_t i = 0; i < n->count; i++) {
        sp_buf_printf(out, "%*s", indent, "");
        if (n->kind == SP_YAML_MAP) emit_text(n->keys[i], out);
        sp_buf_puts(out, n->kind == SP_YAML_MAP ? ":" : "-");
        sp_buf_putc(out, is_inline(n->items[i]) ? ' ' : '\n');
        emit(n->items[i], indent + 2, out);
    }
}

void sp_yaml_emit(const sp_yaml *n, sp_buf *out) {
    emit(n, 0, out);
}
