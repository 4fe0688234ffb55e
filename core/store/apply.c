/* SPDX-License-Identifier: Apache-2.0
 *
 * Applies one transaction on the writer's connection, inside the transaction that write.c opened.
 * Expectations are checked here, under the only writer there is, so they hold at commit. Each
 * object change takes the next number; numbers of a transaction that fails are given out again.
 */
#include "store/priv.h"

#include "base/clock.h"

/* What the key table knows about an object; rv 0 = absent. */
struct found {
    int64_t rv;
    bool same_fields; /* f1, f2 and ref are what the put brings */
};

/* Empty and absent fields are one thing, stored as NULL so that the indexes leave them out. */
static void bind_field(sqlite3_stmt *st, int i, struct str f)
{
    if (f.len) {
        stmt_bind(st, i, f);
    } else {
        (void)sqlite3_bind_null(st, i);
    }
}

static void bind_key(sqlite3_stmt *st, struct str kind, struct str ns, struct str name)
{
    stmt_bind(st, 1, kind);
    stmt_bind(st, 2, ns);
    stmt_bind(st, 3, name);
}

static int object_find(struct conn *c, struct str kind, struct str ns, struct str name,
                       const struct store_put *p, struct found *out, struct err *err)
{
    AUTO_STMT *st = conn_stmt(c, SQL_OBJECT_FIND, err);
    if (!st) {
        return -1;
    }
    bind_key(st, kind, ns, name);
    int code = sqlite3_step(st);
    *out = (struct found){0};
    if (code == SQLITE_ROW) {
        out->rv = sqlite3_column_int64(st, 0);
        out->same_fields = p && str_eq(stmt_col(st, 1), p->f1) &&
                           str_eq(stmt_col(st, 2), p->f2) && str_eq(stmt_col(st, 3), p->ref);
        return 0;
    }
    return code == SQLITE_DONE ? 0 : conn_fail(c, "read", err);
}

static int object_write(struct conn *c, const struct store_put *p, const struct found *old,
                        struct err *err)
{
    enum sql_id id = !old->rv            ? SQL_OBJECT_INSERT
                     : old->same_fields ? SQL_OBJECT_MOVE
                                        : SQL_OBJECT_UPDATE;
    AUTO_STMT *st = conn_stmt(c, id, err);
    if (!st) {
        return -1;
    }
    bind_key(st, p->kind, p->ns, p->name);
    (void)sqlite3_bind_int64(st, 4, p->rv);
    if (id != SQL_OBJECT_MOVE) {
        bind_field(st, 5, p->f1);
        bind_field(st, 6, p->f2);
        bind_field(st, 7, p->ref);
    }
    return conn_step_done(c, st, "write to", err);
}

static int object_delete(struct conn *c, const struct store_put *p, struct err *err)
{
    AUTO_STMT *st = conn_stmt(c, SQL_OBJECT_DELETE, err);
    if (!st) {
        return -1;
    }
    bind_key(st, p->kind, p->ns, p->name);
    return conn_step_done(c, st, "write to", err);
}

/* Fills writer.json, and the sealed forms when the object asks for it. */
static int body_make(struct store *s, const struct store_put *p, struct str *out_json,
                     struct str *out_data, struct err *err)
{
    struct writer *w = &s->writer;
    buf_clear(&w->json);
    put_add_json(&w->json, p, p->rv);
    *out_json = buf_str(&w->json);
    *out_data = p->data;
    if (!p->sealed) {
        return 0;
    }
    AUTO_BUF context = BUF_INIT;
    seal_context(&context, p->kind, p->ns, p->name, p->rv, 'j');
    if (seal_close(&s->seal, buf_str(&context), *out_json, &w->sealed_json, err)) {
        return -1;
    }
    seal_context(&context, p->kind, p->ns, p->name, p->rv, 'd');
    if (seal_close(&s->seal, buf_str(&context), p->data, &w->sealed_data, err)) {
        return -1;
    }
    *out_json = buf_str(&w->sealed_json);
    *out_data = buf_str(&w->sealed_data);
    return 0;
}

