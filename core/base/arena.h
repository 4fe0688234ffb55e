/* SPDX-License-Identifier: Apache-2.0
 *
 * struct arena: memory of one request or job. Everything is released together by arena_done.
 * Small-allocation failure aborts; input-sized memory is bounded by the arena's limit, after which
 * arena_alloc returns NULL and arena_exhausted is true. Not thread-safe.
 */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

struct arena_block;

struct arena {
    struct arena_block *blocks;
    char *at, *end;
    size_t used, limit; /* bytes; limit 0 = none */
    bool exhausted;
};

#define ARENA_INIT {0}
#define AUTO_ARENA __attribute__((cleanup(arena_done))) struct arena

/* limit in bytes, 0 = none. */
void arena_init(struct arena *a, size_t limit);
void arena_done(struct arena *a);
/* Releases everything but keeps the arena usable. */
void arena_clear(struct arena *a);
/* Moves what `from` holds into a; from is empty afterwards. */
void arena_join(struct arena *a, struct arena *from);
/* Gives back what was taken since the mark: for work in a long-lived arena whose
 * result is copied out of it. A mark ends with arena_clear and with a rewind to an earlier one. */
struct arena_mark {
    struct arena_block *block;
    char *at, *end;
    size_t used;
};
struct arena_mark arena_mark(const struct arena *a);
void arena_rewind(struct arena *a, const struct arena_mark *m);
/* Zeroed, 16-byte aligned. NULL only past the limit. */
void *arena_alloc(struct arena *a, size_t size);
#define arena_new(a, type) ((type *)arena_alloc((a), sizeof(type)))
#define arena_array(a, type, n) ((type *)arena_alloc((a), sizeof(type) * (n)))
/* Copies; the copy is NUL-terminated (the NUL is not counted). */
struct str arena_str(struct arena *a, struct str s);
char *arena_strz(struct arena *a, struct str s);
struct str arena_printf(struct arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
struct str arena_vprintf(struct arena *a, const char *fmt, va_list ap)
    __attribute__((format(printf, 2, 0)));
