/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of this room share and nobody else includes: the store, its connections, the
 * statements and the shape of a transaction.
 *
 * One row of `change` is both an entry of the log and, while it is the newest of its object, the
 * object's body; `object` holds only keys, indexed fields and the number of that row. So a write
 * stores its JSON once. A body is removed when the change that replaced it leaves the log, which
 * is why the state before any change in the log can always be read.
 */
#pragma once

#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>

#include "base/buf.h"
#include "base/map.h"
#include "base/mem.h"
#include "store/store.h"

#define STORE_APP_ID 0x6c616e69 /* "lani" in the file header: tells foreign databases apart */
#define STORE_PAGE_BYTES 4096   /* a commit writes each page that it touches: a create a dozen */
#define WRITER_CACHE_KIB 4096
#define READER_CACHE_KIB 1024
#define WAL_CHECKPOINT_PAGES 2000 /* copy the WAL back after so many pages … */
#define WAL_RESTART_PAGES 16000   /* … and make readers let go of it from here on */

enum sql_id {
    SQL_BEGIN,
    SQL_COMMIT,
    SQL_ROLLBACK,
    SQL_SAVEPOINT,
    SQL_RELEASE,
    SQL_ROLLBACK_TO,
    SQL_OBJECT_FIND,
    SQL_OBJECT_FROM,
    SQL_OBJECT_INSERT,
    SQL_OBJECT_MOVE,
    SQL_OBJECT_UPDATE,
    SQL_OBJECT_DELETE,
    SQL_CHANGE_INSERT,
    SQL_CHANGE_DELETE,
    SQL_CHANGE_OLDEST,
    SQL_META_SET,
    SQL_META_GET,
    SQL_CONTENT_PUT,
    SQL_CONTENT_DEL,
    SQL_JOURNAL_PUT,
    SQL_JOURNAL_DEL,
    SQL_AUDIT_ADD,
    SQL_AUDIT_OLDEST,
    SQL_AUDIT_TRIM,
    SQL_GET,
    SQL_NEWEST,
    SQL_CHANGES,
    SQL_CHANGE_GET,
    SQL_CONTENT_GET,
    SQL_CONTENT_HAS,
    SQL_JOURNAL_FROM,
    SQL_COLLECT_DATA,
    SQL_COLLECT_TREE,
    SQL_COLLECT_IDS,
    SQL_MAX
};

#define LIST_SHAPES 256 /* see list.c: one statement per combination of conditions */

/* What follows the last '/' of f2. The index object_leaf is made of this text: it never changes. */
#define F2_LEAF "substr(f2,length(rtrim(f2,replace(f2,'/','')))+1)"

/* One database connection; used by one thread. */
struct conn {
    struct store *store;
    sqlite3 *db;
    sqlite3_stmt *stmts[SQL_MAX];
    sqlite3_stmt *lists[LIST_SHAPES], *counts[LIST_SHAPES];
    struct conn *prev, *next; /* in store.readers, under store.lock */
};

struct seal {
    unsigned char key[32];
};

/* What the writer thread works on; values of a group become the store's when it commits. */
struct writer {
    struct conn *conn;
    int64_t rv, floor;       /* newest number; numbers up to floor left the log */
    uint64_t changes, bytes; /* of this group */
    struct buf json, sealed_json, sealed_data;
    int64_t audits;          /* rows added since the trail was trimmed */
    bool collecting;         /* collect.c: named has the ids that transactions named since */
    struct map named;
    uint64_t removed;        /* rows of content, in this group */
    int wal_pages, checkpointed; /* pages in the WAL; how many there were at the last checkpoint */
};

struct wake {
    store_wake_fn fn;
    void *ctx;
    struct wake *next;
};

struct store {
    char *dir, *path; /* data directory and the database in it */
    int lock_fd;
    int64_t change_rows, change_age_s, audit_rows, audit_age_s;
    int64_t rv_base; /* numbers start behind this */
    struct seal seal;

    _Atomic int64_t rv; /* newest committed number */
    _Atomic uint64_t commits, groups, changes, commit_ns, bytes, removed;
    _Atomic(struct wake *) wakes; /* only grows until close */

    pthread_mutex_t lock; /* queue, closing, readers */
    pthread_cond_t work;
    struct commit *queue_first, *queue_last;
    bool closing, has_writer;
    pthread_t thread;
    struct conn *readers;
    pthread_key_t reader_key;
    bool has_key;

    struct writer writer; /* writer thread only, once that runs */
};

/* --- txn.c --- */

enum op_type {
    OP_PUT,
    OP_DEL,
    OP_CONTENT,
    OP_CONTENT_NEED,
    OP_JOURNAL_PUT,
    OP_JOURNAL_DEL,
    OP_AUDIT,
    OP_COLLECT_BEGIN,
    OP_COLLECT_DROP,
    OP_COLLECT_END
};

