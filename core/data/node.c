/* SPDX-License-Identifier: Apache-2.0
 *
 * See node.h. When the arena is exhausted makers return NULL and setters leave the tree as it was;
 * arena.exhausted tells. Recursion is bounded by the depth limit of the parsers.
 */
#include "data/node.h"

#include <stdlib.h>

#include "data/members.h"

static struct node *make(struct arena *a, enum node_type type)
{
    struct node *n = arena_new(a, struct node);
    if (n) {
        n->type = type;
    }
    return n;
}

struct node *node_null(struct arena *a)
{
    return make(a, NODE_NULL);
}

struct node *node_bool(struct arena *a, bool v)
{
    struct node *n = make(a, NODE_BOOL);
    if (n) {
        n->boolean = v;
    }
    return n;
}

struct node *node_int(struct arena *a, int64_t v)
{
    struct node *n = make(a, NODE_INT);
    if (n) {
        n->integer = v;
        n->text = arena_printf(a, "%lld", (long long)v);
    }
    return n && n->text.ptr ? n : NULL;
}

struct node *node_str(struct arena *a, struct str s)
{
    struct node *n = make(a, NODE_STRING);
    if (n) {
        n->text = s.ptr ? s : STR("");
    }
    return n;
}

struct node *node_strz(struct arena *a, const char *literal)
{
    return node_str(a, str_of(literal));
}

struct node *node_list(struct arena *a)
{
    return make(a, NODE_LIST);
}

struct node *node_map(struct arena *a)
{
    return make(a, NODE_MAP);
}

static struct node_notes *copy_notes(struct arena *a, const struct node_notes *n)
{
    struct node_notes *c = n ? arena_new(a, struct node_notes) : NULL;
    if (c) {
        *c = (struct node_notes){
            .head = arena_str(a, n->head),
            .line = arena_str(a, n->line),
            .foot = arena_str(a, n->foot),
            .top = arena_str(a, n->top),
            .bottom = arena_str(a, n->bottom),
            .anchor = arena_str(a, n->anchor),
            .tag = arena_str(a, n->tag),
        };
    }
    return c;
}

/* A node whose children still are the original's. */
static struct node *copy_one(struct arena *a, const struct node *n)
{
    struct node *c = arena_new(a, struct node);
    if (!c) {
        return NULL;
    }
    *c = *n;
    c->cap = c->n;
    c->notes = copy_notes(a, n->notes);
    if (n->type == NODE_LIST && n->n) {
        c->items = arena_array(a, struct node *, n->n);
        if (c->items) {
            memcpy(c->items, n->items, n->n * sizeof(*n->items));
        }
    } else if (n->type == NODE_MAP && n->n) {
        c->members = arena_array(a, struct node_member, n->n);
        for (size_t i = 0; c->members && i < n->n; i++) {
            c->members[i] = n->members[i];
            c->members[i].key = arena_str(a, n->members[i].key);
        }
    } else if (n->type != NODE_LIST && n->type != NODE_MAP && n->text.ptr) {
        c->text = arena_str(a, n->text);
    }
    return a->exhausted ? NULL : c;
}

static void push_place(struct buf *stack, struct node **place)
{
    if (*place) {
        buf_add(stack, &place, sizeof(place));
    }
}

struct node *node_copy(struct arena *a, const struct node *n)
{
    AUTO_BUF stack = BUF_INIT; /* places that hold nodes to be copied */
    struct node *top = (struct node *)n, **place; /* replaced, not written through */
    push_place(&stack, &top);
    while (stack.len) {
        stack.len -= sizeof(place);
        memcpy(&place, stack.ptr + stack.len, sizeof(place));
        struct node *c = *place = copy_one(a, *place);
        if (!c) {
            return NULL;
        }
        for (size_t i = 0; c->type == NODE_LIST && i < c->n; i++) {
            push_place(&stack, &c->items[i]);
        }
        for (size_t i = 0; c->type == NODE_MAP && i < c->n; i++) {
            push_place(&stack, &c->members[i].value);
            push_place(&stack, &c->members[i].name);
        }
    }
    return top;
}

static size_t find(const struct node *map, struct str key)
{
    if (!node_is(map, NODE_MAP)) {
        return MEMBERS_NONE;
    }
    for (size_t i = 0; i < map->n; i++) {
        if (str_eq(map->members[i].key, key)) {
            return i;
        }
    }
    return MEMBERS_NONE;
}

