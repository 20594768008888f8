#include "text/vocabulary.h"
#include "core/memory.h"

#include <stdlib.h>
#include <string.h>

void sp_vocabulary_start(sp_vocabulary *vocabulary, size_t count) {
    *vocabulary = (sp_vocabulary){.size = count > 0x7fffffff / 2 ? 0 : (int)(2 * count)};
    vocabulary->tokens = sp_alloc((size_t)vocabulary->size + 1, sizeof *vocabulary->tokens);
}

void sp_vocabulary_free(sp_vocabulary *vocabulary) {
    for (int i = 0; vocabulary->tokens && i < vocabulary->size; i++)
        free(vocabulary->tokens[i].text);
    free(vocabulary->tokens);
    sp_word_map_free(&vocabulary->ids);
    *vocabulary = (sp_vocabulary){0};
}

sp_status sp_vocabulary_set(sp_vocabulary *vocabulary, const char *text, json_int_t id) {
    if (id < 0 || id >= vocabulary->size)
        return sp_fail(SP_ERR_FORMAT, "the id of token '%.40s' is not a number from 0 to %d", text,
                       vocabulary->size - 1);
    sp_token *token = &vocabulary->tokens[id];
    if (token->text && strcmp(token->text, text) == 0) return SP_OK;
    if (token->text)
        return sp_fail(SP_ERR_FORMAT, "tokens '%.40s' and '%.40s' have the same id %d", token->text,
                       text, (int)id);
    token->text = sp_strdup(text);
    return SP_OK;
}

sp_status sp_vocabulary_add(sp_vocabulary *vocabulary, const char *text, json_int_t id) {
    sp_status st = sp_vocabulary_set(vocabulary, text, id);
    if (!st) sp_word_map_add(&vocabulary->ids, text, strlen(text))->value = id;
    return st;
}

sp_status sp_vocabulary_read(sp_vocabulary *vocabulary, json_t *object) {
    const char *text;
    json_t *id;
    json_object_foreach(object, text, id) {
        json_int_t value = json_is_integer(id) ? json_integer_value(id) : -1;
        sp_status st = sp_vocabulary_add(vocabulary, text, value);
        if (st) return st;
    }
    return SP_OK;
}

sp_status sp_vocabulary_trim(sp_vocabulary *vocabulary) {
    while (vocabulary->size && !vocabulary->tokens[vocabulary->size - 1].text) vocabulary->size--;
    return vocabulary->size ? SP_OK : sp_fail(SP_ERR_FORMAT, "the vocabulary is empty");
}

int sp_vocabulary_find(const sp_vocabulary *vocabulary, const char *text, size_t len) {
    const sp_word *word = sp_word_map_find(&vocabulary->ids, text, len);
    return word ? (int)word->value : -1;
}

const sp_token *sp_vocabulary_token(const sp_vocabulary *vocabulary, int id) {
    return id >= 0 && id < vocabulary->size && vocabulary->tokens[id].text ? &vocabulary->tokens[id]
                                                                           : NULL;
}
