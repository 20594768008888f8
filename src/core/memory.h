/* Memory: checked allocation, arenas, growable buffers. Running out of memory ends the program
 * with one line and exit code SP_ERR_MEMORY; finished results are on disk by then. Sizes that come
 * from a file are checked against the file before they reach these functions. */
#ifndef SP_CORE_MEMORY_H
#define SP_CORE_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Zeroed memory for count * size bytes (overflow checked); release with free(). Never NULL. */
void *sp_alloc(size_t count, size_t size);
/* Grows or shrinks; the added part is not zeroed. Never NULL. */
void *sp_realloc(void *p, size_t count, size_t size);
/* 64-byte aligned floats, zeroed; release with free(). Never NULL. */
float *sp_alloc_floats(size_t count);
/* The same, not zeroed: for those that are all written next. */
float *sp_reserve_floats(size_t count);
char *sp_strdup(const char *s);
char *sp_strndup(const char *s, size_t n);
bool sp_has_suffix(const char *s, const char *suffix);
/* printf into a fresh string; release with free(). */
char *sp_format(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* An arena hands out 64-byte aligned memory that is released all at once. sp_arena_reset keeps the
 * blocks, so a training step mallocs nothing once the first step has shown how much it needs. */
typedef struct sp_arena {
    struct sp_arena_block *first, *current;
    size_t peak, used;
} sp_arena;

void *sp_arena_alloc(sp_arena *arena, size_t bytes); /* not zeroed */
void *sp_arena_zero(sp_arena *arena, size_t bytes);  /* zeroed */
void sp_arena_reset(sp_arena *arena); /* everything handed out is gone; blocks stay */
void sp_arena_free(sp_arena *arena);

/* A growable byte buffer, always NUL-terminated once anything was appended. Start from {0}. */
typedef struct sp_buf {
    char *data;
    size_t len, cap;
} sp_buf;

void sp_buf_append(sp_buf *b, const void *data, size_t len);
void sp_buf_puts(sp_buf *b, const char *s);
void sp_buf_putc(sp_buf *b, char c);
void sp_buf_printf(sp_buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
void sp_buf_clear(sp_buf *b); /* length 0, memory kept */
void sp_buf_free(sp_buf *b);  /* and {0} again */
/* The string, owned by the caller (free()); the buffer is {0} afterwards. */
char *sp_buf_take(sp_buf *b);

/* Growable list of ints. Start from {0}. */
typedef struct sp_ints {
    int *data;
    size_t len, cap;
} sp_ints;
void sp_ints_push(sp_ints *list, int value);
void sp_ints_append(sp_ints *list, const int *values, size_t count);
void sp_ints_free(sp_ints *list);

/* Growable list of owned strings. Start from {0}. */
typedef struct sp_strings {
    char **data;
    size_t len, cap;
} sp_strings;
void sp_strings_push(sp_strings *list, const char *s); /* copies */
void sp_strings_take(sp_strings *list, char *s);       /* takes ownership */
void sp_strings_free(sp_strings *list);

/* "a, b, c", of more than 20 names "..., and 5 more", of none "none": for messages. The caller's.
 */
char *sp_list_text(const char *const *names, size_t count);

#endif
