/* SPDX-License-Identifier: Apache-2.0
 *
 * Building a transaction: a list of operations in the caller's arena. Nothing here touches the
 * database; write.c and apply.c do when the list is committed.
 */
#include "store/priv.h"

#include <assert.h>
#include <stdio.h>

struct store_txn *store_txn_new(struct arena *a)
{
    struct store_txn *t = arena_new(a, struct store_txn);
    assert(t); /* a few bytes, before anything is sized by input */
    t->arena = a;
    return t;
}

struct op *txn_add(struct store_txn *t, enum op_type type)
{
    struct op *op = arena_new(t->arena, struct op);
    if (!op) {
        t->overflow = true;
        return &t->spare;
    }
    op->type = type;
    if (t->last) {
        t->last->next = op;
    } else {
        t->first = op;
    }
    t->last = op;
    return op;
}

void store_txn_put(struct store_txn *t, struct store_put *p)
{
    txn_add(t, OP_PUT)->put = p;
}

void store_txn_del(struct store_txn *t, struct store_put *p)
{
    txn_add(t, OP_DEL)->put = p;
}

static void add_check(struct store_txn *t, struct check check)
{
    struct check *c = arena_new(t->arena, struct check);
    if (!c) {
        t->overflow = true;
        return;
    }
    check.next = t->checks;
    *c = check;
    t->checks = c;
}

void store_txn_check(struct store_txn *t, struct str kind, struct str ns, struct str name,
                     int64_t rv)
{
    add_check(t, (struct check){.kind = kind, .ns = ns, .name = name, .rv = rv});
}

void store_txn_check_none(struct store_txn *t, struct str kind, struct str ns, struct str prefix)
{
    add_check(t, (struct check){.kind = kind, .ns = ns, .name = prefix, .prefix = true});
}

void store_txn_content(struct store_txn *t, const unsigned char id[20], int type, struct str bytes)
{
    struct op *op = txn_add(t, OP_CONTENT);
    memcpy(op->id, id, sizeof(op->id));
    op->content_type = type;
    op->value = bytes;
}

void store_txn_content_need(struct store_txn *t, const unsigned char id[20])
{
    struct op *op = txn_add(t, OP_CONTENT_NEED);
    memcpy(op->id, id, sizeof(op->id));
}

void store_txn_journal_put(struct store_txn *t, struct str key, struct str value)
{
    struct op *op = txn_add(t, OP_JOURNAL_PUT);
    op->key = key;
    op->value = value;
}

void store_txn_journal_del(struct store_txn *t, struct str key)
{
    txn_add(t, OP_JOURNAL_DEL)->key = key;
}

void store_txn_audit(struct store_txn *t, struct str json)
{
    txn_add(t, OP_AUDIT)->value = json;
}

void put_add_json(struct buf *b, const struct store_put *p, int64_t rv)
{
    if (p->rv_at > 0) {
        buf_add(b, p->json.ptr, p->rv_at);
        buf_printf(b, "%lld", (long long)rv);
    }
    buf_add(b, p->json.ptr + p->rv_at, p->json.len - p->rv_at);
}

struct str store_put_json(struct arena *a, const struct store_put *p)
{
    char digits[24];
    size_t n = p->rv_at ? (size_t)snprintf(digits, sizeof(digits), "%lld", (long long)p->rv) : 0;
    char *out = arena_alloc(a, p->json.len + n + 1);
    if (!out) {
        return STR_NULL;
    }
    memcpy(out, p->json.ptr, p->rv_at);
    memcpy(out + p->rv_at, digits, n);
    memcpy(out + p->rv_at + n, p->json.ptr + p->rv_at, p->json.len - p->rv_at);
    return (struct str){out, p->json.len + n};
}
