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
