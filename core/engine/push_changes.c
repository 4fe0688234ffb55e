/* SPDX-License-Identifier: Apache-2.0
 *
 * What an op that is in git means for the stored objects: the revision is published or gone, the
 * placeholder of its package follows.
 */
#include "engine/push.h"

static struct str lock_ref(struct arena *a, const struct engine_repository *r,
                           const struct engine_push *p)
{
    return arena_printf(a, "%.*s%s%.*s/v%lld", STR_ARG(r->directory), r->directory.len ? "/" : "",
                        STR_ARG(p->op.package), (long long)p->op.revision);
}

/* The placeholder revision `<repo>.<pkg>.<branch>` follows the last approval. */
static int put_placeholder(struct engine_changes *c, const struct engine_repository *r,
                           const struct engine_push *p, struct str kptfile,
                           const struct node *approved, struct err *err)
{
    struct arena *a = c->a;
    struct engine_row old;
    AUTO_ERR missing = ERR_INIT;
    struct node *tasks = node_at(approved, "spec.tasks");
    struct engine_revision v = {
        .repository = r,
        .package = p->op.package,
        .workspace = r->branch,
        .lifecycle = STR("Published"),
        .revision = -1,
        .kptfile = kptfile,
        .lock_ref = lock_ref(a, r, p),
        .lock_commit = repo_id_hex(a, &p->op.commit),
        .published_by = p->op.author_name,
        .published_at = p->op.time,
        .task = node_is(tasks, NODE_LIST) && tasks->n ? tasks->items[0] : NULL,
        .name = engine_revision_name(a, r->name, p->op.package, r->branch),
    };
    if (engine_row_get(c->e, KIND_REVISIONS, r->ns, v.name, a, &old, &missing) < 0 &&
        !err_is(&missing, ERR_NOT_FOUND)) {
        return err_move(err, &missing);
    }
    if (old.object) {
        v.meta = node_getz(old.object, "metadata");
        v.lifecycle = node_text_at(old.object, "spec.lifecycle");
    }
    struct node *data = node_map(a);
    node_set_strz(a, data, "tree", repo_id_hex(a, &p->op.tree));
    node_set_strz(a, data, "commit", repo_id_hex(a, &p->op.head));
    node_set_strz(a, data, "kind", STR("branch"));
    engine_changes_put(c, engine_kind(KIND_REVISIONS), engine_revision_make(a, &v), data,
                       old.stored.rv);
    return 0;
}

/* What a client asked for beside the approval or the last step of a deletion: metadata of its
 * object. */
static void merge_metadata(struct arena *a, struct node *object, const struct node *wanted)
{
    if (wanted) {
        struct node *meta = node_copy(a, node_getz(wanted, "metadata"));
        node_delz(meta, "resourceVersion");
        node_setz(a, object, "metadata", meta);
    }
}

static int publish_changes(struct engine_changes *c, struct engine_push *p, struct engine_row *row,
                           struct err *err)
{
    struct arena *a = c->a;
    struct engine_repository r;
    struct str kptfile = STR("");
    struct repo *repo = NULL;
    if (engine_repository_get(c->e, a, p->ns, p->repository, &r, NULL, err) < 0 ||
        engine_open_repo(c->e, p->ns, p->repository, &repo, err) < 0) {
        return -1;
    }
    int rc = engine_tree_file(c->e, repo, &p->op.tree, "Kptfile", a, &kptfile, err);
    repo_unref(repo);
    if (rc < 0) {
        return -1;
    }
    struct node *o = row->object;
    merge_metadata(a, o, p->job ? p->job->w->object : NULL);
    node_set_at(a, o, "spec.lifecycle", node_strz(a, "Published"));
    node_set_at(a, o, "spec.revision", node_int(a, p->op.revision));
    struct str tree = repo_id_hex(a, &p->op.tree);
    if (!str_eq(tree, node_text_at(row->data, "tree"))) {
        /* edited after the error that its approval gave: git has what was approved */
        node_set_strz(a, row->data, "tree", tree);
        engine_revision_set_kptfile(a, o, kptfile);
    }
    struct str commit = repo_id_hex(a, &p->op.commit);
    engine_revision_set_lock(a, o, lock_ref(a, &r, p), commit);
    node_set_at(a, o, "status.publishedBy", node_str(a, p->op.author_name));
    node_set_at(a, o, "status.publishTimestamp",
                node_str(a, clock_rfc3339(a, p->op.time * NS_PER_S)));
    node_set_strz(a, row->data, "commit", commit);
    node_delz(row->data, "ref");
    engine_changes_put(c, engine_kind(KIND_REVISIONS), o, row->data, row->stored.rv);
    return put_placeholder(c, &r, p, kptfile, o, err);
}

/* Object changes of an op that is in git now. */
static int op_changes(struct engine_changes *c, struct engine_push *p, struct err *err)
{
    struct engine_row row;
    AUTO_ERR gone = ERR_INIT;
    if (engine_row_get(c->e, KIND_REVISIONS, p->ns, p->name, c->a, &row, &gone) < 0) {
        /* deleted meanwhile (repository unregistered): git is done, nothing to show it on */
        return err_is(&gone, ERR_NOT_FOUND) ? 0 : err_move(err, &gone);
    }
    node_delz(node_getz(row.object, "metadata"), "resourceVersion");
    switch (p->op.type) {
    case REPO_OP_PUBLISH:
        return publish_changes(c, p, &row, err);
    case REPO_OP_DELETE_TAG:
    case REPO_OP_DELETE_PACKAGE:
    case REPO_OP_DELETE_DRAFT:
        merge_metadata(c->a, row.object, p->job ? p->job->w->object : NULL);
        engine_changes_del(c, engine_kind(KIND_REVISIONS), row.object, row.stored.rv);
        return 0;
    case REPO_OP_MARK_DELETION:
    case REPO_OP_UNMARK_DELETION:
        return 0;
    }
    return 0;
}

/* The answer's object, taken from the changes before their memory goes. */
static void take_answer(struct engine_push *p, const struct engine_changes *c)
{
    for (size_t i = 0; p->job && i < c->n; i++) {
        if (str_eq(c->list[i]->name, p->name) &&
            strcmp(c->list[i]->kind->store_kind, KIND_REVISIONS) == 0) {
            p->job->w->json = store_put_json(p->job->w->arena, &c->list[i]->put);
        }
    }
}

/* Repeats lost races (labels of siblings move, syncs end), since git already has it. */
int engine_push_commit(struct engine *e, struct engine_push *p, struct err *err)
{
    for (int tries = 0;; tries++) {
        AUTO_ARENA a = ARENA_INIT;
        struct engine_changes c;
        engine_changes_init(&c, e, &a);
        int rc = op_changes(&c, p, err);
        if (rc == 0) {
            store_txn_journal_del(c.txn, p->key);
            rc = engine_changes_commit(&c, err);
            if (rc == 0) {
                take_answer(p, &c);
            }
        }
        engine_changes_done(&c);
        bool race = rc < 0 && (err->kind == ERR_CONFLICT || err->kind == ERR_NOT_FOUND ||
                               err->kind == ERR_ALREADY_EXISTS);
        if (!race || tries == 4 * LIMIT_RUN_RETRIES) {
            return rc;
        }
        err_drop(err); /* lost a race: the next try reads again */
    }
}
