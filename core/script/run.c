/* SPDX-License-Identifier: Apache-2.0
 *
 * One state per run: the sandbox, `require`. Nothing of a run survives it. Making a state and
 * loading a workflow takes longer than most runs, so a loaded state is saved and put back in place
 * for the next one (memory.c), which finds it byte for byte as it was saved.
 */
#include "base/log.h"
#include "base/mem.h"
#include "script/priv.h"

static int on_panic(lua_State *L)
{
    const char *text = lua_tostring(L, -1);
    log_error("Lua error outside a protected call", "message", text ? text : "?", NULL);
    return 0; /* Lua aborts */
}

struct script_run *script_run_of(lua_State *L)
{
    return *(struct script_run **)lua_getextraspace(L);
}

void script_run_set_owner(struct script_run *r, void *owner)
{
    r->owner = owner;
}

void *script_run_owner(struct script_run *r)
{
    return r->owner;
}

lua_State *script_run_state(struct script_run *r)
{
    return r->L;
}

void script_run_usage(const struct script_run *r, size_t *out_bytes, int64_t *out_cpu_ns)
{
    *out_bytes = r->memory.peak;
    *out_cpu_ns = r->cpu_ns;
}

void script_run_count(lua_State *L)
{
    struct script_run *r = script_run_of(L);
    if (++r->calls > r->limits.calls) {
        script_stop(r, SCRIPT_STOP_CALLS);
    }
    script_check_stop(L);
}

static int open_state(lua_State *L)
{
    script_sandbox_open(L);
    return 0;
}

int script_run_new(struct script_set *set, const struct script_limits *limits,
                   const struct script_module *modules, struct script_run **out, struct err *err)
{
    struct script_run *r = mem_new(struct script_run);
    r->set = script_set_ref(set);
    r->limits = *limits;
    r->modules = modules;
    r->memory.limit = limits->bytes;
    r->memory.unlimited = true;
    r->L = lua_newstate(script_memory_alloc, &r->memory);
    if (!r->L) {
        script_run_free(r);
        return err_set(err, ERR_UNAVAILABLE, "cannot make a script state");
    }
    *(struct script_run **)lua_getextraspace(r->L) = r;
    lua_atpanic(r->L, on_panic);
    lua_pushcfunction(r->L, open_state);
    if (lua_pcall(r->L, 0, 0, 0) != LUA_OK) {
        const char *why = lua_tostring(r->L, -1);
        err_set(err, ERR_INTERNAL, "cannot make a script state: %s", why ? why : "?");
        script_run_free(r);
        return -1;
    }
    r->memory.unlimited = false;
    *out = r;
    return 0;
}

void script_run_keep(struct script_run *r, const struct script_source *src)
{
    if (r->stop == SCRIPT_GO && script_memory_save(&r->memory)) {
        r->kept = src;
        r->kept_calls = r->calls;
    }
}

struct script_run *script_run_take(struct script_set *set, const struct script_source *src,
                                   const struct script_limits *limits)
{
    struct script_run *r = script_set_take_run(set, src);
    if (r) {
        script_memory_restore(&r->memory);
        r->memory.limit = limits->bytes;
        r->set = script_set_ref(set);
        r->limits = *limits;
        r->owner = NULL;
        r->touch = NULL;
        r->stop = SCRIPT_GO;
        r->calls = r->kept_calls;
        r->cpu_ns = 0;
    }
    return r;
}

void script_run_drop(struct script_run *r)
{
    script_memory_done(&r->memory);
    mem_free(r);
}

/* No lua_close: nothing in a state has a finalizer that would do more than free memory. */
void script_run_free(struct script_run *r)
{
    if (!r) {
        return;
    }
    struct script_set *set = r->set;
    if (r->kept) {
        script_memory_trim(&r->memory);
        script_set_give_run(set, r);
    } else {
        script_run_drop(r);
    }
    script_set_unref(set);
}

static int load_source(lua_State *L, const struct script_source *src)
{
    const struct script_run *r = script_run_of(L);
    struct str code = r->set->chunks[src - r->set->sources];
    return luaL_loadbufferx(L, code.ptr, code.len, src->path.ptr, "b");
}

static int load_table(lua_State *L)
{
    const struct script_source *src = lua_touserdata(L, 1);
    lua_pop(L, 1);
    if (load_source(L, src) != LUA_OK) {
        return lua_error(L);
    }
    lua_call(L, 0, 1);
    if (!lua_istable(L, -1)) {
        return luaL_error(L, "%s '%s' does not return a table",
                          src->workflow ? "workflow" : "function", src->name.ptr);
    }
    return 1;
}

int script_run_load(struct script_run *r, const struct script_source *src, struct err *err)
{
    r->memory.unlimited = true;
    lua_pushcfunction(r->L, load_table);
    lua_pushlightuserdata(r->L, (void *)src);
    r->memory.unlimited = false;
    return script_run_call(r, 1, 1, err);
}

/* Leaves the function that makes module `name` on the stack; false when there is none. */
static bool push_opener(lua_State *L, const char *name)
{
    const struct script_run *r = script_run_of(L);
    for (const struct script_module *m = r->modules; m && m->name; m++) {
        if (strcmp(m->name, name) == 0) {
            lua_pushcfunction(L, m->open);
            return true;
        }
    }
    const struct script_source *src = script_set_find(r->set, str_of(name), false);
    if (!src) {
        /* "lanai" is lua/lanai/init.lua. */
        const char *init = lua_pushfstring(L, "%s.init", name);
        src = script_set_find(r->set, str_of(init), false);
        lua_pop(L, 1);
    }
    if (src && load_source(L, src) != LUA_OK) {
        lua_error(L);
    }
    return src != NULL;
}

/* Upvalue 1: modules made so far; `false` while one is being made. */
int script_require(lua_State *L)
{
    const char *name = luaL_checkstring(L, 1);
    lua_settop(L, 1);
    lua_pushvalue(L, 1);
    if (lua_rawget(L, lua_upvalueindex(1)) != LUA_TNIL) {
        if (!lua_toboolean(L, -1)) {
            return luaL_error(L, "module '%s' requires itself", name);
        }
        return 1;
    }
    lua_pop(L, 1);
    lua_pushvalue(L, 1);
    lua_pushboolean(L, 0);
    lua_rawset(L, lua_upvalueindex(1));
    if (!push_opener(L, name)) {
        return luaL_error(L, "no module '%s'", name);
    }
    lua_pushvalue(L, 1);
    lua_call(L, 1, 1);
    if (lua_isnil(L, -1)) {
        lua_pop(L, 1);
        lua_pushboolean(L, 1);
    }
    lua_pushvalue(L, 1);
    lua_pushvalue(L, -2);
    lua_rawset(L, lua_upvalueindex(1));
    return 1;
}
