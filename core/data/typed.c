/* SPDX-License-Identifier: Apache-2.0
 *
 * See typed.h. The walks carry the way from the root as a chain of frames on the C stack; only
 * paths that end up in a set become fieldset nodes.
 */
#include "data/typed.h"

#include "data/members.h"
#include "data/type.h"

struct frame {
    const struct frame *up;
    struct str step;
};

/* Puts the path of f into the set; the root itself is never a member. */
static void mark(struct arena *a, struct fieldset *set, const struct frame *f)
{
    const struct frame *way[1024];
    size_t n = 0;
    for (; f && n < sizeof(way) / sizeof(*way); f = f->up) {
        way[n++] = f;
    }
    if (n == 0) {
        return;
    }
    while (n > 0) {
        set = fieldset_add(a, set, way[--n]->step);
    }
    set->member = true;
}

static struct frame down(struct arena *a, const struct frame *up, struct str name)
{
    return (struct frame){up, fieldset_step_field(a, name)};
}

/* --- the fields of an object --- */

struct fields_walk {
    struct arena *a;
    struct fieldset *out;
};

static void walk_fields(struct fields_walk *w, struct type t, const struct node *n,
                        const struct frame *f)
{
    enum type_shape shape = type_shape(&t, n);
    if (shape == TYPE_LEAF || n->n == 0) {
        if (!t.meta) {
            mark(w->a, w->out, f);
        }
        return;
    }
    const struct node *map = shape == TYPE_FIELDS ? n : type_items(w->a, &t, n, NULL);
    for (size_t i = 0; map && i < map->n; i++) {
        const struct node_member *m = &map->members[i];
        if (shape == TYPE_FIELDS && type_unrecorded(&t, m->key)) {
            continue;
        }
        bool fields = shape == TYPE_FIELDS;
        struct type child = fields ? type_member(&t, m->key) : type_item(&t);
        struct frame next = fields ? down(w->a, f, m->key) : (struct frame){f, m->key};
        walk_fields(w, child, m->value, &next);
        if (child.entry) {
            mark(w->a, w->out, &next);
        }
    }
}

struct fieldset *typed_fields(struct arena *a, const struct api_schema *schema,
                              const struct node *object)
{
    struct fields_walk w = {a, fieldset_new(a)};
    if (w.out && object) {
        walk_fields(&w, type_root(schema), object, NULL);
    }
    return w.out;
}

/* --- comparing --- */

struct compare_walk {
    struct arena *a;
    struct typed_diff *out;
};

static void compare(struct compare_walk *w, struct type t, const struct node *x,
                    const struct node *y, const struct frame *f);

static void compare_children(struct compare_walk *w, struct type t, enum type_shape shape,
                             const struct node *x, const struct node *y, const struct frame *f)
{
    static const struct node none = {.type = NODE_MAP};
    bool fields = shape == TYPE_FIELDS;
    if (!fields) {
        x = type_items(w->a, &t, x, NULL);
        y = type_items(w->a, &t, y, NULL);
    }
    x = node_is(x, NODE_MAP) ? x : &none;
    y = node_is(y, NODE_MAP) ? y : &none;
    AUTO_MEMBERS ix = {0};
    AUTO_MEMBERS iy = {0};
    for (size_t i = 0; i < x->n + y->n; i++) {
        bool from_x = i < x->n;
        const struct node_member *m = from_x ? &x->members[i] : &y->members[i - x->n];
        size_t other = from_x ? members_find(&iy, y->members, y->n, m->key)
                              : members_find(&ix, x->members, x->n, m->key);
        bool both = other != MEMBERS_NONE;
        if ((!from_x && both) || (fields && type_unrecorded(&t, m->key))) {
            continue;
        }
        const struct node *xv = from_x ? m->value : NULL;
        const struct node *yv = from_x ? (both ? y->members[other].value : NULL) : m->value;
        if (xv == yv) {
            continue; /* shared subtree */
        }
        struct frame next = fields ? down(w->a, f, m->key) : (struct frame){f, m->key};
        compare(w, fields ? type_member(&t, m->key) : type_item(&t), xv, yv, &next);
    }
}

