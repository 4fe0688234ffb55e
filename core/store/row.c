/* SPDX-License-Identifier: Apache-2.0
 *
 * From a row of `change` to a struct store_object: first as a view of SQLite's memory, then, for
 * those who keep it, as one copy in an arena.
 */
#include "store/priv.h"

static int open_part(struct store *s, const struct store_object *o, char part, struct str sealed,
                     struct buf *plain, struct err *err)
{
    AUTO_BUF context = BUF_INIT;
    seal_context(&context, o->kind, o->ns, o->name, o->rv, part);
    if (seal_open(&s->seal, buf_str(&context), sealed, plain, err)) {
        return err_wrap(err, "'%.*s'", STR_ARG(o->name));
    }
    return 0;
}

/* Replaces the sealed bytes of o by opened ones in plain. */
static int open_sealed(struct store *s, struct buf *plain, struct store_object *o, struct err *err)
{
    buf_clear(plain);
    if (open_part(s, o, 'j', o->json, plain, err)) {
        return -1;
    }
    size_t json_len = plain->len;
    if (open_part(s, o, 'd', o->data, plain, err)) {
        return -1;
    }
    o->json = (struct str){plain->ptr, json_len};
    o->data = (struct str){plain->ptr + json_len, plain->len - json_len};
    return 0;
}

int row_view(struct store *s, sqlite3_stmt *st, struct buf *plain, struct store_object *out,
             struct err *err)
{
    struct store_object o = {
        .rv = sqlite3_column_int64(st, 0),
        .kind = stmt_col(st, 1),
        .ns = stmt_col(st, 2),
        .name = stmt_col(st, 3),
        .uid = stmt_col(st, 4),
        .cells = stmt_col(st, 8),
        .data = stmt_col(st, 9),
        .json = stmt_col(st, 10),
    };
    if (sqlite3_column_int(st, 5) && open_sealed(s, plain, &o, err)) {
        return -1;
    }
    o.meta = str_sub(o.json, (size_t)sqlite3_column_int64(st, 6),
                     (size_t)sqlite3_column_int64(st, 7));
    *out = o;
    return 0;
}

static struct str put_bytes(char **at, struct str s)
{
    char *to = *at;
    if (s.len) {
        memcpy(to, s.ptr, s.len);
    }
    *at += s.len;
    return (struct str){to, s.len};
}

int row_copy(struct arena *a, const struct store_object *view, struct store_object *out,
             struct err *err)
{
    const struct store_object *v = view;
    size_t total = v->kind.len + v->ns.len + v->name.len + v->uid.len + v->cells.len +
                   v->data.len + v->json.len;
    char *at = arena_alloc(a, total + 1);
    if (!at) {
        return err_set(err, ERR_TOO_LARGE, "'%.*s' does not fit the memory of the request",
                       STR_ARG(v->name));
    }
    size_t meta_from = v->meta.len ? (size_t)(v->meta.ptr - v->json.ptr) : 0;
    *out = (struct store_object){
        .rv = v->rv,
        .kind = put_bytes(&at, v->kind),
        .ns = put_bytes(&at, v->ns),
        .name = put_bytes(&at, v->name),
        .uid = put_bytes(&at, v->uid),
        .cells = put_bytes(&at, v->cells),
        .data = put_bytes(&at, v->data),
        .json = put_bytes(&at, v->json),
    };
    out->meta = (struct str){out->json.ptr + meta_from, v->meta.len};
    return 0;
}
