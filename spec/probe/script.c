/* SPDX-License-Identifier: Apache-2.0
 *
 * probe_script: script sets and runs for specs.
 *
 *   load(dirs) → set, or nil, kind, message
 *   set:sources() → list of {name, path, sha256, workflow}; set:generation(); set:text(name, wf)
 *   set:run(workflow, {cpu_ms=, bytes=, calls=, deadline_ms=, keep=}?) calls the `run` of the
 *     workflow's table with one argument: a table of host functions {count = fn, raise = fn}. keep=1:
 *     in a state that an earlier such run left loaded, if there is one. Gives a table
 *     {ok, fresh, kind, message, causes, result, bytes, cpu_ms, wall_ms}.
 *   set:run_parallel({workflow, …}, cpu_ms) runs each on a thread of its own at the same time; list
 *     of error kinds, "none" for success.
 */
#include <lauxlib.h>
#include <lua.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/thread.h"
#include "script/script.h"

#define CLASS "probe.script_set"

static int push_err(lua_State *L, struct err *err)
{
    lua_pushnil(L);
    lua_pushstring(L, err_kind_name(err->kind));
    lua_pushstring(L, err->message);
    err_done(err);
    return 3;
}

static int load(lua_State *L)
{
    const char *dirs[16];
    size_t n = 0;
    if (lua_istable(L, 1)) {
        for (; n < 16 && lua_rawgeti(L, 1, (lua_Integer)n + 1) == LUA_TSTRING; n++) {
            dirs[n] = lua_tostring(L, -1);
        }
    }
    struct err err = ERR_INIT;
    struct script_set *set;
    const struct script_dirs in = {.workflows = dirs, .n_workflows = n};
    if (script_set_load(&in, &set, &err) < 0) {
        return push_err(L, &err);
    }
    *(struct script_set **)lua_newuserdatauv(L, sizeof(set), 0) = set;
    luaL_setmetatable(L, CLASS);
    return 1;
}

static struct script_set *check(lua_State *L)
{
    return *(struct script_set **)luaL_checkudata(L, 1, CLASS);
}

static int set_gc(lua_State *L)
{
    script_set_unref(check(L));
    return 0;
}

static int set_generation(lua_State *L)
{
    lua_pushinteger(L, (lua_Integer)script_set_generation(check(L)));
    return 1;
}

