/* SPDX-License-Identifier: Apache-2.0
 *
 * YAML items into nodes (yaml.h): types of plain scalars, tags, aliases, merge keys, duplicate
 * keys. Follows what sigs.k8s.io/yaml does on the way to JSON, so that a manifest means here what
 * it means to a Kubernetes server. Booleans keep their source text too (node.text), for readers
 * that want `yes` as it was written.
 */
#include "data/yaml.h"

#include "base/limits.h"
#include "data/base64.h"
#include "data/members.h"
#include "data/yaml_item.h"
#include "data/yaml_scalar.h"

#define TAG "tag:yaml.org,2002:"
#define MAX_REPORTS 100 /* as in json.c */

struct frame {
    const struct frame *up;
    struct str key;
    size_t index;
    bool in_list;
};

struct resolver {
    struct arena *a;
    const struct json_options *o;
    struct err *err;
    const struct frame *frame;
    size_t n_nodes, n_alias_nodes; /* made at all, made while following an alias */
    unsigned alias_depth, depth, reports;
};

static struct node *resolve(struct resolver *r, struct yaml_item *it);

static struct node *fail(struct resolver *r, const struct yaml_item *it, const char *problem)
{
    err_set(r->err, ERR_BAD_REQUEST, "yaml: line %zu: %s", it->line, problem);
    return NULL;
}

/* Share of nodes that may come from aliases: small documents may be mostly aliases, large ones
 * not, so that a short text cannot become gigabytes. */
static bool too_many_aliases(const struct resolver *r)
{
    const double low = 400000, high = 4000000;
    double n = (double)r->n_nodes;
    if (r->n_alias_nodes <= 100 || r->n_nodes <= 1000) {
        return false;
    }
    double allowed = n <= low    ? 0.99
                     : n >= high ? 0.10
                                 : 0.99 - 0.89 * (n - low) / (high - low);
    return (double)r->n_alias_nodes > allowed * n;
}

/* --- scalars --- */

static struct node *make_scalar(struct resolver *r, const struct yaml_item *it,
                                const struct yaml_scalar *s)
{
    struct node *n = arena_new(r->a, struct node);
    if (!n) {
        return fail(r, it, "document is too large");
    }
    if (s->infinite) {
        return fail(r, it, "infinity and NaN have no JSON form");
    }
    n->type = s->type;
    n->boolean = s->boolean;
    n->integer = s->integer;
    bool number = s->type == NODE_INT || s->type == NODE_FLOAT;
    n->text = number ? yaml_scalar_number(r->a, s, it->text) : it->text;
    return n;
}

static struct node *fail_tag(struct resolver *r, const struct yaml_item *it, struct str kind)
{
    struct str text = str_sub(it->text, 0, 64);
    err_set(r->err, ERR_BAD_REQUEST, "yaml: line %zu: cannot decode `%.*s` as a !!%.*s", it->line,
            STR_ARG(text), STR_ARG(kind));
    return NULL;
}

static struct node *resolve_binary(struct resolver *r, const struct yaml_item *it)
{
    struct str bytes;
    if (!base64_parse(r->a, it->text, &bytes)) {
        return fail(r, it, "!!binary value contains invalid base64 data");
    }
    return str_is_utf8(bytes) ? node_str(r->a, bytes)
                              : fail(r, it, "!!binary value is not UTF-8 text");
}

static struct node *resolve_tagged(struct resolver *r, const struct yaml_item *it)
{
    static const struct {
        const char *name;
        enum node_type type;
    } kinds[] = {{"int", NODE_INT}, {"float", NODE_FLOAT}, {"bool", NODE_BOOL},
                 {"null", NODE_NULL}};
    struct yaml_scalar s = {.type = NODE_STRING};
    struct str kind = str_has_prefix(it->tag, STR(TAG))
                          ? str_sub(it->tag, sizeof(TAG) - 1, it->tag.len)
                          : STR_NULL;
    if (str_eqz(kind, "binary")) {
        return resolve_binary(r, it);
    }
    for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
        if (str_eqz(kind, kinds[i].name)) {
            s = yaml_scalar_resolve(it->text);
            bool widened = s.type == NODE_INT && kinds[i].type == NODE_FLOAT;
            bool big = s.type == NODE_FLOAT && kinds[i].type == NODE_INT &&
                       str_find_byte(it->text, '.') < 0 && str_find_byte(it->text, 'e') < 0;
            if (s.type != kinds[i].type && !widened && !big) {
                return fail_tag(r, it, kind);
            }
        }
    }
    return make_scalar(r, it, &s);
}

static struct node *resolve_scalar(struct resolver *r, const struct yaml_item *it)
{
    if (it->tag.ptr) {
        return resolve_tagged(r, it);
    }
    struct yaml_scalar s = {.type = NODE_STRING};
    if (it->plain) {
        s = yaml_scalar_resolve(it->text);
    }
    return make_scalar(r, it, &s);
}

