/* SPDX-License-Identifier: Apache-2.0
 *
 * Nodes as Lua values: scalars become plain values, lists and maps become handles that read and
 * write the node in place. A handle is read-only unless the script made it or copied it. Values
 * put into a node are copied, so no node is ever in two places and there are no cycles.
 *
 * null: `t.x` gives nil for a member that is missing or null; iteration gives lanai.null for it.
 */
#include "script/node.h"

#include "script/node_handle.h"

static struct script_handle *check(lua_State *L, int index)
{
    return luaL_checkudata(L, index, SCRIPT_NODE);
}

struct node *script_handle_node(lua_State *L, int index)
{
    struct script_handle *h = luaL_testudata(L, index, SCRIPT_NODE);
    return h ? h->node : NULL;
}

static void push(lua_State *L, struct script_handle with)
{
    struct script_handle *h = lua_newuserdatauv(L, sizeof(*h), 0);
    *h = with;
    luaL_setmetatable(L, SCRIPT_NODE);
}

void script_push_handle(lua_State *L, struct node *n, bool writable)
{
    push(L, (struct script_handle){.node = n, .writable = writable});
}

void script_push_resources(lua_State *L, struct node *list)
{
    push(L, (struct script_handle){.node = list, .writable = true, .resources = true});
}

/* A handle of a part of what `in` refers to. */
static struct script_handle inside(const struct script_handle *in, struct node *n)
{
    return (struct script_handle){.node = n,
                                  .writable = in->writable,
                                  .resource = in->resources ? n : in->resource};
}

void script_push_inside(lua_State *L, const struct script_handle *in, struct node *n)
{
    push(L, inside(in, n));
}

const struct script_handle *script_check_writable(lua_State *L, int index)
{
    const struct script_handle *h = check(L, index);
    if (!h->writable) {
        luaL_error(L, "object is read-only: change a lanai.copy of it");
    }
    if (h->resource) {
        struct script_run *r = script_run_of(L);
        r->touch(r->touch_ctx, h->resource);
    }
    return h;
}

static void push_value(lua_State *L, struct script_handle with)
{
    struct node *n = with.node;
    if (!n) {
        lua_pushnil(L);
        return;
    }
    switch (n->type) {
    case NODE_NULL:
        lua_pushnil(L);
        break;
    case NODE_BOOL:
        lua_pushboolean(L, n->boolean);
        break;
    case NODE_INT:
        lua_pushinteger(L, n->integer);
        break;
    case NODE_FLOAT:
        lua_pushlstring(L, n->text.ptr, n->text.len);
        lua_pushnumber(L, lua_tonumber(L, -1));
        lua_remove(L, -2);
        break;
    case NODE_STRING:
        lua_pushlstring(L, n->text.ptr ? n->text.ptr : "", n->text.len);
        break;
    case NODE_LIST:
    case NODE_MAP:
        push(L, with);
        break;
    case NODE_ALIAS: /* read as what it stands for; changing it would change both places */
        script_push_node(L, n->target, false);
        break;
    }
}

void script_push_node(lua_State *L, struct node *n, bool writable)
{
    push_value(L, (struct script_handle){.node = n, .writable = writable});
}

static struct str key_of(lua_State *L, int index)
{
    struct str s;
    s.ptr = lua_tolstring(L, index, &s.len);
    return s;
}

static int node_index(lua_State *L)
{
    const struct script_handle *h = check(L, 1);
    struct node *found = NULL;
    if (h->node->type == NODE_MAP && lua_type(L, 2) == LUA_TSTRING) {
        found = node_get(h->node, key_of(L, 2));
    } else if (h->node->type == NODE_LIST && lua_isinteger(L, 2)) {
        lua_Integer i = lua_tointeger(L, 2);
        found = i >= 1 && (lua_Unsigned)i <= h->node->n ? h->node->items[i - 1] : NULL;
    }
    push_value(L, inside(h, found));
    return 1;
}

static void set_item(lua_State *L, struct node *list)
{
    luaL_argexpected(L, lua_isinteger(L, 2), 2, "integer");
    lua_Integer i = lua_tointeger(L, 2);
    if (i < 1 || (lua_Unsigned)i > list->n + 1) {
        luaL_error(L, "list index %I is out of range", (LUAI_UACINT)i);
    }
    bool behind = (lua_Unsigned)i == list->n + 1;
    if (lua_isnil(L, 3)) {
        if ((lua_Unsigned)i < list->n) {
            luaL_error(L, "nil would leave a hole in the list");
        }
        list->n -= behind ? 0 : 1;
        return;
    }
    struct node *value = script_to_node(L, 3);
    if (behind) {
        node_push(script_arena(L), list, value);
    } else {
        list->items[i - 1] = value;
    }
}

