/* SPDX-License-Identifier: Apache-2.0
 *
 * Strategic merge patch (kube-wire §7.5; see patch.h): a merge patch that knows from the schema
 * which lists are merged by key or as sets, with directives inside the patch: `$patch`,
 * `$retainKeys`, `$setElementOrder/F` and `$deleteFromPrimitiveList/F`.
 */
#include "data/patch.h"

#include "api/kinds.h"
#include "base/map.h"
#include "data/members.h"

/* Directives of one map: each is looked up member by member. */
#define MAX_DIRECTIVES 1000

#define ORDER "$setElementOrder/"
#define DELETE_FROM "$deleteFromPrimitiveList/"

struct merge {
    struct arena *a;
    struct err *err;
};

/* What the schema says about a map: its members by name, or the same for each. */
struct shape {
    const struct api_schema *object, *each;
};

static struct node *merge_value(struct merge *m, const struct node *target,
                                const struct node *patch, struct shape shape);

static struct node *fail(struct merge *m, const char *problem, struct str what)
{
    AUTO_BUF text = BUF_INIT;
    buf_printf(&text, "%s: %.*s", problem, STR_ARG(what));
    api_err(m->err, ERR_BAD_REQUEST, "kube-patch-decode", text.ptr);
    return NULL;
}

static const struct api_field *field_of(struct shape shape, struct str name)
{
    return shape.object ? api_field_find(shape.object, name) : NULL;
}

static struct shape shape_below(struct shape shape, const struct api_field *f)
{
    if (shape.each) {
        return (struct shape){.object = shape.each};
    }
    if (f && f->type == API_MAP) {
        return (struct shape){.each = f->object};
    }
    return (struct shape){.object = f ? f->object : NULL};
}

static bool is_directive(struct str key)
{
    return str_eqz(key, "$patch") || str_eqz(key, "$retainKeys") ||
           str_has_prefix(key, STR(ORDER)) || str_has_prefix(key, STR(DELETE_FROM));
}

/* The member `prefix` + name of a patch map: directives are few, but looked up per member. */
static const struct node *directive(const struct node *patch, const char *prefix, struct str name)
{
    struct str p = str_of(prefix);
    for (size_t i = 0; i < patch->n; i++) {
        struct str key = patch->members[i].key;
        if (key.len == p.len + name.len && str_has_prefix(key, p) &&
            str_eq(str_sub(key, p.len, key.len), name)) {
            return patch->members[i].value;
        }
    }
    return NULL;
}

static size_t count_directives(const struct node *patch)
{
    size_t n = 0;
    for (size_t i = 0; i < patch->n; i++) {
        n += is_directive(patch->members[i].key);
    }
    return n;
}

/* --- lists --- */

/* Identity of a list element as text: its key members, or itself in a set. */
static void add_identity(struct buf *b, const struct node *element, const char *const *keys)
{
    if (!keys) {
        json_emit(b, element);
        return;
    }
    for (; *keys; keys++) {
        json_emit(b, node_getz(element, *keys));
        buf_addc(b, '\n');
    }
}

static size_t find_place(const struct map *places, const struct node *element,
                         const char *const *keys)
{
    AUTO_BUF id = BUF_INIT;
    add_identity(&id, element, keys);
    return (size_t)(uintptr_t)map_find(places, buf_str(&id)) - 1; /* SIZE_MAX when absent */
}

static void set_place(struct map *places, const struct node *element, const char *const *keys,
                      size_t at)
{
    AUTO_BUF id = BUF_INIT;
    add_identity(&id, element, keys);
    if (!map_has(places, buf_str(&id))) {
        (void)map_set(places, buf_str(&id), (void *)(uintptr_t)(at + 1));
    }
}

static void set_places(struct map *places, const struct node *list, const char *const *keys)
{
    for (size_t i = 0; node_is(list, NODE_LIST) && i < list->n; i++) {
        set_place(places, list->items[i], keys, i);
    }
}

/* An element must carry its (first) merge key, or it would match whatever lacks one too. */
static bool check_element(struct merge *m, const struct node *element, const char *const *keys)
{
    if (!keys) {
        return true;
    }
    if (!node_is(element, NODE_MAP)) {
        return fail(m, "list element is not an object", STR("merged list")) != NULL;
    }
    if (!node_getz(element, keys[0])) {
        return fail(m, "map does not contain declared merge key", str_of(keys[0])) != NULL;
    }
    return true;
}

/* `{"$patch": "replace"}` as an element: the other elements replace the list. */
static bool replaces_list(const struct node *patch)
{
    for (size_t i = 0; i < patch->n; i++) {
        if (str_eqz(node_text(node_getz(patch->items[i], "$patch")), "replace")) {
            return true;
        }
    }
    return false;
}

static struct node *replaced_list(struct merge *m, const struct node *patch,
                                  const struct api_schema *schema)
{
    struct node *out = node_list(m->a);
    for (size_t i = 0; out && i < patch->n; i++) {
        const struct node *e = patch->items[i];
        if (str_eqz(node_text(node_getz(e, "$patch")), "replace")) {
            continue;
        }
        struct node *v = merge_value(m, NULL, e, (struct shape){.object = schema});
        if (!v) {
            return NULL;
        }
        node_push(m->a, out, v);
    }
    return out;
}

