/* SPDX-License-Identifier: Apache-2.0
 *
 * Lists whose elements merge by the values of their keys (merge_walk.h). The order and the oddities
 * are kyaml's: tuples of key values come from all sides in turn, each tuple's elements merge as a
 * map, and the results go back into the first list as if they were set one by one. Everything is
 * looked up through hash chains, so long lists stay linear.
 */
#include "base/map.h"
#include "data/yaml_doc.h"
#include "krm/merge_walk.h"
#include "krm/tree.h"

#define MASKS (1 << KRM_PLACE_KEYS) /* subsets of the keys */

/* Lists with more tuples than this are not searched for pairs that differ in an empty value only:
 * it takes a comparison of all with all. */
#define PAIRS_MAX 1000

struct tuple {
    struct str v[KRM_PLACE_KEYS];
};

/* The keys of a list; none: the elements are scalars and their own keys. */
struct keys {
    const char *name[KRM_PLACE_KEYS];
    size_t n;
    bool set;
};

/* --- key values --- */

static struct keys keys_of(const char *const *names)
{
    struct keys k = {.set = !names, .n = names ? 0 : 1};
    for (; names && *names && k.n < KRM_PLACE_KEYS; names++) {
        k.name[k.n++] = *names;
    }
    return k;
}

/* Whether the element has that key, and its text: empty for collections and nulls. */
static bool key_value(const struct keys *k, const struct node *element, size_t i, struct str *out)
{
    const struct node *v = k->set ? element : node_getz(element, k->name[i]);
    *out = krm_tree_none(v) ? STR_NULL : krm_tree_text(v);
    return v != NULL;
}

static struct tuple tuple_of(const struct keys *k, const struct node *element)
{
    struct tuple t = {{STR_NULL}};
    for (size_t i = 0; i < k->n; i++) {
        (void)key_value(k, element, i, &t.v[i]);
    }
    return t;
}

/* The keys that have a value. */
static unsigned mask_of(const struct keys *k, const struct tuple *t)
{
    unsigned mask = 0;
    for (size_t i = 0; i < k->n; i++) {
        mask |= t->v[i].len ? 1u << i : 0;
    }
    return mask;
}

static void add_value(struct buf *b, struct str v)
{
    uint32_t len = (uint32_t)v.len;
    buf_add(b, &len, sizeof len);
    buf_add_str(b, v);
}

/* A tuple's values under a mask as a key of a hash map. */
static struct str hash_key(struct buf *b, const struct keys *k, const struct tuple *t,
                           unsigned mask)
{
    buf_clear(b);
    buf_addc(b, (char)mask);
    for (size_t i = 0; i < k->n; i++) {
        if (mask & (1u << i)) {
            add_value(b, t->v[i]);
        }
    }
    return buf_str(b);
}

/* Tuples that were there: looked through while they are few, hashed then. */
#define FEW 16

struct seen {
    struct tuple list[FEW];
    size_t n;
    struct map all;
    struct buf scratch;
};

#define AUTO_SEEN __attribute__((cleanup(seen_done))) struct seen

static void seen_done(struct seen *s)
{
    map_done(&s->all);
    buf_done(&s->scratch);
}

static void seen_hash(struct seen *s, const struct keys *k, const struct tuple *t)
{
    (void)map_set(&s->all, hash_key(&s->scratch, k, t, MASKS - 1), s);
}

/* Adds the tuple; false when it was there. */
static bool seen_add(struct seen *s, const struct keys *k, const struct tuple *t)
{
    for (size_t i = 0; i < s->n && i < FEW; i++) {
        bool same = true;
        for (size_t j = 0; same && j < k->n; j++) {
            same = str_eq(s->list[i].v[j], t->v[j]);
        }
        if (same) {
            return false;
        }
    }
    if (s->n > FEW && map_has(&s->all, hash_key(&s->scratch, k, t, MASKS - 1))) {
        return false;
    }
    if (s->n < FEW) {
        s->list[s->n] = *t;
    } else {
        seen_hash(s, k, t);
    }
    s->n++;
    return true;
}

/* --- elements that can be found by their values --- */

struct bag {
    const struct keys *k;
    struct node **slots; /* NULL: removed */
    size_t n, cap;
    struct map heads; /* mask and values → index + 1 of the first link */
    struct {
        uint32_t slot, next, last;
    } * links; /* last: of a first link */
    size_t n_links, cap_links;
    struct buf scratch;
    struct arena *a;
};

/* Slots of a bag of few elements are looked through, those of others are linked. */
static bool bag_is_linked(const struct bag *b)
{
    return b->n > FEW;
}

static void bag_done(struct bag *b)
{
    map_done(&b->heads);
    buf_done(&b->scratch);
}

