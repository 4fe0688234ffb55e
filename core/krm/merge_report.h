/* SPDX-License-Identifier: Apache-2.0
 *
 * Lines of a merge's report (room internal; the report itself is in merge.h).
 */
#pragma once

#include "krm/merge.h"

/* Why a line is there. */
#define REASON_BOTH "both changed it"
#define REASON_GONE_THERE "changed here, deleted upstream"
#define REASON_GONE_HERE "deleted here, changed upstream"
#define REASON_STAYS_DELETED "deleted here"
#define REASON_DELETED "deleted upstream"
#define REASON_ADDED "added upstream"
#define REASON_LOCAL "only here"
#define REASON_NULL "an explicit null does not outlive a merge"
#define REASON_RULE "by rule"
#define REASON_UNREAD "cannot be read here"

/* Appends a copy of *line; r may be NULL. The strings of line must live as long as the arena. */
void krm_report_add(struct arena *a, struct krm_report *r, const struct krm_conflict *line);
/* Fills in group, kind, ns and name of a resource. */
void krm_report_identity(struct krm_conflict *line, const struct node *resource);
