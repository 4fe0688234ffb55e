/* SPDX-License-Identifier: Apache-2.0
 *
 * struct str: a borrowed view of bytes with a length. It owns nothing and may hold NUL bytes.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct str {
    const char *ptr; /* may be NULL when len is 0 */
    size_t len;
};

/* printf helper: printf("%.*s", STR_ARG(s)). */
#define STR_ARG(s) (int)(s).len, ((s).ptr ? (s).ptr : "")
/* A struct str of a string literal. */
#define STR(lit) ((struct str){"" lit, sizeof(lit) - 1})
#define STR_NULL ((struct str){NULL, 0})

/* Views a NUL-terminated string; NULL gives the empty str. */
static inline struct str str_of(const char *z)
{
    return (struct str){z, z ? strlen(z) : 0};
}

static inline bool str_eq(struct str a, struct str b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

static inline bool str_eqz(struct str a, const char *z)
{
    return str_eq(a, str_of(z));
}

/* Bytewise order; a proper prefix sorts first. Returns <0, 0, >0. */
int str_cmp(struct str a, struct str b);
bool str_has_prefix(struct str s, struct str prefix);
bool str_has_suffix(struct str s, struct str suffix);
/* The bytes [from, to) of s; both are clamped to the length. */
struct str str_sub(struct str s, size_t from, size_t to);
/* Index of the first (last) byte c, or -1. */
ptrdiff_t str_find_byte(struct str s, char c);
ptrdiff_t str_rfind_byte(struct str s, char c);
/* Index of the first occurrence of needle, or -1. */
ptrdiff_t str_find(struct str s, struct str needle);
/* s without leading and trailing bytes that stand in set (NUL-terminated). */
struct str str_trim(struct str s, const char *set);
/* Takes the part of *rest before the next sep into *out and moves *rest behind it.
 * Returns false when *rest is exhausted (rest->ptr == NULL). "a,,b" gives a, "", b. */
bool str_split(struct str *rest, char sep, struct str *out);
/* Parses a decimal int64 that fills s whole (optional leading '-'); false on anything else. */
bool str_to_int64(struct str s, int64_t *out);
/* True when s is well-formed UTF-8 (no surrogates, no overlong forms). */
bool str_is_utf8(struct str s);
