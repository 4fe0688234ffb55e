/* SPDX-License-Identifier: Apache-2.0
 *
 * See map.h. Open addressing over a dense entry array; deleted entries leave a mark until the next
 * growth.
 */
#include "base/map.h"

#include "base/mem.h"

#define NONE UINT32_MAX

uint64_t map_hash(struct str key)
{
    uint64_t h = 0xcbf29ce484222325ull ^ (key.len * 0x9e3779b97f4a7c15ull);
    size_t i = 0;
    for (; i + 8 <= key.len; i += 8) {
        uint64_t w;
        memcpy(&w, key.ptr + i, 8);
        h = (h ^ w) * 0x9fb21c651e98df25ull;
        h ^= h >> 29;
    }
    for (; i < key.len; i++) {
        h = (h ^ (unsigned char)key.ptr[i]) * 0x100000001b3ull;
    }
    h ^= h >> 32;
    h *= 0xd6e8feb86659fd93ull;
    return h ^ (h >> 32);
}

void map_done(struct map *m)
{
    if (!m) {
        return;
    }
    for (size_t i = 0; i < m->n_entries; i++) {
        mem_free((void *)m->entries[i].key.ptr);
    }
    mem_free(m->entries);
    mem_free(m->slots);
    *m = (struct map){0};
}

/* Index of the entry with key, or NONE. */
static uint32_t lookup(const struct map *m, struct str key, uint64_t hash)
{
    if (!m->n_slots) {
        return NONE;
    }
    for (size_t s = hash & (m->n_slots - 1); m->slots[s]; s = (s + 1) & (m->n_slots - 1)) {
        const struct map_entry *e = &m->entries[m->slots[s] - 1];
        if (e->key.ptr && e->hash == hash && str_eq(e->key, key)) {
            return m->slots[s] - 1;
        }
    }
    return NONE;
}

static void rebuild(struct map *m, size_t n_slots)
{
    size_t kept = 0;
    for (size_t i = 0; i < m->n_entries; i++) {
        if (m->entries[i].key.ptr) {
            m->entries[kept++] = m->entries[i];
        }
    }
    m->n_entries = kept;
    mem_free(m->slots);
    m->slots = mem_array(n_slots, sizeof(*m->slots));
    m->n_slots = n_slots;
    for (size_t i = 0; i < kept; i++) {
        size_t s = m->entries[i].hash & (n_slots - 1);
        while (m->slots[s]) {
            s = (s + 1) & (n_slots - 1);
        }
        m->slots[s] = (uint32_t)i + 1;
    }
}

void *map_find(const struct map *m, struct str key)
{
    uint32_t i = lookup(m, key, map_hash(key));
    return i == NONE ? NULL : m->entries[i].value;
}

bool map_has(const struct map *m, struct str key)
{
    return lookup(m, key, map_hash(key)) != NONE;
}

void *map_set(struct map *m, struct str key, void *value)
{
    uint64_t hash = map_hash(key);
    uint32_t i = lookup(m, key, hash);
    if (i != NONE) {
        void *old = m->entries[i].value;
        m->entries[i].value = value;
        return old;
    }
    if ((m->n_entries + 1) * 2 > m->n_slots) {
        size_t want = m->n_live * 4 < 16 ? 16 : m->n_slots;
        while (want < (m->n_live + 1) * 3) {
            want *= 2;
        }
        rebuild(m, want);
    }
    if (m->n_entries == m->cap_entries) {
        m->cap_entries = m->cap_entries ? m->cap_entries * 2 : 8;
        m->entries = mem_resize(m->entries, m->cap_entries * sizeof(*m->entries));
    }
    m->entries[m->n_entries] = (struct map_entry){
        .key = {mem_strndup(key.ptr, key.len), key.len}, .value = value, .hash = hash};
    size_t s = hash & (m->n_slots - 1);
    while (m->slots[s]) {
        s = (s + 1) & (m->n_slots - 1);
    }
    m->slots[s] = (uint32_t)++m->n_entries;
    m->n_live++;
    return NULL;
}

void *map_del(struct map *m, struct str key)
{
    uint32_t i = lookup(m, key, map_hash(key));
    if (i == NONE) {
        return NULL;
    }
    struct map_entry *e = &m->entries[i];
    mem_free((void *)e->key.ptr);
    e->key = STR_NULL;
    m->n_live--;
    return TAKE(e->value);
}

struct map_entry *map_next(const struct map *m, size_t *i)
{
    while (*i < m->n_entries) {
        struct map_entry *e = &m->entries[(*i)++];
        if (e->key.ptr) {
            return e;
        }
    }
    return NULL;
}
