#include "text/unicode.h"

#include <string.h>
#include <utf8proc.h>

typedef struct range {
    int first, last;
} range;

typedef struct young_range {
    int first, last;
    char category[3];
} young_range;

typedef struct shift {
    int first, last, distance;
} shift;

/* Control, format, punctuation and non-spacing characters that came after Unicode 8. Ranges run on
 * where nothing of these categories is older. */
static const range after_8[] = {
    {0x61d, 0x61d},     {0x7fd, 0x7fd},     {0x890, 0x8e2},     {0x9fd, 0x9fe},
    {0xa76, 0xa76},     {0xafa, 0xaff},     {0xb55, 0xb55},     {0xc04, 0xc3c},
    {0xc77, 0xc77},     {0xc84, 0xc84},     {0xd00, 0xd00},     {0xd3b, 0xd3c},
    {0xd81, 0xd81},     {0xeba, 0xeba},     {0xece, 0xece},     {0x180f, 0x1886},
    {0x1abf, 0x1ace},   {0x1b7d, 0x1b7e},   {0x1df6, 0x1dfb},   {0x2e43, 0x2e5d},
    {0xa82c, 0xa82c},   {0xa8c5, 0xa8c5},   {0xa8ff, 0xa8ff},   {0xa9bd, 0xa9bd},
    {0x10d24, 0x10f89}, {0x11070, 0x11074}, {0x110c2, 0x110cd}, {0x111c9, 0x111c9},
    {0x111cf, 0x111cf}, {0x1123e, 0x11241}, {0x1133b, 0x1133b}, {0x11438, 0x1145e},
    {0x11660, 0x1166c}, {0x116b9, 0x116b9}, {0x1182f, 0x11fff}, {0x12ff1, 0x13455},
    {0x16e97, 0x16f4f}, {0x16fe2, 0x16fe4}, {0x1cf00, 0x1cf46}, {0x1e000, 0x1e4ef},
    {0x1e944, 0x1e95f}};

/* Marks that came after Unicode 9. */
static const range marks_after_9[] = {
    {0x7fd, 0x7fd},     {0x898, 0x8d3},     {0x9fe, 0x9fe},     {0xafa, 0xaff},
    {0xb55, 0xb55},     {0xc04, 0xc3c},     {0xcf3, 0xd00},     {0xd3b, 0xd3c},
    {0xd81, 0xd81},     {0xeba, 0xeba},     {0xece, 0xece},     {0x1715, 0x1715},
    {0x180f, 0x180f},   {0x1abf, 0x1ace},   {0x1cf7, 0x1cf7},   {0x1df6, 0x1dfa},
    {0xa82c, 0xa82c},   {0xa8ff, 0xa8ff},   {0x10d24, 0x10f85}, {0x11070, 0x11074},
    {0x110c2, 0x110c2}, {0x11145, 0x11146}, {0x111c9, 0x111c9}, {0x111ce, 0x111cf},
    {0x11241, 0x11241}, {0x1133b, 0x1133b}, {0x1145e, 0x1145e}, {0x1182c, 0x11a99},
    {0x11d31, 0x13455}, {0x16f4f, 0x16f4f}, {0x16f7f, 0x16f87}, {0x16fe4, 0x16ff1},
    {0x1cf00, 0x1cf46}, {0x1e08f, 0x1e4ef}};

/* Characters whose decompositions came after Unicode 9. */
static const range decomposed_after_9[] = {
    {0x32ff, 0x32ff},   {0xa7f2, 0xa7f4},   {0xab69, 0xab69},   {0x10781, 0x10785},
    {0x10787, 0x107b0}, {0x107b2, 0x107ba}, {0x11938, 0x11938}, {0x1e030, 0x1e06d},
    {0x1f16c, 0x1f16c}, {0x1fbf0, 0x1fbf9}};

