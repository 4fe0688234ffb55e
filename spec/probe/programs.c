/* SPDX-License-Identifier: Apache-2.0
 *
 * probe_programs: functions outside of this process. What ran gives code, output, log; what could
 * not be run gives nil, kind, message.
 *   run{argv=, input=, directory=, timeout_ms=, max_memory=, max_output=}
 *   words(line) → list | nil, kind, message
 *   helpers{argv=, max=, max_calls=, max_memory=, max_output=} → h
 *     h:run(request, timeout_ms) · h:started() · h:time(request, n) → nanoseconds per call
 *   programs{self=, map=, directory=} → p | nil, kind, message
 *     p:run{image=, exec=, program=, input=, timeout_ms=} · p:time(call, n)
 *   json(yaml) → JSON
 */
#include <lauxlib.h>
#include <lua.h>

#include "base/clock.h"
#include "data/yaml_doc.h"
#include "eval/json.h"
#include "eval/programs.h"

int luaopen_probe_programs(lua_State *L);

#define MAX_ARGS 32
#define HELPERS "probe_helpers"
#define PROGRAMS "probe_foreign"

/* Fields of the table at 1 stay alive as long as it is on the stack. */
static const char *field(lua_State *L, int table, const char *name)
{
    lua_getfield(L, table, name);
    const char *value = luaL_optstring(L, -1, NULL);
    lua_pop(L, 1);
    return value;
}

static struct str text_field(lua_State *L, int table, const char *name)
{
    struct str s = STR_NULL;
    if (lua_getfield(L, table, name) != LUA_TNIL) {
        s.ptr = luaL_checklstring(L, -1, &s.len);
    }
    lua_pop(L, 1);
    return s;
}

static int64_t number(lua_State *L, int table, const char *name)
{
    lua_getfield(L, table, name);
    int64_t n = luaL_optinteger(L, -1, 0);
    lua_pop(L, 1);
    return n;
}

static int64_t deadline(int64_t timeout_ms)
{
    return timeout_ms ? clock_mono_ns() + timeout_ms * NS_PER_MS : 0;
}

static struct eval_program program(lua_State *L, const char **argv)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_getfield(L, 1, "argv");
    for (int i = 0; i < MAX_ARGS && lua_rawgeti(L, -1, i + 1) != LUA_TNIL; i++) {
        argv[i] = luaL_checkstring(L, -1);
        argv[i + 1] = NULL;
        lua_pop(L, 1);
    }
    lua_settop(L, 1);
    return (struct eval_program){.argv = argv,
                                 .directory = field(L, 1, "directory"),
                                 .max_memory = (size_t)number(L, 1, "max_memory"),
                                 .max_output = (size_t)number(L, 1, "max_output"),
                                 .deadline_ns = deadline(number(L, 1, "timeout_ms"))};
}

static int push_err(lua_State *L, struct err *err)
{
    lua_pushnil(L);
    lua_pushstring(L, err_kind_name(err->kind));
    lua_pushstring(L, err->message);
    err_done(err);
    return 3;
}

static int push_output(lua_State *L, int rc, struct eval_output *o, struct err *err)
{
    if (rc) {
        eval_output_done(o);
        return push_err(L, err);
    }
    lua_pushinteger(L, o->code);
    lua_pushlstring(L, o->text.ptr ? o->text.ptr : "", o->text.len);
    lua_pushlstring(L, o->log.ptr ? o->log.ptr : "", o->log.len);
    eval_output_done(o);
    return 3;
}

static int l_run(lua_State *L)
{
    const char *argv[MAX_ARGS + 1] = {NULL};
    struct eval_program p = program(L, argv);
    struct eval_output out = {0};
    struct err err = ERR_INIT;
    int rc = eval_process_run(&p, text_field(L, 1, "input"), &out, &err);
    return push_output(L, rc, &out, &err);
}

