/* SPDX-License-Identifier: Apache-2.0
 *
 * Bringing the stored revisions of a Repository in line with what git holds.
 */
#pragma once

#include "engine/priv.h"

/* Compares the mirror with the stored rows and commits the differences in chunks; drafts that live
 * only in the store stay. *out_n: revisions there are now. Called on the repository's lane. */
int engine_reconcile(struct engine *e, struct repo *repo, struct str ns, struct str name,
                     int64_t *out_n, struct err *err);
/* Deletes every revision and package of a Repository that is gone. */
int engine_reconcile_remove(struct engine *e, struct str ns, struct str name, struct err *err);
