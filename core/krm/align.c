/* SPDX-License-Identifier: Apache-2.0
 *
 * See align.h.
 */
#include "krm/align.h"

#include "base/buf.h"
#include "base/map.h"
#include "base/mem.h"
#include "krm/tree.h"

/* Comparisons that the common subsequence may take; longer lists match greedily. */
#define MAX_TABLE 1000000u

static struct str text_of(const struct node *n)
{
    return krm_tree_scalar(n) ? krm_tree_text(n) : STR_NULL;
}

void align_by_index(const struct node *old, const struct node *new, size_t *out)
{
    for (size_t i = 0; i < new->n; i++) {
        bool both = i < old->n && str_eq(text_of(old->items[i]), text_of(new->items[i]));
        out[i] = both ? i : ALIGN_NONE;
    }
}

/* --- by key --- */

static const char *const by_name[] = {"name", NULL};

/* What identifies an element, into key; false when it has none of the keys. */
static bool add_key(struct buf *key, const struct node *element, const char *const *keys)
{
    bool found = false;
    buf_clear(key);
    for (; *keys; keys++) {
        const struct node *v = node_getz(element, *keys);
        found = found || krm_tree_scalar(v);
        buf_add_str(key, text_of(v));
        buf_addc(key, 0);
    }
    return found;
}

static bool all_have(const struct node *list, const char *const *keys)
{
    AUTO_BUF key = BUF_INIT;
    for (size_t i = 0; i < list->n; i++) {
        if (!add_key(&key, list->items[i], keys)) {
            return false;
        }
    }
    return true;
}

bool align_by_key(const struct node *old, const struct node *new, const struct krm_place *place,
                  size_t *out)
{
    AUTO_MAP index = MAP_INIT;
    AUTO_BUF key = BUF_INIT;
    bool set = place && place->merges && (!place->keys || !place->keys[0]);
    const char *const *keys = place && place->merges && !set ? place->keys : by_name;
    if (!set && !(all_have(old, keys) && all_have(new, keys))) {
        return false;
    }
    for (size_t i = 0; i < old->n; i++) {
        struct str s = text_of(old->items[i]);
        if (!set && add_key(&key, old->items[i], keys)) {
            s = buf_str(&key);
        }
        if (!map_has(&index, s)) {
            map_set(&index, s, (void *)(uintptr_t)(i + 1));
        }
    }
    for (size_t i = 0; i < new->n; i++) {
        struct str s = text_of(new->items[i]);
        if (!set && add_key(&key, new->items[i], keys)) {
            s = buf_str(&key);
        }
        uintptr_t found = (uintptr_t)map_find(&index, s);
        out[i] = found ? found - 1 : ALIGN_NONE;
    }
    return true;
}

/* --- equals --- */

struct table {
    const struct node *old, *new;
    uint64_t *hash_old, *hash_new;
    size_t from, end_old, end_new; /* without common beginning and end */
};

struct todo {
    const struct node **list;
    size_t n, cap;
};

static void push(struct todo *t, const struct node *n)
{
    if (t->n == t->cap) {
        t->cap = t->cap ? t->cap * 2 : 64;
        t->list = mem_resize(t->list, t->cap * sizeof(const struct node *));
    }
    t->list[t->n++] = n;
}

/* Of values, kinds and order. */
static uint64_t hash_tree(struct todo *todo, const struct node *n)
{
    uint64_t h = 0;
    push(todo, n);
    while (todo->n) {
        const struct node *top = todo->list[--todo->n];
        h = (h ^ top->type) * 0x9e3779b97f4a7c15u;
        h = (h ^ map_hash(text_of(top)) ^ top->n) * 0x9e3779b97f4a7c15u;
        h ^= h >> 29;
        for (size_t i = 0; top->type == NODE_LIST && i < top->n; i++) {
            push(todo, top->items[i]);
        }
        for (size_t i = 0; top->type == NODE_MAP && i < top->n; i++) {
            h = (h ^ map_hash(top->members[i].key)) * 0x9e3779b97f4a7c15u;
            push(todo, top->members[i].value);
        }
    }
    return h;
}

static bool equal(const struct table *t, size_t i, size_t j)
{
    return t->hash_old[i] == t->hash_new[j];
}

