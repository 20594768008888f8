/* A tokenizer without merges: a token for each of a, b, c, x and the space. Include after cmocka.
 */
#ifndef SP_TESTS_SUPPORT_LETTERS_H
#define SP_TESTS_SUPPORT_LETTERS_H

#include "text/tokenizer.h"

#include <string.h>

enum { LETTER_SPACE, LETTER_B, LETTER_C, LETTER_A, LETTER_X, LETTER_END };

static inline sp_tokenizer *letters(void) {
    static const char text[] =
        "{\"added_tokens\": [{\"id\": 5, \"content\": \"<|endoftext|>\", \"special\": true}], "
        "\"pre_tokenizer\": {\"type\": \"ByteLevel\", \"add_prefix_space\": false, "
        "\"trim_offsets\": true, \"use_regex\": true}, \"decoder\": {\"type\": \"ByteLevel\"}, "
        "\"model\": {\"type\": \"BPE\", \"vocab\": {\"\\u0120\": 0, \"b\": 1, \"c\": 2, \"a\": 3, "
        "\"x\": 4}, \"merges\": []}}";
    sp_tokenizer *tokenizer = NULL;
    if (sp_tokenizer_parse(text, strlen(text), "letters", &tokenizer))
        fail_msg("%s", "the letters tokenizer does not load");
    return tokenizer;
}

#endif
