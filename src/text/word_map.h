/* A map from byte strings to 64-bit integers, for vocabularies and word counts. */
#ifndef SP_TEXT_WORD_MAP_H
#define SP_TEXT_WORD_MAP_H

#include <stddef.h>
#include <stdint.h>

typedef struct sp_word {
    const char *text; /* in the map's own storage, not NUL-terminated */
    size_t len;
    int64_t value;
} sp_word;

typedef struct sp_word_map {
    sp_word *words; /* in the order of first insertion */
    size_t count, cap;
    uint32_t *slots; /* index + 1 into words, 0 if free */
    size_t slot_count;
    struct sp_text_block *blocks;
} sp_word_map;

/* FNV-1a, 64 bits. */
uint64_t sp_hash_bytes(const char *text, size_t len);

/* The entry of a word, added with value 0 if missing. Valid until the next addition. The map starts
 * as {0} and copies the bytes. */
sp_word *sp_word_map_add(sp_word_map *map, const char *text, size_t len);
/* NULL if the map does not have the word. */
const sp_word *sp_word_map_find(const sp_word_map *map, const char *text, size_t len);
void sp_word_map_free(sp_word_map *map);

/* A map from pairs of ids to indexes 0, 1, 2, ... in the order of insertion. Starts as {0}. */
typedef struct sp_pair_map {
    uint64_t *keys;   /* left << 32 | right, by slot */
    uint32_t *values; /* index + 1, 0 if free */
    size_t count, slot_count;
} sp_pair_map;

/* The index of a pair; *is_new tells whether it was added. */
size_t sp_pair_map_add(sp_pair_map *map, int left, int right, int *is_new);
/* -1 if the map does not have the pair. */
long sp_pair_map_find(const sp_pair_map *map, int left, int right);
void sp_pair_map_free(sp_pair_map *map);

#endif
