/* SPDX-License-Identifier: Apache-2.0
 *
 * One run: needs → check → run, in a fresh state, under one set of limits. The three functions are
 * driven from one protected call; what they return decides, what they recorded is in host_run.
 */
#include "base/limits.h"
#include "base/user.h"
#include "host/priv.h"

#define NEEDS_ROUNDS 5

/* Stack of drive: the workflow's table, then these. */
enum { WORKFLOW = 1, CTX = 2, REQ = 3, CONFIG = 4, GOT = 5 };

static void push_user(lua_State *L, const struct user *u)
{
    lua_createtable(L, 0, 2);
    if (u) {
        lua_pushlstring(L, u->name.ptr ? u->name.ptr : "", u->name.len);
        lua_setfield(L, -2, "name");
    }
    lua_createtable(L, u ? (int)u->n_groups : 0, 0);
    for (size_t i = 0; u && i < u->n_groups; i++) {
        lua_pushlstring(L, u->groups[i].ptr ? u->groups[i].ptr : "", u->groups[i].len);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    lua_setfield(L, -2, "groups");
}

static void push_ctx(lua_State *L, const struct host_state *st)
{
    const struct host_run *r = st->run;
    lua_newtable(L);
    host_set_functions(L, "ctx", st->workflow);
    lua_newtable(L);
    host_set_functions(L, "ctx.log", st->workflow);
    lua_setfield(L, -2, "log");
    push_user(L, r->user);
    lua_setfield(L, -2, "user");
    lua_pushboolean(L, r->dry_run);
    lua_setfield(L, -2, "dry_run");
    lua_pushstring(L, r->compat ? r->compat : "lanai");
    lua_setfield(L, -2, "compat");
    lua_pushlstring(L, r->verb.ptr ? r->verb.ptr : "", r->verb.len);
    lua_setfield(L, -2, "verb");
    if (r->deadline_ns) {
        lua_pushinteger(L, r->deadline_ns / 1000000);
        lua_setfield(L, -2, "deadline");
    }
}

/* Pushes workflow[name]; false (and nothing) when it has no such function. */
static bool push_function(lua_State *L, const char *name)
{
    if (lua_getfield(L, WORKFLOW, name) == LUA_TFUNCTION) {
        return true;
    }
    lua_pop(L, 1);
    return false;
}

/* Reads what the table on top asks for and is not in GOT yet; true when there was something. */
static bool read_needs(lua_State *L)
{
    bool more = false;
    int wanted = lua_gettop(L);
    for (lua_pushnil(L); lua_next(L, wanted); lua_settop(L, wanted + 1)) {
        lua_pushvalue(L, wanted + 1);
        if (lua_rawget(L, GOT) == LUA_TNIL) {
            lua_pushvalue(L, wanted + 1);
            host_push_selected(L, wanted + 2);
            if (lua_isnil(L, -1)) { /* absent: false, so that it is not asked for again */
                lua_pop(L, 1);
                lua_pushboolean(L, 0);
            }
            lua_rawset(L, GOT);
            more = true;
        }
    }
    return more;
}

static void run_needs(lua_State *L, struct host_state *st)
{
    bool more = true;
    for (int round = 0; more && push_function(L, "needs"); round++) {
        if (round == NEEDS_ROUNDS) {
            luaL_error(L, "needs asks for more after %d rounds", NEEDS_ROUNDS);
        }
        lua_pushvalue(L, REQ);
        lua_pushvalue(L, CONFIG);
        lua_pushvalue(L, GOT);
        lua_call(L, 3, 1);
        if (!lua_istable(L, -1)) {
            luaL_error(L, "needs must return a table of selectors");
        }
        more = read_needs(L);
        lua_settop(L, GOT);
    }
}

/* Two results are on top: false when the script failed (`nil, err`), whose error is taken. */
static bool succeeded(lua_State *L, struct host_state *st, bool need_true)
{
    if (lua_toboolean(L, -2)) {
        return true;
    }
    if (!lua_isnil(L, -1)) {
        script_error_take(L, -1, host_err(L));
        st->failed = true;
        return false;
    }
    if (need_true) {
        luaL_error(L, "check returned neither true nor an error");
    }
    return true;
}

static int drive(lua_State *L)
{
    struct host_state *st = host_state_of(L);
    push_ctx(L, st);
    script_push_node(L, st->run->req, false);
    if (st->run->config) {
        script_push_node(L, st->run->config, false);
    } else {
        script_push_handle(L, node_map(st->run->arena), false);
    }
    lua_newtable(L); /* GOT */
    lua_pushvalue(L, REQ);
    lua_setfield(L, CTX, "req");
    lua_pushvalue(L, CONFIG);
    lua_setfield(L, CTX, "config");
    lua_pushvalue(L, GOT);
    lua_setfield(L, CTX, "got");

    st->phase = HOST_NEEDS;
    run_needs(L, st);
    st->phase = HOST_CHECK;
    if (push_function(L, "check")) {
        lua_pushvalue(L, CTX);
        lua_pushvalue(L, REQ);
        lua_call(L, 2, 2);
        if (!succeeded(L, st, true)) {
            return 0;
        }
    }
    st->phase = HOST_RUN;
    (void)push_function(L, "run"); /* the catalog made sure of it */
    lua_pushvalue(L, CTX);
    lua_pushvalue(L, REQ);
    lua_call(L, 2, 2);
    if (succeeded(L, st, false)) {
        lua_pop(L, 1);
        if (lua_istable(L, -1) || lua_isuserdata(L, -1)) {
            st->run->result = script_to_node(L, -1);
        }
    }
    return 0;
}

/* Makes a fresh state ready to drive: `drive` and the workflow's table are on its stack. It serves
 * later runs, too, unless the script made nodes, which are in the arena of this one. */
static int load(struct script_run *r, const struct host_state *st, const struct script_source *src,
                struct err *err)
{
    lua_State *L = script_run_state(r);
    const char *before = st->run->arena->at;
    lua_pushcfunction(L, host_open_libraries);
    if (script_run_call(r, 0, 0, err) < 0) {
        return -1;
    }
    lua_pushcfunction(L, drive);
    if (script_run_load(r, src, err) < 0) {
        return -1;
    }
    if (st->run->arena->at == before) {
        script_run_keep(r, src);
    }
    return 0;
}

int host_run(struct host_run *r, struct script_set *set, const struct host_workflow *w,
             struct err *err)
{
    const struct script_limits limits = {.cpu_ms = LIMIT_RUN_CPU_MS,
                                         .bytes = LIMIT_RUN_BYTES,
                                         .calls = LIMIT_RUN_CALLS,
                                         .deadline_ns = r->deadline_ns};
    struct host_state st = {.run = r, .workflow = w, .phase = HOST_LOAD};
    const struct script_source *src = script_set_find(set, w->name, true);
    struct script_run *run = script_run_take(set, src, &limits);
    bool fresh = !run;
    r->n_effects = r->n_reads = 0;
    r->result = NULL;
    if (fresh && script_run_new(set, &limits, host_modules, &run, err) < 0) {
        return -1;
    }
    script_run_set_owner(run, &st);
    script_run_set_data(run, r->arena, LIMIT_RUN_BYTES);
    int rc = fresh ? load(run, &st, src, err) : 0;
    if (rc == 0) {
        rc = script_run_call(run, 1, 0, err);
    }
    if (rc == 0 && st.failed) {
        rc = err_move(err, &st.err);
    }
    script_run_usage(run, &r->peak_bytes, &r->cpu_ns);
    script_run_free(run);
    map_done(&st.reads);
    err_done(&st.err);
    if (rc < 0) {
        r->n_effects = 0; /* a run that failed wants nothing */
    }
    return rc;
}

void host_run_done(struct host_run *r)
{
    for (size_t i = 0; i < r->n_repos; i++) {
        repo_unref(r->repos[i]);
    }
    r->n_repos = 0;
}
