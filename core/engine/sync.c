/* SPDX-License-Identifier: Apache-2.0
 *
 * Repository sync: one timer thread knows when each Repository is due, its lane does the work.
 * What to do, and what the outcome means for the Ready condition, is workflows/sync.lua; fetching,
 * discovering and comparing with the stored revisions is here.
 */
#include "base/log.h"
#include "base/mem.h"
#include "engine/priv.h"
#include "engine/reconcile.h"

/* A sync that finds the refs as they were compares anyway after this time: so damage in a mirror
 * is found that nobody has run into. */
#define COMPARE_EVERY_NS (600 * NS_PER_S)

/* What this process knows about a Repository; under engine.lock. */
struct watched {
    char *ns, *name;
    int64_t due_ns;        /* monotonic; INT64_MAX = not scheduled */
    bool synced;           /* a full sync succeeded in this process */
    bool posted;           /* a lane job is queued or running */
    bool again;            /* changed while it ran */
    bool credentials;      /* its Secret changed since the last look */
    bool ended;            /* it was deleted since the last look */
    struct repo *asking;   /* what the lane is asking the server with, or NULL; borrowed */
    char *uid;             /* of the object that the stored revisions belong to; lane only */
    char *state;           /* what the stored revisions were last compared with, or NULL */
    int64_t compared_ns;   /* and when; monotonic */
};

static struct str watch_key(struct arena *a, struct str ns, struct str name)
{
    return arena_printf(a, "%.*s/%.*s", STR_ARG(ns), STR_ARG(name));
}

/* engine.lock held. */
static struct watched *watched_get(struct engine *e, struct str ns, struct str name)
{
    AUTO_ARENA a = ARENA_INIT;
    struct str key = watch_key(&a, ns, name);
    struct watched *w = map_find(&e->watched, key);
    if (!w) {
        w = mem_new(struct watched);
        *w = (struct watched){.ns = mem_strndup(ns.ptr, ns.len),
                              .name = mem_strndup(name.ptr, name.len),
                              .due_ns = INT64_MAX};
        map_set(&e->watched, key, w);
    }
    return w;
}

/* --- talking to workflows/sync.lua --- */

static int run_sync_workflow(struct engine *e, struct arena *a, struct str ns, const char *verb,
                             struct node *req, struct node **out, struct err *err)
{
    struct engine_catalog *catalog = engine_catalog_ref(e);
    const struct host_workflow *workflow = engine_catalog_find(catalog, str_of(verb));
    static const struct user service = {.name = {"system:lanai", 12}};
    int rc;
    if (!workflow) {
        rc = err_set(err, ERR_INTERNAL, "no workflow for %s", verb);
    } else {
        struct host_run run = {
            .arena = a,
            .store = e->store,
            .pool = e->pool,
            .user = &service,
            .ns = ns,
            .verb = str_of(verb),
            .req = req,
            .deadline_ns = clock_mono_ns() + LIMIT_GIT_MS * NS_PER_MS,
            .now_ns = clock_real_ns(),
            .id = engine_uid(a),
        };
        rc = host_run(&run, catalog->set, workflow, err);
        *out = run.result;
        host_run_done(&run);
    }
    engine_catalog_unref(e, catalog);
    return rc;
}

/* Writes a Repository's status, and takes runOnceAt out of spec when it has fired. Repeats lost
 * races; a Repository that is gone is no error. */
static int write_status(struct engine *e, struct str ns, struct str name,
                        const struct node *status, bool clear_run_once, struct err *err)
{
    for (int tries = 0;; tries++) {
        AUTO_ARENA a = ARENA_INIT;
        struct engine_row row;
        if (engine_row_get(e, KIND_REPOSITORIES, ns, name, &a, &row, err) < 0) {
            if (err_is(err, ERR_NOT_FOUND)) {
                err_drop(err); /* unregistered meanwhile */
                return 0;
            }
            return -1;
        }
        struct node *o = row.object;
        node_setz(&a, o, "status", node_copy(&a, status));
        if (clear_run_once && node_del_at(o, "spec.sync.runOnceAt")) {
            int64_t g = node_int_at(o, "metadata.generation", 0) + 1;
            node_set_at(&a, o, "metadata.generation", node_int(&a, g));
            node_set_at(&a, o, "status.observedGeneration", node_int(&a, g));
            struct node *ready = node_at(o, "status.conditions");
            if (node_is(ready, NODE_LIST) && ready->n) { /* the status holds Ready only */
                node_setz(&a, ready->items[0], "observedGeneration", node_int(&a, g));
            }
        }
        struct engine_changes c;
        engine_changes_init(&c, e, &a);
        engine_changes_put(&c, engine_kind(KIND_REPOSITORIES), o, row.data, row.stored.rv);
        int rc = engine_changes_commit(&c, err);
        engine_changes_done(&c);
        if (rc == 0 || err->kind != ERR_CONFLICT || tries == LIMIT_RUN_RETRIES) {
            return rc;
        }
        err_drop(err); /* lost a race: read again */
    }
}

