/* SPDX-License-Identifier: Apache-2.0
 *
 * Annotations that say where a resource came from, in both spellings, and how they come and go
 * (cad-library §5.3, §5.4): what empties is taken away.
 */
#pragma once

#include "base/err.h"
#include "data/node.h"

#define KRM_PATH "internal.config.kubernetes.io/path"
#define KRM_INDEX "internal.config.kubernetes.io/index"
#define KRM_ID "internal.config.kubernetes.io/id"
#define KRM_SEQINDENT "internal.config.kubernetes.io/seqindent"
#define KRM_OLD_PATH "config.kubernetes.io/path"
#define KRM_OLD_INDEX "config.kubernetes.io/index"
#define KRM_OLD_ID "config.k8s.io/id"

/* STR_NULL when there is none. */
struct str krm_annotation(const struct node *resource, const char *key);
/* Of a pair of spellings the internal one, else the old one. */
struct str krm_annotation_either(const struct node *resource, const char *key,
                                 const char *old_key);
/* Sets one; a new one gets single quotes, an old one keeps its style and loses its comment. value
 * is borrowed. Fails when metadata or annotations is something else than a map. */
int krm_annotation_set(struct arena *a, struct node *resource, const char *key, struct str value,
                       struct err *err);
/* Copies each of path, index and id from the spelling that has it to the one that has not. */
int krm_annotation_mirror(struct arena *a, struct node *resource, struct err *err);
/* A copy without these annotations (list of n keys), shared with the resource where possible;
 * annotations and metadata without content go, too. The resource itself when nothing goes. */
struct node *krm_annotation_without(struct arena *a, struct node *resource,
                                    const char *const *keys, size_t n);

/* A copy with the metadata or annotations without content that krm_annotation_without took away from
 * `was` and that the resource has none of: what an edit must not touch. */
struct node *krm_annotation_restore(struct arena *a, struct node *resource,
                                    const struct node *was);

/* "wrong node kind: expected <kind> but got …" with the node's text, as the peer says it. */
int krm_wrong_kind(const struct node *n, const char *expected, struct err *err);