/* What came with Unicode 15 and 16. */
static const young_range after_14[] = {
    {0x897, 0x897, "Mn"},     {0xcf3, 0xcf3, "Mc"},     {0xece, 0xece, "Mn"},
    {0x1b4e, 0x1b4f, "Po"},   {0x1b7f, 0x1b7f, "Po"},   {0x1c89, 0x1c89, "Lu"},
    {0x1c8a, 0x1c8a, "Ll"},   {0x2427, 0x2429, "So"},   {0x2ffc, 0x2fff, "So"},
    {0x31e4, 0x31e5, "So"},   {0x31ef, 0x31ef, "So"},   {0xa7cb, 0xa7cc, "Lu"},
    {0xa7cd, 0xa7cd, "Ll"},   {0xa7da, 0xa7da, "Lu"},   {0xa7db, 0xa7db, "Ll"},
    {0xa7dc, 0xa7dc, "Lu"},   {0x105c0, 0x105f3, "Lo"}, {0x10d40, 0x10d49, "Nd"},
    {0x10d4a, 0x10d4d, "Lo"}, {0x10d4e, 0x10d4e, "Lm"}, {0x10d4f, 0x10d4f, "Lo"},
    {0x10d50, 0x10d65, "Lu"}, {0x10d69, 0x10d6d, "Mn"}, {0x10d6e, 0x10d6e, "Pd"},
    {0x10d6f, 0x10d6f, "Lm"}, {0x10d70, 0x10d85, "Ll"}, {0x10d8e, 0x10d8f, "Sm"},
    {0x10ec2, 0x10ec4, "Lo"}, {0x10efc, 0x10eff, "Mn"}, {0x1123f, 0x11240, "Lo"},
    {0x11241, 0x11241, "Mn"}, {0x11380, 0x11389, "Lo"}, {0x1138b, 0x1138b, "Lo"},
    {0x1138e, 0x1138e, "Lo"}, {0x11390, 0x113b5, "Lo"}, {0x113b7, 0x113b7, "Lo"},
    {0x113b8, 0x113ba, "Mc"}, {0x113bb, 0x113c0, "Mn"}, {0x113c2, 0x113c2, "Mc"},
    {0x113c5, 0x113c5, "Mc"}, {0x113c7, 0x113ca, "Mc"}, {0x113cc, 0x113cd, "Mc"},
    {0x113ce, 0x113ce, "Mn"}, {0x113cf, 0x113cf, "Mc"}, {0x113d0, 0x113d0, "Mn"},
    {0x113d1, 0x113d1, "Lo"}, {0x113d2, 0x113d2, "Mn"}, {0x113d3, 0x113d3, "Lo"},
    {0x113d4, 0x113d5, "Po"}, {0x113d7, 0x113d8, "Po"}, {0x113e1, 0x113e2, "Mn"},
    {0x116d0, 0x116e3, "Nd"}, {0x11b00, 0x11b09, "Po"}, {0x11bc0, 0x11be0, "Lo"},
    {0x11be1, 0x11be1, "Po"}, {0x11bf0, 0x11bf9, "Nd"}, {0x11f00, 0x11f01, "Mn"},
    {0x11f02, 0x11f02, "Lo"}, {0x11f03, 0x11f03, "Mc"}, {0x11f04, 0x11f10, "Lo"},
    {0x11f12, 0x11f33, "Lo"}, {0x11f34, 0x11f35, "Mc"}, {0x11f36, 0x11f3a, "Mn"},
    {0x11f3e, 0x11f3f, "Mc"}, {0x11f40, 0x11f40, "Mn"}, {0x11f41, 0x11f41, "Mc"},
    {0x11f42, 0x11f42, "Mn"}, {0x11f43, 0x11f4f, "Po"}, {0x11f50, 0x11f59, "Nd"},
    {0x11f5a, 0x11f5a, "Mn"}, {0x1342f, 0x1342f, "Lo"}, {0x13439, 0x1343f, "Cf"},
    {0x13440, 0x13440, "Mn"}, {0x13441, 0x13446, "Lo"}, {0x13447, 0x13455, "Mn"},
    {0x13460, 0x143fa, "Lo"}, {0x16100, 0x1611d, "Lo"}, {0x1611e, 0x16129, "Mn"},
    {0x1612a, 0x1612c, "Mc"}, {0x1612d, 0x1612f, "Mn"}, {0x16130, 0x16139, "Nd"},
    {0x16d40, 0x16d42, "Lm"}, {0x16d43, 0x16d6a, "Lo"}, {0x16d6b, 0x16d6c, "Lm"},
    {0x16d6d, 0x16d6f, "Po"}, {0x16d70, 0x16d79, "Nd"}, {0x18cff, 0x18cff, "Lo"},
    {0x1b132, 0x1b132, "Lo"}, {0x1b155, 0x1b155, "Lo"}, {0x1cc00, 0x1ccef, "So"},
    {0x1ccf0, 0x1ccf9, "Nd"}, {0x1cd00, 0x1ceb3, "So"}, {0x1d2c0, 0x1d2d3, "No"},
    {0x1df25, 0x1df2a, "Ll"}, {0x1e030, 0x1e06d, "Lm"}, {0x1e08f, 0x1e08f, "Mn"},
    {0x1e4d0, 0x1e4ea, "Lo"}, {0x1e4eb, 0x1e4eb, "Lm"}, {0x1e4ec, 0x1e4ef, "Mn"},
    {0x1e4f0, 0x1e4f9, "Nd"}, {0x1e5d0, 0x1e5ed, "Lo"}, {0x1e5ee, 0x1e5ef, "Mn"},
    {0x1e5f0, 0x1e5f0, "Lo"}, {0x1e5f1, 0x1e5fa, "Nd"}, {0x1e5ff, 0x1e5ff, "Po"},
    {0x1f6dc, 0x1f6dc, "So"}, {0x1f774, 0x1f776, "So"}, {0x1f77b, 0x1f77f, "So"},
    {0x1f7d9, 0x1f7d9, "So"}, {0x1f8b2, 0x1f8bb, "So"}, {0x1f8c0, 0x1f8c1, "So"},
    {0x1fa75, 0x1fa77, "So"}, {0x1fa87, 0x1fa89, "So"}, {0x1fa8f, 0x1fa8f, "So"},
    {0x1faad, 0x1faaf, "So"}, {0x1fabb, 0x1fabf, "So"}, {0x1fac6, 0x1fac6, "So"},
    {0x1face, 0x1facf, "So"}, {0x1fada, 0x1fadc, "So"}, {0x1fadf, 0x1fadf, "So"},
    {0x1fae8, 0x1fae9, "So"}, {0x1faf7, 0x1faf8, "So"}, {0x1fbcb, 0x1fbef, "So"},
    {0x2b739, 0x2b739, "Lo"}, {0x2ebf0, 0x2ee5d, "Lo"}, {0x31350, 0x323af, "Lo"}};

