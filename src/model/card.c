#include "model/card.h"

#include "core/file.h"

#include <dirent.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_NAME = 64, MAX_FILES = 64 };

/* ---- texts that become names of files, or words of a command line ---- */

static bool is_plain(const char *text) {
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    return *text && *text != '.' && *text != '-' && strlen(text) <= MAX_NAME &&
           text[strspn(text, plain)] == '\0';
}

static sp_status check_plain(const sp_yaml *node, const char *what, const char *text) {
    if (is_plain(text)) return SP_OK;
    return sp_yaml_fail(node,
                        "%s is '%s'; use up to %d of letters, digits, '.', '_' and '-', the first "
                        "a letter or digit",
                        what, text, MAX_NAME);
}

static sp_status read_plain(const sp_yaml *map, const char *key, const char **out) {
    sp_status st = sp_yaml_text(map, key, out);
    return st ? st : check_plain(sp_yaml_get(map, key), key, *out);
}

/* "org/name" or "name". */
static sp_status check_repository(const sp_yaml *node, const char *text) {
    const char *slash = strchr(text, '/');
    char *org = slash ? sp_strndup(text, (size_t)(slash - text)) : sp_strdup("none");
    bool good = is_plain(org) && is_plain(slash ? slash + 1 : text);
    free(org);
    return good ? SP_OK : sp_yaml_fail(node, "'%s' is no repository; write it like org/name", text);
}

static sp_status read_sha256(const sp_yaml *map, bool needed, const char **out) {
    sp_status st =
        needed ? sp_yaml_text(map, "sha256", out) : sp_yaml_text_or(map, "sha256", "", out);
    if (st || (!needed && !**out)) return st;
    if (strlen(*out) == 64 && strspn(*out, "0123456789abcdef") == 64) return SP_OK;
    return sp_yaml_fail(sp_yaml_get(map, "sha256"), "sha256 is '%s'; use 64 of 0-9 and a-f", *out);
}

/* ---- where the files come from ---- */

/* A file of a wheel is {path, as, bytes, sha256}; one of a repository is its name alone, or {path,
 * sha256}. */
static sp_status read_file(const sp_yaml *node, bool pypi, sp_card_file *out) {
    if (!pypi && node->kind == SP_YAML_SCALAR) {
        *out = (sp_card_file){.path = node->text, .name = node->text, .sha256 = ""};
        return check_plain(node, "a file", node->text);
    }
    static const char *const wheel_keys[] = {"path", "as", "bytes", "sha256", NULL};
    static const char *const hub_keys[] = {"path", "sha256", NULL};
    sp_status st = sp_yaml_expect(node, SP_YAML_MAP, "a file");
    if (!st) st = sp_yaml_check_keys(node, pypi ? wheel_keys : hub_keys);
    if (!st && !pypi) st = read_plain(node, "path", &out->path);
    if (!st && pypi) st = sp_yaml_text(node, "path", &out->path);
    out->name = out->path;
    if (!st && pypi) st = read_plain(node, "as", &out->name);
    if (!st && pypi) st = sp_yaml_int(node, "bytes", 1, INT_MAX, &out->bytes);
    return st ? st : read_sha256(node, pypi, &out->sha256);
}

static sp_status read_files(const sp_yaml *place, bool pypi, sp_model_card *card) {
    const sp_yaml *files;
    sp_status st = sp_yaml_list_or_null(place, "files", &files);
    if (st) return st;
    if (!files || !files->count || files->count > MAX_FILES)
        return sp_yaml_fail(files ? files : place,
                            "files is missing, empty or over %d long; name "
                            "the files of the model",
                            MAX_FILES);
    card->files = sp_alloc(files->count, sizeof *card->files);
    card->file_count = files->count;
    for (size_t i = 0; !st && i < files->count; i++) {
        st = read_file(files->items[i], pypi, &card->files[i]);
        for (size_t j = 0; !st && j < i; j++)
            if (strcmp(card->files[i].name, card->files[j].name) == 0)
                st = sp_yaml_fail(files->items[i], "the file '%s' is listed twice",
                                  card->files[i].name);
    }
    return st;
}

static sp_status read_pypi(const sp_yaml *pypi, sp_model_card *card) {
    static const char *const keys[] = {"package", "version", "bytes", "sha256", "files", NULL};
    sp_status st;
    if ((st = sp_yaml_check_keys(pypi, keys))) return st;
    if ((st = read_plain(pypi, "package", &card->package))) return st;
    if ((st = read_plain(pypi, "version", &card->version))) return st;
    if ((st = sp_yaml_int(pypi, "bytes", 1, INT_MAX, &card->wheel_bytes))) return st;
    if ((st = read_sha256(pypi, true, &card->wheel_sha256))) return st;
    return read_files(pypi, true, card);
}

static sp_status read_hub(const sp_yaml *hub, sp_model_card *card) {
    static const char *const keys[] = {"repository", "formerly", "files", NULL};
    sp_status st;
    if ((st = sp_yaml_check_keys(hub, keys))) return st;
    if ((st = sp_yaml_text(hub, "repository", &card->repository))) return st;
    if ((st = check_repository(sp_yaml_get(hub, "repository"), card->repository))) return st;
    if ((st = sp_yaml_text_or(hub, "formerly", "", &card->formerly))) return st;
    if (*card->formerly && (st = check_repository(sp_yaml_get(hub, "formerly"), card->formerly)))
        return st;
    return read_files(hub, false, card);
}

