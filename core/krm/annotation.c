/* SPDX-License-Identifier: Apache-2.0
 *
 * See annotation.h.
 */
#include "krm/annotation.h"

#include "data/yaml_doc.h"

static const char *kind_of(const struct node *n)
{
    return n->type == NODE_MAP    ? "MappingNode"
           : n->type == NODE_LIST ? "SequenceNode"
           : n->type == NODE_ALIAS ? "AliasNode"
                                   : "ScalarNode";
}

int krm_wrong_kind(const struct node *n, const char *expected, struct err *err)
{
    AUTO_BUF text = BUF_INIT;
    struct node bare = *n; /* without the comments of its document */
    struct node_notes notes = n->notes ? *n->notes : (struct node_notes){0};
    notes.top = notes.bottom = STR_NULL;
    bare.notes = n->notes ? &notes : NULL;
    yaml_write_node(&text, &bare, NULL);
    return err_set(err, ERR_BAD_REQUEST,
                   "wrong node kind: expected %s but got %s: node contents:\n%.*s", expected,
                   kind_of(n), STR_ARG(buf_str(&text)));
}

static struct node *follow(struct node *n)
{
    return node_is(n, NODE_ALIAS) ? n->target : n;
}

static struct node *annotations_of(const struct node *resource)
{
    return follow(node_getz(follow(node_getz(resource, "metadata")), "annotations"));
}

struct str krm_annotation(const struct node *resource, const char *key)
{
    const struct node *v = follow(node_getz(annotations_of(resource), key));
    return v && v->type != NODE_LIST && v->type != NODE_MAP ? v->text : STR_NULL;
}

struct str krm_annotation_either(const struct node *resource, const char *key,
                                 const char *old_key)
{
    struct str s = krm_annotation(resource, key);
    return s.len ? s : krm_annotation(resource, old_key);
}

static bool is_empty(const struct node *n)
{
    return n->type == NODE_NULL || (n->type == NODE_MAP && n->n == 0);
}

/* Puts a copy of what an alias stands for in its place, so that a change stays there. */
static struct node *own_copy(struct arena *a, struct node *in, const char *key,
                             const struct node *map)
{
    struct node *c = arena_new(a, struct node);
    struct node_member *members = arena_array(a, struct node_member, map->n);
    if (!c || !members) {
        return NULL;
    }
    memcpy(members, map->members, map->n * sizeof(*members));
    *c = *map;
    c->members = members;
    c->cap = c->n;
    c->notes = NULL;
    node_setz(a, in, key, c);
    return c;
}

/* The map at `key`, made at the end when it is missing or empty. */
static struct node *make_map(struct arena *a, struct node *in, const char *key, struct err *err)
{
    struct node *found = node_getz(in, key);
    if (found && !is_empty(follow(found))) {
        struct node *map = follow(found);
        if (map->type != NODE_MAP) {
            (void)krm_wrong_kind(map, "MappingNode", err);
            return NULL;
        }
        return found == map ? map : own_copy(a, in, key, map);
    }
    node_delz(in, key);
    struct node *map = node_map(a);
    if (map) {
        node_setz(a, in, key, map);
    }
    return map ? map : (err_set(err, ERR_TOO_LARGE, "resources are too large"), NULL);
}

int krm_annotation_set(struct arena *a, struct node *resource, const char *key, struct str value,
                       struct err *err)
{
    struct node *metadata = make_map(a, resource, "metadata", err);
    struct node *annotations = metadata ? make_map(a, metadata, "annotations", err) : NULL;
    struct node *v = annotations ? node_str(a, value) : NULL;
    if (!v) {
        return annotations ? err_set(err, ERR_TOO_LARGE, "resources are too large") : -1;
    }
    const struct node *old = node_getz(annotations, key);
    v->style = old ? old->style : STYLE_SINGLE;
    node_setz(a, annotations, key, v);
    return 0;
}

int krm_annotation_mirror(struct arena *a, struct node *resource, struct err *err)
{
    static const char *const pairs[][2] = {
        {KRM_OLD_PATH, KRM_PATH}, {KRM_OLD_INDEX, KRM_INDEX}, {KRM_OLD_ID, KRM_ID}};
    for (size_t i = 0; i < sizeof(pairs) / sizeof(*pairs); i++) {
        struct str old = krm_annotation(resource, pairs[i][0]);
        struct str now = krm_annotation(resource, pairs[i][1]);
        bool forth = old.len && !now.len, back = now.len && !old.len;
        if ((forth && krm_annotation_set(a, resource, pairs[i][1], old, err)) ||
            (back && krm_annotation_set(a, resource, pairs[i][0], now, err))) {
            return -1;
        }
    }
    return 0;
}

