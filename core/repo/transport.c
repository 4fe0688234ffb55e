/* SPDX-License-Identifier: Apache-2.0
 *
 * See transport.h. libgit2 finds a transport by the scheme of a URL in a global table, so two
 * private schemes are registered (one per protocol flavour) and the conversation at hand is passed
 * in a thread-local. The advertisement that we read already is played back to libgit2.
 */
#include "repo/transport.h"

#include <git2/sys/transport.h>

#define SCHEME_STATELESS "lanai-stateless"
#define SCHEME_STREAM "lanai-stream"

struct current {
    struct wire *wire;
    struct str advert; /* not yet played back */
    struct err *err;   /* first failure of the conversation */
};

static _Thread_local struct current *current;

struct sub {
    git_smart_subtransport base;
    git_smart_subtransport_stream *stream; /* the one stream of the stateful flavour */
};

static int report(struct err *err)
{
    git_error_set_str(GIT_ERROR_NET, err && err->message ? err->message : "no conversation");
    return -1;
}

static int on_read(git_smart_subtransport_stream *s, char *bytes, size_t cap, size_t *out_n)
{
    struct current *c = current;
    if (c->advert.len) {
        size_t n = c->advert.len < cap ? c->advert.len : cap;
        memcpy(bytes, c->advert.ptr, n);
        c->advert = str_sub(c->advert, n, c->advert.len);
        *out_n = n;
        return 0;
    }
    return wire_read(c->wire, bytes, cap, out_n, c->err) ? report(c->err) : 0;
}

static int on_write(git_smart_subtransport_stream *s, const char *bytes, size_t n)
{
    return wire_write(current->wire, bytes, n, current->err) ? report(current->err) : 0;
}

static void on_stream_free(git_smart_subtransport_stream *s)
{
    struct sub *sub = (struct sub *)s->subtransport;
    if (sub->stream == s) {
        sub->stream = NULL;
    }
    mem_free(s);
}

static int on_action(git_smart_subtransport_stream **out, git_smart_subtransport *base,
                     const char *url, git_smart_service_t action)
{
    struct sub *sub = (struct sub *)base;
    if (!current || (action != GIT_SERVICE_UPLOADPACK_LS && action != GIT_SERVICE_UPLOADPACK)) {
        return report(NULL);
    }
    if (!current->wire->stateless && sub->stream) {
        *out = sub->stream;
        return 0;
    }
    git_smart_subtransport_stream *s = mem_new(git_smart_subtransport_stream);
    s->subtransport = base;
    s->read = on_read;
    s->write = on_write;
    s->free = on_stream_free;
    sub->stream = s;
    *out = s;
    return 0;
}

static int on_close(git_smart_subtransport *base)
{
    return 0;
}

static void on_free(git_smart_subtransport *base)
{
    mem_free(base);
}

static int on_new(git_smart_subtransport **out, git_transport *owner, void *param)
{
    struct sub *sub = mem_new(struct sub);
    sub->base.action = on_action;
    sub->base.close = on_close;
    sub->base.free = on_free;
    *out = &sub->base;
    return 0;
}

void transport_register(void)
{
    static git_smart_subtransport_definition stateless = {on_new, 1, NULL};
    static git_smart_subtransport_definition stream = {on_new, 0, NULL};
    git_transport_register(SCHEME_STATELESS, git_transport_smart, &stateless);
    git_transport_register(SCHEME_STREAM, git_transport_smart, &stream);
}

int transport_download(struct handle *h, struct wire *w, const struct advert *a, struct err *err)
{
    AUTO_ERR cause = ERR_INIT;
    struct current here = {.wire = w, .advert = buf_str(&a->raw), .err = &cause};
    char *specs[] = {"+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*"};
    git_strarray wanted = {specs, 2};
    git_fetch_options o = GIT_FETCH_OPTIONS_INIT;
    o.download_tags = GIT_REMOTE_DOWNLOAD_TAGS_NONE;
    o.update_fetchhead = 0;
    o.prune = GIT_FETCH_NO_PRUNE;
    /* Not an anonymous remote: that looks for URL rewrites in the configuration with a regular
     * expression, and libgit2 1.5 leaks 20 kB per match. */
    git_remote_create_options as = GIT_REMOTE_CREATE_OPTIONS_INIT;
    as.repository = h->git;
    as.flags = GIT_REMOTE_CREATE_SKIP_INSTEADOF | GIT_REMOTE_CREATE_SKIP_DEFAULT_FETCHSPEC;
    git_remote *remote = NULL;
    current = &here;
    int rc = git_remote_create_with_opts(
        &remote, w->stateless ? SCHEME_STATELESS "://x" : SCHEME_STREAM "://x", &as);
    rc = rc ? rc : git_remote_download(remote, &wanted, &o);
    if (rc) {
        git_fail(err, ERR_UNAVAILABLE, "cannot fetch");
        if (cause.message) {
            err_move(err, &cause);
        }
    }
    git_remote_free(remote);
    current = NULL;
    return rc ? -1 : 0;
}
