/* SPDX-License-Identifier: Apache-2.0
 *
 * One push to a remote: connect, see its refs, send objects and ref changes with expected old
 * values. libgit2's own push can do neither atomic changes nor expected values.
 */
#pragma once

#include "repo/local.h"
#include "repo/wire.h"

#define PUSH_SHARED SIZE_MAX /* a command that belongs to all ops: the branch */

struct push_cmd {
    struct str ref;           /* NUL-terminated */
    struct repo_id from, to;  /* zero = missing */
    size_t op;                /* index of the op it serves */
    struct str reject;        /* after push_send: why not; empty = done */
};

/* Ids of the objects that go out, each once. */
struct push_objects {
    git_oid *v;
    size_t n, cap;
    struct map seen;
};

/* False when it was there already. */
bool push_objects_add(struct push_objects *o, const struct repo_id *id);
void push_objects_done(struct push_objects *o);

struct push_conn {
    struct wire *wire;      /* NULL for a local remote */
    git_repository *local;
    struct advert advert;
    struct refs *refs;      /* of the remote, borrowed from advert or owned by a local one */
    bool atomic;
};

int push_open(struct repo *r, int64_t deadline_ns, struct push_conn *out, struct err *err);
void push_close(struct push_conn *c);
#define AUTO_PUSH __attribute__((cleanup(push_close))) struct push_conn
/* Puts the objects into the mirror and sends them with the commands (n > 0). 0 = the server
 * answered, see cmds[].reject (texts in a); -1 = no answer, what happened is unknown. */
int push_send(struct push_conn *c, struct handle *h, struct push_objects *objects,
              struct push_cmd *cmds, size_t n, struct arena *a, struct err *err);
/* push_local.c: the same for a repository on this machine. */
int push_local(git_repository *remote, struct handle *h, const struct push_objects *objects,
               struct str pack, struct push_cmd *cmds, size_t n, struct arena *a, struct err *err);
/* Copies objects: single ones when few, else the pack that holds them. */
int push_store(git_odb *to, git_odb *from, const struct push_objects *objects, struct str pack,
               struct err *err);

/* publish.c: the registered branch with Porch's first commit. */
int push_create_branch(struct repo *r, int64_t deadline_ns, struct err *err);
