/* SPDX-License-Identifier: Apache-2.0
 *
 * Git operations of a repository. What waits in a lane goes out in one push. Every op is in the
 * journal before git is touched, with everything that its commits are made of, so that after a
 * crash the same op gives the same commits or is seen to be done (repo.h).
 *
 *   waiting → revision numbers → journal → repo_push → object changes (+ journal row removed) → answer
 */
#include "base/log.h"
#include "base/mem.h"
#include "engine/priv.h"

#define JOURNAL_PREFIX "push/"
#define RETRY_MAX_S 60 /* between tries of an op that nobody waits for */

struct engine_push {
    struct engine_push *next;
    struct arena arena;      /* owns everything below that is not the job's */
    struct engine_job *job;  /* NULL: nobody waits (marker, recovery) */
    struct str ns, repository, name, key;
    struct repo_op op;
    bool journalled, done;
    int tries;
};

struct engine_push_queue {
    pthread_mutex_t lock;
    struct engine_push *first, **last;
    bool posted;             /* a lane job will take what waits */
    struct map pending;      /* names with an op not in git yet; counts as values */
};

struct engine_push_queue *engine_push_queue_new(void)
{
    struct engine_push_queue *q = mem_new(struct engine_push_queue);
    pthread_mutex_init(&q->lock, NULL);
    q->last = &q->first;
    return q;
}

void engine_push_free(struct engine_push *p)
{
    if (p) {
        err_done(&p->op.err);
        arena_done(&p->arena);
        mem_free(p);
    }
}

void engine_push_queue_free(struct engine_push_queue *q)
{
    while (q->first) {
        struct engine_push *p = q->first;
        q->first = p->next;
        engine_push_free(p);
    }
    map_done(&q->pending);
    pthread_mutex_destroy(&q->lock);
    mem_free(q);
}

bool engine_push_pending(struct lane *l, struct str name)
{
    struct engine_push_queue *q = engine_lane_pushes(l);
    pthread_mutex_lock(&q->lock);
    bool pending = map_find(&q->pending, name) != NULL;
    pthread_mutex_unlock(&q->lock);
    return pending;
}

static void count_pending(struct engine_push_queue *q, struct str name, int delta)
{
    uintptr_t n = (uintptr_t)map_find(&q->pending, name);
    n = (uintptr_t)((intptr_t)n + delta);
    if (n) {
        map_set(&q->pending, name, (void *)n);
    } else {
        map_del(&q->pending, name);
    }
}

/* --- making ops --- */

static const char *subject_of(struct str task_type)
{
    static const char *const subjects[][2] = {
        {"init", "Creating new empty revision"},
        {"clone", "Creating new revision by cloning"},
        {"edit", "Creating new revision by copying previous revision"},
        {"upgrade", "Upgrading revision"},
        {"push", "Intermediate commit: push"},
    };
    for (size_t i = 0; i < sizeof(subjects) / sizeof(subjects[0]); i++) {
        if (str_eqz(task_type, subjects[i][0])) {
            return subjects[i][1];
        }
    }
    return "Intermediate commit";
}

/* Who authors: the Repository's setting, the authenticated caller, or the service
 * (porch-api-git.md §3). */
static void set_author(struct engine_push *p, const struct engine_repository *r,
                       const struct user *u)
{
    struct arena *a = &p->arena;
    if (r->author.len || r->email.len) {
        p->op.author_name = arena_str(a, r->author.len ? r->author : r->email);
        p->op.author_email = arena_str(a, r->email);
    } else if (u && !u->anonymous && u->name.len) {
        p->op.author_name = p->op.author_email = arena_str(a, u->name);
    } else {
        p->op.author_name = STR("Package Orchestration Service");
        p->op.author_email = STR("porch@kpt.dev");
    }
}

static struct str journal_key(struct engine *e, struct arena *a, struct str ns, struct str repo)
{
    pthread_mutex_lock(&e->lock);
    uint64_t serial = ++e->serial;
    pthread_mutex_unlock(&e->lock);
    return arena_printf(a, JOURNAL_PREFIX "%.*s/%.*s/%020lld-%06llu", STR_ARG(ns), STR_ARG(repo),
                        (long long)clock_real_ns(), (unsigned long long)serial);
}

