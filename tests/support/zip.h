/* Small zip archives for tests. Include after cmocka. */
#ifndef SP_TESTS_SUPPORT_ZIP_H
#define SP_TESTS_SUPPORT_ZIP_H

#include <archive.h>
#include <archive_entry.h>
#include <string.h>

typedef struct zip_file {
    const char *name, *content;
    const char *link; /* a symbolic link to it instead, if not NULL */
} zip_file;

static inline void write_zip(const char *path, const zip_file *files, size_t count) {
    struct archive *archive = archive_write_new();
    archive_write_set_format_zip(archive);
    if (archive_write_open_filename(archive, path)) fail_msg("cannot write %s", path);
    for (size_t i = 0; i < count; i++) {
        struct archive_entry *entry = archive_entry_new();
        archive_entry_set_pathname(entry, files[i].name);
        archive_entry_set_perm(entry, 0644);
        archive_entry_set_filetype(entry, files[i].link ? AE_IFLNK : AE_IFREG);
        if (files[i].link) archive_entry_set_symlink(entry, files[i].link);
        size_t len = files[i].link ? 0 : strlen(files[i].content);
        archive_entry_set_size(entry, (la_int64_t)len);
        if (archive_write_header(archive, entry)) fail_msg("cannot add %s", files[i].name);
        if (len) archive_write_data(archive, files[i].content, len);
        archive_entry_free(entry);
    }
    archive_write_close(archive);
    archive_write_free(archive);
}

#endif
