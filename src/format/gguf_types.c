/* Block layouts of ggml's types. A block starts with its scale d (fp16) unless said otherwise; a
 * K-quant is a block of 256 with a scale of its own for each 16 or 32 elements. */
#include "format/gguf_types.h"

#include "format/safetensors.h"

#include <string.h>

enum { SMALL = 32, LARGE = 256 };

static float half_at(const unsigned char *p) {
    float f;
    sp_floats_from(SP_F16, p, 1, &f);
    return f;
}

static uint32_t word_at(const unsigned char *p) {
    uint32_t w;
    memcpy(&w, p, sizeof w);
    return w;
}

/* ---- plain ---- */

static void from_f32(const unsigned char *p, size_t n, float *out) {
    sp_floats_from(SP_F32, p, n, out);
}

static void from_f16(const unsigned char *p, size_t n, float *out) {
    sp_floats_from(SP_F16, p, n, out);
}

static void from_bf16(const unsigned char *p, size_t n, float *out) {
    sp_floats_from(SP_BF16, p, n, out);
}

/* ---- blocks of 32: d q, or d q + m ---- */

/* Elements 0..15 are the low halves of the bytes, 16..31 the high ones. */
static void from_q4_0(const unsigned char *p, size_t n, float *out) {
    for (; n; n--, p += 18, out += SMALL) {
        float d = half_at(p);
        for (int i = 0; i < 16; i++) {
            out[i] = (float)((p[2 + i] & 15) - 8) * d;
            out[i + 16] = (float)((p[2 + i] >> 4) - 8) * d;
        }
    }
}

static void from_q4_1(const unsigned char *p, size_t n, float *out) {
    for (; n; n--, p += 20, out += SMALL) {
        float d = half_at(p), m = half_at(p + 2);
        for (int i = 0; i < 16; i++) {
            out[i] = (float)(p[4 + i] & 15) * d + m;
            out[i + 16] = (float)(p[4 + i] >> 4) * d + m;
        }
    }
}

/* The fifth bit of element i is bit i of a word before the halves. */
static int five_bits(int half, uint32_t high, int i) {
    return half | (int)(high >> i & 1) << 4;
}

static void from_q5_0(const unsigned char *p, size_t n, float *out) {
    for (; n; n--, p += 22, out += SMALL) {
        float d = half_at(p);
        uint32_t high = word_at(p + 2);
        for (int i = 0; i < 16; i++) {
            out[i] = (float)(five_bits(p[6 + i] & 15, high, i) - 16) * d;
            out[i + 16] = (float)(five_bits(p[6 + i] >> 4, high, i + 16) - 16) * d;
        }
    }
}

static void from_q5_1(const unsigned char *p, size_t n, float *out) {
    for (; n; n--, p += 24, out += SMALL) {
        float d = half_at(p), m = half_at(p + 2);
        uint32_t high = word_at(p + 4);
        for (int i = 0; i < 16; i++) {
            out[i] = (float)five_bits(p[8 + i] & 15, high, i) * d + m;
            out[i + 16] = (float)five_bits(p[8 + i] >> 4, high, i + 16) * d + m;
        }
    }
}

static void from_q8_0(const unsigned char *p, size_t n, float *out) {
    for (; n; n--, p += 34, out += SMALL) {
        float d = half_at(p);
        for (int i = 0; i < SMALL; i++) out[i] = (float)(int8_t)p[2 + i] * d;
    }
}

/* ---- K-quants ---- */

/* scales [16], two bits an element [64], d, and a scale of the minima; a scale byte holds the
 * factors of both. */
static void from_q2_k(const unsigned char *p, size_t n, float *out) {
    for (; n; n--, p += 84, out += LARGE) {
        float d = half_at(p + 80), d_min = half_at(p + 82);
        for (int part = 0; part < 16; part++) {
            const unsigned char *q = p + 16 + part / 8 * 32 + part % 2 * 16;
            float scale = d * (float)(p[part] & 15), min = d_min * (float)(p[part] >> 4);
            int shift = part % 8 / 2 * 2;
            for (int i = 0; i < 16; i++)
                out[16 * part + i] = scale * (float)(q[i] >> shift & 3) - min;
        }
    }
}

/* Scale `part` of 16, of 6 bits: the low four of all stand before the high two of all. */
static int q3_scale(const unsigned char *s, int part) {
    int low = part < 8 ? s[part] & 15 : s[part - 8] >> 4;
    return (low | (s[8 + part % 4] >> part / 4 * 2 & 3) << 4) - 32;
}

/* The third bits [32], the other two [64], scales [12], d. */
static void from_q3_k(const unsigned char *p, size_t n, float *out) {
    for (; n; n--, p += 110, out += LARGE) {
        float d = half_at(p + 108);
        for (int part = 0; part < 16; part++) {
            const unsigned char *high = p + part % 2 * 16;
            const unsigned char *q = p + 32 + part / 8 * 32 + part % 2 * 16;
            float scale = d * (float)q3_scale(p + 96, part);
            int shift = part % 8 / 2 * 2, bit = part / 2;
            for (int i = 0; i < 16; i++) {
                int value = (q[i] >> shift & 3) - (high[i] >> bit & 1 ? 0 : 4);
                out[16 * part + i] = scale * (float)value;
            }
        }
    }
}

