/* SPDX-License-Identifier: Apache-2.0
 *
 * The finalizer of Repositories: it keeps a deleted Repository readable until its revisions are
 * gone. Source: porch-api-repository.md §1.1 and §2.4.
 */
#include "engine/priv.h"

#define HOLD "config.porch.kpt.dev/repository"

static bool held(const struct node *object)
{
    const struct node *list = node_at(object, "metadata.finalizers");
    for (size_t i = 0; node_is(list, NODE_LIST) && i < list->n; i++) {
        if (str_eqz(node_text(list->items[i]), HOLD)) {
            return true;
        }
    }
    return false;
}

/* The object's finalizers without ours; with it at the end when hold. */
static struct node *finalizers(struct arena *a, const struct node *object, bool hold)
{
    struct node *out = node_list(a);
    const struct node *list = node_at(object, "metadata.finalizers");
    for (size_t i = 0; node_is(list, NODE_LIST) && i < list->n; i++) {
        if (!str_eqz(node_text(list->items[i]), HOLD)) {
            node_push(a, out, list->items[i]);
        }
    }
    if (hold) {
        node_push(a, out, node_strz(a, HOLD));
    }
    return out;
}

static int write_once(struct engine *e, struct arena *a, struct engine_row *row, bool hold,
                      struct err *err)
{
    struct node *meta = node_getz(row->object, "metadata"), *left;
    left = finalizers(a, row->object, hold);
    node_delz(meta, "finalizers");
    if (left->n) {
        node_setz(a, meta, "finalizers", left);
    }
    struct engine_changes c;
    engine_changes_init(&c, e, a);
    if (hold || left->n) {
        engine_changes_put(&c, engine_kind(KIND_REPOSITORIES), row->object, row->data,
                           row->stored.rv);
    } else {
        node_delz(meta, "resourceVersion");
        engine_changes_del(&c, engine_kind(KIND_REPOSITORIES), row->object, row->stored.rv);
    }
    int rc = engine_changes_commit(&c, err);
    engine_changes_done(&c);
    return rc;
}

/* Adds (hold) or removes the finalizer as long as the object's deletion says so. Repeats lost
 * races; a Repository that is gone is no error. */
static int write_hold(struct engine *e, struct str ns, struct str name, bool hold,
                      struct err *err)
{
    for (int tries = 0;; tries++) {
        AUTO_ARENA a = ARENA_INIT;
        struct engine_row row;
        int rc = engine_row_get(e, KIND_REPOSITORIES, ns, name, &a, &row, err);
        if (rc == 0) {
            bool deleting = node_text_at(row.object, "metadata.deletionTimestamp").len > 0;
            if (deleting == hold || held(row.object) == hold) {
                return 0;
            }
            rc = write_once(e, &a, &row, hold, err);
        }
        if (rc == 0) {
            return 0;
        }
        if (err_is(err, ERR_NOT_FOUND)) {
            err_drop(err);
            return 0;
        }
        if (err->kind != ERR_CONFLICT || tries == LIMIT_RUN_RETRIES) {
            return -1;
        }
        err_drop(err); /* lost a race: read again */
    }
}

int engine_repository_hold(struct engine *e, struct str ns, struct str name, struct err *err)
{
    return write_hold(e, ns, name, true, err);
}

int engine_repository_release(struct engine *e, struct str ns, struct str name, struct err *err)
{
    return write_hold(e, ns, name, false, err);
}
