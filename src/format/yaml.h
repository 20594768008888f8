/* YAML documents as trees that remember where each value stands, so that every complaint can name
 * file and line. Only what cards and specs need: one document, no tags, no merge keys. */
#ifndef SP_FORMAT_YAML_H
#define SP_FORMAT_YAML_H

#include "core/memory.h"
#include "core/option.h"
#include "core/status.h"

#include <stdbool.h>
#include <stddef.h>

typedef enum sp_yaml_kind { SP_YAML_SCALAR, SP_YAML_LIST, SP_YAML_MAP } sp_yaml_kind;

/* A node. The tree is owned by whoever holds its root; sp_yaml_free releases all of it. */
typedef struct sp_yaml {
    sp_yaml_kind kind;
    char *file;             /* for messages; every node has its own copy */
    int line;               /* from 1; 0 for a value from the command line */
    char *text;             /* scalar: its text ("" for an empty value) */
    char **keys;            /* map: [count], in the file's order */
    struct sp_yaml **items; /* list and map: [count] */
    size_t count, capacity;
} sp_yaml;

/* Reads a file. SP_ERR_MISSING, SP_ERR_IO; SP_ERR_SPEC with file:line for a syntax error, a
 * duplicate key, nesting deeper than 64, or a document (aliases expanded) of over 200,000 nodes or
 * 16 MB. An empty document is an empty map. */
sp_status sp_yaml_read(const char *path, sp_yaml **out);
/* The same from memory; `file` is the name for messages. */
sp_status sp_yaml_parse(const char *text, size_t len, const char *file, sp_yaml **out);
void sp_yaml_free(sp_yaml *node); /* NULL is fine */

sp_yaml *sp_yaml_copy(const sp_yaml *node);
/* New nodes; `file` and `line` say where they come from. */
sp_yaml *sp_yaml_new_map(const char *file, int line);
sp_yaml *sp_yaml_new_scalar(const char *file, int line, const char *text);

/* The value of a map's key, or NULL (also when `node` is NULL or no map). */
sp_yaml *sp_yaml_get(const sp_yaml *node, const char *key);
/* Follows keys separated by dots: "report.figure.x"; NULL if there is no such node. */
sp_yaml *sp_yaml_at(const sp_yaml *node, const char *path);
/* Sets a key of a map, replacing an old value; takes `value`. */
void sp_yaml_put(sp_yaml *map, const char *key, sp_yaml *value);
/* Removes a key if it is there; what is no map stays as it is. */
void sp_yaml_remove(sp_yaml *map, const char *key);

/* Sets `path` ("train.steps") to `value`, making the missing maps on the way; takes `value`
 * (also when it fails).
 * SP_ERR_SPEC if a step of the path is no map. */
sp_status sp_yaml_set_node(sp_yaml *root, const char *path, sp_yaml *value);
/* The same from "train.steps=50"; the right side is YAML ("[1, 2]" is a list). `origin` is the
 * file name of the new nodes, for example "--set train.steps=50". */
sp_status sp_yaml_set(sp_yaml *root, const char *assignment, const char *origin);

/* "file:line: " + the message, as SP_ERR_SPEC. */
sp_status sp_yaml_fail(const sp_yaml *node, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Typed getters. The key must be there unless the function is one of the `_or` kind; a value of
 * another type or outside [min, max] is SP_ERR_SPEC with "file:line: key is 'x'; use ...". */
sp_status sp_yaml_text(const sp_yaml *map, const char *key,
                       const char **out); /* lives in the tree */
sp_status sp_yaml_text_or(const sp_yaml *map, const char *key, const char *fallback,
                          const char **out);
sp_status sp_yaml_int(const sp_yaml *map, const char *key, int min, int max, int *out);
sp_status sp_yaml_int_or(const sp_yaml *map, const char *key, int min, int max, int fallback,
                         int *out);
sp_status sp_yaml_bool_or(const sp_yaml *map, const char *key, bool fallback, bool *out);
/* The list or map under `key`; *out is NULL if the key is absent (no error). */
sp_status sp_yaml_list_or_null(const sp_yaml *map, const char *key, const sp_yaml **out);
sp_status sp_yaml_map_or_null(const sp_yaml *map, const char *key, const sp_yaml **out);
/* SP_ERR_SPEC naming `what` if the node is not of this kind. */
sp_status sp_yaml_expect(const sp_yaml *node, sp_yaml_kind kind, const char *what);

/* SP_ERR_SPEC at the first key that is not in `known` (NULL-terminated), with the nearest one. */
sp_status sp_yaml_check_keys(const sp_yaml *map, const char *const *known);

/* Sets one option from a node; a failure names the node's file and line. */
sp_status sp_yaml_option(const sp_yaml *node, const char *name, const sp_option *table,
                         void *settings);
/* Applies every entry of a flat map to `settings` through its option table (core/option.h). */
sp_status sp_yaml_options(const sp_yaml *map, const sp_option *table, void *settings);

/* Canonical block-style YAML of the tree, appended to `out`: a pure function of the values, and
 * reading it gives the same tree. Keys keep their order. */
void sp_yaml_emit(const sp_yaml *node, sp_buf *out);

#endif