static int node_newindex(lua_State *L)
{
    const struct script_handle *h = script_check_writable(L, 1);
    if (h->node->type == NODE_LIST) {
        set_item(L, h->node);
        return 0;
    }
    luaL_argexpected(L, h->node->type == NODE_MAP && lua_type(L, 2) == LUA_TSTRING, 2, "string");
    struct str key = key_of(L, 2);
    if (lua_isnil(L, 3)) {
        node_del(h->node, key);
        return 0;
    }
    struct arena *a = script_arena(L);
    struct node *value = script_to_node(L, 3);
    if (!str_is_utf8(key)) {
        return luaL_error(L, "key is not UTF-8");
    }
    script_check_memory(L, key.len);
    node_set(a, h->node, node_get(h->node, key) ? key : arena_str(a, key), value);
    return 0;
}

static int node_len(lua_State *L)
{
    const struct node *n = check(L, 1)->node;
    bool counts = n->type == NODE_LIST || n->type == NODE_MAP;
    lua_pushinteger(L, counts ? (lua_Integer)n->n : 0);
    return 1;
}

/* Iterator state: upvalue 1 is the position. */
static int node_next(lua_State *L)
{
    const struct script_handle *h = check(L, 1);
    lua_Integer i = lua_tointeger(L, lua_upvalueindex(1));
    if (i < 0 || (size_t)i >= h->node->n) {
        return 0;
    }
    lua_pushinteger(L, i + 1);
    lua_replace(L, lua_upvalueindex(1));
    struct node *value;
    if (h->node->type == NODE_MAP) {
        struct str key = h->node->members[i].key;
        value = h->node->members[i].value;
        lua_pushlstring(L, key.ptr ? key.ptr : "", key.len);
    } else {
        value = h->node->items[i];
        lua_pushinteger(L, i + 1);
    }
    if (value->type == NODE_NULL) {
        script_push_handle(L, value, false);
    } else {
        push_value(L, inside(h, value));
    }
    return 2;
}

static int node_pairs(lua_State *L)
{
    const struct node *n = check(L, 1)->node;
    lua_pushinteger(L, n->type == NODE_LIST || n->type == NODE_MAP ? 0 : -1);
    lua_pushcclosure(L, node_next, 1);
    lua_pushvalue(L, 1);
    return 2;
}

static int node_eq(lua_State *L)
{
    const struct node *a = script_handle_node(L, 1), *b = script_handle_node(L, 2);
    lua_pushboolean(L, a && b && (a == b || (a->type == NODE_NULL && b->type == NODE_NULL)));
    return 1;
}

const char *script_node_type(const struct node *n)
{
    static const char *const names[] = {"null",   "bool", "int", "float",
                                        "string", "list", "map", "alias"};
    return names[n->type];
}

static int node_tostring(lua_State *L)
{
    lua_pushstring(L, script_node_type(check(L, 1)->node));
    return 1;
}

void script_open_nodes(lua_State *L)
{
    static const luaL_Reg meta[] = {
        {"__index", node_index}, {"__newindex", node_newindex}, {"__len", node_len},
        {"__pairs", node_pairs}, {"__eq", node_eq},             {"__tostring", node_tostring},
        {NULL, NULL},
    };
    luaL_newmetatable(L, SCRIPT_NODE);
    luaL_setfuncs(L, meta, 0);
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
    lua_pop(L, 1);
}

/* --- lanai.node --- */

static int make(lua_State *L, enum node_type type)
{
    struct arena *a = script_arena(L);
    struct node *n = type == NODE_LIST ? node_list(a) : node_map(a);
    if (!lua_isnoneornil(L, 1)) {
        bool empty = false;
        if (lua_istable(L, 1)) {
            lua_pushnil(L);
            empty = !lua_next(L, 1);
            lua_settop(L, 1);
        }
        n = empty ? n : script_to_node(L, 1);
        luaL_argexpected(L, n->type == type, 1, type == NODE_LIST ? "list" : "map");
    }
    script_push_handle(L, n, true);
    return 1;
}

int script_node_list(lua_State *L)
{
    return make(L, NODE_LIST);
}

int script_node_map(lua_State *L)
{
    return make(L, NODE_MAP);
}

int script_node_copy(lua_State *L)
{
    luaL_checkany(L, 1);
    script_push_node(L, script_to_node(L, 1), true);
    return 1;
}

int script_node_equal(lua_State *L)
{
    luaL_checkany(L, 2);
    const struct node *a = script_to_node(L, 1), *b = script_to_node(L, 2);
    lua_pushboolean(L, node_equal(a, b));
    return 1;
}

static int is_type(lua_State *L, enum node_type type)
{
    lua_pushboolean(L, node_is(script_handle_node(L, 1), type));
    return 1;
}

int script_node_is_list(lua_State *L)
{
    return is_type(L, NODE_LIST);
}

int script_node_is_map(lua_State *L)
{
    return is_type(L, NODE_MAP);
}

int script_node_is_null(lua_State *L)
{
    return is_type(L, NODE_NULL);
}

/* One for all runs: modules have it before there is a run to take memory from. */
int script_node_null(lua_State *L)
{
    static const struct node null = {.type = NODE_NULL};
    script_push_handle(L, (struct node *)&null, false);
    return 1;
}