static void *grown(struct arena *a, const void *old, size_t n, size_t cap, size_t size)
{
    void *p = arena_alloc(a, cap * size);
    if (p && n) {
        memcpy(p, old, n * size);
    }
    return p;
}

static void bag_link(struct bag *b, struct str key, size_t slot)
{
    if (b->n_links + 1 >= b->cap_links) {
        size_t cap = b->cap_links ? b->cap_links * 2 : 16;
        void *links = grown(b->a, b->links, b->n_links, cap, sizeof *b->links);
        if (!links) {
            return; /* arena.exhausted tells */
        }
        b->links = links;
        b->cap_links = cap;
    }
    uint32_t at = (uint32_t)b->n_links++;
    b->links[at].slot = (uint32_t)slot;
    b->links[at].next = UINT32_MAX;
    b->links[at].last = at;
    uintptr_t head = (uintptr_t)map_find(&b->heads, key);
    if (!head) {
        (void)map_set(&b->heads, key, (void *)(uintptr_t)(at + 1));
        return;
    }
    b->links[b->links[head - 1].last].next = at;
    b->links[head - 1].last = at;
}

/* Makes the slot findable by every subset of its element's values. */
static void bag_index(struct bag *b, size_t slot)
{
    struct tuple t = tuple_of(b->k, b->slots[slot]);
    unsigned has = mask_of(b->k, &t);
    for (unsigned mask = 1; mask < MASKS; mask++) {
        if ((mask & has) == mask) {
            bag_link(b, hash_key(&b->scratch, b->k, &t, mask), slot);
        }
    }
}

static void bag_add(struct bag *b, struct node *element)
{
    if (b->n == b->cap) {
        size_t cap = b->cap ? b->cap * 2 : 8;
        struct node **slots = grown(b->a, b->slots, b->n, cap, sizeof *slots);
        if (!slots) {
            return;
        }
        b->slots = slots;
        b->cap = cap;
    }
    b->slots[b->n++] = element;
    for (size_t i = b->n == FEW + 1 ? 0 : b->n - 1; bag_is_linked(b) && i < b->n; i++) {
        bag_index(b, i);
    }
}

static struct bag bag_of(struct arena *a, const struct keys *k, const struct node *list)
{
    struct bag b = {.k = k, .a = a};
    for (size_t i = 0; node_is(list, NODE_LIST) && i < list->n; i++) {
        bag_add(&b, list->items[i]);
    }
    return b;
}

/* The element has the values of mask; without any it has all keys, and they are empty. */
static bool has_values(const struct keys *k, const struct node *e, const struct tuple *t,
                       unsigned mask)
{
    bool same = e != NULL;
    for (size_t i = 0; same && i < k->n; i++) {
        struct str v = STR_NULL;
        same = (mask && !(mask & (1u << i))) || (key_value(k, e, i, &v) && str_eq(v, t->v[i]));
    }
    return same;
}

static bool matches(const struct keys *k, const struct node *e, const struct tuple *t, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct str v;
        if (!key_value(k, e, i, &v) || (t->v[i].len && !str_eq(v, t->v[i]))) {
            return false;
        }
    }
    return true;
}

/* Walks over the slots that may have the values of mask: all of them, or those that once had. */
struct search {
    struct bag *b;
    bool linked;
    size_t at; /* of the slot, or of the link, + 1 */
};

static struct search search_for(struct bag *b, const struct tuple *t, unsigned mask)
{
    struct search s = {.b = b, .linked = mask && bag_is_linked(b)};
    s.at = s.linked ? (uintptr_t)map_find(&b->heads, hash_key(&b->scratch, b->k, t, mask)) : 1;
    return s;
}

/* The next slot, or NULL. */
static struct node **search_next(struct search *s)
{
    if (!s->linked) {
        return s->at <= s->b->n ? &s->b->slots[s->at++ - 1] : NULL;
    }
    if (s->at == 0) {
        return NULL;
    }
    uint32_t slot = s->b->links[s->at - 1].slot, next = s->b->links[s->at - 1].next;
    s->at = next == UINT32_MAX ? 0 : next + (size_t)1;
    return &s->b->slots[slot];
}

/* The first element with these values; keys without a value do not count. */
static struct node *bag_find(struct bag *b, const struct tuple *t)
{
    unsigned mask = mask_of(b->k, t);
    struct search s = search_for(b, t, mask);
    for (struct node **slot; (slot = search_next(&s));) {
        if (has_values(b->k, *slot, t, mask)) {
            return *slot;
        }
    }
    return NULL;
}

/* Replaces (NULL: removes) every element that has the first n values; a key whose value is empty
 * only has to be there. True when there was one. */
