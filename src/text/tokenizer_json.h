/* Building blocks of a tokenizer.json, for the formats that are turned into one. Every function
 * gives a new part, or NULL if a text is not UTF-8. */
#ifndef SP_TEXT_TOKENIZER_JSON_H
#define SP_TEXT_TOKENIZER_JSON_H

#include <jansson.h>
#include <stdbool.h>

typedef struct sp_json_token {
    const char *text; /* NULL: none */
    json_int_t id;
} sp_json_token;

/* An entry of "added_tokens" that is found in the text as it was given. */
json_t *sp_json_added_token(sp_json_token token, bool special);

/* The ByteLevel pre-tokenizer, with or without GPT-2's expression. */
json_t *sp_json_byte_level(bool add_prefix_space, bool use_regex);
/* The same part as decoder. */
json_t *sp_json_byte_level_decoder(void);

/* The Metaspace pre-tokenizer and decoder of SentencePiece: a space before the text. */
json_t *sp_json_metaspace(void);

/* A normalizer or decoder that replaces a text. */
json_t *sp_json_replace(const char *from, const char *to);
/* What SentencePiece's BPE does after its model: spaces back, bytes joined, the first space off. */
json_t *sp_json_byte_fallback_decoder(void);

/* A TemplateProcessing with `first` before and `last` behind each text, where they are there; two
 * texts of a pair have the type ids 0 and 1. Null (JSON) if there is neither. */
json_t *sp_json_template(sp_json_token first, sp_json_token last);

#endif
