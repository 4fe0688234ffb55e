/* SPDX-License-Identifier: Apache-2.0
 *
 * repo_push: plan the ops for what the remote has now, push them as one, and look at what came
 * back. When the branch moved, everything is planned again on the new head. An op that the remote
 * refuses is dropped and the others go out without it; when the answer does not tell which one is
 * to blame, the batch is halved. A push whose answer was lost is tried again: ops that were done
 * are recognised by their tag.
 */
#include "base/clock.h"
#include "base/log.h"
#include "repo/plan.h"
#include "repo/remote.h"

struct batch {
    struct repo *repo;
    struct repo_op **ops;
    size_t n;
    int64_t deadline_ns;
};

static int push_batch(struct batch *b, struct err *err);

/* The refs to plan on: of the connection when the mirror knows them, else after a fetch. */
static int current_refs(struct batch *b, struct push_conn *c, struct refs **out, struct err *err)
{
    AUTO_REFS *mirrored = mirror_refs(b->repo->mirror, NULL);
    if (strcmp(mirrored->version, c->refs->version) == 0) {
        *out = TAKE(mirrored);
        return 0;
    }
    return remote_fetch(b->repo, b->deadline_ns, out, err);
}

static int64_t batch_time(const struct batch *b)
{
    for (size_t i = 0; i < b->n; i++) {
        if (b->ops[i]->time > 0) {
            return b->ops[i]->time;
        }
    }
    return clock_real_ns() / NS_PER_S;
}

static int make_plan(struct batch *b, struct plan *p, struct err *err)
{
    if (plan_branch(p, batch_time(b), err)) {
        return -1;
    }
    for (size_t i = 0; i < b->n; i++) {
        if (b->ops[i]->err.kind == ERR_NONE) {
            (void)plan_op(p, b->ops[i], i, &b->ops[i]->err);
        }
    }
    plan_settle(p);
    return 0;
}

/* Everything arrived: the mirror follows without asking the remote again. */
static void finish(struct batch *b, const struct plan *p)
{
    struct ref *changes = arena_array(p->arena, struct ref, p->n_cmds + 1);
    for (size_t i = 0; i < p->n_cmds; i++) {
        changes[i] = (struct ref){p->cmds[i].ref, p->cmds[i].to};
    }
    AUTO_ERR err = ERR_INIT;
    if (p->n_cmds && mirror_refs_update(b->repo->mirror, changes, p->n_cmds, &err)) {
        /* The push stands; the next fetch brings the refs. */
        log_debug("mirror not updated after a push", "reason", err.message, NULL);
    }
    for (size_t i = 0; i < b->n; i++) {
        b->ops[i]->head = p->head;
    }
}

static void fail_op(struct repo_op *op, enum err_kind kind, struct str ref, struct str reason)
{
    if (op->err.kind == ERR_NONE) {
        err_set(&op->err, kind, "failed to update ref %.*s: %.*s", STR_ARG(ref), STR_ARG(reason));
    }
}

static void fail_all(struct batch *b, const struct err *err, bool unknown)
{
    for (size_t i = 0; i < b->n; i++) {
        if (b->ops[i]->err.kind == ERR_NONE) {
            err_copy(&b->ops[i]->err, err);
            b->ops[i]->unknown = unknown;
        }
    }
}

/* A rejection that only says that another ref of the push was rejected. */
static bool is_collateral(struct str reason)
{
    return str_has_prefix(reason, STR("atomic push fail"));
}

/* A rejection that a new plan on the remote's new state can cure. */
static bool is_race(struct str reason)
{
    static const char *const WORDS[] = {"failed to update ref", "failed to lock", "fetch first",
                                        "non-fast-forward",     "stale info",     "already exists",
                                        "atomic transaction failed", "incorrect old value"};
    for (size_t i = 0; i < sizeof(WORDS) / sizeof(*WORDS); i++) {
        if (str_find(reason, str_of(WORDS[i])) >= 0) {
            return true;
        }
    }
    return false;
}

/* Undoes what a server without atomic pushes accepted of a push that failed in part. */
static void repair(struct batch *b, struct plan *p)
{
    struct push_cmd *undo = arena_array(p->arena, struct push_cmd, p->n_cmds + 1);
    size_t n = 0;
    for (size_t i = 0; i < p->n_cmds; i++) {
        if (!p->cmds[i].reject.len) {
            undo[n] = p->cmds[i];
            undo[n].from = p->cmds[i].to;
            undo[n++].to = p->cmds[i].from;
        }
    }
    if (n == 0 || n == p->n_cmds) {
        return;
    }
    AUTO_ERR err = ERR_INIT;
    AUTO_PUSH c = {0};
    struct push_objects none = {0};
    int rc = push_open(b->repo, b->deadline_ns, &c, &err) ||
             push_send(&c, p->handle, &none, undo, n, p->arena, &err);
    for (size_t i = 0; i < n; i++) {
        if (rc || undo[i].reject.len) {
            char *reason = rc ? mem_strdup(err.message)
                              : mem_strndup(undo[i].reject.ptr, undo[i].reject.len);
            log_warn("cannot undo a half accepted push", "ref", undo[i].ref.ptr, "reason", reason,
                     NULL);
            mem_free(reason);
        }
    }
}

