#include "text/byte_tokens.h"

#include <stdio.h>
#include <string.h>

void sp_find_byte_tokens(const sp_vocabulary *vocabulary, int ids[256]) {
    for (int byte = 0; byte < 256; byte++) {
        char text[8];
        snprintf(text, sizeof text, "<0x%02X>", (unsigned)byte);
        ids[byte] = sp_vocabulary_find(vocabulary, text, strlen(text));
    }
}
