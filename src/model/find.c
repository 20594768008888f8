#include "model/find.h"

#include "core/file.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static bool is_folder(const char *path) {
    struct stat info;
    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

static bool is_model(const char *path) {
    return is_folder(path) || (sp_has_suffix(path, ".gguf") && sp_file_exists(path));
}

/* ---- the Hugging Face cache ---- */

char *sp_hub_cache(void) {
    const char *cache = getenv("HF_HUB_CACHE"), *home = getenv("HF_HOME");
    if (cache && *cache) return sp_strdup(cache);
    if (home && *home) return sp_path_join(home, "hub");
    const char *xdg = getenv("XDG_CACHE_HOME"), *user = getenv("HOME");
    if (xdg && *xdg) return sp_path_join(xdg, "huggingface/hub");
    return sp_path_join(user && *user ? user : "/", ".cache/huggingface/hub");
}

/* The commit that refs/main names; NULL if there is none, or the file holds something else. */
static char *main_commit(const char *repository_folder) {
    char *path = sp_path_join(repository_folder, "refs/main");
    sp_buf text = {0};
    struct stat info;
    bool small = stat(path, &info) == 0 && S_ISREG(info.st_mode) && info.st_size <= 256;
    char *commit = NULL;
    if (small && !sp_read_file(path, &text)) {
        size_t len = strspn(text.data, "0123456789abcdef");
        if (len && strspn(text.data + len, " \r\n") == text.len - len)
            commit = sp_strndup(text.data, len);
    }
    sp_buf_free(&text);
    free(path);
    return commit;
}

/* <cache>/models--org--name/snapshots/<commit of main>, if it is there; owned by the caller. */
static char *hub_snapshot(const char *repository) {
    sp_buf folder = {0};
    char *cache = sp_hub_cache();
    sp_buf_printf(&folder, "%s/models--", cache);
    for (const char *c = repository; *c; c++)
        sp_buf_puts(&folder, *c == '/' ? "--" : (char[]){*c, 0});
    char *commit = main_commit(folder.data);
    char *snapshot = commit ? sp_format("%s/snapshots/%s", folder.data, commit) : NULL;
    if (snapshot && !is_folder(snapshot)) {
        free(snapshot);
        snapshot = NULL;
    }
    free(commit), free(cache);
    sp_buf_free(&folder);
    return snapshot;
}

/* ---- cards ---- */

char *sp_model_card_folder(const sp_model_card *card) {
    char *cards = sp_path_folder(card->path);
    char *folder = sp_format("%s/../fetched/%s", cards, card->name);
    if (sp_has_suffix(cards, "/cards")) { /* without the ".." */
        free(folder);
        folder = sp_format("%.*s/fetched/%s", (int)(strlen(cards) - 6), cards, card->name);
    }
    free(cards);
    return folder;
}

static bool has_files(const sp_model_card *card, const char *folder) {
    for (size_t i = 0; i < card->file_count; i++) {
        char *path = sp_path_join(folder, card->files[i].name);
        bool there = sp_file_exists(path);
        free(path);
        if (!there) return false;
    }
    return true;
}

/* Takes `folder`; gives it back only if all of the card's files are in it. */
static char *keep_complete(const sp_model_card *card, char *folder) {
    if (folder && has_files(card, folder)) return folder;
    free(folder);
    return NULL;
}

char *sp_model_card_place(const sp_model_card *card) {
    char *place = keep_complete(card, sp_model_card_folder(card));
    if (place || !card->repository) return place;
    place = keep_complete(card, hub_snapshot(card->repository));
    if (place || !*card->formerly) return place;
    return keep_complete(card, hub_snapshot(card->formerly));
}

/* ---- names ---- */

/* models/NAME, here or where the program's own files lie; NULL if there is no such model. */
static char *below_models(const char *name) {
    if (!*name || *name == '.' || strcmp(name, "cards") == 0 || strcmp(name, "fetched") == 0)
        return NULL;
    char *below = sp_path_join("models", name), *found = sp_find_file(below);
    free(below);
    if (is_model(found)) return found;
    free(found);
    return NULL;
}

