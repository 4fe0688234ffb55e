/* SPDX-License-Identifier: Apache-2.0
 *
 * Single reads: one object by its key, one state by its number. Each is one statement and so one
 * snapshot; it sees everything that was acknowledged before it started.
 */
#include "store/priv.h"

/* The row that st finds, copied into a. *out_found false when there is none. */
static int row_get(struct conn *c, sqlite3_stmt *st, struct arena *a, struct store_object *out,
                   bool *out_found, struct err *err)
{
    AUTO_BUF plain = BUF_INIT;
    struct store_object view;
    int code = sqlite3_step(st);
    *out_found = code == SQLITE_ROW;
    if (code == SQLITE_DONE) {
        return 0;
    }
    if (code != SQLITE_ROW) {
        return conn_fail(c, "read", err);
    }
    return row_view(c->store, st, &plain, &view, err) ? -1 : row_copy(a, &view, out, err);
}

int store_get(struct store *s, struct str kind, struct str ns, struct str name, struct arena *a,
              struct store_object *out, struct err *err)
{
    struct conn *c = conn_reader(s, err);
    AUTO_STMT *st = c ? conn_stmt(c, SQL_GET, err) : NULL;
    bool found;
    if (!st) {
        return -1;
    }
    stmt_bind(st, 1, kind);
    stmt_bind(st, 2, ns);
    stmt_bind(st, 3, name);
    if (row_get(c, st, a, out, &found, err)) {
        return -1;
    }
    return found ? 0 : err_set(err, ERR_NOT_FOUND, "'%.*s' is absent", STR_ARG(name));
}

int store_change_get(struct store *s, int64_t rv, struct arena *a, struct store_object *out,
                     struct err *err)
{
    struct conn *c = conn_reader(s, err);
    AUTO_STMT *st = c ? conn_stmt(c, SQL_CHANGE_GET, err) : NULL;
    bool found;
    if (!st) {
        return -1;
    }
    (void)sqlite3_bind_int64(st, 1, rv);
    if (row_get(c, st, a, out, &found, err)) {
        return -1;
    }
    return found ? 0 : err_set(err, ERR_NOT_FOUND, "no state has number %lld", (long long)rv);
}
