#include "text/word_map.h"
#include "core/memory.h"

#include <stdlib.h>
#include <string.h>

enum { BLOCK = 1 << 16, FIRST_SLOTS = 1024 };

/* Words are kept in blocks that never move, so that pointers to their text stay valid. */
typedef struct sp_text_block {
    struct sp_text_block *next;
    size_t used, cap;
    char text[];
} sp_text_block;

uint64_t sp_hash_bytes(const char *text, size_t len) {
    uint64_t hash = 14695981039346656037u;
    for (size_t i = 0; i < len; i++) hash = (hash ^ (unsigned char)text[i]) * 1099511628211u;
    return hash ^ hash >> 29;
}

static const char *keep_text(sp_word_map *map, const char *text, size_t len) {
    if (!map->blocks || map->blocks->cap - map->blocks->used < len) {
        size_t cap = len > BLOCK ? len : BLOCK;
        sp_text_block *block = sp_alloc(1, sizeof *block + cap);
        block->cap = cap;
        block->next = map->blocks;
        map->blocks = block;
    }
    char *copy = map->blocks->text + map->blocks->used;
    memcpy(copy, text, len);
    map->blocks->used += len;
    return copy;
}

/* The slot that holds the word, or the free one where it belongs. */
static uint32_t *find_slot(const sp_word_map *map, const char *text, size_t len) {
    size_t mask = map->slot_count - 1, at = sp_hash_bytes(text, len) & mask;
    while (map->slots[at]) {
        const sp_word *word = &map->words[map->slots[at] - 1];
        if (word->len == len && memcmp(word->text, text, len) == 0) break;
        at = (at + 1) & mask;
    }
    return &map->slots[at];
}

static void grow_words(sp_word_map *map) {
    free(map->slots);
    map->slot_count = map->slot_count ? map->slot_count * 2 : FIRST_SLOTS;
    map->slots = sp_alloc(map->slot_count, sizeof *map->slots);
    for (size_t i = 0; i < map->count; i++)
        *find_slot(map, map->words[i].text, map->words[i].len) = (uint32_t)i + 1;
    map->cap = map->slot_count / 2;
    map->words = sp_realloc(map->words, map->cap, sizeof *map->words);
}

sp_word *sp_word_map_add(sp_word_map *map, const char *text, size_t len) {
    if (map->count == map->cap) grow_words(map);
    uint32_t *slot = find_slot(map, text, len);
    if (!*slot) {
        map->words[map->count] = (sp_word){keep_text(map, text, len), len, 0};
        *slot = (uint32_t)++map->count;
    }
    return &map->words[*slot - 1];
}

const sp_word *sp_word_map_find(const sp_word_map *map, const char *text, size_t len) {
    if (!map->count) return NULL;
    uint32_t slot = *find_slot(map, text, len);
    return slot ? &map->words[slot - 1] : NULL;
}

void sp_word_map_free(sp_word_map *map) {
    for (sp_text_block *block = map->blocks, *next; block; block = next) {
        next = block->next;
        free(block);
    }
    free(map->words), free(map->slots);
    *map = (sp_word_map){0};
}

static uint64_t pair_key(int left, int right) {
    return (uint64_t)left << 32 | (uint32_t)right;
}

static size_t find_pair(const sp_pair_map *map, uint64_t key) {
    size_t mask = map->slot_count - 1, at = (key * 0x9e3779b97f4a7c15u >> 20) & mask;
    while (map->values[at] && map->keys[at] != key) at = (at + 1) & mask;
    return at;
}

static void grow_pairs(sp_pair_map *map) {
    sp_pair_map old = *map;
    map->slot_count = old.slot_count ? old.slot_count * 2 : FIRST_SLOTS;
    map->keys = sp_alloc(map->slot_count, sizeof *map->keys);
    map->values = sp_alloc(map->slot_count, sizeof *map->values);
    for (size_t i = 0; i < old.slot_count; i++) {
        if (!old.values[i]) continue;
        size_t at = find_pair(map, old.keys[i]);
        map->keys[at] = old.keys[i];
        map->values[at] = old.values[i];
    }
    free(old.keys), free(old.values);
}

size_t sp_pair_map_add(sp_pair_map *map, int left, int right, int *is_new) {
    if (map->count * 2 >= map->slot_count) grow_pairs(map);
    uint64_t key = pair_key(left, right);
    size_t at = find_pair(map, key);
    *is_new = !map->values[at];
    if (*is_new) {
        map->keys[at] = key;
        map->values[at] = (uint32_t)++map->count;
    }
    return map->values[at] - 1;
}

long sp_pair_map_find(const sp_pair_map *map, int left, int right) {
    if (!map->count) return -1;
    return (long)map->values[find_pair(map, pair_key(left, right))] - 1;
}

void sp_pair_map_free(sp_pair_map *map) {
    free(map->keys), free(map->values);
    *map = (sp_pair_map){0};
}
