#include "format/hdf5_store.h"

#include "core/file.h"
#include "core/memory.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PAGE = 1 << 16 };

struct sp_h5_store {
    char *path;
    sp_new_file file;      /* fd -1: not on the disk yet */
    unsigned char **pages; /* [page_count] those in memory; the others are on the disk, or zeros */
    size_t page_count;
    haddr_t end, written; /* bytes that libhdf5 has given away, and up to where it wrote */
    bool stream;
    char *failure; /* NULL: none */
};

/* libhdf5's view of a store. */
typedef struct driver_file {
    H5FD_t base;
    sp_h5_store *store;
} driver_file;

/* ---- the disk ---- */

static void note(sp_h5_store *s, sp_status st) {
    if (st && !s->failure) s->failure = sp_strdup(sp_error());
}

/* Nothing is written after a failure. */
static void write_to_disk(sp_h5_store *s, haddr_t at, const unsigned char *data, size_t len) {
    if (!s->failure && s->file.fd < 0) note(s, sp_new_file_open(s->path, &s->file));
    if (!s->failure) note(s, sp_new_file_write(&s->file, at, data, len));
}

static void read_from_disk(sp_h5_store *s, haddr_t at, unsigned char *data, size_t len) {
    memset(data, 0, len);
    while (len && s->file.fd >= 0) {
        ssize_t n = pread(s->file.fd, data, len, (off_t)at);
        if (n <= 0) return; /* behind the end are zeros */
        data += n;
        at += (haddr_t)n;
        len -= (size_t)n;
    }
}

/* ---- pages ---- */

static unsigned char **page_at(sp_h5_store *s, haddr_t at) {
    size_t i = at / PAGE;
    if (i >= s->page_count) {
        size_t count = i + i / 2 + 1;
        s->pages = sp_realloc(s->pages, count, sizeof *s->pages);
        while (s->page_count < count) s->pages[s->page_count++] = NULL;
    }
    return &s->pages[i];
}

static size_t room_in_page(haddr_t at, size_t len) {
    size_t room = PAGE - at % PAGE;
    return len < room ? len : room;
}

static void write_to_pages(sp_h5_store *s, haddr_t at, const unsigned char *data, size_t len) {
    while (len) {
        size_t n = room_in_page(at, len);
        unsigned char **page = page_at(s, at);
        if (!*page) {
            *page = sp_alloc(PAGE, 1);
            read_from_disk(s, at - at % PAGE, *page, PAGE);
        }
        memcpy(*page + at % PAGE, data, n);
        data += n;
        at += n;
        len -= n;
    }
}

static void forget_pages(sp_h5_store *s, haddr_t at, size_t len) {
    for (haddr_t end = at + len; at < end; at += PAGE) {
        unsigned char **page = page_at(s, at);
        free(*page);
        *page = NULL;
    }
}

/* The whole pages go to disk, the ends stay in memory: other things lie beside them. */
static void write_through(sp_h5_store *s, haddr_t at, const unsigned char *data, size_t len) {
    size_t head = room_in_page(at, len) % PAGE, whole = (len - head) / PAGE * PAGE;
    write_to_pages(s, at, data, head);
    if (whole) {
        forget_pages(s, at + head, whole);
        write_to_disk(s, at + head, data + head, whole);
    }
    write_to_pages(s, at + head + whole, data + head + whole, len - head - whole);
}

/* ---- the driver ---- */

static sp_h5_store *store_of(const H5FD_t *file) {
    return ((const driver_file *)(const void *)file)->store;
}

static H5FD_t *driver_open(const char *name, unsigned flags, hid_t access, haddr_t max) {
    (void)name, (void)flags, (void)max;
    sp_h5_store *const *store = H5Pget_driver_info(access);
    driver_file *file = sp_alloc(1, sizeof *file);
    file->store = *store;
    return &file->base;
}

static herr_t driver_close(H5FD_t *file) {
    free(file);
    return 0;
}

/* As libhdf5's own driver for memory: small things lie together. */
static herr_t driver_query(const H5FD_t *file, unsigned long *flags) {
    (void)file;
    *flags = H5FD_FEAT_AGGREGATE_METADATA | H5FD_FEAT_ACCUMULATE_METADATA |
             H5FD_FEAT_AGGREGATE_SMALLDATA | H5FD_FEAT_DEFAULT_VFD_COMPATIBLE;
    return 0;
}

