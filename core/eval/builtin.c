/* SPDX-License-Identifier: Apache-2.0
 *
 * A function of lua/fn over resource nodes. Its loaded state serves one run after another, put back as
 * it was in between; it sees its arguments and nothing else.
 */
#include <lauxlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/limits.h"
#include "eval/priv.h"
#include "script/node.h"

#define MAX_WAIT_S 600 /* out:wait */
#define INTERNAL "Internal error occurred: " /* script_error_take puts it before raised texts */

static int open_node_module(lua_State *L)
{
#define ROW(name) {#name, script_node_##name},
    static const luaL_Reg functions[] = {SCRIPT_NODE_FUNCTIONS(ROW){NULL, NULL}};
#undef ROW
    luaL_newlib(L, functions);
    return 1;
}

const struct script_module eval_modules[] = {{"lanai.node", open_node_module}, {NULL, NULL}};

int eval_open_state(lua_State *L)
{
    script_open_nodes(L);
    return 0;
}

/* --- out --- */

static struct eval_builtin *job_of(lua_State *L)
{
    return lua_touserdata(L, lua_upvalueindex(1));
}

/* Sets out[key] to member `from` of the table on top, as a text. */
static void move_text(lua_State *L, const char *from, struct node *out, const char *key)
{
    int type = lua_getfield(L, -1, from);
    if (type != LUA_TNIL) {
        if (type != LUA_TSTRING && type != LUA_TNUMBER) {
            luaL_error(L, "field '%s' of a result: a string is expected", from);
        }
        struct str s;
        s.ptr = lua_tolstring(L, -1, &s.len);
        script_check_memory(L, s.len);
        node_setz(script_arena(L), out, key, node_str(script_arena(L),
                                                      arena_str(script_arena(L), s)));
    }
    lua_pop(L, 1);
}

static void set_ref(lua_State *L, struct node *out, const struct node *resource)
{
    static const char *const keys[][2] = {{"apiVersion", "apiVersion"},
                                          {"kind", "kind"},
                                          {"name", "metadata.name"},
                                          {"namespace", "metadata.namespace"}};
    struct arena *a = script_arena(L);
    struct node *ref = node_map(a);
    for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
        struct str s = node_text_at(resource, keys[i][1]);
        if (s.len) {
            node_set_strz(a, ref, keys[i][0], s);
        }
    }
    if (ref->n) {
        node_setz(a, out, "resourceRef", ref);
    }
}

/* The table at field `from` as a map with the given members renamed. */
static void move_map(lua_State *L, const char *from, struct node *out, const char *key,
                     const char *const (*names)[2])
{
    int type = lua_getfield(L, 2, from);
    const struct node *handle = script_handle_node(L, -1);
    if (handle) {
        set_ref(L, out, handle);
    } else if (type == LUA_TTABLE) {
        struct node *map = node_map(script_arena(L));
        for (size_t i = 0; names[i][0]; i++) {
            move_text(L, names[i][0], map, names[i][1]);
        }
        node_setz(script_arena(L), out, key, map);
    } else if (type != LUA_TNIL) {
        luaL_error(L, "field '%s' of a result: a table is expected", from);
    }
    lua_pop(L, 1);
}

static void move_index(lua_State *L, struct node *result)
{
    if (lua_getfield(L, 2, "file") == LUA_TTABLE && lua_getfield(L, -1, "index") != LUA_TNIL) {
        struct node *file = node_getz(result, "file");
        node_setz(script_arena(L), file, "index",
                  node_int(script_arena(L), luaL_checkinteger(L, -1)));
    }
    lua_settop(L, 2);
}

/* out:result{severity=, message=, resource=, field=, file=, tags=} */
static int out_result(lua_State *L)
{
    static const char *const severities[] = {"error", "warning", "info", NULL};
    static const char *const refs[][2] = {{"apiVersion", "apiVersion"}, {"kind", "kind"},
                                          {"name", "name"}, {"namespace", "namespace"},
                                          {NULL, NULL}};
    static const char *const fields[][2] = {{"path", "path"}, {"current", "currentValue"},
                                            {"proposed", "proposedValue"}, {NULL, NULL}};
    static const char *const files[][2] = {{"path", "path"}, {NULL, NULL}};
    struct eval_builtin *job = job_of(L);
    luaL_checktype(L, 2, LUA_TTABLE);
    lua_settop(L, 2);
    struct node *result = node_map(script_arena(L));
    script_check_memory(L, 1024);
    move_text(L, "message", result, "message");
    move_text(L, "severity", result, "severity");
    struct str severity = node_text(node_getz(result, "severity"));
    bool known = !severity.ptr;
    for (size_t i = 0; severities[i]; i++) {
        known = known || str_eqz(severity, severities[i]);
    }
    luaL_argcheck(L, known && node_getz(result, "message"), 2, "message and severity");
    move_map(L, "resource", result, "resourceRef", refs);
    move_map(L, "field", result, "field", fields);
    move_map(L, "file", result, "file", files);
    move_index(L, result);
    if (lua_getfield(L, 2, "tags") != LUA_TNIL) {
        node_setz(script_arena(L), result, "tags", script_to_node(L, -1));
    }
    node_push(script_arena(L), job->results, result);
    return 0;
}

