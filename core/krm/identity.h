/* SPDX-License-Identifier: Apache-2.0
 *
 * Who a resource is across upgrades: the stamp `metadata: # kpt-merge: namespace/name`, which
 * survives renames, the annotation internal.kpt.dev/upstream-identifier computed from it, and the
 * attribution of Config Connector resources (cad-library §2.3, §3.5).
 */
#pragma once

#include "base/err.h"
#include "data/node.h"

#define KRM_UPSTREAM_IDENTIFIER "internal.kpt.dev/upstream-identifier"
#define KRM_BLUEPRINT "cnrm.cloud.google.com/blueprint"

struct krm_identity {
    struct str group, kind, ns, name; /* borrowed from the resource */
};

/* Namespace and name are the stamp's where it can be read. False: the resource says nothing about
 * itself, it is the same as no other. */
bool krm_identity_of(const struct node *resource, struct krm_identity *out);
/* Adds the stamp where there is none and computes the annotation anew. A stamp that cannot be read
 * stays and counts for nothing. Resources without name, namespace and labels are left alone. */
int krm_identity_stamp(struct arena *a, struct node *resource, struct err *err);
/* Notes in a Config Connector resource that `group` ("pkg", "fn") had it in hand. */
int krm_attribute(struct arena *a, struct node *resource, const char *group, struct err *err);

/* Whether a node is a KRM resource: it has apiVersion, kind and metadata.name, or is a
 * kustomization. ERR_INVALID says what is missing, behind "<path>: " when path is not empty. */
int krm_check_resource(const struct node *n, struct str path, struct err *err);
