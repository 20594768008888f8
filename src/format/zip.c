#include "format/zip.h"

#include "core/clock.h"
#include "core/file.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BLOCK = 1 << 16 };

typedef struct unpacking {
    const char *path; /* of the archive */
    struct archive *archive;
    const sp_zip_member *members;
    size_t count;
    bool *done; /* [count] */
} unpacking;

static sp_status fail_damaged(const unpacking *u) {
    const char *reason = archive_error_string(u->archive);
    return sp_fail(SP_ERR_FORMAT, "%s: is damaged or no zip archive (%s); get it again", u->path,
                   reason ? reason : "unknown reason");
}

static sp_status fail_size(const unpacking *u, const sp_zip_member *member) {
    return sp_fail(SP_ERR_FORMAT, "%s: %s does not have the %llu bytes it should; get it again",
                   u->path, member->name, (unsigned long long)member->bytes);
}

static sp_status write_block(int fd, const sp_zip_member *member, const char *data, size_t len) {
    while (len) {
        ssize_t n = write(fd, data, len);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0)
            return sp_fail(SP_ERR_IO, "%s: cannot write: %s; check the free space", member->path,
                           strerror(errno));
        data += n;
        len -= (size_t)n;
    }
    return SP_OK;
}

static sp_status copy_data(const unpacking *u, const sp_zip_member *member, int fd) {
    static const char stopped[] = "interrupted while unpacking %s";
    char block[BLOCK];
    uint64_t total = 0;
    for (;;) {
        la_ssize_t n = archive_read_data(u->archive, block, sizeof block);
        if (n < 0) return fail_damaged(u);
        if (n == 0) return total == member->bytes ? SP_OK : fail_size(u, member);
        total += (uint64_t)n;
        if (total > member->bytes) return fail_size(u, member);
        if (sp_interrupted()) return sp_fail(SP_ERR_INTERRUPTED, stopped, u->path);
        sp_status st = write_block(fd, member, block, (size_t)n);
        if (st) return st;
    }
}

static sp_status unpack(const unpacking *u, const sp_zip_member *member) {
    int fd = open(member->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (fd < 0) return sp_fail(SP_ERR_IO, "%s: cannot create: %s", member->path, strerror(errno));
    sp_status st = copy_data(u, member, fd);
    if (!st && fsync(fd))
        st = sp_fail(SP_ERR_IO, "%s: cannot write: %s; check the free space", member->path,
                     strerror(errno));
    close(fd);
    return st;
}

static sp_status take_entry(unpacking *u, struct archive_entry *entry) {
    const char *name = archive_entry_pathname(entry);
    size_t i = 0;
    while (name && i < u->count && strcmp(u->members[i].name, name) != 0) i++;
    if (!name || i == u->count) return SP_OK;
    if (u->done[i])
        return sp_fail(SP_ERR_FORMAT, "%s: holds %s twice; get it again", u->path, name);
    if (archive_entry_filetype(entry) != AE_IFREG || archive_entry_is_encrypted(entry))
        return sp_fail(SP_ERR_FORMAT, "%s: %s is no plain file", u->path, name);
    u->done[i] = true;
    return unpack(u, &u->members[i]);
}

static sp_status walk(unpacking *u) {
    struct archive_entry *entry;
    sp_status st = SP_OK;
    while (!st) {
        int code = archive_read_next_header(u->archive, &entry);
        if (code == ARCHIVE_EOF) break;
        st = code == ARCHIVE_OK || code == ARCHIVE_WARN ? take_entry(u, entry) : fail_damaged(u);
    }
    for (size_t i = 0; !st && i < u->count; i++)
        if (!u->done[i])
            st = sp_fail(SP_ERR_FORMAT, "%s: holds no %s; it is another package", u->path,
                         u->members[i].name);
    return st;
}

sp_status sp_zip_extract(const char *archive, const sp_zip_member *members, size_t count) {
    if (!sp_file_exists(archive)) return sp_fail(SP_ERR_MISSING, "%s: is not there", archive);
    unpacking u = {archive, archive_read_new(), members, count, sp_alloc(count, sizeof(bool))};
    sp_status st = SP_OK;
    archive_read_support_format_zip_seekable(u.archive);
    if (archive_read_open_filename(u.archive, archive, BLOCK) != ARCHIVE_OK)
        st = fail_damaged(&u);
    else
        st = walk(&u);
    archive_read_free(u.archive);
    free(u.done);
    return st;
}
