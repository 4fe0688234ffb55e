/* SPDX-License-Identifier: Apache-2.0
 *
 * Removal of content that nothing needs. Needed is what a current object's data or a journal row
 * names in hex, and what a needed tree has. Readers find that out while writes go on; the writer
 * remembers what transactions named since the start, and spares it when it is told to remove rows.
 * Rows go in transactions of a few, each right by itself, so a crash leaves nothing half done.
 *
 * Why nothing needed is lost: a transaction is either applied before the start, then its objects are
 * in the snapshot that is read after it; or behind it, then the writer has seen what it names. What
 * it took for granted it names as well (store_txn_content_need), and fails when that is gone.
 */
#include "store/priv.h"

#define TREE 2          /* git's number of the type */
#define ID_BYTES 20
#define BATCH 512       /* ids that are read at a time */
#define REMOVE_ROWS 16  /* per transaction: some dozen pages, not to hold up writes */

struct collect {
    struct store *store;
    struct conn *conn;
    struct map live;   /* ids that are needed, whether they are content or not */
    struct buf trees;  /* ids whose rows are still to be looked at */
};

static struct str id_str(const void *id)
{
    return (struct str){id, ID_BYTES};
}

/* --- in the writer --- */

int collect_apply(struct writer *w, const struct op *op, struct err *err)
{
    if (op->type == OP_COLLECT_DROP) {
        if (map_has(&w->named, id_str(op->id))) {
            return 0;
        }
        AUTO_STMT *st = conn_stmt(w->conn, SQL_CONTENT_DEL, err);
        if (!st) {
            return -1;
        }
        stmt_bind_bytes(st, 1, id_str(op->id));
        w->removed++;
        return conn_step_done(w->conn, st, "write to", err);
    }
    map_done(&w->named);
    w->collecting = op->type == OP_COLLECT_BEGIN;
    return 0;
}

void collect_named(struct writer *w, const unsigned char id[ID_BYTES])
{
    if (w->collecting) {
        map_set(&w->named, id_str(id), w);
    }
}

/* --- beside it --- */

static int mark(struct store *s, enum op_type type, struct err *err)
{
    AUTO_ARENA a = ARENA_INIT;
    struct store_txn *t = store_txn_new(&a);
    txn_add(t, type);
    return store_commit(s, t, err);
}

static void need(struct collect *c, struct str id)
{
    if (!map_set(&c->live, id, c)) {
        buf_add_str(&c->trees, id);
    }
}

/* Every run of 40 hex digits in text is an id. */
static void need_named(struct collect *c, struct str text)
{
    unsigned char id[ID_BYTES];
    size_t digits = 0;
    for (size_t i = 0; i <= text.len; i++) {
        char ch = i < text.len ? text.ptr[i] : 0;
        bool letter = ch >= 'a' && ch <= 'f';
        if (!letter && (ch < '0' || ch > '9')) {
            digits = 0;
            continue;
        }
        size_t at = digits % (2 * ID_BYTES) / 2;
        unsigned value = letter ? (unsigned)(ch - 'a') + 10 : (unsigned)(ch - '0');
        id[at] = (unsigned char)(digits % 2 ? id[at] | value : value << 4);
        if (++digits % (2 * ID_BYTES) == 0) {
            need(c, id_str(id));
        }
    }
}

static int roots_from(struct collect *c, enum sql_id id, int column, struct err *err)
{
    AUTO_STMT *st = conn_stmt(c->conn, id, err);
    int code;
    if (!st) {
        return -1;
    }
    if (id == SQL_JOURNAL_FROM) {
        stmt_bind_bytes(st, 1, STR(""));
    }
    while ((code = sqlite3_step(st)) == SQLITE_ROW) {
        need_named(c, stmt_col(st, column));
    }
    return code == SQLITE_DONE ? 0 : conn_fail(c->conn, "read", err);
}

/* Objects and journal come from one snapshot: what moves from one to the other is in it. */
static int roots_read(struct collect *c, struct err *err)
{
    if (conn_exec(c->conn, "BEGIN", err)) {
        return -1;
    }
    int rc = roots_from(c, SQL_COLLECT_DATA, 0, err);
    rc = rc ? rc : roots_from(c, SQL_JOURNAL_FROM, 1, err);
    (void)sqlite3_exec(c->conn->db, "COMMIT", NULL, NULL, NULL); /* ends a read */
    return rc;
}

