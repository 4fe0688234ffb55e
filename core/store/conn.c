/* SPDX-License-Identifier: Apache-2.0
 *
 * Connections and statements: every statement text of the room is here, is prepared once per
 * connection on first use, and fails with one kind of message that names the database.
 *
 * Each reading thread has its own connection, kept under a pthread key: it is closed when the
 * thread ends or when the store closes, whichever comes first.
 */
#include "store/priv.h"

#include <stdio.h>

static const char *const sql_text[SQL_MAX] = {
    [SQL_BEGIN] = "BEGIN IMMEDIATE",
    [SQL_COMMIT] = "COMMIT",
    [SQL_ROLLBACK] = "ROLLBACK",
    [SQL_SAVEPOINT] = "SAVEPOINT txn",
    [SQL_RELEASE] = "RELEASE txn",
    [SQL_ROLLBACK_TO] = "ROLLBACK TO txn",
    [SQL_OBJECT_FIND] = "SELECT rv,f1,f2,ref FROM object WHERE kind=?1 AND ns=?2 AND name=?3",
    [SQL_OBJECT_FROM] = "SELECT name FROM object WHERE kind=?1 AND ns=?2 AND name>=?3"
                        " ORDER BY name LIMIT 1",
    [SQL_OBJECT_INSERT] = "INSERT INTO object(kind,ns,name,rv,f1,f2,ref)"
                          " VALUES(?1,?2,?3,?4,?5,?6,?7)",
    /* Without the fields in the SET list SQLite leaves their indexes alone. */
    [SQL_OBJECT_MOVE] = "UPDATE object SET rv=?4 WHERE kind=?1 AND ns=?2 AND name=?3",
    [SQL_OBJECT_UPDATE] =
        "UPDATE object SET rv=?4,f1=?5,f2=?6,ref=?7 WHERE kind=?1 AND ns=?2 AND name=?3",
    [SQL_OBJECT_DELETE] = "DELETE FROM object WHERE kind=?1 AND ns=?2 AND name=?3",
    [SQL_CHANGE_INSERT] =
        "INSERT INTO change(rv,kind,ns,name,type,prev_rv,at,sealed,meta_from,meta_to,uid,cells,"
        "data,json) VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14)",
    [SQL_CHANGE_DELETE] = "DELETE FROM change WHERE rv=?1",
    [SQL_CHANGE_OLDEST] =
        "SELECT rv,prev_rv,type,at FROM change WHERE rv>?1 AND rv<=?2 ORDER BY rv LIMIT ?3",
    [SQL_META_SET] = "INSERT OR REPLACE INTO meta(key,value) VALUES(?1,?2)",
    [SQL_META_GET] = "SELECT value FROM meta WHERE key=?1",
    [SQL_CONTENT_PUT] = "INSERT OR IGNORE INTO content(id,type,bytes) VALUES(?1,?2,?3)",
    [SQL_CONTENT_DEL] = "DELETE FROM content WHERE id=?1",
    [SQL_JOURNAL_PUT] = "INSERT OR REPLACE INTO journal(key,value) VALUES(?1,?2)",
    [SQL_JOURNAL_DEL] = "DELETE FROM journal WHERE key=?1",
    [SQL_AUDIT_ADD] = "INSERT INTO audit(at,json) VALUES(?1,?2)",
    [SQL_AUDIT_OLDEST] =
        "SELECT id,at,(SELECT max(id) FROM audit) FROM audit ORDER BY id LIMIT ?1",
    [SQL_AUDIT_TRIM] = "DELETE FROM audit WHERE id<=?1",
    [SQL_GET] = "SELECT " ROW_COLUMNS " FROM object o CROSS JOIN change c ON c.rv=o.rv"
                " WHERE o.kind=?1 AND o.ns=?2 AND o.name=?3",
    [SQL_NEWEST] = "SELECT max(rv) FROM change",
    /* The CASEs keep SQLite from loading the bytes of rows that the reader skips. The floor
     * rides along so that it comes from the same snapshot as the rows. */
    [SQL_CHANGES] =
        "SELECT c.rv,c.kind,c.ns,c.name,c.uid,c.sealed,c.meta_from,c.meta_to,"
        "CASE WHEN c.kind=?2 AND (?3 IS NULL OR c.ns=?3) THEN c.cells END,"
        "CASE WHEN c.kind=?2 AND (?3 IS NULL OR c.ns=?3) THEN c.data END,"
        "CASE WHEN c.kind=?2 AND (?3 IS NULL OR c.ns=?3) THEN c.json END,"
        "c.type,c.prev_rv,(SELECT value FROM meta WHERE key='log_floor')"
        " FROM change c WHERE c.rv>?1 ORDER BY c.rv",
    [SQL_CHANGE_GET] = "SELECT " ROW_COLUMNS " FROM change c WHERE c.rv=?1",
    [SQL_CONTENT_GET] = "SELECT type,bytes FROM content WHERE id=?1",
    [SQL_CONTENT_HAS] = "SELECT 1 FROM content WHERE id=?1",
    [SQL_JOURNAL_FROM] = "SELECT key,value FROM journal WHERE key>=?1 ORDER BY key",
    [SQL_COLLECT_DATA] = "SELECT c.data FROM object o CROSS JOIN change c ON c.rv=o.rv"
                         " WHERE c.sealed=0",
    [SQL_COLLECT_TREE] = "SELECT bytes FROM content WHERE id=?1 AND type=?2",
    [SQL_COLLECT_IDS] = "SELECT id FROM content WHERE id>?1 ORDER BY id LIMIT ?2",
};

