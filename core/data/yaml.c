/* SPDX-License-Identifier: Apache-2.0
 *
 * YAML trees into values (yaml.h, yaml_values.h): types of plain scalars, tags, aliases, merge
 * keys, duplicate keys. Follows what sigs.k8s.io/yaml does on the way to JSON, so that a manifest
 * means here what it means to a Kubernetes server. Booleans keep their source text too (node.text),
 * for readers that want `yes` as it was written. Recursion is bounded: texts are read with the
 * depth of JSON, and copies by aliases count.
 */
#include "data/yaml.h"

#include "base/limits.h"
#include "data/base64.h"
#include "data/members.h"
#include "data/yaml_doc.h"
#include "data/yaml_scalar.h"
#include "data/yaml_values.h"

#define MAX_REPORTS 100 /* as in json.c */

struct frame {
    const struct frame *up;
    const struct node *node; /* whose children are being resolved */
    struct str key;
    size_t index;
    bool in_list;
};

struct resolver {
    struct arena *a;
    struct str text;
    const struct json_options *o;
    struct err *err;
    const struct frame *frame;
    size_t n_nodes, n_alias_nodes; /* made at all, made while following an alias */
    unsigned alias_depth, depth, reports;
};

static struct node *resolve(struct resolver *r, const struct node *it);

/* Line of a place, from 1. */
static size_t line_of(const struct resolver *r, size_t at)
{
    size_t line = 1;
    for (size_t i = 0; i < at && i < r->text.len; i++) {
        line += r->text.ptr[i] == '\n';
    }
    return line;
}

static struct node *fail(struct resolver *r, const struct node *it, const char *problem)
{
    err_set(r->err, ERR_BAD_REQUEST, "yaml: line %zu: %s", line_of(r, it->span_from), problem);
    return NULL;
}

/* What the peer says without a line. */
static struct node *fail_anywhere(struct resolver *r, const char *problem)
{
    err_set(r->err, ERR_BAD_REQUEST, "yaml: %s", problem);
    return NULL;
}

static struct str tag_of(const struct node *n)
{
    return n->notes ? n->notes->tag : STR_NULL;
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

static struct node *make_scalar(struct resolver *r, const struct node *it,
                                const struct yaml_scalar *s)
{
    struct node *n = arena_new(r->a, struct node);
    if (!n) {
        return fail(r, it, "document is too large");
    }
    if (s->infinite) {
        return fail(r, it, "infinity and NaN have no JSON form");
    }
    n->type = (uint8_t)s->type;
    n->boolean = s->boolean;
    n->integer = s->integer;
    bool number = s->type == NODE_INT || s->type == NODE_FLOAT;
    n->text = number ? yaml_scalar_number(r->a, s, it->text) : it->text;
    return n;
}

static struct node *resolve_binary(struct resolver *r, const struct node *it)
{
    struct str bytes;
    if (!base64_parse(r->a, it->text, &bytes)) {
        return fail_anywhere(r, "!!binary value contains invalid base64 data");
    }
    return str_is_utf8(bytes) ? node_str(r->a, bytes)
                              : fail(r, it, "!!binary value is not UTF-8 text");
}

static struct node *resolve_tagged(struct resolver *r, const struct node *it, struct str tag)
{
    static const struct {
        const char *name;
        enum node_type type;
    } kinds[] = {{"!!int", NODE_INT}, {"!!float", NODE_FLOAT}, {"!!bool", NODE_BOOL},
                 {"!!null", NODE_NULL}};
    struct yaml_scalar s = {.type = NODE_STRING};
    if (str_eqz(tag, "!!binary")) {
        return resolve_binary(r, it);
    }
    for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
        if (str_eqz(tag, kinds[i].name)) {
            s = yaml_scalar_resolve(it->text);
            bool widened = s.type == NODE_INT && kinds[i].type == NODE_FLOAT;
            bool big = s.type == NODE_FLOAT && kinds[i].type == NODE_INT &&
                       str_find_byte(it->text, '.') < 0 && str_find_byte(it->text, 'e') < 0;
            if (s.type != kinds[i].type && !widened && !big) {
                struct str text = str_sub(it->text, 0, 64);
                err_set(r->err, ERR_BAD_REQUEST, "yaml: line %zu: cannot decode `%.*s` as a %.*s",
                        line_of(r, it->span_from), STR_ARG(text), STR_ARG(tag));
                return NULL;
            }
        }
    }
    return make_scalar(r, it, &s);
}