/* Fills an op from a stored revision. */
static int push_fill(struct engine *e, struct engine_push *p, const struct engine_row *row,
                     const struct user *user, struct err *err)
{
    struct arena *a = &p->arena;
    const struct node *o = row->object;
    struct engine_repository r;
    struct str repository = node_text_at(o, "spec.repository");
    p->ns = arena_str(a, row->stored.ns);
    p->name = arena_str(a, row->stored.name);
    p->repository = arena_str(a, repository);
    if (engine_repository_get(e, a, p->ns, p->repository, &r, NULL, err) < 0) {
        return -1;
    }
    struct node *tasks = node_at(o, "spec.tasks");
    struct node *task = node_is(tasks, NODE_LIST) && tasks->n ? tasks->items[0] : NULL;
    p->op.package = arena_str(a, node_text_at(o, "spec.packageName"));
    p->op.workspace = arena_str(a, node_text_at(o, "spec.workspaceName"));
    p->op.revision = node_int_at(o, "spec.revision", 0);
    /* what other tools began has no task: its content is pushed */
    struct str type = task ? node_text_at(task, "type") : STR("push");
    p->op.task = task ? json_emit_str(a, task) : STR("{\"type\":\"push\"}");
    p->op.subject = str_of(subject_of(type));
    p->op.time = clock_real_ns() / NS_PER_S;
    set_author(p, &r, user);
    if (!repo_id_parse(node_text_at(row->data, "tree"), &p->op.tree) &&
        p->op.type == REPO_OP_PUBLISH) {
        return err_set(err, ERR_INTERNAL, "package revision '%.*s' has no content",
                       STR_ARG(p->name));
    }
    /* the branch moves with every approval: its head is no mark of this package */
    bool branch = p->op.revision < 0 && str_eqz(node_text_at(row->data, "kind"), "branch");
    if (p->op.type != REPO_OP_PUBLISH && !branch) {
        (void)repo_id_parse(node_text_at(row->data, "commit"), &p->op.expect); /* none: any */
    }
    p->key = journal_key(e, a, p->ns, p->repository);
    return 0;
}

static struct str push_journal_text(struct arena *a, const struct engine_push *p)
{
    struct node *n = node_map(a);
    node_setz(a, n, "type", node_int(a, p->op.type));
    node_set_strz(a, n, "name", p->name);
    node_set_strz(a, n, "package", p->op.package);
    node_set_strz(a, n, "workspace", p->op.workspace);
    node_setz(a, n, "revision", node_int(a, p->op.revision));
    node_set_strz(a, n, "tree", repo_id_hex(a, &p->op.tree));
    node_set_strz(a, n, "expect", repo_id_hex(a, &p->op.expect));
    node_set_strz(a, n, "task", p->op.task);
    node_set_strz(a, n, "subject", p->op.subject);
    node_set_strz(a, n, "author", p->op.author_name);
    node_set_strz(a, n, "email", p->op.author_email);
    node_setz(a, n, "time", node_int(a, p->op.time));
    return json_emit_str(a, n);
}

static void push_run(struct engine *e, struct lane *l, void *arg);

static void enqueue(struct engine *e, struct engine_push *p)
{
    struct lane *l = engine_lane(e, p->ns, p->repository);
    struct engine_push_queue *q = engine_lane_pushes(l);
    pthread_mutex_lock(&q->lock);
    p->next = NULL;
    *q->last = p;
    q->last = &p->next;
    count_pending(q, p->name, 1);
    bool post = !q->posted;
    q->posted = true;
    pthread_mutex_unlock(&q->lock);
    if (post) {
        engine_lane_post(e, l, push_run, NULL);
    }
}

struct engine_push *engine_push_prepare(struct engine *e, struct engine_job *j,
                                        enum repo_op_type type, const struct engine_row *row,
                                        struct err *err)
{
    struct engine_push *p = mem_new(struct engine_push);
    p->op.type = type;
    if (push_fill(e, p, row, &j->w->user, err) < 0) {
        engine_push_free(p);
        return NULL;
    }
    p->job = j;
    return p;
}

struct engine_push *engine_push_journal(struct engine *e, struct engine_write *w,
                                        enum repo_op_type type, const struct engine_row *row,
                                        struct store_txn *txn)
{
    AUTO_ERR err = ERR_INIT;
    struct engine_push *p = mem_new(struct engine_push);
    p->op.type = type;
    if (push_fill(e, p, row, &w->user, &err) < 0) {
        log_warn("deletion marker not pushed", "revision", p->name.ptr, "error", err.message, NULL);
        engine_push_free(p);
        return NULL;
    }
    p->journalled = true;
    store_txn_journal_put(txn, p->key, push_journal_text(w->arena, p));
    return p;
}

void engine_push_post(struct engine *e, struct engine_push *p)
{
    enqueue(e, p);
}

