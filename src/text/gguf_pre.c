#include "text/gguf_pre.h"
#include "core/memory.h"
#include "text/tokenizer_json.h"

#include <stdlib.h>
#include <string.h>

/* The expressions are those of the tokenizer.json that each model was published with. */
#define CONTRACTIONS "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
#define BLANKS       "|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"
#define UPPER        "[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]"
#define LOWER        "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]"

static const sp_gguf_pre kinds[] = {
    {.names = {"", "gpt-2", "default", "mpt", "olmo", "jais", "phi-2"}},
    {.names = {"smollm", "starcoder", "refact", "command-r", "codeshell"}, .digits = true},
    {.names = {"qwen2", "deepseek-r1-qwen", "megrez"},
     .compose = true,
     .expression = CONTRACTIONS
     "|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*" BLANKS},
    {.names = {"llama-bpe", "llama3", "llama-v3"},
     .whole_words_first = true,
     .begins = true,
     .expression = CONTRACTIONS "|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}"
                                "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*" BLANKS},
    {.names = {"tekken"},
     .whole_words_first = true,
     .begins = true,
     .expression = "[^\\r\\n\\p{L}\\p{N}]?" UPPER "*" LOWER "+|[^\\r\\n\\p{L}\\p{N}]?" UPPER
                   "+" LOWER "*|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*" BLANKS},
    {.names = {"gpt-4o", "llama4"},
     .expression =
         "[^\\r\\n\\p{L}\\p{N}]?" UPPER "*" LOWER "+" CONTRACTIONS "?|[^\\r\\n\\p{L}\\p{N}]?" UPPER
         "+" LOWER "*" CONTRACTIONS "?|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*" BLANKS},
};

enum { KINDS = sizeof kinds / sizeof *kinds };

static sp_status refuse(const char *name) {
    sp_buf known = {0};
    for (int i = 0; i < KINDS; i++)
        for (const char *const *at = kinds[i].names; *at; at++)
            if (**at) sp_buf_printf(&known, "%s%s", known.len ? ", " : "", *at);
    sp_status st = sp_fail(SP_ERR_FORMAT,
                           "tokenizer.ggml.pre is '%.40s', a pre-tokenizer that is not known here; "
                           "use the model's tokenizer.json, or one of %s",
                           name, known.data);
    sp_buf_free(&known);
    return st;
}

sp_status sp_gguf_pre_find(const char *name, const sp_gguf_pre **out) {
    for (int i = 0; i < KINDS; i++)
        for (const char *const *at = kinds[i].names; *at; at++)
            if (strcmp(*at, name) == 0) {
                *out = &kinds[i];
                return SP_OK;
            }
    return refuse(name);
}

static json_t *first_stage(const sp_gguf_pre *pre) {
    if (pre->digits) return json_pack("{s:s, s:b}", "type", "Digits", "individual_digits", 1);
    return json_pack("{s:s, s:{s:s}, s:s, s:b}", "type", "Split", "pattern", "Regex",
                     pre->expression, "behavior", "Isolated", "invert", 0);
}

json_t *sp_gguf_pre_tokenizer(const sp_gguf_pre *pre) {
    if (!pre->digits && !pre->expression) return sp_json_byte_level(false, true);
    return json_pack("{s:s, s:[o, o]}", "type", "Sequence", "pretokenizers", first_stage(pre),
                     sp_json_byte_level(false, !pre->expression));
}

json_t *sp_gguf_pre_normalizer(const sp_gguf_pre *pre) {
    return pre->compose ? json_pack("{s:s}", "type", "NFC") : json_null();
}
