/* SPDX-License-Identifier: Apache-2.0
 *
 * See heal.h. Both walks go over pairs of nodes with a stack of their own. kpt visits elements by
 * index before it visits them by key, and what comes first wins; so pairs are pushed in reverse.
 */
#include "krm/heal.h"

#include "base/map.h"
#include "base/mem.h"
#include "krm/align.h"
#include "krm/annotation.h"
#include "krm/tree.h"

struct pair {
    const struct node *old; /* NULL: not there */
    struct node *new;
    const struct krm_place *place;
};

struct heal {
    struct arena *a;
    const struct krm_heal_options *o;
    struct pair *stack;
    size_t n, cap;
    size_t *match; /* scratch for one list */
    size_t cap_match;
    struct map budget; /* comment → how often it may still be copied, plus one */
};

static void heal_done(struct heal *h)
{
    mem_free(h->stack);
    mem_free(h->match);
    map_done(&h->budget);
}

#define AUTO_HEAL AUTO(heal_done) struct heal

static void push(struct heal *h, const struct node *old, struct node *new,
                 const struct krm_place *place)
{
    if (h->n == h->cap) {
        h->cap = h->cap ? h->cap * 2 : 64;
        h->stack = mem_resize(h->stack, h->cap * sizeof(*h->stack));
    }
    h->stack[h->n++] = (struct pair){old, new, place};
}

static size_t *match_room(struct heal *h, size_t n)
{
    if (n > h->cap_match) {
        h->cap_match = n * 2;
        h->match = mem_resize(h->match, h->cap_match * sizeof(*h->match));
    }
    return h->match;
}

/* --- members by key --- */

/* Small maps are searched, large ones indexed. */
#define INDEX_FROM 16

struct finder {
    const struct node *map;
    struct map index;
};

static void finder_done(struct finder *f)
{
    map_done(&f->index);
}

#define AUTO_FINDER AUTO(finder_done) struct finder

static struct finder make_finder(const struct node *map)
{
    struct finder f = {.map = map};
    for (size_t i = map->n; map->n > INDEX_FROM && i-- > 0;) {
        map_set(&f.index, map->members[i].key, (void *)(uintptr_t)(i + 1));
    }
    return f;
}

static size_t find_member(const struct finder *f, struct str key)
{
    if (f->map->n > INDEX_FROM) {
        return (size_t)(uintptr_t)map_find(&f->index, key) - 1;
    }
    return krm_tree_find(f->map, key);
}

/* --- comments --- */

/* Counts every comment of a tree: by `step` for each place it stands at. */
static void count_comments(struct heal *h, const struct node *root, intptr_t step)
{
    size_t base = h->n;
    push(h, root, NULL, NULL);
    while (h->n > base) {
        const struct node *n = h->stack[--h->n].old;
        if (n->notes) {
            const struct str texts[] = {n->notes->head, n->notes->line, n->notes->foot,
                                        n->notes->top, n->notes->bottom};
            for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
                if (texts[i].len) {
                    intptr_t had = (intptr_t)map_find(&h->budget, texts[i]);
                    map_set(&h->budget, texts[i], (void *)(had + step));
                }
            }
        }
        for (size_t i = 0; n->type == NODE_LIST && i < n->n; i++) {
            push(h, n->items[i], NULL, NULL);
        }
        for (size_t i = 0; n->type == NODE_MAP && i < n->n; i++) {
            push(h, n->members[i].value, NULL, NULL);
            if (n->members[i].name) {
                push(h, n->members[i].name, NULL, NULL);
            }
        }
    }
}

bool krm_heal_has_comments(const struct node *root)
{
    AUTO_HEAL h = {0};
    count_comments(&h, root, 1);
    return h.budget.n_live > 0;
}

static bool may_copy(struct heal *h, struct str comment)
{
    if (h->o->kpt) {
        return true;
    }
    intptr_t left = (intptr_t)map_find(&h->budget, comment);
    if (left <= 0) {
        return false;
    }
    map_set(&h->budget, comment, (void *)(left - 1));
    return true;
}

static void copy_comment(struct heal *h, struct str from, struct str *to)
{
    if (from.len && !to->len && may_copy(h, from)) {
        *to = arena_str(h->a, from);
    }
}

static struct node_notes *notes_for(struct heal *h, struct node *n)
{
    if (!n->notes) {
        n->notes = arena_new(h->a, struct node_notes);
    }
    return n->notes;
}

static void copy_notes(struct heal *h, const struct node *old, struct node *new)
{
    struct node_notes *to = old && old->notes ? notes_for(h, new) : NULL;
    if (to) {
        copy_comment(h, old->notes->head, &to->head);
        copy_comment(h, old->notes->line, &to->line);
        copy_comment(h, old->notes->foot, &to->foot);
    }
}