/* First rejection that is not collateral, else the first at all; NULL when all were accepted. */
static const struct push_cmd *first_reject(const struct plan *p)
{
    const struct push_cmd *found = NULL;
    for (size_t i = 0; i < p->n_cmds; i++) {
        const struct push_cmd *c = &p->cmds[i];
        if (c->reject.len && (!found || (is_collateral(found->reject) &&
                                         !is_collateral(c->reject)))) {
            found = c;
        }
    }
    return found;
}

/* Fails the ops whose own refs were rejected; false when that blames nobody (or everybody, which
 * says as little). */
static bool blame(struct batch *b, const struct plan *p)
{
    size_t alive = 0, guilty = 0;
    for (size_t i = 0; i < b->n; i++) {
        alive += b->ops[i]->err.kind == ERR_NONE;
    }
    AUTO_MAP seen = MAP_INIT;
    for (size_t i = 0; i < p->n_cmds; i++) {
        const struct push_cmd *c = &p->cmds[i];
        if (c->reject.len && !is_collateral(c->reject) && c->op == PUSH_SHARED) {
            return false;
        }
        if (c->reject.len && !is_collateral(c->reject)) {
            guilty += !map_set(&seen, (struct str){(const char *)&c->op, sizeof(c->op)},
                               (void *)p);
        }
    }
    if (guilty == 0 || guilty == alive) {
        return false;
    }
    for (size_t i = 0; i < p->n_cmds; i++) {
        const struct push_cmd *c = &p->cmds[i];
        if (c->reject.len && !is_collateral(c->reject)) {
            fail_op(b->ops[c->op], ERR_INTERNAL, c->ref, c->reject);
        }
    }
    return true;
}

/* Runs the two halves by themselves. */
static void halve(struct batch *b)
{
    struct batch half = *b;
    for (size_t i = 0; i < 2; i++) {
        half.ops = i ? b->ops + b->n / 2 : b->ops;
        half.n = i ? b->n - b->n / 2 : b->n / 2;
        AUTO_ERR err = ERR_INIT;
        if (push_batch(&half, &err)) {
            fail_all(&half, &err, false);
        }
    }
}

enum outcome { PUSH_DONE, PUSH_AGAIN, PUSH_FRESH, PUSH_FAILED };

/* What to do about a rejected push. PUSH_FRESH: again, and the attempts start anew. */
static enum outcome judge(struct batch *b, struct plan *p, int attempt)
{
    const struct push_cmd *c = first_reject(p);
    repair(b, p);
    if (blame(b, p)) {
        return PUSH_FRESH;
    }
    bool race = is_race(c->reject);
    AUTO_ARENA a = ARENA_INIT;
    const char *text = arena_strz(&a, c->reject);
    if ((race || remote_retryable(b->repo, text)) && attempt < REMOTE_TRIES &&
        (b->n == 1 || race) && remote_wait(b->repo, attempt, text, b->deadline_ns)) {
        return PUSH_AGAIN;
    }
    if (b->n > 1) {
        halve(b);
        return PUSH_DONE;
    }
    fail_op(b->ops[0], race ? ERR_CONFLICT : ERR_INTERNAL, c->ref, c->reject);
    return PUSH_DONE;
}

/* One attempt. PUSH_FAILED sets err; *out_sent tells whether the remote may have acted. */
static enum outcome attempt_push(struct batch *b, int attempt, bool *out_sent, struct err *err)
{
    AUTO_ARENA a = ARENA_INIT;
    AUTO_PUSH c = {0};
    AUTO_REFS *refs = NULL;
    AUTO_HANDLE *h = NULL;
    AUTO_PLAN p = {0};
    *out_sent = false;
    if (mirror_repair(b->repo->mirror, err) || push_open(b->repo, b->deadline_ns, &c, err) ||
        current_refs(b, &c, &refs, err) ||
        handle_take(b->repo->mirror->pool, b->repo->mirror, &h, err)) {
        return PUSH_FAILED;
    }
    plan_init(&p, b->repo, h, refs, &a);
    if (make_plan(b, &p, err)) {
        return PUSH_FAILED;
    }
    if (p.n_cmds) {
        *out_sent = true;
        if (push_send(&c, h, &p.objects, p.cmds, p.n_cmds, &a, err)) {
            *out_sent = !err_is(err, ERR_UNAUTHORIZED);
            return PUSH_FAILED;
        }
    }
    if (!first_reject(&p)) {
        finish(b, &p);
        return PUSH_DONE;
    }
    push_close(&c); /* judge may open another */
    return judge(b, &p, attempt);
}