/* --- maps --- */

static bool is_merge_key(const struct yaml_item *key)
{
    return key->type == YAML_SCALAR && str_eqz(key->text, "<<") &&
           (key->tag.ptr ? str_eqz(key->tag, TAG "merge") : key->plain);
}

/* Keys become strings as in JSON: `yes: 1` has the key "true", `0x10: 1` the key "16". */
static bool resolve_key(struct resolver *r, struct yaml_item *key, struct str *out)
{
    const struct yaml_item *it = key->type == YAML_ALIAS ? key->target : key;
    if (it->type != YAML_SCALAR) {
        return fail(r, key, "a map key must be a scalar") != NULL;
    }
    struct node *n = resolve_scalar(r, it);
    if (!n) {
        return false;
    }
    if (n->type == NODE_NULL) {
        return fail(r, key, "a map key must not be null") != NULL;
    }
    *out = n->type == NODE_BOOL ? (n->boolean ? STR("true") : STR("false")) : n->text;
    return true;
}

static void add_path(struct buf *b, const struct frame *f)
{
    if (f->up) {
        add_path(b, f->up);
    }
    if (f->in_list) {
        buf_printf(b, "[%zu]", f->index);
    } else {
        if (b->len) {
            buf_addc(b, '.');
        }
        buf_add_str(b, f->key);
    }
}

/* Where a key stands for the first time. */
static const struct yaml_item *key_item(const struct yaml_item *it, struct str key,
                                        const struct yaml_item *until)
{
    for (size_t i = 0; i < it->n && it->items[i] != until; i += 2) {
        if (str_eq(it->items[i]->text, key)) {
            return it->items[i];
        }
    }
    return until;
}

static bool report(struct resolver *r, const struct frame *f, const struct yaml_item *map,
                   const struct yaml_item *key)
{
    if (!r->o) {
        const struct yaml_item *first = key_item(map, f->key, key);
        struct str k = str_sub(f->key, 0, 200);
        err_set(r->err, ERR_BAD_REQUEST,
                "yaml: line %zu: mapping key \"%.*s\" already defined at line %zu", key->line,
                STR_ARG(k), first->line);
        return false;
    }
    if (r->o->duplicate && r->reports < MAX_REPORTS) {
        r->reports++;
        AUTO_BUF path = BUF_INIT;
        add_path(&path, f);
        r->o->duplicate(r->o->ctx, buf_str(&path));
    }
    return true;
}

static bool push_member(struct resolver *r, struct node *map, struct str key, struct node *value)
{
    if (map->n == map->cap) {
        size_t cap = map->cap ? map->cap * 2 : 8;
        struct node_member *grown = arena_array(r->a, struct node_member, cap);
        if (!grown) {
            return false;
        }
        if (map->n) {
            memcpy(grown, map->members, map->n * sizeof(*grown));
        }
        map->members = grown;
        map->cap = cap;
    }
    map->members[map->n++] = (struct node_member){key, value};
    return true;
}

/* Adds what the value of a `<<` has and the map does not. */
static bool merge_from(struct resolver *r, struct node *map, struct members *ix,
                       struct yaml_item *value)
{
    struct yaml_item *it = value->type == YAML_ALIAS ? value->target : value;
    if (it->type != YAML_MAP) {
        return fail(r, value, "map merge requires map or sequence of maps as the value") != NULL;
    }
    struct node *from = resolve(r, value);
    for (size_t i = 0; from && i < from->n; i++) {
        struct node_member m = from->members[i];
        if (members_find(ix, map->members, map->n, m.key) == MEMBERS_NONE &&
            !push_member(r, map, m.key, m.value)) {
            return fail(r, value, "document is too large") != NULL;
        }
    }
    return from != NULL;
}

static bool merge_keys(struct resolver *r, struct node *map, struct members *ix,
                       struct yaml_item *it)
{
    for (size_t i = 0; i < it->n; i += 2) {
        if (!is_merge_key(it->items[i])) {
            continue;
        }
        struct yaml_item *v = it->items[i + 1];
        if (v->type != YAML_LIST) {
            if (!merge_from(r, map, ix, v)) {
                return false;
            }
            continue;
        }
        for (size_t j = 0; j < v->n; j++) {
            if (!merge_from(r, map, ix, v->items[j])) {
                return false;
            }
        }
    }
    return true;
}

