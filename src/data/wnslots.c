/* The reader of wnslots: a generated text about a noun as words, whose tags mark the noun's name
 * and what is said of it, by kind of thing. The facts and the grammar are those of wntriples. */
#include "data/records.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* The type of entity that a fact's object is; that of the subject behind them. */
static const char *const types[SP_RELATIONS + 1] = {
    [SP_KIND_OF] = "class",          [SP_INSTANCE_OF] = "class",   [SP_HAS_KIND] = "kind",
    [SP_HAS_PART] = "part",          [SP_MADE_OF] = "part",        [SP_HAS_MEMBER] = "part",
    [SP_PART_OF] = "whole",          [SP_INGREDIENT_OF] = "whole", [SP_MEMBER_OF] = "whole",
    [SP_DOMAIN] = "whole",           [SP_ANTONYM] = "word",        [SP_DERIVED_VERB] = "word",
    [SP_DERIVED_ADJECTIVE] = "word", [SP_ALSO_CALLED] = "word",    [SP_RELATIONS] = "name",
};

static bool is_type(const char *name) {
    for (int i = 0; i <= SP_RELATIONS; i++)
        if (strcmp(types[i], name) == 0) return true;
    return false;
}

/* An example while its words are found. */
typedef struct tagging {
    const sp_card *card;
    sp_example *example;
    sp_buf words, names;
} tagging;

/* The tag's index in the card; that of O if the card does not list it. */
static int find_tag(const sp_card *card, const char *name) {
    int tag = sp_label_set_find(card->labels, name, "");
    return tag >= 0 ? tag : sp_label_set_find(card->labels, "O", "");
}

static void add_word(tagging *t, const char *word, size_t len, const char *place,
                     const char *type) {
    char *name = sp_format("%s%s", place, type);
    int tag = find_tag(t->card, name);
    const char *blank = t->words.len ? " " : "";
    sp_buf_printf(&t->words, "%s%.*s", blank, (int)len, word);
    sp_buf_printf(&t->names, "%s%s", blank, t->card->labels->items[tag].name);
    sp_ints_push(&t->example->tags, tag);
    free(name);
}

/* The words of a noun, of which the first begins the entity. */
static void add_entity(tagging *t, const char *noun, size_t len, const char *type) {
    const char *place = "B-", *end = noun + len;
    while (noun < end) {
        const char *blank = memchr(noun, ' ', (size_t)(end - noun));
        size_t word = blank ? (size_t)(blank - noun) : (size_t)(end - noun);
        if (word) add_word(t, noun, word, place, type), place = "I-";
        noun += word + (blank != NULL);
    }
}

/* The words between two nouns; a comma or full stop is a word. */
static void add_outside(tagging *t, const char *text, size_t len) {
    for (size_t i = 0, end; i < len; i = end) {
        end = i + 1;
        if (text[i] == ' ') continue;
        if (!ispunct((unsigned char)text[i]))
            while (end < len && !strchr(" ,.", text[end])) end++;
        add_word(t, text + i, end - i, "O", "");
    }
}

static void add_marked_text(tagging *t, const char *text) {
    while (*text) {
        size_t outside = strcspn(text, (const char[]){SP_MARK_BEGIN, '\0'});
        add_outside(t, text, outside);
        text += outside;
        if (!*text) return;
        const char *noun = text + 2;
        size_t len = strcspn(noun, (const char[]){SP_MARK_END, '\0'});
        add_entity(t, noun, len, types[text[1] - SP_MARK_RELATION]);
        text = noun + len + 1;
    }
}

/* The second text of a record is the one that varies in wording, order and number. */
static void tell(const sp_card *card, const sp_record *record, sp_rng *rng, sp_example *out) {
    sp_strings texts = {0};
    sp_realise_marked(record, rng, 2, &texts);
    tagging t = {.card = card, .example = out};
    add_marked_text(&t, texts.data[texts.len - 1]);
    out->input = sp_buf_take(&t.words);
    sp_strings_take(&out->references, sp_buf_take(&t.names));
    sp_strings_free(&texts);
}

/* Of every tag the types must be ours, with both B- and I-; O is what is left. */
static sp_status check_tags(const sp_card *card) {
    if (sp_label_set_find(card->labels, "O", "") < 0)
        return sp_yaml_fail(sp_yaml_get(card->root, "tags"), "tags has no O; add it");
    for (size_t i = 0; i < card->labels->count; i++) {
        const char *tag = card->labels->items[i].name;
        if (strcmp(tag, "O") == 0) continue;
        if (!is_type(tag + 2))
            return sp_yaml_fail(sp_yaml_get(card->root, "tags"),
                                "tag '%s': reader wnslots marks name, class, kind, part, whole and "
                                "word; use one of them",
                                tag);
        char *other = sp_format("%c-%s", tag[0] == 'B' ? 'I' : 'B', tag + 2);
        bool has_other = sp_label_set_find(card->labels, other, "") >= 0;
        sp_status st = has_other ? SP_OK
                                 : sp_yaml_fail(sp_yaml_get(card->root, "tags"),
                                                "tags has %s, but no %s; add it", tag, other);
        free(other);
        if (st) return st;
    }
    return SP_OK;
}

static sp_status load(const sp_card *card, const bool wanted[SP_SPLITS],
                      sp_split splits[SP_SPLITS]) {
    sp_status st = check_tags(card);
    return st ? st : sp_load_records(card, wanted, splits, tell);
}

const sp_reader sp_reader_wnslots = {
    .name = "wnslots", .kind = SP_SET_TAGGING, .together = true, .load = load};
