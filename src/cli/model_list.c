/* softprompt model list: what lies below models/, and the cards with what is here of them. */
#include "cli/json.h"
#include "cli/model.h"

#include "model/find.h"
#include "model/model.h"

#include <argp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

static const struct argp_option options[] = {{"json", 'j', NULL, 0, "print one JSON object", 0},
                                             {0}};

static error_t parse(int key, char *value, struct argp_state *state) {
    bool *json = state->input;
    (void)value;
    if (key != 'j') return ARGP_ERR_UNKNOWN;
    *json = true;
    return 0;
}

static const struct argp parser = {
    .options = options,
    .parser = parse,
    .doc = "Lists the models below models/, which come along or are your own, and the published "
           "models of models/cards with where they are, or how to get them."};

/* What is to be known of a card's model. */
typedef struct state {
    char *place; /* NULL: not here */
    bool read;   /* whether its family is read */
} state;

static state state_of(const sp_model_card *card) {
    return (state){sp_model_card_place(card), sp_family_find(card->model_type) != NULL};
}

static const char *where(const sp_model_card *card, const state *s) {
    if (s->place) return s->place;
    return card->package ? "not here; `softprompt model fetch` downloads it"
                         : "not here; `softprompt model fetch` says where to put it";
}

static void print_text(const sp_strings *own, const sp_model_cards *cards) {
    for (size_t i = 0; i < own->len; i++) printf("%-22s below models/\n", own->data[i]);
    for (size_t i = 0; i < cards->count; i++) {
        const sp_model_card *card = &cards->items[i];
        state s = state_of(card);
        printf("%-22s %s, %.0fM parameters, %s%s: %s\n", card->name, card->model_type,
               card->parameters / 1e6, card->licence, s.read ? "" : ", family not read yet",
               where(card, &s));
        for (size_t j = 0; card->aliases && j < card->aliases->count; j++)
            printf("  or %s\n", card->aliases->items[j]->text);
        free(s.place);
    }
}

static json_t *card_json(const sp_model_card *card) {
    json_t *aliases = json_array();
    for (size_t i = 0; card->aliases && i < card->aliases->count; i++)
        json_array_append_new(aliases, json_string(card->aliases->items[i]->text));
    state s = state_of(card);
    json_t *out =
        json_pack("{s:s, s:o, s:s, s:s, s:i, s:s, s:s, s:s, s:s?, s:b}", "name", card->name,
                  "aliases", aliases, "title", card->title, "model_type", card->model_type,
                  "parameters", card->parameters, "licence", card->licence, "source", card->source,
                  "from", card->package ? "pypi" : "hub", "path", s.place, "family_read", s.read);
    free(s.place);
    return out;
}

static void print_json(const sp_strings *own, const sp_model_cards *cards) {
    json_t *names = json_array(), *list = json_array();
    for (size_t i = 0; i < own->len; i++) json_array_append_new(names, json_string(own->data[i]));
    for (size_t i = 0; i < cards->count; i++)
        json_array_append_new(list, card_json(&cards->items[i]));
    json_t *all = json_pack("{s:o, s:o}", "models", names, "cards", list);
    sp_print_json(all, JSON_INDENT(2));
}

sp_status sp_model_list(int argc, char **argv) {
    bool json = false;
    argp_parse(&parser, argc, argv, 0, NULL, &json);
    sp_model_cards cards;
    sp_strings own = {0};
    sp_status st = sp_model_cards_read(&cards);
    if (st) return st;
    sp_models_below(&own);
    (json ? print_json : print_text)(&own, &cards);
    sp_strings_free(&own);
    sp_model_cards_free(&cards);
    return SP_OK;
}
