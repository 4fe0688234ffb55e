/* SPDX-License-Identifier: Apache-2.0
 *
 * Kubernetes patches on the node tree: pure functions, no I/O. Inputs are not changed; the result
 * shares unchanged subtrees with them.
 */
#pragma once

#include "data/node.h"

struct api_schema;

/* RFC 7386. */
struct node *patch_merge(struct arena *a, const struct node *target, const struct node *patch);
/* RFC 6902, except that replace sets a missing member. An operation that fails or is malformed:
 * ERR_INVALID (kube-wire §7.4); no list of objects: ERR_BAD_REQUEST. */
struct node *patch_json(struct arena *a, const struct node *target, const struct node *ops,
                        struct err *err);
/* Strategic merge (kube-wire §7.5); schema names the merge keys, NULL = lists replace. */
struct node *patch_strategic(struct arena *a, const struct node *target, const struct node *patch,
                             const struct api_schema *schema, struct err *err);
