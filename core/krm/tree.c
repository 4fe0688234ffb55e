/* SPDX-License-Identifier: Apache-2.0
 *
 * See tree.h. Stacks of nodes still to visit live in a buf.
 */
#include "krm/tree.h"

#include "base/map.h"

struct pair {
    const struct node *a, *b;
};

static void push_pair(struct buf *stack, const struct node *a, const struct node *b)
{
    struct pair p = {a, b};
    buf_add(stack, &p, sizeof p);
}

static struct pair pop_pair(struct buf *stack)
{
    struct pair p;
    stack->len -= sizeof p;
    memcpy(&p, stack->ptr + stack->len, sizeof p);
    return p;
}

struct str krm_tree_text(const struct node *n)
{
    if (n && n->type == NODE_BOOL && n->text.len == 0) {
        return n->boolean ? STR("true") : STR("false");
    }
    return krm_tree_scalar(n) ? n->text : STR_NULL;
}

/* Explicit tags of the core rules are what the type says already. */
static struct str own_tag(const struct node *n)
{
    struct str tag = n->notes ? n->notes->tag : STR_NULL;
    return str_has_prefix(tag, STR("!!")) ? STR_NULL : tag;
}

static bool equal_members(struct buf *stack, const struct node *a, const struct node *b)
{
    for (size_t i = 0; i < a->n; i++) {
        const struct node_member *x = &a->members[i], *y = &b->members[i];
        if (!str_eq(x->key, y->key)) {
            return false;
        }
        push_pair(stack, x->value, y->value);
        if (x->name && y->name) {
            push_pair(stack, x->name, y->name);
        }
    }
    return true;
}

/* Compares the two nodes themselves and leaves what is below them on the stack. */
static bool equal_here(struct buf *stack, const struct node *a, const struct node *b)
{
    if (!a || !b) {
        return a == b;
    }
    if (a->type != b->type || a->n != b->n || !str_eq(own_tag(a), own_tag(b))) {
        return false;
    }
    if (a->type == NODE_MAP) {
        return equal_members(stack, a, b);
    }
    for (size_t i = 0; a->type == NODE_LIST && i < a->n; i++) {
        push_pair(stack, a->items[i], b->items[i]);
    }
    return a->type == NODE_LIST || str_eq(a->type == NODE_ALIAS ? a->text : krm_tree_text(a),
                                          b->type == NODE_ALIAS ? b->text : krm_tree_text(b));
}

static bool same_notes(const struct node *a, const struct node *b)
{
    static const struct node_notes none = {0};
    const struct node_notes *x = a && a->notes ? a->notes : &none;
    const struct node_notes *y = b && b->notes ? b->notes : &none;
    return str_eq(x->head, y->head) && str_eq(x->line, y->line) && str_eq(x->foot, y->foot) &&
           str_eq(x->anchor, y->anchor);
}

/* Keys without a node of their own are plain strings without comments. */
static bool same_names(const struct node *a, const struct node *b)
{
    for (size_t i = 0; i < a->n; i++) {
        const struct node *x = a->members[i].name, *y = b->members[i].name;
        if (!same_notes(x, y) || (x ? x->style : 0) != (y ? y->style : 0)) {
            return false;
        }
    }
    return true;
}

static bool same_here(const struct node *a, const struct node *b, bool top)
{
    return !a || (same_notes(a, b) && ((top && !krm_tree_scalar(a)) || a->style == b->style) &&
                  (a->type != NODE_MAP || same_names(a, b)));
}

static bool compare(const struct node *a, const struct node *b, bool notes)
{
    AUTO_BUF stack = BUF_INIT;
    bool top = true;
    push_pair(&stack, a, b);
    while (stack.len > 0) {
        struct pair p = pop_pair(&stack);
        if (p.a == p.b) {
            continue;
        }
        if (!equal_here(&stack, p.a, p.b) || (notes && !same_here(p.a, p.b, top))) {
            return false;
        }
        top = false;
    }
    return true;
}

bool krm_tree_equal(const struct node *a, const struct node *b)
{
    return compare(a, b, false);
}

bool krm_tree_same(const struct node *a, const struct node *b)
{
    return compare(a, b, true);
}

struct node *krm_tree_shallow(struct arena *a, const struct node *n)
{
    struct node *c = n ? arena_new(a, struct node) : NULL;
    if (c) {
        *c = *n;
        c->span_from = c->span_to = 0;
    }
    return c;
}

/* Gives the copy its own array of children, which still are the original's. */
static bool own_children(struct arena *a, struct node *c)
{
    if (c->n == 0 || (c->type != NODE_LIST && c->type != NODE_MAP)) {
        return true;
    }
    c->cap = c->n;
    size_t size = c->type == NODE_LIST ? sizeof *c->items : sizeof *c->members;
    void *children = arena_alloc(a, c->n * size);
    if (!children) {
        return false;
    }
    memcpy(children, c->type == NODE_LIST ? (void *)c->items : (void *)c->members, c->n * size);
    if (c->type == NODE_LIST) {
        c->items = children;
    } else {
        c->members = children;
    }
    return true;
}

static void push_place(struct buf *stack, struct node **place)
{
    buf_add(stack, &place, sizeof place);
}