static int change_insert(struct store *s, const struct store_put *p, enum store_change_type type,
                         int64_t prev_rv, struct err *err)
{
    struct conn *c = s->writer.conn;
    struct str json, data;
    if (body_make(s, p, &json, &data, err)) {
        return -1;
    }
    size_t grown = s->writer.json.len - p->json.len; /* digits that were inserted */
    AUTO_STMT *st = conn_stmt(c, SQL_CHANGE_INSERT, err);
    if (!st) {
        return -1;
    }
    const int64_t numbers[] = {
        type,
        prev_rv,
        clock_real_ns() / NS_PER_S,
        p->sealed,
        (int64_t)(p->meta_from + (p->meta_from > p->rv_at ? grown : 0)),
        (int64_t)(p->meta_to + (p->meta_to > p->rv_at ? grown : 0)),
    };
    (void)sqlite3_bind_int64(st, 1, p->rv);
    stmt_bind(st, 2, p->kind);
    stmt_bind(st, 3, p->ns);
    stmt_bind(st, 4, p->name);
    for (int i = 0; i < 6; i++) {
        (void)sqlite3_bind_int64(st, 5 + i, numbers[i]);
    }
    stmt_bind(st, 11, p->uid);
    stmt_bind(st, 12, p->cells);
    stmt_bind_bytes(st, 13, data);
    if (p->sealed) {
        stmt_bind_bytes(st, 14, json);
    } else {
        stmt_bind(st, 14, json);
    }
    s->writer.changes++;
    s->writer.bytes += json.len + data.len + p->cells.len;
    return conn_step_done(c, st, "write to", err);
}

static int put_check(const struct store_put *p, struct err *err)
{
    bool place = p->rv_at == 0 || (p->rv_at < p->json.len && p->json.ptr[p->rv_at - 1] == '"' &&
                                   p->json.ptr[p->rv_at] == '"');
    if (!place || p->meta_from > p->meta_to || p->meta_to > p->json.len) {
        return err_set(err, ERR_INTERNAL, "offsets do not fit the JSON of '%.*s'",
                       STR_ARG(p->name));
    }
    return 0;
}

static int put_apply(struct store *s, struct store_put *p, struct err *err)
{
    struct found old;
    if (put_check(p, err) ||
        object_find(s->writer.conn, p->kind, p->ns, p->name, p, &old, err)) {
        return -1;
    }
    if (p->expect_rv == 0 && old.rv) {
        return err_set(err, ERR_ALREADY_EXISTS, "'%.*s' exists with number %lld", STR_ARG(p->name),
                       (long long)old.rv);
    }
    if (p->expect_rv > 0 && !old.rv) {
        return err_set(err, ERR_NOT_FOUND, "'%.*s' is gone", STR_ARG(p->name));
    }
    if (p->expect_rv > 0 && old.rv != p->expect_rv) {
        return err_set(err, ERR_CONFLICT, "'%.*s' has number %lld, not %lld", STR_ARG(p->name),
                       (long long)old.rv, (long long)p->expect_rv);
    }
    p->rv = ++s->writer.rv;
    if (change_insert(s, p, old.rv ? STORE_MODIFIED : STORE_ADDED, old.rv, err)) {
        return -1;
    }
    return object_write(s->writer.conn, p, &old, err);
}

static int del_apply(struct store *s, struct store_put *p, struct err *err)
{
    struct found old;
    if (put_check(p, err) ||
        object_find(s->writer.conn, p->kind, p->ns, p->name, p, &old, err)) {
        return -1;
    }
    if (!old.rv) {
        return err_set(err, ERR_NOT_FOUND, "'%.*s' is gone", STR_ARG(p->name));
    }
    if (p->expect_rv > 0 && old.rv != p->expect_rv) {
        return err_set(err, ERR_CONFLICT, "'%.*s' has number %lld, not %lld", STR_ARG(p->name),
                       (long long)old.rv, (long long)p->expect_rv);
    }
    p->rv = ++s->writer.rv;
    if (change_insert(s, p, STORE_DELETED, old.rv, err)) {
        return -1;
    }
    return object_delete(s->writer.conn, p, err);
}

static int check_none(struct conn *c, const struct check *k, struct err *err)
{
    AUTO_STMT *st = conn_stmt(c, SQL_OBJECT_FROM, err);
    if (!st) {
        return -1;
    }
    bind_key(st, k->kind, k->ns, k->name);
    int code = sqlite3_step(st);
    if (code == SQLITE_ROW && str_has_prefix(stmt_col(st, 0), k->name)) {
        return err_set(err, ERR_CONFLICT, "nothing began with '%.*s' and now '%.*s' does",
                       STR_ARG(k->name), STR_ARG(stmt_col(st, 0)));
    }
    return code == SQLITE_ROW || code == SQLITE_DONE ? 0 : conn_fail(c, "read", err);
}

