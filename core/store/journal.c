/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading the journal: what was started and not yet finished. It is small; rows are copied before
 * the callbacks run, so that these may commit and read as they like.
 */
#include "store/priv.h"

struct entry {
    struct str key, value;
    struct entry *next;
};

static int entries_read(struct store *s, struct str prefix, struct arena *a, struct entry **out,
                        struct err *err)
{
    struct conn *c = conn_reader(s, err);
    AUTO_STMT *st = c ? conn_stmt(c, SQL_JOURNAL_FROM, err) : NULL;
    struct entry **last = out;
    int code;
    if (!st) {
        return -1;
    }
    *out = NULL;
    stmt_bind_bytes(st, 1, prefix);
    while ((code = sqlite3_step(st)) == SQLITE_ROW && str_has_prefix(stmt_col(st, 0), prefix)) {
        struct entry *e = arena_new(a, struct entry);
        e->key = arena_str(a, stmt_col(st, 0));
        e->value = arena_str(a, stmt_col(st, 1));
        *last = e;
        last = &e->next;
    }
    return code == SQLITE_ROW || code == SQLITE_DONE ? 0 : conn_fail(c, "read", err);
}

int store_journal_each(struct store *s, struct str prefix,
                       int (*fn)(void *ctx, struct str key, struct str value, struct err *err),
                       void *ctx, struct err *err)
{
    AUTO_ARENA a = ARENA_INIT;
    struct entry *e;
    if (entries_read(s, prefix, &a, &e, err)) {
        return -1;
    }
    for (; e; e = e->next) {
        if (fn(ctx, e->key, e->value, err)) {
            return -1;
        }
    }
    return 0;
}