static bool is_empty(const struct node *n)
{
    return !n || n->n == 0;
}

static void compare(struct compare_walk *w, struct type t, const struct node *x,
                    const struct node *y, const struct frame *f)
{
    enum type_shape sx = type_shape(&t, x), sy = type_shape(&t, y);
    sx = !x || x->type == NODE_NULL ? sy : sx; /* nothing and null fit every shape */
    sy = !y || y->type == NODE_NULL ? sx : sy;
    if (sx != sy) {
        compare_children(w, t, sx, sx == TYPE_LEAF ? NULL : x, NULL, f);
        compare_children(w, t, sy, NULL, sy == TYPE_LEAF ? NULL : y, f);
        mark(w->a, w->out->modified, f);
        return;
    }
    bool leaf = sx == TYPE_LEAF || (is_empty(x) && is_empty(y));
    if (!leaf) {
        compare_children(w, t, sx, x, y, f);
    }
    if (t.meta) {
        return;
    }
    if (!x) {
        mark(w->a, w->out->added, f);
    } else if (!y) {
        mark(w->a, w->out->removed, f);
    } else if (leaf && !node_equal(x, y)) {
        mark(w->a, w->out->modified, f);
    }
}

void typed_compare(struct arena *a, const struct api_schema *schema, const struct node *from,
                   const struct node *to, struct typed_diff *out)
{
    struct compare_walk w = {a, out};
    *out = (struct typed_diff){fieldset_new(a), fieldset_new(a), fieldset_new(a)};
    if (out->added && out->modified && out->removed && (from || to)) {
        compare(&w, type_root(schema), from, to, NULL);
    }
}

/* --- merging --- */

static struct node *merge(struct arena *a, struct type t, const struct node *live,
                          const struct node *config);

static struct node *room_for(struct arena *a, enum node_type type, size_t n)
{
    struct node *out = type == NODE_MAP ? node_map(a) : node_list(a);
    if (!out || n == 0) {
        return out;
    }
    if (type == NODE_MAP) {
        out->members = arena_array(a, struct node_member, n);
        out->cap = out->members ? n : 0;
    } else {
        out->items = arena_array(a, struct node *, n);
        out->cap = out->items ? n : 0;
    }
    return out->cap ? out : NULL;
}

static struct node *merge_fields(struct arena *a, struct type t, const struct node *live,
                                 const struct node *config)
{
    struct node *out = room_for(a, NODE_MAP, live->n + config->n);
    AUTO_MEMBERS il = {0};
    AUTO_MEMBERS ic = {0};
    for (size_t i = 0; out && i < live->n; i++) {
        const struct node_member *m = &live->members[i];
        size_t at = members_find(&ic, config->members, config->n, m->key);
        struct node *value = m->value;
        if (at != MEMBERS_NONE) {
            value = merge(a, type_member(&t, m->key), value, config->members[at].value);
        }
        out->members[out->n++] = (struct node_member){m->key, value};
    }
    for (size_t i = 0; out && i < config->n; i++) {
        if (members_find(&il, live->members, live->n, config->members[i].key) == MEMBERS_NONE) {
            out->members[out->n++] = config->members[i];
        }
    }
    return out;
}

