#include "text/special_tokens.h"
#include "text/json_part.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static const char *const roles[] = {"bos_token", "eos_token", "unk_token", "sep_token",
                                    "pad_token", "cls_token", "mask_token"};
enum { ROLES = sizeof roles / sizeof *roles };

void sp_special_tokens_start(sp_special_tokens *tokens, json_t *vocabulary) {
    const char *text;
    json_t *id;
    *tokens = (sp_special_tokens){vocabulary, json_object(), json_object(), 0};
    json_object_foreach(vocabulary, text, id) if (json_integer_value(id) >= tokens->next_id)
        tokens->next_id = json_integer_value(id) + 1;
}

void sp_special_tokens_free(sp_special_tokens *tokens) {
    json_decref(tokens->entries);
    json_decref(tokens->roles);
}

/* The entry of a token, made if it is new; its id is that of the vocabulary if it is there. */
static json_t *find_entry(sp_special_tokens *tokens, const char *text) {
    json_t *entry = json_object_get(tokens->entries, text);
    if (entry) return entry;
    const json_t *id = json_object_get(tokens->vocabulary, text);
    sp_json_token token = {text, id ? json_integer_value(id) : tokens->next_id++};
    entry = sp_json_added_token(token, false);
    json_object_set_new(entry, "normalized", json_true());
    json_object_set_new(tokens->entries, text, entry);
    return entry;
}

static void make_special(json_t *entry) {
    json_object_set_new(entry, "special", json_true());
    json_object_set_new(entry, "normalized", json_false());
}

void sp_special_tokens_default(sp_special_tokens *tokens, const char *role, const char *text,
                               bool strip_left) {
    if (!json_object_get(tokens->vocabulary, text)) return;
    json_t *entry = find_entry(tokens, text);
    make_special(entry);
    if (strip_left) json_object_set_new(entry, "lstrip", json_true());
    json_object_set_new(tokens->roles, role, json_string(text));
}

static sp_status set_id(sp_special_tokens *tokens, const char *text, json_int_t id) {
    const json_t *known = json_object_get(tokens->vocabulary, text);
    if (id < 0 || id > INT32_MAX || (known && json_integer_value(known) != id))
        return sp_fail(SP_ERR_FORMAT, "added token '%.40s' cannot have the id %lld", text,
                       (long long)id);
    json_object_set_new(find_entry(tokens, text), "id", json_integer(id));
    if (id >= tokens->next_id) tokens->next_id = id + 1;
    return SP_OK;
}

sp_status sp_special_tokens_read_added(sp_special_tokens *tokens, json_t *added) {
    const char *text;
    json_t *id;
    json_object_foreach(added, text, id) {
        if (!*text || !json_is_integer(id))
            return sp_fail(SP_ERR_FORMAT, "added_tokens.json: '%.40s' has no id", text);
        sp_status st = set_id(tokens, text, json_integer_value(id));
        if (st) return st;
    }
    return SP_OK;
}

/* Takes over what a description of a token says; a plain text says nothing. */
static void describe(json_t *entry, const json_t *token) {
    static const char *const flags[] = {"lstrip", "rstrip", "single_word", "normalized", "special"};
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
        json_t *value = json_object_get(token, flags[i]);
        if (json_is_boolean(value)) json_object_set(entry, flags[i], value);
    }
}

/* A token is its text or {"content": text, ...}; NULL if it is neither. */
static const char *text_of(const json_t *token) {
    const char *text =
        json_is_object(token) ? sp_part_text(token, "content") : json_string_value(token);
    return text && *text ? text : NULL;
}

static sp_status read_special(sp_special_tokens *tokens, const char *role, const json_t *token) {
    const char *text = text_of(token);
    if (sp_part_absent(token)) return SP_OK;
    if (!text) return sp_fail(SP_ERR_FORMAT, "%s is not a token", role);
    json_t *entry = find_entry(tokens, text);
    make_special(entry);
    describe(entry, token);
    json_object_set_new(tokens->roles, role, json_string(text));
    return SP_OK;
}

/* {"id": {"content": text, ...}, ...} */
static sp_status read_decoder(sp_special_tokens *tokens, json_t *decoder) {
    const char *id;
    json_t *token;
    json_object_foreach(decoder, id, token) {
        char *end;
        long long value = strtoll(id, &end, 10);
        const char *text = text_of(token);
        if (*end || end == id || !text)
            return sp_fail(SP_ERR_FORMAT, "added_tokens_decoder: '%.40s' is not an id of a token",
                           id);
        sp_status st = set_id(tokens, text, value);
        if (st) return st;
        describe(json_object_get(tokens->entries, text), token);
    }
    return SP_OK;
}

sp_status sp_special_tokens_read_map(sp_special_tokens *tokens, json_t *map) {
    size_t i;
    json_t *token;
    sp_status st = read_decoder(tokens, json_object_get(map, "added_tokens_decoder"));
    for (int r = 0; !st && r < ROLES; r++)
        st = read_special(tokens, roles[r], json_object_get(map, roles[r]));
    if (st) return st;
    json_array_foreach(
        json_object_get(map, "additional_special_tokens"), i,
        token) if ((st = read_special(tokens, "additional_special_tokens", token))) return st;
    return SP_OK;
}

sp_json_token sp_special_token(const sp_special_tokens *tokens, const char *role) {
    const char *text = sp_part_text(tokens->roles, role);
    const json_t *entry = text ? json_object_get(tokens->entries, text) : NULL;
    return (sp_json_token){text, json_integer_value(json_object_get(entry, "id"))};
}

json_t *sp_special_tokens_list(const sp_special_tokens *tokens) {
    json_t *list = json_array(), *entry;
    const char *text;
    json_object_foreach(tokens->entries, text, entry) json_array_append(list, entry);
    return list;
}