static int set_sources(lua_State *L)
{
    size_t n;
    const struct script_source *s = script_set_sources(check(L), &n);
    lua_newtable(L);
    for (size_t i = 0; i < n; i++) {
        lua_newtable(L);
        lua_pushlstring(L, s[i].name.ptr, s[i].name.len);
        lua_setfield(L, -2, "name");
        lua_pushlstring(L, s[i].path.ptr, s[i].path.len);
        lua_setfield(L, -2, "path");
        lua_pushstring(L, s[i].sha256);
        lua_setfield(L, -2, "sha256");
        lua_pushboolean(L, s[i].workflow);
        lua_setfield(L, -2, "workflow");
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    return 1;
}

static int set_text(lua_State *L)
{
    struct str name = str_of(luaL_checkstring(L, 2));
    const struct script_source *s = script_set_find(check(L), name, lua_toboolean(L, 3));
    if (!s) {
        lua_pushnil(L);
    } else {
        lua_pushlstring(L, s->text.ptr, s->text.len);
    }
    return 1;
}

/* --- the inner state --- */

static int inner_count(lua_State *L)
{
    script_run_count(L);
    return 0;
}

static int inner_raise(lua_State *L)
{
    return lua_error(L);
}

static int inner_module(lua_State *L)
{
    lua_newtable(L);
    lua_pushcfunction(L, inner_count);
    lua_setfield(L, -2, "count");
    return 1;
}

static const struct script_module modules[] = {{"probe", inner_module}, {NULL, NULL}};

static lua_Integer option(lua_State *L, const char *name, lua_Integer none)
{
    lua_Integer v = none;
    if (lua_istable(L, 3)) {
        lua_getfield(L, 3, name);
        v = luaL_optinteger(L, -1, none);
        lua_pop(L, 1);
    }
    return v;
}

/* The result as text: what the inner state returned. */
static void push_result(lua_State *L, lua_State *inner)
{
    size_t n;
    int type = lua_type(inner, -1);
    if (type == LUA_TSTRING || type == LUA_TNUMBER) {
        const char *text = lua_tolstring(inner, -1, &n);
        lua_pushlstring(L, text, n);
    } else if (type == LUA_TBOOLEAN) {
        lua_pushboolean(L, lua_toboolean(inner, -1));
    } else {
        lua_pushstring(L, lua_typename(inner, type));
    }
}

static int call_run(struct script_run *r, const struct script_source *src, bool fresh, bool keep,
                    struct err *err)
{
    lua_State *inner = script_run_state(r);
    if (fresh && script_run_load(r, src, err) < 0) {
        return -1;
    }
    if (fresh && keep) {
        script_run_keep(r, src);
    }
    lua_pushliteral(inner, "run");
    lua_rawget(inner, -2);
    lua_newtable(inner);
    lua_pushcfunction(inner, inner_count);
    lua_setfield(inner, -2, "count");
    lua_pushcfunction(inner, inner_raise);
    lua_setfield(inner, -2, "raise");
    return script_run_call(r, 1, 1, err);
}

static int set_run(lua_State *L)
{
    struct script_set *set = check(L);
    const char *workflow = luaL_checkstring(L, 2);
    lua_Integer deadline = option(L, "deadline_ms", 0);
    struct script_limits limits = {
        .cpu_ms = (int)option(L, "cpu_ms", 1000),
        .bytes = (size_t)option(L, "bytes", 16 << 20),
        .calls = (int)option(L, "calls", 100),
        .deadline_ns = deadline ? clock_mono_ns() + deadline * NS_PER_MS : 0,
    };
    struct err err = ERR_INIT;
    struct script_run *r;
    const struct script_source *src = script_set_find(set, str_of(workflow), true);
    luaL_argcheck(L, src, 2, "no such workflow");
    int64_t before = clock_mono_ns();
    bool keep = option(L, "keep", 0);
    bool fresh = !keep || !(r = script_run_take(set, src, &limits));
    if (fresh && script_run_new(set, &limits, modules, &r, &err) < 0) {
        return push_err(L, &err);
    }
    int rc = call_run(r, src, fresh, keep, &err);
    size_t bytes;
    int64_t cpu;
    script_run_usage(r, &bytes, &cpu);
    lua_newtable(L);
    lua_pushboolean(L, rc == 0);
    lua_setfield(L, -2, "ok");
    lua_pushboolean(L, fresh);
    lua_setfield(L, -2, "fresh");
    if (rc == 0) {
        push_result(L, script_run_state(r));
        lua_setfield(L, -2, "result");
        /* the same run again: a limit that was hit must stay */
    } else {
        struct err again = ERR_INIT;
        lua_pushstring(L, err_kind_name(err.kind));
        lua_setfield(L, -2, "kind");
        lua_pushstring(L, err.message);
        lua_setfield(L, -2, "message");
        lua_pushinteger(L, (lua_Integer)err.n_causes);
        lua_setfield(L, -2, "n_causes");
        if (err.n_causes) {
            lua_pushstring(L, err.causes[0].message);
            lua_setfield(L, -2, "cause");
            lua_pushstring(L, err.causes[0].field);
            lua_setfield(L, -2, "field");
        }
        lua_pushboolean(L, script_run_load(r, src, &again) == 0);
        lua_setfield(L, -2, "again");
        err_done(&again);
    }
    lua_pushinteger(L, (lua_Integer)bytes);
    lua_setfield(L, -2, "bytes");
    lua_pushnumber(L, (double)cpu / 1e6);
    lua_setfield(L, -2, "cpu_ms");
    script_run_free(r);
    lua_pushnumber(L, (double)(clock_mono_ns() - before) / 1e6);
    lua_setfield(L, -2, "wall_ms");
    err_done(&err);
    return 1;
}

struct parallel {
    struct script_set *set;
    const char *workflow;
    int cpu_ms;
    enum err_kind kind;
};

static void *parallel_main(void *arg)
{
    struct parallel *p = arg;
    struct script_limits limits = {.cpu_ms = p->cpu_ms, .bytes = 16 << 20, .calls = 100};
    struct err err = ERR_INIT;
    struct script_run *r;
    if (script_run_new(p->set, &limits, modules, &r, &err) == 0) {
        (void)call_run(r, script_set_find(p->set, str_of(p->workflow), true), true, false, &err);
        script_run_free(r);
    }
    p->kind = err.kind;
    err_done(&err);
    return NULL;
}

static int set_run_parallel(lua_State *L)
{
    struct parallel p[16];
    pthread_t threads[16];
    struct script_set *set = check(L);
    size_t n = lua_rawlen(L, 2);
    luaL_argcheck(L, n <= 16, 2, "too many");
    for (size_t i = 0; i < n; i++) {
        lua_rawgeti(L, 2, (lua_Integer)i + 1);
        p[i] = (struct parallel){set, lua_tostring(L, -1), (int)luaL_checkinteger(L, 3), 0};
        threads[i] = thread_start("probe", parallel_main, &p[i]);
    }
    lua_newtable(L);
    for (size_t i = 0; i < n; i++) {
        pthread_join(threads[i], NULL);
        lua_pushstring(L, err_kind_name(p[i].kind));
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    return 1;
}

int luaopen_probe_script(lua_State *L);
int luaopen_probe_script(lua_State *L)
{
    static const luaL_Reg methods[] = {{"sources", set_sources}, {"generation", set_generation},
                                       {"text", set_text},       {"run", set_run},
                                       {"run_parallel", set_run_parallel}, {NULL, NULL}};
    luaL_newmetatable(L, CLASS);
    luaL_newlib(L, methods);
    lua_setfield(L, -2, "__index");
    lua_pushcfunction(L, set_gc);
    lua_setfield(L, -2, "__gc");
    lua_newtable(L);
    lua_pushcfunction(L, load);
    lua_setfield(L, -2, "load");
    return 1;
}
