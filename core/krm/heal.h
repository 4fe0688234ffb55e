/* SPDX-License-Identifier: Apache-2.0
 *
 * Giving a resource back what a transformation lost: the comments of the old one, and the order of
 * its fields (cad-library §6); the same for the files of a package; and the order that `format`
 * makes (§5.7).
 */
#pragma once

#include "base/err.h"
#include "data/node.h"
#include "krm/resources.h"

struct krm_heal_options {
    bool kpt;  /* as kpt: lists without a schema by index, folded texts become quoted */
    bool item; /* with kpt: new comes from a ResourceList and has no document of its own; the
                * comments of the old document go to its root */
    bool layout; /* without kpt: scalars that say the same, lists and maps are also written as
                  * they were */
};

/* Copies comments of old to where new has none of that kind. Without kpt, elements of lists find
 * each other by their keys or as equals, and no comment is copied that new has already as often as
 * old. Fails only with kpt, when a value changed its kind ("wrong node kind: …"). */
int krm_heal_comments(struct arena *a, const struct node *old, struct node *new,
                      const struct krm_heal_options *o, struct err *err);
/* True when a tree has comments, those of its document included. */
bool krm_heal_has_comments(const struct node *root);

/* Heals the YAML files of a save by what they were before (cad-library §6, porch-api §4.6). What
 * has `#@` or `#!` is left alone.
 * kpt: each resource takes from every old one of its name, namespace, kind and apiVersion; *out
 * has all YAML files, written anew and compact; an error is the peer's.
 * Otherwise each finds one old resource at most, in its own file first, and *out has those of the
 * changed files that differ from `files`. A file that came back without any comment is its old text
 * with what is different; in others, what was lost is inserted. Errors name the file. */
int krm_heal_files(struct arena *a, const struct krm_files *before, const struct krm_files *files,
                   bool kpt, struct krm_files *out, struct err *err);

/* Orders the members of new as in old; new ones come last. Comments above the first member of an
 * element go above the element. */
void krm_heal_order(struct arena *a, const struct node *old, struct node *new,
                    const struct krm_heal_options *o);
/* Orders all members as `format` does, and the elements of its two sorted lists; not where the
 * annotation config.kubernetes.io/formatting says none. Fails on other words than none and
 * standard. */
int krm_format_order(struct node *resource, struct err *err);
