/* SPDX-License-Identifier: Apache-2.0
 *
 * The store: objects, content, change log, journal, audit on SQLite (WAL, synchronous=FULL).
 *
 * Invariants: one writer thread commits transactions in groups; each object change takes the next
 * number of one sequence, which is its resourceVersion and its place in the change log; numbers
 * become visible in order. Readers never block the writer nor each other. A commit that was
 * acknowledged survives kill -9 and power loss.
 *
 * Reads use a connection per thread that the store keeps; rows are borrowed as the functions say.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

struct store;

struct store_config {
    const char *dir;     /* data directory; the database is <dir>/lanai.db, the sealing key
                            <dir>/seal.key (made with mode 0600 when missing) */
    int change_rows;     /* 0 = LIMIT_CHANGE_ROWS */
    int change_age_s;    /* 0 = LIMIT_CHANGE_AGE_S, <0 = only change_rows counts */
    int audit_rows;      /* audit rows kept at most; 0 = LIMIT_AUDIT_ROWS */
    int64_t audit_age_s; /* and seconds at most; 0 = LIMIT_AUDIT_AGE_S */
};

/* Opens, checks (quick integrity probe) and migrates forward. Damaged file, read-only directory,
 * newer schema: clear error that names the file. */
int store_open(const struct store_config *c, struct store **out, struct err *err);
/* Finishes queued commits, closes. NULL accepted. */
void store_close(struct store *s);

/* --- objects --- */

struct store_object {
    struct str kind, ns, name, uid; /* kind = api_kind.store_kind; ns "" for cluster scope */
    int64_t rv;
    struct str json;   /* whole object, resourceVersion filled in */
    struct str meta;   /* the bytes of its metadata member (a part of json) */
    struct str cells;  /* JSON array of Table cells, the age column left out */
    struct str data;   /* private bytes of the engine, never shown to clients */
};

/* One object, copied into a. ERR_NOT_FOUND (message empty of API wording) when absent. */
int store_get(struct store *s, struct str kind, struct str ns, struct str name, struct arena *a,
              struct store_object *out, struct err *err);

struct store_query {
    struct str kind;
    struct str ns;          /* ptr NULL = all namespaces */
    struct str name;        /* ptr NULL = all names */
    struct str f1, f2;      /* values of the kind's indexed fields; ptr NULL = any */
    struct str f2_leaf;     /* what follows the last '/' of f2, not empty; ptr NULL = any */
    struct str ref;         /* not empty; ptr NULL = any */
    struct str after_ns, after_name; /* start behind this key; after_name.ptr NULL = from start */
    size_t rows;            /* how many rows the caller will most likely take: no more are read
                               before they are asked for; 0 = all */
};

struct store_list;
/* Opens a list ordered by (ns, name), bytewise. *out_rv: the newest number at opening.
 * Rows are read in batches of LIMIT_LIST_BATCH_BYTES so that no read transaction stays open
 * while a client is slow. */
struct store_list *store_list_open(struct store *s, const struct store_query *q, int64_t *out_rv,
                                   struct err *err);
/* 1 = *out filled (borrowed until the next call), 0 = end, -1 = error. Any thread, one at a time. */
int store_list_next(struct store_list *l, struct store_object *out, struct err *err);
void store_list_close(struct store_list *l);
/* Number of rows that match (indexed columns only). */
int store_count(struct store *s, const struct store_query *q, int64_t *out, struct err *err);
/* Newest committed number. */
int64_t store_rv(struct store *s);

/* --- transactions --- */

struct store_put {
    struct str kind, ns, name, uid;
    int64_t expect_rv;  /* 0 = must not exist (ERR_ALREADY_EXISTS), >0 = must be this one
                           (ERR_CONFLICT; ERR_NOT_FOUND when gone), -1 = whatever is there */
    struct str json;    /* with `"resourceVersion":""` at rv_at: the number is inserted there */
    size_t rv_at;       /* offset between the two quotes; 0 = the JSON holds no number */
    size_t meta_from, meta_to; /* the metadata member's bytes in json (before insertion) */
    struct str cells, data;
    struct str f1, f2;
    struct str ref;     /* name of another object that this one refers to */
    bool sealed;        /* encrypt json and data at rest */
    int64_t rv;         /* out: number given; 0 after a failed commit */
};

