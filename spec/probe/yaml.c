/* SPDX-License-Identifier: Apache-2.0
 *
 * probe_yaml: the YAML reader of core/data for specs. Trees go out as JSON with everything that
 * the reader says about a node. On failure functions return nil, kind, message.
 */
#include <lauxlib.h>
#include <lua.h>
#include <string.h>

#include "base/clock.h"
#include "data/yaml.h"
#include "data/yaml_doc.h"
#include "data/yaml_scalar.h"

/* What a call works with; lives in a userdata so that Lua errors cannot leak it. */
struct call {
    struct arena arena;
    struct err err;
    struct buf out;
    struct yaml_docs docs;
    struct str where;
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
    if (luaL_newmetatable(L, "probe_yaml.call")) {
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

static int push_failure(lua_State *L, const struct call *c)
{
    lua_pushnil(L);
    lua_pushstring(L, err_kind_name(c->err.kind));
    lua_pushstring(L, c->err.message ? c->err.message : "");
    lua_pushlstring(L, c->where.ptr ? c->where.ptr : "", c->where.len);
    lua_pushinteger(L, (lua_Integer)c->docs.n);
    return 5;
}

/* --- trees as JSON --- */

static void add_text(struct buf *b, const char *name, struct str s)
{
    if (s.len) {
        buf_printf(b, ",\"%s\":", name);
        buf_add_json_string(b, s);
    }
}

/* The tag that the peer would give the node. */
static struct str tag_of(const struct node *n)
{
    static const char *const tags[] = {[NODE_NULL] = "!!null",    [NODE_BOOL] = "!!bool",
                                       [NODE_INT] = "!!int",      [NODE_FLOAT] = "!!float",
                                       [NODE_STRING] = "!!str",   [NODE_LIST] = "!!seq",
                                       [NODE_MAP] = "!!map",      [NODE_ALIAS] = ""};
    if (n->notes && n->notes->tag.len) {
        return n->notes->tag;
    }
    if (n->type == NODE_STRING && n->style == STYLE_PLAIN && !yaml_scalar_is_core_string(n->text) &&
        yaml_core_type(n->text) == NODE_STRING) {
        return str_eqz(n->text, "<<") ? STR("!!merge") : STR("!!timestamp");
    }
    return str_of(tags[n->type]);
}

static void add_node(struct buf *b, const struct node *n)
{
    static const char *const kinds[] = {[NODE_LIST] = "sequence", [NODE_MAP] = "mapping",
                                        [NODE_ALIAS] = "alias"};
    static const char *const styles[] = {"", "double-quoted", "single-quoted", "literal",
                                         "folded", "flow"};
    buf_printf(b, "{\"kind\":\"%s\",\"from\":%u,\"to\":%u",
               n->type < NODE_LIST ? "scalar" : kinds[n->type], n->span_from, n->span_to);
    add_text(b, "style", str_of(styles[n->style]));
    add_text(b, "tag", tag_of(n));
    if (n->type < NODE_LIST || n->type == NODE_ALIAS) {
        add_text(b, "value", n->text);
    }
    if (n->notes) {
        buf_addz(b, n->notes->tag.len ? ",\"tagged\":true" : "");
        add_text(b, "anchor", n->notes->anchor);
        add_text(b, "head", n->notes->head);
        add_text(b, "line", n->notes->line);
        add_text(b, "foot", n->notes->foot);
    }
    bool map = n->type == NODE_MAP;
    bool many = map || n->type == NODE_LIST;
    for (size_t i = 0; many && i < n->n; i++) {
        buf_addz(b, i ? "," : ",\"content\":[");
        if (map) {
            const struct node_member *m = &n->members[i];
            struct node key = {.type = NODE_STRING,
                               .text = m->key,
                               .span_from = m->from,
                               .span_to = m->to};
            add_node(b, m->name ? m->name : &key);
            buf_addc(b, ',');
        }
        add_node(b, map ? n->members[i].value : n->items[i]);
    }
    buf_addz(b, many && n->n ? "]}" : "}");
}

/* read(text, depth?) → JSON: list of documents {head, foot, marked, from, to, content}; on failure
 * nil, kind, message, message with the place, number of documents before it */
static int l_read(lua_State *L)
{
    struct str text = arg(L, 1);
    struct yaml_limits limits = {(size_t)luaL_optinteger(L, 2, 0)};
    struct call *c = new_call(L);
    if (yaml_read(&c->arena, text, &limits, &c->docs, &c->where, &c->err)) {
        return push_failure(L, c);
    }
    buf_addc(&c->out, '[');
    for (size_t i = 0; i < c->docs.n; i++) {
        const struct yaml_doc *d = &c->docs.list[i];
        buf_printf(&c->out, "%s{\"kind\":\"document\",\"marked\":%s,\"from\":%zu,\"to\":%zu",
                   i ? "," : "", d->marked ? "true" : "false", d->from, d->to);
        add_text(&c->out, "head", d->head);
        add_text(&c->out, "foot", d->foot);
        buf_addz(&c->out, ",\"content\":[");
        add_node(&c->out, d->root);
        buf_addz(&c->out, "]}");
    }
    buf_addc(&c->out, ']');
    lua_pushlstring(L, c->out.ptr, c->out.len);
    return 1;
}

/* rewrite(text, wide?, neat?) → the text as yaml_write writes it; neat: without the peer's defects */
static int l_rewrite(lua_State *L)
{
    struct str text = arg(L, 1);
    struct yaml_form form = {.wide = lua_toboolean(L, 2), .defects = !lua_toboolean(L, 3)};
    struct call *c = new_call(L);
    if (yaml_read(&c->arena, text, NULL, &c->docs, &c->where, &c->err)) {
        return push_failure(L, c);
    }
    yaml_write(&c->out, &c->docs, &form);
    lua_pushlstring(L, c->out.ptr ? c->out.ptr : "", c->out.len);
    return 1;
}

/* edit(text, wanted text) → text with the first document's tree of wanted text */
static int l_edit(lua_State *L)
{
    struct str text = arg(L, 1), wanted = arg(L, 2);
    struct call *c = new_call(L);
    struct str out;
    if (yaml_read(&c->arena, wanted, NULL, &c->docs, NULL, &c->err) || c->docs.n == 0 ||
        yaml_edit_tree(&c->arena, text, c->docs.list->root, &out, &c->err)) {
        return push_failure(L, c);
    }
    lua_pushlstring(L, out.ptr, out.len);
    return 1;
}

/* --- spans --- */

static const char *check_spans(const struct node *n, size_t from, size_t to)
{
    if (n->span_from < from || n->span_to > to || n->span_from > n->span_to) {
        return "a node leaves its parent or overlaps the one before it";
    }
    size_t at = n->span_from;
    bool map = n->type == NODE_MAP;
    for (size_t i = 0; (map || n->type == NODE_LIST) && i < n->n; i++) {
        const struct node *v = map ? n->members[i].value : n->items[i];
        if (map) {
            const struct node_member *m = &n->members[i];
            if (m->from < at || m->to > n->span_to || m->from > m->to) {
                return "a key leaves its map or overlaps the value before it";
            }
            at = m->to;
        }
        const char *wrong = check_spans(v, at, n->span_to);
        if (wrong) {
            return wrong;
        }
        at = v->span_to;
    }
    return NULL;
}

/* spans(text) → nil when spans nest and ascend, else what is wrong; false when text is no YAML */
static int l_spans(lua_State *L)
{
    struct str text = arg(L, 1);
    struct call *c = new_call(L);
    if (yaml_read(&c->arena, text, NULL, &c->docs, NULL, &c->err)) {
        lua_pushboolean(L, false);
        return 1;
    }
    size_t at = 0;
    for (size_t i = 0; i < c->docs.n; i++) {
        const struct yaml_doc *d = &c->docs.list[i];
        const char *wrong = d->from < at || d->to > text.len ? "documents overlap"
                                                              : check_spans(d->root, d->from, d->to);
        if (wrong) {
            lua_pushstring(L, wrong);
            return 1;
        }
        at = d->to;
    }
    lua_pushnil(L);
    return 1;
}

/* read_cost(text, rounds) → nanoseconds of all rounds, arena bytes of one; or as read fails, with
 * the nanoseconds and bytes of one failed round last */
static int l_read_cost(lua_State *L)
{
    struct str text = arg(L, 1);
    lua_Integer rounds = luaL_optinteger(L, 2, 1);
    struct call *c = new_call(L);
    int64_t from = clock_mono_ns();
    int failed = 0;
    for (lua_Integer i = 0; i < rounds && !failed; i++) {
        arena_clear(&c->arena);
        failed = yaml_read(&c->arena, text, NULL, &c->docs, NULL, &c->err);
    }
    int64_t spent = clock_mono_ns() - from;
    int n = failed ? push_failure(L, c) : 0;
    lua_pushinteger(L, spent);
    lua_pushinteger(L, (lua_Integer)c->arena.used);
    return n + 2;
}

static const luaL_Reg functions[] = {
    {"edit", l_edit}, {"read", l_read}, {"read_cost", l_read_cost}, {"rewrite", l_rewrite}, {"spans", l_spans},
    {NULL, NULL}};

int luaopen_probe_yaml(lua_State *L);

int luaopen_probe_yaml(lua_State *L)
{
    luaL_newlib(L, functions);
    return 1;
}
