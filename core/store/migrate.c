/* SPDX-License-Identifier: Apache-2.0
 *
 * Schema versions. A database carries its version in `user_version`; opening runs every step
 * behind it, each in a transaction of its own, and refuses a database from a newer program.
 * A step that was released is never edited: what must change becomes the next step.
 */
#include "store/priv.h"

#include <stdio.h>

#include "base/clock.h"

static const struct {
    const char *summary, *sql;
} migrations[] = {
    {"objects, change log, content, journal",
     "CREATE TABLE meta(key TEXT PRIMARY KEY, value) WITHOUT ROWID;"
     "INSERT INTO meta VALUES('rv_base',1),('log_floor',0);"
     "CREATE TABLE migration(version INTEGER PRIMARY KEY, summary TEXT NOT NULL,"
     " at INTEGER NOT NULL);"
     /* Small rows: a scan of all keys of a kind stays cheap whatever the objects weigh. */
     "CREATE TABLE object(kind TEXT NOT NULL, ns TEXT NOT NULL, name TEXT NOT NULL,"
     " rv INTEGER NOT NULL, f1 TEXT, f2 TEXT, PRIMARY KEY(kind,ns,name)) WITHOUT ROWID;"
     "CREATE INDEX object_f1 ON object(kind,f1,ns,name) WHERE f1 IS NOT NULL;"
     "CREATE INDEX object_f2 ON object(kind,f1,f2,ns,name)"
     " WHERE f1 IS NOT NULL AND f2 IS NOT NULL;"
     "CREATE TABLE change(rv INTEGER PRIMARY KEY, kind TEXT NOT NULL, ns TEXT NOT NULL,"
     " name TEXT NOT NULL, type INTEGER NOT NULL, prev_rv INTEGER NOT NULL, at INTEGER NOT NULL,"
     " sealed INTEGER NOT NULL, meta_from INTEGER NOT NULL, meta_to INTEGER NOT NULL,"
     " uid TEXT NOT NULL, cells TEXT NOT NULL, data BLOB NOT NULL, json NOT NULL);"
     "CREATE TABLE content(id BLOB NOT NULL UNIQUE, type INTEGER NOT NULL, bytes BLOB NOT NULL);"
     "CREATE TABLE journal(key BLOB PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;"},
    {"audit and leases",
     "CREATE TABLE audit(id INTEGER PRIMARY KEY, at INTEGER NOT NULL, json TEXT NOT NULL);"
     "CREATE TABLE lease(name TEXT PRIMARY KEY, owner TEXT NOT NULL, until INTEGER NOT NULL)"
     " WITHOUT ROWID;"},
    {"index of last segments",
     "CREATE INDEX object_leaf ON object(kind,f1," F2_LEAF ",ns,name)"
     " WHERE f1 IS NOT NULL AND f2 IS NOT NULL;"
     /* Whole values are found by their last segment too. */
     "DROP INDEX object_f2;"},
    {"index of references, no leases",
     "ALTER TABLE object ADD COLUMN ref TEXT;"
     /* Where api/kinds has the reference of the one kind with references so far. */
     "UPDATE object SET ref=(SELECT coalesce(nullif(json_extract(c.json,"
     "'$.spec.tasks[0].clone.upstreamRef.upstreamRef.name'),''),nullif(json_extract(c.json,"
     "'$.spec.tasks[0].upgrade.newUpstreamRef.name'),''))"
     " FROM change c WHERE c.rv=object.rv AND json_valid(c.json)) WHERE kind='packagerevisions';"
     "CREATE INDEX object_ref ON object(kind,ref,ns,name) WHERE ref IS NOT NULL;"
     "DROP TABLE lease;"},
};

#define SCHEMA_VERSION (int)(sizeof(migrations) / sizeof(*migrations))

int meta_get(struct conn *c, const char *key, struct arena *a, struct str *out, struct err *err)
{
    AUTO_STMT *st = conn_stmt(c, SQL_META_GET, err);
    if (!st) {
        return -1;
    }
    stmt_bind(st, 1, str_of(key));
    int code = sqlite3_step(st);
    if (code != SQLITE_ROW && code != SQLITE_DONE) {
        return conn_fail(c, "read", err);
    }
    *out = code == SQLITE_ROW ? arena_str(a, stmt_col(st, 0)) : STR_NULL;
    return 0;
}

int meta_set(struct conn *c, const char *key, struct str value, struct err *err)
{
    AUTO_STMT *st = conn_stmt(c, SQL_META_SET, err);
    if (!st) {
        return -1;
    }
    stmt_bind(st, 1, str_of(key));
    stmt_bind(st, 2, value);
    return conn_step_done(c, st, "write to", err);
}

static int step_run(struct conn *c, int version, struct err *err)
{
    char after[320];
    snprintf(after, sizeof(after),
             "INSERT INTO migration VALUES(%d,'%s',%lld); PRAGMA application_id=%d;"
             " PRAGMA user_version=%d; COMMIT",
             version, migrations[version - 1].summary, (long long)(clock_real_ns() / NS_PER_S),
             STORE_APP_ID, version);
    if (conn_exec(c, "BEGIN EXCLUSIVE", err)) {
        return -1;
    }
    if (conn_exec(c, migrations[version - 1].sql, err) || conn_exec(c, after, err)) {
        (void)sqlite3_exec(c->db, "ROLLBACK", NULL, NULL, NULL);
        return err_wrap(err, "cannot bring the database to schema version %d", version);
    }
    return 0;
}

int migrate_run(struct conn *c, struct err *err)
{
    int64_t version, app, tables;
    if (conn_int(c, "PRAGMA user_version", 0, &version, err) ||
        conn_int(c, "PRAGMA application_id", 0, &app, err) ||
        conn_int(c, "SELECT count(*) FROM sqlite_schema", 0, &tables, err)) {
        return -1;
    }
    if (tables > 0 && app != STORE_APP_ID) {
        return err_set(err, ERR_INTERNAL, "cannot open '%s': it is the database of another program",
                       c->store->path);
    }
    if (version > SCHEMA_VERSION) {
        return err_set(err, ERR_INTERNAL,
                       "cannot open '%s': it has schema version %lld, this program knows up to %d;"
                       " use a newer lanai",
                       c->store->path, (long long)version, SCHEMA_VERSION);
    }
    for (int next = (int)version + 1; next <= SCHEMA_VERSION; next++) {
        if (step_run(c, next, err)) {
            return -1;
        }
    }
    return 0;
}
