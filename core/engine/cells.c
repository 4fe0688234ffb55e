/* SPDX-License-Identifier: Apache-2.0
 *
 * See cells.h.
 */
#include "engine/cells.h"

static const struct node *find_condition(const struct node *object, struct str type)
{
    const struct node *list = node_at(object, "status.conditions");
    for (size_t i = 0; list && list->type == NODE_LIST && i < list->n; i++) {
        if (str_eq(node_text_at(list->items[i], "type"), type)) {
            return list->items[i];
        }
    }
    return NULL;
}

/* The value at the first of the paths `.a.b|.c` that is there; paths begin with a dot. */
static const struct node *first_path(struct arena *a, const struct node *object, struct str paths)
{
    struct str one;
    while (str_split(&paths, '|', &one)) {
        const struct node *v = node_at(object, arena_strz(a, str_sub(one, 1, one.len)));
        if (v && v->type != NODE_NULL) {
            return v;
        }
    }
    return NULL;
}

static void add_value(struct buf *out, const struct api_column *c, const struct node *v)
{
    if (v) {
        json_emit(out, v);
    } else {
        buf_addz(out, c->missing ? c->missing : "null");
    }
}

/* Members or items at the paths, added up: ".data+.binaryData". */
static size_t count(struct arena *a, const struct node *object, struct str paths)
{
    size_t n = 0;
    struct str one;
    while (str_split(&paths, '+', &one)) {
        const struct node *v = first_path(a, object, one);
        n += v && (v->type == NODE_MAP || v->type == NODE_LIST) ? v->n : 0;
    }
    return n;
}

/* KIND/NAME of an object reference. */
static void add_reference(struct buf *out, struct arena *a, const struct node *ref, bool lower)
{
    struct str kind = node_text_at(ref, "kind");
    char *text = arena_strz(a, kind.ptr ? kind : STR(""));
    for (size_t i = 0; lower && i < kind.len; i++) {
        text[i] = text[i] >= 'A' && text[i] <= 'Z' ? (char)(text[i] | 0x20) : text[i];
    }
    buf_add_json_string(out,
                        arena_printf(a, "%s/%.*s", text, STR_ARG(node_text_at(ref, "name"))));
}

static void add_cell(struct buf *out, struct arena *a, const struct api_column *c,
                     const struct node *object)
{
    struct str source = str_of(c->source);
    ptrdiff_t colon = source.len && source.ptr[0] != '.' ? str_find_byte(source, ':') : -1;
    if (colon < 0) {
        add_value(out, c, first_path(a, object, source));
        return;
    }
    struct str how = str_sub(source, 0, (size_t)colon);
    struct str arg = str_sub(source, (size_t)colon + 1, source.len);
    if (str_eqz(how, "condition")) {
        add_value(out, c, node_getz(find_condition(object, arg), "status"));
    } else if (str_eqz(how, "label")) {
        bool set = str_eqz(node_text(node_get(node_at(object, "metadata.labels"), arg)), "true");
        buf_addz(out, set ? "true" : "false");
    } else if (str_eqz(how, "count")) {
        buf_printf(out, "%zu", count(a, object, arg));
    } else if (str_eqz(how, "ref") || str_eqz(how, "ref-lower")) {
        add_reference(out, a, first_path(a, object, arg), str_eqz(how, "ref-lower"));
    } else { /* age:PATHS is stored as the time */
        add_value(out, c, first_path(a, object, arg));
    }
}

bool cells_has_age(const struct api_kind *kind)
{
    return kind->n_columns && strcmp(kind->columns[kind->n_columns - 1].source, "age") == 0;
}

void cells_add(struct buf *out, const struct api_kind *kind, const struct node *object)
{
    AUTO_ARENA a = ARENA_INIT;
    size_t n = kind->n_columns - (cells_has_age(kind) ? 1 : 0);
    buf_addc(out, '[');
    for (size_t i = 0; i < n; i++) {
        if (i) {
            buf_addc(out, ',');
        }
        add_cell(out, &a, &kind->columns[i], object);
    }
    buf_addc(out, ']');
}