static struct node *merge_items(struct arena *a, struct type t, const struct node *live,
                                const struct node *config)
{
    struct node *wanted = type_items(a, &t, config, NULL);
    struct node *out = room_for(a, NODE_LIST, live->n + config->n);
    AUTO_MEMBERS ix = {0};
    if (!wanted || !out) {
        return NULL;
    }
    bool *used = arena_array(a, bool, wanted->n);
    for (size_t i = 0; used && i < live->n; i++) {
        struct node *item = live->items[i];
        struct str step = t.list == API_LIST_MAP ? fieldset_step_key(a, item, t.keys)
                                                 : fieldset_step_value(a, item);
        size_t at = members_find(&ix, wanted->members, wanted->n, step);
        if (at != MEMBERS_NONE && !used[at]) {
            used[at] = true;
            item = merge(a, type_item(&t), item, wanted->members[at].value);
        }
        out->items[out->n++] = item;
    }
    for (size_t i = 0; used && i < wanted->n; i++) {
        if (!used[i]) {
            out->items[out->n++] = wanted->members[i].value;
        }
    }
    return out;
}

static struct node *merge(struct arena *a, struct type t, const struct node *live,
                          const struct node *config)
{
    enum type_shape sl = type_shape(&t, live), sc = type_shape(&t, config);
    if (config->type == NODE_NULL && sl != TYPE_LEAF) {
        return (struct node *)live; /* a null claims no member of a granular container */
    }
    if (sl != sc || sl == TYPE_LEAF) {
        return (struct node *)config;
    }
    return sl == TYPE_FIELDS ? merge_fields(a, t, live, config) : merge_items(a, t, live, config);
}

struct node *typed_merge(struct arena *a, const struct api_schema *schema, const struct node *live,
                         const struct node *config)
{
    return live ? merge(a, type_root(schema), live, config) : (struct node *)config;
}

/* --- pruning --- */

static struct node *prune(struct arena *a, struct type t, const struct node *n,
                          const struct fieldset *last, const struct fieldset *owned);

static struct node *prune_fields(struct arena *a, struct type t, const struct node *n,
                                 const struct fieldset *last, const struct fieldset *owned)
{
    struct node *out = room_for(a, NODE_MAP, n->n);
    for (size_t i = 0; out && i < n->n; i++) {
        struct node_member m = n->members[i];
        struct str step = fieldset_step_field(a, m.key);
        m.value = prune(a, type_member(&t, m.key), m.value, fieldset_find(last, step),
                        fieldset_find(owned, step));
        if (m.value) {
            out->members[out->n++] = m;
        }
    }
    return out;
}

static struct node *prune_items(struct arena *a, struct type t, const struct node *n,
                                const struct fieldset *last, const struct fieldset *owned)
{
    struct node *out = room_for(a, NODE_LIST, n->n);
    for (size_t i = 0; out && i < n->n; i++) {
        struct node *item = n->items[i];
        struct str step = t.list == API_LIST_MAP ? fieldset_step_key(a, item, t.keys)
                                                 : fieldset_step_value(a, item);
        item = prune(a, type_item(&t), item, fieldset_find(last, step),
                     fieldset_find(owned, step));
        if (item) {
            out->items[out->n++] = item;
        }
    }
    return out;
}

/* n without what nobody owns any more; NULL when it goes itself. */
static struct node *prune(struct arena *a, struct type t, const struct node *n,
                          const struct fieldset *last, const struct fieldset *owned)
{
    if (fieldset_empty(last)) {
        return (struct node *)n;
    }
    bool given_up = last->member && !(owned && owned->member);
    if (t.entry && given_up) {
        return NULL; /* an item or map key goes with everything below it */
    }
    enum type_shape shape = type_shape(&t, n);
    if (shape == TYPE_LEAF || n->n == 0) {
        return given_up && fieldset_empty(owned) ? NULL : (struct node *)n;
    }
    struct node *out = shape == TYPE_FIELDS ? prune_fields(a, t, n, last, owned)
                                            : prune_items(a, t, n, last, owned);
    /* a container goes with its last member, unless somebody owns it as such */
    bool emptied = out && out->n == 0 && !(owned && owned->member);
    return emptied && !t.meta && !t.root ? NULL : out;
}

struct node *typed_prune(struct arena *a, const struct api_schema *schema,
                         const struct node *object, const struct fieldset *last,
                         const struct fieldset *owned)
{
    return prune(a, type_root(schema), object, last, owned);
}