/* Scale and minimum `part` of 8, of 6 bits each, in 12 bytes (Q4_K and Q5_K). */
static void scale_and_min(const unsigned char *s, int part, int *scale, int *min) {
    if (part < 4) {
        *scale = s[part] & 63;
        *min = s[part + 4] & 63;
    } else {
        *scale = (s[part + 4] & 15) | s[part - 4] >> 6 << 4;
        *min = s[part + 4] >> 4 | s[part] >> 6 << 4;
    }
}

/* d, a scale of the minima, scales [12], halves [128]. */
static void from_q4_k(const unsigned char *p, size_t n, float *out) {
    for (; n; n--, p += 144, out += LARGE) {
        float d = half_at(p), d_min = half_at(p + 2);
        for (int part = 0; part < 8; part++) {
            const unsigned char *q = p + 16 + part / 2 * 32;
            int s, m, shift = part % 2 * 4;
            scale_and_min(p + 4, part, &s, &m);
            float scale = d * (float)s, min = d_min * (float)m;
            for (int i = 0; i < 32; i++)
                out[32 * part + i] = scale * (float)(q[i] >> shift & 15) - min;
        }
    }
}

/* As Q4_K, with the fifth bits [32] before the halves. */
static void from_q5_k(const unsigned char *p, size_t n, float *out) {
    for (; n; n--, p += 176, out += LARGE) {
        float d = half_at(p), d_min = half_at(p + 2);
        const unsigned char *high = p + 16;
        for (int part = 0; part < 8; part++) {
            const unsigned char *q = p + 48 + part / 2 * 32;
            int s, m, shift = part % 2 * 4;
            scale_and_min(p + 4, part, &s, &m);
            float scale = d * (float)s, min = d_min * (float)m;
            for (int i = 0; i < 32; i++) {
                int value = (q[i] >> shift & 15) | (high[i] >> part & 1) << 4;
                out[32 * part + i] = scale * (float)value - min;
            }
        }
    }
}

/* Low halves [128], high two bits [64], scales [16] of a byte, d. */
static void from_q6_k(const unsigned char *p, size_t n, float *out) {
    for (; n; n--, p += 210, out += LARGE) {
        float d = half_at(p + 208);
        for (int part = 0; part < 16; part++) {
            int half = part / 8, group = part % 8 / 2, odd = part % 2 * 16;
            const unsigned char *low = p + 64 * half + group % 2 * 32 + odd;
            const unsigned char *high = p + 128 + 32 * half + odd;
            float scale = d * (float)(int8_t)p[192 + part];
            for (int i = 0; i < 16; i++) {
                int value = (low[i] >> group / 2 * 4 & 15) | (high[i] >> 2 * group & 3) << 4;
                out[16 * part + i] = scale * (float)(value - 32);
            }
        }
    }
}

/* d in fp32, bytes [256], and sums that only products with it need [16 of two bytes]. */
static void from_q8_k(const unsigned char *p, size_t n, float *out) {
    for (; n; n--, p += 292, out += LARGE) {
        float d;
        memcpy(&d, p, sizeof d);
        for (int i = 0; i < LARGE; i++) out[i] = d * (float)(int8_t)p[4 + i];
    }
}

/* ---- the table, by ggml's numbers ---- */

static const sp_gguf_type types[] = {
    [0] = {"F32", 1, 4, from_f32},
    [1] = {"F16", 1, 2, from_f16},
    [2] = {"Q4_0", SMALL, 18, from_q4_0},
    [3] = {"Q4_1", SMALL, 20, from_q4_1},
    [6] = {"Q5_0", SMALL, 22, from_q5_0},
    [7] = {"Q5_1", SMALL, 24, from_q5_1},
    [8] = {"Q8_0", SMALL, 34, from_q8_0},
    [9] = {.name = "Q8_1"},
    [10] = {"Q2_K", LARGE, 84, from_q2_k},
    [11] = {"Q3_K", LARGE, 110, from_q3_k},
    [12] = {"Q4_K", LARGE, 144, from_q4_k},
    [13] = {"Q5_K", LARGE, 176, from_q5_k},
    [14] = {"Q6_K", LARGE, 210, from_q6_k},
    [15] = {"Q8_K", LARGE, 292, from_q8_k},
    [16] = {.name = "IQ2_XXS"},
    [17] = {.name = "IQ2_XS"},
    [18] = {.name = "IQ3_XXS"},
    [19] = {.name = "IQ1_S"},
    [20] = {.name = "IQ4_NL"},
    [21] = {.name = "IQ3_S"},
    [22] = {.name = "IQ2_S"},
    [23] = {.name = "IQ4_XS"},
    [24] = {.name = "I8"},
    [25] = {.name = "I16"},
    [26] = {.name = "I32"},
    [27] = {.name = "I64"},
    [28] = {.name = "F64"},
    [29] = {.name = "IQ1_M"},
    [30] = {"BF16", 1, 2, from_bf16},
    [34] = {.name = "TQ1_0"},
    [35] = {.name = "TQ2_0"},
    [39] = {.name = "MXFP4"},
    [40] = {.name = "NVFP4"},
    [41] = {.name = "Q1_0"},
};

const sp_gguf_type *sp_gguf_type_find(uint32_t type) {
    return type < sizeof types / sizeof *types && types[type].name ? &types[type] : NULL;
}

const char *sp_gguf_type_names(void) {
    return "F32, F16, BF16, Q8_0, Q4_0, Q4_1, Q5_0, Q5_1, Q2_K, Q3_K, Q4_K, Q5_K, Q6_K, Q8_K";
}
