/* SPDX-License-Identifier: Apache-2.0
 *
 * Nodes as Lua values. Scalars become plain values, lists and maps become handles that read and
 * write the node in place; node_edit.c adds what only YAML has (comments, styles, source texts).
 * What scripts make lands in the arena of their run (script_run_set_data) and is bounded.
 *
 * Functions here raise Lua errors: nothing that needs a release may be alive around a call.
 */
#pragma once

#include <lua.h>

#include "data/node.h"
#include "script/script.h"

/* The arena of the run's data. */
struct arena *script_arena(lua_State *L);
/* False when what the run took from its arena plus `more` bytes passes its limit. */
bool script_has_memory(lua_State *L, size_t more);
/* Raises then. */
void script_check_memory(lua_State *L, size_t more);

/* Makes the metatable of handles: the first call in every state. */
void script_open_nodes(lua_State *L);
/* Pushes a Lua value for scalars, a handle for lists and maps; nil for NULL and null. */
void script_push_node(lua_State *L, struct node *n, bool writable);
/* Pushes a handle whatever the type is. */
void script_push_handle(lua_State *L, struct node *n, bool writable);
/* Pushes a handle of a list of resources: script_run_set_touch tells of changes in each. */
void script_push_resources(lua_State *L, struct node *list);
/* The node of a handle at index, or NULL. */
struct node *script_handle_node(lua_State *L, int index);
/* Copies any Lua value into a node of the arena; raises on what has no JSON form. */
struct node *script_to_node(lua_State *L, int index);
/* Copy of a tree with bounds on depth and size; raises. */
struct node *script_copy_node(lua_State *L, const struct node *n);

/* Functions of the module lanai.node: script_node_NAME is a lua_CFunction. */
#define SCRIPT_NODE_FUNCTIONS(X)                                                                   \
    X(list) X(map) X(copy) X(equal) X(is_list) X(is_map) X(is_null) X(null) X(at) X(kind) X(keys)  \
    X(text) X(style) X(tag) X(comment) X(key_comment) X(set) X(put) X(assign) X(set_text)          \
    X(set_style) X(set_tag) X(set_comment) X(set_key_comment) X(insert) X(remove) X(rename)        \
    X(reorder) X(walk) X(parse) X(emit) X(json)
#define SCRIPT_DECLARE(name) int script_node_##name(lua_State *L);
SCRIPT_NODE_FUNCTIONS(SCRIPT_DECLARE)
#undef SCRIPT_DECLARE
