/* SPDX-License-Identifier: Apache-2.0
 *
 * Writes of package kinds: pick the workflow, run it, turn its effects into changes, commit once.
 * A run that lost a race against something other than its own object is repeated (style.md §5.3).
 */
#include "base/log.h"
#include "base/mem.h"
#include "engine/priv.h"
#include "krm/name.h"

void engine_job_end(struct engine_job *j)
{
    struct engine *e = j->e;
    if (j->lock_key.len) {
        engine_lock_drop(e, j->lock_key);
    }
    j->done(j->ctx, j->w);
    mem_free(j);
    pthread_mutex_lock(&e->lock);
    e->running--;
    pthread_cond_broadcast(&e->changed);
    pthread_mutex_unlock(&e->lock);
}

static bool is_resources(const struct engine_write *w)
{
    return strcmp(w->kind->store_kind, KIND_RESOURCES) == 0;
}

/* Takes the try-lock of the object, or of what a create names. */
static int take_lock(struct engine_job *j, struct err *err)
{
    struct engine_write *w = j->w;
    struct arena *a = w->arena;
    struct str key;
    if (w->verb == ENGINE_CREATE) {
        struct str repository = node_text_at(w->object, "spec.repository");
        struct str package = node_text_at(w->object, "spec.packageName");
        struct str workspace = node_text_at(w->object, "spec.workspaceName");
        key = arena_printf(a, "%.*s-%.*s-%.*s-%.*s", STR_ARG(w->ns), STR_ARG(repository),
                           STR_ARG(package), STR_ARG(workspace));
        if (!engine_lock_take(j->e, key)) {
            return err_set(err, ERR_CONFLICT,
                           "Operation cannot be fulfilled on packagerevisions.porch.kpt.dev "
                           "\"(new creation)\": another request is already in progress to create "
                           "package revision with details namespace=\"%.*s\", "
                           "repository=\"%.*s\", package=\"%.*s\",workspace=\"%.*s\"",
                           STR_ARG(w->ns), STR_ARG(repository), STR_ARG(package),
                           STR_ARG(workspace));
        }
    } else {
        key = arena_printf(a, "%.*s/%.*s", STR_ARG(w->ns), STR_ARG(w->name));
        if (!engine_lock_take(j->e, key)) {
            struct str resource = engine_resource(a, w->kind);
            err_set(err, ERR_CONFLICT,
                    "Operation cannot be fulfilled on %.*s \"%.*s\": another request is already "
                    "in progress on %s \"%.*s\"",
                    STR_ARG(resource), STR_ARG(w->name),
                    is_resources(w) ? "package revision resources" : "package revision",
                    STR_ARG(key));
            return err_details(err, arena_strz(a, w->name), w->kind->group, w->kind->resource);
        }
    }
    j->lock_key = key;
    return 0;
}

static size_t n_tasks(const struct node *object)
{
    const struct node *tasks = node_at(object, "spec.tasks");
    return node_is(tasks, NODE_LIST) ? tasks->n : 0;
}

/* True when the update adds a task about a directory of the draft; other tasks that an update
 * brings are ignored, as by the peer. */
static bool adds_subpackage(const struct engine_write *w)
{
    size_t n = n_tasks(w->object);
    if (n != n_tasks(w->old) + 1) {
        return false;
    }
    const struct node *task = node_at(w->object, "spec.tasks")->items[n - 1];
    return node_text_at(task, "clone.subpackageDir").len ||
           node_text_at(task, "upgrade.subpackageDir").len;
}

/* "PackageRevision/<verb>" of an update: what the change of lifecycle, or a task that was added,
 * asks for. */
static const char *update_verb(const struct engine_write *w)
{
    struct str old = node_text_at(w->old, "spec.lifecycle");
    struct str now = node_text_at(w->object, "spec.lifecycle");
    if (str_eqz(now, "Draft") && str_eq(old, now) && adds_subpackage(w)) {
        return "PackageRevision/subpackage";
    }
    if (!now.len || str_eq(old, now)) {
        return "PackageRevision/update";
    }
    if (str_eqz(now, "Proposed")) {
        return "PackageRevision/propose";
    }
    if (str_eqz(now, "DeletionProposed")) {
        return "PackageRevision/propose-delete";
    }
    if (str_eqz(now, "Published") && str_eqz(old, "Proposed")) {
        return "PackageRevision/approve";
    }
    return "PackageRevision/reject";
}

