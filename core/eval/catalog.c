/* SPDX-License-Identifier: Apache-2.0
 *
 * What each function says about itself (style.md §5.4), read once when a generation is loaded. A
 * file that does not keep the contract fails the whole generation.
 */
#include <lauxlib.h>

#include "base/limits.h"
#include "eval/priv.h"
#include "script/node.h"

#define API_LEVEL 1

struct loading {
    const struct script_source *source;
    struct eval_function *out;
    struct arena *a;
};

static const struct loading *loading_of(lua_State *L)
{
    return lua_touserdata(L, lua_upvalueindex(1));
}

static void bad(lua_State *L, const char *field, const char *why)
{
    luaL_error(L, "%s: field '%s': %s", loading_of(L)->source->path.ptr, field, why);
}

static struct str take(lua_State *L, int index)
{
    struct str s;
    s.ptr = lua_tolstring(L, index, &s.len);
    return arena_str(loading_of(L)->a, s);
}

static struct str text_field(lua_State *L, const char *field, bool required)
{
    struct str out = STR_NULL;
    int type = lua_getfield(L, 1, field);
    if (type == LUA_TSTRING) {
        out = take(L, -1);
    } else if (required || type != LUA_TNIL) {
        bad(L, field, "a string is expected");
    }
    lua_pop(L, 1);
    return out;
}

static struct str *text_list(lua_State *L, const char *field, size_t *out_n)
{
    if (lua_getfield(L, 1, field) != LUA_TTABLE || lua_rawlen(L, -1) == 0) {
        bad(L, field, "a list of strings is expected");
    }
    size_t n = lua_rawlen(L, -1);
    struct str *out = arena_array(loading_of(L)->a, struct str, n);
    for (size_t i = 0; i < n; i++) {
        if (lua_rawgeti(L, -1, (lua_Integer)i + 1) != LUA_TSTRING) {
            bad(L, field, "a list of strings is expected");
        }
        out[i] = take(L, -1);
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    *out_n = n;
    return out;
}

/* True when the table on top is not empty. */
static bool has_members(lua_State *L)
{
    lua_pushnil(L);
    bool any = lua_next(L, -2);
    lua_pop(L, any ? 2 : 0);
    return any;
}

/* Upvalue 1: struct loading; argument: the function's table. */
static int read_table(lua_State *L)
{
    const struct loading *l = loading_of(L);
    struct eval_function *f = l->out;
    struct eval_version v;
    if (lua_getfield(L, 1, "api") != LUA_TNUMBER || lua_tointeger(L, -1) != API_LEVEL) {
        bad(L, "api", "this is level 1");
    }
    f->name = text_field(L, "name", true);
    struct str file = str_sub(l->source->name, strlen("fn."), l->source->name.len);
    if (!str_eq(f->name, file)) {
        bad(L, "name", "must be the file name");
    }
    f->versions = text_list(L, "versions", &f->n_versions);
    for (size_t i = 0; i < f->n_versions; i++) {
        if (!eval_version_parse(f->versions[i], &v)) {
            bad(L, "versions", "a version is expected");
        }
    }
    f->images = text_list(L, "images", &f->n_images);
    f->summary = text_field(L, "summary", true);
    f->doc = text_field(L, "doc", false);
    f->program = text_field(L, "program", false);
    int config = lua_getfield(L, 1, "config");
    if (config != LUA_TNIL && config != LUA_TTABLE) {
        bad(L, "config", "a table is expected");
    }
    if (config == LUA_TTABLE && has_members(L)) {
        f->config = script_to_node(L, -1);
    }
    f->reorders = lua_getfield(L, 1, "reorders") == LUA_TBOOLEAN && lua_toboolean(L, -1);
    if (lua_getfield(L, 1, "pure") != LUA_TBOOLEAN || !lua_toboolean(L, -1)) {
        bad(L, "pure", "must be true: a function has nothing but its arguments");
    }
    bool runs = lua_getfield(L, 1, "run") == LUA_TFUNCTION;
    if (runs == (f->program.len > 0)) {
        bad(L, "run", "a function is expected, or `program` in its place");
    }
    return 0;
}

static int load_one(struct script_set *set, const struct script_source *src, struct arena *a,
                    struct eval_function *out, struct err *err)
{
    const struct script_limits limits = {.cpu_ms = LIMIT_FUNCTION_CPU_MS,
                                         .bytes = LIMIT_RUN_BYTES,
                                         .calls = LIMIT_RUN_CALLS};
    struct loading l = {.source = src, .out = out, .a = a};
    struct script_run *r = NULL;
    if (script_run_new(set, &limits, eval_modules, &r, err) < 0) {
        return -1;
    }
    script_run_set_data(r, a, LIMIT_RUN_BYTES);
    lua_State *L = script_run_state(r);
    lua_pushcfunction(L, eval_open_state);
    int rc = script_run_call(r, 0, 0, err);
    rc = rc == 0 ? script_run_load(r, src, err) : rc;
    if (rc == 0) {
        lua_pushlightuserdata(L, &l);
        lua_pushcclosure(L, read_table, 1);
        lua_insert(L, -2);
        rc = script_run_call(r, 1, 0, err);
    }
    script_run_free(r);
    out->source = src;
    return rc;
}

int eval_catalog_load(struct script_set *set, struct arena *a, struct eval_catalog *out,
                      struct err *err)
{
    size_t n;
    const struct script_source *sources = script_set_sources(set, &n);
    struct eval_function *list = arena_array(a, struct eval_function, n);
    *out = (struct eval_catalog){.set = set, .functions = list};
    for (size_t i = 0; i < n; i++) {
        struct str name = sources[i].name;
        bool function = !sources[i].workflow && str_has_prefix(name, STR("fn.")) &&
                        str_rfind_byte(name, '.') == 2;
        if (function && load_one(set, &sources[i], a, &list[out->n++], err) < 0) {
            return -1;
        }
    }
    return 0;
}
