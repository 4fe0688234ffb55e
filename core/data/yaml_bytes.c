/* SPDX-License-Identifier: Apache-2.0
 *
 * Bytes and characters of YAML text (yaml_scan.h): UTF-8, and which characters may be read, by the
 * rules and with the words of the peer's reader.
 */
#include "data/yaml_scan.h"

void yaml_add_utf8(struct buf *b, uint32_t c)
{
    static const uint8_t heads[] = {0, 0, 0xc0, 0xe0, 0xf0};
    size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    buf_addc(b, (char)(n == 1 ? c : heads[n] | c >> 6 * (n - 1)));
    while (--n) {
        buf_addc(b, (char)(0x80 | (c >> 6 * (n - 1) & 0x3f)));
    }
}

/* Length of the character at p, or 0 and what is wrong with it. */
static size_t check_character(const unsigned char *p, size_t left, const char **wrong)
{
    size_t n = *p < 0x80 ? 1 : (*p & 0xe0) == 0xc0 ? 2 : (*p & 0xf0) == 0xe0 ? 3
                             : (*p & 0xf8) == 0xf0 ? 4
                                                   : 0;
    if (n == 0 || n > left) {
        *wrong = n ? "incomplete UTF-8 octet sequence" : "invalid leading UTF-8 octet";
        return 0;
    }
    uint32_t c = n == 1 ? *p : *p & (0xffu >> (n + 1));
    for (size_t i = 1; i < n; i++) {
        if ((p[i] & 0xc0) != 0x80) {
            *wrong = "invalid trailing UTF-8 octet";
            return 0;
        }
        c = c << 6 | (p[i] & 0x3f);
    }
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    if (c < least[n]) {
        *wrong = "invalid length of a UTF-8 sequence";
    } else if ((c >= 0xd800 && c < 0xe000) || c > 0x10ffff) {
        *wrong = "invalid Unicode character";
    } else if (c == '\t' || c == '\n' || c == '\r' || (c >= 0x20 && c <= 0x7e) || c == 0x85 ||
               (c >= 0xa0 && c <= 0xfffd) || c >= 0x10000) {
        return n;
    } else {
        *wrong = "control characters are not allowed";
    }
    return 0;
}

void yaml_check_text(struct yaml_scanner *s)
{
    const unsigned char *p = (const unsigned char *)s->text.ptr;
    s->ascii = true;
    for (size_t i = s->mark.at; i < s->text.len;) {
        if (p[i] >= 0x20 && p[i] < 0x7f) {
            i++;
            continue;
        }
        size_t n = check_character(p + i, s->text.len - i, &s->unreadable);
        if (n == 0) {
            s->text.len = i;
        }
        s->ascii = s->ascii && n == 1;
        i += n;
    }
}

struct str yaml_as_utf8(struct arena *a, struct str text)
{
    const unsigned char *p = (const unsigned char *)text.ptr;
    bool little = text.len >= 2 && p[0] == 0xff && p[1] == 0xfe;
    bool big = text.len >= 2 && p[0] == 0xfe && p[1] == 0xff;
    if (!little && !big) {
        return text;
    }
    AUTO_BUF b = BUF_INIT;
    for (size_t i = 2; i + 1 < text.len; i += 2) {
        uint32_t c = (uint32_t)p[i + big] | (uint32_t)p[i + little] << 8;
        uint32_t low = i + 3 < text.len
                           ? (uint32_t)p[i + 2 + big] | (uint32_t)p[i + 2 + little] << 8
                           : 0;
        if (c >= 0xd800 && c < 0xdc00 && low >= 0xdc00 && low < 0xe000) {
            c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
            i += 2;
        }
        yaml_add_utf8(&b, c >= 0xd800 && c < 0xe000 ? 0xfffd : c);
    }
    return arena_str(a, buf_str(&b));
}
