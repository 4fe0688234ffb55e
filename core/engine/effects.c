/* SPDX-License-Identifier: Apache-2.0
 *
 * From what a workflow recorded to object changes. Invariants are kept here whatever the script
 * did: only allowed lifecycle steps, only drafts get new content, only the request's own object is
 * changed, a package always has a root Kptfile.
 */
#include "engine/priv.h"

/* What the run wants for the request's own object, gathered from its effects. */
struct wish {
    struct node *apply;     /* metadata to take over, or NULL */
    struct node *made;      /* object that the content was saved for */
    struct host_tree *tree; /* new content, or NULL */
    struct node *task;
    struct str lifecycle;   /* ptr NULL = stays */
    bool publish, remove;
    struct node *render;
};

static int forbidden(struct err *err, const char *what)
{
    return err_set(err, ERR_INTERNAL, "Internal error occurred: workflow recorded %s", what);
}

static bool is_own(const struct engine_write *w, const struct node *object)
{
    return w->verb == ENGINE_CREATE || str_eq(node_text_at(object, "metadata.name"), w->name);
}

static struct node *event_object(struct arena *a, struct str ns, const struct host_effect *f,
                                 const struct node *object)
{
    struct node *o = node_map(a), *meta = node_map(a), *about = node_map(a);
    struct str name = node_text_at(object, "metadata.name");
    struct str uid = engine_uid(a);
    struct str now = clock_rfc3339(a, clock_real_ns());
    node_set_strz(a, o, "kind", STR("Event"));
    node_set_strz(a, o, "apiVersion", STR("v1"));
    node_setz(a, o, "metadata", meta);
    node_set_strz(a, meta, "name",
                  arena_printf(a, "%.*s.%.*s", STR_ARG(name), STR_ARG(str_sub(uid, 0, 8))));
    node_set_strz(a, meta, "namespace", ns);
    node_set_strz(a, meta, "uid", uid);
    node_set_strz(a, meta, "creationTimestamp", now);
    node_setz(a, o, "involvedObject", about);
    node_set_strz(a, about, "kind", node_text_at(object, "kind"));
    node_set_strz(a, about, "namespace", ns);
    node_set_strz(a, about, "name", name);
    node_set_strz(a, about, "uid", node_text_at(object, "metadata.uid"));
    node_set_strz(a, about, "apiVersion", node_text_at(object, "apiVersion"));
    node_set_strz(a, o, "reason", f->reason);
    node_set_strz(a, o, "message", f->text);
    node_set_at(a, o, "source.component", node_strz(a, "lanai"));
    node_set_strz(a, o, "firstTimestamp", now);
    node_set_strz(a, o, "lastTimestamp", now);
    node_setz(a, o, "count", node_int(a, 1));
    node_set_strz(a, o, "type", f->warning ? STR("Warning") : STR("Normal"));
    return o;
}

/* Events go out with the change that they tell of. made: the object that this write creates, or
 * NULL; its name and uid are not known to the script. */
static void put_events(const struct engine_write *w, const struct host_run *run,
                       struct engine_changes *c, const struct node *made)
{
    for (size_t i = 0; i < run->n_effects; i++) {
        const struct host_effect *f = &run->effects[i];
        if (f->type == HOST_EVENT) {
            bool stored = node_text_at(f->object, "metadata.resourceVersion").len > 0;
            struct node *event = event_object(w->arena, w->ns, f,
                                              made && !stored ? made : f->object);
            engine_changes_put(c, engine_kind("events"), event, NULL, 0);
        }
    }
}

static int gather(const struct engine_write *w, const struct host_run *run, struct wish *out,
                  struct err *err)
{
    for (size_t i = 0; i < run->n_effects; i++) {
        const struct host_effect *f = &run->effects[i];
        if (f->type == HOST_EVENT) {
            continue;
        }
        if (!is_own(w, f->object)) {
            return forbidden(err, "an effect on another object than the request's");
        }
        switch (f->type) {
        case HOST_SAVE:
            out->made = f->object;
            out->tree = f->tree;
            out->task = f->task;
            out->render = f->render;
            break;
        case HOST_TRANSITION:
            out->lifecycle = f->text;
            break;
        case HOST_PUBLISH:
            out->publish = true;
            break;
        case HOST_APPLY:
            out->apply = f->object;
            break;
        case HOST_REMOVE:
            out->remove = true;
            break;
        case HOST_EVENT:
            break;
        }
    }
    return 0;
}

