/* How ggml stores the numbers of a tensor: plain, or in blocks that share scales. */
#ifndef SP_FORMAT_GGUF_TYPES_H
#define SP_FORMAT_GGUF_TYPES_H

#include <stddef.h>
#include <stdint.h>

typedef struct sp_gguf_type {
    const char *name;
    size_t block, bytes; /* elements and bytes of a block; 0 for a type that is not read */
    /* `blocks` blocks to floats; NULL for a type that is not read. */
    void (*floats)(const unsigned char *data, size_t blocks, float *out);
} sp_gguf_type;

/* NULL for a number that is not known. */
const sp_gguf_type *sp_gguf_type_find(uint32_t type);
/* The types that are read, for messages. */
const char *sp_gguf_type_names(void);

#endif
