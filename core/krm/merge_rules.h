/* SPDX-License-Identifier: Apache-2.0
 *
 * Rules of users about merges (room internal), in annotations `lanai.dev/merge`: on a resource, one
 * word or lines `field.path: word`; in the root Kptfile, for resources of the package, lines
 * `Kind/name: word` or `Kind/name field.path: word`, where `*` stands for any kind or name. Words
 * are `ours`, `theirs` and `merge`. Paths are written as reports write them.
 */
#pragma once

#include "base/map.h"
#include "data/node.h"

#define KRM_RULES_ANNOTATION "lanai.dev/merge"

enum krm_rule { RULE_NONE, RULE_OURS, RULE_THEIRS, RULE_MERGE };

struct krm_rules {
    struct map by_path; /* "": the resource as a whole */
};

#define AUTO_KRM_RULES __attribute__((cleanup(krm_rules_done))) struct krm_rules

void krm_rules_done(struct krm_rules *r);
/* The rules for a resource: its own win over those of the package (text of the annotation). */
int krm_rules_read(struct krm_rules *r, const struct node *resource, struct str package,
                   struct err *err);
enum krm_rule krm_rules_at(const struct krm_rules *r, struct str path);