static void trim(struct table *t, size_t *out)
{
    while (t->from < t->end_old && t->from < t->end_new && equal(t, t->from, t->from)) {
        out[t->from] = t->from;
        t->from++;
    }
    while (t->end_old > t->from && t->end_new > t->from &&
           equal(t, t->end_old - 1, t->end_new - 1)) {
        out[--t->end_new] = --t->end_old;
    }
}

/* best[i][j]: length for old from i and new from j. */
static void match_best(const struct table *t, size_t *out)
{
    size_t rows = t->end_old - t->from, columns = t->end_new - t->from, width = columns + 1;
    AUTO_MEM uint32_t *best = mem_array((rows + 1) * width, sizeof(*best));
    for (size_t i = rows; i-- > 0;) {
        for (size_t j = columns; j-- > 0;) {
            uint32_t down = best[(i + 1) * width + j], right = best[i * width + j + 1];
            best[i * width + j] = equal(t, t->from + i, t->from + j)
                                      ? best[(i + 1) * width + j + 1] + 1
                                  : down > right ? down
                                                 : right;
        }
    }
    for (size_t i = 0, j = 0; i < rows && j < columns;) {
        if (equal(t, t->from + i, t->from + j)) {
            out[t->from + j++] = t->from + i++;
        } else if (best[(i + 1) * width + j] >= best[i * width + j + 1]) {
            i++;
        } else {
            j++;
        }
    }
}

/* The next equal element, in order. */
static void match_greedy(const struct table *t, size_t *out)
{
    AUTO_MAP next = MAP_INIT; /* hash → last index in old + 1; chains would not pay */
    for (size_t i = t->end_old; i-- > t->from;) {
        struct str key = {(const char *)&t->hash_old[i], sizeof(uint64_t)};
        map_set(&next, key, (void *)(uintptr_t)(i + 1));
    }
    for (size_t j = t->from, at = t->from; j < t->end_new; j++) {
        struct str key = {(const char *)&t->hash_new[j], sizeof(uint64_t)};
        size_t found = (size_t)(uintptr_t)map_find(&next, key);
        if (found > at) {
            out[j] = found - 1;
            at = found;
        }
    }
}

static bool same_keys(const struct node *a, const struct node *b)
{
    if (!node_is(a, NODE_MAP) || !node_is(b, NODE_MAP) || a->n != b->n) {
        return false;
    }
    for (size_t i = 0; i < a->n; i++) {
        if (!str_eq(a->members[i].key, b->members[i].key)) {
            return false;
        }
    }
    return true;
}

/* Runs of unmatched elements that are as long in both lists. */
static void match_gaps(const struct node *old, const struct node *new, size_t *out)
{
    for (size_t j = 0, at = 0, end; j < new->n; j = end) {
        for (end = j; end < new->n && out[end] == ALIGN_NONE; end++) {
        }
        size_t next = end < new->n ? out[end] : old->n;
        for (size_t k = j; next - at == end - j && k < end; k++) {
            if (same_keys(old->items[at + k - j], new->items[k])) {
                out[k] = at + k - j;
            }
        }
        for (; end < new->n && out[end] != ALIGN_NONE && out[end] >= next; end++) {
            next = at = out[end] + 1;
        }
    }
}

void align_equals(const struct node *old, const struct node *new, size_t *out)
{
    AUTO_MEM uint64_t *hash_old = mem_array(old->n + 1, sizeof(uint64_t));
    AUTO_MEM uint64_t *hash_new = mem_array(new->n + 1, sizeof(uint64_t));
    struct table t = {old, new, hash_old, hash_new, 0, old->n, new->n};
    struct todo todo = {0};
    for (size_t i = 0; i < old->n; i++) {
        hash_old[i] = hash_tree(&todo, old->items[i]);
    }
    for (size_t i = 0; i < new->n; i++) {
        hash_new[i] = hash_tree(&todo, new->items[i]);
        out[i] = ALIGN_NONE;
    }
    mem_free(todo.list);
    trim(&t, out);
    if ((t.end_old - t.from) * (t.end_new - t.from) <= MAX_TABLE) {
        match_best(&t, out);
    } else {
        match_greedy(&t, out);
    }
    match_gaps(old, new, out);
}
