/* SPDX-License-Identifier: Apache-2.0
 *
 * See merge_walk.h. A map is merged over the sorted union of its keys: members that are there keep
 * their place, new ones follow in that order.
 */
#include "krm/merge_walk.h"

#include <stdlib.h>

#include "data/yaml_doc.h"
#include "krm/tree.h"

struct node *krm_walk_fail(struct krm_walk *w, const char *fmt, ...)
{
    if (!w->failed) {
        AUTO_BUF text = BUF_INIT;
        va_list ap;
        va_start(ap, fmt);
        buf_vprintf(&text, fmt, ap);
        va_end(ap);
        err_set(w->err, ERR_INVALID, "%s", text.ptr);
        w->failed = true;
    }
    return NULL;
}

/* --- members --- */

static bool plain_word(const struct node *n)
{
    return node_is(n, NODE_STRING) && n->style == STYLE_PLAIN && !(n->notes && n->notes->tag.len) &&
           yaml_is_11_word(n->text);
}

/* What a member's old value leaves to its new one. Styles of collections do not fit scalars, nor
 * the other way round. */
static void inherit_style(struct krm_walk *w, struct node *value, const struct node *old)
{
    bool quoted_word = value->style != STYLE_PLAIN && old->style == STYLE_PLAIN &&
                       node_is(value, NODE_STRING) && yaml_is_11_word(value->text);
    if (!w->kpt && (quoted_word || value->type != old->type)) {
        return;
    }
    bool flow = old->style == STYLE_FLOW;
    if (krm_tree_scalar(value)) {
        value->style = krm_tree_scalar(old) && !flow ? old->style : STYLE_PLAIN;
    } else {
        value->style = flow ? STYLE_FLOW : STYLE_PLAIN;
    }
}

void krm_walk_set(struct krm_walk *w, struct node *map, size_t at, struct str key,
                  struct node *name, struct node *value)
{
    struct node *old = at == SIZE_MAX ? NULL : map->members[at].value;
    if (krm_tree_none(value)) {
        bool kept = w->keep_nulls && value && value == old && value->text.len;
        if (old && !kept) {
            map->members[at].value = NULL;
        }
        return;
    }
    if (old && value == old) {
        if (w->kpt && plain_word(value)) {
            value->style = STYLE_DOUBLE;
        }
        return;
    }
    if (old) {
        inherit_style(w, value, old);
        map->members[at].value = value;
        return;
    }
    if (plain_word(value)) {
        value->style = STYLE_DOUBLE;
    }
    krm_tree_push(w->a, map, (struct node_member){.key = key, .value = value, .name = name});
}

static void close_holes(struct node *map)
{
    size_t kept = 0;
    for (size_t i = 0; i < map->n; i++) {
        if (map->members[i].value) {
            map->members[kept++] = map->members[i];
        }
    }
    map->n = (uint32_t)kept;
}

/* A member of one of the maps, to be sorted by key. */
struct field {
    struct str key;
    uint32_t side, at;
};

static int compare_fields(const void *x, const void *y)
{
    const struct field *a = x, *b = y;
    int c = str_cmp(a->key, b->key);
    if (c) {
        return c;
    }
    return a->side != b->side ? (a->side < b->side ? -1 : 1) : (a->at > b->at) - (a->at < b->at);
}

static struct field *sorted_fields(struct krm_walk *w, struct node **s, size_t *n)
{
    *n = 0;
    for (size_t side = 0; side < SIDES; side++) {
        *n += node_is(s[side], NODE_MAP) ? s[side]->n : 0;
    }
    struct field *fields = arena_array(w->a, struct field, *n);
    size_t k = 0;
    for (uint32_t side = 0; fields && side < SIDES; side++) {
        for (size_t i = 0; node_is(s[side], NODE_MAP) && i < s[side]->n; i++) {
            fields[k++] = (struct field){s[side]->members[i].key, side, (uint32_t)i};
        }
    }
    if (fields) {
        qsort(fields, *n, sizeof *fields, compare_fields);
    }
    return fields;
}

/* --- keys --- */

static const struct node_notes NO_NOTES;

static const struct node_notes *notes_of(const struct node *n)
{
    return n && n->notes ? n->notes : &NO_NOTES;
}

static bool has_comments(const struct node_notes *n)
{
    return n->head.len || n->line.len || n->foot.len;
}

static bool equal_comments(const struct node_notes *a, const struct node_notes *b)
{
    return str_eq(a->head, b->head) && str_eq(a->line, b->line) && str_eq(a->foot, b->foot);
}

/* The key of m with these comments; NULL when it needs no node. */
static struct node *commented(struct krm_walk *w, struct str key, const struct node *name,
                              const struct node_notes *comments)
{
    if (!name && !has_comments(comments)) {
        return NULL;
    }
    struct node *out = name ? krm_tree_shallow(w->a, name) : node_str(w->a, key);
    struct node_notes *notes = arena_new(w->a, struct node_notes);
    if (out && notes) {
        *notes = *notes_of(name);
        notes->head = comments->head;
        notes->line = comments->line;
        notes->foot = comments->foot;
        out->notes = notes;
    }
    return out;
}

