/* A home of models for a test: a temporary folder that is the working directory, with models/cards
 * and an empty Hugging Face cache. Include after cmocka. */
#ifndef SP_TESTS_SUPPORT_HOME_H
#define SP_TESTS_SUPPORT_HOME_H

#include "core/file.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char home_folder[64], home_before[4096];

static inline void put_file(const char *path, const char *text) {
    char *folder = sp_path_folder(path);
    assert_int_equal(sp_make_folders(folder), SP_OK);
    assert_int_equal(sp_write_file(path, text, strlen(text)), SP_OK);
    free(folder);
}

static inline int home_setup(void **state) {
    (void)state;
    snprintf(home_folder, sizeof home_folder, "/tmp/softprompt-home-XXXXXX");
    if (!getcwd(home_before, sizeof home_before) || !mkdtemp(home_folder) || chdir(home_folder))
        return 1;
    setenv("SOFTPROMPT_HOME", home_folder, 1);
    setenv("HF_HUB_CACHE", "cache", 1);
    return sp_make_folders("models/cards");
}

static inline int home_remove(const char *path, const struct stat *info, int kind,
                              struct FTW *place) {
    (void)info, (void)kind, (void)place;
    return remove(path);
}

static inline int home_teardown(void **state) {
    (void)state;
    unsetenv("SOFTPROMPT_HOME");
    unsetenv("HF_HUB_CACHE");
    return chdir(home_before) || nftw(home_folder, home_remove, 16, FTW_DEPTH | FTW_PHYS);
}

#endif