/* The bytes of the root Kptfile of a tree that a run worked on. */
static int kptfile_text(struct engine *e, struct arena *a, const struct host_tree *t,
                        struct str *out, struct err *err)
{
    for (size_t i = 0; i < t->n_files; i++) {
        if (str_eqz(t->files[i].path, "Kptfile")) {
            *out = t->files[i].bytes;
            return out->ptr ? 0
                            : repo_blob_get(e->pool, t->repo, &t->files[i].blob, a, out, err);
        }
    }
    return err_set(err, ERR_INTERNAL,
                   "Internal error occurred: package must contain Kptfile at root: file does not "
                   "exist");
}

/* Writes the content of a package of this repository into the transaction; *out_id is its tree,
 * *out_text its Kptfile. The files may have been opened in another repository. */
static int save_tree(struct engine_changes *c, struct str ns, struct str repository,
                     const struct host_tree *t, struct str *out_id, struct str *out_text,
                     struct err *err)
{
    struct repo_id id;
    struct repo *repo = NULL;
    if (kptfile_text(c->e, c->a, t, out_text, err) < 0 ||
        engine_open_repo(c->e, ns, repository, &repo, err) < 0) {
        return -1;
    }
    int rc = repo_tree_make(c->e->pool, repo, t->repo, c->txn, c->a, t->files, t->n_files, &id,
                            err);
    repo_unref(repo);
    if (rc < 0) {
        return -1;
    }
    *out_id = repo_id_hex(c->a, &id);
    return 0;
}

/* A draft is on no branch; the reference says where it would be, without the directory. */
static struct str draft_ref(struct arena *a, struct str package, struct str workspace)
{
    return arena_printf(a, "drafts/%.*s/%.*s", STR_ARG(package), STR_ARG(workspace));
}

/* What the render of the content said stays with it. */
static void set_render(struct arena *a, struct node *data, struct node *render)
{
    node_delz(data, "render");
    if (render) {
        node_setz(a, data, "render", render);
    }
}

static int apply_create(struct engine_write *w, const struct host_run *run,
                        struct engine_changes *c, const struct wish *wish, struct err *err)
{
    struct arena *a = w->arena;
    struct engine_repository repository;
    struct str repository_name = node_text_at(w->object, "spec.repository");
    if (!wish->tree) {
        return forbidden(err, "no content for a new package revision");
    }
    if (engine_repository_get(c->e, a, w->ns, repository_name, &repository, NULL, err) < 0) {
        return -1;
    }
    struct engine_revision r = {
        .repository = &repository,
        .package = node_text_at(w->object, "spec.packageName"),
        .workspace = node_text_at(w->object, "spec.workspaceName"),
        .lifecycle = STR("Draft"),
        .task = wish->task,
        .lock_commit = STR("not-pushed"),
        .meta = node_copy(a, node_getz(wish->made, "metadata")),
    };
    r.name = engine_revision_name(a, repository_name, r.package, r.workspace);
    r.lock_ref = draft_ref(a, r.package, r.workspace);
    /* times are the server's; what a client sends in them is ignored */
    node_delz(r.meta, "creationTimestamp");
    node_delz(r.meta, "deletionTimestamp");
    node_delz(r.meta, "deletionGracePeriodSeconds");
    struct str id;
    if (save_tree(c, w->ns, repository_name, wish->tree, &id, &r.kptfile, err) < 0) {
        return -1;
    }
    struct node *data = node_map(a);
    node_set_strz(a, data, "tree", id);
    set_render(a, data, wish->render);
    w->name = r.name;
    w->created = true;
    struct node *made = engine_revision_make(a, &r);
    engine_changes_put(c, w->kind, made, data, 0);
    put_events(w, run, c, made);
    return 0;
}