/* --- running --- */

/* 1 + the highest published number of the package, other ops of this batch included. */
static int next_revision(struct engine *e, struct engine_push *batch, struct engine_push *p,
                         struct err *err)
{
    AUTO_ARENA a = ARENA_INIT;
    int64_t top = 0, rv;
    struct store_query q = {.kind = STR(KIND_REVISIONS), .ns = p->ns, .f1 = p->repository,
                            .f2 = p->op.package};
    struct store_list *l = store_list_open(e->store, &q, &rv, err);
    if (!l) {
        return -1;
    }
    struct store_object row;
    int got;
    while ((got = store_list_next(l, &row, err)) > 0) {
        struct node *o = json_parse(&a, row.json, NULL, err);
        int64_t n = o && engine_lifecycle_published(node_text_at(o, "spec.lifecycle"))
                        ? node_int_at(o, "spec.revision", 0)
                        : 0;
        top = n > top ? n : top;
    }
    store_list_close(l);
    for (struct engine_push *other = batch; other && other != p; other = other->next) {
        if (other->op.type == REPO_OP_PUBLISH && str_eq(other->op.package, p->op.package) &&
            !err_is(&other->op.err, ERR_INTERNAL) && other->op.revision > top) {
            top = other->op.revision;
        }
    }
    p->op.revision = top + 1;
    return got;
}

/* Numbers and journals the batch; ops that already are in the journal keep their number. */
static int prepare_batch(struct engine *e, struct engine_push *batch, struct err *err)
{
    AUTO_ARENA a = ARENA_INIT;
    struct store_txn *txn = store_txn_new(&a);
    bool any = false;
    for (struct engine_push *p = batch; p; p = p->next) {
        if (p->journalled) {
            continue;
        }
        if (p->op.type == REPO_OP_PUBLISH && next_revision(e, batch, p, err) < 0) {
            return -1;
        }
        store_txn_journal_put(txn, p->key, push_journal_text(&a, p));
        any = true;
    }
    if (any && store_commit(e->store, txn, err) < 0) {
        return -1;
    }
    for (struct engine_push *p = batch; p; p = p->next) {
        p->journalled = true;
    }
    return 0;
}

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

/* What a client asked for beside the approval: metadata of its object. */
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

/* Commits an op's changes with the removal of its journal row; repeats lost races (labels of
 * siblings move, syncs end), since git already has it. */
static int commit_op(struct engine *e, struct engine_push *p, struct err *err)
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

static void journal_drop(struct engine *e, struct engine_push *p)
{
    AUTO_ARENA a = ARENA_INIT;
    AUTO_ERR err = ERR_INIT;
    struct store_txn *txn = store_txn_new(&a);
    store_txn_journal_del(txn, p->key);
    if (store_commit(e->store, txn, &err) < 0) {
        log_error("journal row not removed", "key", p->key.ptr, "error", err.message, NULL);
    }
}

static void job_fail(struct engine_push *p, struct err *err)
{
    struct engine_write *w = p->job->w;
    if (err->kind == ERR_INTERNAL || err->kind == ERR_PLAIN) {
        bool prefixed = err->message && strncmp(err->message, "Internal error occurred", 23) == 0;
        if (!prefixed) {
            err_wrap(err, "Internal error occurred");
        }
        err->kind = ERR_INTERNAL;
    }
    w->deleted = false;
    err_move(&w->err, err);
}


/* An op that failed: its job learns why; without a job it is tried again later, because the store
 * already shows its outcome. */
static void op_failed(struct engine *e, struct engine_push *p, struct err *err)
{
    log_warn("git operation failed", "revision", p->name.ptr, "repository", p->repository.ptr,
             "error", err->message ? err->message : "", NULL);
    if (p->job) {
        journal_drop(e, p);
        job_fail(p, err);
        p->done = true;
        return;
    }
    if (++p->tries > 5 || e->stopping) {
        /* the journal keeps it for the next start */
        p->done = true;
    }
}

static void finish_op(struct engine *e, struct engine_push *p, bool pushed, struct err *batch_err)
{
    AUTO_ERR err = ERR_INIT;
    if (!pushed) {
        err_copy(&err, batch_err);
        op_failed(e, p, &err);
    } else if (p->op.err.kind != ERR_NONE) {
        err_move(&err, &p->op.err);
        op_failed(e, p, &err);
    } else if (commit_op(e, p, &err) < 0) {
        log_error("pushed but not recorded; the journal repeats it at the next start", "revision",
                  p->name.ptr, "error", err.message, NULL);
        if (p->job) {
            job_fail(p, &err);
        }
        p->done = true;
    } else {
        p->done = true;
    }
}