void sp_models_below(sp_strings *names) {
    char *folder = sp_find_file("models");
    struct dirent **entries = NULL;
    int count = scandir(folder, &entries, NULL, alphasort);
    for (int i = 0; i < count; i++) {
        char *found = below_models(entries[i]->d_name);
        if (found) sp_strings_push(names, entries[i]->d_name);
        free(found);
        free(entries[i]);
    }
    free(entries);
    free(folder);
}

static sp_status fail_unknown(const char *name, const sp_model_cards *cards) {
    sp_strings known = {0};
    sp_models_below(&known);
    for (size_t i = 0; i < cards->count; i++) {
        const sp_model_card *card = &cards->items[i];
        sp_strings_push(&known, card->name);
        for (size_t j = 0; card->aliases && j < card->aliases->count; j++)
            sp_strings_push(&known, card->aliases->items[j]->text);
    }
    char *list = sp_list_text((const char *const *)known.data, known.len);
    sp_strings_take(&known, NULL); /* the end mark of sp_did_you_mean */
    const char *hint = sp_did_you_mean(name, (const char *const *)known.data);
    sp_status st = sp_fail(
        SP_ERR_MISSING, "model '%s' is neither a folder, a .gguf file nor a known name%s%s%s%s",
        name, hint, *hint ? "" : " (known: ", *hint ? "" : list, *hint ? "" : ")");
    free(list);
    sp_strings_free(&known);
    return st;
}

/* ---- finding ---- */

static int is_gguf_entry(const struct dirent *entry) {
    return entry->d_name[0] != '.' && sp_has_suffix(entry->d_name, ".gguf");
}

/* A folder of one .gguf file and no config.json becomes that file. */
static void enter_folder(char **path) {
    char *config = sp_path_join(*path, "config.json");
    bool plain = !is_folder(*path) || sp_file_exists(config);
    free(config);
    if (plain) return;
    struct dirent **entries = NULL;
    int count = scandir(*path, &entries, is_gguf_entry, alphasort);
    if (count == 1) {
        char *file = sp_path_join(*path, entries[0]->d_name);
        free(*path);
        *path = file;
    }
    for (int i = 0; i < count; i++) free(entries[i]);
    free(entries);
}

static sp_status find_card(const char *name, char **path) {
    sp_model_cards cards;
    sp_status st = sp_model_cards_read(&cards);
    if (st) return st;
    const sp_model_card *card = sp_model_cards_find(&cards, name);
    if (card) *path = sp_model_card_place(card);
    if (!card)
        st = fail_unknown(name, &cards);
    else if (!*path)
        st = sp_fail(SP_ERR_MISSING, "model '%s' is not here yet; run: softprompt model fetch %s",
                     name, card->name);
    sp_model_cards_free(&cards);
    return st;
}

char *sp_model_find_own(const char *name) {
    if (is_model(name)) return sp_strdup(name);
    return strchr(name, '/') ? NULL : below_models(name);
}

sp_status sp_model_find(const char *name, char **path) {
    *path = sp_model_find_own(name);
    bool is_path = strchr(name, '/') != NULL;
    if (!*path && is_path && *name != '/' && *name != '.') *path = hub_snapshot(name);
    if (!*path && is_path)
        return sp_fail(SP_ERR_MISSING,
                       "model '%s' is neither a folder, a .gguf file nor a repository in the "
                       "Hugging Face cache; check the path",
                       name);
    sp_status st = *path ? SP_OK : find_card(name, path);
    if (!st) enter_folder(path);
    return st;
}

sp_status sp_model_names(const char *name, sp_strings *out) {
    sp_model_cards cards;
    sp_status st = sp_model_cards_read(&cards);
    if (st) return st;
    const sp_model_card *card = sp_model_cards_find(&cards, name);
    char *below = card ? NULL : below_models(name);
    if (card) {
        sp_strings_push(out, card->name);
        for (size_t i = 0; card->aliases && i < card->aliases->count; i++)
            sp_strings_push(out, card->aliases->items[i]->text);
    } else if (below || strchr(name, '/') || is_model(name)) {
        sp_strings_push(out, name);
    } else {
        st = fail_unknown(name, &cards);
    }
    free(below);
    sp_model_cards_free(&cards);
    return st;
}
