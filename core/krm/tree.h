/* SPDX-License-Identifier: Apache-2.0
 *
 * What merging asks of node trees (room internal): copies that forget where they came from, and
 * equality by content. Nothing here recurses, so trees may be LIMIT_YAML_DEPTH deep.
 */
#pragma once

#include "data/node.h"

/* NULL and null alike: nothing is there. */
static inline bool krm_tree_none(const struct node *n)
{
    return !n || n->type == NODE_NULL;
}

static inline bool krm_tree_scalar(const struct node *n)
{
    return n && n->type != NODE_LIST && n->type != NODE_MAP && n->type != NODE_ALIAS;
}

/* The source text of a scalar. */
struct str krm_tree_text(const struct node *n);
/* Equal kinds, tags, values and order; styles and comments do not count. NULL equals NULL. */
bool krm_tree_equal(const struct node *a, const struct node *b);
/* Equal as trees and in comments and the quotes of scalars; the style of a and b themselves does
 * not count when they are lists or maps. */
bool krm_tree_same(const struct node *a, const struct node *b);
/* A deep copy without spans: it belongs to no source text. Strings are shared. */
struct node *krm_tree_take(struct arena *a, const struct node *n);
/* A deep copy as a record of what was there: spans stay, notes are copied, strings shared. */
struct node *krm_tree_snapshot(struct arena *a, const struct node *n);
/* A copy of one node: its items or members are shared. */
struct node *krm_tree_shallow(struct arena *a, const struct node *n);
/* Appends a member without looking whether the key is there. */
void krm_tree_push(struct arena *a, struct node *map, struct node_member member);
/* Index of the first member with that key, or SIZE_MAX. */
size_t krm_tree_find(const struct node *map, struct str key);
/* Puts copies in the place of aliases whose anchor does not stand before them in the tree (any
 * more). False when that takes more than KRM_TREE_ALIAS_NODES nodes. */
#define KRM_TREE_ALIAS_NODES 100000
bool krm_tree_settle_aliases(struct arena *a, struct node **top);