static int l_words(lua_State *L)
{
    struct str line;
    line.ptr = luaL_checklstring(L, 1, &line.len);
    struct arena a = ARENA_INIT;
    struct err err = ERR_INIT;
    size_t n;
    const char *const *words = eval_words(&a, line, &n, &err);
    if (!words) {
        arena_done(&a);
        return push_err(L, &err);
    }
    lua_newtable(L);
    for (size_t i = 0; i < n; i++) {
        lua_pushstring(L, words[i]);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    arena_done(&a);
    return 1;
}

static int l_json(lua_State *L)
{
    struct str text;
    text.ptr = luaL_checklstring(L, 1, &text.len);
    AUTO_ARENA a = ARENA_INIT;
    AUTO_BUF out = BUF_INIT;
    struct yaml_docs docs = {0};
    AUTO_ERR err = ERR_INIT;
    if (yaml_read(&a, text, NULL, &docs, NULL, &err)) {
        return push_err(L, &err);
    }
    eval_json_emit(&out, docs.list[0].root);
    lua_pushlstring(L, out.ptr, out.len);
    return 1;
}

/* --- helpers --- */

static struct eval_helpers *check_helpers(lua_State *L)
{
    return *(struct eval_helpers **)luaL_checkudata(L, 1, HELPERS);
}

static int l_helpers(lua_State *L)
{
    const char *argv[MAX_ARGS + 1] = {NULL};
    struct eval_program p = program(L, argv);
    const struct eval_helpers_options o = {.max = (size_t)number(L, 1, "max"),
                                           .max_calls = (size_t)number(L, 1, "max_calls")};
    struct eval_helpers **h = lua_newuserdatauv(L, sizeof(*h), 0);
    *h = eval_helpers_new(&p, &o);
    luaL_setmetatable(L, HELPERS);
    return 1;
}

static int helpers_run(lua_State *L)
{
    struct eval_helpers *h = check_helpers(L);
    struct str request;
    request.ptr = luaL_checklstring(L, 2, &request.len);
    struct eval_output out = {0};
    struct err err = ERR_INIT;
    int rc = eval_helpers_run(h, request, deadline(luaL_checkinteger(L, 3)), &out, &err);
    return push_output(L, rc, &out, &err);
}

static int helpers_time(lua_State *L)
{
    struct eval_helpers *h = check_helpers(L);
    struct str request;
    request.ptr = luaL_checklstring(L, 2, &request.len);
    lua_Integer n = luaL_checkinteger(L, 3);
    int64_t start = clock_mono_ns();
    for (lua_Integer i = 0; i < n; i++) {
        AUTO_OUTPUT out = {0};
        AUTO_ERR err = ERR_INIT;
        if (eval_helpers_run(h, request, 0, &out, &err)) {
            return push_err(L, &err);
        }
    }
    lua_pushinteger(L, (clock_mono_ns() - start) / n);
    return 1;
}

static int helpers_started(lua_State *L)
{
    lua_pushinteger(L, (lua_Integer)eval_helpers_started(check_helpers(L)));
    return 1;
}

static int helpers_gc(lua_State *L)
{
    eval_helpers_free(check_helpers(L));
    return 0;
}

/* --- programs --- */

static struct eval_programs *check_programs(lua_State *L)
{
    return *(struct eval_programs **)luaL_checkudata(L, 1, PROGRAMS);
}

static int l_programs(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    const struct eval_programs_options o = {.self = field(L, 1, "self"),
                                            .map = field(L, 1, "map"),
                                            .directory = field(L, 1, "directory")};
    struct err err = ERR_INIT;
    struct eval_programs *p;
    if (eval_programs_new(&o, &p, &err)) {
        return push_err(L, &err);
    }
    struct eval_programs **ud = lua_newuserdatauv(L, sizeof(*ud), 0);
    *ud = p;
    luaL_setmetatable(L, PROGRAMS);
    return 1;
}

static struct eval_call call_of(lua_State *L, int table)
{
    return (struct eval_call){.image = text_field(L, table, "image"),
                              .exec = text_field(L, table, "exec"),
                              .program = text_field(L, table, "program"),
                              .input = text_field(L, table, "input"),
                              .deadline_ns = deadline(number(L, table, "timeout_ms"))};
}

static int programs_run(lua_State *L)
{
    struct eval_runner r = eval_programs_runner(check_programs(L));
    const struct eval_call call = call_of(L, 2);
    struct arena a = ARENA_INIT;
    struct eval_answer out = {0};
    struct err err = ERR_INIT;
    if (r.run(r.ctx, &a, &call, &out, &err)) {
        arena_done(&a);
        return push_err(L, &err);
    }
    lua_pushinteger(L, out.exit_code);
    lua_pushlstring(L, out.output.ptr ? out.output.ptr : "", out.output.len);
    lua_pushlstring(L, out.log.ptr ? out.log.ptr : "", out.log.len);
    arena_done(&a);
    return 3;
}

static int programs_time(lua_State *L)
{
    struct eval_runner r = eval_programs_runner(check_programs(L));
    lua_Integer n = luaL_checkinteger(L, 3);
    int64_t start = clock_mono_ns();
    for (lua_Integer i = 0; i < n; i++) {
        AUTO_ARENA a = ARENA_INIT;
        AUTO_ERR err = ERR_INIT;
        struct eval_call call = call_of(L, 2);
        struct eval_answer out = {0};
        if (r.run(r.ctx, &a, &call, &out, &err)) {
            return push_err(L, &err);
        }
    }
    lua_pushinteger(L, (clock_mono_ns() - start) / n);
    return 1;
}

static int programs_gc(lua_State *L)
{
    eval_programs_free(check_programs(L));
    return 0;
}

static const luaL_Reg HELPER_METHODS[] = {
    {"run", helpers_run}, {"time", helpers_time}, {"started", helpers_started},
    {"__gc", helpers_gc}, {NULL, NULL},
};
static const luaL_Reg PROGRAM_METHODS[] = {
    {"run", programs_run}, {"time", programs_time}, {"__gc", programs_gc}, {NULL, NULL},
};
static const luaL_Reg FUNCTIONS[] = {
    {"run", l_run},           {"words", l_words}, {"helpers", l_helpers},
    {"programs", l_programs}, {"json", l_json},   {NULL, NULL},
};

static void make_class(lua_State *L, const char *name, const luaL_Reg *methods)
{
    luaL_newmetatable(L, name);
    luaL_setfuncs(L, methods, 0);
    lua_pushvalue(L, -1);
    lua_setfield(L, -2, "__index");
    lua_pop(L, 1);
}

int luaopen_probe_programs(lua_State *L)
{
    make_class(L, HELPERS, HELPER_METHODS);
    make_class(L, PROGRAMS, PROGRAM_METHODS);
    luaL_newlib(L, FUNCTIONS);
    return 1;
}
