#include "format/hdf5_image.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- bytes ---- */

/* The bytes [at, at + len) of the image; NULL if they are not all inside. */
static const unsigned char *span(const sp_h5_image *f, uint64_t at, uint64_t len) {
    return at <= f->len && len <= f->len - at ? f->data + at : NULL;
}

static uint64_t load_little(const unsigned char *p, size_t size) {
    uint64_t x = 0;
    for (size_t i = size; i > 0; i--) x = x << 8 | p[i - 1];
    return x;
}

static uint64_t load_big(const unsigned char *p, size_t size) {
    uint64_t x = 0;
    for (size_t i = 0; i < size; i++) x = x << 8 | p[i];
    return x;
}

static unsigned load16(const unsigned char *p) {
    return (unsigned)load_little(p, 2);
}

static uint32_t load32(const unsigned char *p) {
    return (uint32_t)load_little(p, 4);
}

static uint64_t load64(const unsigned char *p) {
    return load_little(p, 8);
}

static size_t round_to_8(size_t n) {
    return (n + 7) & ~(size_t)7;
}

/* ---- superblock (II.A) ---- */

sp_h5_found sp_h5_image_start(const unsigned char *data, size_t len, sp_h5_image *f) {
    static const unsigned char signature[8] = {0x89, 'H', 'D', 'F', '\r', '\n', 0x1a, '\n'};
    enum { SUPERBLOCK = 96, OFFSET_SIZE = 13, LENGTH_SIZE = 14, BASE = 24, END = 40, ROOT = 64 };
    *f = (sp_h5_image){.data = data, .len = len};
    if (len < sizeof signature || memcmp(data, signature, sizeof signature) != 0)
        return SP_H5_ABSENT;
    if (len < SUPERBLOCK || data[8] != 0 || data[OFFSET_SIZE] != 8 || data[LENGTH_SIZE] != 8 ||
        load64(data + BASE) != 0 || load64(data + END) > len)
        return SP_H5_DAMAGED;
    f->len = load64(data + END);
    f->root = load64(data + ROOT);
    return span(f, 0, SUPERBLOCK) ? SP_H5_FOUND : SP_H5_DAMAGED;
}

/* ---- object headers, version 1 (IV.A.1.a) ---- */

enum {
    MESSAGE_SPACE = 0x1,
    MESSAGE_TYPE = 0x3,
    MESSAGE_EXTERNAL = 0x7,
    MESSAGE_LAYOUT = 0x8,
    MESSAGE_FILTERS = 0xb,
    MESSAGE_ATTRIBUTE = 0xc,
    MESSAGE_CONTINUATION = 0x10,
    MESSAGE_SYMBOLS = 0x11,
    MESSAGE_SHARED = 2, /* flag: the content lies elsewhere */
    MAX_PENDING = 64
};

typedef struct message {
    unsigned type, flags;
    const unsigned char *data;
    size_t len;
} message;

/* A walk over the messages of one header, through all its blocks. It ends because a header counts
 * its messages, even if blocks lead in a circle. */
typedef struct walk {
    const sp_h5_image *f;
    const unsigned char *at;
    size_t room; /* bytes left in the block */
    unsigned left;
    struct {
        uint64_t at, len;
    } pending[MAX_PENDING];
    int pending_count;
    bool damaged;
} walk;

static walk start_walk(const sp_h5_image *f, uint64_t header) {
    enum { PREFIX = 16 };
    walk w = {.f = f};
    const unsigned char *p = span(f, header, PREFIX);
    w.damaged = !p || p[0] != 1;
    if (w.damaged) return w;
    w.left = load16(p + 2);
    w.room = load32(p + 8);
    w.at = span(f, header + PREFIX, w.room);
    w.damaged = !w.at;
    return w;
}

/* Goes to the next block if the present one is used up. */
static bool enter_block(walk *w) {
    enum { MESSAGE_PREFIX = 8 };
    while (w->room < MESSAGE_PREFIX) {
        if (w->pending_count == 0) return false;
        w->pending_count--;
        w->room = w->pending[w->pending_count].len;
        w->at = span(w->f, w->pending[w->pending_count].at, w->room);
        w->damaged = !w->at;
        if (w->damaged) return false;
    }
    return true;
}

