/* SPDX-License-Identifier: Apache-2.0
 *
 * `require "probe_kube"`: core/kube/selector.h. Kinds are named "group/version/resource", objects
 * are JSON text. An error comes back as nil, kind and message.
 */
#include <lauxlib.h>
#include <lua.h>

#include "api/kinds.h"
#include "base/arena.h"
#include "base/err.h"
#include "data/node.h"
#include "kube/selector.h"

static struct str arg(lua_State *L, int at)
{
    struct str s = {NULL, 0};
    if (!lua_isnoneornil(L, at)) {
        s.ptr = luaL_checklstring(L, at, &s.len);
    }
    return s;
}

static const struct api_kind *kind_arg(lua_State *L, int at)
{
    struct str name = arg(L, at), part[3] = {STR(""), STR(""), STR("")};
    for (int i = 0; i < 3; i++) {
        (void)str_split(&name, '/', &part[i]);
    }
    const struct api_kind *kind = api_kind_find(part[0], part[1], part[2]);
    if (!kind) {
        luaL_argerror(L, at, "unknown kind");
    }
    return kind;
}

static void push_str(lua_State *L, struct str s)
{
    if (s.ptr) {
        lua_pushlstring(L, s.ptr, s.len);
    } else {
        lua_pushnil(L);
    }
}

static int push_err(lua_State *L, struct err *err)
{
    lua_pushnil(L);
    lua_pushstring(L, err_kind_name(err->kind));
    lua_pushstring(L, err->message);
    err_done(err);
    return 3;
}

/* select(kind, labels, fields, {json…}): list of booleans. */
static int select_objects(lua_State *L)
{
    const struct api_kind *kind = kind_arg(L, 1);
    struct str labels = arg(L, 2), fields = arg(L, 3);
    lua_Integer n = lua_isnoneornil(L, 4) ? 0 : luaL_len(L, 4);
    struct kube_selector s;
    struct err err = ERR_INIT;
    AUTO_ARENA a = ARENA_INIT;
    if (kube_selector_parse(&a, kind, labels, fields, &s, &err) < 0) {
        return push_err(L, &err);
    }
    lua_newtable(L);
    for (lua_Integer i = 1; i <= n; i++) {
        struct str json = {NULL, 0};
        lua_rawgeti(L, 4, i);
        json.ptr = lua_tolstring(L, -1, &json.len);
        lua_pop(L, 1); /* the table keeps it alive */
        struct node *object = json_parse(&a, json, NULL, &err);
        if (!object) {
            return push_err(L, &err);
        }
        lua_pushboolean(L, kube_selector_match(&s, object));
        lua_rawseti(L, -2, i);
    }
    return 1;
}

/* plan(kind, fields, namespace): name, f1, f2, namespace, nothing. */
static int plan(lua_State *L)
{
    const struct api_kind *kind = kind_arg(L, 1);
    struct str fields = arg(L, 2), ns = arg(L, 3), f1, f2;
    struct kube_selector s;
    struct err err = ERR_INIT;
    bool nothing;
    AUTO_ARENA a = ARENA_INIT;
    if (kube_selector_parse(&a, kind, STR(""), fields, &s, &err) < 0 ||
        kube_selector_scope(&s, ns, &ns, &nothing, &err) < 0) {
        return push_err(L, &err);
    }
    kube_selector_index(&s, &f1, &f2);
    push_str(L, kube_selector_exact(&s, "metadata.name"));
    push_str(L, f1);
    push_str(L, f2);
    push_str(L, ns);
    lua_pushboolean(L, nothing);
    return 5;
}

static const luaL_Reg functions[] = {
    {"select", select_objects},
    {"plan", plan},
    {NULL, NULL},
};

int luaopen_probe_kube(lua_State *L);
int luaopen_probe_kube(lua_State *L)
{
    luaL_newlib(L, functions);
    return 1;
}