/* Applies the elements of patch to the slots of a list copy; deleted slots become NULL. */
static bool merge_elements(struct merge *m, struct node *out, struct map *places,
                           const struct node *patch, const char *const *keys,
                           const struct api_schema *schema)
{
    for (size_t i = 0; i < patch->n; i++) {
        const struct node *e = patch->items[i];
        if (!check_element(m, e, keys)) {
            return false;
        }
        size_t at = find_place(places, e, keys);
        if (keys && str_eqz(node_text(node_getz(e, "$patch")), "delete")) {
            if (at != SIZE_MAX) {
                out->items[at] = NULL;
            }
            continue;
        }
        struct node *old = at == SIZE_MAX ? NULL : out->items[at];
        struct node *v = merge_value(m, old, e, (struct shape){.object = schema});
        if (!v) {
            return false;
        }
        if (at != SIZE_MAX) {
            out->items[at] = v;
        } else {
            set_place(places, e, keys, out->n);
            node_push(m->a, out, v);
        }
    }
    return true;
}

static void delete_elements(struct node *out, const struct map *places, const struct node *gone)
{
    for (size_t i = 0; node_is(gone, NODE_LIST) && i < gone->n; i++) {
        size_t at = find_place(places, gone->items[i], NULL);
        if (at != SIZE_MAX) {
            out->items[at] = NULL;
        }
    }
}

static void drop_holes(struct node *list)
{
    size_t kept = 0;
    for (size_t i = 0; i < list->n; i++) {
        if (list->items[i]) {
            list->items[kept++] = list->items[i];
        }
    }
    list->n = kept;
}

/* Brings the elements that `order` names into its order. The others, which only the server knows,
 * keep their place relative to the named ones that were in the list before. */
static struct node *ordered(struct merge *m, const struct node *list, const struct node *order,
                            const char *const *keys, const struct map *live)
{
    AUTO_MAP rank = MAP_INIT;
    set_places(&rank, order, keys);
    struct node *out = node_list(m->a);
    struct node **named = arena_array(m->a, struct node *, order->n);
    struct node **others = arena_array(m->a, struct node *, list->n);
    if (!out || !named || !others) {
        return NULL;
    }
    size_t n_others = 0;
    for (size_t i = 0; i < list->n; i++) {
        size_t at = find_place(&rank, list->items[i], keys);
        if (at == SIZE_MAX || named[at]) {
            others[n_others++] = list->items[i];
        } else {
            named[at] = list->items[i];
        }
    }
    size_t o = 0;
    for (size_t i = 0; i < order->n; i++) {
        if (!named[i]) {
            continue;
        }
        size_t at = find_place(live, named[i], keys);
        while (at != SIZE_MAX && o < n_others && find_place(live, others[o], keys) < at) {
            node_push(m->a, out, others[o++]);
        }
        node_push(m->a, out, named[i]);
    }
    while (o < n_others) {
        node_push(m->a, out, others[o++]);
    }
    return out;
}

/* patch may be NULL when only directives speak about the list. */
static struct node *merge_list(struct merge *m, const struct node *target,
                               const struct node *patch, const struct node *gone,
                               const struct node *order, const struct api_field *f)
{
    const char *const *keys = f->keys && f->keys[0] ? f->keys : NULL;
    if (patch && replaces_list(patch)) {
        return replaced_list(m, patch, f->object);
    }
    struct node *out = node_list(m->a);
    for (size_t i = 0; node_is(target, NODE_LIST) && i < target->n; i++) {
        node_push(m->a, out, target->items[i]);
    }
    if (m->a->exhausted) {
        return NULL;
    }
    AUTO_MAP places = MAP_INIT;
    AUTO_MAP live = MAP_INIT;
    set_places(&places, target, keys);
    set_places(&live, target, keys);
    delete_elements(out, &places, keys ? NULL : gone);
    if (patch && !merge_elements(m, out, &places, patch, keys, f->object)) {
        return NULL;
    }
    drop_holes(out);
    order = node_is(order, NODE_LIST) ? order : patch; /* so that what a patch adds comes first */
    return order ? ordered(m, out, order, keys, &live) : out;
}

/* --- maps --- */

/* False on an unknown value of `$patch`. */
static bool read_patch_directive(struct merge *m, const struct node *patch, bool *replace,
                                 bool *delete)
{
    const struct node *d = node_getz(patch, "$patch");
    struct str v = node_text(d);
    *replace = str_eqz(v, "replace");
    *delete = str_eqz(v, "delete");
    if (d && !*replace && !*delete && !str_eqz(v, "merge")) {
        return fail(m, "unrecognized patch directive", v) != NULL;
    }
    return true;
}

static bool merges(const struct api_field *f)
{
    return f && f->type == API_LIST && (f->merge || f->list == API_LIST_MAP);
}