struct node *node_get(const struct node *map, struct str key)
{
    size_t i = find(map, key);
    return i == MEMBERS_NONE ? NULL : map->members[i].value;
}

struct node *node_getz(const struct node *map, const char *key)
{
    return node_get(map, str_of(key));
}

struct node *node_at(const struct node *map, const char *path)
{
    struct str rest = str_of(path);
    struct str key;
    const struct node *n = map;
    while (n && str_split(&rest, '.', &key)) {
        n = node_get(n, key);
    }
    return (struct node *)n;
}

struct str node_text(const struct node *n)
{
    return node_is(n, NODE_STRING) ? n->text : STR_NULL;
}

struct str node_text_at(const struct node *map, const char *path)
{
    return node_text(node_at(map, path));
}

int64_t node_int_at(const struct node *map, const char *path, int64_t none)
{
    const struct node *n = node_at(map, path);
    return node_is(n, NODE_INT) ? n->integer : none;
}

bool node_bool_at(const struct node *map, const char *path, bool none)
{
    const struct node *n = node_at(map, path);
    return node_is(n, NODE_BOOL) ? n->boolean : none;
}

static bool is_number(const struct node *n)
{
    return n->type == NODE_INT || n->type == NODE_FLOAT;
}

static bool has_fraction(struct str text)
{
    return str_find_byte(text, '.') >= 0 || str_find_byte(text, 'e') >= 0 ||
           str_find_byte(text, 'E') >= 0;
}

/* 1, 1.0 and 1e0 are equal; integers too large for int64 compare by their digits. */
static bool numbers_equal(const struct node *a, const struct node *b)
{
    if (a->type == NODE_INT && b->type == NODE_INT) {
        return a->integer == b->integer;
    }
    char za[64], zb[64];
    if (str_eq(a->text, b->text)) {
        return true;
    }
    if ((!has_fraction(a->text) && !has_fraction(b->text)) || a->text.len >= sizeof(za) ||
        b->text.len >= sizeof(zb) || !a->text.len || !b->text.len) {
        return false;
    }
    *(char *)mempcpy(za, a->text.ptr, a->text.len) = 0;
    *(char *)mempcpy(zb, b->text.ptr, b->text.len) = 0;
    return strtod(za, NULL) == strtod(zb, NULL);
}

struct pair {
    const struct node *a, *b;
};

static bool is_collection(const struct node *n)
{
    return n && (n->type == NODE_LIST || n->type == NODE_MAP);
}

static bool scalars_equal(const struct node *a, const struct node *b)
{
    if (is_number(a) && is_number(b)) {
        return numbers_equal(a, b);
    }
    return a->type == b->type && (a->type != NODE_BOOL || a->boolean == b->boolean) &&
           ((a->type != NODE_STRING && a->type != NODE_ALIAS) || str_eq(a->text, b->text));
}

/* Compares two nodes but for what is inside of them: collections wait on the stack. */
static bool equal_here(struct buf *stack, const struct node *a, const struct node *b)
{
    if (a == b) {
        return true;
    }
    if (!a || !b || !is_collection(a) || !is_collection(b)) {
        return a && b && scalars_equal(a, b);
    }
    struct pair p = {a, b};
    if (a->type == b->type && a->n == b->n) {
        buf_add(stack, &p, sizeof(p));
        return true;
    }
    return false;
}

/* A key that is null is the same whether it is written or not. */
static struct str key_of(const struct node_member *m)
{
    return m->key.len == 0 && node_is(m->name, NODE_NULL) ? STR("null") : m->key;
}

static bool maps_equal(struct buf *stack, const struct node *a, const struct node *b)
{
    AUTO_MEMBERS ix = {0};
    for (size_t i = 0; i < a->n; i++) {
        size_t j = i; /* most maps have the same order */
        if (!str_eq(key_of(&a->members[i]), key_of(&b->members[i]))) {
            j = members_find(&ix, b->members, b->n, a->members[i].key);
        }
        if (j == MEMBERS_NONE || !equal_here(stack, a->members[i].value, b->members[j].value)) {
            return false;
        }
    }
    return true;
}

static bool lists_equal(struct buf *stack, const struct node *a, const struct node *b)
{
    for (size_t i = 0; i < a->n; i++) {
        if (!equal_here(stack, a->items[i], b->items[i])) {
            return false;
        }
    }
    return true;
}

