#include "core/file.h"
#include "core/host.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char MARK[] = ".tmp-";

char *sp_temporary_path(const char *path) {
    return sp_format("%s%s%ld@%s", path, MARK, (long)getpid(), sp_host());
}

bool sp_is_temporary(const char *name) {
    return strstr(name, MARK) != NULL;
}

bool sp_is_left_over(const char *name) {
    const char *mark = strstr(name, MARK);
    if (!mark) return false;
    char *end;
    long pid = strtol(mark + strlen(MARK), &end, 10);
    if (pid <= 0 || *end != '@' || strcmp(end + 1, sp_host()) != 0) return false;
    return kill((pid_t)pid, 0) && errno == ESRCH;
}
