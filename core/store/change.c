/* SPDX-License-Identifier: Apache-2.0
 *
 * The change log: reading it in order, and trimming it inside the writer's transactions.
 *
 * The floor is the newest number that left the log. A row below it stays while it is the body of
 * its object. When change N leaves the log, the body that N replaced goes, and a deletion goes
 * itself. The newest change never leaves, so the highest number is always in the table.
 */
#include "store/priv.h"

#include "base/clock.h"

#define TRIM_STEP 64 /* numbers that may wait before a trim pays off */

/* Columns behind the row's in SQL_CHANGES. */
enum { COL_TYPE = ROW_COLUMN_COUNT, COL_PREV, COL_FLOOR };

static bool wanted(sqlite3_stmt *st, struct str kind, struct str ns)
{
    return str_eq(stmt_col(st, 1), kind) && (!ns.ptr || str_eq(stmt_col(st, 2), ns));
}

int store_changes(struct store *s, struct str kind, struct str ns, int64_t after, size_t max_bytes,
                  bool (*fn)(void *ctx, const struct store_change *c), void *ctx,
                  int64_t *out_next, struct err *err)
{
    AUTO_BUF plain = BUF_INIT;
    *out_next = after;
    if (after >= store_rv(s)) {
        return 0;
    }
    struct conn *c = conn_reader(s, err);
    AUTO_STMT *st = c ? conn_stmt(c, SQL_CHANGES, err) : NULL;
    if (!st) {
        return -1;
    }
    (void)sqlite3_bind_int64(st, 1, after);
    stmt_bind(st, 2, kind);
    if (ns.ptr) {
        stmt_bind(st, 3, ns);
    }
    int code = SQLITE_ROW;
    size_t bytes = 0;
    bool more = true;
    while (more && bytes <= max_bytes && (code = sqlite3_step(st)) == SQLITE_ROW) {
        struct store_change change;
        if (after < sqlite3_column_int64(st, COL_FLOOR)) {
            return err_set(err, ERR_EXPIRED, "the log begins behind %lld, %lld is gone",
                           (long long)sqlite3_column_int64(st, COL_FLOOR), (long long)after);
        }
        if (wanted(st, kind, ns)) {
            if (row_view(s, st, &plain, &change.object, err)) {
                return -1;
            }
            change.type = (enum store_change_type)sqlite3_column_int(st, COL_TYPE);
            change.prev_rv = sqlite3_column_int64(st, COL_PREV);
            bytes += change.object.json.len;
            more = fn(ctx, &change);
        }
        *out_next = sqlite3_column_int64(st, 0);
    }
    return code == SQLITE_ROW || code == SQLITE_DONE ? 0 : conn_fail(c, "read", err);
}

struct old {
    int64_t rv, prev_rv;
    bool deleted;
};

/* The oldest changes, at most max, that are old enough to go. */
static int oldest_read(struct store *s, size_t max, struct old *out, size_t *out_n,
                       struct err *err)
{
    struct conn *c = s->writer.conn;
    AUTO_STMT *st = conn_stmt(c, SQL_CHANGE_OLDEST, err);
    int64_t now = clock_real_ns() / NS_PER_S;
    int code;
    if (!st) {
        return -1;
    }
    (void)sqlite3_bind_int64(st, 1, s->writer.floor);
    (void)sqlite3_bind_int64(st, 2, s->writer.rv - s->change_rows);
    (void)sqlite3_bind_int64(st, 3, (int64_t)max);
    *out_n = 0;
    while ((code = sqlite3_step(st)) == SQLITE_ROW && *out_n < max) {
        /* A time in the future was written before the clock was set back: it counts as old,
         * else it would hold the log for as long as the clock was wrong. */
        int64_t age = now - sqlite3_column_int64(st, 3);
        if (age >= 0 && age < s->change_age_s) {
            return 0;
        }
        out[(*out_n)++] = (struct old){sqlite3_column_int64(st, 0), sqlite3_column_int64(st, 1),
                                       sqlite3_column_int(st, 2) == STORE_DELETED};
    }
    return code == SQLITE_ROW || code == SQLITE_DONE ? 0 : conn_fail(c, "read", err);
}

static int change_delete(struct conn *c, int64_t rv, struct err *err)
{
    AUTO_STMT *st = conn_stmt(c, SQL_CHANGE_DELETE, err);
    if (!st) {
        return -1;
    }
    (void)sqlite3_bind_int64(st, 1, rv);
    return conn_step_done(c, st, "write to", err);
}

static int floor_save(struct conn *c, int64_t floor, struct err *err)
{
    AUTO_STMT *st = conn_stmt(c, SQL_META_SET, err);
    if (!st) {
        return -1;
    }
    stmt_bind(st, 1, STR("log_floor"));
    (void)sqlite3_bind_int64(st, 2, floor);
    return conn_step_done(c, st, "write to", err);
}

int change_trim(struct store *s, struct err *err)
{
    struct writer *w = &s->writer;
    int64_t excess = w->rv - w->floor - s->change_rows;
    int64_t step = s->change_rows / 4 < TRIM_STEP ? s->change_rows / 4 + 1 : TRIM_STEP;
    /* A little more than this group added, so that a log that once grew gets back to size. */
    int64_t max = 4 * (int64_t)w->changes + step;
    if (excess < step) {
        return 0;
    }
    size_t n = (size_t)(excess < max ? excess : max);
    AUTO_MEM struct old *old = mem_array(n, sizeof(*old));
    if (oldest_read(s, n, old, &n, err)) {
        return -1;
    }
    for (size_t i = 0; i < n; i++) {
        if ((old[i].prev_rv && change_delete(w->conn, old[i].prev_rv, err)) ||
            (old[i].deleted && change_delete(w->conn, old[i].rv, err))) {
            return -1;
        }
        w->floor = old[i].rv;
    }
    return n ? floor_save(w->conn, w->floor, err) : 0;
}