int conn_fail(struct conn *c, const char *verb, struct err *err)
{
    int code = sqlite3_errcode(c->db), number = sqlite3_system_errno(c->db);
    const char *cause = sqlite3_errmsg(c->db), *path = c->store->path;
    switch (code & 0xff) {
    case SQLITE_FULL:
        return err_set(err, ERR_UNAVAILABLE, "cannot %s '%s': disk full", verb, path);
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return err_set(err, ERR_INTERNAL, "cannot %s '%s': the file is damaged (%s)", verb, path,
                       cause);
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_NOMEM:
        return err_set(err, ERR_UNAVAILABLE, "cannot %s '%s': %s%s%s", verb, path, cause,
                       number ? ": " : "", number ? strerror(number) : "");
    default:
        return err_set(err, ERR_INTERNAL, "cannot %s '%s': %s", verb, path, cause);
    }
}

int conn_exec(struct conn *c, const char *sql, struct err *err)
{
    if (sqlite3_exec(c->db, sql, NULL, NULL, NULL) != SQLITE_OK) {
        return conn_fail(c, "use", err);
    }
    return 0;
}

void stmt_reset(sqlite3_stmt **st)
{
    if (*st) {
        (void)sqlite3_reset(*st); /* repeats the error of the last step, which was handled */
        (void)sqlite3_clear_bindings(*st);
    }
}

static void stmt_end(sqlite3_stmt **st)
{
    (void)sqlite3_finalize(*st);
}

int conn_int(struct conn *c, const char *sql, int64_t none, int64_t *out, struct err *err)
{
    AUTO(stmt_end) sqlite3_stmt *st = NULL;
    if (sqlite3_prepare_v2(c->db, sql, -1, &st, NULL) != SQLITE_OK) {
        return conn_fail(c, "read", err);
    }
    int code = sqlite3_step(st);
    if (code != SQLITE_ROW && code != SQLITE_DONE) {
        return conn_fail(c, "read", err);
    }
    bool has = code == SQLITE_ROW && sqlite3_column_type(st, 0) != SQLITE_NULL;
    *out = has ? sqlite3_column_int64(st, 0) : none;
    return 0;
}

