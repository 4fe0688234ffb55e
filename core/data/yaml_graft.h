/* SPDX-License-Identifier: Apache-2.0
 *
 * Wanted values put onto a YAML tree (room internal): what stays the same keeps its node, with
 * comments, styles and anchors; what changes keeps its comments.
 */
#pragma once

#include "data/node.h"

/* A tree that means `want`. source: as read; values: what yaml_values made of it. Unchanged subtrees
 * are those of source, new ones those of want. NULL past the arena's limit. */
struct node *yaml_graft(struct arena *a, struct node *source, const struct node *values,
                        const struct node *want);

/* match[i] = element of want that element i of old becomes, or MEMBERS_NONE; ascending. Elements
 * match when they are equal or have the same identity (type, conditionType or name). Returns the
 * number of matches; none when the lists are too large to compare. */
size_t yaml_match_items(const struct node *old, const struct node *want, size_t *match);
