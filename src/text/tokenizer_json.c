#include "text/tokenizer_json.h"

json_t *sp_json_added_token(sp_json_token token, bool special) {
    return json_pack("{s:I, s:s, s:b, s:b, s:b, s:b, s:b}", "id", token.id, "content", token.text,
                     "single_word", 0, "lstrip", 0, "rstrip", 0, "normalized", 0, "special",
                     (int)special);
}

json_t *sp_json_byte_level(bool add_prefix_space, bool use_regex) {
    return json_pack("{s:s, s:b, s:b, s:b}", "type", "ByteLevel", "add_prefix_space",
                     (int)add_prefix_space, "trim_offsets", 1, "use_regex", (int)use_regex);
}

json_t *sp_json_byte_level_decoder(void) {
    return sp_json_byte_level(true, true);
}

json_t *sp_json_metaspace(void) {
    return json_pack("{s:s, s:s, s:s, s:b}", "type", "Metaspace", "replacement", "\u2581",
                     "prepend_scheme", "always", "split", 1);
}

json_t *sp_json_replace(const char *from, const char *to) {
    return json_pack("{s:s, s:{s:s}, s:s}", "type", "Replace", "pattern", "String", from, "content",
                     to);
}

json_t *sp_json_byte_fallback_decoder(void) {
    return json_pack("{s:s, s:[o, {s:s}, {s:s}, {s:s, s:s, s:i, s:i}]}", "type", "Sequence",
                     "decoders", sp_json_replace("\u2581", " "), "type", "ByteFallback", "type",
                     "Fuse", "type", "Strip", "content", " ", "start", 1, "stop", 0);
}

static void push_special(json_t *list, sp_json_token token, int type_id) {
    if (token.text)
        json_array_append_new(list, json_pack("{s:{s:s, s:i}}", "SpecialToken", "id", token.text,
                                              "type_id", type_id));
}

static void push_text(json_t *list, sp_json_token first, const char *name, sp_json_token last,
                      int type_id) {
    push_special(list, first, type_id);
    json_array_append_new(list,
                          json_pack("{s:{s:s, s:i}}", "Sequence", "id", name, "type_id", type_id));
    push_special(list, last, type_id);
}

static void name_special(json_t *names, sp_json_token token) {
    if (token.text)
        json_object_set_new(names, token.text,
                            json_pack("{s:s, s:[I], s:[s]}", "id", token.text, "ids", token.id,
                                      "tokens", token.text));
}

json_t *sp_json_template(sp_json_token first, sp_json_token last) {
    if (!first.text && !last.text) return json_null();
    json_t *single = json_array(), *pair = json_array(), *names = json_object();
    push_text(single, first, "A", last, 0);
    push_text(pair, first, "A", last, 0);
    push_text(pair, first, "B", last, 1);
    name_special(names, first);
    name_special(names, last);
    return json_pack("{s:s, s:o, s:o, s:o}", "type", "TemplateProcessing", "single", single, "pair",
                     pair, "special_tokens", names);
}
