#include "report/gnuplot.h"

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
    sp_buf_puts(b, "';\n");
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

static sp_status draw(const char *settings, const char *script, const char *format,
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

/* ---- a figure with all that belongs to it ---- */

static const char load_style[] = "load plots . '/style.gp'\n";

/* The script of a kind, with the style in place of the line that loads it if it has one. */
static sp_status put_script(const char *kind, sp_buf *out) {
    char *script_name = sp_format("plots/%s.gp", kind), *script_path = sp_find_file(script_name);
    char *style_path = sp_find_file("plots/style.gp");
    sp_buf script = {0}, style = {0};
    sp_status st = sp_read_file(script_path, &script);
    if (!st) st = sp_read_file(style_path, &style);
    const char *line = st ? NULL : strstr(script.data, load_style);
    if (line) {
        sp_buf_append(out, script.data, (size_t)(line - script.data));
        sp_buf_append(out, style.data, style.len);
    }
    if (!st) sp_buf_puts(out, line ? line + strlen(load_style) : script.data);
    sp_buf_free(&script), sp_buf_free(&style);
    free(script_name), free(script_path), free(style_path);
    return st;
}

/* What draws the figure in its own folder, and, told other names with -e, from anywhere. */
static sp_status put_command(const char *name, const char *kind, const char *settings,
                             sp_buf *out) {
    sp_buf_printf(out,
                  "# Draws %s.svg from %s.dat, in this folder: gnuplot %s.gp\n"
                  "# As png or pdf: gnuplot -e \"format='pdf'\" %s.gp\n",
                  name, name, name, name);
    sp_gnuplot_assign(out, "name", name);
    sp_buf_puts(out, "if (!exists('format')) format = 'svg'\n"
                     "if (!exists('out')) out = name . '.' . format\n"
                     "if (!exists('data')) data = name . '.dat'\n");
    sp_buf_puts(out, settings);
    sp_buf_putc(out, '\n');
    return put_script(kind, out);
}

static sp_status draw_formats(const char *stem, const char *const *formats) {
    char *script = sp_format("%s.gp", stem), *data = sp_format("%s.dat", stem);
    sp_buf settings = {0};
    sp_gnuplot_assign(&settings, "data", data);
    sp_status st = SP_OK;
    for (; *formats && !st; formats++) {
        char *path = sp_format("%s.%s", stem, *formats);
        st = draw(settings.data, script, *formats, path);
        free(path);
    }
    sp_buf_free(&settings);
    free(script), free(data);
    return st;
}

sp_status sp_gnuplot_figure(const char *stem, const char *kind, const char *settings,
                            const sp_buf *data, const char *const *formats) {
    const char *slash = strrchr(stem, '/');
    char *data_path = sp_format("%s.dat", stem), *script_path = sp_format("%s.gp", stem);
    sp_buf script = {0};
    sp_status st = put_command(slash ? slash + 1 : stem, kind, settings, &script);
    if (!st) st = sp_write_file(data_path, data->data, data->len);
    if (!st) st = sp_write_file(script_path, script.data, script.len);
    if (!st) st = draw_formats(stem, formats);
    sp_buf_free(&script);
    free(data_path), free(script_path);
    return st;
}
