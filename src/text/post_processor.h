/* Post-processors of a tokenizer.json: the special tokens put around one text or two. */
#ifndef SP_TEXT_POST_PROCESSOR_H
#define SP_TEXT_POST_PROCESSOR_H

#include "core/memory.h"
#include "core/status.h"

#include <jansson.h>

/* A part of what is put together: a text, or one special token. */
typedef struct sp_template_part {
    int text; /* 0 or 1: the first or second text; -1: a token */
    int id;   /* of the token */
    int type; /* token type of all of it */
} sp_template_part;

typedef struct sp_post_template {
    sp_template_part *parts;
    size_t count;
} sp_post_template;

/* What is made of one text and of two. Starts as {0}. */
typedef struct sp_post_processor {
    sp_post_template single, pair;
} sp_post_processor;

/* Reads a "post_processor" part: TemplateProcessing, BertProcessing, RobertaProcessing, ByteLevel
 * (which puts nothing), or a Sequence in which one of them puts tokens; null and missing are none:
 * the texts one behind the other, types 0 and 1. Ids must be below `size`. SP_ERR_FORMAT. */
sp_status sp_post_processor_read(sp_post_processor *processor, const json_t *part, int size);
void sp_post_processor_free(sp_post_processor *processor);

/* Appends to `ids` and `types` (or NULL) what is made of texts[0] and, if it is not NULL,
 * texts[1]. */
void sp_post_process(const sp_post_processor *processor, const sp_ints *const texts[2],
                     sp_ints *ids, sp_ints *types);

#endif
