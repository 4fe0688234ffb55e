/* SPDX-License-Identifier: Apache-2.0
 *
 * Fetching and probing. The server's list of refs comes first; when it equals the mirror's nothing
 * else is asked. The refs of a fetch are dropped when a push changed the mirror meanwhile, since
 * they may be older than that push: then the server is asked again.
 */
#include "base/clock.h"
#include "repo/local.h"
#include "repo/push.h"
#include "repo/remote.h"
#include "repo/transport.h"

#define SLOW_MS 1000  /* delay per attempt when a hook said no … */
#define QUICK_MS 200  /* … and otherwise */
#define RACES 8       /* pushes that may overtake one fetch */

bool remote_retryable(const struct repo *r, const char *text)
{
    static const char *const PATTERNS[] = {
        "remote ref",
        "failed to update ref",
        "pre-receive hook declined",
        "non-fast-forward update",
        "stale file handle",
        "unable to migrate objects to permanent storage",
        "failed to lock",
        "broken pipe",
        "status code: 500",
    };
    for (size_t i = 0; text && i < sizeof(PATTERNS) / sizeof(*PATTERNS); i++) {
        if (strcasestr(text, PATTERNS[i])) {
            return true;
        }
    }
    const struct repo_pool *p = r->mirror->pool;
    for (size_t i = 0; text && i < p->n_retryable; i++) {
        if (p->retryable[i][0] && strcasestr(text, p->retryable[i])) {
            return true;
        }
    }
    return false;
}

bool remote_wait(const struct repo *r, int attempt, const char *text, int64_t deadline_ns)
{
    int ms = attempt * (text && strcasestr(text, "hook declined") ? SLOW_MS : QUICK_MS);
    return clock_left_ms(deadline_ns, ms + 1) > ms && !net_cancel_wait(&r->cancel, ms);
}

static void git_repository_free_at(git_repository **g)
{
    git_repository_free(*g);
}

/* One round: lists, downloads; *out are the remote's refs (counted). */
static int fetch_local(struct repo *r, const struct refs *have, struct refs **out, struct err *err)
{
    AUTO(git_repository_free_at) git_repository *remote = NULL;
    AUTO_REFS *refs = NULL;
    if (local_open(r, &remote, err) || local_refs(remote, &refs, err)) {
        return -1;
    }
    if (strcmp(refs->version, have->version) != 0) {
        AUTO_HANDLE *h = NULL;
        if (handle_take(r->mirror->pool, r->mirror, &h, err) ||
            local_download(h, remote, refs, have, err)) {
            return -1;
        }
    }
    *out = TAKE(refs);
    return 0;
}

static int fetch_wire(struct repo *r, const struct refs *have, int64_t deadline_ns,
                      struct refs **out, struct err *err)
{
    AUTO_WIRE *w = NULL;
    AUTO_ADVERT advert = {0};
    if (wire_open(r, WIRE_UPLOAD_PACK, deadline_ns, &w, err) || advert_read(w, &advert, err)) {
        return -1;
    }
    if (strcmp(advert.refs->version, have->version) != 0 && advert.refs->n) {
        AUTO_HANDLE *h = NULL;
        if (handle_take(r->mirror->pool, r->mirror, &h, err) ||
            transport_download(h, w, &advert, err)) {
            return -1;
        }
    }
    *out = TAKE(advert.refs);
    return 0;
}

int remote_fetch(struct repo *r, int64_t deadline_ns, struct refs **out, struct err *err)
{
    if (mirror_repair(r->mirror, err)) {
        return -1;
    }
    for (int i = 0; i < RACES; i++) {
        uint64_t number;
        AUTO_REFS *have = mirror_refs(r->mirror, &number);
        AUTO_REFS *refs = NULL;
        bool done = false;
        int rc = r->url.kind == URL_FILE ? fetch_local(r, have, &refs, err)
                                         : fetch_wire(r, have, deadline_ns, &refs, err);
        if (rc) {
            return -1;
        }
        if (strcmp(refs->version, have->version) == 0) {
            *out = TAKE(refs);
            return 0;
        }
        if (mirror_refs_set(r->mirror, refs, number, &done, err)) {
            return -1;
        }
        if (done) {
            *out = TAKE(refs);
            return 0;
        }
    }
    return err_set(err, ERR_UNAVAILABLE, "the repository changed too often during the fetch");
}