/* Lower case that utf8proc 2.8 does not know: code points to the next, or so far away. */
static const shift lower_after_15[] = {
    {0x1c89, 0x1c89, 1},    {0xa7cb, 0xa7cb, -42343}, {0xa7cc, 0xa7cc, 1}, {0xa7ce, 0xa7ce, 1},
    {0xa7d2, 0xa7d2, 1},    {0xa7d4, 0xa7d4, 1},      {0xa7da, 0xa7da, 1}, {0xa7dc, 0xa7dc, -42561},
    {0x10d50, 0x10d65, 32}, {0x16ea0, 0x16eb8, 27}};

#define COUNT(table) (sizeof(table) / sizeof *(table))

static bool in_ranges(const range *ranges, size_t count, int c) {
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (c > ranges[middle].last)
            low = middle + 1;
        else
            high = middle;
    }
    return low < count && c >= ranges[low].first;
}

size_t sp_utf8_next(const char *text, size_t len, int *c) {
    if ((unsigned char)*text < 0x80) {
        *c = *text;
        return 1;
    }
    utf8proc_int32_t symbol;
    utf8proc_ssize_t width =
        utf8proc_iterate((const utf8proc_uint8_t *)text, (utf8proc_ssize_t)len, &symbol);
    *c = width > 0 ? symbol : -1;
    return width > 0 ? (size_t)width : 1;
}

void sp_utf8_put(sp_buf *out, int c) {
    utf8proc_uint8_t bytes[4];
    sp_buf_append(out, bytes, (size_t)utf8proc_encode_char(c, bytes));
}

/* Whether `next` can be the second byte after `lead`. */
static bool may_follow(unsigned char lead, unsigned char next) {
    unsigned char low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
    unsigned char high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
    return next >= low && next <= high;
}

/* Bytes of the broken character at the start of the text. */
static size_t broken_length(const char *text, size_t len) {
    const unsigned char *bytes = (const unsigned char *)text;
    size_t whole = bytes[0] < 0xc2 || bytes[0] > 0xf4 ? 1
                   : bytes[0] < 0xe0                  ? 2
                   : bytes[0] < 0xf0                  ? 3
                                                      : 4;
    if (whole == 1 || len < 2 || !may_follow(bytes[0], bytes[1])) return 1;
    size_t n = 2;
    while (n < whole && n < len && (bytes[n] & 0xc0) == 0x80) n++;
    return n;
}

void sp_utf8_repair(const char *text, size_t len, sp_buf *out) {
    for (size_t i = 0; i < len;) {
        int c;
        size_t width = sp_utf8_next(text + i, len - i, &c);
        if (c < 0) width = broken_length(text + i, len - i);
        if (c < 0)
            sp_buf_puts(out, "\xef\xbf\xbd");
        else
            sp_buf_append(out, text + i, width);
        i += width;
    }
}

bool sp_is_white(int c) {
    if (c < 0x80) return (c >= '\t' && c <= '\r') || c == ' ';
    return c == 0x85 || c == 0xa0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200a) || c == 0x2028 ||
           c == 0x2029 || c == 0x202f || c == 0x205f || c == 0x3000;
}