struct op {
    enum op_type type;
    struct store_put *put;   /* PUT, DEL */
    struct str key, value;   /* JOURNAL; value also CONTENT and AUDIT */
    unsigned char id[20];    /* CONTENT, CONTENT_NEED, COLLECT_DROP */
    int content_type;
    struct op *next;
};

struct check {
    struct str kind, ns, name;
    int64_t rv;
    bool prefix; /* nothing begins with name */
    struct check *next;
};

struct store_txn {
    struct arena *arena;
    struct op *first, *last;
    struct check *checks;
    bool overflow;   /* the arena's limit was reached: the commit fails */
    struct op spare; /* takes what did not fit */
};

/* Appends an operation; what to fill in is borrowed until the commit. */
struct op *txn_add(struct store_txn *t, enum op_type type);
/* Appends p's JSON with the number rv in its place. */
void put_add_json(struct buf *b, const struct store_put *p, int64_t rv);

/* --- conn.c --- */

int conn_open(struct store *s, int cache_kib, struct conn **out, struct err *err);
void conn_close(struct conn *c);
/* The prepared statement, reset; NULL on error. Borrowed: reset it after use (AUTO_STMT). */
sqlite3_stmt *conn_stmt(struct conn *c, enum sql_id id, struct err *err);
/* Runs a statement without parameters. */
int conn_run(struct conn *c, enum sql_id id, struct err *err);
int conn_exec(struct conn *c, const char *sql, struct err *err);
/* First column of the first row, or `none`. */
int conn_int(struct conn *c, const char *sql, int64_t none, int64_t *out, struct err *err);
/* Sets err from the connection's last failure: says what failed, the file and the cause. -1. */
int conn_fail(struct conn *c, const char *verb, struct err *err);
/* Steps a statement to its end; rows are ignored. */
int conn_step_done(struct conn *c, sqlite3_stmt *st, const char *verb, struct err *err);
/* The calling thread's read connection, opened on first use. Borrowed. */
struct conn *conn_reader(struct store *s, struct err *err);
void conn_reader_end(void *conn);

void stmt_reset(sqlite3_stmt **st);
#define AUTO_STMT __attribute__((cleanup(stmt_reset))) sqlite3_stmt
void stmt_bind(sqlite3_stmt *st, int i, struct str s);       /* text; borrowed until reset */
void stmt_bind_bytes(sqlite3_stmt *st, int i, struct str s); /* blob; borrowed until reset */
struct str stmt_col(sqlite3_stmt *st, int i);                /* borrowed until the next step */

/* --- row.c --- */

/* The columns that row_view expects first, of `change` named c. */
#define ROW_COLUMNS                                                                                \
    "c.rv,c.kind,c.ns,c.name,c.uid,c.sealed,c.meta_from,c.meta_to,c.cells,c.data,c.json"
#define ROW_COLUMN_COUNT 11

/* Views the current row; valid until the next step and until plain changes (sealed rows are
 * decrypted into it). */
int row_view(struct store *s, sqlite3_stmt *st, struct buf *plain, struct store_object *out,
             struct err *err);
/* Copies a view into a. */
int row_copy(struct arena *a, const struct store_object *view, struct store_object *out,
             struct err *err);

/* --- migrate.c --- */

/* Brings the database to the newest schema. */
int migrate_run(struct conn *c, struct err *err);
int meta_get(struct conn *c, const char *key, struct arena *a, struct str *out, struct err *err);
int meta_set(struct conn *c, const char *key, struct str value, struct err *err);

/* --- seal.c --- */

/* Reads the key file, or makes it when `may_create`. */
int seal_load(struct seal *seal, const char *dir, bool may_create, struct err *err);
/* Hex text that proves a key without telling it; out holds 65 bytes. */
int seal_fingerprint(const struct seal *seal, char out[65], struct err *err);
/* The bytes that bind a sealed value to its place: part is 'j' or 'd'. */
void seal_context(struct buf *b, struct str kind, struct str ns, struct str name, int64_t rv,
                  char part);
int seal_close(const struct seal *seal, struct str context, struct str plain, struct buf *out,
               struct err *err);
int seal_open(const struct seal *seal, struct str context, struct str sealed, struct buf *out,
              struct err *err);

/* --- collect.c --- */

/* Applies a COLLECT op in the writer. */
int collect_apply(struct writer *w, const struct op *op, struct err *err);
/* A transaction wrote or needs this content: a collection under way spares it. */
void collect_named(struct writer *w, const unsigned char id[20]);

/* --- audit.c --- */

int audit_apply(struct writer *w, struct str json, struct err *err);
/* Removes rows that are too old or too many. */
int audit_trim(struct store *s, struct err *err);

/* --- apply.c, change.c, write.c --- */

/* Applies one transaction inside the writer's open one. The caller undoes it on error. */
int apply_txn(struct store *s, struct store_txn *t, struct err *err);
/* Moves the floor of the log up when it holds more than it must. */
int change_trim(struct store *s, struct err *err);
int write_start(struct store *s, struct err *err);
/* Finishes what is queued and ends the writer thread. */
void write_stop(struct store *s);