/* A task that a creation may have, with its member (porch-api.md §4.2). */
static int check_task(const struct engine_write *w, const struct node *task, struct str type,
                      struct err *err)
{
    static const char *const types[] = {"init", "clone", "edit", "upgrade", NULL};
    const char *name = arena_strz(w->arena, type);
    size_t i = 0;
    while (types[i] && !str_eqz(type, types[i])) {
        i++;
    }
    if (!types[i]) {
        return api_err(err, ERR_INTERNAL, "create-task-unknown", name);
    }
    if (node_get(task, type)) {
        return 0;
    }
    return strcmp(types[i], "upgrade") == 0
               ? api_err(err, ERR_BAD_REQUEST, "create-task-upgrade-unset")
               : api_err(err, ERR_INTERNAL, "create-task-unset", name, name);
}

static int create_verb(const struct engine_write *w, struct str *out, struct err *err)
{
    const struct node *tasks = node_at(w->object, "spec.tasks");
    size_t n = n_tasks(w->object);
    if (n > 1) {
        return api_err(err, ERR_INTERNAL, "create-many-tasks");
    }
    struct str type = n ? node_text_at(tasks->items[0], "type") : STR("init");
    if (n && check_task(w, tasks->items[0], type, err) < 0) {
        return -1;
    }
    *out = arena_printf(w->arena, "PackageRevision/%.*s",
                        STR_ARG(str_eqz(type, "edit") ? STR("copy") : type));
    return 0;
}

static int pick_verb(const struct engine_write *w, struct str *out, struct err *err)
{
    if (is_resources(w)) {
        *out = STR("PackageRevisionResources/update");
        return 0;
    }
    if (w->verb == ENGINE_CREATE) {
        return create_verb(w, out, err);
    }
    *out = str_of(w->verb == ENGINE_DELETE ? "PackageRevision/delete" : update_verb(w));
    return 0;
}

/* A repository that has never been fetched and cannot be takes no new revisions: its error is the
 * answer (porch-api-repository.md §1.2). One that was in good order before keeps taking drafts. */
static int check_opened(const struct node *repository, struct err *err)
{
    const struct node *ready = node_at(repository, "status.conditions");
    ready = node_is(ready, NODE_LIST) && ready->n ? ready->items[0] : NULL;
    if (node_text_at(repository, "status.lastFullSyncTime").len ||
        !str_eqz(node_text_at(ready, "reason"), "Error")) {
        return 0;
    }
    return err_set(err, ERR_INTERNAL, "Internal error occurred: %.*s",
                   STR_ARG(node_text_at(ready, "message")));
}

/* The Repository must be there, ours to manage, and not on its way out. */
static int check_repository(struct engine *e, struct engine_write *w, struct err *err)
{
    const struct node *o = w->object && !is_resources(w) ? w->object : w->old;
    struct str name = node_text_at(o, "spec.repository");
    if (w->verb == ENGINE_CREATE && !name.len) {
        return err_set(err, ERR_BAD_REQUEST, "spec.repositoryName is required");
    }
    if (w->verb != ENGINE_CREATE) {
        name = node_text_at(w->old, "spec.repository");
    }
    struct engine_row row;
    if (engine_row_get(e, KIND_REPOSITORIES, w->ns, name, w->arena, &row, err) < 0) {
        return -1;
    }
    if (w->verb == ENGINE_CREATE && node_text_at(row.object, "metadata.deletionTimestamp").len) {
        return engine_not_found(engine_kind(KIND_REPOSITORIES), name, err);
    }
    if (w->verb == ENGINE_CREATE && check_opened(row.object, err) < 0) {
        return -1;
    }
    struct str marker = node_text(node_get(node_at(row.object, "metadata.annotations"),
                                           STR("porch.kpt.dev/v1alpha2-migration")));
    if (str_eqz(marker, "true")) {
        return err_set(err, ERR_GONE,
                       "repository \"%.*s\" is managed by v1alpha2; use the v1alpha2 API",
                       STR_ARG(name));
    }
    return 0;
}

