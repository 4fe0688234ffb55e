/* SPDX-License-Identifier: Apache-2.0
 *
 * Giving a resource back what a transformation lost: the comments of the old one, and the order of
 * its fields (cad-library §6); and the order that `format` makes (§5.7).
 */
#pragma once

#include "base/err.h"
#include "data/node.h"

struct krm_heal_options {
    bool kpt;  /* as kpt: lists without a schema by index, folded texts become quoted */
    bool item; /* with kpt: new comes from a ResourceList and has no document of its own; the
                * comments of the old document go to its root */
};

/* Copies comments of old to where new has none of that kind. Without kpt, elements of lists find
 * each other by their keys or as equals, and no comment is copied that new has already as often as
 * old. Fails only with kpt, when a value changed its kind ("wrong node kind: …"). */
int krm_heal_comments(struct arena *a, const struct node *old, struct node *new,
                      const struct krm_heal_options *o, struct err *err);
/* Orders the members of new as in old; new ones come last. Comments above the first member of an
 * element go above the element. */
void krm_heal_order(struct arena *a, const struct node *old, struct node *new,
                    const struct krm_heal_options *o);
/* Orders all members as `format` does, and the elements of its two sorted lists; not where the
 * annotation config.kubernetes.io/formatting says none. Fails on other words than none and
 * standard. */
int krm_format_order(struct node *resource, struct err *err);
