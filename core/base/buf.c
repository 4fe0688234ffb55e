/* SPDX-License-Identifier: Apache-2.0
 *
 * See buf.h.
 */
#include "base/buf.h"

#include "base/mem.h"

void buf_init(struct buf *b, size_t max)
{
    *b = (struct buf){.max = max};
}

void buf_done(struct buf *b)
{
    if (b) {
        mem_free(b->ptr);
        *b = (struct buf){.max = b->max};
    }
}

void buf_clear(struct buf *b)
{
    b->len = 0;
    b->overflow = false;
    if (b->ptr) {
        b->ptr[0] = 0;
    }
}

bool buf_reserve(struct buf *b, size_t n)
{
    if (b->overflow || n > SIZE_MAX / 4 || (b->max && b->len + n > b->max)) {
        b->overflow = true;
        return false;
    }
    if (b->len + n + 1 > b->cap) {
        size_t cap = b->cap ? b->cap * 2 : 64;
        while (cap < b->len + n + 1) {
            cap *= 2;
        }
        b->ptr = mem_resize(b->ptr, cap);
        b->cap = cap;
    }
    return true;
}

void buf_add(struct buf *b, const void *bytes, size_t len)
{
    if (buf_reserve(b, len)) {
        if (len) {
            memcpy(b->ptr + b->len, bytes, len);
        }
        b->len += len;
        b->ptr[b->len] = 0;
    }
}

void buf_add_str(struct buf *b, struct str s)
{
    buf_add(b, s.ptr, s.len);
}

void buf_addz(struct buf *b, const char *z)
{
    buf_add(b, z, strlen(z));
}

void buf_addc(struct buf *b, char c)
{
    buf_add(b, &c, 1);
}

void buf_vprintf(struct buf *b, const char *fmt, va_list ap)
{
    va_list again;
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, again);
    va_end(again);
    if (n >= 0 && buf_reserve(b, (size_t)n)) {
        vsnprintf(b->ptr + b->len, (size_t)n + 1, fmt, ap);
        b->len += (size_t)n;
    }
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    buf_vprintf(b, fmt, ap);
    va_end(ap);
}

void buf_consume(struct buf *b, size_t n)
{
    n = n > b->len ? b->len : n;
    if (n) {
        memmove(b->ptr, b->ptr + n, b->len - n + 1);
        b->len -= n;
    }
}

char *buf_take(struct buf *b, size_t *out_len)
{
    (void)buf_reserve(b, 0);
    char *p = b->ptr ? b->ptr : mem_strndup("", 0);
    p[b->len] = 0;
    if (out_len) {
        *out_len = b->len;
    }
    *b = (struct buf){.max = b->max};
    return p;
}

/* Bytes of s from i that need no escape: printable ASCII besides '"' and '\\'. */
static size_t plain_run(struct str s, size_t i)
{
    size_t from = i;
    while (i < s.len) {
        unsigned char c = (unsigned char)s.ptr[i];
        if (c < 0x20 || c == '"' || c == '\\' || c >= 0x80) {
            break;
        }
        i++;
    }
    return i - from;
}

static size_t add_escape(struct buf *b, struct str s, size_t i)
{
    static const char short_names[] = "\b\f\n\r\t\"\\";
    static const char letters[] = "bfnrt\"\\";
    unsigned char c = (unsigned char)s.ptr[i];
    if (c < 0x80) {
        const char *at = strchr(short_names, c);
        if (c && at) {
            char two[2] = {'\\', letters[at - short_names]};
            buf_add(b, two, 2);
        } else {
            buf_printf(b, "\\u%04x", c);
        }
        return 1;
    }
    for (size_t n = 2; n <= 4; n++) {
        if (i + n <= s.len && str_is_utf8(str_sub(s, i, i + n))) {
            buf_add(b, s.ptr + i, n);
            return n;
        }
    }
    buf_addz(b, "\xef\xbf\xbd");
    return 1;
}

void buf_add_json_string(struct buf *b, struct str s)
{
    buf_addc(b, '"');
    for (size_t i = 0; i < s.len;) {
        size_t run = plain_run(s, i);
        if (run) {
            buf_add(b, s.ptr + i, run);
            i += run;
        } else {
            i += add_escape(b, s, i);
        }
    }
    buf_addc(b, '"');
}
