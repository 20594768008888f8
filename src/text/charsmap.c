#include "text/charsmap.h"
#include "text/json_part.h"
#include "text/normalizers.h"

#include <resolv.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

enum { SHORT_CLUSTER = 6 };

struct sp_charsmap {
    uint32_t *units; /* the double array */
    size_t unit_count;
    char *texts; /* replacements, NUL-terminated each, and once more at the end */
    size_t texts_len;
};

static uint32_t read_u32(const unsigned char *at) {
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

sp_status sp_charsmap_new(const unsigned char *bytes, size_t len, sp_charsmap **out) {
    *out = NULL;
    uint32_t size = len >= 4 ? read_u32(bytes) : 0;
    if (!size || size % 4 || size > len - 4)
        return sp_fail(SP_ERR_FORMAT, "the precompiled_charsmap of %zu bytes is truncated", len);
    sp_charsmap *map = sp_alloc(1, sizeof *map);
    map->unit_count = size / 4;
    map->units = sp_alloc(map->unit_count, sizeof *map->units);
    for (size_t i = 0; i < map->unit_count; i++) map->units[i] = read_u32(bytes + 4 + 4 * i);
    map->texts_len = len - 4 - size;
    map->texts = sp_alloc(map->texts_len + 1, 1);
    if (map->texts_len) memcpy(map->texts, bytes + 4 + size, map->texts_len);
    *out = map;
    return SP_OK;
}

void sp_charsmap_free(sp_charsmap *map) {
    if (!map) return;
    free(map->units), free(map->texts);
    free(map);
}

/* A unit of the double array: bits 0-7 and 31 its label, bit 8 whether a value hangs below it, bits
 * 10-30 the distance to its children, times 256 if bit 9 is set. */
static uint32_t label_of(uint32_t unit) {
    return unit & (UINT32_C(1) << 31 | 0xff);
}

static size_t offset_of(uint32_t unit) {
    return (size_t)(unit >> 10) << ((unit & (1u << 9)) >> 6);
}

/* The replacement of the shortest rule that `text` begins with, NULL if there is none. */
static const char *find_rule(const sp_charsmap *map, const char *text, size_t len) {
    size_t at = offset_of(map->units[0]);
    for (size_t i = 0; i < len && text[i]; i++) {
        unsigned char byte = (unsigned char)text[i];
        at ^= byte;
        if (at >= map->unit_count || label_of(map->units[at]) != byte) return NULL;
        uint32_t unit = map->units[at];
        at ^= offset_of(unit);
        if (!(unit >> 8 & 1)) continue;
        size_t place = at < map->unit_count ? map->units[at] & 0x7fffffff : map->texts_len + 1;
        return place <= map->texts_len ? map->texts + place : NULL;
    }
    return NULL;
}

static void map_character(const sp_charsmap *map, const char *text, size_t len, sp_buf *out) {
    const char *rule = find_rule(map, text, len);
    if (rule)
        sp_buf_puts(out, rule);
    else
        sp_buf_append(out, text, len);
}

/* Bytes of the character at `text`, and its code point, -1 for a byte that is not UTF-8. */
static size_t next_character(const char *text, size_t len, utf8proc_int32_t *code) {
    utf8proc_ssize_t width =
        utf8proc_iterate((const utf8proc_uint8_t *)text, (utf8proc_ssize_t)len, code);
    if (width > 0) return (size_t)width;
    *code = -1;
    return 1;
}

static size_t cluster_length(const char *text, size_t len) {
    bool plain = len > 1 && (unsigned char)text[0] < 0x80 && (unsigned char)text[1] < 0x80;
    if (plain && text[0] != '\r') return 1;
    utf8proc_int32_t last, code, state = 0;
    size_t end = next_character(text, len, &last);
    while (end < len && last >= 0) {
        size_t width = next_character(text + end, len - end, &code);
        if (code < 0 || utf8proc_grapheme_break_stateful(last, code, &state)) break;
        end += width;
        last = code;
    }
    return end;
}

static void map_cluster(const sp_charsmap *map, const char *text, size_t len, sp_buf *out) {
    const char *rule = len < SHORT_CLUSTER ? find_rule(map, text, len) : NULL;
    if (rule) {
        sp_buf_puts(out, rule);
        return;
    }
    utf8proc_int32_t code;
    for (size_t at = 0, width; at < len; at += width) {
        width = next_character(text + at, len - at, &code);
        map_character(map, text + at, width, out);
    }
}

void sp_charsmap_apply(const sp_charsmap *map, const char *text, size_t len, sp_buf *out) {
    for (size_t at = 0, width; at < len; at += width) {
        width = cluster_length(text + at, len - at);
        map_cluster(map, text + at, width, out);
    }
}

void sp_base64_append(const unsigned char *bytes, size_t len, sp_buf *out) {
    size_t room = (len + 2) / 3 * 4 + 1;
    char *text = sp_alloc(room, 1);
    b64_ntop(bytes, len, text, room);
    sp_buf_puts(out, text);
    free(text);
}

sp_status sp_charsmap_parse(const char *base64, sp_charsmap **out) {
    *out = NULL;
    size_t room = strlen(base64) / 4 * 3 + 3;
    unsigned char *bytes = sp_alloc(room, 1);
    int len = b64_pton(base64, bytes, room);
    sp_status st = len < 0 ? sp_fail(SP_ERR_FORMAT, "the precompiled_charsmap is not base64")
                           : sp_charsmap_new(bytes, (size_t)len, out);
    free(bytes);
    return st;
}

static sp_status read_part(const json_t *part, void **settings) {
    const char *base64 = sp_part_text(part, "precompiled_charsmap");
    *settings = NULL;
    if (!base64) return sp_fail(SP_ERR_FORMAT, "a Precompiled normalizer has no map");
    sp_charsmap *map;
    sp_status st = sp_charsmap_parse(base64, &map);
    *settings = map;
    return st;
}

static void free_part(void *settings) {
    sp_charsmap_free(settings);
}

static sp_status apply_part(const void *settings, const char *text, size_t len, sp_buf *out) {
    sp_charsmap_apply(settings, text, len, out);
    return SP_OK;
}

const sp_normalizer_kind sp_normalizer_precompiled = {
    .type = "Precompiled", .read = read_part, .free = free_part, .apply = apply_part};