/* The keys of a member as nodes, so that a visitor can ask whether they are there. */
static struct node *merge_key(struct krm_walk *w, struct node_member **m, struct str key)
{
    struct node plain[SIDES], *names[SIDES];
    for (size_t i = 0; i < SIDES; i++) {
        plain[i] = (struct node){.type = NODE_STRING, .text = key};
        names[i] = !m[i] ? NULL : m[i]->name ? m[i]->name : &plain[i];
    }
    struct node *from = w->v->key ? w->v->key(w, names) : NULL;
    if (!from) {
        return NULL;
    }
    struct node *out = node_str(w->a, key); /* carries the comments */
    if (out) {
        out->notes = (struct node_notes *)notes_of(from);
    }
    return out;
}

/* --- maps --- */

static bool is_simple_name(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        bool word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                    c == '_' || c == '-' || c == '/' || c == '$';
        if (!word) {
            return false;
        }
    }
    return s.len > 0;
}

static void push_field(struct krm_walk *w, struct str key)
{
    if (!is_simple_name(key)) {
        buf_addc(&w->path, '[');
        buf_add_json_string(&w->path, key);
        buf_addc(&w->path, ']');
        return;
    }
    if (w->path.len > 0) {
        buf_addc(&w->path, '.');
    }
    buf_add_str(&w->path, key);
}

static void pop_path(struct krm_walk *w, size_t len)
{
    w->path.len = len;
}

/* The name of a member that only the others have. A collection that the walk built itself gets its
 * key anew: with kpt, quotes around it are gone then. */
static struct node *new_name(struct krm_walk *w, const struct node_member *theirs, struct str key,
                             bool built, const struct node *comments)
{
    const struct node *name = theirs && !(built && w->kpt) ? theirs->name : NULL;
    struct node *out = commented(w, key, name, notes_of(comments));
    if (out) {
        out->span_from = out->span_to = 0;
    }
    return out;
}

/* A schema in a comment of the value or its key; the first side that has one decides. */
static const struct krm_place *commented_place(struct krm_walk *w, struct node_member **m)
{
    const struct krm_place *p = NULL;
    for (size_t i = 0; i < SIDES && !p; i++) {
        const struct node *at[] = {m[i] ? m[i]->value : NULL, m[i] ? m[i]->name : NULL};
        for (size_t j = 0; j < 2 && !p; j++) {
            p = krm_place_of_comment(w->a, notes_of(at[j])->line);
            p = p ? p : krm_place_of_comment(w->a, notes_of(at[j])->head);
        }
    }
    return p;
}

static void merge_member(struct krm_walk *w, struct node *dest, struct node_member **m, size_t at,
                         struct str key, const struct krm_place *place)
{
    struct node *s[SIDES], *had[SIDES];
    for (size_t i = 0; i < SIDES; i++) {
        had[i] = s[i] = m[i] ? m[i]->value : NULL;
    }
    struct node *comments = merge_key(w, m, key);
    const struct krm_place *said = commented_place(w, m);
    struct node *value = krm_walk(w, s, said ? said : krm_place_field(place, key), false);
    if (w->failed) {
        return;
    }
    bool taken = value && (value == had[THEIRS] || value == had[BASE]) && value != had[OURS];
    if (m[OURS] && comments && !equal_comments(notes_of(m[OURS]->name), notes_of(comments))) {
        dest->members[at].name = commented(w, key, m[OURS]->name, notes_of(comments));
    }
    struct node *name = m[OURS] ? NULL : new_name(w, m[THEIRS], key, !taken, comments);
    krm_walk_set(w, dest, at, key, name,
                 taken && !krm_tree_none(value) ? krm_tree_take(w->a, value) : value);
}

static struct node *walk_map(struct krm_walk *w, struct node **s, const struct krm_place *place)
{
    struct node *dest = s[OURS] = w->v->map(w, s);
    if (!dest || w->failed || dest->type != NODE_MAP) {
        return dest;
    }
    size_t n;
    struct field *fields = sorted_fields(w, s, &n);
    size_t path = w->path.len;
    for (size_t i = 0; fields && i < n && !w->failed;) {
        struct node_member *m[SIDES] = {NULL};
        struct str key = fields[i].key;
        size_t at = SIZE_MAX;
        for (; i < n && str_eq(fields[i].key, key); i++) {
            size_t side = fields[i].side;
            if (!m[side]) { /* the first of duplicates */
                m[side] = &s[side]->members[fields[i].at];
                at = side == OURS ? fields[i].at : at;
            }
        }
        push_field(w, key);
        merge_member(w, dest, m, at, key, place);
        pop_path(w, path);
    }
    close_holes(dest);
    return dest;
}

/* --- any place --- */

static const char *kind_name(const struct node *n)
{
    return node_is(n, NODE_MAP)     ? "MappingNode"
           : node_is(n, NODE_LIST)  ? "SequenceNode"
           : node_is(n, NODE_ALIAS) ? "AliasNode"
                                    : "ScalarNode";
}

