/* SPDX-License-Identifier: Apache-2.0
 *
 * Merge patches (RFC 7386) and JSON patches (RFC 6902); see patch.h. A merge builds new maps along
 * the changed paths and shares the rest. A JSON patch works on one structural copy of the target
 * (strings stay shared), because ten thousand operations must not copy the document each time.
 */
#include "data/patch.h"

#include "api/kinds.h"
#include "base/limits.h"
#include "data/members.h"

/* Bytes that all "copy" operations of a patch may add: without a bound, copying a document into
 * itself doubles it with each operation. */
#define MAX_COPIED LIMIT_BODY_BYTES
/* Members and items that a patch may step over: bounds many operations on one huge map. */
#define MAX_STEPS (200u * 1000 * 1000)

/* --- merge --- */

struct node *patch_merge(struct arena *a, const struct node *target, const struct node *patch)
{
    if (!node_is(patch, NODE_MAP)) {
        return (struct node *)patch;
    }
    static const struct node empty = {.type = NODE_MAP};
    const struct node *t = node_is(target, NODE_MAP) ? target : &empty;
    struct node *out = node_map(a);
    struct node_member *members = arena_array(a, struct node_member, t->n + patch->n);
    if (!out || !members) {
        return NULL;
    }
    AUTO_MEMBERS in_patch = {0};
    AUTO_MEMBERS in_target = {0};
    size_t n = 0;
    for (size_t i = 0; i < t->n; i++) {
        struct node_member m = t->members[i];
        size_t j = members_find(&in_patch, patch->members, patch->n, m.key);
        const struct node *p = j == MEMBERS_NONE ? NULL : patch->members[j].value;
        if (p && p->type == NODE_NULL) {
            continue;
        }
        members[n++] = (struct node_member){m.key, p ? patch_merge(a, m.value, p) : m.value};
    }
    for (size_t j = 0; j < patch->n; j++) {
        struct node_member m = patch->members[j];
        if (!node_is(m.value, NODE_NULL) &&
            members_find(&in_target, t->members, t->n, m.key) == MEMBERS_NONE) {
            members[n++] = (struct node_member){m.key, patch_merge(a, NULL, m.value)};
        }
    }
    out->members = members;
    out->n = n;
    out->cap = t->n + patch->n;
    return a->exhausted ? NULL : out;
}

/* --- JSON patch --- */

struct json_patch {
    struct arena *a;
    struct node *root;
    struct err *err;
    size_t copied, steps;
};

/* Structural copy: own nodes, shared strings. */
static struct node *clone(struct arena *a, const struct node *n)
{
    struct node *c = n ? arena_new(a, struct node) : NULL;
    if (!c) {
        return NULL;
    }
    *c = *n;
    c->cap = n->n;
    if (n->type == NODE_LIST) {
        c->items = arena_array(a, struct node *, n->n);
        for (size_t i = 0; c->items && i < n->n; i++) {
            c->items[i] = clone(a, n->items[i]);
        }
    } else if (n->type == NODE_MAP) {
        c->members = arena_array(a, struct node_member, n->n);
        for (size_t i = 0; c->members && i < n->n; i++) {
            c->members[i] = (struct node_member){n->members[i].key,
                                                 clone(a, n->members[i].value)};
        }
    }
    return a->exhausted ? NULL : c;
}

static size_t depth_of(const struct node *n)
{
    size_t deepest = 0;
    for (size_t i = 0; (n->type == NODE_MAP || n->type == NODE_LIST) && i < n->n; i++) {
        size_t d = depth_of(n->type == NODE_MAP ? n->members[i].value : n->items[i]);
        deepest = d > deepest ? d : deepest;
    }
    return n->type == NODE_MAP || n->type == NODE_LIST ? deepest + 1 : 0;
}

/* A patch that does not fit the document. */
static int refuse(struct json_patch *p)
{
    api_err(p->err, ERR_INVALID, "kube-patch-failed");
    return err_details(p->err, "", "", "");
}

static int memory(struct json_patch *p)
{
    return err_set(p->err, ERR_TOO_LARGE, "patched object is too large");
}

