#include "bench/child.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* What comes first through the pipe; the rows follow. */
typedef struct header {
    sp_status status;
    char message[1024], gemm[96];
    size_t count;
} header;

static bool write_all(int fd, const void *data, size_t len) {
    for (const char *p = data; len > 0;) {
        ssize_t n = write(fd, p, len);
        if (n < 0 && errno != EINTR) return false;
        if (n > 0) p += n, len -= (size_t)n;
    }
    return true;
}

static void read_all(int fd, sp_buf *out) {
    char chunk[4096];
    ssize_t n;
    while ((n = read(fd, chunk, sizeof chunk)) > 0 || (n < 0 && errno == EINTR))
        if (n > 0) sp_buf_append(out, chunk, (size_t)n);
}

static _Noreturn void be_child(int fd, sp_bench_work *work, const void *user) {
    sp_bench_rows rows = {0};
    header h = {.status = work(user, &rows)};
    if (h.status) snprintf(h.message, sizeof h.message, "%s", sp_error());
    snprintf(h.gemm, sizeof h.gemm, "%s", rows.gemm);
    h.count = rows.count;
    bool sent =
        write_all(fd, &h, sizeof h) && write_all(fd, rows.items, rows.count * sizeof *rows.items);
    _exit(sent ? SP_OK : SP_ERR_IO); /* what the parent has not printed yet is not printed here */
}

static sp_status take(const sp_buf *sent, sp_bench_rows *rows) {
    header h;
    memcpy(&h, sent->data, sizeof h);
    if (h.status) return sp_fail(h.status, "%s", h.message);
    if (*h.gemm) memcpy(rows->gemm, h.gemm, sizeof rows->gemm);
    for (size_t i = 0; i < h.count; i++) {
        sp_bench_row row;
        memcpy(&row, sent->data + sizeof h + i * sizeof row, sizeof row);
        sp_bench_rows_add(rows, &row);
    }
    return SP_OK;
}

sp_status sp_bench_in_child(sp_bench_work *work, const void *user, sp_bench_rows *rows) {
    int ends[2];
    if (pipe(ends)) return sp_fail(SP_ERR_IO, "pipe: %s; close other programs", strerror(errno));
    pid_t child = fork();
    if (child == 0) {
        close(ends[0]);
        be_child(ends[1], work, user);
    }
    close(ends[1]);
    sp_buf sent = {0};
    if (child > 0) read_all(ends[0], &sent);
    close(ends[0]);
    if (child < 0) return sp_fail(SP_ERR_IO, "fork: %s; close other programs", strerror(errno));
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
    sp_status st;
    if (status == 0)
        st = take(&sent, rows);
    else if (WIFEXITED(status) && WEXITSTATUS(status) == SP_ERR_MEMORY)
        st = sp_fail(SP_ERR_MEMORY, "a measurement ran out of memory; measure a smaller model");
    else
        st = sp_fail(SP_ERR_INTERNAL, "a measurement ended with wait status %d", status);
    sp_buf_free(&sent);
    return st;
}
