/* SPDX-License-Identifier: Apache-2.0
 *
 * See base64.h.
 */
#include "data/base64.h"

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

struct str base64_emit(struct arena *a, struct str bytes)
{
    size_t len = (bytes.len + 2) / 3 * 4;
    char *out = arena_alloc(a, len + 1);
    if (!out) {
        return STR_NULL;
    }
    const unsigned char *p = (const unsigned char *)bytes.ptr;
    char *w = out;
    for (size_t i = 0; i < bytes.len; i += 3) {
        size_t left = bytes.len - i;
        uint32_t v = (uint32_t)p[i] << 16 | (left > 1 ? (uint32_t)p[i + 1] << 8 : 0) |
                     (left > 2 ? p[i + 2] : 0);
        *w++ = digits[v >> 18];
        *w++ = digits[v >> 12 & 63];
        *w++ = left > 1 ? digits[v >> 6 & 63] : '=';
        *w++ = left > 2 ? digits[v & 63] : '=';
    }
    return (struct str){out, len};
}

static int digit_value(char c)
{
    if (c >= 'A' && c <= 'Z') {
        return c - 'A';
    }
    if (c >= 'a' && c <= 'z') {
        return c - 'a' + 26;
    }
    if (c >= '0' && c <= '9') {
        return c - '0' + 52;
    }
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

bool base64_parse(struct arena *a, struct str text, struct str *out)
{
    char *bytes = arena_alloc(a, text.len / 4 * 3 + 4);
    size_t n = 0, n_digits = 0, n_pad = 0;
    uint32_t v = 0;
    for (size_t i = 0; bytes && i < text.len; i++) {
        char c = text.ptr[i];
        if (c == ' ' || c == '\n' || c == '\r' || c == '\t') {
            continue;
        }
        int d = digit_value(c);
        if (c == '=') {
            n_pad++;
        } else if (d < 0 || n_pad) {
            return false;
        } else {
            n_digits++;
        }
        v = v << 6 | (uint32_t)(d < 0 ? 0 : d);
        if ((n_digits + n_pad) % 4 == 0) {
            bytes[n++] = (char)(v >> 16);
            bytes[n++] = (char)(v >> 8);
            bytes[n++] = (char)v;
            v = 0;
        }
    }
    if (!bytes || (n_digits + n_pad) % 4 || n_pad > 2) {
        return false;
    }
    *out = (struct str){bytes, n - n_pad};
    return true;
}
