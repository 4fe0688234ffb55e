/* SPDX-License-Identifier: Apache-2.0
 *
 * The audit trail: appended by transactions, trimmed at its old end inside them.
 */
#include "store/priv.h"

#include "base/clock.h"

#define TRIM_STEP 64 /* rows that are added before a trim pays off */

int audit_apply(struct writer *w, struct str json, struct err *err)
{
    AUTO_STMT *st = conn_stmt(w->conn, SQL_AUDIT_ADD, err);
    if (!st) {
        return -1;
    }
    (void)sqlite3_bind_int64(st, 1, clock_real_ns());
    stmt_bind(st, 2, json);
    w->audits++;
    return conn_step_done(w->conn, st, "write to", err);
}

/* The newest of the oldest rows that may go; 0 = none. A few times as many are looked at as were
 * added, so that a trail that once grew gets back to size. */
static int last_due(struct store *s, int64_t *out, struct err *err)
{
    struct conn *c = s->writer.conn;
    AUTO_STMT *st = conn_stmt(c, SQL_AUDIT_OLDEST, err);
    int64_t oldest = clock_real_ns() - s->audit_age_s * NS_PER_S;
    int code;
    *out = 0;
    if (!st) {
        return -1;
    }
    (void)sqlite3_bind_int(st, 1, 4 * TRIM_STEP);
    while ((code = sqlite3_step(st)) == SQLITE_ROW) {
        int64_t id = sqlite3_column_int64(st, 0), newest = sqlite3_column_int64(st, 2);
        if (newest - id < s->audit_rows && sqlite3_column_int64(st, 1) >= oldest) {
            return 0;
        }
        *out = id;
    }
    return code == SQLITE_DONE ? 0 : conn_fail(c, "read", err);
}

int audit_trim(struct store *s, struct err *err)
{
    int64_t last;
    if (s->writer.audits < TRIM_STEP) {
        return 0;
    }
    s->writer.audits = 0;
    if (last_due(s, &last, err)) {
        return -1;
    }
    AUTO_STMT *st = last ? conn_stmt(s->writer.conn, SQL_AUDIT_TRIM, err) : NULL;
    if (!st) {
        return last ? -1 : 0;
    }
    (void)sqlite3_bind_int64(st, 1, last);
    return conn_step_done(s->writer.conn, st, "write to", err);
}