static int check_parent(struct engine *e, struct engine_write *w, struct err *err)
{
    struct str parent = node_text_at(w->object, "spec.parent.name");
    if (!parent.len || is_resources(w)) {
        return 0;
    }
    struct engine_row row;
    struct krm_name parsed;
    AUTO_ERR why = ERR_INIT;
    if (krm_name_parse(w->arena, parent, &parsed, &why) < 0 ||
        engine_row_get(e, KIND_REVISIONS, w->ns, parent, w->arena, &row, &why) < 0) {
        return api_err(err, ERR_PLAIN, "create-parent", arena_strz(w->arena, parent), why.message);
    }
    return 0;
}

/* Checks before the lock, the lock, and what needs it. */
static int prepare(struct engine *e, struct engine_job *j, struct err *err)
{
    struct engine_write *w = j->w;
    if (w->verb == ENGINE_CREATE) {
        struct engine_row ns;
        if (engine_row_get(e, "namespaces", STR(""), w->ns, w->arena, &ns, err) < 0 ||
            check_repository(e, w, err) < 0 || engine_validate_create(w, err) < 0 ||
            check_parent(e, w, err) < 0) {
            return -1;
        }
        struct str package = node_text_at(w->object, "spec.packageName");
        while (str_has_prefix(package, STR("/"))) {
            package = str_sub(package, 1, package.len);
        }
        node_set_at(w->arena, w->object, "spec.packageName", node_str(w->arena, package));
        return take_lock(j, err);
    }
    if (take_lock(j, err) < 0) {
        return -1;
    }
    struct store_object now;
    if (store_get(e->store, STR(KIND_REVISIONS), w->ns, w->name, w->arena, &now, err) < 0) {
        return err_is(err, ERR_NOT_FOUND) ? engine_not_found(w->kind, w->name, err) : -1;
    }
    /* what is wrong with the object is said before that it is old */
    bool updates = w->verb == ENGINE_UPDATE && !is_resources(w);
    if (updates && engine_validate_update(w, err) < 0) {
        return -1;
    }
    if (now.rv != w->old_rv) {
        return engine_conflict(w, err);
    }
    if (w->verb == ENGINE_DELETE && engine_check_preconditions(w, err) < 0) {
        return -1;
    }
    return check_repository(e, w, err) < 0 || check_parent(e, w, err) < 0 ? -1 : 0;
}

struct package_context {
    struct engine *e;
};

static int open_repo(void *ctx, struct str ns, struct str repository, struct repo **out,
                     struct err *err)
{
    return engine_open_repo(((struct package_context *)ctx)->e, ns, repository, out, err);
}

static int open_package(void *ctx, struct str ns, struct str name, struct repo **out_repo,
                        struct repo_id *out_tree, struct err *err)
{
    struct engine *e = ((struct package_context *)ctx)->e;
    AUTO_ARENA a = ARENA_INIT;
    struct engine_row row;
    if (engine_row_get(e, KIND_REVISIONS, ns, name, &a, &row, err) < 0) {
        return -1;
    }
    if (!repo_id_parse(node_text_at(row.data, "tree"), out_tree)) {
        return err_set(err, ERR_INTERNAL, "package revision '%.*s' has no content",
                       STR_ARG(name));
    }
    return engine_open_repo(e, ns, node_text_at(row.object, "spec.repository"), out_repo, err);
}

static int open_upstream(void *ctx, struct str ns, const struct host_upstream *u,
                         int64_t deadline_ns, struct repo **out, struct err *err)
{
    return engine_open_upstream(((struct package_context *)ctx)->e, ns, u, deadline_ns, out, err);
}

static struct node *request_node(const struct engine_write *w)
{
    struct arena *a = w->arena;
    struct node *req = node_map(a);
    if (w->object) {
        node_setz(a, req, "object", node_copy(a, w->object));
    }
    if (w->old) {
        node_setz(a, req, "old", w->old);
    }
    if (is_resources(w)) {
        struct node *files = node_at(w->object, "spec.resources");
        node_setz(a, req, "object", w->old);
        node_setz(a, req, "resources", files ? files : node_map(a));
    }
    return req;
}

