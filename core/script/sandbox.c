/* SPDX-License-Identifier: Apache-2.0
 *
 * What a script finds in its globals: an allow-list (style.md §6), with those functions guarded
 * that would loop in C for as long as a script likes, or tell it an address. Everything else does
 * not exist. core/THREATS.md says why for each.
 */
#include <lualib.h>

#include "script/priv.h"

#define MAX_RANGE 10000000 /* elements one table.* call may walk; memory ends real tables earlier */

static const char *const globals[] = {
    "assert", "error",    "ipairs", "next",   "select", "tonumber",
    "type",   "rawequal", "rawlen", "rawget", "pairs",  NULL,
};
static const char *const string_names[] = {
    "byte", "char", "format", "len", "lower", "reverse", "sub", "upper", NULL,
};
static const char *const math_names[] = {
    "abs",  "ceil", "floor", "fmod", "huge", "max",       "maxinteger", "min", "mininteger",
    "modf", "pi",   "sqrt",  "type", "ult",  "tointeger", NULL,
};
static const char *const table_names[] = {"insert", "remove", "pack", "unpack", NULL};

/* Copies listed members of the table at `from` into the table at `to`. */
static void copy(lua_State *L, int from, int to, const char *const *names)
{
    for (; *names; names++) {
        lua_getfield(L, from, *names);
        lua_setfield(L, to, *names);
    }
}

/* --- guarded basics --- */

/* A finalizer runs where no hook can stop it, so there are none. Lua looks for __gc only here:
 * setting the field later has no effect. */
static int guarded_setmetatable(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    luaL_argexpected(L, lua_isnil(L, 2) || lua_istable(L, 2), 2, "nil or table");
    if (lua_istable(L, 2)) {
        lua_pushliteral(L, "__gc");
        if (lua_rawget(L, 2) != LUA_TNIL) {
            return luaL_error(L, "__gc is not available to scripts");
        }
        lua_pop(L, 1);
    }
    if (luaL_getmetafield(L, 1, "__metatable") != LUA_TNIL) {
        return luaL_error(L, "cannot change a protected metatable");
    }
    lua_settop(L, 2);
    lua_setmetatable(L, 1);
    return 1;
}

/* Catches every error but the end of the run. */
static int guarded_pcall(lua_State *L)
{
    luaL_checkany(L, 1);
    lua_pushboolean(L, 1);
    lua_insert(L, 1);
    int status = lua_pcall(L, lua_gettop(L) - 2, LUA_MULTRET, 0);
    if (status == LUA_ERRMEM) {
        script_stop(script_run_of(L), SCRIPT_STOP_BYTES);
    }
    script_check_stop(L);
    if (status != LUA_OK) {
        lua_pushboolean(L, 0);
        lua_insert(L, -2);
        return 2;
    }
    return lua_gettop(L);
}

static int guarded_getmetatable(lua_State *L)
{
    luaL_checkany(L, 1);
    if (!lua_getmetatable(L, 1)) {
        lua_pushnil(L);
        return 1;
    }
    lua_pushliteral(L, "__metatable");
    if (lua_rawget(L, -2) == LUA_TNIL) {
        lua_pop(L, 1);
    }
    return 1;
}

/* tostring without addresses: the same input gives the same output. */
static int guarded_tostring(lua_State *L)
{
    luaL_checkany(L, 1);
    int type = lua_type(L, 1);
    bool pointer = type == LUA_TTABLE || type == LUA_TFUNCTION || type == LUA_TUSERDATA ||
                   type == LUA_TTHREAD || type == LUA_TLIGHTUSERDATA;
    if (pointer && luaL_getmetafield(L, 1, "__tostring") == LUA_TNIL) {
        lua_pushstring(L, lua_typename(L, type));
    } else {
        luaL_tolstring(L, 1, NULL);
    }
    return 1;
}