/* Emits metadata with an empty resourceVersion (behind uid, or at the end) and notes where. */
static void add_metadata(struct buf *out, const struct node *meta, struct store_put *p)
{
    bool first = true;
    p->meta_from = out->len;
    buf_addc(out, '{');
    for (size_t i = 0; meta && i < meta->n; i++) {
        struct str key = meta->members[i].key;
        if (str_eqz(key, "resourceVersion")) {
            continue;
        }
        if (!first) {
            buf_addc(out, ',');
        }
        first = false;
        buf_add_json_string(out, key);
        buf_addc(out, ':');
        json_emit(out, meta->members[i].value);
        if (str_eqz(key, "uid")) {
            buf_addz(out, ",\"resourceVersion\":\"\"");
            p->rv_at = out->len - 1;
        }
    }
    if (!p->rv_at) {
        buf_addz(out, first ? "\"resourceVersion\":\"\"" : ",\"resourceVersion\":\"\"");
        p->rv_at = out->len - 1;
    }
    buf_addc(out, '}');
    p->meta_to = out->len;
}

static struct str indexed(struct arena *a, const struct api_kind *kind, const struct node *object,
                          size_t i)
{
    for (size_t k = 0; kind->indexed && k <= i; k++) {
        if (!kind->indexed[k]) {
            return STR("");
        }
    }
    if (!kind->indexed) {
        return STR("");
    }
    const struct node *v = node_at(object, kind->indexed[i]);
    return v ? (v->type == NODE_STRING ? v->text : json_emit_str(a, v)) : STR("");
}

/* The value at `a.list[0].b`, or at a plain path. */
static const struct node *item_at(struct arena *a, const struct node *object, const char *path)
{
    const struct str first = STR("[0].");
    struct str p = str_of(path);
    ptrdiff_t at = str_find(p, first);
    if (at < 0) {
        return node_at(object, path);
    }
    const struct node *list = node_at(object, arena_strz(a, str_sub(p, 0, (size_t)at)));
    return node_is(list, NODE_LIST) && list->n ? node_at(list->items[0], path + at + first.len)
                                               : NULL;
}

static struct str reference(struct arena *a, const struct api_kind *kind, const struct node *object)
{
    struct str name = STR("");
    for (size_t i = 0; kind->references && kind->references[i] && !name.len; i++) {
        name = node_text(item_at(a, object, kind->references[i]));
    }
    return name;
}

void cells_encode(struct arena *a, const struct api_kind *kind, const struct node *object,
                  struct store_put *p)
{
    const struct node *meta = node_getz(object, "metadata");
    AUTO_BUF json = BUF_INIT;
    p->rv_at = 0;
    buf_addc(&json, '{');
    for (size_t i = 0; i < object->n; i++) {
        if (i) {
            buf_addc(&json, ',');
        }
        buf_add_json_string(&json, object->members[i].key);
        buf_addc(&json, ':');
        if (str_eqz(object->members[i].key, "metadata")) {
            add_metadata(&json, meta, p);
        } else {
            json_emit(&json, object->members[i].value);
        }
    }
    buf_addc(&json, '}');
    AUTO_BUF cells = BUF_INIT;
    cells_add(&cells, kind, object);
    p->json = arena_str(a, buf_str(&json));
    p->cells = arena_str(a, buf_str(&cells));
    p->kind = str_of(kind->store_kind);
    p->ns = node_text_at(meta, "namespace");
    if (!p->ns.ptr) {
        p->ns = STR("");
    }
    p->name = node_text_at(meta, "name");
    p->uid = node_text_at(meta, "uid");
    p->f1 = indexed(a, kind, object, 0);
    p->f2 = indexed(a, kind, object, 1);
    p->ref = reference(a, kind, object);
    p->sealed = (kind->flags & API_SEALED) != 0;
}
