/* SPDX-License-Identifier: Apache-2.0
 *
 * Lists: ordered by (ns, name), read in batches. Each batch is a short read transaction on the
 * connection of whoever asks for it, continues behind the last key (keyset) and is copied out, so
 * a slow client holds memory of one batch and no snapshot. The first batch and the number that
 * the list reports come from the same snapshot; later batches may show newer states, which the
 * change log repeats to those who watch from that number.
 */
#include "store/priv.h"

#include <stdio.h>

#include "base/limits.h"

/* The conditions of a query make the statement's shape. */
enum shape {
    BY_NS = 1,
    BY_NAME = 2,
    BY_F1 = 4,
    BY_F2 = 8,
    NO_F1 = 16,
    NO_F2 = 32,
    BY_LEAF = 64,
    BY_REF = 128
};

struct store_list {
    struct store *store;
    struct store_query q; /* strings in keys */
    struct arena keys;
    int64_t rv; /* newest number at opening */

    struct arena batch; /* bytes of the rows */
    struct store_object *rows;
    size_t n, at, cap;
    bool last; /* no batch behind this one */
    struct buf after_ns, after_name;
};

/* Empty fields are stored as NULL (apply.c). */
static int shape_of(const struct store_query *q)
{
    bool leaf = q->f2_leaf.ptr || (q->f1.len && q->f2.len);
    return (q->ns.ptr ? BY_NS : 0) | (q->name.ptr ? BY_NAME : 0) |
           (q->f1.ptr ? (q->f1.len ? BY_F1 : NO_F1) : 0) |
           (q->f2.ptr ? (q->f2.len ? BY_F2 : NO_F2) : 0) | (leaf ? BY_LEAF : 0) |
           (q->ref.ptr ? BY_REF : 0);
}

/* The + keeps SQLite from putting ?7 in the place of f2 in F2_LEAF, which then is not the index's
 * text any more. */
static void shape_sql(int shape, bool count, char *out, size_t size)
{
    const char *hint = "NOT INDEXED";
    if (shape & BY_REF) {
        hint = "INDEXED BY object_ref";
    } else if ((shape & BY_F1) && (shape & BY_LEAF)) {
        hint = "INDEXED BY object_leaf";
    } else if (shape & BY_F1) {
        hint = "INDEXED BY object_f1";
    }
    snprintf(out, size, "SELECT %s FROM object o %s %s WHERE o.kind=?1 AND %s%s%s%s%s%s%s%s%s",
             count ? "count(*)" : ROW_COLUMNS, hint, count ? "" : "CROSS JOIN change c ON c.rv=o.rv",
             shape & BY_NS ? "o.ns=?4 AND o.name>?3" : "(o.ns,o.name)>(?2,?3)",
             shape & BY_NAME ? " AND o.name=?5" : "", shape & BY_F1 ? " AND o.f1=?6" : "",
             shape & BY_F2 ? " AND +o.f2=?7" : "", shape & NO_F1 ? " AND o.f1 IS NULL" : "",
             shape & NO_F2 ? " AND o.f2 IS NULL" : "",
             shape & BY_LEAF ? " AND o.f2 IS NOT NULL AND " F2_LEAF "=?8" : "",
             shape & BY_REF ? " AND o.ref=?9" : "", count ? "" : " ORDER BY o.ns,o.name");
}

static sqlite3_stmt *shape_stmt(struct conn *c, const struct store_query *q, bool count,
                                struct err *err)
{
    int shape = shape_of(q);
    sqlite3_stmt **st = count ? &c->counts[shape] : &c->lists[shape];
    if (!*st) {
        char sql[800];
        shape_sql(shape, count, sql, sizeof(sql));
        if (sqlite3_prepare_v3(c->db, sql, -1, SQLITE_PREPARE_PERSISTENT, st, NULL) != SQLITE_OK) {
            conn_fail(c, "prepare a list of", err);
            return NULL;
        }
    }
    return *st;
}

/* What F2_LEAF makes of f2. */
static struct str last_segment(struct str f2)
{
    return str_sub(f2, (size_t)(str_rfind_byte(f2, '/') + 1), f2.len);
}

/* Parameters that a shape does not use are out of range or unused: SQLite's refusal is ignored. */
static void query_bind(sqlite3_stmt *st, const struct store_query *q, struct str after_ns,
                       struct str after_name)
{
    stmt_bind(st, 1, q->kind);
    stmt_bind(st, 2, after_ns);
    stmt_bind(st, 3, after_name);
    stmt_bind(st, 4, q->ns);
    stmt_bind(st, 5, q->name);
    stmt_bind(st, 6, q->f1);
    stmt_bind(st, 7, q->f2);
    stmt_bind(st, 8, q->f2_leaf.ptr ? q->f2_leaf : last_segment(q->f2));
    stmt_bind(st, 9, q->ref);
}

/* Where a query starts; false when nothing can follow. A key of another namespace lies wholly
 * before or behind a query for one namespace. */
static bool query_start(const struct store_query *q, struct str *out_ns, struct str *out_name)
{
    *out_ns = *out_name = STR("");
    if (!q->after_name.ptr) {
        return true;
    }
    int order = q->ns.ptr && q->after_ns.ptr ? str_cmp(q->after_ns, q->ns) : 0;
    if (order >= 0) {
        *out_ns = q->after_ns;
        *out_name = q->after_name;
    }
    return order <= 0;
}