static void add_block(walk *w, const message *m) {
    if (m->len < 16 || w->pending_count == MAX_PENDING) {
        w->damaged = true;
        return;
    }
    w->pending[w->pending_count].at = load64(m->data);
    w->pending[w->pending_count].len = load64(m->data + 8);
    w->pending_count++;
}

static bool next_message(walk *w, message *m) {
    enum { PREFIX = 8 };
    if (w->damaged || w->left == 0 || !enter_block(w)) return false;
    *m = (message){
        .type = load16(w->at), .len = load16(w->at + 2), .flags = w->at[4], .data = w->at + PREFIX};
    if (m->len > w->room - PREFIX) {
        w->damaged = true;
        return false;
    }
    w->at += PREFIX + m->len;
    w->room -= PREFIX + m->len;
    w->left--;
    if (m->type == MESSAGE_CONTINUATION) add_block(w, m);
    return !w->damaged;
}

/* The first message of a type, in full. */
static sp_h5_found find_message(const sp_h5_image *f, uint64_t header, unsigned type,
                                message *out) {
    walk w = start_walk(f, header);
    while (next_message(&w, out))
        if (out->type == type) return out->flags & MESSAGE_SHARED ? SP_H5_DAMAGED : SP_H5_FOUND;
    return w.damaged ? SP_H5_DAMAGED : SP_H5_ABSENT;
}

/* ---- groups: B-trees of symbol nodes, names in a local heap (III.A.1, III.B, III.C, III.D) ----
 */

enum { MAX_LEVEL = 8, SYMBOL = 40, SOFT_LINK = 2 };

/* A group's names, and what is done with each. */
typedef struct symbols {
    const sp_h5_image *f;
    const char *names; /* of the local heap */
    uint64_t names_len;
    uint64_t nodes_left; /* no tree has more nodes than fit into the file */
    const char *wanted;  /* compared with each name; NULL: all are taken */
    size_t wanted_len;
    uint64_t header;  /* of the wanted one */
    sp_strings *list; /* or NULL */
} symbols;

static sp_h5_found open_names(symbols *s, uint64_t heap) {
    enum { PREFIX = 32 };
    const unsigned char *p = span(s->f, heap, PREFIX);
    if (!p || memcmp(p, "HEAP", 4) != 0 || p[4] != 0) return SP_H5_DAMAGED;
    s->names_len = load64(p + 8);
    s->names = (const char *)span(s->f, load64(p + 24), s->names_len);
    return s->names ? SP_H5_FOUND : SP_H5_DAMAGED;
}

static sp_h5_found visit_symbol(symbols *s, const unsigned char *p) {
    uint64_t at = load64(p);
    if (at >= s->names_len) return SP_H5_DAMAGED;
    const char *name = s->names + at, *end = memchr(name, '\0', s->names_len - at);
    if (!end) return SP_H5_DAMAGED;
    if (load32(p + 16) == SOFT_LINK) return SP_H5_ABSENT;
    if (s->list) sp_strings_push(s->list, name);
    if (!s->wanted || s->wanted_len != (size_t)(end - name) ||
        memcmp(s->wanted, name, s->wanted_len) != 0)
        return SP_H5_ABSENT;
    s->header = load64(p + 8);
    return SP_H5_FOUND;
}

static sp_h5_found visit_leaf(symbols *s, uint64_t node) {
    enum { PREFIX = 8 };
    const unsigned char *p = span(s->f, node, PREFIX);
    if (!p || memcmp(p, "SNOD", 4) != 0 || p[4] != 1) return SP_H5_DAMAGED;
    size_t count = load16(p + 6);
    if (!(p = span(s->f, node + PREFIX, count * SYMBOL))) return SP_H5_DAMAGED;
    sp_h5_found found = SP_H5_ABSENT;
    for (size_t i = 0; found == SP_H5_ABSENT && i < count; i++)
        found = visit_symbol(s, p + i * SYMBOL);
    return found;
}

