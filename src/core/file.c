#include "core/file.h"

#include "core/clock.h"
#include "core/host.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static sp_status open_for_reading(const char *path, int *fd, struct stat *info) {
    *fd = open(path, O_RDONLY | O_CLOEXEC);
    if (*fd < 0)
        return sp_fail(errno == ENOENT ? SP_ERR_MISSING : SP_ERR_IO, "%s: cannot open: %s", path,
                       strerror(errno));
    if (fstat(*fd, info) == 0 && !S_ISDIR(info->st_mode)) return SP_OK;
    close(*fd);
    return sp_fail(SP_ERR_IO, "%s: is a folder, but a file is needed here", path);
}

sp_status sp_read_file(const char *path, sp_buf *out) {
    int fd;
    struct stat info;
    sp_status st = open_for_reading(path, &fd, &info);
    if (st) return st;
    sp_buf_clear(out);
    char chunk[65536];
    ssize_t n;
    while ((n = read(fd, chunk, sizeof chunk)) > 0) sp_buf_append(out, chunk, (size_t)n);
    if (n < 0) st = sp_fail(SP_ERR_IO, "%s: cannot read: %s", path, strerror(errno));
    close(fd);
    if (!out->data) sp_buf_append(out, "", 0);
    return st;
}

size_t sp_text_start(const char *text, size_t len) {
    return len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
}

static sp_status write_fully(int fd, const char *data, size_t len) {
    while (len) {
        ssize_t n = write(fd, data, len);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return SP_ERR_IO;
        data += n;
        len -= (size_t)n;
    }
    return fsync(fd) ? SP_ERR_IO : SP_OK;
}

sp_status sp_write_file(const char *path, const void *data, size_t len) {
    char *temporary = sp_temporary_path(path);
    int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    sp_status st = fd < 0 ? SP_ERR_IO : write_fully(fd, data, len);
    int reason = errno;
    if (fd >= 0 && close(fd) && !st) {
        st = SP_ERR_IO;
        reason = errno;
    }
    if (!st && rename(temporary, path)) {
        st = SP_ERR_IO;
        reason = errno;
    }
    if (st) {
        unlink(temporary);
        sp_fail(st, "%s: cannot write: %s; check the folder's permissions and free space", path,
                strerror(reason));
    }
    free(temporary);
    return st;
}

sp_status sp_map_file(const char *path, sp_map *out) {
    int fd;
    struct stat info;
    sp_status st = open_for_reading(path, &fd, &info);
    if (st) return st;
    *out = (sp_map){.len = (size_t)info.st_size};
    if (out->len) {
        void *p = mmap(NULL, out->len, PROT_READ, MAP_PRIVATE, fd, 0);
        if (p == MAP_FAILED)
            st = sp_fail(SP_ERR_IO, "%s: cannot map: %s", path, strerror(errno));
        else
            out->data = p;
    }
    close(fd);
    return st;
}

void sp_unmap_file(sp_map *map) {
    if (map->data) munmap((void *)(uintptr_t)map->data, map->len);
    *map = (sp_map){0};
}

/* Leaves errno alone. */
static bool is_folder(const char *path) {
    int reason = errno;
    struct stat info;
    bool found = stat(path, &info) == 0 && S_ISDIR(info.st_mode);
    errno = reason;
    return found;
}

sp_status sp_make_folders(const char *path) {
    char *copy = sp_strdup(path);
    sp_status st = SP_OK;
    for (char *p = copy + (*copy == '/'); !st; p++) {
        if (*p != '/' && *p != '\0') continue;
        char end = *p;
        *p = '\0';
        if (mkdir(copy, 0755) && !is_folder(copy))
            st = sp_fail(SP_ERR_IO, "%s: cannot make this folder: %s", copy,
                         strerror(errno == EEXIST ? ENOTDIR : errno));
        *p = end;
        if (end == '\0') break;
    }
    free(copy);
    return st;
}

bool sp_file_exists(const char *path) {
    return access(path, F_OK) == 0;
}

char *sp_path_join(const char *folder, const char *name) {
    size_t n = strlen(folder);
    return sp_format("%s%s%s", folder, n && folder[n - 1] == '/' ? "" : "/", name);
}

char *sp_path_folder(const char *path) {
    const char *slash = strrchr(path, '/');
    if (!slash) return sp_strdup(".");
    return sp_strndup(path, slash == path ? 1 : (size_t)(slash - path));
}

const char *sp_home(void) {
    const char *home = getenv("SOFTPROMPT_HOME");
    return home && *home ? home : SP_SOURCE_DIR;
}

char *sp_find_file(const char *path) {
    if (path[0] == '/' || sp_file_exists(path)) return sp_strdup(path);
    char *own = sp_path_join(sp_home(), path);
    if (sp_file_exists(own)) return own;
    free(own);
    return sp_strdup(path);
}

/* Whether `path` still names the file behind `fd`: whoever held the lock before may have removed
 * it, and then the lock of another file of this name is the one that counts. */
static bool is_named(int fd, const char *path) {
    struct stat own, named;
    return fstat(fd, &own) == 0 && stat(path, &named) == 0 && own.st_dev == named.st_dev &&
           own.st_ino == named.st_ino;
}

static sp_status fail_to_lock(const char *path, int reason) {
    if (reason == EWOULDBLOCK)
        return sp_fail(SP_ERR_BUSY, "%s: another softprompt process is at work here; wait for it",
                       path);
    if (reason == ENOLCK || reason == EOPNOTSUPP || reason == ENOSYS || reason == EINVAL)
        return sp_fail(SP_ERR_IO,
                       "%s: this filesystem has no file locks (%s); use a folder on one that has",
                       path, strerror(reason));
    return sp_fail(SP_ERR_IO, "%s: cannot lock: %s", path, strerror(reason));
}

sp_status sp_lock_file(const char *path, int *fd) {
    for (;;) {
        *fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
        if (*fd < 0)
            return sp_fail(SP_ERR_IO, "%s: cannot create the lock file: %s", path, strerror(errno));
        int reason = flock(*fd, LOCK_EX | LOCK_NB) ? errno : 0;
        if (!reason && is_named(*fd, path)) return SP_OK;
        close(*fd);
        *fd = -1;
        if (reason && reason != EINTR) return fail_to_lock(path, reason);
    }
}

sp_status sp_lock_file_within(const char *path, double seconds, int *fd) {
    enum { PAUSE_MICROSECONDS = 2000 };
    double start = sp_now();
    sp_status st;
    while ((st = sp_lock_file(path, fd)) == SP_ERR_BUSY && sp_now() - start < seconds)
        usleep(PAUSE_MICROSECONDS);
    return st;
}

bool sp_is_locked(const char *path) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return false;
    bool locked = flock(fd, LOCK_SH | LOCK_NB) && errno == EWOULDBLOCK;
    close(fd);
    return locked;
}

void sp_unlock_file(int fd) {
    if (fd < 0) return;
    flock(fd, LOCK_UN); /* also for the copies that other processes may have of it */
    close(fd);
}
