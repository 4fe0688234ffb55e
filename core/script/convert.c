/* SPDX-License-Identifier: Apache-2.0
 *
 * Lua values as nodes. A script can build what is small in Lua and huge as a tree (a table that
 * holds itself, or the same table a thousand times), so depth, count and bytes are bounded.
 */
#include <math.h>

#include "base/limits.h"
#include "script/node.h"
#include "script/priv.h"

#define MAX_NODES 1000000 /* of one conversion */
#define DEPTH_TEXT "value is nested too deeply"

static struct node *convert(lua_State *L, int index, int depth, size_t *count);

static void count_node(lua_State *L, int depth, size_t *count, size_t bytes)
{
    if (depth > LIMIT_JSON_DEPTH) {
        luaL_error(L, DEPTH_TEXT);
    }
    if (++*count > MAX_NODES) {
        luaL_error(L, "value has too many parts");
    }
    script_check_memory(L, bytes);
}

static struct str text_at(lua_State *L, int index)
{
    struct str s;
    s.ptr = lua_tolstring(L, index, &s.len);
    if (!str_is_utf8(s)) {
        luaL_error(L, "string is not UTF-8");
    }
    script_check_memory(L, s.len);
    return arena_str(script_arena(L), s);
}

static struct node *convert_number(lua_State *L, int index)
{
    struct arena *a = script_arena(L);
    if (lua_isinteger(L, index)) {
        return node_int(a, lua_tointeger(L, index));
    }
    double v = lua_tonumber(L, index);
    if (!isfinite(v)) {
        luaL_error(L, "number has no JSON form");
    }
    char text[40];
    snprintf(text, sizeof(text), "%.17g", v);
    struct node *n = node_null(a);
    n->type = NODE_FLOAT;
    n->text = arena_str(a, str_of(text));
    return n;
}

/* Number of elements when the table is a sequence, 0 when it has string keys only; raises else. */
static size_t sequence_length(lua_State *L, int index)
{
    size_t n = 0, strings = 0;
    for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) {
        if (lua_type(L, -2) == LUA_TSTRING) {
            strings++;
        } else if (lua_isinteger(L, -2)) {
            n++;
        } else {
            luaL_error(L, "a %s cannot be a key", luaL_typename(L, -2));
        }
    }
    if (n && strings) {
        luaL_error(L, "table is neither a list nor a map");
    }
    if (n + strings == 0) {
        luaL_error(L, "empty table: say lanai.list{} or lanai.map{}");
    }
    if (n && lua_rawlen(L, index) != n) {
        luaL_error(L, "list has holes");
    }
    return n;
}

static int by_key(const void *a, const void *b)
{
    const struct node_member *x = a, *y = b;
    return str_cmp(x->key, y->key);
}

/* Keys of a table are unique: no need to look for the member, as node_set does. */
static void add_member(struct arena *a, struct node *map, struct node_member m)
{
    if (map->n == map->cap) {
        map->cap = map->cap * 2 + 8;
        struct node_member *more = arena_array(a, struct node_member, map->cap);
        if (map->n) {
            memcpy(more, map->members, map->n * sizeof(*more));
        }
        map->members = more;
    }
    map->members[map->n++] = m;
}

static struct node *convert_table(lua_State *L, int index, int depth, size_t *count)
{
    struct arena *a = script_arena(L);
    luaL_checkstack(L, 4, DEPTH_TEXT);
    size_t n = sequence_length(L, index);
    if (n) {
        struct node *list = node_list(a);
        for (size_t i = 1; i <= n; i++) {
            lua_rawgeti(L, index, (lua_Integer)i);
            node_push(a, list, convert(L, lua_gettop(L), depth + 1, count));
            lua_pop(L, 1);
        }
        return list;
    }
    struct node *map = node_map(a);
    for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) {
        struct str key = text_at(L, -2);
        struct node *value = convert(L, lua_gettop(L), depth + 1, count);
        add_member(a, map, (struct node_member){key, value});
    }
    qsort(map->members, map->n, sizeof(*map->members), by_key);
    return map;
}

static void measure(lua_State *L, const struct node *n, int depth, size_t *count)
{
    count_node(L, depth, count, sizeof(*n) + n->text.len);
    for (size_t i = 0; i < n->n && n->type == NODE_LIST; i++) {
        measure(L, n->items[i], depth + 1, count);
    }
    for (size_t i = 0; i < n->n && n->type == NODE_MAP; i++) {
        measure(L, n->members[i].value, depth + 1, count);
    }
}

static struct node *convert(lua_State *L, int index, int depth, size_t *count)
{
    struct arena *a = script_arena(L);
    count_node(L, depth, count, sizeof(struct node));
    struct node *n = script_handle_node(L, index);
    if (n) {
        measure(L, n, depth, count);
        return node_copy(a, n);
    }
    switch (lua_type(L, index)) {
    case LUA_TBOOLEAN:
        return node_bool(a, lua_toboolean(L, index));
    case LUA_TNUMBER:
        return convert_number(L, index);
    case LUA_TSTRING:
        return node_str(a, text_at(L, index));
    case LUA_TTABLE:
        return convert_table(L, index, depth, count);
    case LUA_TNIL:
        return node_null(a);
    default:
        luaL_error(L, "a %s has no JSON form", luaL_typename(L, index));
        return NULL;
    }
}

struct node *script_to_node(lua_State *L, int index)
{
    size_t count = 0;
    return convert(L, lua_absindex(L, index), 0, &count);
}

struct node *script_copy_node(lua_State *L, const struct node *n)
{
    size_t count = 0;
    measure(L, n, 0, &count);
    script_check_memory(L, count * sizeof(*n));
    return node_copy(script_arena(L), n);
}
