#include "report/settings.h"

#include <stdlib.h>
#include <string.h>

static bool has(const sp_strings *list, const char *text) {
    for (size_t i = 0; i < list->len; i++)
        if (strcmp(list->data[i], text) == 0) return true;
    return false;
}

static void add_paths(const sp_yaml *node, const char *path, sp_strings *out) {
    if (node->kind != SP_YAML_MAP) {
        if (!has(out, path)) sp_strings_push(out, path);
        return;
    }
    for (size_t i = 0; i < node->count; i++) {
        char *inner = sp_format("%s%s%s", path, *path ? "." : "", node->keys[i]);
        add_paths(node->items[i], inner, out);
        free(inner);
    }
}

void sp_settings_paths(const sp_yaml *const *trees, size_t count, sp_strings *out) {
    for (size_t i = 0; i < count; i++) add_paths(trees[i], "", out);
}

static void put_value(const sp_yaml *node, sp_buf *out) {
    if (node->kind == SP_YAML_SCALAR) {
        sp_buf_puts(out, node->text);
        return;
    }
    bool map = node->kind == SP_YAML_MAP;
    sp_buf_putc(out, map ? '{' : '[');
    for (size_t i = 0; i < node->count; i++) {
        if (i) sp_buf_puts(out, ", ");
        if (map) sp_buf_printf(out, "%s: ", node->keys[i]);
        put_value(node->items[i], out);
    }
    sp_buf_putc(out, map ? '}' : ']');
}

char *sp_settings_value(const sp_yaml *tree, const char *path) {
    const sp_yaml *node = sp_yaml_at(tree, path);
    if (!node) return NULL;
    sp_buf text = {0};
    sp_buf_puts(&text, "");
    put_value(node, &text);
    return sp_buf_take(&text);
}

bool sp_settings_differ(const sp_yaml *const *trees, size_t count, const char *path) {
    char *first = count ? sp_settings_value(trees[0], path) : NULL;
    bool differ = false;
    for (size_t i = 1; i < count && !differ; i++) {
        char *value = sp_settings_value(trees[i], path);
        differ = first && value ? strcmp(first, value) != 0 : first != value;
        free(value);
    }
    free(first);
    return differ;
}