static int push_batch(struct batch *b, struct err *err)
{
    bool maybe_done = false;
    for (int attempt = 1;; attempt++) {
        bool sent;
        switch (attempt_push(b, attempt, &sent, err)) {
        case PUSH_DONE:
            return 0;
        case PUSH_FRESH:
            attempt = 0;
            continue;
        case PUSH_AGAIN:
            continue;
        case PUSH_FAILED:
            break;
        }
        maybe_done = maybe_done || sent;
        /* what was sent and not answered is looked at again: most often it can be told */
        if (attempt < REMOTE_TRIES && (sent || remote_retryable(b->repo, err->message)) &&
            remote_wait(b->repo, attempt, err->message, b->deadline_ns)) {
            err_done(err);
            continue;
        }
        if (!maybe_done) {
            return -1;
        }
        fail_all(b, err, true);
        err_drop(err); /* each op carries it */
        return 0;
    }
}

int repo_push(struct repo *r, struct repo_op *ops, size_t n, int64_t deadline_ns, struct err *err)
{
    struct repo_op **list = mem_array(n + 1, sizeof(*list));
    for (size_t i = 0; i < n; i++) {
        err_done(&ops[i].err);
        ops[i].unknown = false;
        ops[i].commit = ops[i].head = (struct repo_id){{0}};
        list[i] = &ops[i];
    }
    struct batch b = {r, list, n, deadline_ns};
    int rc = n ? push_batch(&b, err) : 0;
    mem_free(list);
    return rc;
}

/* True when the plan has nothing left to do for the op. What moves the branch alone is a tag that a
 * server without atomic pushes took, and the branch not: that is a publication seen. */
static bool plan_is_done(const struct plan *p, const struct repo_op *op)
{
    for (size_t i = 0; i < p->n_cmds; i++) {
        if (op->type != REPO_OP_PUBLISH || p->cmds[i].op != PUSH_SHARED) {
            return false;
        }
    }
    return true;
}

int repo_push_seen(struct repo *r, const struct repo_op *op, int64_t deadline_ns, bool *out,
                   struct err *err)
{
    struct repo_op copy = *op, *list = &copy;
    struct batch b = {r, &list, 1, deadline_ns};
    AUTO_ARENA a = ARENA_INIT;
    AUTO_REFS *refs = NULL;
    AUTO_HANDLE *h = NULL;
    AUTO_PLAN p = {0};
    copy.err = (struct err)ERR_INIT;
    if (remote_fetch(r, deadline_ns, &refs, err) ||
        handle_take(r->mirror->pool, r->mirror, &h, err)) {
        return -1;
    }
    plan_init(&p, r, h, refs, &a);
    if (make_plan(&b, &p, err)) {
        return -1;
    }
    *out = copy.err.kind == ERR_NONE && plan_is_done(&p, &copy);
    err_drop(&copy.err); /* an op that cannot be done there was not done either */
    return 0;
}

int push_create_branch(struct repo *r, int64_t deadline_ns, struct err *err)
{
    struct batch b = {r, NULL, 0, deadline_ns};
    AUTO_ARENA a = ARENA_INIT;
    AUTO_PUSH c = {0};
    AUTO_REFS *refs = NULL;
    AUTO_HANDLE *h = NULL;
    AUTO_PLAN p = {0};
    if (push_open(r, deadline_ns, &c, err) || current_refs(&b, &c, &refs, err) ||
        handle_take(r->mirror->pool, r->mirror, &h, err)) {
        return -1;
    }
    plan_init(&p, r, h, refs, &a);
    if (make_plan(&b, &p, err) ||
        (p.n_cmds && push_send(&c, h, &p.objects, p.cmds, p.n_cmds, &a, err))) {
        return -1;
    }
    const struct push_cmd *rejected = first_reject(&p);
    if (rejected) {
        return err_set(err, ERR_INTERNAL, "failed to update ref %.*s: %.*s",
                       STR_ARG(rejected->ref), STR_ARG(rejected->reject));
    }
    finish(&b, &p);
    return 0;
}