/* --- one look at a repository --- */

struct outcome {
    bool ok;
    struct str error;
    struct repo_state state;
    int64_t revisions;
};

/* Everything that decides what a comparison finds: the refs, and what the Repository takes of
 * them. */
static int comparison_state(struct engine *e, struct arena *a, struct repo *repo, struct str ns,
                            struct str name, struct str *out, struct err *err)
{
    struct engine_repository r;
    struct repo_state s;
    if (engine_repository_get(e, a, ns, name, &r, NULL, err) < 0 ||
        repo_state_get(repo, &s, err) < 0) {
        return -1;
    }
    *out = arena_printf(a, "%s\n%.*s\n%.*s\n%.*s\n%d", s.version, STR_ARG(r.url),
                        STR_ARG(r.branch), STR_ARG(r.directory), r.deployment);
    return 0;
}

static bool state_is(struct engine *e, struct str ns, struct str name, struct str state)
{
    pthread_mutex_lock(&e->lock);
    struct watched *w = watched_get(e, ns, name);
    bool same = w->state && str_eqz(state, w->state) &&
                clock_mono_ns() - w->compared_ns < COMPARE_EVERY_NS;
    pthread_mutex_unlock(&e->lock);
    return same;
}

static void state_set(struct engine *e, struct str ns, struct str name, struct str state)
{
    pthread_mutex_lock(&e->lock);
    struct watched *w = watched_get(e, ns, name);
    mem_free(w->state);
    w->state = state.len ? mem_strndup(state.ptr, state.len) : NULL;
    w->compared_ns = clock_mono_ns();
    pthread_mutex_unlock(&e->lock);
}

void engine_repository_compare(struct engine *e, struct str ns, struct str name)
{
    state_set(e, ns, name, STR(""));
}

/* Compares unless nothing has changed since it was done. */
static int compare(struct engine *e, struct arena *a, struct repo *repo, struct str ns,
                   struct str name, int64_t *out_revisions, struct err *err)
{
    struct str before, after;
    if (comparison_state(e, a, repo, ns, name, &before, err) < 0) {
        return -1;
    }
    if (state_is(e, ns, name, before)) {
        struct store_query q = {.kind = STR(KIND_REVISIONS), .ns = ns, .f1 = name};
        return store_count(e->store, &q, out_revisions, err);
    }
    engine_repository_compare(e, ns, name); /* until this one has succeeded */
    if (engine_reconcile(e, repo, ns, name, out_revisions, err) < 0 ||
        comparison_state(e, a, repo, ns, name, &after, err) < 0) {
        return -1;
    }
    if (str_eq(before, after)) { /* else another Repository with this mirror pushed meanwhile */
        state_set(e, ns, name, after);
    }
    return 0;
}

/* What is asked here ends when the Repository is deleted, or the server stops. */
static void asking_set(struct engine *e, struct str ns, struct str name, struct repo *repo)
{
    pthread_mutex_lock(&e->lock);
    struct watched *w = watched_get(e, ns, name);
    w->asking = repo;
    if (repo && (w->ended || e->stopping)) {
        repo_cancel(repo);
    }
    pthread_mutex_unlock(&e->lock);
}

static int ask(struct engine *e, struct str ns, struct str name, struct repo *repo, bool full,
               struct repo_state *out, struct err *err)
{
    int64_t deadline = clock_mono_ns() + LIMIT_GIT_MS * NS_PER_MS;
    asking_set(e, ns, name, repo);
    int rc = full ? repo_fetch(repo, deadline, out, err) : repo_probe(repo, deadline, err);
    asking_set(e, ns, name, NULL);
    return rc;
}

static void sync_repository(struct engine *e, struct arena *a, struct str ns, struct str name,
                            bool full, struct outcome *out)
{
    AUTO_ERR err = ERR_INIT;
    struct repo *repo = NULL;
    int rc = engine_open_repo(e, ns, name, &repo, &err);
    if (rc == 0) {
        rc = ask(e, ns, name, repo, full, &out->state, &err);
    }
    if (rc == 0 && full) {
        rc = compare(e, a, repo, ns, name, &out->revisions, &err);
    }
    repo_unref(repo);
    out->ok = rc == 0;
    out->error = rc == 0 ? STR("") : arena_str(a, str_of(err.message ? err.message : ""));
    pthread_mutex_lock(&e->lock);
    e->syncs++;
    e->sync_failures += rc < 0;
    pthread_mutex_unlock(&e->lock);
}

