#include "parallel/ranks.h"

#include "core/file.h"
#include "core/hash.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Floats that are summed at a time; bounds the memory for it to twice 16 MB. */
static const size_t BLOCK = 4 << 20;

/* ---- the module ---- */

/* "open-mpi.so" beside the program. Owned by the caller. */
static char *module_path(void) {
    char program[4096];
    ssize_t len = readlink("/proc/self/exe", program, sizeof program - 1);
    program[len < 0 ? 0 : len] = '\0';
    char *folder = sp_path_folder(program), *path = sp_path_join(folder, "open-mpi.so");
    free(folder);
    return path;
}

sp_status sp_ranks_available(void) {
    char *path = module_path();
    sp_status st = SP_OK;
    if (!sp_file_exists(path))
        st = sp_fail(SP_ERR_MISSING,
                     "mpirun started this program, but it was built without MPI (there is no %s); "
                     "install libopenmpi-dev with `make deps` and build again, or leave out mpirun",
                     path);
    free(path);
    return st;
}

/* Open MPI's own plug-ins need its symbols to be global. */
static sp_status load_module(sp_channel_open **join) {
    char *path = module_path();
    void *module = dlopen(path, RTLD_NOW | RTLD_GLOBAL);
    *join = NULL;
    if (module) *(void **)join = dlsym(module, SP_CHANNEL_SYMBOL);
    free(path);
    if (*join) return SP_OK;
    return sp_fail(SP_ERR_MISSING,
                   "MPI cannot be loaded (%s); install openmpi-bin with `make deps`", dlerror());
}

sp_status sp_ranks_join(sp_ranks **out) {
    sp_channel_open *join;
    sp_status st = sp_ranks_available();
    if (!st) st = load_module(&join);
    if (!st) *out = sp_ranks_over(join());
    return st;
}

sp_ranks *sp_ranks_over(sp_channel *channel) {
    sp_ranks *ranks = sp_alloc(1, sizeof *ranks);
    *ranks = (sp_ranks){.rank = channel->rank, .size = channel->size, .channel = channel};
    return ranks;
}

void sp_ranks_leave(sp_ranks *ranks) {
    if (!ranks) return;
    ranks->channel->wait(ranks->channel->self);
    ranks->channel->close(ranks->channel->self);
    free(ranks->mine), free(ranks->theirs);
    free(ranks);
}

bool sp_ranks_leads(const sp_ranks *ranks) {
    return !ranks || ranks->rank == 0;
}

int sp_ranks_size(const sp_ranks *ranks) {
    return ranks ? ranks->size : 1;
}

int sp_ranks_rank(const sp_ranks *ranks) {
    return ranks ? ranks->rank : 0;
}

/* ---- sums ---- */

/* parts [size, part] -> their sum in `out` [part], in rank order. */
static void add_parts(const float *parts, int size, size_t part, float *out) {
    memcpy(out, parts, part * sizeof *out);
    for (int r = 1; r < size; r++)
        for (size_t i = 0; i < part; i++) out[i] += parts[(size_t)r * part + i];
}

static void sum_block(sp_ranks *ranks, float *data, size_t count) {
    sp_channel *c = ranks->channel;
    size_t size = (size_t)ranks->size, part = (count + size - 1) / size;
    memcpy(ranks->mine, data, count * sizeof *data);
    memset(ranks->mine + count, 0, (size * part - count) * sizeof *data);
    c->exchange(c->self, ranks->mine, ranks->theirs, part);
    add_parts(ranks->theirs, ranks->size, part, ranks->mine);
    c->gather(c->self, ranks->mine, ranks->theirs, part * sizeof *data);
    memcpy(data, ranks->theirs, count * sizeof *data);
    ranks->bytes_sent += 2.0 * (double)((size - 1) * part * sizeof *data);
}

static void reserve_parts(sp_ranks *ranks) {
    if (ranks->mine) return;
    size_t most = BLOCK + (size_t)ranks->size;
    ranks->mine = sp_reserve_floats(most);
    ranks->theirs = sp_reserve_floats(most);
}

