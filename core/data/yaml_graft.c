/* SPDX-License-Identifier: Apache-2.0
 *
 * See yaml_graft.h. Recursion is bounded by the depth of values, LIMIT_JSON_DEPTH.
 */
#include "data/yaml_graft.h"

#include "data/members.h"
#include "data/yaml_values.h"

/* Comparisons that matching two lists may take before the list is replaced as a whole. */
#define MAX_MATCHING 1000000u

/* Elements with the same identity are the same element with other values. */
static bool same_element(const struct node *a, const struct node *b)
{
    static const char *const names[] = {"type", "conditionType", "name", NULL};
    for (size_t i = 0; names[i]; i++) {
        struct str x = node_text(node_getz(a, names[i]));
        struct str y = node_text(node_getz(b, names[i]));
        if (x.len || y.len) {
            return str_eq(x, y);
        }
    }
    return false;
}

size_t yaml_match_items(const struct node *old, const struct node *want, size_t *match)
{
    size_t j = 0, found = 0;
    if ((uint64_t)old->n * want->n > MAX_MATCHING) {
        return 0;
    }
    for (size_t i = 0; i < old->n; i++) {
        size_t k = j;
        while (k < want->n && !node_equal(old->items[i], want->items[k]) &&
               !same_element(old->items[i], want->items[k])) {
            k++;
        }
        match[i] = k < want->n ? k : MEMBERS_NONE;
        if (k < want->n) {
            j = k + 1;
            found++;
        }
    }
    return found;
}

/* The wanted node with the comments of the one it replaces; the node itself when there are none. */
static struct node *replacement(struct arena *a, const struct node *source,
                                const struct node *want)
{
    const struct node_notes *old = source->notes;
    if (!old || !(old->head.len || old->line.len || old->foot.len)) {
        return (struct node *)want;
    }
    struct node *n = arena_new(a, struct node);
    struct node_notes *notes = arena_new(a, struct node_notes);
    if (!n || !notes) {
        return NULL;
    }
    *n = *want;
    *notes = (struct node_notes){.head = old->head, .line = old->line, .foot = old->foot};
    n->notes = notes;
    return n;
}

static struct node *shell(struct arena *a, const struct node *source, size_t cap)
{
    struct node *n = arena_new(a, struct node);
    if (n) {
        *n = *source;
        n->n = 0;
        n->cap = (uint32_t)cap;
        n->members = NULL;
    }
    return n;
}

/* New pairs of a map, each behind the old one that it follows in what is wanted. */
struct newcomers {
    size_t *first, *last; /* by old pair, the last one for those that follow none: index + 1 */
    size_t *next;         /* by wanted pair */
};

static bool newcomers_init(struct arena *a, struct newcomers *c, size_t n_old, size_t n_want)
{
    c->first = arena_array(a, size_t, n_old + 1);
    c->last = arena_array(a, size_t, n_old + 1);
    c->next = arena_array(a, size_t, n_want + 1);
    return c->first && c->last && c->next;
}

static void newcomers_add(struct newcomers *c, size_t above, size_t i)
{
    if (c->last[above]) {
        c->next[c->last[above] - 1] = i + 1;
    } else {
        c->first[above] = i + 1;
    }
    c->last[above] = i + 1;
}

/* The old pairs with the new ones between them. */
static void settle(struct arena *a, struct node *map, const struct newcomers *c,
                   const struct node *want, size_t cap)
{
    struct node_member *all = arena_array(a, struct node_member, cap + 1);
    size_t n = 0;
    for (size_t i = 0; all && i <= map->n; i++) {
        if (i < map->n) {
            all[n++] = map->members[i];
        }
        for (size_t at = c->first[i]; at; at = c->next[at - 1]) {
            all[n++] = want->members[at - 1];
        }
    }
    if (all) {
        map->members = all;
        map->n = n;
    }
}

static struct node *graft_map(struct arena *a, struct node *source, const struct node *values,
                              const struct node *want)
{
    AUTO_MEMBERS wanted = {0}, given = {0}, kept = {0};
    size_t cap = source->n + want->n, n_pairs = 0;
    struct node *map = shell(a, source, cap);
    struct node_member *members = arena_array(a, struct node_member, cap + 1);
    struct newcomers new = {0};
    if (!map || !members || !newcomers_init(a, &new, source->n, want->n)) {
        return NULL;
    }
    map->members = members;
    for (size_t i = 0; i < source->n; i++) {
        struct node_member m = source->members[i];
        if (yaml_is_merge(&m)) {
            members[map->n++] = m;
            continue;
        }
        const struct node_member *v = &values->members[n_pairs++]; /* pairs come first, in order */
        size_t at = members_find(&wanted, want->members, want->n, v->key);
        if (at != MEMBERS_NONE) {
            m.value = yaml_graft(a, m.value, v->value, want->members[at].value);
            members[map->n++] = m;
        }
    }
    size_t above = map->n;
    for (size_t i = 0; i < want->n; i++) {
        struct str key = want->members[i].key;
        size_t at = members_find(&given, values->members, values->n, key);
        bool merged = at != MEMBERS_NONE && at >= n_pairs;
        if (at == MEMBERS_NONE ||
            (merged && !node_equal(values->members[at].value, want->members[i].value))) {
            newcomers_add(&new, above, i);
        } else if ((at = members_find(&kept, members, map->n, key)) != MEMBERS_NONE) {
            above = at;
        }
    }
    settle(a, map, &new, want, cap);
    return a->exhausted ? NULL : map;
}

static struct node *graft_list(struct arena *a, struct node *source, const struct node *values,
                               const struct node *want)
{
    size_t *match = arena_array(a, size_t, values->n + 1);
    struct node *list = shell(a, source, want->n);
    struct node **items = arena_array(a, struct node *, want->n + 1);
    if (!match || !list || !items) {
        return NULL;
    }
    list->items = items;
    list->n = want->n;
    memcpy(items, want->items, want->n * sizeof(*items));
    if (yaml_match_items(values, want, match)) {
        for (size_t i = 0; i < values->n; i++) {
            if (match[i] != MEMBERS_NONE) {
                items[match[i]] = yaml_graft(a, source->items[i], values->items[i],
                                             want->items[match[i]]);
            }
        }
    }
    return list;
}

struct node *yaml_graft(struct arena *a, struct node *source, const struct node *values,
                        const struct node *want)
{
    if (node_equal(values, want)) {
        return source;
    }
    if (source->type == want->type && source->n && want->n) {
        if (want->type == NODE_MAP) {
            return graft_map(a, source, values, want);
        }
        if (want->type == NODE_LIST) {
            return graft_list(a, source, values, want);
        }
    }
    return replacement(a, source, want);
}
