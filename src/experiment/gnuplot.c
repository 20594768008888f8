#include "experiment/gnuplot.h"

#include "core/file.h"

#include <errno.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

void sp_gnuplot_assign(sp_buf *b, const char *name, const char *text) {
    bool quoted = *text == '\'';
    sp_buf_printf(b, "%s='%s", name, quoted ? "\xe2\x80\x99" : "");
    text += quoted;
    for (; *text; text++) {
        if (*text == '\'') sp_buf_putc(b, '\'');
        sp_buf_putc(b, *text == '\n' ? ' ' : *text);
    }
    sp_buf_puts(b, "';");
}

/* Runs gnuplot without a shell; `complaint` takes what it prints. Returns its exit code, or -1 if
 * there is no gnuplot. */
static int run_gnuplot(char *settings, char *script, sp_buf *complaint) {
    extern char **environ;
    char name[] = "gnuplot", option[] = "-e";
    char *argv[] = {name, option, settings, script, NULL};
    int ends[2];
    if (pipe(ends)) return -1;
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addclose(&actions, ends[0]);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDERR_FILENO);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    pid_t child;
    int failed = posix_spawnp(&child, name, &actions, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    char chunk[512];
    ssize_t n;
    while ((n = read(ends[0], chunk, sizeof chunk)) > 0 || (n < 0 && errno == EINTR))
        if (n > 0) sp_buf_append(complaint, chunk, (size_t)n);
    close(ends[0]);
    if (failed) return -1;
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

/* gnuplot prints all its input before it says what is wrong. */
static const char *last_part(const char *complaint) {
    size_t len = strlen(complaint);
    return len > 300 ? complaint + len - 300 : complaint;
}

sp_status sp_gnuplot_draw(const char *settings, const char *script, const char *format,
                          const char *path) {
    char *temporary = sp_temporary_path(path);
    sp_buf all = {0}, complaint = {0};
    sp_buf_puts(&all, settings);
    sp_gnuplot_assign(&all, "format", format);
    sp_gnuplot_assign(&all, "out", temporary);
    char *script_copy = sp_strdup(script);
    int code = run_gnuplot(all.data, script_copy, &complaint);
    sp_status st = SP_OK;
    if (code < 0 || code == 127)
        st = sp_fail(SP_ERR_MISSING, "%s: gnuplot is not installed; apt-get install gnuplot-nox",
                     path);
    else if (code || rename(temporary, path))
        st = sp_fail(SP_ERR_IO, "%s: gnuplot could not draw this: %s", path,
                     complaint.len ? last_part(complaint.data) : strerror(errno));
    if (st) unlink(temporary);
    free(temporary), free(script_copy);
    sp_buf_free(&all), sp_buf_free(&complaint);
    return st;
}
