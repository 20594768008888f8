#include "model/pip.h"

#include "core/clock.h"
#include "core/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MAX_LOG = 1 << 20, MAX_REASON = 300 };

/* ---- starting it ---- */

/* The environment with TMPDIR=`folder`; the list and its first entry are the caller's. */
static char **make_environment(const char *folder) {
    size_t n = 0;
    while (environ[n]) n++;
    char **list = sp_alloc(n + 2, sizeof *list);
    list[0] = sp_format("TMPDIR=%s", folder);
    size_t count = 1;
    for (size_t i = 0; i < n; i++)
        if (strncmp(environ[i], "TMPDIR=", 7) != 0) list[count++] = environ[i];
    return list;
}

static void free_environment(char **list) {
    free(list[0]);
    free(list);
}

/* pip works inside `work`, so that no pip.py of the user's folder is taken for it. */
static sp_status start(const char *requirement, const char *work, pid_t *pid) {
    const char *const words[] = {"python3",
                                 "-m",
                                 "pip",
                                 "download",
                                 "--no-deps",
                                 "--only-binary",
                                 ":all:",
                                 "--no-input",
                                 "--disable-pip-version-check",
                                 "--progress-bar",
                                 "off",
                                 "--retries",
                                 "2",
                                 "--timeout",
                                 "20",
                                 "--dest",
                                 "wheel",
                                 requirement,
                                 NULL};
    char *absolute = realpath(work, NULL);
    if (!absolute) return sp_fail(SP_ERR_IO, "%s: %s", work, strerror(errno));
    char **environment = make_environment(absolute);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addchdir_np(&actions, absolute);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, 1, "pip.log", O_WRONLY | O_CREAT | O_TRUNC, 0644);
    posix_spawn_file_actions_adddup2(&actions, 1, 2);
    int reason =
        posix_spawnp(pid, words[0], &actions, NULL, (char *const *)(uintptr_t)words, environment);
    posix_spawn_file_actions_destroy(&actions);
    free_environment(environment);
    free(absolute);
    if (!reason) return SP_OK;
    return sp_fail(reason == ENOENT ? SP_ERR_MISSING : SP_ERR_IO,
                   "cannot start python3, which brings pip: %s; run: apt-get install python3-pip",
                   strerror(reason));
}

/* *code is what waitpid says. */
static sp_status wait_for(pid_t pid, sp_pip_tick *tick, void *user, int *code) {
    double begin = sp_now();
    while (waitpid(pid, code, WNOHANG) == 0) {
        if (sp_interrupted()) {
            kill(pid, SIGTERM);
            waitpid(pid, code, 0);
            return sp_fail(SP_ERR_INTERRUPTED, "interrupted while pip was downloading; nothing was "
                                               "kept");
        }
        if (tick) tick(user, sp_now() - begin);
        nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL);
    }
    return SP_OK;
}

/* ---- what went wrong ---- */

/* The last line that begins with "ERROR: ", without that, or else the last line that says anything;
 * cut to MAX_REASON bytes. Owned by the caller. */
static char *last_words(const char *log) {
    const char *best = "it said nothing", *end = best + strlen(best);
    bool is_error = false;
    for (const char *line = log; *line;) {
        size_t len = strcspn(line, "\n");
        bool error = strncmp(line, "ERROR: ", 7) == 0;
        if (len && strspn(line, " \t\r") < len && (error || !is_error)) {
            best = line + (error ? 7 : 0);
            end = line + len;
            is_error = error;
        }
        line += len + (line[len] != '\0');
    }
    size_t len = (size_t)(end - best);
    return sp_strndup(best, len > MAX_REASON ? MAX_REASON : len);
}

static bool says(const char *log, const char *const *phrases) {
    for (; *phrases; phrases++)
        if (strstr(log, *phrases)) return true;
    return false;
}

static sp_status explain(const char *requirement, const char *log) {
    static const char *const no_pip[] = {"No module named pip", NULL};
    static const char *const full[] = {"No space left on device", "Disk quota exceeded", NULL};
    static const char *const offline[] = {"Failed to establish a new connection",
                                          "Temporary failure in name resolution",
                                          "Name or service not known",
                                          "Network is unreachable",
                                          "NameResolutionError",
                                          "Connection refused",
                                          "Max retries exceeded",
                                          "timed out",
                                          "Cannot connect to proxy",
                                          "Connection aborted",
                                          "Connection broken",
                                          NULL};
    static const char *const unknown[] = {"No matching distribution", NULL};
    if (says(log, no_pip))
        return sp_fail(SP_ERR_MISSING,
                       "python3 has no pip, which downloads %s; run: apt-get install python3-pip",
                       requirement);
    if (says(log, full))
        return sp_fail(SP_ERR_IO, "the disk is full: pip could not store %s; free some space",
                       requirement);
    if (says(log, offline))
        return sp_fail(SP_ERR_MISSING,
                       "PyPI cannot be reached, so %s was not downloaded; connect this machine to "
                       "the internet and run the same again",
                       requirement);
    if (says(log, unknown))
        return sp_fail(SP_ERR_MISSING,
                       "the package index of pip has no wheel %s; look at `pip config list` and "
                       "take PyPI",
                       requirement);
    char *reason = last_words(log);
    sp_status st = sp_fail(SP_ERR_FAILED, "pip could not download %s: %s", requirement, reason);
    free(reason);
    return st;
}

static sp_status explain_log(const char *requirement, const char *work) {
    char *path = sp_path_join(work, "pip.log");
    sp_map map = {0};
    sp_buf log = {0};
    if (!sp_map_file(path, &map) && map.len)
        sp_buf_append(&log, map.data + (map.len > MAX_LOG ? map.len - MAX_LOG : 0),
                      map.len > MAX_LOG ? MAX_LOG : map.len);
    sp_unmap_file(&map);
    sp_status st = explain(requirement, log.data ? log.data : "");
    sp_buf_free(&log);
    free(path);
    return st;
}

/* ---- what came ---- */

static int is_wheel(const struct dirent *entry) {
    return entry->d_name[0] != '.' && sp_has_suffix(entry->d_name, ".whl");
}

static sp_status find_wheel(const char *requirement, const char *work, char **wheel) {
    char *folder = sp_path_join(work, "wheel");
    struct dirent **entries = NULL;
    int count = scandir(folder, &entries, is_wheel, alphasort);
    if (count == 1) *wheel = sp_path_join(folder, entries[0]->d_name);
    for (int i = 0; i < count; i++) free(entries[i]);
    free(entries);
    free(folder);
    if (*wheel) return SP_OK;
    return sp_fail(SP_ERR_FAILED,
                   "pip ended without an error, but left %s of %s; run the same again",
                   count > 1 ? "several wheels" : "no wheel", requirement);
}

sp_status sp_pip_download(const char *package, const char *version, const char *work,
                          sp_pip_tick *tick, void *user, char **wheel) {
    *wheel = NULL;
    char *requirement = sp_format("%s==%s", package, version);
    pid_t pid;
    int code = 0;
    sp_status st = start(requirement, work, &pid);
    if (!st) st = wait_for(pid, tick, user, &code);
    if (!st) {
        bool good = WIFEXITED(code) && WEXITSTATUS(code) == 0;
        st = good ? find_wheel(requirement, work, wheel) : explain_log(requirement, work);
    }
    free(requirement);
    return st;
}
