/* SPDX-License-Identifier: Apache-2.0
 *
 * Node trees seen through a schema: which fields an object has, what differs between two, the
 * merge and prune of server-side apply (kube-wire §14). The schema says which lists are sets or
 * keyed; without one, maps are granular and lists atomic. ObjectMeta is built in, so `metadata` is
 * typed for every kind. Fields that are never recorded (apiVersion, kind, metadata.name …) do not
 * appear in any set.
 */
#pragma once

#include "data/fieldset.h"
#include "data/node.h"

struct api_schema;

struct typed_diff {
    struct fieldset *added, *modified, *removed; /* containers that came or went are in them too */
};

/* The fields that an applied object claims. */
struct fieldset *typed_fields(struct arena *a, const struct api_schema *schema,
                              const struct node *object);
/* What differs; either side may be NULL. */
void typed_compare(struct arena *a, const struct api_schema *schema, const struct node *from,
                   const struct node *to, struct typed_diff *out);
/* config over live (may be NULL): maps union, keyed items merge in place, sets union, everything
 * else is replaced. Shares subtrees with both. */
struct node *typed_merge(struct arena *a, const struct api_schema *schema, const struct node *live,
                         const struct node *config);
/* object without the fields of `last` that are not in `owned`. Shares subtrees with object. */
struct node *typed_prune(struct arena *a, const struct api_schema *schema,
                         const struct node *object, const struct fieldset *last,
                         const struct fieldset *owned);
/* Applied objects are strict: undeclared fields, wrong types and duplicate keys of sets and keyed
 * lists. The text lists every fault with its path; kind ERR_BAD_REQUEST. */
int typed_check(struct arena *a, const struct api_schema *schema, const struct node *object,
                struct err *err);
