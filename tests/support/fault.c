/* A library that is loaded before libc (LD_PRELOAD) and lets writing to disk go wrong, for all the
 * processes that come from the first one together:
 *
 *   FAULT_KILL=N    the Nth sync, renaming or removal of a file kills its process before it is done
 *   FAULT_TORN=N    the process that writes the Nth byte is killed when all before it are written
 *   FAULT_FULL=N    the disk is full after N bytes
 *   FAULT_CLOCK=N   the time of day jumps by N seconds, back and forth, each time it is asked for
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

typedef struct shared {
    atomic_long operations, bytes, clock;
} shared;

static shared *all;
static long kill_at, torn_at, full_at, jump;

static long setting(const char *name) {
    const char *text = getenv(name);
    return text ? atol(text) : -1;
}

/* Once for the first process: those that it forks have the same page. */
__attribute__((constructor)) static void start(void) {
    all = mmap(NULL, sizeof *all, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    kill_at = setting("FAULT_KILL");
    torn_at = setting("FAULT_TORN");
    full_at = setting("FAULT_FULL");
    jump = setting("FAULT_CLOCK");
}

static void count_operation(void) {
    if (kill_at >= 0 && atomic_fetch_add(&all->operations, 1) + 1 == kill_at)
        kill(getpid(), SIGKILL);
}

static int is_file(int fd) {
    struct stat info;
    return fstat(fd, &info) == 0 && S_ISREG(info.st_mode);
}

/* How many of `len` bytes there is still room for; `torn`: this write is the process's last. */
static size_t take_room(size_t len, int *torn) {
    long limit = torn_at >= 0 ? torn_at : full_at;
    *torn = 0;
    if (limit < 0) return len;
    long before = atomic_fetch_add(&all->bytes, (long)len);
    size_t room = before >= limit ? 0 : (size_t)(limit - before);
    if (torn_at < 0) return len < room ? len : room;
    *torn = before < limit && len >= room;
    return *torn ? room : len;
}

static ssize_t end_write(ssize_t written, size_t len, size_t room, int torn) {
    if (torn) kill(getpid(), SIGKILL);
    if (len && !room) return errno = ENOSPC, -1;
    return written;
}

static void *next(const char *name) {
    return dlsym(RTLD_NEXT, name);
}

ssize_t write(int fd, const void *data, size_t len) {
    ssize_t (*real)(int, const void *, size_t) =
        (ssize_t(*)(int, const void *, size_t))next("write");
    if (!is_file(fd)) return real(fd, data, len);
    int torn;
    size_t room = take_room(len, &torn);
    return end_write(real(fd, data, room), len, room, torn);
}

ssize_t pwrite(int fd, const void *data, size_t len, off_t at) {
    ssize_t (*real)(int, const void *, size_t, off_t) =
        (ssize_t(*)(int, const void *, size_t, off_t))next("pwrite");
    int torn;
    size_t room = take_room(len, &torn);
    return end_write(real(fd, data, room, at), len, room, torn);
}

int fsync(int fd) {
    int (*real)(int) = (int (*)(int))next("fsync");
    count_operation();
    return real(fd);
}

int rename(const char *from, const char *to) {
    int (*real)(const char *, const char *) = (int (*)(const char *, const char *))next("rename");
    count_operation();
    return real(from, to);
}

int unlink(const char *path) {
    int (*real)(const char *) = (int (*)(const char *))next("unlink");
    count_operation();
    return real(path);
}

/* ---- the time of day ---- */

static time_t jumped(void) {
    return jump < 0 ? 0 : (time_t)((atomic_fetch_add(&all->clock, 1) % 3 - 1) * jump);
}

int clock_gettime(clockid_t which, struct timespec *out) {
    int (*real)(clockid_t, struct timespec *) =
        (int (*)(clockid_t, struct timespec *))next("clock_gettime");
    int result = real(which, out);
    if (which == CLOCK_REALTIME) out->tv_sec += jumped();
    return result;
}

int gettimeofday(struct timeval *restrict out, void *restrict zone) {
    int (*real)(struct timeval *, void *) = (int (*)(struct timeval *, void *))next("gettimeofday");
    int result = real(out, zone);
    out->tv_sec += jumped();
    return result;
}

time_t time(time_t *out) {
    time_t (*real)(time_t *) = (time_t(*)(time_t *))next("time");
    time_t now = real(NULL) + jumped();
    if (out) *out = now;
    return now;
}