/* Takes over what a client may change in metadata. */
static void take_metadata(struct arena *a, struct node *object, const struct node *from)
{
    static const char *const members[] = {"labels", "annotations", "finalizers",
                                          "ownerReferences", "managedFields", NULL};
    struct node *meta = node_getz(object, "metadata"), *given = node_getz(from, "metadata");
    bool latest = node_get(node_getz(meta, "labels"), STR(LATEST_LABEL)) != NULL;
    for (size_t i = 0; members[i]; i++) {
        struct node *v = node_getz(given, members[i]);
        if (v && (v->type == NODE_MAP || v->type == NODE_LIST) && v->n) {
            node_setz(a, meta, members[i], v);
        } else {
            node_delz(meta, members[i]);
        }
    }
    if (latest) { /* the label is ours: a PUT without it does not remove it */
        node_set_at(a, meta, "labels", node_getz(meta, "labels") ? node_getz(meta, "labels")
                                                                   : node_map(a));
        node_set_strz(a, node_getz(meta, "labels"), LATEST_LABEL, STR("true"));
    }
}

static bool step_allowed(struct str from, struct str to)
{
    static const char *const steps[][2] = {
        {"Draft", "Draft"},         {"Draft", "Proposed"},
        {"Proposed", "Draft"},      {"Proposed", "Proposed"},
        {"Proposed", "Published"},  {"Published", "Published"},
        {"Published", "DeletionProposed"}, {"DeletionProposed", "Published"},
        {"DeletionProposed", "DeletionProposed"},
    };
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        if (str_eqz(from, steps[i][0]) && str_eqz(to, steps[i][1])) {
            return true;
        }
    }
    return false;
}

static int apply_content(struct engine_changes *c, const struct wish *wish, struct node *object,
                         struct node *data, struct err *err)
{
    if (!wish->tree) {
        return 0;
    }
    if (!str_eqz(node_text_at(object, "spec.lifecycle"), "Draft")) {
        return forbidden(err, "new content for a package revision that is not a draft");
    }
    struct str id, text;
    if (save_tree(c, node_text_at(object, "metadata.namespace"),
                  node_text_at(object, "spec.repository"), wish->tree, &id, &text, err) < 0) {
        return -1;
    }
    node_set_strz(c->a, data, "tree", id);
    set_render(c->a, data, wish->render);
    engine_revision_set_kptfile(c->a, object, text);
    return 0;
}

static bool has_finalizers(const struct node *object)
{
    const struct node *f = node_at(object, "metadata.finalizers");
    return f && f->n;
}

/* What must happen in git for this write, or -1 when nothing. */
static int git_op(const struct engine_row *row, const struct wish *wish, bool gone)
{
    struct str lifecycle = node_text_at(row->object, "spec.lifecycle");
    if (wish->publish) {
        return REPO_OP_PUBLISH;
    }
    if (!gone) {
        return -1;
    }
    if (!engine_lifecycle_published(lifecycle)) {
        return node_text_at(row->data, "ref").len ? REPO_OP_DELETE_DRAFT : -1;
    }
    return str_eqz(node_text_at(row->data, "kind"), "branch") ? REPO_OP_DELETE_PACKAGE
                                                              : REPO_OP_DELETE_TAG;
}

/* Deletion of published ones has been proposed first; the API's 403 is the workflow's, this is
 * the lock behind it. */
static int check_removal(const struct node *object, struct err *err)
{
    return str_eqz(node_text_at(object, "spec.lifecycle"), "Published")
               ? forbidden(err, "the removal of a published package revision")
               : 0;
}

