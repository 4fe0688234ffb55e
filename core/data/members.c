/* SPDX-License-Identifier: Apache-2.0
 *
 * See members.h. The table catches up with the array on look-up; nothing is built for small maps.
 */
#include "data/members.h"

#include <sys/random.h>

#include "base/clock.h"
#include "base/mem.h"

static uint64_t mix(uint64_t a, uint64_t b)
{
    unsigned __int128 m = (unsigned __int128)a * b;
    return (uint64_t)m ^ (uint64_t)(m >> 64);
}

/* Keyed: without the seed nobody can choose colliding keys. */
static uint32_t hash_key(uint64_t seed, struct str key)
{
    uint64_t h = seed ^ (key.len * 0x9e3779b97f4a7c15ull);
    size_t i = 0;
    for (; i + 8 <= key.len; i += 8) {
        uint64_t w;
        memcpy(&w, key.ptr + i, 8);
        h = mix(h ^ w, 0xd6e8feb86659fd93ull) + seed;
    }
    uint64_t tail = 0;
    if (i < key.len) {
        memcpy(&tail, key.ptr + i, key.len - i);
    }
    h = mix(h ^ tail, 0xa0761d6478bd642full ^ (seed << 1));
    return (uint32_t)(h ^ (h >> 32));
}

static uint64_t new_seed(void)
{
    uint64_t seed;
    if (getrandom(&seed, sizeof(seed), GRND_NONBLOCK) != (ssize_t)sizeof(seed)) {
        seed = (uint64_t)clock_mono_ns() * 0x9fb21c651e98df25ull;
    }
    return seed | 1;
}

static void put(struct members *ix, uint64_t entry)
{
    size_t mask = ix->n_slots - 1;
    size_t at = (entry >> 32) & mask;
    while (ix->slots[at]) {
        at = (at + 1) & mask;
    }
    ix->slots[at] = entry;
}

static void grow(struct members *ix, size_t n)
{
    size_t n_slots = 64;
    while (n_slots < n * 2) {
        n_slots *= 2;
    }
    n_slots *= 2;
    uint64_t *old = ix->slots;
    size_t n_old = ix->n_slots;
    ix->slots = mem_array(n_slots, sizeof(*ix->slots));
    ix->n_slots = n_slots;
    for (size_t i = 0; i < n_old; i++) {
        if (old[i]) {
            put(ix, old[i]);
        }
    }
    mem_free(old);
}

static void catch_up(struct members *ix, const struct node_member *members, size_t n)
{
    if (!ix->slots) {
        ix->seed = new_seed();
    }
    if (ix->n_slots < n * 2) {
        grow(ix, n);
    }
    for (; ix->n_indexed < n; ix->n_indexed++) {
        uint64_t h = hash_key(ix->seed, members[ix->n_indexed].key);
        put(ix, h << 32 | (uint32_t)(ix->n_indexed + 1));
    }
}

void members_done(struct members *ix)
{
    mem_free(ix->slots);
    *ix = (struct members){0};
}

size_t members_find(struct members *ix, const struct node_member *members, size_t n,
                    struct str key)
{
    if (n <= MEMBERS_LINEAR) {
        for (size_t i = 0; i < n; i++) {
            if (str_eq(members[i].key, key)) {
                return i;
            }
        }
        return MEMBERS_NONE;
    }
    catch_up(ix, members, n);
    uint32_t h = hash_key(ix->seed, key);
    size_t mask = ix->n_slots - 1;
    for (size_t at = h & mask; ix->slots[at]; at = (at + 1) & mask) {
        if ((uint32_t)(ix->slots[at] >> 32) == h) {
            size_t i = (uint32_t)ix->slots[at] - 1;
            if (str_eq(members[i].key, key)) {
                return i;
            }
        }
    }
    return MEMBERS_NONE;
}
