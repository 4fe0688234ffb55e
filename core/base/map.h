/* SPDX-License-Identifier: Apache-2.0
 *
 * struct map: hash map from byte strings to pointers. Keys are copied, values borrowed.
 * Iteration order is insertion order as long as nothing is deleted. Not thread-safe.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

struct map_entry {
    struct str key; /* NUL-terminated copy; ptr NULL = deleted */
    void *value;
    uint64_t hash;
};

struct map {
    struct map_entry *entries; /* dense, in insertion order, n_entries used */
    size_t n_entries, cap_entries, n_live;
    uint32_t *slots; /* index + 1 into entries, 0 = empty */
    size_t n_slots;
};

#define MAP_INIT {0}
#define AUTO_MAP __attribute__((cleanup(map_done))) struct map

void map_done(struct map *m);
/* NULL when absent. */
void *map_find(const struct map *m, struct str key);
bool map_has(const struct map *m, struct str key);
/* Sets; returns the old value or NULL. */
void *map_set(struct map *m, struct str key, void *value);
/* Deletes; returns the old value or NULL. */
void *map_del(struct map *m, struct str key);
uint64_t map_hash(struct str key);
/* for (size_t i = 0; (e = map_next(m, &i)) != NULL;) */
struct map_entry *map_next(const struct map *m, size_t *i);