static int check_apply(struct store *s, const struct check *k, struct err *err)
{
    struct found now;
    if (k->prefix) {
        return check_none(s->writer.conn, k, err);
    }
    if (object_find(s->writer.conn, k->kind, k->ns, k->name, NULL, &now, err)) {
        return -1;
    }
    if (now.rv != k->rv) {
        return err_set(err, ERR_CONFLICT, "'%.*s' was read with number %lld and now has %lld",
                       STR_ARG(k->name), (long long)k->rv, (long long)now.rv);
    }
    return 0;
}

static int content_apply(struct conn *c, const struct op *op, struct err *err)
{
    AUTO_STMT *st = conn_stmt(c, SQL_CONTENT_PUT, err);
    if (!st) {
        return -1;
    }
    stmt_bind_bytes(st, 1, (struct str){(const char *)op->id, sizeof(op->id)});
    (void)sqlite3_bind_int(st, 2, op->content_type);
    stmt_bind_bytes(st, 3, op->value);
    c->store->writer.bytes += op->value.len;
    collect_named(&c->store->writer, op->id);
    return conn_step_done(c, st, "write to", err);
}

static int content_check(struct conn *c, const struct op *op, struct err *err)
{
    AUTO_STMT *st = conn_stmt(c, SQL_CONTENT_HAS, err);
    if (!st) {
        return -1;
    }
    stmt_bind_bytes(st, 1, (struct str){(const char *)op->id, sizeof(op->id)});
    int code = sqlite3_step(st);
    if (code == SQLITE_DONE) {
        err_set(err, ERR_CONFLICT, "content that was there has been removed");
        return err_details(err, "content", NULL, "content");
    }
    collect_named(&c->store->writer, op->id);
    return code == SQLITE_ROW ? 0 : conn_fail(c, "read", err);
}

static int journal_apply(struct conn *c, const struct op *op, struct err *err)
{
    AUTO_STMT *st =
        conn_stmt(c, op->type == OP_JOURNAL_PUT ? SQL_JOURNAL_PUT : SQL_JOURNAL_DEL, err);
    if (!st) {
        return -1;
    }
    stmt_bind_bytes(st, 1, op->key);
    if (op->type == OP_JOURNAL_PUT) {
        stmt_bind_bytes(st, 2, op->value);
    }
    return conn_step_done(c, st, "write to", err);
}

static int op_apply(struct store *s, struct op *op, struct err *err)
{
    switch (op->type) {
    case OP_PUT:
        return put_apply(s, op->put, err);
    case OP_DEL:
        return del_apply(s, op->put, err);
    case OP_CONTENT:
        return content_apply(s->writer.conn, op, err);
    case OP_CONTENT_NEED:
        return content_check(s->writer.conn, op, err);
    case OP_JOURNAL_PUT:
    case OP_JOURNAL_DEL:
        return journal_apply(s->writer.conn, op, err);
    case OP_AUDIT:
        return audit_apply(&s->writer, op->value, err);
    case OP_COLLECT_BEGIN:
    case OP_COLLECT_DROP:
    case OP_COLLECT_END:
        return collect_apply(&s->writer, op, err);
    }
    return err_set(err, ERR_INTERNAL, "unknown operation %d", (int)op->type);
}

/* Says in the error which object it was about. */
static int blame(struct err *err, struct str kind, struct str name)
{
    AUTO_ARENA a = ARENA_INIT;
    return err_details(err, arena_strz(&a, name), NULL, arena_strz(&a, kind));
}

int apply_txn(struct store *s, struct store_txn *t, struct err *err)
{
    for (struct check *k = t->checks; k; k = k->next) {
        if (check_apply(s, k, err)) {
            return blame(err, k->kind, k->name);
        }
    }
    for (struct op *op = t->first; op; op = op->next) {
        if (op_apply(s, op, err)) {
            return op->put ? blame(err, op->put->kind, op->put->name) : -1;
        }
    }
    return 0;
}
