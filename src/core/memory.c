#include "core/memory.h"

#include "core/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { ALIGNMENT = 64, ARENA_BLOCK = 1 << 20, LARGE_PAGE = 2 << 20 };

static _Noreturn void out_of_memory(size_t bytes) {
    fprintf(stderr, "softprompt: out of memory (%zu bytes asked); use a smaller model or batch\n",
            bytes);
    exit(SP_ERR_MEMORY);
}

static size_t checked_product(size_t count, size_t size) {
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes)) out_of_memory(SIZE_MAX);
    return bytes ? bytes : 1;
}

void *sp_alloc(size_t count, size_t size) {
    size_t bytes = checked_product(count, size);
    void *p = calloc(1, bytes);
    if (!p) out_of_memory(bytes);
    return p;
}

void *sp_realloc(void *p, size_t count, size_t size) {
    size_t bytes = checked_product(count, size);
    p = realloc(p, bytes);
    if (!p) out_of_memory(bytes);
    return p;
}

static size_t align_up(size_t bytes) {
    return (bytes + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
}

float *sp_reserve_floats(size_t count) {
    size_t used = checked_product(count, sizeof(float)), bytes = align_up(used);
    float *p = aligned_alloc(ALIGNMENT, bytes);
    if (!p) out_of_memory(bytes);
    memset((char *)p + used, 0, bytes - used);
    return p;
}

float *sp_alloc_floats(size_t count) {
    float *p = sp_reserve_floats(count);
    memset(p, 0, count * sizeof *p);
    return p;
}

bool sp_has_suffix(const char *s, const char *suffix) {
    size_t n = strlen(s), k = strlen(suffix);
    return n >= k && strcmp(s + n - k, suffix) == 0;
}

char *sp_strndup(const char *s, size_t n) {
    char *copy = sp_alloc(n + 1, 1);
    memcpy(copy, s, n);
    return copy;
}

char *sp_strdup(const char *s) {
    return sp_strndup(s, strlen(s));
}

char *sp_format(const char *format, ...) {
    va_list args;
    va_start(args, format);
    char *s = NULL;
    int n = vasprintf(&s, format, args);
    va_end(args);
    if (n < 0) out_of_memory(0);
    return s;
}

/* ---- arena ---- */

typedef struct sp_arena_block {
    struct sp_arena_block *next;
    size_t size, used;
    char *data;
} sp_arena_block;

/* Blocks come straight from the system and go back there at once; malloc would keep them. Large
 * ones lie on large pages where the system has them: clearing small ones takes as long as computing
 * what is written there. */
static sp_arena_block *new_block(size_t size) {
    sp_arena_block *b = sp_alloc(1, sizeof *b);
    size_t unit = size < LARGE_PAGE ? ARENA_BLOCK : LARGE_PAGE;
    if (size > SIZE_MAX - 2 * unit) out_of_memory(size);
    b->size = (size + unit - 1) / unit * unit;
    char *start =
        mmap(NULL, b->size + unit, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (start == MAP_FAILED) out_of_memory(b->size);
    size_t before = (unit - (uintptr_t)start % unit) % unit;
    b->data = start + before;
    if (before) munmap(start, before);
    if (before < unit) munmap(b->data + b->size, unit - before);
    if (unit == LARGE_PAGE) madvise(b->data, b->size, MADV_HUGEPAGE); /* a wish: may fail */
    return b;
}

/* The next kept block that is large enough; smaller ones on the way stay empty this round. */
static sp_arena_block *block_with_room(sp_arena *a, size_t bytes) {
    sp_arena_block **link = a->current ? &a->current : &a->first;
    while (*link && (*link)->size - (*link)->used < bytes) link = &(*link)->next;
    if (!*link) {
        size_t size = a->used / 4 > ARENA_BLOCK ? a->used / 4 : ARENA_BLOCK;
        *link = new_block(bytes > size ? bytes : size);
    }
    return *link;
}

void *sp_arena_alloc(sp_arena *a, size_t bytes) {
    bytes = align_up(bytes ? bytes : 1);
    sp_arena_block *b = block_with_room(a, bytes);
    a->current = b;
    void *p = b->data + b->used;
    b->used += bytes;
    a->used += bytes;
    if (a->used > a->peak) a->peak = a->used;
    return p;
}

void *sp_arena_zero(sp_arena *a, size_t bytes) {
    return memset(sp_arena_alloc(a, bytes), 0, bytes);
}

static void free_blocks(sp_arena *a) {
    for (sp_arena_block *b = a->first, *next; b; b = next) {
        next = b->next;
        munmap(b->data, b->size);
        free(b);
    }
    a->first = a->current = NULL;
}

/* Several blocks are merged into one of the peak size and a quarter, so that the next rounds, which
 * may be a little larger, fit in one piece. */
void sp_arena_reset(sp_arena *a) {
    if (a->first && a->first->next) {
        free_blocks(a);
        a->first = new_block(a->peak + a->peak / 4);
    }
    if (a->first) a->first->used = 0;
    a->current = a->first;
    a->used = 0;
}

void sp_arena_free(sp_arena *a) {
    free_blocks(a);
    *a = (sp_arena){0};
}

/* ---- buffers and lists ---- */

static void buf_reserve(sp_buf *b, size_t extra) {
    size_t need = b->len + extra + 1;
    if (need <= b->cap) return;
    b->cap = need > 2 * b->cap ? need : 2 * b->cap;
    b->data = sp_realloc(b->data, b->cap, 1);
}

void sp_buf_append(sp_buf *b, const void *data, size_t len) {
    buf_reserve(b, len);
    if (len) memcpy(b->data + b->len, data, len);
    b->len += len;
    b->data[b->len] = '\0';
}

void sp_buf_puts(sp_buf *b, const char *s) {
    sp_buf_append(b, s, strlen(s));
}

void sp_buf_putc(sp_buf *b, char c) {
    sp_buf_append(b, &c, 1);
}

void sp_buf_printf(sp_buf *b, const char *format, ...) {
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (n > 0) {
        buf_reserve(b, (size_t)n);
        vsnprintf(b->data + b->len, (size_t)n + 1, format, again);
        b->len += (size_t)n;
    }
    va_end(again);
}

void sp_buf_clear(sp_buf *b) {
    b->len = 0;
    if (b->data) b->data[0] = '\0';
}

void sp_buf_free(sp_buf *b) {
    free(b->data);
    *b = (sp_buf){0};
}

char *sp_buf_take(sp_buf *b) {
    buf_reserve(b, 0);
    b->data[b->len] = '\0';
    char *s = b->data;
    *b = (sp_buf){0};
    return s;
}

/* Room for one more element of `size` bytes in a list with len elements. */
static void *list_reserve(void *data, size_t len, size_t extra, size_t *cap, size_t size) {
    if (len + extra <= *cap) return data;
    *cap = len + extra > 2 * *cap ? len + extra + 8 : 2 * *cap;
    return sp_realloc(data, *cap, size);
}

void sp_ints_append(sp_ints *list, const int *values, size_t count) {
    list->data = list_reserve(list->data, list->len, count, &list->cap, sizeof(int));
    if (count) memcpy(list->data + list->len, values, count * sizeof(int));
    list->len += count;
}

void sp_ints_push(sp_ints *list, int value) {
    sp_ints_append(list, &value, 1);
}

void sp_ints_free(sp_ints *list) {
    free(list->data);
    *list = (sp_ints){0};
}

void sp_strings_take(sp_strings *list, char *s) {
    list->data = list_reserve(list->data, list->len, 1, &list->cap, sizeof(char *));
    list->data[list->len++] = s;
}

void sp_strings_push(sp_strings *list, const char *s) {
    sp_strings_take(list, sp_strdup(s));
}

void sp_strings_free(sp_strings *list) {
    for (size_t i = 0; i < list->len; i++) free(list->data[i]);
    free(list->data);
    *list = (sp_strings){0};
}

char *sp_list_text(const char *const *names, size_t count) {
    enum { SHOWN = 20 };
    sp_buf list = {0};
    for (size_t i = 0; i < count && i < SHOWN; i++)
        sp_buf_printf(&list, "%s%s", i ? ", " : "", names[i]);
    if (count > SHOWN) sp_buf_printf(&list, ", and %zu more", count - SHOWN);
    return count ? sp_buf_take(&list) : sp_strdup("none");
}