/* One run of the workflow. *out_push: what git must do before the job can be answered. */
static int run_once(struct engine *e, struct engine_job *j, const struct engine_catalog *catalog,
                    const struct host_workflow *workflow, struct engine_push **out_push, struct err *err)
{
    struct engine_write *w = j->w;
    struct package_context ctx = {.e = e};
    struct host_run run = {
        .arena = w->arena,
        .store = e->store,
        .pool = e->pool,
        .user = &w->user,
        .ns = w->ns,
        .verb = workflow->on[0],
        .req = request_node(w),
        .dry_run = w->dry_run,
        .functions = &catalog->functions,
        .runner = e->config.runner,
        .image_prefix = e->config.image_prefix,
        .compat = e->config.compat,
        .deadline_ns = w->deadline_ns,
        .now_ns = clock_real_ns(),
        .id = engine_uid(w->arena),
        .open_repo = open_repo,
        .open_package = open_package,
        .open_upstream = open_upstream,
        .ctx = &ctx,
    };
    int rc = host_run(&run, catalog->set, workflow, err);
    pthread_mutex_lock(&e->lock);
    e->runs++;
    e->run_failures += rc < 0;
    e->run_ns += (uint64_t)run.cpu_ns;
    pthread_mutex_unlock(&e->lock);
    if (rc < 0) {
        if (err_is(err, ERR_FORBIDDEN) && !err->detail_name) {
            err_details(err, arena_strz(w->arena, w->name), w->kind->group, w->kind->resource);
        }
        host_run_done(&run);
        return -1;
    }
    struct engine_changes changes;
    engine_changes_init(&changes, e, w->arena);
    j->lost_race = false;
    rc = engine_effects_apply(e, j, workflow, &run, &changes, out_push, err);
    engine_changes_done(&changes);
    for (size_t i = 0; rc == 0 && i < run.n_effects; i++) {
        if (run.effects[i].failure.len) { /* saved, and still no success */
            rc = err_set(err, ERR_INTERNAL, "Internal error occurred: %.*s",
                         STR_ARG(run.effects[i].failure));
        }
    }
    host_run_done(&run);
    return rc;
}

/* True when the commit failed because of another object than the request's own: what the run read
 * has changed, so it is repeated. */
static bool lost_elsewhere(const struct engine_job *j, const struct err *err)
{
    return j->lost_race && err->detail_name && !str_eqz(j->w->name, err->detail_name);
}

static int run_workflow(struct engine *e, struct engine_job *j, struct engine_push **out_push, struct err *err)
{
    struct engine_write *w = j->w;
    struct str verb;
    if (pick_verb(w, &verb, err) < 0) {
        return -1;
    }
    struct engine_catalog *catalog = engine_catalog_ref(e);
    const struct host_workflow *workflow = engine_catalog_find(catalog, verb);
    int rc = -1;
    if (!workflow) {
        struct str type = str_sub(verb, sizeof("PackageRevision/") - 1, verb.len);
        err_set(err, ERR_INTERNAL, "Internal error occurred: task of type \"%.*s\" not supported",
                STR_ARG(type));
    } else {
        for (int tries = 0; tries < LIMIT_RUN_RETRIES; tries++) {
            rc = run_once(e, j, catalog, workflow, out_push, err);
            if (rc == 0 || !lost_elsewhere(j, err) || tries + 1 == LIMIT_RUN_RETRIES) {
                break;
            }
            err_drop(err); /* the next run has an outcome of its own */
            pthread_mutex_lock(&e->lock);
            e->reruns++;
            pthread_mutex_unlock(&e->lock);
        }
    }
    engine_catalog_unref(e, catalog);
    return rc;
}

void engine_write_package(struct engine *e, struct engine_job *j)
{
    struct engine_push *push = NULL;
    if (prepare(e, j, &j->w->err) == 0) {
        (void)run_workflow(e, j, &push, &j->w->err); /* the error is the answer */
    }
    /* from here on the job may end on another thread and take its arena with it */
    if (push) {
        engine_push_post(e, push);
    } else {
        engine_job_end(j);
    }
}