/* `level` is what the parent makes it: children lie one lower, so there is no circle. */
static sp_h5_found visit_tree(symbols *s, uint64_t node, int level) {
    enum { PREFIX = 24, KEY = 8, CHILD = 8 };
    const unsigned char *p = span(s->f, node, PREFIX);
    if (!p || memcmp(p, "TREE", 4) != 0 || p[4] != 0 || p[5] > MAX_LEVEL ||
        (level >= 0 && p[5] != level) || s->nodes_left == 0)
        return SP_H5_DAMAGED;
    s->nodes_left--;
    level = p[5];
    size_t count = load16(p + 6);
    if (!(p = span(s->f, node + PREFIX, count * (KEY + CHILD)))) return SP_H5_DAMAGED;
    sp_h5_found found = SP_H5_ABSENT;
    for (size_t i = 0; found == SP_H5_ABSENT && i < count; i++) {
        uint64_t child = load64(p + i * (KEY + CHILD) + KEY);
        if (s->nodes_left == 0) return SP_H5_DAMAGED;
        s->nodes_left--;
        found = level ? visit_tree(s, child, level - 1) : visit_leaf(s, child);
    }
    return found;
}

static sp_h5_found visit_group(symbols *s, uint64_t header) {
    enum { LEAST_NODE = 48 }; /* bytes: a leaf with one symbol */
    message m;
    sp_h5_found found = find_message(s->f, header, MESSAGE_SYMBOLS, &m);
    if (found) return found;
    if (m.len < 16) return SP_H5_DAMAGED;
    s->nodes_left = s->f->len / LEAST_NODE;
    found = open_names(s, load64(m.data + 8));
    return found ? found : visit_tree(s, load64(m.data), -1);
}

bool sp_h5_image_is_group(const sp_h5_image *f, uint64_t header) {
    message m;
    return find_message(f, header, MESSAGE_SYMBOLS, &m) == SP_H5_FOUND;
}

sp_h5_found sp_h5_image_members(const sp_h5_image *f, uint64_t header, sp_strings *out) {
    symbols s = {.f = f, .list = out};
    if (!sp_h5_image_is_group(f, header)) return SP_H5_ABSENT;
    return visit_group(&s, header) == SP_H5_DAMAGED ? SP_H5_DAMAGED : SP_H5_FOUND;
}

sp_h5_found sp_h5_image_find(const sp_h5_image *f, const char *path, uint64_t *header) {
    sp_h5_found found = SP_H5_FOUND;
    *header = f->root;
    while (!found && *(path += strspn(path, "/"))) {
        symbols s = {.f = f, .wanted = path, .wanted_len = strcspn(path, "/")};
        found = visit_group(&s, *header);
        *header = s.header;
        path += s.wanted_len;
    }
    return found;
}

/* ---- types, shapes, layouts (IV.A.2.d, IV.A.2.b, IV.A.2.i) ---- */

typedef struct float_form {
    size_t size;
    unsigned char places[4]; /* exponent's place and width, mantissa's place and width */
    uint32_t bias;
} float_form;

static bool is_ieee(const unsigned char *properties, size_t size) {
    static const float_form forms[] = {{4, {23, 8, 0, 23}, 127}, {8, {52, 11, 0, 52}, 1023}};
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
        if (forms[i].size == size && load16(properties) == 0 &&
            load16(properties + 2) == 8 * size && memcmp(properties + 4, forms[i].places, 4) == 0)
            return load32(properties + 8) == forms[i].bias;
    return false;
}

static bool is_whole_integer(const unsigned char *properties, size_t size) {
    return (size == 1 || size == 2 || size == 4 || size == 8) && load16(properties) == 0 &&
           load16(properties + 2) == 8 * size;
}

/* Length, heap collection and index of a string; its properties are the type of a byte. */
enum { TEXT_ELEMENT = 16 };

static bool read_type(const unsigned char *p, size_t len, sp_h5_value *out) {
    enum { PREFIX = 8, INTEGER = 0, FLOAT = 1, VARIABLE_LENGTH = 9, OF_CHARACTERS = 1 };
    if (len < PREFIX) return false;
    int class = p[0] & 15;
    uint32_t bits = load32(p) >> 8;
    out->size = load32(p + 4);
    out->big_endian = bits & 1;
    out->is_signed = bits & 8;
    out->kind = class == INTEGER ? SP_H5_INTEGER : class == FLOAT ? SP_H5_FLOAT : SP_H5_TEXT;
    if (class == INTEGER) return len >= PREFIX + 4 && is_whole_integer(p + PREFIX, out->size);
    if (class == FLOAT)
        return len >= PREFIX + 12 && !(bits & 1 << 6) && is_ieee(p + PREFIX, out->size);
    return class == VARIABLE_LENGTH && (bits & 15) == OF_CHARACTERS && out->size == TEXT_ELEMENT;
}

