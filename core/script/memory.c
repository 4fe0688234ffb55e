/* SPDX-License-Identifier: Apache-2.0
 *
 * Memory of one state. Blocks are cut from chunks, freed ones wait in lists by size, and all of it
 * is thrown away together: a run is short and single-threaded, so malloc's care is not needed.
 * What was allocated can be saved and put back in place, byte for byte, which is how a state that
 * has loaded its workflow serves the next run, too.
 *
 * The limit holds for the bytes that Lua asked for. Blocks of one size are not reused for another,
 * so a script could make the chunks grow far beyond that: they may be twice as much and no more.
 */
#include "base/mem.h"
#include "script/priv.h"

#define STEP 16u          /* classes up to SMALL are so far apart, … */
#define SMALL 512u        /* … above they double */
#define LARGE (32u << 10) /* what is bigger has malloc's */
#define CHUNK (256u << 10)
#define SMALL_CLASSES (SMALL / STEP)

struct script_chunk {
    struct script_chunk *next;
    _Alignas(STEP) char bytes[];
};

struct script_large {
    struct script_large *prev, *next;
    size_t size;
    _Alignas(STEP) char bytes[];
};

static unsigned class_of(size_t size)
{
    if (size <= SMALL) {
        return (unsigned)(size - 1) / STEP;
    }
    return SMALL_CLASSES + (unsigned)(sizeof(long) * 8 - (size_t)__builtin_clzl(size - 1)) - 10;
}

static size_t class_bytes(unsigned class)
{
    return class < SMALL_CLASSES ? (class + 1) * STEP : 2 * (size_t)SMALL
                                                            << (class - SMALL_CLASSES);
}

static bool may_take(const struct script_memory *m, size_t size)
{
    return m->unlimited || m->taken + size <= 2 * m->limit + CHUNK;
}

static void large_unlink(struct script_memory *m, struct script_large *l)
{
    if (l->prev) {
        l->prev->next = l->next;
    } else {
        m->large = l->next;
    }
    if (l->next) {
        l->next->prev = l->prev;
    }
    m->taken -= l->size;
}

static void *large_take(struct script_memory *m, size_t size)
{
    if (!may_take(m, size)) {
        return NULL;
    }
    struct script_large *l = mem_resize(NULL, sizeof(*l) + size);
    *l = (struct script_large){.next = m->large, .size = size};
    if (m->large) {
        m->large->prev = l;
    }
    m->large = l;
    m->taken += size;
    return l->bytes;
}

static struct script_large *large_of(void *p)
{
    return (struct script_large *)((char *)p - offsetof(struct script_large, bytes));
}

static bool chunk_add(struct script_memory *m)
{
    if (!may_take(m, CHUNK)) {
        return false;
    }
    struct script_chunk *c = mem_resize(NULL, CHUNK);
    c->next = m->chunks;
    m->chunks = c;
    m->taken += CHUNK;
    m->at = c->bytes;
    m->end = (char *)c + CHUNK;
    return true;
}

static void *block_take(struct script_memory *m, size_t size)
{
    if (size > LARGE) {
        return large_take(m, size);
    }
    unsigned class = class_of(size);
    void *p = m->free[class];
    if (p) {
        m->free[class] = *(void **)p;
        return p;
    }
    size_t bytes = class_bytes(class);
    if ((size_t)(m->end - m->at) < bytes && !chunk_add(m)) {
        return NULL;
    }
    p = m->at;
    m->at += bytes;
    return p;
}

static void block_give(struct script_memory *m, void *p, size_t size)
{
    if (size > LARGE) {
        struct script_large *l = large_of(p);
        large_unlink(m, l);
        mem_free(l);
        return;
    }
    unsigned class = class_of(size);
    *(void **)p = m->free[class];
    m->free[class] = p;
}

static void *block_resize(struct script_memory *m, void *p, size_t osize, size_t nsize)
{
    if (osize <= LARGE && nsize <= LARGE && class_of(osize) == class_of(nsize)) {
        return p;
    }
    bool before = m->unlimited;
    m->unlimited = before || nsize < osize; /* Lua counts on shrinking to succeed */
    void *out = block_take(m, nsize);
    m->unlimited = before;
    if (out) {
        memcpy(out, p, osize < nsize ? osize : nsize);
        block_give(m, p, osize);
    }
    return out;
}

/* A refusal is not the end yet: Lua collects garbage and asks again. What ends the run is the
 * error that follows when that does not help (LUA_ERRMEM in call.c and in pcall). */
void *script_memory_alloc(void *ud, void *p, size_t osize, size_t nsize)
{
    struct script_memory *m = ud;
    osize = p ? osize : 0; /* else it is the type of the object to come */
    if (nsize > osize && m->bytes + (nsize - osize) > m->limit && !m->unlimited) {
        return NULL;
    }
    void *out = NULL;
    if (nsize == 0) {
        if (osize) {
            block_give(m, p, osize);
        }
    } else {
        out = osize ? block_resize(m, p, osize, nsize) : block_take(m, nsize);
        if (!out) {
            return NULL;
        }
    }
    m->bytes = m->bytes - osize + nsize;
    m->peak = m->bytes > m->peak ? m->bytes : m->peak;
    return out;
}

bool script_memory_save(struct script_memory *m)
{
    if (m->large || !m->chunks || m->chunks->next || m->saved) {
        return false;
    }
    size_t used = (size_t)(m->at - m->chunks->bytes);
    m->saved = mem_resize(NULL, sizeof(*m->saved) + used);
    m->saved->memory = *m;
    memcpy(m->saved->bytes, m->chunks->bytes, used);
    return true;
}

void script_memory_trim(struct script_memory *m)
{
    while (m->large) {
        struct script_large *l = m->large;
        large_unlink(m, l);
        mem_free(l);
    }
    while (m->chunks && m->chunks->next) {
        struct script_chunk *c = m->chunks;
        m->chunks = c->next;
        mem_free(c);
    }
}

void script_memory_restore(struct script_memory *m)
{
    struct script_saved *saved = m->saved;
    memcpy(m->chunks->bytes, saved->bytes, (size_t)(saved->memory.at - m->chunks->bytes));
    *m = saved->memory;
    m->saved = saved;
}

void script_memory_done(struct script_memory *m)
{
    script_memory_trim(m);
    mem_free(m->chunks);
    mem_free(m->saved);
}