void sp_ranks_sum(sp_ranks *ranks, float *data, size_t count) {
    if (!ranks) return;
    reserve_parts(ranks);
    for (size_t i = 0; i < count; i += BLOCK)
        sum_block(ranks, data + i, count - i < BLOCK ? count - i : BLOCK);
}

/* ---- gathering ---- */

static void gather(sp_ranks *ranks, const void *mine, void *all, size_t bytes) {
    ranks->channel->gather(ranks->channel->self, mine, all, bytes);
    ranks->bytes_sent += (double)(ranks->size - 1) * (double)bytes;
}

void sp_ranks_sum_numbers(sp_ranks *ranks, double *values, size_t count) {
    if (!ranks) return;
    double *all = sp_alloc((size_t)ranks->size * count, sizeof *all);
    gather(ranks, values, all, count * sizeof *values);
    memcpy(values, all, count * sizeof *values);
    for (size_t i = count; i < (size_t)ranks->size * count; i++) values[i % count] += all[i];
    free(all);
}

void sp_ranks_gather(sp_ranks *ranks, const sp_buf *mine, sp_buf *out, size_t *lengths) {
    lengths[0] = mine->len;
    if (!ranks) {
        sp_buf_append(out, mine->data, mine->len);
        return;
    }
    size_t size = (size_t)ranks->size, own = mine->len, longest = 0;
    gather(ranks, &own, lengths, sizeof own);
    for (size_t r = 0; r < size; r++)
        if (lengths[r] > longest) longest = lengths[r];
    char *padded = sp_alloc(longest + 1, 1), *all = sp_alloc(size, longest + 1);
    if (own) memcpy(padded, mine->data, own);
    if (longest) gather(ranks, padded, all, longest);
    for (size_t r = 0; r < size; r++) sp_buf_append(out, all + r * longest, lengths[r]);
    free(padded), free(all);
}

/* ---- agreeing ---- */

/* What a rank has to say about how it went. */
typedef struct word {
    int status, any, led;
} word;

/* The message of rank `from` becomes everyone's. */
static sp_status take_failure(sp_ranks *ranks, int from, sp_status st) {
    enum { LONGEST = 2048 };
    char mine[LONGEST] = {0}, *all = sp_alloc((size_t)ranks->size, LONGEST);
    strncpy(mine, sp_error(), LONGEST - 1);
    gather(ranks, mine, all, LONGEST);
    const char *message = all + (size_t)from * LONGEST;
    if (from)
        sp_fail(st, "rank %d: %s", from, message);
    else
        sp_fail(st, "%s", message);
    free(all);
    return st;
}

sp_status sp_ranks_settle_flags(sp_ranks *ranks, sp_status st, bool *any, bool *led) {
    if (!ranks) return st;
    word mine = {(int)st, *any, *led}, *all = sp_alloc((size_t)ranks->size, sizeof *all);
    gather(ranks, &mine, all, sizeof mine);
    *led = all[0].led;
    int failed = -1;
    for (int r = ranks->size - 1; r >= 0; r--) {
        *any |= all[r].any != 0;
        if (all[r].status) failed = r;
    }
    st = failed < 0 ? SP_OK : (sp_status)all[failed].status;
    free(all);
    return st ? take_failure(ranks, failed, st) : SP_OK;
}

sp_status sp_ranks_settle(sp_ranks *ranks, sp_status st) {
    bool any = false, led = false;
    return sp_ranks_settle_flags(ranks, st, &any, &led);
}

sp_status sp_ranks_check_same(sp_ranks *ranks, const char *what, const void *data, size_t bytes) {
    if (!ranks) return SP_OK;
    sp_digest mine = sp_sha256(data, bytes), *all = sp_alloc((size_t)ranks->size, sizeof *all);
    gather(ranks, &mine, all, sizeof mine);
    sp_status st = SP_OK;
    for (int r = 1; !st && r < ranks->size; r++)
        if (memcmp(&all[r], &all[0], sizeof mine) != 0)
            st = sp_fail(SP_ERR_INTERNAL,
                         "%s is not the same on ranks 0 and %d; use machines of one kind and one "
                         "version of the program and its files",
                         what, r);
    free(all);
    return st;
}
