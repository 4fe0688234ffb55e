/* SPDX-License-Identifier: Apache-2.0
 *
 * probe_data: core/data for specs. Everything goes in and out as text: JSON, YAML, bytes. On
 * failure functions return nil, kind, message.
 */
#include <lauxlib.h>
#include <lua.h>
#include <string.h>

#include "api/kinds.h"
#include "base/clock.h"
#include "data/base64.h"
#include "data/patch.h"
#include "data/protobuf.h"
#include "data/yaml.h"

/* What a call works with; lives in a userdata so that Lua errors cannot leak it. */
struct call {
    struct arena arena;
    struct err err;
    struct buf out, reports;
};

static int call_gc(lua_State *L)
{
    struct call *c = lua_touserdata(L, 1);
    arena_done(&c->arena);
    err_done(&c->err);
    buf_done(&c->out);
    buf_done(&c->reports);
    return 0;
}

static struct call *new_call(lua_State *L)
{
    struct call *c = lua_newuserdatauv(L, sizeof(*c), 0);
    memset(c, 0, sizeof(*c));
    if (luaL_newmetatable(L, "probe_data.call")) {
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
    return 3;
}

static int push_text(lua_State *L, struct str s)
{
    lua_pushlstring(L, s.ptr ? s.ptr : "", s.len);
    return 1;
}

static int push_json(lua_State *L, struct call *c, const struct node *n)
{
    if (!n) {
        return push_failure(L, c);
    }
    json_emit(&c->out, n);
    return push_text(L, buf_str(&c->out));
}

static void on_duplicate(void *ctx, struct str path)
{
    struct call *c = ctx;
    buf_add_str(&c->reports, path);
    buf_addc(&c->reports, '\n');
}

static struct node *json_arg(lua_State *L, struct call *c, int i)
{
    struct node *n = json_parse(&c->arena, arg(L, i), NULL, &c->err);
    return n ? n : (luaL_error(L, "argument %d is no JSON: %s", i, c->err.message), NULL);
}

/* json(text, indent?, arena_limit?) → JSON, duplicate paths (one per line) */
static int l_json(lua_State *L)
{
    struct str text = arg(L, 1);
    lua_Integer indent = luaL_optinteger(L, 2, -1);
    lua_Integer limit = luaL_optinteger(L, 3, 0);
    struct call *c = new_call(L);
    c->arena.limit = (size_t)limit;
    struct json_options o = {on_duplicate, c};
    struct node *n = json_parse(&c->arena, text, &o, &c->err);
    if (!n) {
        return push_failure(L, c);
    }
    if (indent >= 0) {
        json_emit_pretty(&c->out, n, (int)indent);
    } else {
        json_emit(&c->out, n);
    }
    push_text(L, buf_str(&c->out));
    push_text(L, buf_str(&c->reports));
    return 2;
}

/* json_time(text, rounds) → nanoseconds of parsing */
static int l_json_time(lua_State *L)
{
    struct str text = arg(L, 1);
    lua_Integer rounds = luaL_checkinteger(L, 2);
    struct call *c = new_call(L);
    int64_t from = clock_mono_ns();
    for (lua_Integer i = 0; i < rounds; i++) {
        arena_clear(&c->arena);
        if (!json_parse(&c->arena, text, NULL, &c->err)) {
            return push_failure(L, c);
        }
    }
    lua_pushinteger(L, clock_mono_ns() - from);
    return 1;
}

/* json_borrows(text) → true when the string value points into the text */
static int l_json_borrows(lua_State *L)
{
    struct str text = arg(L, 1);
    struct call *c = new_call(L);
    struct node *n = json_parse(&c->arena, text, NULL, &c->err);
    const char *p = node_text(n).ptr;
    lua_pushboolean(L, p >= text.ptr && p < text.ptr + text.len);
    return 1;
}

/* equal(json, json) */
static int l_equal(lua_State *L)
{
    struct call *c = new_call(L);
    lua_pushboolean(L, node_equal(json_arg(L, c, 1), json_arg(L, c, 2)));
    return 1;
}

/* at(json, dotted path) → JSON or nil */
static int l_at(lua_State *L)
{
    const char *path = luaL_checkstring(L, 2);
    struct call *c = new_call(L);
    struct node *n = node_at(json_arg(L, c, 1), path);
    return n ? push_json(L, c, n) : 0;
}

/* set_at(json, dotted path, json or nil = delete) → JSON, found */
static int l_set_at(lua_State *L)
{
    const char *path = luaL_checkstring(L, 2);
    bool deletes = lua_isnoneornil(L, 3);
    struct call *c = new_call(L);
    struct node *n = json_arg(L, c, 1);
    bool found = node_at(n, path) != NULL;
    if (deletes) {
        found = node_del_at(n, path);
    } else {
        node_set_at(&c->arena, n, path, json_arg(L, c, 3));
    }
    push_json(L, c, n);
    lua_pushboolean(L, found);
    return 2;
}

/* copy(json): a deep copy, after the original's text is gone */
static int l_copy(lua_State *L)
{
    struct call *c = new_call(L);
    struct call *from = new_call(L);
    struct node *n = node_copy(&c->arena, json_arg(L, from, 1));
    arena_done(&from->arena);
    return push_json(L, c, n);
}

/* merge(target, patch) */
static int l_merge(lua_State *L)
{
    struct call *c = new_call(L);
    struct node *target = json_arg(L, c, 1);
    struct str before = json_emit_str(&c->arena, target);
    struct node *n = patch_merge(&c->arena, target, json_arg(L, c, 2));
    if (!str_eq(before, json_emit_str(&c->arena, target))) {
        return luaL_error(L, "patch_merge changed its input");
    }
    return push_json(L, c, n);
}

/* json_patch(target, ops) */
static int l_json_patch(lua_State *L)
{
    struct call *c = new_call(L);
    struct node *target = json_arg(L, c, 1), *ops = json_arg(L, c, 2);
    struct str before = json_emit_str(&c->arena, target), patch = json_emit_str(&c->arena, ops);
    struct node *n = patch_json(&c->arena, target, ops, &c->err);
    if (!str_eq(before, json_emit_str(&c->arena, target)) ||
        !str_eq(patch, json_emit_str(&c->arena, ops))) {
        return luaL_error(L, "patch_json changed its input");
    }
    return push_json(L, c, n);
}

static const char *const key_name[] = {"name", NULL};
static const char *const key_two[] = {"port", "protocol", NULL};
static const struct api_field item_fields[] = {
    {.name = "name", .type = API_STRING},
    {.name = "tags", .type = API_LIST, .element = API_STRING, .merge = true},
};
static const struct api_schema item_schema = {.fields = item_fields, .n_fields = 2};
static const struct api_field test_fields[] = {
    {.name = "set", .type = API_LIST, .element = API_STRING, .list = API_LIST_SET, .merge = true},
    {.name = "atomic", .type = API_LIST, .element = API_STRING},
    {.name = "items", .type = API_LIST, .element = API_OBJECT, .object = &item_schema,
     .list = API_LIST_MAP, .keys = key_name},
    {.name = "ports", .type = API_LIST, .element = API_OBJECT, .object = &item_schema,
     .list = API_LIST_MAP, .keys = key_two},
    {.name = "one", .type = API_OBJECT, .object = &item_schema},
    {.name = "byname", .type = API_MAP, .element = API_OBJECT, .object = &item_schema},
};
static const struct api_schema test_schema = {.fields = test_fields, .n_fields = 6};

/* strategic(target, patch, apiVersion?, kind?): schema of a served kind, else the test schema */
static int l_strategic(lua_State *L)
{
    const char *version = luaL_optstring(L, 3, NULL), *kind = luaL_optstring(L, 4, "");
    struct call *c = new_call(L);
    struct node *target = json_arg(L, c, 1);
    struct str before = json_emit_str(&c->arena, target);
    const struct api_kind *k = version ? api_kind_find_object(str_of(version), str_of(kind)) : NULL;
    struct node *n = patch_strategic(&c->arena, target, json_arg(L, c, 2),
                                     version ? (k ? k->schema : NULL) : &test_schema, &c->err);
    if (!str_eq(before, json_emit_str(&c->arena, target))) {
        return luaL_error(L, "patch_strategic changed its input");
    }
    return push_json(L, c, n);
}

/* yaml(text, lenient?) → JSON, duplicate paths */
static int l_yaml(lua_State *L)
{
    struct str text = arg(L, 1);
    bool lenient = lua_toboolean(L, 2);
    struct call *c = new_call(L);
    struct json_options o = {on_duplicate, c};
    struct node *n = yaml_parse(&c->arena, text, lenient ? &o : NULL, &c->err);
    if (!n) {
        return push_failure(L, c);
    }
    push_json(L, c, n);
    push_text(L, buf_str(&c->reports));
    return 2;
}

/* yaml_all(text) → JSON list of the documents */
static int l_yaml_all(lua_State *L)
{
    struct str text = arg(L, 1);
    struct call *c = new_call(L);
    return push_json(L, c, yaml_parse_all(&c->arena, text, &c->err));
}

/* yaml_span(text, dotted path) → the bytes of the value there, its source text */
static int l_yaml_span(lua_State *L)
{
    struct str text = arg(L, 1);
    const char *path = luaL_checkstring(L, 2);
    struct call *c = new_call(L);
    struct node *n = yaml_parse(&c->arena, text, NULL, &c->err);
    if (!n) {
        return push_failure(L, c);
    }
    n = node_at(n, path);
    if (!n) {
        return 0;
    }
    push_text(L, str_sub(text, n->span_from, n->span_to));
    push_text(L, n->text);
    return 2;
}

/* yaml_emit(json) → YAML */
static int l_yaml_emit(lua_State *L)
{
    struct call *c = new_call(L);
    yaml_emit(&c->out, json_arg(L, c, 1));
    return push_text(L, buf_str(&c->out));
}

/* yaml_edit(text, {path}, json or nil) → text */
static int l_yaml_edit(lua_State *L)
{
    struct str text = arg(L, 1);
    struct str path[16];
    luaL_checktype(L, 2, LUA_TTABLE);
    size_t n = (size_t)lua_rawlen(L, 2);
    luaL_argcheck(L, n <= 16, 2, "path is too long");
    for (size_t i = 0; i < n; i++) {
        lua_rawgeti(L, 2, (lua_Integer)i + 1); /* stays on the stack and so alive */
        path[i] = arg(L, lua_gettop(L));
    }
    bool deletes = lua_isnil(L, 3);
    struct call *c = new_call(L);
    struct str out;
    const struct node *value = deletes ? NULL : json_arg(L, c, 3);
    if (yaml_edit_set(&c->arena, text, path, n, value, &out, &c->err)) {
        return push_failure(L, c);
    }
    return push_text(L, out);
}

/* yaml_edit_values(text, json) → text */
static int l_yaml_edit_values(lua_State *L)
{
    struct str text = arg(L, 1);
    struct call *c = new_call(L);
    struct str out;
    if (yaml_edit_values(&c->arena, text, json_arg(L, c, 2), &out, &c->err)) {
        return push_failure(L, c);
    }
    return push_text(L, out);
}

/* protobuf(bytes) → JSON */
static int l_protobuf(lua_State *L)
{
    struct str body = arg(L, 1);
    struct call *c = new_call(L);
    struct node *n = NULL;
    return push_json(L, c, protobuf_decode_object(&c->arena, body, &n, &c->err) ? NULL : n);
}

static int l_protobuf_is(lua_State *L)
{
    lua_pushboolean(L, protobuf_is(arg(L, 1)));
    return 1;
}

/* base64(bytes) → text; base64(text, true) → bytes or nil */
static int l_base64(lua_State *L)
{
    struct str in = arg(L, 1), out;
    bool decodes = lua_toboolean(L, 2);
    struct call *c = new_call(L);
    if (!decodes) {
        return push_text(L, base64_emit(&c->arena, in));
    }
    return base64_parse(&c->arena, in, &out) ? push_text(L, out) : 0;
}

int luaopen_probe_data(lua_State *L);

int luaopen_probe_data(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"json", l_json},
        {"json_time", l_json_time},
        {"json_borrows", l_json_borrows},
        {"equal", l_equal},
        {"at", l_at},
        {"set_at", l_set_at},
        {"copy", l_copy},
        {"merge", l_merge},
        {"json_patch", l_json_patch},
        {"strategic", l_strategic},
        {"yaml", l_yaml},
        {"yaml_all", l_yaml_all},
        {"yaml_span", l_yaml_span},
        {"yaml_emit", l_yaml_emit},
        {"yaml_edit", l_yaml_edit},
        {"yaml_edit_values", l_yaml_edit_values},
        {"protobuf", l_protobuf},
        {"protobuf_is", l_protobuf_is},
        {"base64", l_base64},
        {NULL, NULL},
    };
    luaL_newlib(L, functions);
    return 1;
}
