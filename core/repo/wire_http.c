/* SPDX-License-Identifier: Apache-2.0
 *
 * Smart HTTP: GET info/refs, then one POST per request. A redirect of the first answer moves the
 * whole conversation, unless that would take a credential to another origin.
 */
#include "net/http.h"
#include "repo/wire.h"

#define SAID_BYTES 300 /* of a refusing server's text that is passed on */

struct wire_http {
    struct wire base;
    struct net_http *http;
    struct arena arena;
    struct str root; /* URL without /info/refs, after redirects */
    struct buf request;
    bool writing; /* request holds bytes that were not sent */
};

/* A failed answer in the words that clients and the retry table know: for the refusals with what
 * the server says, cut to a sensible length. */
static int check_status(struct wire_http *w, const char *url, int status, struct err *err)
{
    char body[SAID_BYTES + 1] = "";
    size_t n = 0, got = 1;
    if (status == 200) {
        return 0;
    }
    if (status != 401 && status != 403 && status != 404) {
        return err_set(err, ERR_UNAVAILABLE, "%sunexpected requesting \"%s\" status code: %d",
                       status == 429 ? "too many requests: " : "", url, status);
    }
    AUTO_ERR ignored = ERR_INIT; /* the status is what counts */
    while (got && n < SAID_BYTES && !net_http_read(w->http, body + n, SAID_BYTES - n, &got,
                                                   &ignored)) {
        n += got;
    }
    struct str said = {body, n};
    if (!str_is_utf8(said) || memchr(body, 0, n) || str_find_byte(said, '<') >= 0) {
        said = STR(""); /* a web page */
    }
    const char *what = status == 401   ? "authentication required"
                       : status == 403 ? "authorization failed: permission denied"
                                       : "repository not found";
    return err_set(err, status == 404 ? ERR_NOT_FOUND : ERR_UNAUTHORIZED, "%s: %.*s", what,
                   STR_ARG(said));
}

/* "<verb> "<url>"" in front of a failure, without the password that a URL may hold. */
static int request_failed(const char *verb, struct str url, struct err *err)
{
    ptrdiff_t at = str_find(url, STR("://"));
    struct str host = at < 0 ? url : str_sub(url, (size_t)at + 3, url.len);
    ptrdiff_t slash = str_find_byte(host, '/');
    host = slash < 0 ? host : str_sub(host, 0, (size_t)slash);
    ptrdiff_t end = str_rfind_byte(host, '@'), colon = str_find_byte(host, ':');
    if (end < 0 || colon < 0 || colon > end) {
        return err_wrap(err, "%s \"%.*s\"", verb, STR_ARG(url));
    }
    return err_wrap(err, "%s \"%.*s***%s\"", verb, (int)(host.ptr + colon + 1 - url.ptr), url.ptr,
                    host.ptr + end);
}

static int post(struct wire_http *w, struct err *err)
{
    const char *service = wire_service_name(w->base.service);
    AUTO_ARENA a = ARENA_INIT;
    struct str url = arena_printf(&a, "%.*s/%s", STR_ARG(w->root), service);
    const char *headers[] = {
        arena_printf(&a, "Content-Type: application/x-%s-request", service).ptr,
        arena_printf(&a, "Accept: application/x-%s-result", service).ptr,
        NULL,
    };
    struct net_http_request q = {
        .url = url.ptr, .post = true, .body = buf_str(&w->request), .headers = headers};
    int status = 0;
    if (net_http_send(w->http, &q, w->base.deadline_ns, &status, err)) {
        return request_failed("Post", url, err);
    }
    w->writing = false;
    return check_status(w, url.ptr, status, err);
}

static int on_read(struct wire *base, void *bytes, size_t cap, size_t *out_n, struct err *err)
{
    struct wire_http *w = (struct wire_http *)base;
    if (w->writing && post(w, err)) {
        return -1;
    }
    return net_http_read(w->http, bytes, cap, out_n, err);
}

static int on_write(struct wire *base, const void *bytes, size_t n, struct err *err)
{
    struct wire_http *w = (struct wire_http *)base;
    if (!w->writing) {
        buf_clear(&w->request);
        w->writing = true;
    }
    buf_add(&w->request, bytes, n);
    return 0;
}

static void on_close(struct wire *base)
{
    struct wire_http *w = (struct wire_http *)base;
    net_http_free(w->http);
    buf_done(&w->request);
    arena_done(&w->arena);
    mem_free(w);
}

static const struct wire_ops OPS = {on_read, on_write, on_close};

/* Where the conversation goes on: the answer's URL without what we appended. */
static int settle(struct wire_http *w, const struct repo *r, struct str asked, struct err *err)
{
    struct str at = str_of(net_http_url(w->http));
    struct str tail = str_sub(asked, w->root.len, asked.len);
    bool has_secret = r->remote.credential.type != REPO_CREDENTIAL_NONE ||
                      str_find_byte(r->url.text, '@') >= 0;
    if (at.len == 0 || str_eq(at, asked)) {
        return 0;
    }
    if (!str_has_suffix(at, tail)) {
        return err_set(err, ERR_UNAVAILABLE, "invalid redirect of the repository URL to %.*s",
                       STR_ARG(at));
    }
    struct str root = arena_str(&w->arena, str_sub(at, 0, at.len - tail.len));
    if (has_secret && !net_url_same_origin(root.ptr, w->root.ptr)) {
        return err_set(err, ERR_UNAVAILABLE,
                       "invalid redirect: the credential is not sent on to %.*s", STR_ARG(root));
    }
    w->root = root;
    return 0;
}

static int get_advert(struct wire_http *w, const struct repo *r, struct err *err)
{
    const char *service = wire_service_name(w->base.service);
    struct str asked = arena_printf(&w->arena, "%.*s/info/refs?service=%s", STR_ARG(w->root),
                                    service);
    const char *headers[] = {"Pragma: no-cache", NULL};
    struct net_http_request q = {.url = asked.ptr, .headers = headers, .follow = true};
    int status = 0;
    if (net_http_send(w->http, &q, w->base.deadline_ns, &status, err)) {
        return request_failed("Get", asked, err);
    }
    /* The redirect rule first: 401 of another origin would blame a credential it never saw. */
    if (settle(w, r, asked, err)) {
        return -1;
    }
    return check_status(w, asked.ptr, status, err);
}

int wire_http_open(const struct repo *r, enum wire_service service, int64_t deadline_ns,
                   struct wire **out, struct err *err)
{
    const struct repo_credential *c = &r->remote.credential;
    struct net_http_options o = {
        .auth = c->type == REPO_BASIC    ? NET_AUTH_BASIC
                : c->type == REPO_BEARER ? NET_AUTH_BEARER
                                         : NET_AUTH_NONE,
        .username = c->username,
        .password = c->password,
        .token = c->token,
        .ca_bundle = r->remote.ca_bundle,
        .cancel = &r->cancel,
    };
    struct wire_http *w = mem_new(struct wire_http);
    w->base = (struct wire){&OPS, service, deadline_ns, true};
    w->root = arena_str(&w->arena, r->url.text);
    while (w->root.len && w->root.ptr[w->root.len - 1] == '/') {
        w->root.len--;
    }
    w->root = arena_str(&w->arena, w->root);
    if (net_http_new(&o, &w->http, err) || get_advert(w, r, err)) {
        on_close(&w->base);
        return -1;
    }
    *out = &w->base;
    return 0;
}