static int answer(struct engine *e, struct engine_write *w, struct engine_changes *c,
                  struct err *err)
{
    for (size_t i = 0; i < c->n; i++) {
        struct engine_change *ch = c->list[i];
        if (strcmp(ch->kind->store_kind, KIND_REVISIONS) != 0 || !str_eq(ch->name, w->name)) {
            continue;
        }
        if (w->dry_run) {
            cells_encode(c->a, ch->kind, ch->object, &ch->put);
            node_delz(node_getz(ch->object, "metadata"), "resourceVersion");
            ch->put.rv = w->old_rv;
        }
        w->json = w->dry_run && w->created ? json_emit_str(c->a, ch->object)
                                           : store_put_json(c->a, &ch->put);
        if (strcmp(w->kind->store_kind, KIND_RESOURCES) == 0) {
            struct store_object row = {.kind = STR(KIND_REVISIONS), .ns = ch->ns, .name = ch->name,
                                       .rv = ch->put.rv, .json = w->json,
                                       .data = json_emit_str(c->a, ch->data)};
            return engine_resources_get(e, &row, c->a, &w->json, err);
        }
        return 0;
    }
    return 0;
}

static int finish(struct engine *e, struct engine_job *j, struct engine_changes *c,
                  struct err *err)
{
    struct engine_write *w = j->w;
    if (w->dry_run) {
        return engine_changes_derive(c, err) < 0 ? -1 : answer(e, w, c, err);
    }
    if (engine_changes_commit(c, err) < 0) {
        j->lost_race = err->kind == ERR_CONFLICT || err->kind == ERR_ALREADY_EXISTS ||
                       err->kind == ERR_NOT_FOUND;
        bool own = err->detail_name && str_eqz(w->name, err->detail_name) &&
                   err->detail_kind && strcmp(err->detail_kind, KIND_REVISIONS) == 0;
        if (own && err->kind == ERR_CONFLICT) {
            return engine_conflict(w, err);
        }
        if (own && err->kind == ERR_ALREADY_EXISTS) {
            return err_set(err, ERR_INTERNAL,
                           "Internal error occurred: package revision workspaceNames must be "
                           "unique; package revision with name %.*s in repo %.*s with "
                           "workspaceName %.*s already exists",
                           STR_ARG(node_text_at(w->object, "spec.packageName")),
                           STR_ARG(node_text_at(w->object, "spec.repository")),
                           STR_ARG(node_text_at(w->object, "spec.workspaceName")));
        }
        return -1;
    }
    return answer(e, w, c, err);
}

/* The marker branch of a proposed deletion is pushed behind the answer, journalled in the same
 * transaction. */
static int marker_op(struct str from, struct str to)
{
    if (str_eq(from, to)) {
        return -1;
    }
    if (str_eqz(to, "DeletionProposed")) {
        return REPO_OP_MARK_DELETION;
    }
    return str_eqz(from, "DeletionProposed") ? REPO_OP_UNMARK_DELETION : -1;
}

/* An update of the revision itself that leaves it as it is writes nothing and wakes no watch, as
 * for the other kinds. */
static bool nothing_new(const struct engine_write *w, const struct engine_row *row,
                        const struct node *data, const struct node *object)
{
    struct node *old = node_copy(w->arena, row->object);
    node_delz(node_getz(old, "metadata"), "resourceVersion");
    return w->verb == ENGINE_UPDATE && strcmp(w->kind->store_kind, KIND_REVISIONS) == 0 &&
           row->stored.rv == w->old_rv && node_equal(old, object) && node_equal(data, row->data);
}