static struct node *outcome_request(struct arena *a, struct node *object, const struct outcome *o,
                                    const char *action)
{
    struct node *req = node_map(a), *r = node_map(a);
    node_setz(a, req, "object", object);
    node_setz(a, req, "outcome", r);
    node_set_strz(a, r, "action", str_of(action));
    node_setz(a, r, "ok", node_bool(a, o->ok));
    node_set_strz(a, r, "error", o->error);
    if (o->ok && strcmp(action, "sync") == 0) {
        node_set_strz(a, r, "head", repo_id_hex(a, &o->state.head));
        node_setz(a, r, "revisions", node_int(a, o->revisions));
    }
    return req;
}

static bool is_stopping(struct engine *e)
{
    pthread_mutex_lock(&e->lock);
    bool stopping = e->stopping;
    pthread_mutex_unlock(&e->lock);
    return stopping;
}

static bool is_deleted(const struct node *object)
{
    return node_text_at(object, "metadata.deletionTimestamp").len > 0;
}

/* Seconds until the next look; the Repository is gone when *out_gone. */
static int64_t look(struct engine *e, struct str ns, struct str name, bool synced,
                    bool credentials, bool *out_synced, bool *out_gone)
{
    AUTO_ARENA a = ARENA_INIT;
    AUTO_ERR err = ERR_INIT;
    struct engine_row row;
    *out_gone = false;
    if (engine_row_get(e, KIND_REPOSITORIES, ns, name, &a, &row, &err) < 0) {
        *out_gone = err_is(&err, ERR_NOT_FOUND);
        return 30;
    }
    struct node *req = node_map(&a), *fact = node_map(&a), *plan = NULL;
    node_setz(&a, req, "object", row.object);
    node_setz(&a, req, "now", node_int(&a, clock_real_ns() / NS_PER_S));
    node_setz(&a, req, "fact", fact);
    node_setz(&a, fact, "synced_before", node_bool(&a, synced));
    node_setz(&a, fact, "credentials_changed", node_bool(&a, credentials));
    node_setz(&a, fact, "sync_frequency", node_int(&a, e->config.sync_frequency_s));
    node_setz(&a, fact, "health_frequency", node_int(&a, e->config.health_frequency_s));
    if (run_sync_workflow(e, &a, ns, "Repository/sync", req, &plan, &err) < 0) {
        log_error("sync workflow failed", "repository", name.ptr, "error", err.message, NULL);
        return 30;
    }
    struct str action = node_text_at(plan, "action");
    int64_t next = node_int_at(plan, "next", 30);
    struct node *status = node_at(plan, "status");
    if (status && write_status(e, ns, name, status, false, &err) < 0) {
        log_error("repository status not written", "repository", name.ptr, "error", err.message,
                  NULL);
        return 30;
    }
    bool full = str_eqz(action, "sync");
    if (!full && !str_eqz(action, "check")) {
        return next;
    }
    struct outcome o = {0};
    sync_repository(e, &a, ns, name, full, &o);
    *out_synced = synced || (full && o.ok);
    if (engine_row_get(e, KIND_REPOSITORIES, ns, name, &a, &row, &err) < 0) {
        *out_gone = err_is(&err, ERR_NOT_FOUND);
        return 30;
    }
    if (is_deleted(row.object) || is_stopping(e)) {
        return 0; /* the outcome is that of a cancelled fetch */
    }
    struct node *result = NULL;
    req = outcome_request(&a, row.object, &o, full ? "sync" : "check");
    node_setz(&a, req, "fact", fact);
    node_setz(&a, req, "now", node_int(&a, clock_real_ns() / NS_PER_S));
    if (run_sync_workflow(e, &a, ns, "Repository/sync-result", req, &result, &err) < 0 ||
        write_status(e, ns, name, node_at(result, "status"),
                     node_bool_at(result, "clear_run_once_at", false), &err) < 0) {
        log_error("repository status not written", "repository", name.ptr, "error", err.message,
                  NULL);
        return 30;
    }
    if (!o.ok) {
        log_warn("repository sync failed", "repository", name.ptr, "error", o.error.ptr, NULL);
    }
    return node_int_at(result, "next", 30);
}