static bool bag_replace(struct bag *b, const struct tuple *t, size_t n, struct node *element)
{
    bool found = false;
    struct search s = search_for(b, t, mask_of(b->k, t) & ((1u << n) - 1));
    for (struct node **slot; (slot = search_next(&s));) {
        if (*slot && matches(b->k, *slot, t, n)) {
            *slot = element;
            found = true;
        }
    }
    return found;
}

static void bag_set(struct bag *b, const struct tuple *t, size_t n, struct node *element)
{
    if (!bag_replace(b, t, n, element)) {
        bag_add(b, element);
    }
}

/* --- tuples --- */

struct tuples {
    struct tuple *list;
    size_t n;
};

/* The values of all sides' elements, each once, in order of the sides. */
static struct tuples all_tuples(struct krm_walk *w, struct node **s, const struct keys *k)
{
    size_t n = 0;
    for (size_t i = 0; i < SIDES; i++) {
        n += node_is(s[i], NODE_LIST) ? s[i]->n : 0;
    }
    struct tuples out = {.list = arena_array(w->a, struct tuple, n)};
    AUTO_SEEN seen = {.n = 0};
    for (size_t i = 0; out.list && i < SIDES; i++) {
        const struct node *list = s[w->prepend ? (i + THEIRS) % SIDES : i];
        for (size_t j = 0; node_is(list, NODE_LIST) && j < list->n; j++) {
            struct tuple t = tuple_of(k, list->items[j]);
            if (seen_add(&seen, k, &t)) {
                out.list[out.n++] = t;
            }
        }
    }
    return out;
}

/* Two tuples are one when they share a value and the rest differ only by an empty one. */
static bool pair(const struct tuple *x, const struct tuple *y, size_t n, struct tuple *out)
{
    bool common = false;
    for (size_t i = 0; i < n; i++) {
        common = common || str_eq(x->v[i], y->v[i]);
        if (!str_eq(x->v[i], y->v[i]) && x->v[i].len && y->v[i].len) {
            return false;
        }
        out->v[i] = x->v[i].len ? x->v[i] : y->v[i];
    }
    return common;
}

static void join_pairs(struct tuples *t, const struct keys *k)
{
    for (size_t i = 0; k->n > 1 && t->n <= PAIRS_MAX && i < t->n; i++) {
        struct tuple first = t->list[i], joined = first;
        for (size_t j = 0; j < t->n; j++) {
            if (pair(&first, &t->list[j], k->n, &joined)) {
                t->list[i] = t->list[j] = joined;
            }
        }
    }
}

/* Keys that no element gives a value do not count, unless that is all of them. */
static struct keys used_keys(const struct tuples *t, struct keys k, struct tuples *out)
{
    unsigned used = 0;
    for (size_t i = 0; i < t->n; i++) {
        used |= mask_of(&k, &t->list[i]);
    }
    *out = *t;
    if (used == 0 || used == (1u << k.n) - 1) {
        return k;
    }
    struct keys some = {.set = k.set};
    for (size_t i = 0; i < k.n; i++) {
        if (!(used & (1u << i))) {
            continue;
        }
        for (size_t j = 0; j < t->n; j++) {
            out->list[j].v[some.n] = t->list[j].v[i];
        }
        some.name[some.n++] = k.name[i];
    }
    return some;
}

/* --- elements --- */

static void push_element(struct krm_walk *w, const struct keys *k, const struct tuple *t)
{
    buf_addc(&w->path, '[');
    for (size_t i = 0, n = 0; i < k->n; i++) {
        if (k->n > 1 && t->v[i].len == 0) {
            continue;
        }
        buf_addz(&w->path, n++ ? "," : "");
        buf_addz(&w->path, k->set ? "" : k->name[i]);
        buf_addc(&w->path, '=');
        buf_add_str(&w->path, t->v[i]);
    }
    buf_addc(&w->path, ']');
}

/* A scalar of the type that the text looks like. */
static struct node *untagged(struct arena *a, struct str text)
{
    struct node *n = node_str(a, text);
    if (n) {
        n->type = yaml_core_type(text);
        n->boolean = n->type == NODE_BOOL && text.ptr[0] == 't';
        (void)(n->type == NODE_INT && str_to_int64(text, &n->integer));
    }
    return n;
}

/* A merged element has its keys, whatever the sides said; with kpt they are strings then, numbers
 * too. A scalar is made anew from its text by kpt, which loses its comments. */
