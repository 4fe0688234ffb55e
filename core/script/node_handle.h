/* SPDX-License-Identifier: Apache-2.0
 *
 * What is behind a handle of a node in Lua (room internal).
 */
#pragma once

#include "script/node.h"
#include "script/priv.h"

#define SCRIPT_NODE "lanai.node"

struct script_handle {
    struct node *node;
    struct node *resource; /* that node is a part of, or NULL: see script_run_set_touch */
    bool writable;
    bool resources;        /* node is the list of them */
};

/* Pushes a handle of n, which is a part of what `in` refers to. */
void script_push_inside(lua_State *L, const struct script_handle *in, struct node *n);
/* The handle at index, whose node is about to change; raises when it may not. */
const struct script_handle *script_check_writable(lua_State *L, int index);
/* "map", "string" … */
const char *script_node_type(const struct node *n);
