/* SPDX-License-Identifier: Apache-2.0
 *
 * The state behind a run: errors on their way to Lua, memory accounting, and the dispatcher that
 * every host function goes through (phase mask, call counter).
 */
#include "base/limits.h"
#include "host/priv.h"

struct host_state *host_state_of(lua_State *L)
{
    return script_run_owner(script_run_of(L));
}

struct arena *host_arena(lua_State *L)
{
    return host_state_of(L)->run->arena;
}

void host_check_memory(lua_State *L, size_t more)
{
    const struct host_state *st = host_state_of(L);
    size_t used = st->run->arena->used - st->arena_before;
    if (more > LIMIT_RUN_BYTES || used > LIMIT_RUN_BYTES - more) {
        struct err *err = host_err(L);
        err_set(err, ERR_TOO_LARGE, "script used up its memory (limit %u bytes of host data)",
                LIMIT_RUN_BYTES);
        host_raise_error(L);
    }
}

struct err *host_err(lua_State *L)
{
    struct err *err = &host_state_of(L)->err;
    err_drop(err); /* of an earlier call, which the script has got as a table */
    return err;
}

static void set_text(lua_State *L, const char *key, const char *text)
{
    if (text) {
        lua_pushstring(L, text);
        lua_setfield(L, -2, key);
    }
}

static void push_table(lua_State *L, const struct err *err)
{
    lua_createtable(L, 0, 4);
    set_text(L, "kind", err_kind_name(err->kind));
    set_text(L, "message", err->message);
    set_text(L, "name", err->detail_name);
    set_text(L, "group", err->detail_group);
    set_text(L, "resource", err->detail_kind);
    if (err->n_causes) {
        lua_createtable(L, (int)err->n_causes, 0);
        for (size_t i = 0; i < err->n_causes; i++) {
            lua_createtable(L, 0, 3);
            set_text(L, "reason", err->causes[i].reason);
            set_text(L, "message", err->causes[i].message);
            set_text(L, "field", err->causes[i].field);
            lua_rawseti(L, -2, (lua_Integer)i + 1);
        }
        lua_setfield(L, -2, "causes");
    }
}

int host_push_error(lua_State *L)
{
    lua_pushnil(L);
    push_table(L, &host_state_of(L)->err);
    return 2;
}

int host_raise_error(lua_State *L)
{
    push_table(L, &host_state_of(L)->err);
    return lua_error(L);
}

/* --- functions --- */

const struct host_function *const host_function_tables[] = {
    host_read_functions, host_effect_functions, host_info_functions, host_tree_functions,
    host_node_functions, host_text_functions,   host_krm_functions,  NULL,
};

static const struct {
    enum host_phase phase;
    const char *name;
} phases[] = {
    {HOST_LOAD, "load"},
    {HOST_NEEDS, "needs"},
    {HOST_CHECK, "check"},
    {HOST_RUN, "run"},
};

const char *host_phase_name(enum host_phase p)
{
    for (size_t i = 0; i < sizeof(phases) / sizeof(*phases); i++) {
        if (phases[i].phase == p) {
            return phases[i].name;
        }
    }
    return "?";
}

static int refuse_phase(lua_State *L, const struct host_function *f, enum host_phase now)
{
    luaL_Buffer b;
    luaL_buffinit(L, &b);
    for (size_t i = 0; i < sizeof(phases) / sizeof(*phases); i++) {
        if (f->phases & phases[i].phase) {
            if (luaL_bufflen(&b)) {
                luaL_addstring(&b, ", ");
            }
            luaL_addstring(&b, phases[i].name);
        }
    }
    luaL_pushresult(&b);
    return luaL_error(L, "%s.%s is not available in %s (only in: %s)", f->class, f->name,
                      host_phase_name(now), lua_tostring(L, -1));
}

/* Upvalue 1: the struct host_function. */
static int dispatch(lua_State *L)
{
    const struct host_function *f = lua_touserdata(L, lua_upvalueindex(1));
    const struct host_state *st = host_state_of(L);
    if (!(f->phases & st->phase)) {
        return refuse_phase(L, f, st->phase);
    }
    if (f->phases != HOST_ALWAYS) {
        script_run_count(L);
    }
    return f->fn(L);
}

static bool granted(const struct host_function *f, const struct host_workflow *w)
{
    if (!f->effect || !w) {
        return true;
    }
    for (size_t i = 0; i < w->n_effects; i++) {
        if (str_eqz(w->effects[i], f->effect)) {
            return true;
        }
    }
    return false;
}

void host_set_functions(lua_State *L, const char *class, const struct host_workflow *w)
{
    for (size_t t = 0; host_function_tables[t]; t++) {
        for (const struct host_function *f = host_function_tables[t]; f->class; f++) {
            if (strcmp(f->class, class) == 0 && granted(f, w)) {
                lua_pushlightuserdata(L, (void *)f);
                lua_pushcclosure(L, dispatch, 1);
                lua_setfield(L, -2, f->name);
            }
        }
    }
}

int host_open_libraries(lua_State *L)
{
    host_open_nodes(L);
    host_open_trees(L);
    return 0;
}
