/* SPDX-License-Identifier: Apache-2.0
 *
 * Content-addressed bytes: immutable, written once, read by id.
 */
#include "store/priv.h"

/* 1 = there, 0 = absent, -1 = error. *st stays on the row. */
static int content_find(struct conn *c, sqlite3_stmt *st, const unsigned char id[20],
                        struct err *err)
{
    stmt_bind_bytes(st, 1, (struct str){(const char *)id, 20});
    int code = sqlite3_step(st);
    if (code != SQLITE_ROW && code != SQLITE_DONE) {
        return conn_fail(c, "read", err);
    }
    return code == SQLITE_ROW;
}

int store_content_get(struct store *s, const unsigned char id[20], struct arena *a, int *out_type,
                      struct str *out, struct err *err)
{
    struct conn *c = conn_reader(s, err);
    AUTO_STMT *st = c ? conn_stmt(c, SQL_CONTENT_GET, err) : NULL;
    int found = st ? content_find(c, st, id, err) : -1;
    if (found < 0) {
        return -1;
    }
    if (!found) {
        return err_set(err, ERR_NOT_FOUND, "no content has this id");
    }
    struct str bytes = arena_str(a, stmt_col(st, 1));
    if (!bytes.ptr) {
        return err_set(err, ERR_TOO_LARGE, "content does not fit the memory of the request");
    }
    *out_type = sqlite3_column_int(st, 0);
    *out = bytes;
    return 0;
}

bool store_content_has(struct store *s, const unsigned char id[20])
{
    AUTO_ERR err = ERR_INIT; /* dropped: who then reads or writes the content meets it again */
    struct conn *c = conn_reader(s, &err);
    AUTO_STMT *st = c ? conn_stmt(c, SQL_CONTENT_HAS, &err) : NULL;
    return st && content_find(c, st, id, &err) == 1;
}