size_t sp_without_white_end(const char *text, size_t len) {
    for (;;) {
        size_t start = len;
        while (start && len - start < 3 && ((unsigned char)text[--start] & 0xc0) == 0x80) continue;
        int c = -1;
        size_t width = start < len ? sp_utf8_next(text + start, len - start, &c) : 0;
        if (!width || start + width != len || !sp_is_white(c)) return len;
        len = start;
    }
}

size_t sp_white_start(const char *text, size_t len) {
    size_t at = 0;
    for (int c; at < len;) {
        size_t width = sp_utf8_next(text + at, len - at, &c);
        if (!sp_is_white(c)) break;
        at += width;
    }
    return at;
}

/* The two letters of the general category by Unicode 16. */
static const char *category_of(int c) {
    for (size_t i = 0; c >= after_14[0].first && i < COUNT(after_14); i++)
        if (c >= after_14[i].first && c <= after_14[i].last) return after_14[i].category;
    return utf8proc_category_string(c);
}

bool sp_is_numeric(int c) {
    if (c < 0x80) return c >= '0' && c <= '9';
    return category_of(c)[0] == 'N';
}

static bool is_alphabetic_symbol(int c) {
    return (c >= 0x24b6 && c <= 0x24e9) || (c >= 0x1f130 && c <= 0x1f149) ||
           (c >= 0x1f150 && c <= 0x1f169) || (c >= 0x1f170 && c <= 0x1f189);
}

bool sp_is_word(int c) {
    if (c < 0x80)
        return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
               c == '_';
    const char *category = category_of(c);
    return strchr("LM", category[0]) || strcmp(category, "Nd") == 0 ||
           strcmp(category, "Nl") == 0 || strcmp(category, "Pc") == 0 || is_alphabetic_symbol(c) ||
           c == 0x200c || c == 0x200d;
}

static bool is_after_8(int c) {
    return in_ranges(after_8, COUNT(after_8), c);
}

bool sp_is_punctuation(int c) {
    if (c < 0x80)
        return (c >= '!' && c <= '/') || (c >= ':' && c <= '@') || (c >= '[' && c <= '`') ||
               (c >= '{' && c <= '~');
    if (c == 0x166d || c == 0x111c9) return true; /* as in Unicode 8 */
    utf8proc_category_t category = utf8proc_category(c);
    return category >= UTF8PROC_CATEGORY_PC && category <= UTF8PROC_CATEGORY_PO && !is_after_8(c);
}

bool sp_is_other(int c) {
    if (c < 0x80) return c >= 0 && (c < ' ' || c == 0x7f);
    utf8proc_category_t category = utf8proc_category(c);
    return (category == UTF8PROC_CATEGORY_CC || category == UTF8PROC_CATEGORY_CF ||
            category == UTF8PROC_CATEGORY_CO) &&
           !is_after_8(c);
}

bool sp_is_nonspacing(int c) {
    if (c == 0x1734) return true; /* as in Unicode 8 */
    return c >= 0x300 && utf8proc_category(c) == UTF8PROC_CATEGORY_MN && !is_after_8(c);
}

bool sp_is_mark(int c) {
    if (c == 0x1cf2 || c == 0x1cf3) return true; /* as in Unicode 9 */
    utf8proc_category_t category = c >= 0x300 ? utf8proc_category(c) : UTF8PROC_CATEGORY_CN;
    return category >= UTF8PROC_CATEGORY_MN && category <= UTF8PROC_CATEGORY_ME &&
           !in_ranges(marks_after_9, COUNT(marks_after_9), c);
}

void sp_put_lower(sp_buf *out, int c) {
    if (c == 0x130) {
        sp_buf_puts(out, "i\xcc\x87");
        return;
    }
    for (size_t i = 0; c >= lower_after_15[0].first && i < COUNT(lower_after_15); i++) {
        const shift *s = &lower_after_15[i];
        if (c < s->first || c > s->last) continue;
        sp_utf8_put(out, c + s->distance);
        return;
    }
    sp_utf8_put(out, utf8proc_tolower(c));
}

bool sp_is_young(int c) {
    if (c < marks_after_9[0].first) return false;
    return in_ranges(decomposed_after_9, COUNT(decomposed_after_9), c) ||
           (in_ranges(marks_after_9, COUNT(marks_after_9), c) &&
            utf8proc_get_property(c)->combining_class);
}

void sp_young_ranges(const char *category, sp_buf *out) {
    for (size_t i = 0; i < COUNT(after_14); i++)
        if (strncmp(after_14[i].category, category, strlen(category)) == 0)
            sp_buf_printf(out, "\\x{%x}-\\x{%x}", after_14[i].first, after_14[i].last);
}
