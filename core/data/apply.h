/* SPDX-License-Identifier: Apache-2.0
 *
 * Field ownership (server-side apply, kube-wire §14): managedFields bookkeeping for updates and
 * the apply merge. Pure functions over node trees; schema says which lists are sets or maps.
 *
 * What an endpoint does not write is the caller's business: it puts the live value back into (or
 * takes out of) object and config before it calls, `status` on the main resource, everything else
 * on /status. A live object without managedFields is not tracked by updates; its first apply finds
 * the owner `before-first-apply`.
 */
#pragma once

#include "data/node.h"

struct api_schema;

struct apply_manager {
    struct str manager;     /* fieldManager */
    struct str api_version; /* g/v of the request */
    struct str subresource; /* "" for the main resource */
    struct str time;        /* RFC 3339, now */
};

/* Update path (§14.3): live is NULL on create. Takes metadata.managedFields of live, computes the
 * new list and sets it in `object` (in place). A client that sent [] or [{}] resets tracking. */
int apply_track_update(struct arena *a, const struct node *live, struct node *object,
                       const struct api_schema *schema, const struct apply_manager *m,
                       struct err *err);
/* Apply path: live NULL = create. Returns the merged object with managedFields set. Conflicts
 * without force: ERR_CONFLICT with one FieldManagerConflict cause per path (§14.3). A config that
 * carries managedFields or does not fit the schema: ERR_BAD_REQUEST. When nothing changes the
 * result is node_equal to live, managedFields and their times included. */
struct node *apply_merge(struct arena *a, const struct node *live, const struct node *config,
                         const struct api_schema *schema, const struct apply_manager *m, bool force,
                         struct err *err);
