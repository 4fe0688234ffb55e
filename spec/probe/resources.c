/* SPDX-License-Identifier: Apache-2.0
 *
 * probe_resources: files into resources and back (core/krm/resources.h), and YAML written from
 * trees, for specs and conformance. Files are {{path, text}, …}. On failure functions return nil,
 * kind, message.
 */
#include <lauxlib.h>
#include <lua.h>
#include <string.h>

#include "data/base64.h"
#include "data/yaml.h"
#include "data/yaml_doc.h"
#include "krm/annotation.h"
#include "krm/heal.h"
#include "krm/resource_part.h"
#include "krm/resources.h"
#include "krm/stream.h"

/* What a call works with; a userdata, so that Lua errors cannot leak it. */
struct call {
    struct arena arena;
    struct err err;
    struct buf out;
};

static int call_gc(lua_State *L)
{
    struct call *c = lua_touserdata(L, 1);
    arena_done(&c->arena);
    err_done(&c->err);
    buf_done(&c->out);
    return 0;
}

static struct call *new_call(lua_State *L)
{
    struct call *c = lua_newuserdatauv(L, sizeof(*c), 0);
    memset(c, 0, sizeof(*c));
    if (luaL_newmetatable(L, "probe_resources.call")) {
        lua_pushcfunction(L, call_gc);
        lua_setfield(L, -2, "__gc");
    }
    lua_setmetatable(L, -2);
    return c;
}

static struct str arg(lua_State *L, int i)
{
    struct str s;
    s.ptr = luaL_checklstring(L, i, &s.len);
    return s;
}

static int push_text(lua_State *L, struct str s)
{
    lua_pushlstring(L, s.ptr ? s.ptr : "", s.len);
    return 1;
}

static int push_failure(lua_State *L, const struct call *c)
{
    lua_pushnil(L);
    lua_pushstring(L, err_kind_name(c->err.kind));
    lua_pushstring(L, c->err.message ? c->err.message : "");
    return 3;
}

static bool option(lua_State *L, int table, const char *name)
{
    if (!lua_istable(L, table)) {
        return false;
    }
    lua_getfield(L, table, name);
    bool v = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return v;
}

static struct krm_files files_arg(lua_State *L, struct call *c, int i)
{
    luaL_checktype(L, i, LUA_TTABLE);
    size_t n = lua_rawlen(L, i);
    struct krm_files files = {.list = arena_array(&c->arena, struct krm_file, n + 1), .n = n};
    for (size_t k = 0; k < n; k++) {
        lua_rawgeti(L, i, (lua_Integer)k + 1);
        lua_rawgeti(L, -1, 1);
        lua_rawgeti(L, -2, 2);
        files.list[k].path = arena_str(&c->arena, arg(L, -2));
        files.list[k].text = arena_str(&c->arena, arg(L, -1));
        lua_pop(L, 3);
    }
    return files;
}

static struct krm_read_options read_options(lua_State *L, int i)
{
    return (struct krm_read_options){
        .annotate = option(L, i, "annotate"),
        .detect_wide = option(L, i, "detect_wide"),
        .wrap_lists = option(L, i, "wrap_lists"),
        .json = option(L, i, "json"),
    };
}