static void schedule(struct engine *e, struct watched *w, int64_t seconds)
{
    pthread_mutex_lock(&e->lock);
    w->posted = false;
    w->due_ns = w->again ? 0 : clock_mono_ns() + seconds * NS_PER_S;
    w->again = false;
    pthread_cond_broadcast(&e->changed);
    pthread_mutex_unlock(&e->lock);
}

/* A Repository that is gone takes its revisions with it; git is not touched. */
static int forget(struct engine *e, struct str ns, struct str name)
{
    AUTO_ERR err = ERR_INIT;
    engine_repository_compare(e, ns, name);
    if (engine_reconcile_remove(e, ns, name, &err) < 0) {
        log_error("revisions of a deleted repository remain", "repository", name.ptr, "error",
                  err.message, NULL);
        return -1;
    }
    return 0;
}

/* Puts our finalizer on a Repository, and ends one that is being deleted: its revisions go, then
 * the finalizer. True when there is nothing to look at; *out_next as in look(). */
static bool ending(struct engine *e, struct str ns, struct str name, int64_t *out_next)
{
    AUTO_ARENA a = ARENA_INIT;
    AUTO_ERR err = ERR_INIT;
    struct engine_row row;
    if (engine_row_get(e, KIND_REPOSITORIES, ns, name, &a, &row, &err) < 0) {
        return false; /* look() reads again and reports */
    }
    bool deleted = is_deleted(row.object);
    *out_next = 60;
    if (deleted && forget(e, ns, name) < 0) {
        return true;
    }
    if ((deleted ? engine_repository_release(e, ns, name, &err)
                 : engine_repository_hold(e, ns, name, &err)) < 0) {
        log_error("repository finalizer not written", "repository", name.ptr, "error", err.message,
                  NULL);
        return true;
    }
    /* another finalizer may hold it; else the next look finds it gone, and what was written into
     * it meanwhile */
    *out_next = engine_row_get(e, KIND_REPOSITORIES, ns, name, &a, &row, &err) < 0 ? 0 : 60;
    return deleted;
}

/* A Repository deleted and made again under its name starts afresh: revisions of the old one go. */
static void check_uid(struct engine *e, struct watched *w)
{
    AUTO_ARENA a = ARENA_INIT;
    AUTO_ERR err = ERR_INIT; /* look() reads again and reports */
    struct engine_row row;
    struct str ns = str_of(w->ns), name = str_of(w->name);
    if (engine_row_get(e, KIND_REPOSITORIES, ns, name, &a, &row, &err) < 0) {
        return;
    }
    struct str uid = node_text_at(row.object, "metadata.uid");
    if (w->uid && !str_eqz(uid, w->uid)) {
        (void)forget(e, ns, name); /* logged; the comparison that follows removes them too */
        w->synced = false;
    }
    mem_free(w->uid);
    w->uid = mem_strndup(uid.ptr, uid.len);
}

static void sync_run(struct engine *e, struct lane *l, void *arg)
{
    struct watched *w = arg;
    if (is_stopping(e)) {
        return;
    }
    check_uid(e, w);
    pthread_mutex_lock(&e->lock);
    bool gone = false, synced = w->synced, credentials = w->credentials;
    w->credentials = w->ended = false;
    pthread_mutex_unlock(&e->lock);
    struct str ns = engine_lane_ns(l), name = engine_lane_name(l);
    int64_t next;
    if (!ending(e, ns, name, &next)) {
        next = look(e, ns, name, synced, credentials, &synced, &gone);
    }
    if (gone) {
        (void)forget(e, ns, name); /* logged; the name's next Repository tries again */
        engine_mirrors_sweep(e);
        synced = false;
        next = INT32_MAX;
    }
    pthread_mutex_lock(&e->lock);
    w->synced = synced;
    pthread_mutex_unlock(&e->lock);
    schedule(e, w, next);
}

/* engine.lock held. */
static void wake(struct engine *e, struct watched *w)
{
    if (w->posted) {
        w->again = true;
    } else {
        w->due_ns = 0;
    }
    pthread_cond_broadcast(&e->changed);
}

/* engine.lock held. */
static void end(struct engine *e, struct watched *w)
{
    w->ended = true;
    if (w->asking) {
        repo_cancel(w->asking);
    }
    wake(e, w);
}

void engine_repository_changed(struct engine *e, struct str ns, struct str name)
{
    pthread_mutex_lock(&e->lock);
    wake(e, watched_get(e, ns, name));
    pthread_mutex_unlock(&e->lock);
}