/* out:at_least("v0.4.0") */
static int out_at_least(lua_State *L)
{
    const struct eval_builtin *job = job_of(L);
    struct str than = str_of(luaL_checkstring(L, 2));
    lua_pushboolean(L, eval_version_compare(job->version, than) >= 0);
    return 1;
}

/* out:wait(seconds), for functions that test deadlines: the signal of a deadline ends it early, and
 * then the run. */
static int out_wait(lua_State *L)
{
    lua_Number seconds = luaL_checknumber(L, 2);
    luaL_argcheck(L, seconds >= 0 && seconds <= MAX_WAIT_S, 2, "out of range");
    struct timespec t = {.tv_sec = (time_t)seconds};
    t.tv_nsec = (long)((seconds - (lua_Number)t.tv_sec) * (lua_Number)NS_PER_S);
    (void)nanosleep(&t, NULL);
    return 0;
}

static void push_out(lua_State *L, struct eval_builtin *job)
{
    lua_createtable(L, 0, 4);
    lua_pushlstring(L, job->version.ptr ? job->version.ptr : "", job->version.len);
    lua_setfield(L, -2, "version");
    lua_pushlightuserdata(L, job);
    lua_pushcclosure(L, out_result, 1);
    lua_setfield(L, -2, "result");
    lua_pushlightuserdata(L, job);
    lua_pushcclosure(L, out_at_least, 1);
    lua_setfield(L, -2, "at_least");
    lua_pushcfunction(L, out_wait);
    lua_setfield(L, -2, "wait");
}

/* --- a run --- */

/* Arguments: the function's table, the job. */
static int drive(lua_State *L)
{
    struct eval_builtin *job = lua_touserdata(L, 2);
    lua_getfield(L, 1, "run");
    script_push_resources(L, job->items);
    script_push_node(L, (struct node *)job->config, false);
    push_out(L, job);
    lua_call(L, 3, 2);
    if (!lua_toboolean(L, -2)) {
        struct str s = STR("error: function failure");
        if (lua_type(L, -1) == LUA_TSTRING) {
            s.ptr = lua_tolstring(L, -1, &s.len);
        }
        job->failed = true;
        job->failure = arena_str(script_arena(L), s);
    }
    return 0;
}

/* Makes a state whose stack holds `drive` and the function's table. */
static int load(struct script_run *r, const struct eval_function *f, struct arena *a,
                struct err *err)
{
    lua_State *L = script_run_state(r);
    const char *before = a->at;
    lua_pushcfunction(L, eval_open_state);
    if (script_run_call(r, 0, 0, err) < 0) {
        return -1;
    }
    lua_pushcfunction(L, drive);
    if (script_run_load(r, f->source, err) < 0) {
        return -1;
    }
    if (a->at == before) {
        script_run_keep(r, f->source);
    }
    return 0;
}

/* A raised error is a fault of the function; limits keep their kind. */
static int panicked(struct err *err)
{
    if (err->kind != ERR_INTERNAL) {
        return -1;
    }
    AUTO_ERR raised = ERR_INIT;
    err_move(&raised, err);
    const char *text = raised.message;
    if (strncmp(text, INTERNAL, strlen(INTERNAL)) == 0) {
        text += strlen(INTERNAL);
    }
    return err_set(err, ERR_INTERNAL, "KRM function panicked with: %s", text);
}

int eval_builtin_run(const struct eval_options *o, struct arena *a, const struct eval_function *f,
                     struct eval_builtin *job, struct eval_touched *touched, struct err *err)
{
    const struct script_limits limits = {.cpu_ms = LIMIT_FUNCTION_CPU_MS,
                                         .bytes = LIMIT_FUNCTION_BYTES,
                                         .calls = LIMIT_RUN_CALLS,
                                         .deadline_ns = o->deadline_ns};
    struct script_run *r = script_run_take(o->catalog->set, f->source, &limits);
    bool fresh = !r;
    if (fresh && script_run_new(o->catalog->set, &limits, eval_modules, &r, err) < 0) {
        return -1;
    }
    script_run_set_data(r, a, LIMIT_FUNCTION_BYTES);
    script_run_set_touch(r, eval_touch, touched);
    int rc = fresh ? load(r, f, a, err) : 0;
    if (rc == 0) {
        lua_pushlightuserdata(script_run_state(r), job);
        rc = script_run_call(r, 2, 0, err);
    }
    script_run_free(r);
    return rc < 0 ? panicked(err) : 0;
}
