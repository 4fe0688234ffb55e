/* SPDX-License-Identifier: Apache-2.0
 *
 * See arena.h. Blocks grow from 4 KiB to 256 KiB; larger requests get a block of their own.
 */
#include "base/arena.h"

#include "base/mem.h"

#define BLOCK_MIN 4096u
#define BLOCK_MAX (256u * 1024)
#define ALIGN 16u

struct arena_block {
    struct arena_block *next;
    size_t size;
    _Alignas(16) char bytes[];
};

void arena_init(struct arena *a, size_t limit)
{
    *a = (struct arena){.limit = limit};
}

void arena_clear(struct arena *a)
{
    for (struct arena_block *b = a->blocks; b;) {
        struct arena_block *next = b->next;
        mem_free(b);
        b = next;
    }
    *a = (struct arena){.limit = a->limit};
}

void arena_done(struct arena *a)
{
    if (a) {
        arena_clear(a);
    }
}

void arena_join(struct arena *a, struct arena *from)
{
    struct arena_block **end = a->blocks ? &a->blocks->next : &a->blocks;
    struct arena_block *rest = *end;
    *end = from->blocks; /* behind the block that a is filling */
    while (*end) {
        end = &(*end)->next;
    }
    *end = rest;
    a->used += from->used;
    *from = (struct arena){.limit = from->limit};
}

struct arena_mark arena_mark(const struct arena *a)
{
    return (struct arena_mark){a->blocks, a->at, a->end, a->used};
}

void arena_rewind(struct arena *a, const struct arena_mark *m)
{
    while (a->blocks != m->block) {
        struct arena_block *next = a->blocks->next;
        mem_free(a->blocks);
        a->blocks = next;
    }
    if (m->at) {
        memset(m->at, 0, (size_t)(m->end - m->at)); /* what is handed out next is zeroed, too */
    }
    a->at = m->at;
    a->end = m->end;
    a->used = m->used;
}

static bool grow(struct arena *a, size_t need)
{
    size_t size = a->blocks ? a->blocks->size * 2 : BLOCK_MIN;
    size = size > BLOCK_MAX ? BLOCK_MAX : size;
    size = size < need ? need : size;
    if (a->limit && a->used + size > a->limit) {
        size = need;
        if (a->used + size > a->limit) {
            a->exhausted = true;
            return false;
        }
    }
    struct arena_block *b = mem_alloc(sizeof(*b) + size);
    b->next = a->blocks;
    b->size = size;
    a->blocks = b;
    a->at = b->bytes;
    a->end = b->bytes + size;
    a->used += size;
    return true;
}

void *arena_alloc(struct arena *a, size_t size)
{
    if (size > SIZE_MAX / 2) {
        a->exhausted = true;
        return NULL;
    }
    size_t need = (size + ALIGN - 1) / ALIGN * ALIGN;
    need = need ? need : ALIGN;
    if ((size_t)(a->end - a->at) < need && !grow(a, need)) {
        return NULL;
    }
    void *p = a->at;
    a->at += need;
    return p;
}

char *arena_strz(struct arena *a, struct str s)
{
    char *p = arena_alloc(a, s.len + 1);
    if (p && s.len) {
        memcpy(p, s.ptr, s.len);
    }
    return p;
}

struct str arena_str(struct arena *a, struct str s)
{
    char *p = arena_strz(a, s);
    return p ? (struct str){p, s.len} : STR_NULL;
}

struct str arena_vprintf(struct arena *a, const char *fmt, va_list ap)
{
    va_list again;
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, again);
    va_end(again);
    if (n < 0) {
        return STR_NULL;
    }
    char *p = arena_alloc(a, (size_t)n + 1);
    if (!p) {
        return STR_NULL;
    }
    vsnprintf(p, (size_t)n + 1, fmt, ap);
    return (struct str){p, (size_t)n};
}

struct str arena_printf(struct arena *a, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    struct str s = arena_vprintf(a, fmt, ap);
    va_end(ap);
    return s;
}