static haddr_t driver_get_end(const H5FD_t *file, H5FD_mem_t type) {
    (void)type;
    return store_of(file)->end;
}

static herr_t driver_set_end(H5FD_t *file, H5FD_mem_t type, haddr_t end) {
    (void)type;
    store_of(file)->end = end;
    return 0;
}

static haddr_t driver_get_written(const H5FD_t *file, H5FD_mem_t type) {
    (void)type;
    return store_of(file)->written;
}

static herr_t driver_read(H5FD_t *file, H5FD_mem_t type, hid_t transfer, haddr_t at, size_t len,
                          void *out) {
    (void)type, (void)transfer;
    sp_h5_store *s = store_of(file);
    unsigned char *to = out;
    while (len) {
        size_t n = room_in_page(at, len);
        const unsigned char *page = *page_at(s, at);
        if (page)
            memcpy(to, page + at % PAGE, n);
        else
            read_from_disk(s, at, to, n);
        to += n;
        at += n;
        len -= n;
    }
    return 0;
}

static herr_t driver_write(H5FD_t *file, H5FD_mem_t type, hid_t transfer, haddr_t at, size_t len,
                           const void *data) {
    (void)transfer;
    sp_h5_store *s = store_of(file);
    if (type == H5FD_MEM_DRAW && s->stream)
        write_through(s, at, data, len);
    else
        write_to_pages(s, at, data, len);
    if (at + len > s->written) s->written = at + len;
    return 0;
}

static herr_t driver_truncate(H5FD_t *file, hid_t transfer, hbool_t closing) {
    (void)transfer, (void)closing;
    store_of(file)->written = store_of(file)->end;
    return 0;
}

static const H5FD_class_t driver = {
#ifdef H5FD_CLASS_VERSION /* from HDF5 1.13 on; values below H5_VFD_RESERVED are the library's */
    .version = H5FD_CLASS_VERSION,
    .value = (H5FD_class_value_t)(H5_VFD_RESERVED + 1),
#endif
    .name = "softprompt",
    .maxaddr = INT64_MAX,
    .fc_degree = H5F_CLOSE_STRONG,
    .fapl_size = sizeof(sp_h5_store *),
    .open = driver_open,
    .close = driver_close,
    .query = driver_query,
    .get_eoa = driver_get_end,
    .set_eoa = driver_set_end,
    .get_eof = driver_get_written,
    .read = driver_read,
    .write = driver_write,
    .truncate = driver_truncate,
    .fl_map = H5FD_FLMAP_DICHOTOMY,
};

/* ---- stores ---- */

sp_h5_store *sp_h5_store_new(const char *path) {
    sp_h5_store *s = sp_alloc(1, sizeof *s);
    s->path = sp_strdup(path);
    s->file.fd = -1;
    return s;
}

hid_t sp_h5_store_access(sp_h5_store *store) {
    static hid_t id; /* of the driver; as long as the process */
    if (!id) id = H5FDregister(&driver);
    hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    if (H5Pset_driver(access, id, &store) >= 0) return access;
    H5Pclose(access);
    return -1;
}

void sp_h5_store_stream(sp_h5_store *store, bool numbers) {
    store->stream = numbers;
}

sp_status sp_h5_store_status(const sp_h5_store *store) {
    return store->failure ? sp_fail(SP_ERR_IO, "%s", store->failure) : SP_OK;
}

sp_status sp_h5_store_commit(sp_h5_store *s) {
    for (haddr_t at = 0; at < s->end; at += PAGE) {
        const unsigned char *page = *page_at(s, at);
        if (page) write_to_disk(s, at, page, room_in_page(at, s->end - at));
    }
    sp_status st = sp_h5_store_status(s);
    return st ? st : sp_new_file_commit(&s->file);
}

void sp_h5_store_free(sp_h5_store *s) {
    if (!s) return;
    if (s->file.fd >= 0) sp_new_file_drop(&s->file);
    for (size_t i = 0; i < s->page_count; i++) free(s->pages[i]);
    free(s->pages), free(s->path), free(s->failure);
    free(s);
}
