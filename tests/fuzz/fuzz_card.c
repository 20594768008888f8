/* Any bytes as a model card: refused cleanly, or a card whose names stay inside their folders. */
#include "model/card.h"
#include "model/find.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_name(const char *name) {
    if (!*name || strchr(name, '/') || *name == '.' || *name == '-') abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *path = sp_format("/tmp/sp-fuzz-card-%ld.yaml", (long)getpid());
    FILE *file = fopen(path, "wb");
    if (!file) abort();
    fwrite(data, 1, size, file);
    fclose(file);
    sp_model_card card;
    if (!sp_model_card_read(path, &card)) {
        check_name(card.name);
        if (card.package) check_name(card.package), check_name(card.version);
        for (size_t i = 0; i < card.file_count; i++) check_name(card.files[i].name);
        free(sp_model_card_place(&card));
        sp_model_card_free(&card);
    }
    unlink(path);
    free(path);
    return 0;
}
