/* SPDX-License-Identifier: Apache-2.0
 *
 * Git operations of a repository: making them, the queue of a lane, the journal. Every op is in
 * the journal before git is touched, with everything that its commits are made of, so that after a
 * crash the same op gives the same commits or is seen to be done (repo.h).
 */
#include "base/log.h"
#include "engine/push.h"

#define JOURNAL_PREFIX "push/"

struct engine_push_queue *engine_push_queue_new(void)
{
    struct engine_push_queue *q = mem_new(struct engine_push_queue);
    pthread_mutex_init(&q->lock, NULL);
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
    while (q->list.first) {
        struct engine_push *p = q->list.first;
        q->list.first = p->next;
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

static struct str subject_of(struct arena *a, struct str task_type)
{
    static const char *const subjects[][2] = {
        {"init", "Creating new empty revision"},
        {"clone", "Creating new revision by cloning"},
        {"edit", "Creating new revision by copying previous revision"},
        {"upgrade", "Upgrading revision"},
    };
    for (size_t i = 0; i < sizeof(subjects) / sizeof(subjects[0]); i++) {
        if (str_eqz(task_type, subjects[i][0])) {
            return str_of(subjects[i][1]);
        }
    }
    return arena_printf(a, "Intermediate commit%s%.*s", task_type.len ? ": " : "",
                        STR_ARG(task_type));
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
    p->op.subject = subject_of(a, type);
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

struct str engine_push_journal_text(struct arena *a, const struct engine_push *p)
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
    if (p->doubt) {
        node_setz(a, n, "doubt", node_bool(a, true));
    }
    return json_emit_str(a, n);
}

/* --- the queue --- */

static void enqueue(struct engine *e, struct engine_push *p)
{
    struct lane *l = engine_lane(e, p->ns, p->repository);
    struct engine_push_queue *q = engine_lane_pushes(l);
    pthread_mutex_lock(&q->lock);
    push_list_add(&q->list, p);
    count_pending(q, p->name, 1);
    bool post = !q->posted;
    q->posted = true;
    pthread_mutex_unlock(&q->lock);
    if (post) {
        engine_lane_post(e, l, engine_push_run, NULL);
    }
}

struct engine_push *engine_push_take(struct engine_push_queue *q)
{
    pthread_mutex_lock(&q->lock);
    struct engine_push *all = q->list.first;
    q->list.first = NULL;
    q->posted = false;
    pthread_mutex_unlock(&q->lock);
    return all;
}

void engine_push_keep(struct engine *e, struct lane *l, struct push_list *kept)
{
    struct engine_push_queue *q = engine_lane_pushes(l);
    int64_t due = INT64_MAX;
    for (struct engine_push *p = kept->first; p; p = p->next) {
        due = p->due_ns < due ? p->due_ns : due;
    }
    if (!kept->first) {
        return;
    }
    pthread_mutex_lock(&q->lock);
    *kept->last = q->list.first;
    if (!q->list.first) {
        q->list.last = kept->last;
    }
    q->list.first = kept->first;
    pthread_mutex_unlock(&q->lock);
    engine_lane_wake(e, l, due);
}

void engine_push_due(struct engine *e, struct lane *l)
{
    struct engine_push_queue *q = engine_lane_pushes(l);
    pthread_mutex_lock(&q->lock);
    bool post = q->list.first && !q->posted;
    q->posted = q->posted || post;
    pthread_mutex_unlock(&q->lock);
    if (post) {
        engine_lane_post(e, l, engine_push_run, NULL);
    }
}

void engine_push_end(struct engine_push_queue *q, struct engine_push *p)
{
    struct engine_job *job = p->job;
    pthread_mutex_lock(&q->lock);
    count_pending(q, p->name, -1);
    pthread_mutex_unlock(&q->lock);
    engine_push_free(p);
    if (job) {
        engine_job_end(job);
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
    store_txn_journal_put(txn, p->key, engine_push_journal_text(w->arena, p));
    return p;
}

void engine_push_post(struct engine *e, struct engine_push *p)
{
    enqueue(e, p);
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
    p->name = arena_str(a, node_text_at(n, "name")); /* with a NUL, for the log */
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
    p->doubt = node_bool_at(n, "doubt", false);
    p->since_ns = clock_mono_ns();
    enqueue(e, p);
    return 0;
}

int engine_push_recover(struct engine *e, struct err *err)
{
    return store_journal_each(e->store, STR(JOURNAL_PREFIX), recover_one, e, err);
}
