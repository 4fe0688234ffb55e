/* SPDX-License-Identifier: Apache-2.0
 *
 * Running git operations. What waits in a lane goes out in one push:
 *
 *   waiting → revision numbers → journal → repo_push → object changes (+ journal row removed) → answer
 *
 * An op that failed and is not over stays at the head of the lane's queue until it is due again,
 * with growing pauses, or until a new op of its package comes, which must find it out of the way.
 * Two kinds stay: a deletion marker that git has not taken, since the store shows it already; and
 * an op whose client was told of a failure that may be none (repo_op.unknown).
 */
#include "base/log.h"
#include "engine/push.h"

#define DOUBT_S 60 /* what a git server has not done so long after the connection ended it never does */

/* 1 + the highest published number of the package, other ops of this batch included. An op in doubt
 * keeps the number that git may know it by, unless another revision has it by now. */
static int next_revision(struct engine *e, struct engine_push *batch, struct engine_push *p,
                         struct err *err)
{
    AUTO_ARENA a = ARENA_INIT;
    int64_t top = 0, rv;
    bool taken = false;
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
        taken = taken || (n == p->op.revision && !str_eq(row.name, p->name));
    }
    store_list_close(l);
    for (struct engine_push *other = batch; other && other != p; other = other->next) {
        if (other->op.type == REPO_OP_PUBLISH && str_eq(other->op.package, p->op.package) &&
            !err_is(&other->op.err, ERR_INTERNAL) && other->op.revision > top) {
            top = other->op.revision;
        }
    }
    if (!p->doubt || taken) {
        p->op.revision = top + 1;
    }
    return got;
}