struct store_txn;
/* Everything given to a txn is borrowed until store_commit returns. */
struct store_txn *store_txn_new(struct arena *a);
void store_txn_put(struct store_txn *t, struct store_put *p);
/* Deletes; p->json is the last state, which the DELETED event carries with the new number.
 * expect_rv > 0 must match, else whatever is there goes; ERR_NOT_FOUND when nothing is. */
void store_txn_del(struct store_txn *t, struct store_put *p);
/* Fails the commit with ERR_CONFLICT unless the object still has this number (read set); 0 =
 * unless it is still absent. Compared with the state before the transaction. */
void store_txn_check(struct store_txn *t, struct str kind, struct str ns, struct str name,
                     int64_t rv);
/* The same unless there is still no object whose name begins with the prefix. */
void store_txn_check_none(struct store_txn *t, struct str kind, struct str ns, struct str prefix);
/* Content-addressed bytes (git objects): id is 20 bytes, type the git object type. */
void store_txn_content(struct store_txn *t, const unsigned char id[20], int type, struct str bytes);
/* The transaction builds on content that it found: that stays, or the commit fails with
 * ERR_CONFLICT because it has been removed meanwhile. */
void store_txn_content_need(struct store_txn *t, const unsigned char id[20]);
void store_txn_journal_put(struct store_txn *t, struct str key, struct str value);
void store_txn_journal_del(struct store_txn *t, struct str key);
/* One audit row; JSON text. */
void store_txn_audit(struct store_txn *t, struct str json);
/* Blocks until durable. All or nothing. err details name/kind say which object failed. Disk full
 * and I/O errors: ERR_UNAVAILABLE with the cause; nothing was changed. */
int store_commit(struct store *s, struct store_txn *t, struct err *err);
/* The final bytes of a put after its commit: json with the number inserted. */
struct str store_put_json(struct arena *a, const struct store_put *p);

/* --- content and journal --- */

/* Bytes of a content row in a; ERR_NOT_FOUND when absent. */
int store_content_get(struct store *s, const unsigned char id[20], struct arena *a, int *out_type,
                      struct str *out, struct err *err);
bool store_content_has(struct store *s, const unsigned char id[20]);
/* Removes content that nothing needs, a few rows per transaction, until there is no more or go_on
 * says no. Needed is what the data of an unsealed object or a journal row names with 40 hex digits
 * (lower case), and what a needed tree has. Takes a while; one at a time. */
int store_content_collect(struct store *s, bool (*go_on)(void *ctx), void *ctx, struct err *err);
/* Calls fn for each journal row with this key prefix, in key order. */
int store_journal_each(struct store *s, struct str prefix,
                       int (*fn)(void *ctx, struct str key, struct str value, struct err *err),
                       void *ctx, struct err *err);

/* --- change log --- */

enum store_change_type { STORE_ADDED, STORE_MODIFIED, STORE_DELETED };

struct store_change {
    enum store_change_type type;
    struct store_object object; /* borrowed during the callback; rv = place in the log */
    int64_t prev_rv;            /* number of the object's state before, 0 = none */
};

/* Calls fn for changes of one kind with rv > after, in order, at most ~max_bytes of JSON; ns.ptr
 * NULL = all. fn returns false to stop behind this change; it may read the store, but not call
 * store_changes again. *out_next: continue after this number (moves on past
 * changes of other kinds too). ERR_EXPIRED when `after` is older than the log. */
int store_changes(struct store *s, struct str kind, struct str ns, int64_t after, size_t max_bytes,
                  bool (*fn)(void *ctx, const struct store_change *c), void *ctx,
                  int64_t *out_next, struct err *err);
/* The state with number rv from the log (for selectors: what was it before?). ERR_NOT_FOUND when
 * trimmed. */
int store_change_get(struct store *s, int64_t rv, struct arena *a, struct store_object *out,
                     struct err *err);

/* Registers a callback that the writer thread calls after each group commit with the newest
 * number; it must not block and must not call the store. */
typedef void (*store_wake_fn)(void *ctx, int64_t rv);
void store_wake_add(struct store *s, store_wake_fn fn, void *ctx);

/* Counters for /metrics, cumulative. */
struct store_stats {
    uint64_t commits, groups, changes, commit_ns, bytes;
    uint64_t removed; /* rows of content */
};
void store_stats_get(struct store *s, struct store_stats *out);
