/* SPDX-License-Identifier: Apache-2.0
 *
 * The state behind a run: errors on their way to Lua, memory accounting, and the dispatcher that
 * every host function goes through (phase mask, call counter).
 */
#include "host/priv.h"

struct host_state *host_state_of(lua_State *L)
{
    return script_run_owner(script_run_of(L));
}

struct err *host_err(lua_State *L)
{
    struct err *err = &host_state_of(L)->err;
    err_drop(err); /* of an earlier call, which the script has got as a table */
    return err;
}

int host_push_error(lua_State *L)
{
    lua_pushnil(L);
    script_error_push(L, &host_state_of(L)->err);
    return 2;
}

int host_raise_error(lua_State *L)
{
    script_error_push(L, &host_state_of(L)->err);
    return lua_error(L);
}

/* --- functions --- */

const struct host_function *const host_function_tables[] = {
    host_read_functions, host_effect_functions, host_info_functions, host_tree_functions,
    host_node_functions, host_text_functions,   host_krm_functions, host_render_functions,  host_fetch_functions,
    host_process_functions, host_files_functions, host_git_functions,
    host_resources_functions, host_merge_functions, host_eval_functions, NULL,
};

static const struct {
    enum host_phase phase;
    const char *name;
} phases[] = {
    {HOST_LOAD, "load"},
    {HOST_NEEDS, "needs"},
    {HOST_CHECK, "check"},
    {HOST_RUN, "run"},
    {HOST_LOCAL, "local"},
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
    script_open_nodes(L);
    host_open_trees(L);
    return 0;
}
