/* SPDX-License-Identifier: Apache-2.0
 *
 * See luafn.h. Every request gets a fresh state, so no program finds anything of another one. The
 * limits of script/ end most programs; what they do not end is killed by the other side.
 */
#include "host/luafn.h"

#include <lauxlib.h>

#include "base/limits.h"
#include "eval/helper.h"
#include "script/node.h"

/* Of the memory that the process may take, what states and trees may have each. */
#define STATE_BYTES (LIMIT_HELPER_BYTES / 4)
#define FAILED "failed to evaluate function: error: function failure\n"

struct program {
    struct arena arena;
    struct node *list; /* the ResourceList */
    struct str source;
    struct buf *log;
};

static int open_node(lua_State *L)
{
    lua_newtable(L);
#define ADD(name) lua_pushcfunction(L, script_node_##name), lua_setfield(L, -2, #name);
    SCRIPT_NODE_FUNCTIONS(ADD)
#undef ADD
    return 1;
}

static const struct script_module modules[] = {{"lanai.node", open_node}, {NULL, NULL}};

/* --- what the program finds --- */

static int print(lua_State *L)
{
    struct program *p = script_run_owner(script_run_of(L));
    int n = lua_gettop(L);
    for (int i = 1; i <= n; i++) {
        size_t len;
        lua_getglobal(L, "tostring");
        lua_pushvalue(L, i);
        lua_call(L, 1, 1);
        const char *text = luaL_checklstring(L, -1, &len);
        buf_add(p->log, i > 1 ? "\t" : "", i > 1);
        buf_add(p->log, text, len);
        lua_pop(L, 1);
    }
    buf_addc(p->log, '\n');
    return 0;
}

static struct node *results_of(struct program *p)
{
    struct node *results = node_getz(p->list, "results");
    if (!node_is(results, NODE_LIST)) {
        results = node_list(&p->arena);
        node_setz(&p->arena, p->list, "results", results);
    }
    return results;
}

static int add_result(lua_State *L)
{
    struct program *p = script_run_owner(script_run_of(L));
    struct node *item = script_to_node(L, 1);
    luaL_argcheck(L, node_is(node_getz(item, "message"), NODE_STRING), 1,
                  "a result needs a message");
    node_push(&p->arena, results_of(p), item);
    return 0;
}

static void push_context(lua_State *L, struct program *p)
{
    lua_newtable(L);
    script_push_node(L, p->list, true);
    lua_setfield(L, -2, "resource_list");
    lua_pushcfunction(L, add_result);
    lua_setfield(L, -2, "result");
}

/* The program's globals are its own: what every script finds, and what it makes. */
static void push_globals(lua_State *L, struct program *p)
{
    lua_newtable(L);
    push_context(L, p);
    lua_setfield(L, -2, "ctx");
    lua_pushcfunction(L, print);
    lua_setfield(L, -2, "print");
    lua_newtable(L);
    lua_pushglobaltable(L);
    lua_setfield(L, -2, "__index");
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
    lua_setmetatable(L, -2);
}

static int drive(lua_State *L)
{
    struct program *p = script_run_owner(script_run_of(L));
    script_open_nodes(L);
    if (luaL_loadbufferx(L, p->source.ptr, p->source.len, "=program", "t")) {
        return lua_error(L);
    }
    push_globals(L, p);
    lua_setupvalue(L, -2, 1);
    lua_call(L, 0, 0);
    return 0;
}

static int run(struct program *p, struct script_set *set, struct err *err)
{
    const struct script_limits limits = {
        .cpu_ms = LIMIT_HELPER_MS, .bytes = STATE_BYTES, .calls = LIMIT_RUN_CALLS};
    struct script_run *r;
    if (script_run_new(set, &limits, modules, &r, err)) {
        return -1;
    }
    script_run_set_owner(r, p);
    script_run_set_data(r, &p->arena, STATE_BYTES);
    lua_pushcfunction(script_run_state(r), drive);
    int rc = script_run_call(r, 0, 0, err);
    script_run_free(r);
    return rc;
}

/* --- one request --- */

static int find_source(struct program *p, struct err *err)
{
    const struct node *config = node_getz(p->list, "functionConfig");
    struct str kind = node_text(node_getz(config, "kind"));
    if (!config) {
        return err_set(err, ERR_INVALID,
                       "FunctionConfig is missing. Expect `ConfigMap` or `LuaRun`");
    }
    if (!str_eqz(kind, "ConfigMap") && !str_eqz(kind, "LuaRun")) {
        return err_set(err, ERR_INVALID,
                       "`functionConfig` must be either `ConfigMap` or `LuaRun`, but we got: %.*s",
                       STR_ARG(kind));
    }
    p->source = node_text_at(config, str_eqz(kind, "LuaRun") ? "source" : "data.source");
    return p->source.len ? 0 : err_set(err, ERR_INVALID, "`source` must not be empty");
}

/* As programs write it: without the head that errors of scripts have on the server. */
static void add_failure(struct program *p, const struct err *err)
{
    struct str message = str_of(err->message);
    struct str head = STR("Internal error occurred: ");
    if (str_has_prefix(message, head)) {
        message = str_sub(message, head.len, message.len);
    }
    struct node *item = node_map(&p->arena);
    node_set_strz(&p->arena, item, "message", message);
    node_set_strz(&p->arena, item, "severity", STR("error"));
    node_push(&p->arena, results_of(p), item);
}

static void answer(void *ctx, struct str request, struct eval_output *out)
{
    AUTO_ERR err = ERR_INIT;
    struct program p = {.log = &out->log};
    arena_init(&p.arena, LIMIT_HELPER_BYTES / 2);
    p.list = json_parse(&p.arena, request, NULL, &err);
    out->code = 1;
    if (!p.list) {
        buf_printf(&out->log, "failed to read ResourceList input: %s\n", err.message);
    } else if (find_source(&p, &err) || run(&p, ctx, &err)) {
        node_delz(p.list, "items");
        add_failure(&p, &err);
        buf_addz(&out->log, FAILED);
    } else {
        out->code = 0;
    }
    if (p.list) {
        json_emit(&out->text, p.list);
    }
    arena_done(&p.arena);
}

int host_luafn_serve(struct err *err)
{
    struct script_set *set = NULL;
    int rc = script_set_load(NULL, &set, err) || eval_helper_seal(err) ? -1 : 0;
    if (rc == 0 && eval_helper_serve(answer, set)) {
        rc = err_set(err, ERR_INTERNAL, "a request is broken");
    }
    script_set_unref(set);
    return rc;
}