/* Upvalue 1: string.format. */
static int guarded_format(lua_State *L)
{
    size_t n;
    const char *format = luaL_checklstring(L, 1, &n);
    for (size_t i = 0; i + 1 < n; i++) {
        if (format[i] == '%') {
            i++;
            while (i < n && strchr("-+ #0123456789.", format[i]) && format[i]) {
                i++;
            }
            if (i < n && format[i] == 'p') {
                return luaL_error(L, "%%p is not available to scripts");
            }
        }
    }
    int top = lua_gettop(L);
    for (int i = 2; i <= top; i++) { /* %s of a table would show its address */
        if (lua_type(L, i) >= LUA_TTABLE) {
            lua_pushcfunction(L, guarded_tostring);
            lua_pushvalue(L, i);
            lua_call(L, 1, 1);
            lua_replace(L, i);
        }
    }
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, top, LUA_MULTRET);
    return lua_gettop(L);
}

static int guarded_rep(lua_State *L)
{
    size_t n_text, n_sep;
    const char *text = luaL_checklstring(L, 1, &n_text);
    lua_Integer times = luaL_checkinteger(L, 2);
    const char *sep = luaL_optlstring(L, 3, "", &n_sep);
    if (times <= 0 || n_text + n_sep == 0) {
        lua_pushliteral(L, "");
        return 1;
    }
    size_t limit = script_run_of(L)->limits.bytes;
    if ((lua_Unsigned)times > limit || (n_text + n_sep) > limit / (size_t)times) {
        return luaL_error(L, "resulting string is too large");
    }
    luaL_Buffer b;
    size_t total = n_text * (size_t)times + n_sep * ((size_t)times - 1);
    char *at = luaL_buffinitsize(L, &b, total);
    for (lua_Integer i = 0; i < times; i++) {
        memcpy(at, text, n_text);
        at += n_text;
        if (n_sep && i + 1 < times) {
            memcpy(at, sep, n_sep);
            at += n_sep;
        }
    }
    luaL_pushresultsize(&b, total);
    return 1;
}

/* --- guarded table.* --- */

/* A __len of the script's own may claim any length; our own userdata tells the truth. */
static void check_list(lua_State *L, int arg)
{
    if (lua_type(L, arg) == LUA_TTABLE && luaL_getmetafield(L, arg, "__len") != LUA_TNIL) {
        luaL_argerror(L, arg, "a table with __len is not a list");
    }
}

static int call_original(lua_State *L)
{
    int n = lua_gettop(L);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, n, LUA_MULTRET);
    return lua_gettop(L);
}

static int guarded_list(lua_State *L) /* insert, remove */
{
    check_list(L, 1);
    return call_original(L);
}

static void check_range(lua_State *L, lua_Integer from, lua_Integer to)
{
    if (to >= from && (lua_Unsigned)to - (lua_Unsigned)from >= MAX_RANGE) {
        luaL_error(L, "range is too large");
    }
}

static int guarded_move(lua_State *L)
{
    check_range(L, luaL_checkinteger(L, 2), luaL_checkinteger(L, 3));
    return call_original(L);
}

static int guarded_concat(lua_State *L)
{
    check_list(L, 1);
    lua_Integer from = luaL_optinteger(L, 3, 1);
    check_range(L, from, lua_isnoneornil(L, 4) ? luaL_len(L, 1) : luaL_checkinteger(L, 4));
    return call_original(L);
}

/* Comparisons happen in Lua, where the limits hold; upvalue 2 is `a < b`. */
static int guarded_sort(lua_State *L)
{
    check_list(L, 1);
    lua_settop(L, 2);
    if (lua_isnil(L, 2)) {
        lua_pushvalue(L, lua_upvalueindex(2));
        lua_replace(L, 2);
    } else if (!lua_isfunction(L, 2) || lua_iscfunction(L, 2)) {
        return luaL_argerror(L, 2, "a Lua function is expected");
    }
    return call_original(L);
}

/* --- the globals table itself --- */