static struct node *with_keys(struct krm_walk *w, const struct keys *k, const struct tuple *t,
                              struct node *element)
{
    if (k->set) {
        if (!w->kpt || !krm_tree_scalar(element)) {
            return element;
        }
        struct node *fresh = untagged(w->a, t->v[0]);
        if (fresh) {
            fresh->style = element->style;
        }
        return fresh;
    }
    for (size_t i = 0; i < k->n; i++) {
        struct str key = str_of(k->name[i]);
        if (t->v[i].len && node_is(element, NODE_MAP) && krm_tree_find(element, key) == SIZE_MAX) {
            struct node *v = w->kpt ? node_str(w->a, t->v[i]) : untagged(w->a, t->v[i]);
            krm_walk_set(w, element, SIZE_MAX, key, NULL, v);
        }
    }
    return element;
}

static bool is_nothing(const struct node *n)
{
    return krm_tree_none(n) || (n->type == NODE_MAP && n->n == 0);
}

struct lists {
    struct krm_walk *w;
    struct keys k;
    struct bag side[SIDES]; /* side[OURS] is the list that becomes the result */
    struct bag merged;
};

static void merge_tuple(struct lists *l, const struct tuple *t, const struct krm_place *place)
{
    struct krm_walk *w = l->w;
    struct node *s[SIDES];
    for (size_t i = 0; i < SIDES; i++) {
        s[i] = bag_find(&l->side[i], t);
    }
    const struct node *theirs = s[THEIRS], *ours = s[OURS];
    size_t path = w->path.len, list_at = w->list_at;
    push_element(w, &l->k, t);
    w->list_at = w->path.len;
    struct node *e = krm_walk(w, s, place, true);
    w->path.len = path;
    w->list_at = list_at;
    if (w->failed) {
        return;
    }
    if (is_nothing(e)) {
        (void)bag_replace(&l->side[OURS], t, l->k.n, NULL);
        return;
    }
    if (e == theirs && e != ours) {
        e = krm_tree_take(w->a, e);
    }
    e = with_keys(w, &l->k, t, e);
    bag_set(&l->merged, t, l->k.n, e);
}

/* Puts the elements of one list into another: by a single key in the place of its namesakes, by
 * several behind everything. */
static void append_elements(struct krm_walk *w, const struct keys *k, struct bag *to,
                            const struct bag *from)
{
    for (size_t i = 0; i < from->n; i++) {
        struct node *e = from->slots[i];
        struct tuple values = {{STR_NULL}};
        size_t n = 0;
        for (size_t j = 0; e && j < k->n; j++) {
            if (key_value(k, e, j, &values.v[n])) {
                n++;
            }
        }
        if (!e) {
            continue;
        }
        if (n == 0) {
            bag_add(to, e); /* without any key there is nobody to replace */
            continue;
        }
        if (k->n > 1) {
            (void)bag_replace(to, &values, n, NULL);
        }
        bag_set(to, &values, n, e);
    }
}

static void take_elements(struct arena *a, struct node *list, const struct bag *from)
{
    list->items = arena_array(a, struct node *, from->n);
    list->n = list->cap = 0;
    for (size_t i = 0; list->items && i < from->n; i++) {
        if (!is_nothing(from->slots[i])) {
            list->items[list->n++] = from->slots[i];
        }
    }
    list->cap = from->n;
}

bool krm_walk_identifies(const struct node *list, const char *const *keys)
{
    struct keys k = keys_of(keys && keys[0] ? keys : NULL);
    AUTO_SEEN seen = {.n = 0};
    for (size_t i = 0; node_is(list, NODE_LIST) && i < list->n; i++) {
        const struct node *e = list->items[i];
        struct tuple t = tuple_of(&k, e);
        bool fits = k.set ? krm_tree_scalar(e) : node_is(e, NODE_MAP);
        if (!fits || mask_of(&k, &t) == 0 || !seen_add(&seen, &k, &t)) {
            return false;
        }
    }
    return true;
}

struct node *krm_walk_elements(struct krm_walk *w, struct node **s, const struct krm_place *place,
                               const char *const *keys)
{
    struct node *dest = s[OURS];
    struct lists l = {.w = w, .k = keys_of(keys)};
    struct tuples t = all_tuples(w, s, &l.k);
    join_pairs(&t, &l.k);
    l.k = used_keys(&t, l.k, &t);
    l.merged = bag_of(w->a, &l.k, NULL);
    for (size_t i = 0; i < SIDES; i++) {
        l.side[i] = bag_of(w->a, &l.k, s[i]);
    }
    for (size_t i = 0; i < t.n && !w->failed; i++) {
        merge_tuple(&l, &t.list[i], krm_place_items(place));
    }
    if (!w->failed && t.n > 0) {
        struct bag *to = w->prepend ? &l.merged : &l.side[OURS];
        append_elements(w, &l.k, to, w->prepend ? &l.side[OURS] : &l.merged);
        take_elements(w->a, dest, to);
    }
    for (size_t i = 0; i < SIDES; i++) {
        bag_done(&l.side[i]);
    }
    bag_done(&l.merged);
    return dest;
}