static bool read_shape(const unsigned char *p, size_t len, sp_h5_value *out) {
    if (len < 4 || p[0] < 1 || p[0] > 2 || p[1] > SP_H5_MAX_RANK) return false;
    size_t prefix = p[0] == 1 ? 8 : 4;
    bool is_null = p[0] == 2 && p[3] == 2;
    out->rank = p[1];
    if (is_null || len < prefix + 8 * (size_t)out->rank) return false;
    out->count = 1;
    for (int i = 0; i < out->rank; i++) {
        out->dims[i] = load64(p + prefix + 8 * i);
        if (__builtin_mul_overflow(out->count, out->dims[i], &out->count)) return false;
    }
    return true;
}

static bool fits(const sp_h5_value *v, uint64_t room) {
    uint64_t bytes;
    return !__builtin_mul_overflow((uint64_t)v->count, (uint64_t)v->size, &bytes) && bytes <= room;
}

static bool read_layout(const sp_h5_image *f, const message *m, sp_h5_value *out) {
    enum { VERSION = 3, COMPACT = 0, CONTIGUOUS = 1 };
    if (m->len < 4 || m->data[0] != VERSION) return false;
    if (m->data[1] == COMPACT) {
        out->data = m->data + 4;
        return load16(m->data + 2) <= m->len - 4 && fits(out, load16(m->data + 2));
    }
    if (m->data[1] != CONTIGUOUS || m->len < 18) return false;
    if (out->count == 0) return true;
    uint64_t bytes = load64(m->data + 10);
    out->data = span(f, load64(m->data + 2), bytes);
    return out->data && fits(out, bytes);
}

sp_h5_found sp_h5_image_dataset(const sp_h5_image *f, uint64_t header, sp_h5_value *out) {
    message type, shape, layout, other;
    *out = (sp_h5_value){0};
    sp_h5_found found = find_message(f, header, MESSAGE_LAYOUT, &layout);
    if (found) return found;
    bool whole = find_message(f, header, MESSAGE_TYPE, &type) == SP_H5_FOUND &&
                 find_message(f, header, MESSAGE_SPACE, &shape) == SP_H5_FOUND &&
                 find_message(f, header, MESSAGE_FILTERS, &other) == SP_H5_ABSENT &&
                 find_message(f, header, MESSAGE_EXTERNAL, &other) == SP_H5_ABSENT;
    return whole && read_type(type.data, type.len, out) && read_shape(shape.data, shape.len, out) &&
                   read_layout(f, &layout, out)
               ? SP_H5_FOUND
               : SP_H5_DAMAGED;
}

/* ---- attributes (IV.A.2.m) ---- */

/* Where the parts of an attribute lie in its message. */
typedef struct attribute {
    const char *name;
    const unsigned char *type, *shape, *data;
    size_t name_len, type_len, shape_len, data_len;
} attribute;

/* Version 1 pads its parts to 8 bytes; version 3 has a byte more. */
static bool split_attribute(const message *m, attribute *a) {
    if (m->len < 8 || m->data[0] < 1 || m->data[0] > 3) return false;
    int version = m->data[0];
    if (version > 1 && m->data[1] != 0) return false; /* a shared type or shape */
    a->name_len = load16(m->data + 2);
    a->type_len = load16(m->data + 4);
    a->shape_len = load16(m->data + 6);
    size_t at = version == 3 ? 9 : 8;
    size_t type_at = at + (version == 1 ? round_to_8(a->name_len) : a->name_len);
    size_t shape_at = type_at + (version == 1 ? round_to_8(a->type_len) : a->type_len);
    size_t data_at = shape_at + (version == 1 ? round_to_8(a->shape_len) : a->shape_len);
    if (data_at > m->len) return false;
    a->name = (const char *)m->data + at;
    a->type = m->data + type_at;
    a->shape = m->data + shape_at;
    a->data = m->data + data_at;
    a->data_len = m->len - data_at;
    return true;
}