void engine_repository_ended(struct engine *e, struct str ns, struct str name)
{
    pthread_mutex_lock(&e->lock);
    end(e, watched_get(e, ns, name));
    pthread_mutex_unlock(&e->lock);
}

void engine_repositories_ended(struct engine *e, struct str ns)
{
    struct map_entry *entry;
    pthread_mutex_lock(&e->lock);
    for (size_t i = 0; (entry = map_next(&e->watched, &i)) != NULL;) {
        struct watched *w = entry->value;
        if (str_eqz(ns, w->ns)) {
            end(e, w);
        }
    }
    pthread_mutex_unlock(&e->lock);
}

void engine_secret_changed(struct engine *e, struct str ns, struct str name)
{
    AUTO_ARENA a = ARENA_INIT;
    AUTO_ERR err = ERR_INIT; /* whoever cannot be read is looked at when its time comes */
    struct store_query q = {.kind = STR(KIND_REPOSITORIES), .ns = ns};
    int64_t rv;
    struct store_list *l = store_list_open(e->store, &q, &rv, &err);
    struct store_object row;
    while (l && store_list_next(l, &row, &err) > 0) {
        struct node *o = json_parse(&a, arena_str(&a, row.json), NULL, &err);
        if (str_eq(node_text_at(o, "spec.git.secretRef.name"), name)) {
            pthread_mutex_lock(&e->lock);
            struct watched *w = watched_get(e, ns, row.name);
            w->credentials = true;
            wake(e, w);
            pthread_mutex_unlock(&e->lock);
        }
    }
    store_list_close(l);
}

/* Posts everything that is due; the time of the next one. engine.lock held on entry and exit. */
static int64_t post_due(struct engine *e)
{
    int64_t now = clock_mono_ns(), next = INT64_MAX;
    struct map_entry *entry;
    for (size_t i = 0; (entry = map_next(&e->watched, &i)) != NULL;) {
        struct watched *w = entry->value;
        if (w->posted) {
            continue;
        }
        if (w->due_ns > now) {
            next = w->due_ns < next ? w->due_ns : next;
            continue;
        }
        w->posted = true;
        w->due_ns = INT64_MAX;
        pthread_mutex_unlock(&e->lock);
        engine_lane_post(e, engine_lane(e, str_of(w->ns), str_of(w->name)), sync_run, w);
        pthread_mutex_lock(&e->lock);
        i = 0; /* the map may have grown */
    }
    return next;
}

static void *timer_main(void *arg)
{
    struct engine *e = arg;
    pthread_mutex_lock(&e->lock);
    while (!e->stopping) {
        int64_t next = post_due(e), pushes = engine_lanes_due(e), collect = engine_collect_due(e);
        next = pushes < next ? pushes : next;
        next = collect < next ? collect : next;
        int64_t limit = clock_mono_ns() + 60 * NS_PER_S; /* expiry of events rides on the timer */
        if (!e->stopping) {
            (void)thread_cond_wait_until(&e->changed, &e->lock, next < limit ? next : limit);
        }
        if (clock_mono_ns() >= limit) {
            pthread_mutex_unlock(&e->lock);
            engine_events_expire(e);
            pthread_mutex_lock(&e->lock);
        }
    }
    pthread_mutex_unlock(&e->lock);
    return NULL;
}

int engine_sync_start(struct engine *e, struct err *err)
{
    struct store_query q = {.kind = STR(KIND_REPOSITORIES)};
    int64_t rv;
    struct store_list *l = store_list_open(e->store, &q, &rv, err);
    if (!l) {
        return -1;
    }
    struct store_object row;
    int got;
    while ((got = store_list_next(l, &row, err)) > 0) {
        engine_repository_changed(e, row.ns, row.name);
    }
    store_list_close(l);
    if (got == 0) {
        e->timer = thread_start("engine-timer", timer_main, e);
        e->started = true;
    }
    return got;
}

void engine_sync_cancel(struct engine *e)
{
    struct map_entry *entry;
    for (size_t i = 0; (entry = map_next(&e->watched, &i)) != NULL;) {
        struct watched *w = entry->value;
        if (w->asking) {
            repo_cancel(w->asking);
        }
    }
}

void engine_sync_stop(struct engine *e)
{
    if (e->started) {
        pthread_join(e->timer, NULL);
        e->started = false;
    }
    struct map_entry *entry;
    for (size_t i = 0; (entry = map_next(&e->watched, &i)) != NULL;) {
        struct watched *w = entry->value;
        mem_free(w->ns);
        mem_free(w->name);
        mem_free(w->uid);
        mem_free(w->state);
        mem_free(w);
    }
    map_done(&e->watched);
}
