/* SPDX-License-Identifier: Apache-2.0
 *
 * What a run wants to happen. Each function appends one effect; nothing is changed before the
 * script has returned and engine/ has validated the whole list.
 */
#include "host/priv.h"

static struct host_effect *add(lua_State *L, enum host_effect_type type)
{
    struct host_run *r = host_state_of(L)->run;
    struct host_effect *e = HOST_PUSH(r->arena, r->effects, r->n_effects, r->cap_effects);
    *e = (struct host_effect){.type = type};
    return e;
}

/* An object to act on: a node or a table with metadata; copied, so that later changes of the
 * script do not reach into a recorded effect. */
static struct node *check_object(lua_State *L, int arg)
{
    luaL_checkany(L, arg);
    struct node *n = script_to_node(L, arg);
    luaL_argexpected(L, n->type == NODE_MAP, arg, "object");
    return n;
}

static struct str check_text(lua_State *L, int arg)
{
    struct str s;
    s.ptr = luaL_checklstring(L, arg, &s.len);
    return arena_str(script_arena(L), s);
}

static struct node *node_option(lua_State *L, int arg, const char *key)
{
    if (lua_isnoneornil(L, arg)) {
        return NULL;
    }
    luaL_checktype(L, arg, LUA_TTABLE);
    lua_getfield(L, arg, key);
    struct node *n = lua_isnil(L, -1) ? NULL : script_to_node(L, -1);
    lua_pop(L, 1);
    return n;
}

static struct str text_option(lua_State *L, int arg, const char *key)
{
    struct str s = STR_NULL;
    if (lua_istable(L, arg) && lua_getfield(L, arg, key) != LUA_TNIL) {
        s = check_text(L, -1);
    }
    return s;
}

/* A snapshot: the draft may go on changing after it was saved. */
static struct host_tree *copy_tree(lua_State *L, const struct host_tree *t)
{
    struct arena *a = script_arena(L);
    script_check_memory(L, t->n_files * sizeof(*t->files));
    struct host_tree *copy = arena_new(a, struct host_tree);
    *copy = *t;
    copy->files = arena_array(a, struct repo_file, t->n_files);
    if (t->n_files) {
        memcpy(copy->files, t->files, t->n_files * sizeof(*t->files));
    }
    return copy;
}

/* save(object, draft, {task=, render=, failure=}?) */
static int ctx_save(lua_State *L)
{
    struct node *object = check_object(L, 1);
    const struct host_tree *tree = host_check_tree(L, 2);
    struct node *task = node_option(L, 3, "task"), *render = node_option(L, 3, "render");
    struct str failure = text_option(L, 3, "failure");
    struct host_tree *copy = copy_tree(L, tree);
    struct host_effect *e = add(L, HOST_SAVE);
    e->object = object;
    e->tree = copy;
    e->task = task;
    e->render = render;
    e->failure = failure;
    return 0;
}

static int ctx_transition(lua_State *L)
{
    struct node *object = check_object(L, 1);
    struct str lifecycle = check_text(L, 2);
    struct host_effect *e = add(L, HOST_TRANSITION);
    e->object = object;
    e->text = lifecycle;
    return 0;
}

static int on_object(lua_State *L, enum host_effect_type type)
{
    struct node *object = check_object(L, 1);
    add(L, type)->object = object;
    return 0;
}

static int ctx_publish(lua_State *L)
{
    return on_object(L, HOST_PUBLISH);
}

static int ctx_apply(lua_State *L)
{
    return on_object(L, HOST_APPLY);
}

static int ctx_remove(lua_State *L)
{
    return on_object(L, HOST_REMOVE);
}

/* event(object, reason, text, {warning=}?) */
static int ctx_event(lua_State *L)
{
    struct node *object = check_object(L, 1);
    struct str reason = check_text(L, 2), text = check_text(L, 3);
    bool warning = false;
    if (!lua_isnoneornil(L, 4)) {
        luaL_checktype(L, 4, LUA_TTABLE);
        lua_getfield(L, 4, "warning");
        warning = lua_toboolean(L, -1);
    }
    struct host_effect *e = add(L, HOST_EVENT);
    e->object = object;
    e->reason = reason;
    e->text = text;
    e->warning = warning;
    return 0;
}

const struct host_function host_effect_functions[] = {
    {"ctx", "save", ctx_save, HOST_RUN, "draft"},
    {"ctx", "transition", ctx_transition, HOST_RUN, "publish"},
    {"ctx", "publish", ctx_publish, HOST_RUN, "publish"},
    {"ctx", "apply", ctx_apply, HOST_RUN, "objects"},
    {"ctx", "remove", ctx_remove, HOST_RUN, "objects"},
    {"ctx", "event", ctx_event, HOST_RUN, "objects"},
    {NULL, NULL, NULL, 0, NULL},
};
