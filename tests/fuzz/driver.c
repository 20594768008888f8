/* Runs a fuzz target with any compiler: every seed of a folder as it is, then mutations of the
 * seeds, always in the same order, so that a failure comes again. Usage: fuzz_<thing> FOLDER
 * SECONDS [ROUNDS]; ends after SECONDS or, if that is sooner, after ROUNDS mutations. An input that
 * takes longer than slowest_input, or under the sanitizers more memory than below, is a failure. */
#include "core/clock.h"
#include "core/file.h"
#include "core/memory.h"
#include "core/random.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { LONGEST = 1 << 16, MUTATIONS_A_ROUND = 4 };
static const time_t slowest_input = 10; /* seconds of CPU time */

#ifdef SP_SANITIZE
const char *__asan_default_options(void);

/* Read by AddressSanitizer at the start: MB of one allocation and of the process. */
const char *__asan_default_options(void) {
    return "max_allocation_size_mb=256:hard_rss_limit_mb=1024";
}
#endif

typedef struct seeds {
    sp_buf *data;
    uint32_t count;
} seeds;

static int is_file(const struct dirent *entry) {
    return entry->d_name[0] != '.';
}

/* In the order of their names, so that a run can be repeated. */
static void read_seeds(const char *folder, seeds *out) {
    struct dirent **entries;
    int count = scandir(folder, &entries, is_file, alphasort);
    out->data = sp_alloc((size_t)(count > 0 ? count : 0) + 1, sizeof *out->data);
    for (int i = 0; i < count; i++) {
        char *path = sp_path_join(folder, entries[i]->d_name);
        if (!sp_read_file(path, &out->data[out->count])) out->count++;
        free(path), free(entries[i]);
    }
    if (count >= 0) free(entries);
}

static void flip_bit(sp_buf *input, sp_rng *rng) {
    size_t at = sp_rng_below(rng, (uint32_t)input->len);
    input->data[at] = (char)(input->data[at] ^ 1 << sp_rng_below(rng, 8));
}

static void set_byte(sp_buf *input, sp_rng *rng) {
    static const char interesting[] = "\0\xff\x80\"{}[]<>,:;-+.0e \n\t\\&/";
    input->data[sp_rng_below(rng, (uint32_t)input->len)] =
        interesting[sp_rng_below(rng, sizeof interesting - 1)];
}

static void truncate_input(sp_buf *input, sp_rng *rng) {
    input->len = sp_rng_below(rng, (uint32_t)input->len);
}

static void remove_piece(sp_buf *input, sp_rng *rng) {
    size_t at = sp_rng_below(rng, (uint32_t)input->len);
    size_t len = 1 + sp_rng_below(rng, (uint32_t)(input->len - at));
    memmove(input->data + at, input->data + at + len, input->len - at - len);
    input->len -= len;
}

/* Puts `len` bytes in at a place. */
static void insert(sp_buf *input, size_t at, const char *data, size_t len) {
    sp_buf joined = {0};
    sp_buf_append(&joined, input->data, at);
    sp_buf_append(&joined, data, len);
    sp_buf_append(&joined, input->data + at, input->len - at);
    sp_buf_free(input);
    *input = joined;
}

static void repeat_piece(sp_buf *input, sp_rng *rng) {
    size_t at = sp_rng_below(rng, (uint32_t)input->len);
    size_t len = 1 + sp_rng_below(rng, (uint32_t)(input->len - at));
    char *piece = sp_strndup(input->data + at, len);
    insert(input, at, piece, strlen(piece));
    free(piece);
}

/* A piece of another seed. */
static void splice(sp_buf *input, const sp_buf *other, sp_rng *rng) {
    if (!other->len) return;
    size_t from = sp_rng_below(rng, (uint32_t)other->len);
    size_t len = 1 + sp_rng_below(rng, (uint32_t)(other->len - from));
    insert(input, sp_rng_below(rng, (uint32_t)input->len + 1), other->data + from, len);
}