static struct engine_push *take_waiting(struct engine_push_queue *q)
{
    pthread_mutex_lock(&q->lock);
    struct engine_push *batch = q->first;
    q->first = NULL;
    q->last = &q->first;
    q->posted = false;
    pthread_mutex_unlock(&q->lock);
    return batch;
}

static int64_t batch_deadline(const struct engine_push *batch)
{
    int64_t deadline = clock_mono_ns() + LIMIT_GIT_MS * NS_PER_MS;
    for (const struct engine_push *p = batch; p; p = p->next) {
        if (p->job && p->job->w->deadline_ns && p->job->w->deadline_ns < deadline) {
            deadline = p->job->w->deadline_ns;
        }
    }
    return deadline;
}

/* Pushes a batch; false with err when nothing could be tried. */
static bool push_batch(struct engine *e, struct engine_push *batch, struct err *err)
{
    size_t n = 0;
    for (struct engine_push *p = batch; p; p = p->next) {
        n++;
    }
    AUTO_MEM struct repo_op *ops = mem_array(n, sizeof(*ops));
    struct repo *repo = NULL;
    if (prepare_batch(e, batch, err) < 0 ||
        engine_open_repo(e, batch->ns, batch->repository, &repo, err) < 0) {
        return false;
    }
    size_t i = 0;
    for (struct engine_push *p = batch; p; p = p->next) {
        ops[i++] = p->op;
    }
    int rc = repo_push(repo, ops, n, batch_deadline(batch), err);
    repo_unref(repo);
    i = 0;
    for (struct engine_push *p = batch; p; p = p->next) {
        p->op = ops[i++];
    }
    pthread_mutex_lock(&e->lock);
    e->pushes++;
    e->pushed_ops += n;
    e->push_failures += rc < 0;
    pthread_mutex_unlock(&e->lock);
    return rc == 0;
}

static void push_run(struct engine *e, struct lane *l, void *arg)
{
    struct engine_push_queue *q = engine_lane_pushes(l);
    struct engine_push *batch = take_waiting(q);
    if (!batch) {
        return;
    }
    AUTO_ERR err = ERR_INIT;
    bool pushed = push_batch(e, batch, &err);
    while (batch) {
        struct engine_push *p = batch;
        batch = p->next;
        finish_op(e, p, pushed, &err);
        pthread_mutex_lock(&q->lock);
        count_pending(q, p->name, -1);
        pthread_mutex_unlock(&q->lock);
        struct engine_job *job = p->job;
        if (p->done) {
            engine_push_free(p);
        } else {
            enqueue(e, p);
        }
        if (job) {
            engine_job_end(job);
        }
    }
}

/* --- after a crash --- */

static int recover_one(void *ctx, struct str key, struct str value, struct err *err)
{
    struct engine *e = ctx;
    struct engine_push *p = mem_new(struct engine_push);
    struct arena *a = &p->arena;
    struct node *n = json_parse(a, arena_str(a, value), NULL, err);
    struct str rest = str_sub(key, sizeof(JOURNAL_PREFIX) - 1, key.len);
    struct str ns, repository;
    if (!n || !str_split(&rest, '/', &ns) || !str_split(&rest, '/', &repository)) {
        engine_push_free(p);
        return err_wrap(err, "journal row '%.*s' is damaged", STR_ARG(key));
    }
    p->key = arena_str(a, key);
    p->ns = arena_str(a, ns);
    p->repository = arena_str(a, repository);
    p->name = node_text_at(n, "name");
    p->op = (struct repo_op){
        .type = (enum repo_op_type)node_int_at(n, "type", 0),
        .package = node_text_at(n, "package"),
        .workspace = node_text_at(n, "workspace"),
        .revision = node_int_at(n, "revision", 0),
        .task = node_text_at(n, "task"),
        .subject = node_text_at(n, "subject"),
        .author_name = node_text_at(n, "author"),
        .author_email = node_text_at(n, "email"),
        .time = node_int_at(n, "time", 0),
    };
    (void)repo_id_parse(node_text_at(n, "tree"), &p->op.tree);     /* zero when it has none */
    (void)repo_id_parse(node_text_at(n, "expect"), &p->op.expect);
    p->journalled = true;
    enqueue(e, p);
    return 0;
}

int engine_push_recover(struct engine *e, struct err *err)
{
    return store_journal_each(e->store, STR(JOURNAL_PREFIX), recover_one, e, err);
}