/* Numbers and journals the batch; ops that already are in the journal keep their number. */
static int prepare_batch(struct engine *e, struct engine_push *batch, struct err *err)
{
    AUTO_ARENA a = ARENA_INIT;
    struct store_txn *txn = store_txn_new(&a);
    bool any = false;
    for (struct engine_push *p = batch; p; p = p->next) {
        if (p->journalled && !(p->doubt && p->job)) {
            continue;
        }
        if (p->op.type == REPO_OP_PUBLISH && next_revision(e, batch, p, err) < 0) {
            return -1;
        }
        store_txn_journal_put(txn, p->key, engine_push_journal_text(&a, p));
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

/* --- failures --- */

static void try_later(struct engine_push *p)
{
    static const int PAUSES_S[] = {1, 5, 30, 60, 300};
    int last = sizeof(PAUSES_S) / sizeof(*PAUSES_S) - 1;
    p->due_ns = clock_mono_ns() + PAUSES_S[p->tries < last ? p->tries : last] * NS_PER_S;
    p->tries++;
    p->seen = false;
}

/* The job was answered with an error; whether git has the op is for later tries to find out. */
static void begin_doubt(struct engine *e, struct engine_push *p)
{
    AUTO_ARENA a = ARENA_INIT;
    AUTO_ERR err = ERR_INIT;
    p->doubt = true;
    p->since_ns = clock_mono_ns();
    struct store_txn *txn = store_txn_new(&a);
    store_txn_journal_put(txn, p->key, engine_push_journal_text(&a, p));
    if (store_commit(e->store, txn, &err) < 0) { /* a crash now means that it is pushed again */
        log_error("journal row not changed", "key", p->key.ptr, "error", err.message, NULL);
    }
}

static bool repository_gone(struct engine *e, const struct engine_push *p)
{
    AUTO_ARENA a = ARENA_INIT;
    AUTO_ERR err = ERR_INIT;
    struct engine_repository r;
    return engine_repository_get(e, &a, p->ns, p->repository, &r, NULL, &err) < 0 &&
           err_is(&err, ERR_NOT_FOUND);
}

static bool is_marker(const struct engine_push *p)
{
    return p->op.type == REPO_OP_MARK_DELETION || p->op.type == REPO_OP_UNMARK_DELETION;
}

/* True when trying again can do no good, or is for the client to ask for. */
static bool is_final(struct engine *e, const struct engine_push *p, bool answered,
                     const struct err *err)
{
    if (!answered) {
        return repository_gone(e, p);
    }
    return !p->op.unknown && (!is_marker(p) || err->kind == ERR_NOT_FOUND ||
                              err->kind == ERR_INVALID || err->kind == ERR_CONFLICT);
}

/* answered: repo_push has spoken about this op, not about the connection. */
static void op_failed(struct engine *e, struct engine_push *p, bool answered, struct err *err)
{
    log_warn("git operation failed", "revision", p->name.ptr, "repository", p->repository.ptr,
             "error", err->message ? err->message : "", NULL);
    bool unknown = answered ? p->op.unknown : p->doubt;
    bool final = p->job ? !unknown : is_final(e, p, answered, err);
    if (final && p->journalled) {
        journal_drop(e, p);
    }
    if (p->job) {
        /* git refused the server's credential, or has lost the repository: nothing the client can
         * log in to or look for */
        if (err->kind == ERR_UNAUTHORIZED ||
            (err->kind == ERR_NOT_FOUND && !err->detail_name)) {
            err->kind = ERR_INTERNAL;
        }
        job_fail(p, err);
        if (!final) {
            begin_doubt(e, p);
        }
    }
    p->done = final;
}

static void finish_op(struct engine *e, struct engine_push *p, bool pushed, struct err *batch_err)
{
    AUTO_ERR err = ERR_INIT;
    if (!pushed) {
        err_copy(&err, batch_err);
        op_failed(e, p, false, &err);
    } else if (p->op.err.kind != ERR_NONE) {
        err_move(&err, &p->op.err);
        op_failed(e, p, true, &err);
    } else if (engine_push_commit(e, p, &err) < 0) {
        log_error("pushed but not recorded yet", "revision", p->name.ptr, "error", err.message,
                  NULL);
        if (p->job) {
            job_fail(p, &err);
            begin_doubt(e, p);
        }
    } else {
        p->done = true;
    }
}

/* --- the push --- */

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

/* --- ops in doubt --- */

/* A client asks again for what is in doubt: then it is pushed again, and answers that client. */
static bool adopt(struct engine_push *all, struct engine_push *p)
{
    for (struct engine_push *o = all; p->job && o; o = o->next) {
        if (o->doubt && !o->job && o->op.type == p->op.type && str_eq(o->name, p->name) &&
            repo_id_eq(&o->op.tree, &p->op.tree) &&
            str_eq(o->op.author_name, p->op.author_name)) {
            o->job = p->job;
            p->job = NULL;
            return true;
        }
    }
    return false;
}

/* An op waits until it is due, or until one behind it that is for the same package. */
static bool waits(const struct engine_push *p, int64_t now)
{
    for (const struct engine_push *o = p; o; o = o->next) {
        if ((o->job || o->due_ns <= now) && str_eq(o->op.package, p->op.package)) {
            return false;
        }
    }
    return true;
}

/* Fails the new jobs of p's package (or of its name alone). */
static void fail_jobs(struct engine_push *all, const struct engine_push *p, bool name_only,
                      const struct err *why)
{
    for (struct engine_push *o = all; o; o = o->next) {
        if (o->job && !o->doubt && !o->done &&
            (name_only ? str_eq(o->name, p->name) : str_eq(o->op.package, p->op.package))) {
            AUTO_ERR err = ERR_INIT;
            err_copy(&err, why);
            job_fail(o, &err);
            o->done = true;
        }
    }
}

static int look(struct engine *e, struct engine_push *all, const struct engine_push *p,
                bool *out_seen, struct err *err)
{
    struct repo *repo = NULL;
    if (engine_open_repo(e, p->ns, p->repository, &repo, err) < 0) {
        return -1;
    }
    int rc = repo_push_seen(repo, &p->op, batch_deadline(all), out_seen, err);
    repo_unref(repo);
    return rc;
}

/* Looks what became of an op in doubt: sets seen (it goes with the batch, which records it), done
 * (it is not in git), or neither. */
static void settle(struct engine *e, struct engine_push *all, struct engine_push *p)
{
    AUTO_ERR err = ERR_INIT;
    if (look(e, all, p, &p->seen, &err) < 0) {
        if (repository_gone(e, p)) {
            journal_drop(e, p);
            p->done = true;
        }
        fail_jobs(all, p, false, &err);
    } else if (p->seen) {
        log_warn("a git operation that had failed is in git", "revision", p->name.ptr, NULL);
        err_set(&err, ERR_CONFLICT, "package revision \"%.*s\" has changed: an earlier request "
                "that had failed was carried out", STR_ARG(p->name));
        fail_jobs(all, p, true, &err);
    } else if (clock_mono_ns() - p->since_ns > DOUBT_S * NS_PER_S) {
        journal_drop(e, p);
        p->done = true;
    }
}

/* Takes apart what waited: into the batch, what stays for later, and what has ended. */
static void sort_out(struct engine *e, struct lane *l, struct engine_push *all,
                     struct push_list *batch, struct push_list *kept)
{
    struct push_list left = {0};
    for (struct engine_push *p = all, *next; p; p = next) {
        next = p->next;
        if (adopt(left.first, p)) {
            engine_push_end(engine_lane_pushes(l), p);
        } else {
            push_list_add(&left, p);
        }
    }
    int64_t now = clock_mono_ns();
    for (struct engine_push *p = left.first; p; p = p->next) {
        if (p->doubt && !p->job && !p->done && !waits(p, now)) {
            settle(e, left.first, p);
            if (!p->seen && !p->done) {
                try_later(p);
            }
        }
    }
    for (struct engine_push *p = left.first, *next; p; p = next) {
        next = p->next;
        bool unsettled = p->doubt && !p->job && !p->seen;
        bool later = !p->seen && waits(p, now);
        if (p->done) {
            engine_push_end(engine_lane_pushes(l), p);
        } else {
            push_list_add(unsettled || later ? kept : batch, p);
        }
    }
}

void engine_push_run(struct engine *e, struct lane *l, void *arg)
{
    struct push_list batch = {0}, kept = {0};
    sort_out(e, l, engine_push_take(engine_lane_pushes(l)), &batch, &kept);
    AUTO_ERR err = ERR_INIT;
    if (batch.first) {
        engine_repository_compare(e, engine_lane_ns(l), engine_lane_name(l));
    }
    bool pushed = batch.first && push_batch(e, batch.first, &err);
    for (struct engine_push *p = batch.first, *next; p; p = next) {
        next = p->next;
        finish_op(e, p, pushed, &err);
        if (p->done) {
            engine_push_end(engine_lane_pushes(l), p);
            continue;
        }
        struct engine_job *job = p->job;
        p->job = NULL;
        try_later(p);
        push_list_add(&kept, p);
        if (job) {
            engine_job_end(job);
        }
    }
    engine_push_keep(e, l, &kept);
}
