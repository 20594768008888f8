#include "text/alphabet.h"

#include <stdbool.h>
#include <utf8proc.h>

static bool stands_for_itself(int byte) {
    return (byte >= '!' && byte <= '~') || (byte >= 0xa1 && byte <= 0xff && byte != 0xad);
}

/* How many bytes below `byte` are not printable. */
static int rank_of_hidden(int byte) {
    int rank = 0;
    for (int b = 0; b < byte; b++) rank += !stands_for_itself(b);
    return rank;
}

int sp_byte_symbol(unsigned char byte) {
    return stands_for_itself(byte) ? byte : 256 + rank_of_hidden(byte);
}

int sp_symbol_byte(int code_point) {
    if (code_point < 256) return stands_for_itself(code_point) ? code_point : -1;
    for (int byte = 0, rank = 256; byte < 256; byte++)
        if (!stands_for_itself(byte) && rank++ == code_point) return byte;
    return -1;
}

void sp_bytes_to_symbols(const char *bytes, size_t len, sp_buf *out) {
    for (size_t i = 0; i < len; i++) {
        utf8proc_uint8_t utf8[4];
        utf8proc_ssize_t width =
            utf8proc_encode_char(sp_byte_symbol((unsigned char)bytes[i]), utf8);
        sp_buf_append(out, utf8, (size_t)width);
    }
}

void sp_symbols_to_bytes(const char *token, size_t len, sp_buf *out) {
    size_t start = out->len;
    const utf8proc_uint8_t *at = (const utf8proc_uint8_t *)token, *end = at + len;
    while (at < end) {
        utf8proc_int32_t code_point;
        utf8proc_ssize_t width = utf8proc_iterate(at, end - at, &code_point);
        int byte = width > 0 ? sp_symbol_byte(code_point) : -1;
        if (byte < 0) {
            out->len = start;
            sp_buf_append(out, token, len);
            return;
        }
        sp_buf_putc(out, (char)byte);
        at += width;
    }
}
