/* The added tokens of a tokenizer whose files name them in several places. */
#ifndef SP_TEXT_SPECIAL_TOKENS_H
#define SP_TEXT_SPECIAL_TOKENS_H

#include "core/status.h"
#include "text/tokenizer_json.h"

typedef struct sp_special_tokens {
    json_t *vocabulary; /* {text: id}, borrowed */
    json_t *entries;    /* {text: entry of "added_tokens"} */
    json_t *roles;      /* {"cls_token": text, ...} */
    json_int_t next_id; /* for a token that has none */
} sp_special_tokens;

/* An empty list over a vocabulary, which must outlive it. */
void sp_special_tokens_start(sp_special_tokens *tokens, json_t *vocabulary);
void sp_special_tokens_free(sp_special_tokens *tokens);

/* The token of a role if no file says otherwise; without effect if the vocabulary lacks it. */
void sp_special_tokens_default(sp_special_tokens *tokens, const char *role, const char *text,
                               bool strip_left);
/* The content of added_tokens.json, {text: id}. SP_ERR_FORMAT. */
sp_status sp_special_tokens_read_added(sp_special_tokens *tokens, json_t *added);
/* The roles of special_tokens_map.json or tokenizer_config.json, and the latter's
 * added_tokens_decoder. SP_ERR_FORMAT. */
sp_status sp_special_tokens_read_map(sp_special_tokens *tokens, json_t *map);

/* The token of a role such as "cls_token"; without text if there is none. Lives as long as
 * `tokens`. */
sp_json_token sp_special_token(const sp_special_tokens *tokens, const char *role);
/* The "added_tokens" part; new. */
json_t *sp_special_tokens_list(const sp_special_tokens *tokens);

#endif