/* Comments of the document; kpt knows no others at the root. */
static void copy_root_notes(struct heal *h, const struct node *old, struct node *new)
{
    struct node_notes *to = old->notes ? notes_for(h, new) : NULL;
    if (!to) {
        return;
    }
    bool item = h->o->kpt && h->o->item;
    copy_comment(h, old->notes->top, item ? &to->head : &to->top);
    copy_comment(h, old->notes->bottom, item ? &to->foot : &to->bottom);
    if (!h->o->kpt) {
        copy_notes(h, old, new);
    }
}

/* kpt cannot write folded texts without changing them. */
static void unfold(struct heal *h, struct node *n)
{
    if (h->o->kpt && n->style == STYLE_FOLDED) {
        n->style = STYLE_DOUBLE;
    }
}

/* --- layout --- */

static bool says_the_same(const struct node *a, const struct node *b)
{
    return krm_tree_none(a) ? krm_tree_none(b) : a->type == b->type && node_equal(a, b);
}

/* Writes a value as it was written, as far as it is the same. */
static void copy_layout(const struct node *old, struct node *new)
{
    if (krm_tree_scalar(old) && krm_tree_scalar(new) && says_the_same(old, new)) {
        new->text = old->text;
        new->style = old->style;
        new->bare = old->bare;
    } else if (old->type == new->type && (new->type == NODE_MAP || new->type == NODE_LIST)) {
        new->style = old->style;
    }
}

static void copy_key_layout(struct heal *h, const struct node_member *old, struct node_member *new)
{
    if (!new->name && old->name && old->name->type == NODE_STRING) {
        new->name = node_str(h->a, new->key);
    }
    if (new->name && new->name->type == NODE_STRING) {
        new->name->style = old->name ? old->name->style : STYLE_PLAIN;
        new->name->bare = old->name ? old->name->bare : false;
    }
}

static void copy_key_notes(struct heal *h, const struct node_member *old, struct node_member *new)
{
    if (h->o->layout) {
        copy_key_layout(h, old, new);
    }
    if (!old->name || !old->name->notes) {
        return;
    }
    if (!new->name) {
        new->name = node_str(h->a, new->key);
    }
    if (new->name) {
        copy_notes(h, old->name, new->name);
        unfold(h, new->name);
    }
}

static void visit_map(struct heal *h, const struct pair *p)
{
    static const struct node nothing = {.type = NODE_MAP};
    AUTO_FINDER old = make_finder(node_is(p->old, NODE_MAP) ? p->old : &nothing);
    for (size_t i = p->new->n; i-- > 0;) {
        struct node_member *m = &p->new->members[i];
        size_t at = find_member(&old, m->key);
        if (at == SIZE_MAX) {
            if (krm_tree_scalar(m->value)) {
                unfold(h, m->value);
            }
            continue;
        }
        copy_key_notes(h, &old.map->members[at], m);
        push(h, old.map->members[at].value, m->value, krm_place_field(p->place, m->key));
    }
}

static void push_matches(struct heal *h, const struct pair *p, const size_t *match,
                         const struct krm_place *place)
{
    for (size_t i = p->new->n; i-- > 0;) {
        if (match[i] != ALIGN_NONE) {
            push(h, p->old->items[match[i]], p->new->items[i], place);
        }
    }
}

static void visit_list(struct heal *h, const struct pair *p)
{
    size_t *match = match_room(h, p->new->n);
    const struct krm_place *items = krm_place_items(p->place);
    bool merges = p->place && p->place->merges;
    if (!node_is(p->old, NODE_LIST)) {
        return;
    }
    if (!h->o->kpt) {
        if (!align_by_key(p->old, p->new, p->place, match)) {
            align_equals(p->old, p->new, match);
        }
        push_matches(h, p, match, items);
        return;
    }
    if (merges && align_by_key(p->old, p->new, p->place, match)) {
        push_matches(h, p, match, items);
    }
    align_by_index(p->old, p->new, match);
    push_matches(h, p, match, NULL);
}

static enum node_type class_of(const struct node *n)
{
    return krm_tree_none(n)         ? NODE_NULL
           : krm_tree_scalar(n)     ? NODE_STRING
                                : (enum node_type)n->type;
}

/* The position of a resource follows from its own fields wherever it stands. */
static const struct krm_place *place_of(const struct pair *p)
{
    struct str version = node_text(node_getz(p->old, "apiVersion"));
    struct str kind = node_text(node_getz(p->old, "kind"));
    const struct krm_place *place = version.len && kind.len ? krm_place_of(version, kind) : NULL;
    return place ? place : p->place;
}

