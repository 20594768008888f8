#include "scheduling/at_work.h"

#include "core/file.h"
#include "core/host.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Somebody who looks whether a process is alive has its lock for a moment. */
static const double PATIENCE_SECONDS = 1;

static char *path_of(const char *folder, const char *name) {
    return sp_format("%s/at-work/%s", folder, name);
}

sp_status sp_at_work_enter(const char *folder, sp_at_work *out) {
    *out = (sp_at_work){.folder = sp_strdup(folder), .lock = -1};
    out->name = sp_format("%ld@%s", (long)getpid(), sp_host());
    out->path = path_of(folder, out->name);
    char *all = sp_path_join(folder, "at-work");
    sp_status st = sp_make_folders(all);
    free(all);
    if (!st) st = sp_lock_file_within(out->path, PATIENCE_SECONDS, &out->lock);
    /* What an earlier process of this number was asked for. */
    if (!st && ftruncate(out->lock, 0))
        st = sp_fail(SP_ERR_IO, "%s: cannot write: %s", out->path, strerror(errno));
    return st;
}

void sp_at_work_leave(sp_at_work *self) {
    if (self->lock >= 0) unlink(self->path);
    sp_unlock_file(self->lock);
    free(self->folder), free(self->name), free(self->path);
    *self = (sp_at_work){.lock = -1};
}

bool sp_at_work_is(const char *folder, const char *name) {
    char *path = path_of(folder, name);
    bool alive = sp_is_locked(path);
    free(path);
    return alive;
}

static void remove_of_dead(const char *path) {
    int lock;
    if (sp_lock_file(path, &lock)) return;
    unlink(path);
    sp_unlock_file(lock);
}

void sp_at_work_others(const char *folder, const sp_at_work *self, sp_strings *out) {
    char *all = sp_path_join(folder, "at-work");
    DIR *dir = opendir(all);
    for (struct dirent *e; dir && (e = readdir(dir));) {
        if (!strchr(e->d_name, '@') || (self && strcmp(self->name, e->d_name) == 0)) continue;
        char *path = path_of(folder, e->d_name);
        if (sp_is_locked(path))
            sp_strings_push(out, e->d_name);
        else
            remove_of_dead(path);
        free(path);
    }
    if (dir) closedir(dir);
    free(all);
}

char *sp_at_work_describe(const char *name) {
    int at = (int)strcspn(name, "@");
    return sp_format("process %.*s on %s", at, name, name[at] ? name + at + 1 : "?");
}

sp_status sp_at_work_ask(const char *folder, const char *name, const char *run) {
    char *path = path_of(folder, name);
    char *line = run ? sp_format("cancel %s\n", run) : sp_strdup("cancel\n");
    /* No O_CREAT: without its file a process is no more. */
    int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
    sp_status st = SP_OK;
    if (fd < 0 ? errno != ENOENT : write(fd, line, strlen(line)) != (ssize_t)strlen(line))
        st = sp_fail(SP_ERR_IO, "%s: cannot write a request: %s", path, strerror(errno));
    if (fd >= 0) close(fd);
    free(line), free(path);
    return st;
}

bool sp_at_work_asked(sp_at_work *self, char **run) {
    static const char word[] = "cancel";
    sp_buf text = {0};
    *run = NULL;
    bool found = false;
    /* Opened anew each time: that is when a network filesystem looks for what is new. */
    while (!found && !sp_read_file(self->path, &text) && text.len > self->read) {
        const char *line = text.data + self->read, *end = strchr(line, '\n');
        if (!end) break;
        self->read += (size_t)(end - line) + 1;
        found = strncmp(line, word, strlen(word)) == 0;
        line += strlen(word);
        if (found && *line == ' ') *run = sp_strndup(line + 1, (size_t)(end - line - 1));
    }
    sp_buf_free(&text);
    return found;
}
