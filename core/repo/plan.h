/* SPDX-License-Identifier: Apache-2.0
 *
 * What ops mean for one state of the remote: commits, objects and ref changes. Nothing leaves the
 * machine here; the same ops on the same state give the same ids.
 */
#pragma once

#include "repo/push.h"

struct plan {
    struct repo *repo;
    struct handle *handle;
    const struct refs *refs; /* of the remote; the mirror has their objects */
    struct arena *arena;
    struct repo_id head;     /* of the branch after the ops planned so far; zero = missing */
    struct push_cmd *cmds;
    size_t n_cmds, cap_cmds;
    struct push_objects objects;
};

void plan_init(struct plan *p, struct repo *r, struct handle *h, const struct refs *refs,
               struct arena *a);
void plan_done(struct plan *p);
#define AUTO_PLAN __attribute__((cleanup(plan_done))) struct plan
/* Adds Porch's first commit when the branch is missing and may be created. */
int plan_branch(struct plan *p, int64_t time, struct err *err);
/* Adds one op; an op that cannot be done sets err and changes nothing. Fills op->commit. */
int plan_op(struct plan *p, struct repo_op *op, size_t index, struct err *err);
/* Drops commands that change nothing. */
void plan_settle(struct plan *p);
