/* SPDX-License-Identifier: Apache-2.0
 *
 * Strategic merge patches on the YAML of packages, as kyaml applies them: comments and styles stay,
 * lists merge by the table of merge_keys.h. data/patch.h patches API objects by the schemas of
 * api/kinds; the two share nothing but the `$patch` words.
 */
#pragma once

#include "data/node.h"

struct krm_patch_options {
    bool infer;   /* lists whose elements all have a name merge by it */
    bool prepend; /* new elements of merging lists come first */
};

/* Changes target (may be NULL) by the patch. Both are used up. *out NULL: deleted. Errors:
 * ERR_INVALID. */
int krm_patch(struct arena *a, struct node *target, struct node *patch,
              const struct krm_patch_options *o, struct node **out, struct err *err);

/* What `$patch` says about the map or list that carries it. */
enum krm_directive { KRM_DIRECTIVE_UNKNOWN, KRM_MERGE, KRM_REPLACE, KRM_DELETE };

/* Finds the directive and takes it out of patch. KRM_DIRECTIVE_UNKNOWN: the error says why. */
enum krm_directive krm_patch_directive(struct node *patch, struct err *err);