static int apply_update(struct engine *e, struct engine_job *j, struct engine_changes *c,
                        const struct wish *wish, struct engine_push **out_push, struct err *err)
{
    struct engine_write *w = j->w;
    struct arena *a = w->arena;
    struct engine_row row;
    if (engine_row_get(e, KIND_REVISIONS, w->ns, w->name, a, &row, err) < 0) {
        return -1;
    }
    struct str from = node_text_at(row.object, "spec.lifecycle");
    struct str to = wish->lifecycle.ptr ? wish->lifecycle : from;
    if (!step_allowed(from, to) || (wish->publish && !str_eqz(from, "Proposed"))) {
        return forbidden(err, "a lifecycle step that is not allowed");
    }
    struct node *object = node_copy(a, row.object), *data = node_copy(a, row.data);
    node_delz(node_getz(object, "metadata"), "resourceVersion");
    if (wish->apply) {
        take_metadata(a, object, wish->apply);
    }
    if (apply_content(c, wish, object, row.data, err) < 0) {
        return -1;
    }
    bool dying = node_text_at(object, "metadata.deletionTimestamp").len > 0;
    bool gone = (wish->remove || dying) && !has_finalizers(object);
    if (wish->remove && check_removal(row.object, err) < 0) {
        return -1;
    }
    if (wish->remove && !gone) {
        w->object = object;
        (void)engine_mark_deleted(w); /* deleting twice changes nothing */
    }
    if (!wish->publish) {
        node_set_at(a, object, "spec.lifecycle", node_str(a, to));
    }
    int op = git_op(&row, wish, gone);
    if (op >= 0 && !w->dry_run) {
        w->object = object;
        w->deleted = gone;
        *out_push = engine_push_prepare(e, j, (enum repo_op_type)op, &row, err);
        return *out_push ? 0 : -1;
    }
    if (wish->publish) { /* dry run: show what approval would give */
        node_set_at(a, object, "spec.lifecycle", node_strz(a, "Published"));
    }
    if (!gone && nothing_new(w, &row, data, object)) {
        w->json = json_emit_str(a, row.object);
        return 0;
    }
    w->deleted = gone && !w->dry_run;
    if (gone) {
        engine_changes_del(c, engine_kind(KIND_REVISIONS), object, w->old_rv);
    } else {
        engine_changes_put(c, engine_kind(KIND_REVISIONS), object, row.data, w->old_rv);
    }
    int marker = gone || w->dry_run ? -1 : marker_op(from, to);
    struct engine_push *push = NULL;
    if (marker >= 0) {
        push = engine_push_journal(e, w, (enum repo_op_type)marker, &row, c->txn);
    }
    if (finish(e, j, c, err) < 0) {
        engine_push_free(push);
        return -1;
    }
    if (push) {
        engine_push_post(e, push);
    }
    return 0;
}

/* What the run read must still be so when its effects are committed. */
static void check_reads(const struct host_run *run, struct engine_changes *c)
{
    for (size_t i = 0; i < run->n_reads; i++) {
        const struct host_read *r = &run->reads[i];
        if (r->prefix) {
            store_txn_check_none(c->txn, r->kind, r->ns, r->name);
        } else {
            store_txn_check(c->txn, r->kind, r->ns, r->name, r->rv);
        }
    }
}

/* Who did what with which script (one audit row per write). */
static void audit(const struct engine_write *w, const struct host_workflow *workflow,
                  const struct host_run *run, struct engine_changes *c)
{
    struct arena *a = c->a;
    struct node *n = node_map(a);
    node_set_strz(a, n, "time", clock_rfc3339(a, run->now_ns));
    node_set_strz(a, n, "user", w->user.name);
    node_set_strz(a, n, "verb", run->verb);
    node_set_strz(a, n, "namespace", w->ns);
    node_set_strz(a, n, "name", w->name);
    node_set_strz(a, n, "workflow", workflow->path);
    node_set_strz(a, n, "version", workflow->version);
    node_set_strz(a, n, "sha256", str_of(workflow->sha256));
    store_txn_audit(c->txn, json_emit_str(a, n));
}

int engine_effects_apply(struct engine *e, struct engine_job *j,
                         const struct host_workflow *workflow, struct host_run *run,
                         struct engine_changes *c, struct engine_push **out_push, struct err *err)
{
    struct wish wish = {0};
    if (gather(j->w, run, &wish, err) < 0) {
        return -1;
    }
    check_reads(run, c);
    if (j->w->verb == ENGINE_CREATE) {
        if (apply_create(j->w, run, c, &wish, err) < 0) {
            return -1;
        }
        audit(j->w, workflow, run, c);
        return finish(e, j, c, err);
    }
    put_events(j->w, run, c, NULL);
    audit(j->w, workflow, run, c);
    return apply_update(e, j, c, &wish, out_push, err);
}