/* --- taking away --- */

static bool is_listed(struct str key, const char *const *keys, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (str_eqz(key, keys[i])) {
            return true;
        }
    }
    return false;
}

/* The map without members that `keys` lists; NULL when nothing is left. */
static struct node *without(struct arena *a, struct node *map, const char *const *keys, size_t n)
{
    size_t listed = 0;
    for (size_t i = 0; i < map->n; i++) {
        listed += is_listed(map->members[i].key, keys, n);
    }
    if (listed == map->n || listed == 0) {
        return listed ? NULL : map;
    }
    struct node *c = arena_new(a, struct node);
    struct node_member *members = arena_array(a, struct node_member, map->n - listed);
    if (!c || !members) {
        return NULL;
    }
    *c = *map;
    c->members = members;
    c->n = c->cap = 0;
    for (size_t i = 0; i < map->n; i++) {
        if (!is_listed(map->members[i].key, keys, n)) {
            members[c->n++] = map->members[i];
        }
    }
    c->cap = c->n;
    return c;
}

/* The map with `value` at `key`, without the key when value is NULL. */
static struct node *with(struct arena *a, struct node *map, const char *key, struct node *value)
{
    if (!value) {
        return without(a, map, &key, 1);
    }
    struct node *c = arena_new(a, struct node);
    struct node_member *members = arena_array(a, struct node_member, map->n);
    if (!c || !members) {
        return NULL;
    }
    memcpy(members, map->members, map->n * sizeof(*members));
    *c = *map;
    c->members = members;
    c->cap = c->n;
    for (size_t i = 0; i < c->n; i++) {
        if (str_eqz(members[i].key, key)) {
            members[i].value = value;
            break;
        }
    }
    return c;
}

struct node *krm_annotation_without(struct arena *a, struct node *resource,
                                    const char *const *keys, size_t n)
{
    struct node *metadata = node_getz(resource, "metadata");
    if (!metadata) {
        return resource;
    }
    struct node *left = metadata;
    struct node *annotations = node_getz(follow(metadata), "annotations");
    if (annotations) {
        struct node *kept = is_empty(annotations)             ? NULL
                            : annotations->type == NODE_MAP ? without(a, annotations, keys, n)
                                                              : annotations;
        left = kept == annotations ? metadata : with(a, follow(metadata), "annotations", kept);
    }
    if (left && is_empty(left)) {
        left = NULL;
    }
    if (left == metadata) {
        return resource;
    }
    struct node *kept = with(a, resource, "metadata", left);
    return kept ? kept : node_map(a);
}

/* The map with the member, at the place it had among the others. */
static struct node *with_member(struct arena *a, struct node *map, const struct node_member *m,
                                size_t at)
{
    struct node *c = arena_new(a, struct node);
    struct node_member *members = arena_array(a, struct node_member, map->n + 1);
    if (!c || !members) {
        return map;
    }
    at = at < map->n ? at : map->n;
    for (size_t i = 0; i <= map->n; i++) {
        members[i] = i == at ? *m : map->members[i - (i > at)];
    }
    *c = *map;
    c->members = members;
    c->n = c->cap = map->n + 1;
    return c;
}

static const struct node_member *find_member(const struct node *map, const char *key, size_t *at)
{
    for (*at = 0; node_is(map, NODE_MAP) && *at < map->n; ++*at) {
        if (str_eqz(map->members[*at].key, key)) {
            return &map->members[*at];
        }
    }
    return NULL;
}

struct node *krm_annotation_restore(struct arena *a, struct node *resource,
                                    const struct node *was)
{
    size_t at, inner;
    const struct node_member *old = find_member(was, "metadata", &at);
    if (!old || !node_is(resource, NODE_MAP)) {
        return resource;
    }
    const struct node_member *empty = find_member(old->value, "annotations", &inner);
    struct node *metadata = node_getz(resource, "metadata");
    bool nothing = is_empty(old->value) || (empty && is_empty(empty->value) && old->value->n == 1);
    if (!metadata && nothing) {
        return with_member(a, resource, old, at);
    }
    if (!node_is(metadata, NODE_MAP) || !empty || !is_empty(empty->value) ||
        node_getz(metadata, "annotations")) {
        return resource;
    }
    return with(a, resource, "metadata", with_member(a, metadata, empty, inner));
}