static int push_files(lua_State *L, const struct krm_files *files)
{
    lua_newtable(L);
    for (size_t i = 0; i < files->n; i++) {
        lua_newtable(L);
        push_text(L, files->list[i].path);
        lua_rawseti(L, -2, 1);
        push_text(L, files->list[i].text);
        lua_rawseti(L, -2, 2);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    return 1;
}

static int write_items(lua_State *L, struct call *c, const struct node *items, int options,
                       const struct krm_files *keep)
{
    struct krm_files out;
    struct krm_write_options o = {
        .keep_annotations = option(L, options, "keep_annotations"),
        .defects = option(L, options, "defects"),
        .compact = option(L, options, "compact"),
        .keep = option(L, options, "keep") ? keep : NULL,
        .package = STR("pkg"),
    };
    return krm_resources_write(&c->arena, items, &o, &out, &c->err) ? push_failure(L, c)
                                                                    : push_files(L, &out);
}

/* The first document, with its comments at its root. */
static struct node *first_tree(struct call *c, struct str text)
{
    struct krm_stream s;
    const struct krm_read_options o = {.wrap_lists = true};
    text = arena_str(&c->arena, text);
    if (krm_stream_read(&c->arena, text, &o, &s, &c->err) || s.items->n == 0) {
        return NULL;
    }
    struct node *list = krm_resource_unwrap(s.items->items[0]);
    return list ? list : s.items->items[0];
}

/* rewrite(files, options): what reading and writing makes of them */
static int l_rewrite(lua_State *L)
{
    struct call *c = new_call(L);
    struct krm_files files = files_arg(L, c, 1);
    struct krm_read_options o = read_options(L, 2);
    struct node *items;
    if (krm_resources_read(&c->arena, &files, &o, &items, NULL, &c->err)) {
        return push_failure(L, c);
    }
    return write_items(L, c, items, 2, &files);
}

/* A member of an options table, or an empty text. */
static struct str text_option(lua_State *L, struct call *c, int table, const char *name)
{
    struct str s = STR_NULL;
    if (lua_istable(L, table)) {
        lua_getfield(L, table, name);
        if (lua_isstring(L, -1)) {
            s = arena_str(&c->arena, arg(L, -1));
        }
        lua_pop(L, 1);
    }
    return s;
}

/* stream(text, options): read as a stream and written as one. unwrap: as documents; kind,
 * api_version: as such a list; config: a functionConfig to add */
static int l_stream(lua_State *L)
{
    struct call *c = new_call(L);
    struct krm_read_options o = read_options(L, 2);
    struct krm_stream s;
    if (krm_stream_read(&c->arena, arg(L, 1), &o, &s, &c->err)) {
        return push_failure(L, c);
    }
    if (option(L, 2, "unwrap")) {
        s.kind = STR_NULL;
    } else if (option(L, 2, "kind")) {
        s.kind = text_option(L, c, 2, "kind");
        s.api_version = text_option(L, c, 2, "api_version");
    }
    struct krm_stream config = {0};
    struct str text = text_option(L, c, 2, "config");
    if (text.len) {
        if (krm_stream_read(&c->arena, text, &(struct krm_read_options){0}, &config, &c->err)) {
            return push_failure(L, c);
        }
        s.config = config.items->items[0];
    }
    const struct krm_stream_options w = {
        .sort = option(L, 2, "sort"),
        .keep_annotations = option(L, 2, "keep_annotations"),
        .defects = option(L, 2, "defects"),
    };
    return krm_stream_write(&c->arena, &s, &w, &c->out, &c->err) ? push_failure(L, c)
                                                                 : push_text(L, buf_str(&c->out));
}

/* read_stream(text, options): the items' texts, the functionConfig's, the results' and the kind */
static int l_read_stream(lua_State *L)
{
    struct call *c = new_call(L);
    struct krm_read_options o = read_options(L, 2);
    struct krm_stream s;
    if (krm_stream_read(&c->arena, arg(L, 1), &o, &s, &c->err)) {
        return push_failure(L, c);
    }
    lua_newtable(L);
    for (size_t i = 0; i < s.items->n; i++) {
        buf_clear(&c->out);
        yaml_write_node(&c->out, s.items->items[i], &(struct yaml_form){.defects = true});
        push_text(L, buf_str(&c->out));
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    const struct node *others[] = {s.config, s.results};
    for (size_t i = 0; i < 2; i++) {
        buf_clear(&c->out);
        if (others[i]) {
            yaml_write_node(&c->out, others[i], &(struct yaml_form){.defects = true});
        }
        push_text(L, buf_str(&c->out));
    }
    push_text(L, s.kind);
    push_text(L, s.api_version);
    return 5;
}

/* format(text): documents with their fields in the order of `format` */
static int l_format(lua_State *L)
{
    struct call *c = new_call(L);
    struct krm_stream s;
    if (krm_stream_read(&c->arena, arg(L, 1), &(struct krm_read_options){0}, &s, &c->err)) {
        return push_failure(L, c);
    }
    for (size_t i = 0; i < s.items->n; i++) {
        if (krm_format_order(s.items->items[i], &c->err)) {
            return push_failure(L, c);
        }
    }
    const struct krm_stream_options w = {.defects = true};
    return krm_stream_write(&c->arena, &s, &w, &c->out, &c->err) ? push_failure(L, c)
                                                                 : push_text(L, buf_str(&c->out));
}

/* mirror(text): with annotations in both spellings */
static int l_mirror(lua_State *L)
{
    struct call *c = new_call(L);
    struct node *n = first_tree(c, arg(L, 1));
    if (!n || krm_annotation_mirror(&c->arena, n, &c->err)) {
        return push_failure(L, c);
    }
    yaml_write_node(&c->out, n, &(struct yaml_form){.defects = true});
    return push_text(L, buf_str(&c->out));
}

/* read(files, options): the texts of the resources */
static int l_read(lua_State *L)
{
    struct call *c = new_call(L);
    struct krm_files files = files_arg(L, c, 1);
    struct krm_read_options o = read_options(L, 2);
    struct node *items;
    size_t broken;
    if (krm_resources_read(&c->arena, &files, &o, &items, &broken, &c->err)) {
        push_failure(L, c);
        lua_pushinteger(L, (lua_Integer)broken + 1);
        return 4;
    }
    lua_newtable(L);
    for (size_t i = 0; i < items->n; i++) {
        buf_clear(&c->out);
        yaml_write_node(&c->out, items->items[i], &(struct yaml_form){.defects = true});
        push_text(L, buf_str(&c->out));
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    return 1;
}

/* Steps from the root; numbers are list indices from 1. NULL when there is no such place. */
static struct node **find_place(lua_State *L, int path, struct node **root)
{
    for (size_t i = 1; *root && i <= lua_rawlen(L, path); i++) {
        lua_rawgeti(L, path, (lua_Integer)i);
        struct node *n = *root, **next = NULL;
        if (lua_isinteger(L, -1) && n->type == NODE_LIST) {
            size_t at = (size_t)lua_tointeger(L, -1);
            next = at && at <= n->n ? &n->items[at - 1] : NULL;
        } else if (n->type == NODE_MAP) {
            for (size_t k = 0; k < n->n && !next; k++) {
                next = str_eqz(n->members[k].key, lua_tostring(L, -1)) ? &n->members[k].value : NULL;
            }
        }
        lua_pop(L, 1);
        if (!next) {
            return NULL;
        }
        root = next;
    }
    return root;
}

/* change(files, options, resource, path, value): the files with one string or (value nil) without
 * one node; path: keys and indices */
static int l_change(lua_State *L)
{
    struct call *c = new_call(L);
    struct krm_files files = files_arg(L, c, 1);
    struct krm_read_options o = read_options(L, 2);
    struct node *items;
    if (krm_resources_read(&c->arena, &files, &o, &items, NULL, &c->err)) {
        return push_failure(L, c);
    }
    lua_Integer which = luaL_checkinteger(L, 3);
    luaL_argcheck(L, which >= 1 && (size_t)which <= items->n, 3, "no such resource");
    struct node **place = find_place(L, 4, &items->items[which - 1]);
    luaL_argcheck(L, place, 4, "no such place");
    struct node *n = node_str(&c->arena, arena_str(&c->arena, arg(L, 5)));
    n->style = (*place)->style == STYLE_FLOW ? STYLE_PLAIN : (*place)->style;
    n->notes = (*place)->notes;
    *place = n;
    return write_items(L, c, items, 2, &files);
}

/* The place of the nth scalar below a list or map, depth first; *n counts down. */
static struct node **nth_scalar(struct node **place, size_t *n)
{
    struct node *top = *place;
    if (top->type != NODE_MAP && top->type != NODE_LIST) {
        bool counts = top->type != NODE_ALIAS && top->span_to > top->span_from;
        return counts && (*n)-- == 0 ? place : NULL;
    }
    for (size_t i = 0; i < top->n; i++) {
        struct node **kid = top->type == NODE_MAP ? &top->members[i].value : &top->items[i];
        struct node **found = nth_scalar(kid, n);
        if (found) {
            return found;
        }
    }
    return NULL;
}

/* Where the part with the first document begins: spans count from there. */
static size_t first_document(struct call *c, struct str text)
{
    struct krm_parts parts;
    struct str where;
    size_t at = 0;
    if (krm_parts_read(&c->arena, text, &parts, &where, &c->err)) {
        return 0;
    }
    while (at + 1 < parts.n && !parts.list[at].root) {
        at++;
    }
    return (size_t)(parts.list[at].text.ptr - text.ptr);
}

/* change_one(text, seed) → the text of one document with one scalar changed, chosen by seed, and
 * where that scalar stood (offsets from 0); nothing when it has none */
static int l_change_one(lua_State *L)
{
    struct call *c = new_call(L);
    struct krm_file file = {STR("f.yaml"), arg(L, 1)};
    const struct krm_files files = {&file, 1, 1};
    const struct krm_read_options o = {.annotate = true, .detect_wide = true, .wrap_lists = true};
    struct node *items;
    if (krm_resources_read(&c->arena, &files, &o, &items, NULL, &c->err)) {
        return push_failure(L, c);
    }
    size_t all = SIZE_MAX, n;
    if (items->n != 1 || nth_scalar(&items->items[0], &all) || all == SIZE_MAX) {
        return 0;
    }
    n = (size_t)luaL_checkinteger(L, 2) % (SIZE_MAX - all);
    struct node **place = nth_scalar(&items->items[0], &n), *old = *place;
    struct node *new = node_str(&c->arena, STR("changed"));
    new->notes = old->notes;
    *place = new;
    struct krm_files out;
    const struct krm_write_options w = {.keep = &files};
    if (krm_resources_write(&c->arena, items, &w, &out, &c->err)) {
        return push_failure(L, c);
    }
    push_text(L, out.list[0].text);
    size_t document = first_document(c, file.text);
    lua_pushinteger(L, (lua_Integer)(document + old->span_from));
    lua_pushinteger(L, (lua_Integer)(document + old->span_to));
    return 3;
}

/* {"$binary": base64} stands for bytes. */
static void settle_bytes(struct call *c, struct node **place)
{
    struct node *n = *place;
    struct str bytes;
    const struct node *binary = node_getz(n, "$binary");
    if (binary && base64_parse(&c->arena, node_text(binary), &bytes)) {
        *place = node_str(&c->arena, bytes);
        return;
    }
    for (size_t i = 0; (n->type == NODE_MAP || n->type == NODE_LIST) && i < n->n; i++) {
        settle_bytes(c, n->type == NODE_MAP ? &n->members[i].value : &n->items[i]);
    }
}

static struct yaml_form form_of(lua_State *L, int i)
{
    return (struct yaml_form){.wide = option(L, i, "wide"), .defects = option(L, i, "defects"),
                              .indent = option(L, i, "four") ? 4 : 2};
}

/* write_values(json, options) → YAML as for values of a program; sort: keys in natural order */
static int l_write_values(lua_State *L)
{
    struct call *c = new_call(L);
    struct node *n = json_parse(&c->arena, arg(L, 1), NULL, &c->err);
    if (!n) {
        return push_failure(L, c);
    }
    settle_bytes(c, &n);
    if (option(L, 2, "sort")) {
        yaml_sort_keys(n);
    }
    struct yaml_form form = form_of(L, 2);
    yaml_write_values(&c->out, n, &form);
    return push_text(L, buf_str(&c->out));
}

static const char *const styles[] = {"double", "single", "literal", "folded", "flow"};

/* A node as the peer's tests describe it: kind, tag, value, style, comments, content. */
static struct node *described(struct call *c, const struct node *d)
{
    struct node *n = arena_new(&c->arena, struct node);
    struct str kind = node_text(node_getz(d, "kind")), tag = node_text(node_getz(d, "tag"));
    const struct node *style = node_getz(d, "style"), *content = node_getz(d, "content");
    struct node_notes *notes = arena_new(&c->arena, struct node_notes);
    *notes = (struct node_notes){.head = node_text(node_getz(d, "headComment")),
                                 .line = node_text(node_getz(d, "lineComment")),
                                 .foot = node_text(node_getz(d, "footComment")),
                                 .anchor = node_text(node_getz(d, "anchor"))};
    n->notes = notes;
    n->text = node_text(node_getz(d, "value"));
    for (size_t i = 0; node_is(style, NODE_LIST) && i < style->n; i++) {
        for (uint8_t k = 0; k < 5; k++) {
            n->style = str_eqz(style->items[i]->text, styles[k]) ? k + 1 : n->style;
        }
        notes->tag = str_eqz(style->items[i]->text, "tagged") ? tag : notes->tag;
    }
    n->type = str_eqz(kind, "mapping")    ? NODE_MAP
              : str_eqz(kind, "sequence") ? NODE_LIST
              : str_eqz(kind, "alias")    ? NODE_ALIAS
              : !kind.len || str_eqz(kind, "zero") || str_eqz(tag, "!!null") ? NODE_NULL
              : str_eqz(tag, "!!int")                                       ? NODE_INT
              : str_eqz(tag, "!!bool")                                      ? NODE_BOOL
                                                                            : NODE_STRING;
    if (tag.len && !str_has_prefix(tag, STR("!!"))) {
        notes->tag = tag;
    }
    for (size_t i = 0; content && i < content->n; i++) {
        struct node *kid = described(c, content->items[i]);
        if (n->type == NODE_LIST) {
            node_push(&c->arena, n, kid);
        } else if (i % 2) {
            n->members[n->n - 1].value = kid;
        } else {
            node_set(&c->arena, n, arena_printf(&c->arena, "%zu", i), kid);
            n->members[n->n - 1].key = kid->text;
            n->members[n->n - 1].name = kid;
        }
    }
    return n;
}

/* write_described(json, options) → YAML of such a node or document */
static int l_write_described(lua_State *L)
{
    struct call *c = new_call(L);
    struct node *d = json_parse(&c->arena, arg(L, 1), NULL, &c->err);
    if (!d) {
        return push_failure(L, c);
    }
    settle_bytes(c, &d);
    bool document = str_eqz(node_text(node_getz(d, "kind")), "document");
    const struct node *root = document ? node_getz(d, "content")->items[0] : d;
    struct yaml_doc doc = {.root = described(c, root)};
    if (document) {
        doc.head = node_text(node_getz(d, "headComment"));
        doc.foot = node_text(node_getz(d, "footComment"));
    }
    struct yaml_form form = form_of(L, 2);
    yaml_write(&c->out, &(struct yaml_docs){&doc, 1}, &form);
    return push_text(L, buf_str(&c->out));
}

/* rewrite_yaml(text, options): every document, written anew */
static int l_rewrite_yaml(lua_State *L)
{
    struct call *c = new_call(L);
    struct yaml_docs docs = {0};
    if (yaml_read(&c->arena, arg(L, 1), NULL, &docs, NULL, &c->err)) {
        return push_failure(L, c);
    }
    struct yaml_form form = form_of(L, 2);
    yaml_write(&c->out, &docs, &form);
    return push_text(L, buf_str(&c->out));
}

/* heal(old, new, options): new with comments and, with `order`, order of old */
static int l_heal(lua_State *L)
{
    struct call *c = new_call(L);
    struct node *old = first_tree(c, arg(L, 1)), *new = old ? first_tree(c, arg(L, 2)) : NULL;
    if (!new) {
        return push_failure(L, c);
    }
    struct krm_heal_options o = {.kpt = option(L, 3, "kpt"), .item = option(L, 3, "item")};
    if (!option(L, 3, "order_only") && krm_heal_comments(&c->arena, old, new, &o, &c->err)) {
        return push_failure(L, c);
    }
    if (option(L, 3, "order")) {
        krm_heal_order(&c->arena, old, new, &o);
    }
    yaml_write_node(&c->out, new, &(struct yaml_form){.defects = o.kpt});
    return push_text(L, buf_str(&c->out));
}

/* is_wide(text), is_11_word(text), core_type(text) */
static int l_is_wide(lua_State *L)
{
    lua_pushboolean(L, yaml_is_wide(arg(L, 1)));
    return 1;
}

static int l_is_11_word(lua_State *L)
{
    lua_pushboolean(L, yaml_is_11_word(arg(L, 1)));
    return 1;
}

/* same(a, b): the first documents would be written alike */
static int l_same(lua_State *L)
{
    struct call *c = new_call(L);
    struct node *a = first_tree(c, arg(L, 1)), *b = a ? first_tree(c, arg(L, 2)) : NULL;
    if (!b) {
        return push_failure(L, c);
    }
    lua_pushboolean(L, yaml_same(a, b));
    return 1;
}

int luaopen_probe_resources(lua_State *L);

int luaopen_probe_resources(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"rewrite", l_rewrite},
        {"read", l_read},
        {"change", l_change},
        {"change_one", l_change_one},
        {"stream", l_stream},
        {"read_stream", l_read_stream},
        {"format", l_format},
        {"mirror", l_mirror},
        {"write_values", l_write_values},
        {"write_described", l_write_described},
        {"rewrite_yaml", l_rewrite_yaml},
        {"heal", l_heal},
        {"is_wide", l_is_wide},
        {"is_11_word", l_is_11_word},
        {"same", l_same},
        {NULL, NULL},
    };
    luaL_newlib(L, functions);
    return 1;
}
