/* SPDX-License-Identifier: Apache-2.0
 *
 * Discovery and OpenAPI: ready-made bytes with ETag (kube-wire §5, §6). Never touches the store.
 */
#include "kube/priv.h"

#include "base/clock.h"

static bool etag_matches(const struct kube_call *c, const char *etag)
{
    struct str rest = kube_header_get(c->req, "If-None-Match"), one;
    while (rest.ptr && str_split(&rest, ',', &one)) {
        one = str_trim(one, " \t");
        if (str_has_prefix(one, STR("W/"))) {
            one = str_sub(one, 2, one.len);
        }
        if (str_eqz(str_trim(one, "\""), etag) || str_eqz(one, "*")) {
            return true;
        }
    }
    return false;
}

static void send(struct kube_call *c, const struct api_document *d)
{
    kube_answer_header(c, "ETag", arena_printf(c->a, "\"%s\"", d->etag));
    kube_answer_header(c, "Vary", STR("Accept"));
    if (etag_matches(c, d->etag)) {
        kube_answer(c, 304, d->content_type, STR(""));
        return;
    }
    kube_answer(c, 200, d->content_type, (struct str){(const char *)d->body, d->len});
}

/* Discovery in its old form, as JSON or YAML. */
static void serve_discovery(struct kube_call *c, const struct api_document *d)
{
    AUTO_ERR err = ERR_INIT;
    bool porch = str_has_prefix(c->route.path, STR("/apis/porch.kpt.dev/"));
    if (kube_accept_document(c->a, c->req, porch, &c->accept.style, &err) < 0) {
        kube_answer_err(c, &err);
    } else if (c->accept.style == KUBE_YAML) {
        kube_answer_header(c, "Vary", STR("Accept"));
        kube_answer_json(c, 200, (struct str){(const char *)d->body, d->len});
    } else {
        send(c, d);
    }
}

static void not_acceptable(struct kube_call *c)
{
    AUTO_ERR err = ERR_INIT;
    api_err(&err, ERR_NOT_ACCEPTABLE, "kube-not-acceptable");
    kube_answer_err(c, &err);
}

/* /api and /apis come in three forms; the aggregated ones may be kept by caches. */
static void serve_root_discovery(struct kube_call *c)
{
    static const char *const TYPES[] = {
        "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList",
        "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList",
        "application/json", "application/yaml", NULL};
    static const char *const VARIANTS[] = {"v2", "v2beta1"};
    int pick = kube_accept_pick(c->a, c->req, TYPES);
    if (pick == 0 || pick == 1) {
        kube_answer_header(c, "Cache-Control", STR("public"));
        send(c, api_document_find(c->route.path, VARIANTS[pick]));
    } else {
        serve_discovery(c, api_document_find(c->route.path, ""));
    }
}

static void serve_openapi_v2(struct kube_call *c)
{
    static const char *const TYPES[] = {
        "application/json", "application/com.github.proto-openapi.spec.v2@v1.0+protobuf",
        "application/com.github.proto-openapi.spec.v2.v1.0+protobuf", NULL};
    int pick = kube_accept_pick(c->a, c->req, TYPES);
    const struct api_document *d =
        pick < 0 ? NULL : api_document_find(c->route.path, pick == 0 ? "" : "pb");
    if (!d) {
        not_acceptable(c);
        return;
    }
    send(c, d);
}

/* A wrong hash is sent to the right one; the right one may be kept for ever. */
static void serve_openapi_v3(struct kube_call *c, const struct api_document *d)
{
    struct str hash = kube_query_get(c->a, c->req->query, "hash");
    if (hash.len && !str_eqz(hash, d->etag)) {
        kube_answer_header(c, "Location",
                           arena_printf(c->a, "%.*s?hash=%s", STR_ARG(c->route.path), d->etag));
        kube_answer(c, 301, "text/plain; charset=utf-8", STR(""));
        return;
    }
    if (hash.len) {
        kube_answer_header(c, "Cache-Control", STR("public, immutable"));
        struct tm tm;
        time_t then = (time_t)(clock_real_ns() / NS_PER_S) + 365 * 86400;
        char text[64];
        (void)gmtime_r(&then, &tm); /* in range for millennia */
        (void)strftime(text, sizeof(text), "%a, %d %b %Y %H:%M:%S GMT", &tm);
        kube_answer_header(c, "Expires", arena_str(c->a, str_of(text)));
    }
    send(c, d);
}

void kube_serve_document(struct kube_call *c)
{
    struct str path = c->route.path;
    if (str_eqz(path, "/api") || str_eqz(path, "/apis")) {
        serve_root_discovery(c);
        return;
    }
    if (str_eqz(path, "/openapi/v2")) {
        serve_openapi_v2(c);
        return;
    }
    bool v3 = str_has_prefix(path, STR("/openapi/v3/"));
    const struct api_document *d = api_document_find(path, "");
    if (!d && v3) {
        kube_answer(c, 404, NULL, STR("")); /* as the peer has it */
    } else if (!d) {
        kube_answer_nothing(c);
    } else if (v3) {
        serve_openapi_v3(c, d);
    } else if (str_has_prefix(path, STR("/openapi/"))) {
        send(c, d);
    } else {
        serve_discovery(c, d);
    }
}
