/* Any bytes as model.safetensors.index.json beside one shard and no configuration: opening fails
 * cleanly, or what the index names can be read or is refused. */
#include "core/file.h"
#include "core/memory.h"
#include "model/shards.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void write_shard(const char *folder) {
    static const float values[] = {1, 2};
    const sp_named_tensor tensors[] = {{"a", SP_F32, 1, {2}, values},
                                       {"b", SP_BF16, 1, {2}, values}};
    char *path = sp_path_join(folder, "x");
    if (sp_safetensors_write(path, tensors, 2)) abort();
    free(path);
}

static void read_names(const sp_shards *shards) {
    static const char *const names[] = {"a", "b", "c", ""};
    const int64_t dims[] = {2};
    float out[2];
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!sp_shards_read(shards, names[i], 1, dims, out) != !!sp_shards_find(shards, names[i]))
            abort();
    sp_strings files = {0};
    sp_shards_files(shards, &files);
    sp_strings_free(&files);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *folder = sp_format("/tmp/sp-fuzz-index-%ld", (long)getpid());
    char *path = sp_path_join(folder, "model.safetensors.index.json");
    if (mkdir(folder, 0700) == 0) write_shard(folder);
    FILE *file = fopen(path, "wb");
    if (!file) abort();
    fwrite(data, 1, size, file);
    fclose(file);
    sp_shards *shards;
    if (!sp_shards_open_index(path, &shards)) read_names(shards);
    sp_shards_close(shards);
    free(path);
    free(folder);
    return 0;
}
