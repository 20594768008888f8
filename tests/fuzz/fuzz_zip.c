/* Any bytes as a zip archive (a wheel): refused, or the members have the bytes they should and
 * nothing else was written. */
#include "core/file.h"
#include "core/memory.h"
#include "format/zip.h"

#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MEMBERS = 2 };

static void check_size(const sp_zip_member *member) {
    struct stat info;
    if (stat(member->path, &info) || (uint64_t)info.st_size != member->bytes) abort();
}

/* The archive, the two members and nothing else. */
static int count_entries(const char *folder) {
    DIR *dir = opendir(folder);
    int count = 0;
    if (!dir) abort();
    for (struct dirent *e; (e = readdir(dir));) count += e->d_name[0] != '.';
    closedir(dir);
    return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static char *folder, *archive;
    static sp_zip_member members[MEMBERS] = {{"model/config.json", NULL, 12},
                                             {"model/notes.txt", NULL, 3000}};
    if (!folder) {
        /* In memory where there is such a folder: every member is synced to the disk. */
        folder = sp_format("%s/sp-fuzz-zip-%ld", access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm",
                           (long)getpid());
        archive = sp_path_join(folder, "a.whl");
        members[0].path = sp_path_join(folder, "config.json");
        members[1].path = sp_path_join(folder, "notes.txt");
        if (sp_make_folders(folder)) abort();
    }
    FILE *file = fopen(archive, "wb");
    if (!file) abort();
    if (size) fwrite(data, 1, size, file);
    fclose(file);
    sp_status st = sp_zip_extract(archive, members, MEMBERS);
    for (int i = 0; !st && i < MEMBERS; i++) check_size(&members[i]);
    if (count_entries(folder) > MEMBERS + 1) abort();
    for (int i = 0; i < MEMBERS; i++) unlink(members[i].path);
    return 0;
}