sqlite3_stmt *conn_stmt(struct conn *c, enum sql_id id, struct err *err)
{
    if (!c->stmts[id] && sqlite3_prepare_v3(c->db, sql_text[id], -1, SQLITE_PREPARE_PERSISTENT,
                                            &c->stmts[id], NULL) != SQLITE_OK) {
        conn_fail(c, "prepare a statement for", err);
        return NULL;
    }
    return c->stmts[id];
}

int conn_step_done(struct conn *c, sqlite3_stmt *st, const char *verb, struct err *err)
{
    int code;
    while ((code = sqlite3_step(st)) == SQLITE_ROW) {
    }
    return code == SQLITE_DONE ? 0 : conn_fail(c, verb, err);
}

int conn_run(struct conn *c, enum sql_id id, struct err *err)
{
    AUTO_STMT *st = conn_stmt(c, id, err);
    return st ? conn_step_done(c, st, id == SQL_COMMIT ? "commit to" : "write to", err) : -1;
}

void stmt_bind(sqlite3_stmt *st, int i, struct str s)
{
    /* A NULL pointer would bind NULL; an empty value is the empty text. */
    (void)sqlite3_bind_text64(st, i, s.ptr ? s.ptr : "", s.len, SQLITE_STATIC, SQLITE_UTF8);
}

void stmt_bind_bytes(sqlite3_stmt *st, int i, struct str s)
{
    (void)sqlite3_bind_blob64(st, i, s.ptr ? s.ptr : "", s.len, SQLITE_STATIC);
}

struct str stmt_col(sqlite3_stmt *st, int i)
{
    const char *bytes = sqlite3_column_blob(st, i); /* before _bytes: this order never converts */
    return (struct str){bytes, (size_t)sqlite3_column_bytes(st, i)};
}

int conn_open(struct store *s, int cache_kib, struct conn **out, struct err *err)
{
    struct conn *c = mem_new(struct conn);
    c->store = s;
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX;
    char pragmas[160];
    snprintf(pragmas, sizeof(pragmas),
             "PRAGMA cache_size=-%d; PRAGMA mmap_size=0; PRAGMA temp_store=MEMORY", cache_kib);
    if (sqlite3_open_v2(s->path, &c->db, flags, NULL) != SQLITE_OK) {
        conn_fail(c, "open", err);
        conn_close(c);
        return -1;
    }
    (void)sqlite3_extended_result_codes(c->db, 1);
    (void)sqlite3_busy_timeout(c->db, 5000); /* only recovery and checkpoints make anyone wait */
    if (conn_exec(c, pragmas, err)) {
        conn_close(c);
        return -1;
    }
    *out = c;
    return 0;
}

void conn_close(struct conn *c)
{
    if (!c) {
        return;
    }
    for (int i = 0; i < SQL_MAX; i++) {
        (void)sqlite3_finalize(c->stmts[i]);
    }
    for (int i = 0; i < LIST_SHAPES; i++) {
        (void)sqlite3_finalize(c->lists[i]);
        (void)sqlite3_finalize(c->counts[i]);
    }
    (void)sqlite3_close(c->db);
    mem_free(c);
}

struct conn *conn_reader(struct store *s, struct err *err)
{
    struct conn *c = pthread_getspecific(s->reader_key);
    if (c) {
        return c;
    }
    if (conn_open(s, READER_CACHE_KIB, &c, err)) {
        return NULL;
    }
    if (conn_exec(c, "PRAGMA query_only=1", err)) {
        conn_close(c);
        return NULL;
    }
    (void)pthread_setspecific(s->reader_key, c);
    pthread_mutex_lock(&s->lock);
    c->next = s->readers;
    if (c->next) {
        c->next->prev = c;
    }
    s->readers = c;
    pthread_mutex_unlock(&s->lock);
    return c;
}

void conn_reader_end(void *conn)
{
    struct conn *c = conn;
    struct store *s = c->store;
    pthread_mutex_lock(&s->lock);
    if (c->prev) {
        c->prev->next = c->next;
    } else {
        s->readers = c->next;
    }
    if (c->next) {
        c->next->prev = c->prev;
    }
    pthread_mutex_unlock(&s->lock);
    conn_close(c);
}