/* "<mode> <name>\0<20 bytes>" per entry. */
static void need_entries(struct collect *c, struct str tree)
{
    ptrdiff_t end;
    while ((end = str_find_byte(tree, 0)) >= 0 && tree.len - (size_t)end > ID_BYTES) {
        need(c, id_str(tree.ptr + end + 1));
        tree = str_sub(tree, (size_t)end + 1 + ID_BYTES, tree.len);
    }
}

static int trees_walk(struct collect *c, struct err *err)
{
    while (c->trees.len) {
        unsigned char id[ID_BYTES];
        c->trees.len -= ID_BYTES;
        memcpy(id, c->trees.ptr + c->trees.len, ID_BYTES);
        AUTO_STMT *st = conn_stmt(c->conn, SQL_COLLECT_TREE, err);
        if (!st) {
            return -1;
        }
        stmt_bind_bytes(st, 1, id_str(id));
        (void)sqlite3_bind_int(st, 2, TREE);
        int code = sqlite3_step(st);
        if (code == SQLITE_ROW) {
            need_entries(c, stmt_col(st, 0));
        } else if (code != SQLITE_DONE) {
            return conn_fail(c->conn, "read", err);
        }
    }
    return 0;
}

/* Up to BATCH ids of content behind *after, which moves on. */
static int batch_read(struct collect *c, struct buf *after, struct buf *out, struct err *err)
{
    AUTO_STMT *st = conn_stmt(c->conn, SQL_COLLECT_IDS, err);
    int code;
    if (!st) {
        return -1;
    }
    buf_clear(out);
    stmt_bind_bytes(st, 1, buf_str(after));
    (void)sqlite3_bind_int(st, 2, BATCH);
    while ((code = sqlite3_step(st)) == SQLITE_ROW) {
        buf_add_str(out, stmt_col(st, 0));
    }
    if (code != SQLITE_DONE) {
        return conn_fail(c->conn, "read", err);
    }
    if (out->len) {
        buf_clear(after);
        buf_add(after, out->ptr + out->len - ID_BYTES, ID_BYTES);
    }
    return 0;
}

/* Removes those of the ids that are not needed. */
static int batch_drop(struct collect *c, struct str ids, struct err *err)
{
    for (size_t at = 0; at < ids.len;) {
        AUTO_ARENA a = ARENA_INIT;
        struct store_txn *t = store_txn_new(&a);
        for (int n = 0; at < ids.len && n < REMOVE_ROWS; at += ID_BYTES) {
            if (!map_has(&c->live, id_str(ids.ptr + at))) {
                memcpy(txn_add(t, OP_COLLECT_DROP)->id, ids.ptr + at, ID_BYTES);
                n++;
            }
        }
        if (t->first && store_commit(c->store, t, err)) {
            return -1;
        }
    }
    return 0;
}

static int sweep(struct collect *c, bool (*go_on)(void *ctx), void *ctx, struct err *err)
{
    AUTO_BUF after = BUF_INIT;
    AUTO_BUF ids = BUF_INIT;
    while (go_on(ctx)) {
        if (batch_read(c, &after, &ids, err) || batch_drop(c, buf_str(&ids), err)) {
            return -1;
        }
        if (!ids.len) {
            break;
        }
    }
    return 0;
}

int store_content_collect(struct store *s, bool (*go_on)(void *ctx), void *ctx, struct err *err)
{
    struct collect c = {.store = s, .conn = conn_reader(s, err)};
    if (!c.conn || mark(s, OP_COLLECT_BEGIN, err)) {
        return -1;
    }
    int rc = roots_read(&c, err);
    rc = rc ? rc : trees_walk(&c, err);
    rc = rc ? rc : sweep(&c, go_on, ctx, err);
    map_done(&c.live);
    buf_done(&c.trees);
    AUTO_ERR end = ERR_INIT; /* the next begin does the same */
    (void)mark(s, OP_COLLECT_END, &end);
    return rc;
}