static int undefined_global(lua_State *L)
{
    return luaL_error(L, "'%s' is not available to scripts", luaL_tolstring(L, 2, NULL));
}

static int global_write(lua_State *L)
{
    return luaL_error(L, "assignment to global '%s'", luaL_tolstring(L, 2, NULL));
}

static void wrap(lua_State *L, int from, int to, const char *name, lua_CFunction fn)
{
    lua_getfield(L, from, name);
    lua_pushcclosure(L, fn, 1);
    lua_setfield(L, to, name);
}

static void open_string(lua_State *L, int env)
{
    lua_pushcfunction(L, luaopen_string);
    lua_call(L, 0, 1);
    int original = lua_gettop(L);
    lua_newtable(L);
    int own = lua_gettop(L);
    copy(L, original, own, string_names);
    wrap(L, original, own, "format", guarded_format);
    lua_pushcfunction(L, guarded_rep);
    lua_setfield(L, own, "rep");
    script_pattern_open(L);

    lua_pushliteral(L, "");
    lua_getmetatable(L, -1);
    lua_pushvalue(L, own);
    lua_setfield(L, -2, "__index");
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
    lua_pop(L, 2);
    lua_setfield(L, env, "string");
    lua_pop(L, 1);
}

static void open_table(lua_State *L, int env)
{
    lua_pushcfunction(L, luaopen_table);
    lua_call(L, 0, 1);
    int original = lua_gettop(L);
    lua_newtable(L);
    int own = lua_gettop(L);
    copy(L, original, own, table_names);
    wrap(L, original, own, "insert", guarded_list);
    wrap(L, original, own, "remove", guarded_list);
    wrap(L, original, own, "move", guarded_move);
    wrap(L, original, own, "concat", guarded_concat);
    lua_getfield(L, original, "sort");
    if (luaL_loadbufferx(L, "local a, b = ... return a < b", 29, "=sort", "t") != LUA_OK) {
        lua_error(L);
    }
    lua_pushcclosure(L, guarded_sort, 2);
    lua_setfield(L, own, "sort");
    lua_setfield(L, env, "table");
    lua_pop(L, 1);
}

static void open_copy(lua_State *L, int env, lua_CFunction open, const char *name,
                      const char *const *names)
{
    lua_pushcfunction(L, open);
    lua_call(L, 0, 1);
    if (names) {
        lua_newtable(L);
        copy(L, -2, lua_gettop(L), names);
        lua_remove(L, -2);
    }
    lua_setfield(L, env, name);
}

void script_sandbox_open(lua_State *L)
{
    lua_pushcfunction(L, luaopen_base);
    lua_call(L, 0, 1);
    int base = lua_gettop(L);
    lua_newtable(L);
    int env = lua_gettop(L);
    copy(L, base, env, globals);
    lua_pushcfunction(L, guarded_pcall);
    lua_setfield(L, env, "pcall");
    lua_pushcfunction(L, guarded_setmetatable);
    lua_setfield(L, env, "setmetatable");
    lua_pushcfunction(L, guarded_getmetatable);
    lua_setfield(L, env, "getmetatable");
    lua_pushcfunction(L, guarded_tostring);
    lua_setfield(L, env, "tostring");
    open_string(L, env);
    open_table(L, env);
    open_copy(L, env, luaopen_math, "math", math_names);
    open_copy(L, env, luaopen_utf8, "utf8", NULL);
    lua_newtable(L);
    lua_pushcclosure(L, script_require, 1);
    lua_setfield(L, env, "require");

    lua_newtable(L);
    lua_pushcfunction(L, undefined_global);
    lua_setfield(L, -2, "__index");
    lua_pushcfunction(L, global_write);
    lua_setfield(L, -2, "__newindex");
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
    lua_setmetatable(L, env);

    lua_rawseti(L, LUA_REGISTRYINDEX, LUA_RIDX_GLOBALS);
    lua_pop(L, 1);
}