static int row_keep(struct store_list *l, const struct store_object *view, struct err *err)
{
    if (l->n == l->cap) {
        l->cap = l->cap ? l->cap * 2 : 64;
        l->rows = mem_resize(l->rows, l->cap * sizeof(*l->rows));
    }
    return row_copy(&l->batch, view, &l->rows[l->n++], err);
}

static size_t row_bytes(const struct store_object *o)
{
    return o->json.len + o->data.len + o->cells.len + o->name.len + sizeof(*o);
}

static int batch_read(struct store_list *l, struct conn *c, struct err *err)
{
    AUTO_BUF plain = BUF_INIT;
    AUTO_STMT *st = shape_stmt(c, &l->q, false, err);
    struct store_object view;
    size_t bytes = 0, most = l->q.rows ? l->q.rows : SIZE_MAX;
    int code = SQLITE_ROW;
    if (!st) {
        return -1;
    }
    l->q.rows = 0; /* who takes more than foreseen gets whole batches */
    arena_clear(&l->batch);
    l->n = l->at = 0;
    query_bind(st, &l->q, buf_str(&l->after_ns), buf_str(&l->after_name));
    while (bytes < LIMIT_LIST_BATCH_BYTES && l->n < most &&
           (code = sqlite3_step(st)) == SQLITE_ROW) {
        if (row_view(l->store, st, &plain, &view, err) || row_keep(l, &view, err)) {
            return -1;
        }
        bytes += row_bytes(&view);
    }
    if (code != SQLITE_ROW && code != SQLITE_DONE) {
        return conn_fail(c, "list", err);
    }
    l->last = code == SQLITE_DONE;
    if (l->n) {
        buf_clear(&l->after_ns);
        buf_clear(&l->after_name);
        buf_add_str(&l->after_ns, l->rows[l->n - 1].ns);
        buf_add_str(&l->after_name, l->rows[l->n - 1].name);
    }
    return 0;
}

/* The newest number in the snapshot of the open transaction. */
static int newest_read(struct conn *c, int64_t base, int64_t *out, struct err *err)
{
    AUTO_STMT *st = conn_stmt(c, SQL_NEWEST, err);
    if (!st || sqlite3_step(st) != SQLITE_ROW) {
        return st ? conn_fail(c, "read", err) : -1;
    }
    int64_t newest = sqlite3_column_int64(st, 0);
    *out = newest > base ? newest : base;
    return 0;
}

static int first_batch(struct store_list *l, struct err *err)
{
    struct conn *c = conn_reader(l->store, err);
    if (!c || conn_exec(c, "BEGIN", err)) {
        return -1;
    }
    int rc = newest_read(c, l->store->rv_base, &l->rv, err);
    if (rc == 0 && !l->last) {
        rc = batch_read(l, c, err);
    }
    (void)sqlite3_exec(c->db, "COMMIT", NULL, NULL, NULL); /* ends a read: nothing can be lost */
    return rc;
}

static struct str keep(struct arena *a, struct str s)
{
    return s.ptr ? arena_str(a, s) : STR_NULL;
}

struct store_list *store_list_open(struct store *s, const struct store_query *q, int64_t *out_rv,
                                   struct err *err)
{
    struct store_list *l = mem_new(struct store_list);
    struct str ns, name;
    l->store = s;
    l->q = (struct store_query){
        .kind = keep(&l->keys, q->kind),
        .ns = keep(&l->keys, q->ns),
        .name = keep(&l->keys, q->name),
        .f1 = keep(&l->keys, q->f1),
        .f2 = keep(&l->keys, q->f2),
        .f2_leaf = keep(&l->keys, q->f2_leaf),
        .ref = keep(&l->keys, q->ref),
        .rows = q->rows,
    };
    l->last = !query_start(q, &ns, &name);
    buf_add_str(&l->after_ns, ns);
    buf_add_str(&l->after_name, name);
    if (first_batch(l, err)) {
        store_list_close(l);
        return NULL;
    }
    if (out_rv) {
        *out_rv = l->rv;
    }
    return l;
}

int store_list_next(struct store_list *l, struct store_object *out, struct err *err)
{
    if (l->at == l->n) {
        if (l->last) {
            return 0;
        }
        struct conn *c = conn_reader(l->store, err);
        if (!c || batch_read(l, c, err)) {
            return -1;
        }
        if (l->n == 0) {
            return 0;
        }
    }
    *out = l->rows[l->at++];
    return 1;
}

void store_list_close(struct store_list *l)
{
    if (!l) {
        return;
    }
    arena_done(&l->keys);
    arena_done(&l->batch);
    buf_done(&l->after_ns);
    buf_done(&l->after_name);
    mem_free(l->rows);
    mem_free(l);
}

int store_count(struct store *s, const struct store_query *q, int64_t *out, struct err *err)
{
    struct str ns, name;
    if (!query_start(q, &ns, &name)) {
        *out = 0;
        return 0;
    }
    struct conn *c = conn_reader(s, err);
    AUTO_STMT *st = c ? shape_stmt(c, q, true, err) : NULL;
    if (!st) {
        return -1;
    }
    query_bind(st, q, ns, name);
    if (sqlite3_step(st) != SQLITE_ROW) {
        return conn_fail(c, "count in", err);
    }
    *out = sqlite3_column_int64(st, 0);
    return 0;
}