/* One reference token with ~0 and ~1 decoded; false on any other use of '~'. */
static bool decode_token(struct arena *a, struct str raw, struct str *out)
{
    *out = raw;
    if (str_find_byte(raw, '~') < 0) {
        return true;
    }
    char *text = arena_alloc(a, raw.len);
    size_t n = 0;
    for (size_t i = 0; text && i < raw.len; i++) {
        char c = raw.ptr[i];
        if (c == '~') {
            i++;
            if (i == raw.len || (raw.ptr[i] != '0' && raw.ptr[i] != '1')) {
                return false;
            }
            c = raw.ptr[i] == '0' ? '~' : '/';
        }
        text[n++] = c;
    }
    *out = (struct str){text, n};
    return text != NULL;
}

/* A list index without sign or leading zero; SIZE_MAX when it is none or past max. */
static size_t list_index(struct str token, size_t max)
{
    int64_t v;
    if (token.len == 0 || token.ptr[0] == '-' || (token.ptr[0] == '0' && token.len > 1) ||
        !str_to_int64(token, &v) || (uint64_t)v > max) {
        return SIZE_MAX;
    }
    return (size_t)v;
}

static bool step_cost(struct json_patch *p, size_t n)
{
    p->steps += n + 1;
    return p->steps <= MAX_STEPS;
}

static struct node *child(struct json_patch *p, const struct node *n, struct str token)
{
    if (!step_cost(p, node_is(n, NODE_MAP) ? n->n : 0)) {
        return NULL;
    }
    if (node_is(n, NODE_LIST)) {
        size_t i = list_index(token, n->n ? n->n - 1 : 0);
        return i < n->n ? n->items[i] : NULL;
    }
    return node_get(n, token);
}

/* Splits the pointer: *last is the decoded final token, the answer the container it names a place
 * in (NULL when there is none), *depth the number of tokens. The pointer must not be empty. */
static struct node *parent_of(struct json_patch *p, struct str pointer, struct str *last,
                              size_t *depth)
{
    struct node *n = p->root;
    struct str rest = str_sub(pointer, 1, pointer.len);
    rest.ptr = rest.ptr ? rest.ptr : "";
    struct str raw;
    *depth = 0;
    while (n && str_split(&rest, '/', &raw)) {
        ++*depth;
        if (!decode_token(p->a, raw, last)) {
            return NULL;
        }
        if (!rest.ptr) {
            return n;
        }
        n = child(p, n, *last);
    }
    return NULL;
}

static struct node *find(struct json_patch *p, struct str pointer)
{
    struct str last;
    size_t depth;
    if (pointer.len == 0) {
        return p->root;
    }
    struct node *parent = parent_of(p, pointer, &last, &depth);
    return parent ? child(p, parent, last) : NULL;
}

static int add(struct json_patch *p, struct str pointer, struct node *value)
{
    struct str last;
    size_t depth = 0;
    if (pointer.len == 0) {
        p->root = value;
        return 0;
    }
    struct node *parent = parent_of(p, pointer, &last, &depth);
    if (!parent || depth + depth_of(value) > LIMIT_JSON_DEPTH) {
        return refuse(p);
    }
    if (parent->type == NODE_MAP && step_cost(p, parent->n)) {
        node_set(p->a, parent, last, value);
        return 0;
    }
    size_t at = str_eq(last, STR("-")) ? parent->n : list_index(last, parent->n);
    if (parent->type != NODE_LIST || at == SIZE_MAX || !step_cost(p, parent->n - at)) {
        return refuse(p);
    }
    node_insert(p->a, parent, at, value);
    return 0;
}

static int remove_at(struct json_patch *p, struct str pointer)
{
    struct str last;
    size_t depth;
    struct node *parent = pointer.len ? parent_of(p, pointer, &last, &depth) : NULL;
    if (!parent || !step_cost(p, parent->n)) {
        return refuse(p);
    }
    if (parent->type == NODE_LIST) {
        size_t i = list_index(last, parent->n);
        if (i >= parent->n) {
            return refuse(p);
        }
        node_remove(parent, i);
        return 0;
    }
    return node_del(parent, last) ? 0 : refuse(p);
}

