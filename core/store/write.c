/* SPDX-License-Identifier: Apache-2.0
 *
 * The writer thread: takes every transaction that waits, runs each inside a savepoint of one
 * SQLite transaction, commits them with one sync, and answers. While a group is being synced the
 * next one gathers, so throughput grows with the number of callers.
 *
 * A transaction that fails its expectations is undone alone. When the database itself fails, the
 * group is tried again one by one, so that only those fail that really cannot be written.
 */
#include "store/priv.h"

#include "base/clock.h"
#include "base/thread.h"

/* One caller that waits in store_commit. */
struct commit {
    struct store_txn *txn;
    struct err *err;
    int rc;
    bool done; /* under store.lock */
    pthread_cond_t cond;
    struct commit *next;
};

static void undo_numbers(struct store_txn *t)
{
    for (struct op *op = t->first; op; op = op->next) {
        if (op->put) {
            op->put->rv = 0;
        }
    }
}

/* Runs one transaction; when it fails only its own changes are undone. *out_lost: SQLite gave up
 * the whole group. */
static void commit_apply(struct store *s, struct commit *c, bool alone, bool *out_lost)
{
    struct writer *w = &s->writer;
    struct conn *db = w->conn;
    struct writer before = *w;
    c->rc = !alone && conn_run(db, SQL_SAVEPOINT, c->err) ? -1 : apply_txn(s, c->txn, c->err);
    if (c->rc == 0) {
        c->rc = alone ? 0 : conn_run(db, SQL_RELEASE, c->err);
    }
    if (c->rc == 0) {
        return;
    }
    w->rv = before.rv;
    w->changes = before.changes;
    w->bytes = before.bytes;
    w->removed = before.removed;
    undo_numbers(c->txn);
    *out_lost = sqlite3_get_autocommit(db->db) != 0;
    if (!*out_lost && !alone) {
        AUTO_ERR undo = ERR_INIT;
        *out_lost = conn_run(db, SQL_ROLLBACK_TO, &undo) || conn_run(db, SQL_RELEASE, &undo);
    }
}

static void group_undo(struct store *s)
{
    AUTO_ERR ignored = ERR_INIT;
    if (!sqlite3_get_autocommit(s->writer.conn->db)) {
        (void)conn_run(s->writer.conn, SQL_ROLLBACK, &ignored); /* nothing is left to undo then */
    }
}

/* Tries the commits [first, end) as one SQLite transaction. 0: each has its own result; -1 with
 * err: nothing was written. */
static int group_try(struct store *s, struct commit *first, struct commit *end, struct err *err)
{
    bool alone = first->next == end, lost = false;
    int good = 0;
    s->writer.changes = s->writer.bytes = s->writer.removed = 0;
    if (conn_run(s->writer.conn, SQL_BEGIN, err)) {
        return -1;
    }
    for (struct commit *c = first; c != end && !lost; c = c->next) {
        commit_apply(s, c, alone, &lost);
        good += c->rc == 0;
        if (lost) {
            err_copy(err, c->err);
        }
    }
    if (lost) {
        return -1;
    }
    if (good == 0) {
        group_undo(s);
        return 0;
    }
    if (change_trim(s, err) || audit_trim(s, err) || conn_run(s->writer.conn, SQL_COMMIT, err)) {
        return -1;
    }
    atomic_fetch_add(&s->commits, (uint64_t)good);
    atomic_fetch_add(&s->groups, 1);
    return 0;
}

static int group_run(struct store *s, struct commit *first, struct commit *end, struct err *err)
{
    int64_t rv = s->writer.rv, floor = s->writer.floor, start = clock_mono_ns();
    if (group_try(s, first, end, err)) {
        group_undo(s);
        s->writer.rv = rv;
        s->writer.floor = floor;
        return -1;
    }
    atomic_store(&s->rv, s->writer.rv);
    atomic_fetch_add(&s->changes, s->writer.changes);
    atomic_fetch_add(&s->bytes, s->writer.bytes);
    atomic_fetch_add(&s->removed, s->writer.removed);
    atomic_fetch_add(&s->commit_ns, (uint64_t)(clock_mono_ns() - start));
    return 0;
}

static void group_commit(struct store *s, struct commit *group)
{
    AUTO_ERR err = ERR_INIT;
    if (group_run(s, group, NULL, &err) == 0) {
        return;
    }
    if (!group->next) {
        group->rc = -1;
        undo_numbers(group->txn);
        err_move(group->err, &err);
        return;
    }
    for (struct commit *c = group; c; c = c->next) {
        err_drop(&err); /* the first try's failures are forgotten, this one decides */
        err_drop(c->err);
        undo_numbers(c->txn);
        if (group_run(s, c, c->next, &err)) {
            c->rc = -1;
            undo_numbers(c->txn);
            err_move(c->err, &err);
        }
    }
}