static bool same_kind(const struct node *a, const struct node *b)
{
    return strcmp(kind_name(a), kind_name(b)) == 0;
}

/* The first side that has something decides the kind. */
static const struct node *leading(struct node **s)
{
    for (size_t i = 0; i < SIDES; i++) {
        if (!krm_tree_none(s[i])) {
            return s[i];
        }
    }
    return NULL;
}

static struct node *wrong_kind(struct krm_walk *w, const struct node *want, const struct node *got)
{
    AUTO_BUF text = BUF_INIT;
    yaml_write_node(&text, got, &(struct yaml_form){.defects = true});
    return krm_walk_fail(w, "wrong node kind: expected %s but got %s: node contents:\n%s",
                         kind_name(want), kind_name(got), text.ptr ? text.ptr : "");
}

static bool all_named(const struct node *list)
{
    for (size_t i = 0; i < list->n; i++) {
        if (!node_getz(list->items[i], "name")) {
            return false;
        }
    }
    return true;
}

/* Lists of which at least one has only named elements merge by name; then a later one that has
 * elements without is an error. */
static const char *const *inferred_keys(struct krm_walk *w, struct node **s)
{
    static const char *const by_name[] = {"name", NULL};
    bool any = false, earlier = false, filled = false;
    for (size_t i = 0; i < SIDES; i++) {
        any = any || (node_is(s[i], NODE_LIST) && all_named(s[i]));
    }
    for (size_t i = 0; any && i < SIDES; i++) {
        if (!node_is(s[i], NODE_LIST) || s[i]->n == 0) {
            continue;
        }
        bool named = all_named(s[i]);
        struct str path = str_sub(buf_str(&w->path), w->list_at, w->path.len);
        if (!named && earlier) {
            krm_walk_fail(w, "conflicting merge keys [name,] for field %.*s", STR_ARG(path));
            return NULL;
        }
        earlier = named;
        filled = true;
    }
    if (any && filled && !earlier) {
        krm_walk_fail(w, "no merge key found for field %.*s",
                      STR_ARG(str_sub(buf_str(&w->path), w->list_at, w->path.len)));
        return NULL;
    }
    return any ? by_name : NULL;
}

static struct node *walk_list(struct krm_walk *w, struct node **s, const struct krm_place *place)
{
    bool merges = place ? place->merges : false;
    const char *const *keys = merges ? place->keys : NULL;
    if (!place && w->infer) {
        keys = inferred_keys(w, s);
        merges = keys != NULL;
    }
    if (w->failed) {
        return NULL;
    }
    if (merges && w->v->identifies && !w->v->identifies(w, s, keys)) {
        merges = false;
    }
    struct node *dest = w->v->list(w, s, merges);
    if (!merges || !dest || dest->type != NODE_LIST || w->failed) {
        return dest;
    }
    s[OURS] = dest;
    return krm_walk_elements(w, s, place, keys && keys[0] ? keys : NULL);
}

/* An object inside an object, like the items of a List, is looked up anew. */
static const struct krm_place *place_of(struct node **s, const struct krm_place *place)
{
    for (size_t i = 0; !place && i < SIDES; i++) {
        struct str version = node_text(node_getz(s[i], "apiVersion"));
        struct str kind = node_text(node_getz(s[i], "kind"));
        place = version.len && kind.len ? krm_place_of(version, kind) : NULL;
    }
    return place;
}

static struct node *walk_kind(struct krm_walk *w, struct node **s, const struct krm_place *place)
{
    const struct node *lead = leading(s);
    bool whole = w->depth > WALK_DEPTH;
    for (size_t i = 0; i < SIDES; i++) {
        whole = whole || (!w->kpt && node_is(s[i], NODE_ALIAS));
        if (krm_tree_none(s[i]) || same_kind(s[i], lead)) {
            continue;
        }
        if (w->kpt) {
            return wrong_kind(w, lead, s[i]);
        }
        whole = true;
    }
    if (whole) {
        return w->v->list(w, s, false);
    }
    if (!lead || lead->type == NODE_MAP) {
        return walk_map(w, s, place_of(s, place));
    }
    if (lead->type == NODE_LIST) {
        return walk_list(w, s, place);
    }
    return lead->type == NODE_ALIAS ? NULL : w->v->scalar(w, s);
}

struct node *krm_walk(struct krm_walk *w, struct node **s, const struct krm_place *place,
                      bool element)
{
    struct node *out;
    if (w->failed) {
        return NULL;
    }
    if (w->v->settle && w->v->settle(w, s, element, &out)) {
        return out;
    }
    bool one_sided = s[BASE] && (!s[OURS] || !s[THEIRS]);
    w->depth++;
    out = walk_kind(w, s, place);
    w->depth--;
    /* What one side deleted is not left as an empty shell. */
    if (w->failed || (!w->kpt && one_sided && out && !krm_tree_scalar(out) && out->n == 0)) {
        return NULL;
    }
    return out;
}