bool node_equal(const struct node *a, const struct node *b)
{
    AUTO_BUF stack = BUF_INIT;
    bool equal = equal_here(&stack, a, b);
    while (equal && stack.len) {
        struct pair p;
        stack.len -= sizeof(p);
        memcpy(&p, stack.ptr + stack.len, sizeof(p));
        equal = p.a->type == NODE_MAP ? maps_equal(&stack, p.a, p.b)
                                      : lists_equal(&stack, p.a, p.b);
    }
    return equal;
}

/* Room for one more element of `size` bytes behind the n that *p holds. */
static bool reserve(struct arena *a, struct node *n, void **p, size_t size)
{
    if (n->n < n->cap) {
        return true;
    }
    size_t cap = n->cap < 4 ? 4 : n->cap * 2;
    void *grown = arena_alloc(a, cap * size);
    if (!grown) {
        return false;
    }
    if (n->n) {
        memcpy(grown, *p, n->n * size);
    }
    *p = grown;
    n->cap = cap;
    return true;
}

static bool reserve_member(struct arena *a, struct node *map)
{
    void *p = map->members;
    bool ok = reserve(a, map, &p, sizeof(*map->members));
    map->members = p;
    return ok;
}

static bool reserve_item(struct arena *a, struct node *list)
{
    void *p = list->items;
    bool ok = reserve(a, list, &p, sizeof(*list->items));
    list->items = p;
    return ok;
}

void node_set(struct arena *a, struct node *map, struct str key, struct node *value)
{
    if (!node_is(map, NODE_MAP) || !value) {
        return;
    }
    size_t i = find(map, key);
    if (i != MEMBERS_NONE) {
        map->members[i].value = value;
    } else if (reserve_member(a, map)) {
        map->members[map->n++] = (struct node_member){key, value};
    }
}

void node_setz(struct arena *a, struct node *map, const char *key, struct node *value)
{
    node_set(a, map, str_of(key), value);
}

void node_set_strz(struct arena *a, struct node *map, const char *key, struct str value)
{
    node_set(a, map, str_of(key), node_str(a, value));
}

void node_set_at(struct arena *a, struct node *map, const char *path, struct node *value)
{
    struct str rest = str_of(path);
    struct str key;
    while (map && str_split(&rest, '.', &key)) {
        if (!rest.ptr) {
            node_set(a, map, key, value);
            return;
        }
        struct node *next = node_get(map, key);
        if (!node_is(next, NODE_MAP)) {
            next = node_map(a);
            node_set(a, map, key, next);
        }
        map = next;
    }
}

bool node_del(struct node *map, struct str key)
{
    size_t i = find(map, key);
    if (i == MEMBERS_NONE) {
        return false;
    }
    map->n--;
    memmove(&map->members[i], &map->members[i + 1], (map->n - i) * sizeof(*map->members));
    return true;
}

bool node_delz(struct node *map, const char *key)
{
    return node_del(map, str_of(key));
}

bool node_del_at(struct node *map, const char *path)
{
    struct str whole = str_of(path);
    ptrdiff_t dot = str_rfind_byte(whole, '.');
    if (dot < 0) {
        return node_del(map, whole);
    }
    struct str rest = str_sub(whole, 0, (size_t)dot);
    struct str key;
    while (map && str_split(&rest, '.', &key)) {
        map = node_get(map, key);
    }
    return node_del(map, str_sub(whole, (size_t)dot + 1, whole.len));
}

void node_push(struct arena *a, struct node *list, struct node *value)
{
    if (node_is(list, NODE_LIST)) {
        node_insert(a, list, list->n, value);
    }
}

void node_insert(struct arena *a, struct node *list, size_t at, struct node *value)
{
    if (!node_is(list, NODE_LIST) || !value || at > list->n || !reserve_item(a, list)) {
        return;
    }
    memmove(&list->items[at + 1], &list->items[at], (list->n - at) * sizeof(*list->items));
    list->items[at] = value;
    list->n++;
}

void node_remove(struct node *list, size_t at)
{
    if (!node_is(list, NODE_LIST) || at >= list->n) {
        return;
    }
    list->n--;
    memmove(&list->items[at], &list->items[at + 1], (list->n - at) * sizeof(*list->items));
}
