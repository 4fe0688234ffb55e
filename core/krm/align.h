/* SPDX-License-Identifier: Apache-2.0
 *
 * Which element of a new list is which element of the old one (room internal).
 */
#pragma once

#include "data/node.h"
#include "krm/merge_keys.h"

#define ALIGN_NONE SIZE_MAX

/* As kpt: by index as long as both lists have elements, when their texts agree (collections have
 * none). out[i]: index in old of element i of new. */
void align_by_index(const struct node *old, const struct node *new, size_t *out);
/* By the keys of the place (a set of scalars: by value), or by `name` when all elements of both have
 * one; false when neither applies. */
bool align_by_key(const struct node *old, const struct node *new, const struct krm_place *place,
                  size_t *out);
/* The longest common subsequence of equal elements; between equals, maps with the same keys when
 * there are as many in both lists. */
void align_equals(const struct node *old, const struct node *new, size_t *out);