static struct node *resolve_scalar(struct resolver *r, const struct node *it)
{
    struct str tag = tag_of(it);
    if (tag.len) {
        return resolve_tagged(r, it, tag);
    }
    struct yaml_scalar s = {.type = NODE_STRING};
    if (it->style == STYLE_PLAIN) {
        s = yaml_scalar_resolve(it->text);
    }
    return make_scalar(r, it, &s);
}

/* --- maps --- */

static bool is_scalar(const struct node *n)
{
    return n->type != NODE_LIST && n->type != NODE_MAP && n->type != NODE_ALIAS;
}

bool yaml_is_merge(const struct node_member *m)
{
    if (!str_eqz(m->key, "<<")) {
        return false;
    }
    const struct node *k = m->name;
    return !k || (tag_of(k).len ? str_eqz(tag_of(k), "!!merge") : k->style == STYLE_PLAIN);
}

/* Keys become strings as in JSON: `yes: 1` has the key "true", `0x10: 1` the key "16". */
static bool resolve_key(struct resolver *r, const struct node_member *m, struct str *out)
{
    *out = m->key;
    if (!m->name) {
        return true;
    }
    const struct node *it = m->name->type == NODE_ALIAS ? m->name->target : m->name;
    if (!is_scalar(it)) {
        return fail(r, m->name, "a map key must be a scalar") != NULL;
    }
    struct node *n = resolve_scalar(r, it);
    if (!n) {
        return false;
    }
    if (n->type == NODE_NULL) {
        return fail(r, m->name, "a map key must not be null") != NULL;
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

/* Where the key stood that gave an earlier member its name. */
static size_t first_place(struct resolver *r, const struct node *map, struct str key)
{
    struct str name;
    for (size_t i = 0; i < map->n; i++) {
        if (!yaml_is_merge(&map->members[i]) && resolve_key(r, &map->members[i], &name) &&
            str_eq(name, key)) {
            return map->members[i].from;
        }
    }
    return map->span_from;
}

static bool report(struct resolver *r, const struct frame *f, const struct node_member *m)
{
    if (!r->o) {
        size_t first = line_of(r, first_place(r, f->node, f->key));
        struct str k = str_sub(f->key, 0, 200);
        err_set(r->err, ERR_BAD_REQUEST,
                "yaml: line %zu: mapping key \"%.*s\" already defined at line %zu",
                line_of(r, m->from), STR_ARG(k), first);
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
                       const struct node *value)
{
    const struct node *it = value->type == NODE_ALIAS ? value->target : value;
    if (it->type != NODE_MAP) {
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
                       const struct node *it)
{
    for (size_t i = 0; i < it->n; i++) {
        if (!yaml_is_merge(&it->members[i])) {
            continue;
        }
        const struct node *v = it->members[i].value;
        if (v->type != NODE_LIST) {
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

static bool resolve_members(struct resolver *r, struct node *map, const struct node *it,
                            struct members *ix, struct frame *f, bool *merged)
{
    for (size_t i = 0; i < it->n; i++) {
        const struct node_member *m = &it->members[i];
        if (yaml_is_merge(m)) {
            *merged = true;
            continue;
        }
        if (!resolve_key(r, m, &f->key)) {
            return false;
        }
        size_t same = members_find(ix, map->members, map->n, f->key);
        if (same != MEMBERS_NONE && !report(r, f, m)) {
            return false;
        }
        struct node *v = resolve(r, m->value);
        if (!v) {
            return false;
        }
        if (same != MEMBERS_NONE) {
            map->members[same].value = v;
        } else if (!push_member(r, map, f->key, v)) {
            return fail(r, it, "document is too large") != NULL;
        }
    }
    return true;
}

static struct node *resolve_map(struct resolver *r, const struct node *it)
{
    struct node *map = node_map(r->a);
    AUTO_MEMBERS ix = {0};
    struct frame f = {.up = r->frame, .node = it};
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

static struct node *resolve_list(struct resolver *r, const struct node *it)
{
    struct node *list = node_list(r->a);
    struct node **items = arena_array(r->a, struct node *, it->n);
    if (!list || !items) {
        return fail(r, it, "document is too large");
    }
    struct frame f = {.up = r->frame, .node = it, .in_list = true};
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

static struct node *resolve_alias(struct resolver *r, const struct node *it)
{
    for (const struct frame *f = r->frame; f; f = f->up) {
        if (f->node == it->target) {
            struct str name = str_sub(it->text, 0, 128);
            err_set(r->err, ERR_BAD_REQUEST, "yaml: anchor '%.*s' value contains itself",
                    STR_ARG(name));
            return NULL;
        }
    }
    r->alias_depth++;
    struct node *n = resolve(r, it->target);
    r->alias_depth--;
    return n;
}

static struct node *resolve(struct resolver *r, const struct node *it)
{
    r->n_nodes++;
    r->n_alias_nodes += r->alias_depth > 0;
    if (too_many_aliases(r)) {
        return fail_anywhere(r, "document contains excessive aliasing");
    }
    bool scalar = is_scalar(it);
    if (!scalar && it->type != NODE_ALIAS && r->depth >= LIMIT_JSON_DEPTH) {
        return fail(r, it, "nesting is too deep");
    }
    r->depth += it->type != NODE_ALIAS;
    struct node *n = scalar                    ? resolve_scalar(r, it)
                     : it->type == NODE_ALIAS ? resolve_alias(r, it)
                     : it->type == NODE_LIST  ? resolve_list(r, it)
                                              : resolve_map(r, it);
    r->depth -= it->type != NODE_ALIAS;
    if (n && r->alias_depth == 0) { /* the bytes of an anchor are not the copy's to change */
        n->span_from = it->span_from;
        n->span_to = it->span_to;
    }
    return n;
}

struct node *yaml_values(struct arena *a, struct str text, const struct node *root,
                         const struct json_options *o, struct err *err)
{
    struct resolver r = {.a = a, .text = text, .o = o, .err = err};
    return resolve(&r, root);
}

struct node *yaml_parse(struct arena *a, struct str text, const struct json_options *o,
                        struct err *err)
{
    const struct yaml_limits limits = {LIMIT_JSON_DEPTH, .documents = 1, .slash = true};
    struct yaml_docs docs;
    if (yaml_read(a, text, &limits, &docs, NULL, err)) {
        return NULL;
    }
    struct node *n = docs.n ? yaml_values(a, text, docs.list->root, o, err) : node_null(a);
    if (!n && err && err->kind == ERR_NONE) {
        err_set(err, ERR_BAD_REQUEST, "yaml: document is too large");
    }
    return n;
}

struct node *yaml_parse_all(struct arena *a, struct str text, struct err *err)
{
    const struct yaml_limits limits = {LIMIT_JSON_DEPTH, .slash = true};
    struct yaml_docs docs;
    struct node *list = node_list(a);
    if (yaml_read(a, text, &limits, &docs, NULL, err)) {
        return NULL;
    }
    for (size_t i = 0; i < docs.n; i++) {
        struct node *n = yaml_values(a, text, docs.list[i].root, NULL, err);
        if (!n) {
            return NULL;
        }
        node_push(a, list, n);
    }
    if (a->exhausted) {
        err_set(err, ERR_BAD_REQUEST, "yaml: document is too large");
        return NULL;
    }
    return list;
}
