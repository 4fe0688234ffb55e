/* SPDX-License-Identifier: Apache-2.0
 *
 * The way into Lua and back: a protected call with the limits armed, and what was raised as a
 * struct err. Nothing in here can be stopped half-way: while an error value is read the memory
 * limit is off, and only raw accesses are made, so no code of the script runs.
 */
#include "script/priv.h"

#define PREFIX "Internal error occurred: " /* the Status shape of an InternalError (porch-api §10) */

static struct str raw_text(lua_State *L, int index, const char *key)
{
    struct str out = STR_NULL;
    lua_pushstring(L, key);
    /* The table keeps the string alive after the pop. */
    if (lua_rawget(L, index) == LUA_TSTRING) {
        out.ptr = lua_tolstring(L, -1, &out.len);
    }
    lua_pop(L, 1);
    return out;
}

static void take_causes(lua_State *L, int index, struct err *err)
{
    lua_pushstring(L, "causes");
    if (lua_rawget(L, index) == LUA_TTABLE) {
        int list = lua_gettop(L);
        for (lua_Integer i = 1, n = (lua_Integer)lua_rawlen(L, list); i <= n && i <= 100; i++) {
            if (lua_rawgeti(L, list, i) == LUA_TTABLE) {
                int cause = lua_gettop(L);
                struct str reason = raw_text(L, cause, "reason");
                struct str field = raw_text(L, cause, "field");
                struct str message = raw_text(L, cause, "message");
                err_add_cause(err, reason.ptr, field.ptr, "%.*s", STR_ARG(message));
            }
            lua_pop(L, 1);
        }
    }
    lua_pop(L, 1);
}

int script_error_take(lua_State *L, int index, struct err *err)
{
    struct script_run *r = script_run_of(L);
    bool before = r->memory.unlimited;
    r->memory.unlimited = true;
    index = lua_absindex(L, index);
    luaL_checkstack(L, 12, NULL);
    if (lua_type(L, index) == LUA_TTABLE) {
        struct str kind = raw_text(L, index, "kind");
        struct str message = raw_text(L, index, "message");
        enum err_kind k = err_kind_parse(kind);
        if (k == ERR_NONE) {
            err_set(err, ERR_INTERNAL, PREFIX "%.*s", STR_ARG(message));
        } else {
            err_set(err, k, "%.*s", STR_ARG(message));
        }
        struct str name = raw_text(L, index, "name"), group = raw_text(L, index, "group");
        struct str what = raw_text(L, index, "resource");
        err_details(err, name.ptr, group.ptr, what.ptr);
        take_causes(L, index, err);
    } else if (lua_type(L, index) == LUA_TSTRING) {
        err_set(err, ERR_INTERNAL, PREFIX "%s", lua_tostring(L, index));
    } else {
        err_set(err, ERR_INTERNAL, PREFIX "script failed with a %s", luaL_typename(L, index));
    }
    r->memory.unlimited = before;
    return -1;
}

int script_run_call(struct script_run *r, int nargs, int nresults, struct err *err)
{
    lua_State *L = r->L;
    if (r->stop != SCRIPT_GO) {
        lua_pop(L, nargs + 1);
        return script_stop_error(r, err);
    }
    if (script_timer_arm(r, err) < 0) {
        lua_pop(L, nargs + 1);
        return -1;
    }
    int rc = lua_pcall(L, nargs, nresults, 0);
    script_timer_disarm(r);
    if (rc == LUA_ERRMEM) {
        script_stop(r, SCRIPT_STOP_BYTES);
    }
    if (r->stop != SCRIPT_GO) {
        /* Whatever the script made of it: the result of a run that hit a limit is not used. */
        lua_settop(L, 0);
        return script_stop_error(r, err);
    }
    if (rc == LUA_OK) {
        return 0;
    }
    script_error_take(L, -1, err);
    lua_pop(L, 1);
    return -1;
}
