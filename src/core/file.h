/* Files: whole reads, read-only maps, and writes that are complete or absent. */
#ifndef SP_CORE_FILE_H
#define SP_CORE_FILE_H

#include "core/memory.h"
#include "core/status.h"

#include <stdbool.h>

/* Reads a whole file into `out` (replacing its content; NUL-terminated). SP_ERR_MISSING, _IO. */
sp_status sp_read_file(const char *path, sp_buf *out);

/* How many bytes of a text to skip: 3 if it begins with UTF-8's byte order mark, as files of some
 * editors and spreadsheets do, else 0. */
size_t sp_text_start(const char *text, size_t len);

/* Writes to a temporary name in the same folder, syncs and renames: readers see the old file or the
 * whole new one. SP_ERR_IO with the reason (unwritable folder, full disk). */
sp_status sp_write_file(const char *path, const void *data, size_t len);

/* The name under which this process writes a file before it renames it to `path`: with its number
 * and host. Owned by the caller. */
char *sp_temporary_path(const char *path);
/* Whether `name` is such a name. */
bool sp_is_temporary(const char *name);
/* Whether it is that of a process of this host that is no more. */
bool sp_is_left_over(const char *name);

/* A file mapped read-only; pages are shared between processes. Release with sp_unmap_file. */
typedef struct sp_map {
    const unsigned char *data;
    size_t len;
} sp_map;
sp_status sp_map_file(const char *path, sp_map *out);
void sp_unmap_file(sp_map *map);

/* Like mkdir -p. SP_ERR_IO, also where a file has the name already. */
sp_status sp_make_folders(const char *path);
bool sp_file_exists(const char *path);
/* "folder/name", owned by the caller. */
char *sp_path_join(const char *folder, const char *name);
/* The folder part of a path ("." if none), owned by the caller. */
char *sp_path_folder(const char *path);
/* Where the files that come with the program lie (models/, datasets/, experiments/, plots/):
 * $SOFTPROMPT_HOME, else the source tree the program was built from. */
const char *sp_home(void);
/* `path` as given if it exists, else the same below sp_home(). Owned by the caller. */
char *sp_find_file(const char *path);

/* An exclusive advisory lock on `path` (created if missing), released when all processes that have
 * the descriptor end, a fork's child included. SP_ERR_BUSY if another process holds it; SP_ERR_IO,
 * also on a filesystem without locks. *fd is closed by sp_unlock_file. The holder may remove the
 * file. */
sp_status sp_lock_file(const char *path, int *fd);
/* Tries for so long before it is SP_ERR_BUSY. */
sp_status sp_lock_file_within(const char *path, double seconds, int *fd);
/* Whether somebody holds the lock. (Asking takes a shared one for a moment.) */
bool sp_is_locked(const char *path);
void sp_unlock_file(int fd);

#endif