static int visit(struct heal *h, struct pair p, struct err *err)
{
    enum node_type old = class_of(p.old), new = class_of(p.new);
    enum node_type kind = old != NODE_NULL ? old : new;
    if (new != kind && new != NODE_NULL) {
        const char *names[] = {[NODE_STRING] = "ScalarNode",
                               [NODE_LIST] = "SequenceNode",
                               [NODE_MAP] = "MappingNode",
                               [NODE_ALIAS] = "AliasNode"};
        return h->o->kpt ? krm_wrong_kind(p.new, names[kind], err) : 0;
    }
    copy_notes(h, p.old, p.new);
    if (h->o->layout && p.old) {
        copy_layout(p.old, p.new);
    }
    p.place = place_of(&p);
    if (new == NODE_STRING) {
        unfold(h, p.new);
    } else if (new == NODE_MAP) {
        visit_map(h, &p);
    } else if (new == NODE_LIST) {
        visit_list(h, &p);
    }
    return 0;
}

int krm_heal_comments(struct arena *a, const struct node *old, struct node *new,
                      const struct krm_heal_options *o, struct err *err)
{
    AUTO_HEAL h = {.a = a, .o = o};
    if (!o->kpt) {
        count_comments(&h, old, 1);
        count_comments(&h, new, -1);
    }
    copy_root_notes(&h, old, new);
    struct node bare = *old; /* comments of the root are done */
    bare.notes = NULL;
    push(&h, &bare, new, NULL);
    while (h.n) {
        if (visit(&h, h.stack[--h.n], err)) {
            return -1;
        }
    }
    return a->exhausted ? err_set(err, ERR_TOO_LARGE, "resources are too large") : 0;
}

/* --- order --- */

/* Members of new in the order of old. Of a key that new has twice kpt keeps one; by our rules such a
 * map stays in its order. */
static void order_members(struct heal *h, const struct node *old, struct node *new)
{
    AUTO_FINDER in_new = make_finder(new), in_old = make_finder(old);
    struct node_member *list = arena_array(h->a, struct node_member, new->n);
    uint32_t n = 0;
    if (!list) {
        return;
    }
    for (size_t i = 0; i < old->n; i++) {
        size_t at = find_member(&in_new, old->members[i].key);
        if (at != SIZE_MAX && find_member(&in_old, old->members[i].key) == i) {
            list[n++] = new->members[at];
            push(h, old->members[i].value, new->members[at].value, NULL);
        }
    }
    for (size_t i = 0; i < new->n; i++) {
        struct str key = new->members[i].key;
        if (find_member(&in_old, key) == SIZE_MAX && find_member(&in_new, key) == i) {
            list[n++] = new->members[i];
        }
    }
    if (n == new->n || h->o->kpt) {
        memcpy(new->members, list, n * sizeof(*list));
        new->n = n;
    }
}

static void order_list(struct heal *h, const struct node *old, struct node *new)
{
    size_t *match = match_room(h, new->n);
    if (h->o->kpt) {
        for (size_t i = 0; i < new->n && i < old->n; i++) {
            push(h, old->items[i], new->items[i], NULL);
        }
        return;
    }
    if (!align_by_key(old, new, NULL, match)) {
        align_equals(old, new, match);
    }
    for (size_t i = 0; i < new->n; i++) {
        if (match[i] != ALIGN_NONE) {
            push(h, old->items[match[i]], new->items[i], NULL);
        }
    }
}

/* What stands above the first member of an element stands above the element. */
static void raise_head(struct heal *h, struct node *element)
{
    struct node *first = node_is(element, NODE_MAP) && element->n ? element->members[0].name : NULL;
    if (!first || !first->notes || !first->notes->head.len || !notes_for(h, element)) {
        return;
    }
    struct str *head = &element->notes->head;
    *head = head->len ? arena_printf(h->a, "%.*s\n%.*s", STR_ARG(*head),
                                     STR_ARG(first->notes->head))
                      : first->notes->head;
    first->notes->head = STR_NULL;
}

static void raise_heads(struct heal *h, struct node *root)
{
    push(h, NULL, root, NULL);
    while (h->n) {
        struct node *n = h->stack[--h->n].new;
        for (size_t i = 0; n->type == NODE_LIST && i < n->n; i++) {
            raise_head(h, n->items[i]);
            push(h, NULL, n->items[i], NULL);
        }
        for (size_t i = 0; n->type == NODE_MAP && i < n->n; i++) {
            push(h, NULL, n->members[i].value, NULL);
        }
    }
}

void krm_heal_order(struct arena *a, const struct node *old, struct node *new,
                    const struct krm_heal_options *o)
{
    AUTO_HEAL h = {.a = a, .o = o};
    push(&h, old, new, NULL);
    while (h.n) {
        struct pair p = h.stack[--h.n];
        if (node_is(p.old, NODE_MAP) && p.new->type == NODE_MAP && p.old->n && p.new->n) {
            order_members(&h, p.old, p.new);
        } else if (node_is(p.old, NODE_LIST) && p.new->type == NODE_LIST) {
            order_list(&h, p.old, p.new);
        }
    }
    if (o->kpt) {
        raise_heads(&h, new);
    }
}