static sp_status read_source(sp_model_card *card) {
    const sp_yaml *pypi, *hub;
    sp_status st = sp_yaml_map_or_null(card->root, "pypi", &pypi);
    if (!st) st = sp_yaml_map_or_null(card->root, "hub", &hub);
    if (st) return st;
    if (!pypi == !hub)
        return sp_yaml_fail(pypi ? pypi : card->root,
                            "the card has %s; say where the files are with one of the two",
                            pypi ? "both pypi and hub" : "neither pypi nor hub");
    return pypi ? read_pypi(pypi, card) : read_hub(hub, card);
}

/* ---- a card ---- */

static sp_status read_aliases(sp_model_card *card) {
    sp_status st = sp_yaml_list_or_null(card->root, "aliases", &card->aliases);
    for (size_t i = 0; !st && card->aliases && i < card->aliases->count; i++) {
        const sp_yaml *alias = card->aliases->items[i];
        st = sp_yaml_expect(alias, SP_YAML_SCALAR, "an alias");
        if (!st) st = check_plain(alias, "an alias", alias->text);
    }
    return st;
}

static sp_status check_card(sp_model_card *card) {
    static const char *const keys[] = {"name",       "aliases", "title",  "model_type",
                                       "parameters", "licence", "source", "notes",
                                       "pypi",       "hub",     NULL};
    const sp_yaml *root = card->root;
    sp_status st;
    if ((st = sp_yaml_expect(root, SP_YAML_MAP, "a model card"))) return st;
    if ((st = sp_yaml_check_keys(root, keys))) return st;
    if ((st = read_plain(root, "name", &card->name))) return st;
    if ((st = read_aliases(card))) return st;
    if ((st = sp_yaml_text(root, "title", &card->title))) return st;
    if ((st = sp_yaml_text(root, "model_type", &card->model_type))) return st;
    if ((st = sp_yaml_int(root, "parameters", 1, INT_MAX, &card->parameters))) return st;
    if ((st = sp_yaml_text(root, "licence", &card->licence))) return st;
    if ((st = sp_yaml_text(root, "source", &card->source))) return st;
    if ((st = sp_yaml_text_or(root, "notes", "", &card->notes))) return st;
    return read_source(card);
}

sp_status sp_model_card_read(const char *path, sp_model_card *out) {
    *out = (sp_model_card){.path = sp_strdup(path)};
    sp_status st = sp_yaml_read(path, &out->root);
    if (!st) st = check_card(out);
    if (st) sp_model_card_free(out);
    return st;
}

void sp_model_card_free(sp_model_card *card) {
    sp_yaml_free(card->root);
    free(card->path), free(card->files);
    *card = (sp_model_card){0};
}

/* ---- all cards ---- */

static int is_card(const struct dirent *entry) {
    return entry->d_name[0] != '.' && sp_has_suffix(entry->d_name, ".yaml");
}

static bool goes_by(const sp_model_card *card, const char *name) {
    if (strcmp(card->name, name) == 0) return true;
    for (size_t i = 0; card->aliases && i < card->aliases->count; i++)
        if (strcmp(card->aliases->items[i]->text, name) == 0) return true;
    return false;
}

const sp_model_card *sp_model_cards_find(const sp_model_cards *cards, const char *name) {
    for (size_t i = 0; i < cards->count; i++)
        if (goes_by(&cards->items[i], name)) return &cards->items[i];
    return NULL;
}

/* Against the cards before it, which `cards` holds. */
static sp_status check_names(const sp_model_cards *cards, const sp_model_card *card,
                             const char *file) {
    size_t stem = strlen(file) - strlen(".yaml");
    if (strlen(card->name) != stem || strncmp(card->name, file, stem) != 0)
        return sp_yaml_fail(sp_yaml_get(card->root, "name"),
                            "name is '%s', but the file's is %s; make them the same", card->name,
                            file);
    const sp_model_card *other = sp_model_cards_find(cards, card->name);
    const char *shared = card->name;
    for (size_t i = 0; !other && card->aliases && i < card->aliases->count; i++) {
        shared = card->aliases->items[i]->text;
        other = sp_model_cards_find(cards, shared);
    }
    if (!other) return SP_OK;
    return sp_yaml_fail(card->root, "the name '%s' is also that of the card %s", shared,
                        other->path);
}

sp_status sp_model_cards_read(sp_model_cards *out) {
    *out = (sp_model_cards){0};
    char *folder = sp_find_file("models/cards");
    struct dirent **entries = NULL;
    int count = scandir(folder, &entries, is_card, alphasort);
    if (count > 0) out->items = sp_alloc((size_t)count, sizeof *out->items);
    sp_status st = SP_OK;
    for (int i = 0; i < count; i++) {
        char *path = sp_path_join(folder, entries[i]->d_name);
        sp_model_card card = {0};
        if (!st) st = sp_model_card_read(path, &card);
        if (!st) st = check_names(out, &card, entries[i]->d_name);
        if (st)
            sp_model_card_free(&card);
        else
            out->items[out->count++] = card;
        free(path);
        free(entries[i]);
    }
    free(entries);
    free(folder);
    if (st) sp_model_cards_free(out);
    return st;
}

void sp_model_cards_free(sp_model_cards *cards) {
    for (size_t i = 0; i < cards->count; i++) sp_model_card_free(&cards->items[i]);
    free(cards->items);
    *cards = (sp_model_cards){0};
}