/* A missing member of a map is set, as Kubernetes does; RFC 6902 would refuse it. */
static int replace(struct json_patch *p, struct str pointer, struct node *value)
{
    if (pointer.len == 0) {
        p->root = value;
        return 0;
    }
    struct str last;
    size_t depth;
    struct node *parent = parent_of(p, pointer, &last, &depth);
    if (!parent || depth + depth_of(value) > LIMIT_JSON_DEPTH || !step_cost(p, parent->n)) {
        return refuse(p);
    }
    if (parent->type == NODE_MAP) {
        node_set(p->a, parent, last, value);
        return 0;
    }
    size_t i = parent->type == NODE_LIST ? list_index(last, parent->n) : SIZE_MAX;
    if (i >= parent->n) {
        return refuse(p);
    }
    parent->items[i] = value;
    return 0;
}

static int move(struct json_patch *p, struct str from, struct str path)
{
    struct node *value = find(p, from);
    bool into_child = path.len > from.len && str_has_prefix(path, from) &&
                      path.ptr[from.len] == '/';
    if (!value || into_child) {
        return refuse(p);
    }
    if (str_eq(from, path)) {
        return 0;
    }
    return remove_at(p, from) || add(p, path, value) ? -1 : 0;
}

static int copy(struct json_patch *p, struct str from, struct str path)
{
    struct node *value = find(p, from);
    if (!value) {
        return refuse(p);
    }
    AUTO_BUF size = {.max = MAX_COPIED - p->copied + 1};
    json_emit(&size, value);
    p->copied += size.len;
    if (size.overflow || p->copied > MAX_COPIED) {
        return memory(p);
    }
    value = clone(p->a, value);
    return value ? add(p, path, value) : memory(p);
}

static bool is_pointer(const struct node *n)
{
    return node_is(n, NODE_STRING) && (n->text.len == 0 || n->text.ptr[0] == '/');
}

static int apply(struct json_patch *p, size_t i, const struct node *op)
{
    struct str name = node_text(node_getz(op, "op"));
    const struct node *path = node_getz(op, "path"), *from = node_getz(op, "from");
    struct node *value = node_getz(op, "value");
    if (!node_is(op, NODE_MAP)) {
        AUTO_BUF text = BUF_INIT;
        buf_printf(&text, "operation %zu is not an object", i);
        return api_err(p->err, ERR_BAD_REQUEST, "kube-patch-decode", text.ptr);
    }
    if (!is_pointer(path)) {
        return refuse(p);
    }
    if (str_eqz(name, "remove")) {
        return remove_at(p, path->text);
    }
    if (str_eqz(name, "move") || str_eqz(name, "copy")) {
        if (!is_pointer(from)) {
            return refuse(p);
        }
        return name.ptr[0] == 'm' ? move(p, from->text, path->text)
                                  : copy(p, from->text, path->text);
    }
    bool is_test = str_eqz(name, "test"), is_add = str_eqz(name, "add");
    if ((!is_test && !is_add && !str_eqz(name, "replace")) || !value) {
        return refuse(p);
    }
    if (is_test) {
        return node_equal(find(p, path->text), value) ? 0 : refuse(p);
    }
    value = clone(p->a, value);
    if (!value) {
        return memory(p);
    }
    return is_add ? add(p, path->text, value) : replace(p, path->text, value);
}

struct node *patch_json(struct arena *a, const struct node *target, const struct node *ops,
                        struct err *err)
{
    struct json_patch p = {.a = a, .err = err};
    if (!node_is(ops, NODE_LIST)) {
        api_err(err, ERR_BAD_REQUEST, "kube-patch-decode", "a JSON patch must be an array");
        return NULL;
    }
    if (ops->n > LIMIT_JSON_PATCH_OPS) {
        err_set(err, ERR_TOO_LARGE,
                "The allowed maximum operations in a JSON patch is %d, got %zu",
                LIMIT_JSON_PATCH_OPS, (size_t)ops->n);
        return NULL;
    }
    p.root = clone(a, target);
    for (size_t i = 0; i < ops->n; i++) {
        if (apply(&p, i, ops->items[i])) {
            return NULL;
        }
    }
    if (a->exhausted || !p.root) {
        (void)memory(&p);
        return NULL;
    }
    return p.root;
}