static struct node *merge_member(struct merge *m, const struct node *target,
                                 const struct node *patch, const struct node *whole,
                                 struct str key, struct shape shape, bool directives)
{
    const struct api_field *f = field_of(shape, key);
    if (node_is(patch, NODE_LIST) && merges(f)) {
        return merge_list(m, target, patch,
                          directives ? directive(whole, DELETE_FROM, key) : NULL,
                          directives ? directive(whole, ORDER, key) : NULL, f);
    }
    return merge_value(m, target, patch, shape_below(shape, f));
}

/* Lists that the patch names only in directives. */
static bool merge_directive_lists(struct merge *m, struct node *out, const struct node *patch,
                                  struct shape shape)
{
    for (size_t i = 0; i < patch->n; i++) {
        struct str key = patch->members[i].key;
        size_t skip = str_has_prefix(key, STR(ORDER))         ? sizeof(ORDER) - 1
                      : str_has_prefix(key, STR(DELETE_FROM)) ? sizeof(DELETE_FROM) - 1
                                                              : 0;
        struct str name = str_sub(key, skip, key.len);
        const struct node *list = skip ? node_get(out, name) : NULL;
        static const struct api_field set = {.type = API_LIST, .merge = true};
        const struct api_field *f = field_of(shape, name);
        if (!node_is(list, NODE_LIST) || node_get(patch, name)) {
            continue;
        }
        struct node *v = merge_list(m, list, NULL, directive(patch, DELETE_FROM, name),
                                    directive(patch, ORDER, name), f ? f : &set);
        if (!v) {
            return false;
        }
        node_set(m->a, out, name, v);
    }
    return true;
}

static void retain_keys(struct node *out, const struct node *keys)
{
    AUTO_MAP keep = MAP_INIT;
    for (size_t i = 0; i < keys->n; i++) {
        (void)map_set(&keep, node_text(keys->items[i]), out);
    }
    size_t kept = 0;
    for (size_t i = 0; i < out->n; i++) {
        if (map_has(&keep, out->members[i].key)) {
            out->members[kept++] = out->members[i];
        }
    }
    out->n = kept;
}

/* Members of target with the patch's changes, then the members that only the patch has. */
static bool merge_members(struct merge *m, struct node *out, const struct node *t,
                          const struct node *patch, struct shape shape)
{
    AUTO_MEMBERS in_patch = {0};
    AUTO_MEMBERS in_target = {0};
    size_t directives = count_directives(patch);
    if (directives > MAX_DIRECTIVES) {
        return fail(m, "too many directives", STR("patch")) != NULL;
    }
    for (size_t i = 0; i < t->n + patch->n; i++) {
        bool from_patch = i >= t->n;
        struct node_member it = from_patch ? patch->members[i - t->n] : t->members[i];
        const struct node *old = from_patch ? NULL : it.value, *p = it.value;
        if (from_patch) {
            if (is_directive(it.key) ||
                members_find(&in_target, t->members, t->n, it.key) != MEMBERS_NONE) {
                continue;
            }
        } else {
            size_t j = members_find(&in_patch, patch->members, patch->n, it.key);
            p = j == MEMBERS_NONE ? NULL : patch->members[j].value;
        }
        if (p && p->type == NODE_NULL) {
            continue;
        }
        struct node *v =
            p ? merge_member(m, old, p, patch, it.key, shape, directives > 0) : it.value;
        if (!v) {
            return false;
        }
        out->members[out->n++] = (struct node_member){it.key, v};
    }
    return !directives || merge_directive_lists(m, out, patch, shape);
}

static struct node *merge_map(struct merge *m, const struct node *target,
                              const struct node *patch, struct shape shape)
{
    static const struct node empty = {.type = NODE_MAP};
    bool replace, delete;
    if (!read_patch_directive(m, patch, &replace, &delete)) {
        return NULL;
    }
    struct node *out = node_map(m->a);
    if (delete || !out) {
        return out;
    }
    const struct node *t = node_is(target, NODE_MAP) && !replace ? target : &empty;
    out->cap = t->n + patch->n;
    out->members = arena_array(m->a, struct node_member, out->cap);
    if (!out->members || !merge_members(m, out, t, patch, shape)) {
        return NULL;
    }
    const struct node *keep = node_getz(patch, "$retainKeys");
    if (node_is(keep, NODE_LIST)) {
        retain_keys(out, keep);
    }
    return out;
}

static struct node *merge_value(struct merge *m, const struct node *target,
                                const struct node *patch, struct shape shape)
{
    if (node_is(patch, NODE_MAP)) {
        return merge_map(m, target, patch, shape);
    }
    return (struct node *)patch;
}

struct node *patch_strategic(struct arena *a, const struct node *target, const struct node *patch,
                             const struct api_schema *schema, struct err *err)
{
    struct merge m = {.a = a, .err = err};
    if (!node_is(patch, NODE_MAP)) {
        return fail(&m, "a strategic merge patch must be an object", STR("patch"));
    }
    struct node *out = merge_value(&m, target, patch, (struct shape){.object = schema});
    if (!out && a->exhausted) {
        err_set(err, ERR_TOO_LARGE, "patched object is too large");
    }
    return a->exhausted ? NULL : out;
}
