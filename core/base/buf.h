/* SPDX-License-Identifier: Apache-2.0
 *
 * struct buf: a growing byte buffer on the heap with a maximum. Appending past the maximum sets
 * `overflow` and drops the bytes; check once at the end. The content is always NUL-terminated.
 */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

struct buf {
    char *ptr;
    size_t len, cap, max; /* max 0 = none */
    bool overflow;
};

#define BUF_INIT {0}
#define AUTO_BUF __attribute__((cleanup(buf_done))) struct buf

void buf_init(struct buf *b, size_t max);
void buf_done(struct buf *b);
/* Empties and keeps the memory. */
void buf_clear(struct buf *b);
void buf_add(struct buf *b, const void *bytes, size_t len);
void buf_add_str(struct buf *b, struct str s);
void buf_addz(struct buf *b, const char *z);
void buf_addc(struct buf *b, char c);
void buf_printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void buf_vprintf(struct buf *b, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0)));
/* Makes room for at least n more bytes; false past the maximum. */
bool buf_reserve(struct buf *b, size_t n);
/* Removes the first n bytes. */
void buf_consume(struct buf *b, size_t n);
/* Hands the bytes over (NUL-terminated, free with mem_free) and leaves b empty. */
char *buf_take(struct buf *b, size_t *out_len);
static inline struct str buf_str(const struct buf *b)
{
    return (struct str){b->ptr, b->len};
}
/* Appends s as a JSON string literal with quotes; invalid UTF-8 bytes become U+FFFD. */
void buf_add_json_string(struct buf *b, struct str s);