static bool has_name(const attribute *a, const char *name) {
    size_t len = strlen(name) + 1;
    return a->name_len == len && memcmp(a->name, name, len) == 0;
}

sp_h5_found sp_h5_image_attribute(const sp_h5_image *f, uint64_t header, const char *name,
                                  sp_h5_value *out) {
    walk w = start_walk(f, header);
    message m;
    attribute a;
    *out = (sp_h5_value){0};
    while (next_message(&w, &m)) {
        if (m.type != MESSAGE_ATTRIBUTE || m.flags & MESSAGE_SHARED) continue;
        if (!split_attribute(&m, &a)) return SP_H5_DAMAGED;
        if (!has_name(&a, name)) continue;
        out->data = a.data;
        return read_type(a.type, a.type_len, out) && read_shape(a.shape, a.shape_len, out) &&
                       fits(out, a.data_len)
                   ? SP_H5_FOUND
                   : SP_H5_DAMAGED;
    }
    return w.damaged ? SP_H5_DAMAGED : SP_H5_ABSENT;
}

/* ---- elements ---- */

static uint64_t load_element(const sp_h5_value *v, size_t i) {
    const unsigned char *p = v->data + i * v->size;
    return v->big_endian ? load_big(p, v->size) : load_little(p, v->size);
}

static int64_t extend_sign(uint64_t x, size_t size) {
    unsigned unused = 64 - 8 * (unsigned)size;
    return (int64_t)(x << unused) >> unused;
}

static double load_float(const sp_h5_value *v, size_t i) {
    uint64_t x = load_element(v, i);
    if (v->size == sizeof(double)) {
        double wide;
        memcpy(&wide, &x, sizeof wide);
        return wide;
    }
    uint32_t half = (uint32_t)x;
    float narrow;
    memcpy(&narrow, &half, sizeof narrow);
    return (double)narrow;
}

double sp_h5_value_real(const sp_h5_value *v, size_t i) {
    if (v->kind == SP_H5_FLOAT) return load_float(v, i);
    uint64_t x = load_element(v, i);
    return v->is_signed ? (double)extend_sign(x, v->size) : (double)x;
}

int64_t sp_h5_value_int(const sp_h5_value *v, size_t i) {
    if (v->kind == SP_H5_FLOAT) {
        double x = load_float(v, i);
        if (isnan(x)) return 0;
        if (x >= 0x1p63) return INT64_MAX;
        return x < -0x1p63 ? INT64_MIN : (int64_t)x;
    }
    uint64_t x = load_element(v, i);
    if (v->is_signed) return extend_sign(x, v->size);
    return x > INT64_MAX ? INT64_MAX : (int64_t)x;
}

/* An object of a global heap collection (III.E). The library fills collections of 4 to 64 KB, so
 * that none has more objects than this; one that claims more is no reason to search for long. */
enum { MAX_OBJECTS = 1 << 12 };

static const unsigned char *find_object(const sp_h5_image *f, uint64_t collection, unsigned index,
                                        uint64_t *len) {
    enum { PREFIX = 16 };
    const unsigned char *p = span(f, collection, PREFIX);
    if (!p || memcmp(p, "GCOL", 4) != 0 || p[4] != 1) return NULL;
    uint64_t size = load64(p + 8), at = PREFIX;
    if (!span(f, collection, size)) return NULL;
    for (int i = 0; i < MAX_OBJECTS && at <= size && size - at >= PREFIX; i++) {
        unsigned found = load16(p + at);
        *len = load64(p + at + 8);
        if (found == 0 || *len > size - at - PREFIX) return NULL; /* 0: free space, the last */
        if (found == index) return p + at + PREFIX;
        at += PREFIX + round_to_8(*len);
    }
    return NULL;
}

bool sp_h5_value_text(const sp_h5_image *f, const sp_h5_value *v, size_t i, const char **text,
                      size_t *len) {
    const unsigned char *p = v->data + i * TEXT_ELEMENT;
    uint64_t stored = 0;
    *text = "";
    *len = load32(p);
    if (*len == 0) return true;
    *text = (const char *)find_object(f, load64(p + 4), load32(p + 12), &stored);
    return *text && *len <= stored;
}
