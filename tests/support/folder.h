/* A temporary folder for a test. Include after cmocka. */
#ifndef SP_TESTS_SUPPORT_FOLDER_H
#define SP_TESTS_SUPPORT_FOLDER_H

#include "core/file.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

/* A fresh folder; release with remove_folder. */
static inline char *make_folder(void) {
    char *path = sp_strdup("/tmp/softprompt-test-XXXXXX");
    if (!mkdtemp(path)) fail_msg("cannot make %s", path);
    return path;
}

static inline int count_files(const char *folder) {
    DIR *dir = opendir(folder);
    int count = 0;
    for (struct dirent *e = readdir(dir); e; e = readdir(dir)) count += e->d_name[0] != '.';
    closedir(dir);
    return count;
}

/* Removes the folder and its files (no folders inside), and frees the path. */
static inline void remove_folder(char *folder) {
    DIR *dir = opendir(folder);
    for (struct dirent *e = readdir(dir); e; e = readdir(dir)) {
        if (e->d_name[0] == '.') continue;
        char *path = sp_path_join(folder, e->d_name);
        remove(path);
        free(path);
    }
    closedir(dir);
    remove(folder);
    free(folder);
}

#endif