static void group_answer(struct store *s, struct commit *group)
{
    pthread_mutex_lock(&s->lock);
    for (struct commit *c = group, *next; c; c = next) {
        next = c->next; /* c is gone once its caller sees done */
        c->done = true;
        pthread_cond_signal(&c->cond);
    }
    pthread_mutex_unlock(&s->lock);
}

static struct commit *group_take(struct store *s)
{
    pthread_mutex_lock(&s->lock);
    while (!s->queue_first && !s->closing) {
        pthread_cond_wait(&s->work, &s->lock);
    }
    struct commit *group = s->queue_first;
    s->queue_first = s->queue_last = NULL;
    pthread_mutex_unlock(&s->lock);
    return group;
}

static int wal_grown(void *writer, sqlite3 *db, const char *name, int pages)
{
    struct writer *w = writer;
    w->wal_pages = pages;
    return SQLITE_OK;
}

/* Copies the WAL back into the database when it has grown. Runs when the group is answered, so
 * that no caller pays for it directly. A failure costs nothing but disk: the WAL stays valid and
 * a later try repeats it. */
static void checkpoint(struct writer *w)
{
    if (w->wal_pages < w->checkpointed) {
        w->checkpointed = 0; /* it started over */
    }
    if (w->wal_pages - w->checkpointed < WAL_CHECKPOINT_PAGES) {
        return;
    }
    w->checkpointed = w->wal_pages;
    bool restart = w->wal_pages >= WAL_RESTART_PAGES;
    if (restart) {
        (void)sqlite3_busy_timeout(w->conn->db, 100); /* how long writers may wait for readers */
    }
    (void)sqlite3_wal_checkpoint_v2(w->conn->db, NULL,
                                    restart ? SQLITE_CHECKPOINT_RESTART
                                            : SQLITE_CHECKPOINT_PASSIVE,
                                    NULL, NULL);
    if (restart) {
        (void)sqlite3_busy_timeout(w->conn->db, 5000);
    }
}

static void wake_all(struct store *s)
{
    int64_t rv = atomic_load(&s->rv);
    for (struct wake *w = atomic_load(&s->wakes); w; w = w->next) {
        w->fn(w->ctx, rv);
    }
}

static void *writer_main(void *arg)
{
    struct store *s = arg;
    struct commit *group;
    while ((group = group_take(s)) != NULL) {
        uint64_t before = atomic_load(&s->groups);
        group_commit(s, group);
        group_answer(s, group);
        if (atomic_load(&s->groups) != before) {
            wake_all(s);
        }
        checkpoint(&s->writer);
    }
    return NULL;
}

int write_start(struct store *s, struct err *err)
{
    (void)sqlite3_wal_hook(s->writer.conn->db, wal_grown, &s->writer);
    s->thread = thread_start("store-writer", writer_main, s);
    s->has_writer = true;
    return 0;
}

void write_stop(struct store *s)
{
    pthread_mutex_lock(&s->lock);
    s->closing = true;
    pthread_cond_signal(&s->work);
    pthread_mutex_unlock(&s->lock);
    if (s->has_writer) {
        (void)pthread_join(s->thread, NULL);
        s->has_writer = false;
    }
}

int store_commit(struct store *s, struct store_txn *t, struct err *err)
{
    AUTO_ERR why = ERR_INIT;
    struct commit c = {.txn = t, .err = &why, .cond = PTHREAD_COND_INITIALIZER};
    if (t->overflow) {
        return err_set(err, ERR_TOO_LARGE, "the transaction does not fit the request's memory");
    }
    pthread_mutex_lock(&s->lock);
    if (s->closing) {
        pthread_mutex_unlock(&s->lock);
        return err_set(err, ERR_UNAVAILABLE, "cannot commit to '%s': it is closing", s->path);
    }
    if (s->queue_last) {
        s->queue_last->next = &c;
    } else {
        s->queue_first = &c;
    }
    s->queue_last = &c;
    pthread_cond_signal(&s->work);
    while (!c.done) {
        pthread_cond_wait(&c.cond, &s->lock);
    }
    pthread_mutex_unlock(&s->lock);
    pthread_cond_destroy(&c.cond);
    return c.rc == 0 ? 0 : err_move(err, &why);
}

int64_t store_rv(struct store *s)
{
    return atomic_load(&s->rv);
}

void store_wake_add(struct store *s, store_wake_fn fn, void *ctx)
{
    struct wake *w = mem_new(struct wake);
    w->fn = fn;
    w->ctx = ctx;
    w->next = atomic_load(&s->wakes);
    while (!atomic_compare_exchange_weak(&s->wakes, &w->next, w)) {
    }
}

void store_stats_get(struct store *s, struct store_stats *out)
{
    out->commits = atomic_load(&s->commits);
    out->groups = atomic_load(&s->groups);
    out->changes = atomic_load(&s->changes);
    out->commit_ns = atomic_load(&s->commit_ns);
    out->bytes = atomic_load(&s->bytes);
    out->removed = atomic_load(&s->removed);
}