static int is_digit(char c) {
    return c >= '0' && c <= '9';
}

/* Replaces the first number behind a random place by one that parsers like to get wrong. */
static void change_number(sp_buf *input, sp_rng *rng) {
    static const char *const numbers[] = {
        "0",         "-1",      "1e999", "4294967296", "18446744073709551615", "2147483647",
        "999999999", "1048577", "0.5",   "-0",         "9223372036854775808",  "nan"};
    size_t at = sp_rng_below(rng, (uint32_t)input->len), end;
    while (at < input->len && !is_digit(input->data[at])) at++;
    for (end = at; end < input->len && is_digit(input->data[end]);) end++;
    if (at == end) return;
    memmove(input->data + at, input->data + end, input->len - end);
    input->len -= end - at;
    const char *number = numbers[sp_rng_below(rng, sizeof numbers / sizeof *numbers)];
    insert(input, at, number, strlen(number));
}

static void mutate(sp_buf *input, const seeds *all, sp_rng *rng) {
    if (!input->len) return;
    switch (sp_rng_below(rng, 7)) {
    case 0:
        flip_bit(input, rng);
        break;
    case 1:
        set_byte(input, rng);
        break;
    case 2:
        truncate_input(input, rng);
        break;
    case 3:
        remove_piece(input, rng);
        break;
    case 4:
        repeat_piece(input, rng);
        break;
    case 5:
        change_number(input, rng);
        break;
    default:
        splice(input, &all->data[sp_rng_below(rng, all->count)], rng);
    }
    if (input->len > LONGEST) input->len = LONGEST;
}

/* Ends the process by SIGPROF when they have passed; 0: not any more. */
static void limit_cpu_seconds(time_t seconds) {
    setitimer(ITIMER_PROF, &(struct itimerval){.it_value.tv_sec = seconds}, NULL);
}

/* An exact copy on the heap, so that the sanitizer sees a read behind the end. */
static void run_target(const sp_buf *input) {
    uint8_t *copy = malloc(input->len ? input->len : 1);
    if (!copy) sp_panic("out of memory");
    if (input->len) memcpy(copy, input->data, input->len);
    limit_cpu_seconds(slowest_input);
    LLVMFuzzerTestOneInput(copy, input->len);
    limit_cpu_seconds(0);
    free(copy);
}

static long run_mutations(const seeds *all, double seconds, long rounds) {
    sp_rng rng = sp_rng_make(1, "fuzz");
    double start = sp_now();
    sp_buf input = {0};
    long round = 0;
    for (; round < rounds && sp_now() - start < seconds; round++) {
        const sp_buf *seed = &all->data[sp_rng_below(&rng, all->count)];
        sp_buf_clear(&input);
        if (seed->len) sp_buf_append(&input, seed->data, seed->len);
        uint32_t mutations = 1 + sp_rng_below(&rng, MUTATIONS_A_ROUND);
        while (mutations--) mutate(&input, all, &rng);
        run_target(&input);
    }
    sp_buf_free(&input);
    return round;
}

int main(int argc, char **argv) {
    if (argc < 3 || argc > 4) {
        fprintf(stderr, "usage: %s FOLDER SECONDS [ROUNDS]\n", argv[0]);
        return SP_ERR_USAGE;
    }
    seeds all = {0};
    read_seeds(argv[1], &all);
    for (uint32_t i = 0; i < all.count; i++) run_target(&all.data[i]);
    double start = sp_now();
    long most = argc == 4 ? atol(argv[3]) : LONG_MAX;
    long rounds = all.count ? run_mutations(&all, atof(argv[2]), most) : 0;
    printf("%u seeds, %ld mutations in %.0f s, no failure\n", all.count, rounds, sp_now() - start);
    for (uint32_t i = 0; i < all.count; i++) sp_buf_free(&all.data[i]);
    free(all.data);
    return all.count ? 0 : SP_ERR_MISSING;
}
