/* SPDX-License-Identifier: Apache-2.0
 *
 * What a run knows about itself (clock, ids, capabilities), its log, and how it fails.
 */
#include "base/log.h"
#include "host/priv.h"

static int ctx_now(lua_State *L)
{
    lua_pushinteger(L, host_state_of(L)->run->now_ns / 1000000000);
    return 1;
}

/* The same run makes the same ids, also when it is repeated after a lost race. */
static int ctx_id(lua_State *L)
{
    struct host_state *st = host_state_of(L);
    lua_pushfstring(L, "%s-%d", st->run->id.ptr ? arena_strz(st->run->arena, st->run->id) : "run",
                    (int)++st->n_ids);
    return 1;
}

static int ctx_has(lua_State *L)
{
    static const char *const have[] = {"capabilities", "yaml.edit", "list.containing",
                                       "list.referring", NULL};
    const char *name = luaL_checkstring(L, 1);
    bool found = false;
    for (size_t i = 0; have[i]; i++) {
        found = found || strcmp(have[i], name) == 0;
    }
    lua_pushboolean(L, found);
    return 1;
}

/* fail(kind, message, causes?) gives nil, {kind, message, causes}. Unknown kinds are a bug of the
 * script. An internal failure gets the frame that its Status message has. */
static int ctx_fail(lua_State *L)
{
    size_t n;
    struct str kind;
    kind.ptr = luaL_checklstring(L, 1, &kind.len);
    const char *message = luaL_checklstring(L, 2, &n);
    lua_settop(L, 3);
    luaL_argexpected(L, lua_isnil(L, 3) || lua_istable(L, 3), 3, "list of causes");
    luaL_argcheck(L, err_kind_parse(kind) != ERR_NONE, 1, "no such error kind");
    bool internal = err_kind_parse(kind) == ERR_INTERNAL;
    lua_pushnil(L);
    lua_createtable(L, 0, 3);
    lua_pushvalue(L, 1);
    lua_setfield(L, -2, "kind");
    lua_pushfstring(L, "%s%s", internal ? "Internal error occurred: " : "", message);
    lua_setfield(L, -2, "message");
    if (lua_istable(L, 3)) {
        lua_pushvalue(L, 3);
    } else if (internal) {
        lua_createtable(L, 1, 0);
        lua_createtable(L, 0, 1);
        lua_pushvalue(L, 2);
        lua_setfield(L, -2, "message");
        lua_rawseti(L, -2, 1);
    } else {
        lua_pushnil(L);
    }
    lua_setfield(L, -2, "causes");
    return 2;
}

/* --- log: log.info{"text", key = value, …} --- */

#define MAX_FIELDS 6

static int log_at(lua_State *L, enum log_level level)
{
    if (lua_type(L, 1) == LUA_TSTRING) {
        lua_settop(L, 1);
        lua_createtable(L, 1, 0);
        lua_insert(L, 1);
        lua_rawseti(L, 1, 1);
    }
    luaL_checktype(L, 1, LUA_TTABLE);
    struct arena *a = script_arena(L);
    const struct host_state *st = host_state_of(L);
    const char *message = "", *f[2 * MAX_FIELDS] = {NULL};
    size_t n = 0;
    for (lua_pushnil(L); lua_next(L, 1); lua_pop(L, 1)) {
        struct str value;
        value.ptr = luaL_tolstring(L, -1, &value.len);
        script_check_memory(L, value.len);
        if (lua_type(L, -3) != LUA_TSTRING) {
            message = arena_strz(a, value);
        } else if (n < 2 * MAX_FIELDS) {
            f[n++] = arena_strz(a, str_of(lua_tostring(L, -3)));
            f[n++] = arena_strz(a, value);
        }
        lua_pop(L, 1);
    }
    const char *workflow = st->workflow ? st->workflow->name.ptr : "?";
    log_write(level, message, "workflow", workflow, f[0], f[1], f[2], f[3], f[4], f[5], f[6], f[7],
              f[8], f[9], f[10], f[11], NULL);
    return 0;
}

static int log_debug_fn(lua_State *L)
{
    return log_at(L, LOG_DEBUG);
}

static int log_info_fn(lua_State *L)
{
    return log_at(L, LOG_INFO);
}

static int log_warn_fn(lua_State *L)
{
    return log_at(L, LOG_WARN);
}

const struct host_function host_info_functions[] = {
    {"ctx", "now", ctx_now, HOST_READS, NULL},
    {"ctx", "id", ctx_id, HOST_READS, NULL},
    {"ctx", "has", ctx_has, HOST_READS, NULL},
    {"ctx", "fail", ctx_fail, HOST_READS, NULL},
    {"ctx.log", "debug", log_debug_fn, HOST_READS, NULL},
    {"ctx.log", "info", log_info_fn, HOST_READS, NULL},
    {"ctx.log", "warn", log_warn_fn, HOST_READS, NULL},
    {NULL, NULL, NULL, 0, NULL},
};
