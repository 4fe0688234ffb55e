/* SPDX-License-Identifier: Apache-2.0
 *
 * The visitors of three-way merges (room internal): kpt's and ours.
 */
#pragma once

#include "krm/merge_report.h"
#include "krm/merge_rules.h"
#include "krm/merge_walk.h"

/* ctx of a walk with these visitors. */
struct krm_three {
    const struct krm_merge_options *o;
    struct krm_report *report;     /* may be NULL */
    struct krm_conflict line;      /* file and resource, for the report */
    const struct krm_rules *rules; /* may be NULL */
};

extern const struct krm_visitor krm_three_as_kpt, krm_three_visitor;

/* krm_merge_resource with the line's file and resource given, and the place of the top. */
int krm_three_merge(struct arena *a, const struct node *base, struct node *ours,
                    const struct node *theirs, const struct krm_place *place,
                    const struct krm_merge_options *o, const struct krm_conflict *line,
                    struct krm_report *report, struct node **out, struct err *err);