static struct node **pop_place(struct buf *stack)
{
    struct node **place;
    stack->len -= sizeof place;
    memcpy(&place, stack->ptr + stack->len, sizeof place);
    return place;
}

/* A copy of one node with its place in the source and notes of its own. */
static struct node *record(struct arena *a, const struct node *n)
{
    struct node *c = arena_new(a, struct node);
    if (!c) {
        return NULL;
    }
    *c = *n;
    c->notes = n->notes ? arena_new(a, struct node_notes) : NULL;
    if (n->notes && c->notes) {
        *c->notes = *n->notes;
    }
    return c;
}

static struct node *copy(struct arena *a, const struct node *n, bool placed)
{
    AUTO_BUF stack = BUF_INIT;
    struct node *top = (struct node *)n; /* a place that is replaced, not written through */
    push_place(&stack, &top);
    while (stack.len > 0) {
        struct node **place = pop_place(&stack);
        if (!*place) {
            continue;
        }
        struct node *c = *place = placed ? record(a, *place) : krm_tree_shallow(a, *place);
        if (!c || !own_children(a, c)) {
            return NULL;
        }
        for (size_t i = 0; c->type == NODE_LIST && i < c->n; i++) {
            push_place(&stack, &c->items[i]);
        }
        for (size_t i = 0; c->type == NODE_MAP && i < c->n; i++) {
            struct node_member *m = &c->members[i];
            if (!placed) {
                m->from = m->to = 0;
            }
            push_place(&stack, &m->value);
            push_place(&stack, &m->name);
        }
    }
    return top;
}

struct node *krm_tree_take(struct arena *a, const struct node *n)
{
    return copy(a, n, false);
}

struct node *krm_tree_snapshot(struct arena *a, const struct node *n)
{
    return copy(a, n, true);
}

void krm_tree_push(struct arena *a, struct node *map, struct node_member member)
{
    if (map->n == map->cap) {
        size_t cap = map->cap < 4 ? 4 : map->cap * 2;
        struct node_member *members = arena_array(a, struct node_member, cap);
        if (!members) {
            return; /* arena.exhausted tells */
        }
        if (map->n > 0) {
            memcpy(members, map->members, map->n * sizeof *members);
        }
        map->members = members;
        map->cap = cap;
    }
    map->members[map->n++] = member;
}

size_t krm_tree_find(const struct node *map, struct str key)
{
    for (size_t i = 0; node_is(map, NODE_MAP) && i < map->n; i++) {
        if (str_eq(map->members[i].key, key)) {
            return i;
        }
    }
    return SIZE_MAX;
}

/* --- aliases --- */

/* The children of n as places, the first one on top. */
static void push_children(struct buf *stack, struct node *n)
{
    for (size_t i = n->type == NODE_LIST ? n->n : 0; i > 0; i--) {
        push_place(stack, &n->items[i - 1]);
    }
    for (size_t i = n->type == NODE_MAP ? n->n : 0; i > 0; i--) {
        push_place(stack, &n->members[i - 1].value);
    }
}

static struct node *without_anchor(struct arena *a, const struct node *n)
{
    struct node *c = krm_tree_shallow(a, n);
    struct node_notes *notes = arena_new(a, struct node_notes);
    if (!c || !notes || !own_children(a, c)) {
        return NULL;
    }
    if (n->notes) {
        *notes = *n->notes;
        notes->anchor = STR_NULL;
        c->notes = notes;
    }
    return c;
}

struct settling {
    struct arena *a;
    struct map anchors; /* name → the node that an alias of that name means here */
    size_t n_copied;
};

/* Settles one place; its children follow. Below a copy everything is a copy, without anchors. */
static bool settle_place(struct settling *s, struct node **place, bool copying, struct buf *stack,
                         struct buf *copies)
{
    struct node *n = *place;
    bool stale = n->type == NODE_ALIAS && map_find(&s->anchors, n->text) != n->target;
    if (n->type == NODE_ALIAS && !stale) {
        return true;
    }
    if (copying || stale) {
        const struct node *from = stale ? n->target : n;
        if (!from || ++s->n_copied > KRM_TREE_ALIAS_NODES) {
            return false;
        }
        n = *place = without_anchor(s->a, from);
        if (!n) {
            return false;
        }
        if (n->type == NODE_ALIAS) { /* an anchor may bear an alias that is stale itself */
            push_place(copies, place);
            return true;
        }
        push_children(copies, n);
        return true;
    }
    if (n->notes && n->notes->anchor.len) {
        (void)map_set(&s->anchors, n->notes->anchor, n);
    }
    push_children(stack, n);
    return true;
}

bool krm_tree_settle_aliases(struct arena *a, struct node **top)
{
    AUTO_BUF stack = BUF_INIT;
    AUTO_BUF copies = BUF_INIT;
    struct settling s = {.a = a};
    bool fine = true;
    push_place(&stack, top);
    while (fine && (copies.len || stack.len)) {
        bool copying = copies.len > 0;
        struct node **place = pop_place(copying ? &copies : &stack);
        fine = !*place || settle_place(&s, place, copying, &stack, &copies);
    }
    map_done(&s.anchors);
    return fine;
}