int remote_list(struct repo *r, int64_t deadline_ns, struct refs **out, struct err *err)
{
    if (r->url.kind == URL_FILE) {
        AUTO(git_repository_free_at) git_repository *remote = NULL;
        return local_open(r, &remote, err) || local_refs(remote, out, err) ? -1 : 0;
    }
    AUTO_WIRE *w = NULL;
    AUTO_ADVERT advert = {0};
    if (wire_open(r, WIRE_UPLOAD_PACK, deadline_ns, &w, err) || advert_read(w, &advert, err)) {
        return -1;
    }
    *out = TAKE(advert.refs);
    return 0;
}

int repo_probe(struct repo *r, int64_t deadline_ns, struct err *err)
{
    AUTO_REFS *refs = NULL;
    bool secret = r->remote.credential.type != REPO_CREDENTIAL_NONE;
    if (remote_list(r, deadline_ns, &refs, err)) {
        return err_wrap(err, secret ? "failed to list remote refs with authentication"
                                    : "failed to list remote refs");
    }
    if (!r->remote.create_branch && !refs_find(refs, r->branch_ref)) {
        return err_set(err, ERR_NOT_FOUND, "branch \"%.*s\" not found in repository",
                       STR_ARG(r->remote.branch));
    }
    return 0;
}

static void state_of(const struct repo *r, const struct refs *refs, struct repo_state *out)
{
    const struct repo_id *head = refs_find(refs, r->branch_ref);
    out->head = head ? *head : (struct repo_id){{0}};
    memcpy(out->version, refs->version, sizeof(out->version));
}

/* The peer's words; they hold the repository's key three times. */
static int fetch_given_up(const struct repo_remote *r, int tries, struct err *err)
{
    AUTO_ARENA a = ARENA_INIT;
    const char *key = arena_printf(&a, "%.*s:%.*s:%.*s:%.*s", STR_ARG(r->ns), STR_ARG(r->name),
                                   STR_ARG(r->directory), STR_ARG(r->branch))
                          .ptr;
    return err_wrap(err,
                    "fetch of remote repository %s with retry failed: fetch of remote repository "
                    "%s with retry failed on try number %d: cannot fetch repository %s",
                    key, key, tries, key);
}

static int clone_failed(const struct repo_remote *r, struct err *err)
{
    return err_wrap(err, "error cloning git repository %.*s, fetch of remote repository failed",
                    STR_ARG(r->url));
}

int repo_fetch_failed(const struct repo_remote *r, struct err *err)
{
    fetch_given_up(r, REMOTE_TRIES, err);
    return clone_failed(r, err);
}

static int fetch_and_settle(struct repo *r, int64_t deadline_ns, struct refs **out,
                            struct err *err)
{
    AUTO_REFS *refs = NULL;
    for (int attempt = 1; remote_fetch(r, deadline_ns, &refs, err); attempt++) {
        if (attempt == REMOTE_TRIES || !remote_wait(r, attempt, NULL, deadline_ns)) {
            return fetch_given_up(&r->remote, attempt, err);
        }
        err_done(err);
    }
    if (!r->remote.any_branch && !refs_find(refs, r->branch_ref)) {
        if (!r->remote.create_branch) {
            return err_set(err, ERR_NOT_FOUND, "branch \"%.*s\" doesn't exist: reference not found",
                           STR_ARG(r->remote.branch));
        }
        if (push_create_branch(r, deadline_ns, err)) {
            return -1;
        }
        refs_unref(refs);
        refs = mirror_refs(r->mirror, NULL);
    }
    *out = TAKE(refs);
    return 0;
}

int repo_fetch(struct repo *r, int64_t deadline_ns, struct repo_state *out, struct err *err)
{
    AUTO_REFS *refs = NULL;
    if (fetch_and_settle(r, deadline_ns, &refs, err)) {
        return clone_failed(&r->remote, err);
    }
    state_of(r, refs, out);
    return 0;
}

int repo_state_get(struct repo *r, struct repo_state *out, struct err *err)
{
    AUTO_REFS *refs = mirror_refs(r->mirror, NULL);
    state_of(r, refs, out);
    return 0;
}