static bool resolve_members(struct resolver *r, struct node *map, struct yaml_item *it,
                            struct members *ix, struct frame *f, bool *merged)
{
    for (size_t i = 0; i < it->n; i += 2) {
        struct yaml_item *key = it->items[i];
        if (is_merge_key(key)) {
            *merged = true;
            continue;
        }
        if (!resolve_key(r, key, &f->key)) {
            return false;
        }
        size_t same = members_find(ix, map->members, map->n, f->key);
        if (same != MEMBERS_NONE && !report(r, f, it, key)) {
            return false;
        }
        struct node *v = resolve(r, it->items[i + 1]);
        if (!v) {
            return false;
        }
        if (same != MEMBERS_NONE) {
            map->members[same].value = v;
        } else if (!push_member(r, map, f->key, v)) {
            return fail(r, key, "document is too large") != NULL;
        }
    }
    return true;
}

static struct node *resolve_map(struct resolver *r, struct yaml_item *it)
{
    struct node *map = node_map(r->a);
    AUTO_MEMBERS ix = {0};
    struct frame f = {.up = r->frame};
    bool merged = false;
    if (!map) {
        return fail(r, it, "document is too large");
    }
    r->frame = &f;
    bool ok = resolve_members(r, map, it, &ix, &f, &merged) &&
              (!merged || merge_keys(r, map, &ix, it));
    r->frame = f.up;
    return ok ? map : NULL;
}

static struct node *resolve_list(struct resolver *r, struct yaml_item *it)
{
    struct node *list = node_list(r->a);
    struct node **items = arena_array(r->a, struct node *, it->n);
    if (!list || !items) {
        return fail(r, it, "document is too large");
    }
    struct frame f = {.up = r->frame, .in_list = true};
    r->frame = &f;
    for (f.index = 0; f.index < it->n; f.index++) {
        items[f.index] = resolve(r, it->items[f.index]);
        if (!items[f.index]) {
            return NULL;
        }
    }
    r->frame = f.up;
    list->items = items;
    list->n = list->cap = it->n;
    return list;
}

static struct node *resolve_alias(struct resolver *r, struct yaml_item *it)
{
    if (it->target->busy) {
        return fail(r, it, "anchor value contains itself");
    }
    r->alias_depth++;
    struct node *n = resolve(r, it->target);
    r->alias_depth--;
    if (n && r->alias_depth == 0) {
        n->span_from = it->from;
        n->span_to = it->to;
        it->node = n;
    }
    return n;
}

static struct node *resolve(struct resolver *r, struct yaml_item *it)
{
    r->n_nodes++;
    r->n_alias_nodes += r->alias_depth > 0;
    if (too_many_aliases(r)) {
        return fail(r, it, "document contains excessive aliasing");
    }
    if (it->type == YAML_ALIAS) {
        return resolve_alias(r, it);
    }
    if (it->type != YAML_SCALAR && r->depth >= LIMIT_JSON_DEPTH) {
        return fail(r, it, "nesting is too deep");
    }
    it->busy = true;
    r->depth++;
    struct node *n = it->type == YAML_SCALAR ? resolve_scalar(r, it)
                     : it->type == YAML_LIST ? resolve_list(r, it)
                                             : resolve_map(r, it);
    r->depth--;
    it->busy = false;
    if (n && r->alias_depth == 0) { /* the bytes of an anchor are not the copy's to change */
        n->span_from = it->from;
        n->span_to = it->to;
        it->node = n;
    }
    return n;
}

struct node *yaml_item_resolve(struct arena *a, struct yaml_item *root,
                               const struct json_options *o, struct err *err)
{
    struct resolver r = {.a = a, .o = o, .err = err};
    return resolve(&r, root);
}

struct node *yaml_parse(struct arena *a, struct str text, const struct json_options *o,
                        struct err *err)
{
    AUTO_YAML_LOADER *l = yaml_loader_new(a, text, err);
    struct yaml_item *root = NULL;
    if (!l || yaml_loader_next(l, &root, err)) {
        return NULL;
    }
    struct node *n = root ? yaml_item_resolve(a, root, o, err) : node_null(a);
    if (!n && err && err->kind == ERR_NONE) {
        err_set(err, ERR_BAD_REQUEST, "yaml: document is too large");
    }
    return n;
}

struct node *yaml_parse_all(struct arena *a, struct str text, struct err *err)
{
    AUTO_YAML_LOADER *l = yaml_loader_new(a, text, err);
    struct node *list = node_list(a);
    struct yaml_item *root = NULL;
    if (!l) {
        return NULL;
    }
    do {
        if (yaml_loader_next(l, &root, err)) {
            return NULL;
        }
        struct node *n = root ? yaml_item_resolve(a, root, NULL, err) : NULL;
        if (root && !n) {
            return NULL;
        }
        node_push(a, list, n);
    } while (root);
    if (a->exhausted) {
        err_set(err, ERR_BAD_REQUEST, "yaml: document is too large");
        return NULL;
    }
    return list;
}
