/* SPDX-License-Identifier: Apache-2.0
 *
 * The front of the room: identify, route, authorize, negotiate, then hand over. The order of these
 * checks decides which error wins (kube-wire §7.2).
 */
#include "kube/priv.h"

int kube_new(const struct kube_config *config, struct kube **out, struct err *err)
{
    struct kube *k = mem_new(struct kube);
    k->config = *config;
    k->store = config->store;
    k->metrics = kube_metrics_new();
    pthread_mutex_init(&k->lock, NULL);
    thread_cond_init(&k->idle);
    kube_hub_start(k);
    kube_deadlines_start(&k->deadlines);
    *out = k;
    return 0;
}

void kube_set_ready(struct kube *k, bool ready)
{
    atomic_store(&k->ready, ready);
}

void kube_drain(struct kube *k, int64_t deadline_ns)
{
    atomic_store(&k->draining, true);
    kube_hub_wake_all(k);
    pthread_mutex_lock(&k->lock);
    while (k->writes && thread_cond_wait_until(&k->idle, &k->lock, deadline_ns)) {
    }
    pthread_mutex_unlock(&k->lock);
}

void kube_free(struct kube *k)
{
    if (!k) {
        return;
    }
    kube_hub_stop(k);
    kube_deadlines_stop(&k->deadlines);
    kube_metrics_free(k->metrics);
    pthread_cond_destroy(&k->idle);
    pthread_mutex_destroy(&k->lock);
    mem_free(k);
}

static void serve_resource(struct kube_call *c)
{
    AUTO_ERR err = ERR_INIT;
    const struct kube_route *r = &c->route;
    bool watch = strcmp(r->verb, "watch") == 0; /* has a time of its own */
    if ((!watch && kube_query_timeout(c->a, c->req, &err) < 0) ||
        kube_params_parse(c->a, c->req, r->verb, &c->params, &err) < 0 ||
        kube_accept_resource(c->a, c->req, r, c->params.pretty, &c->accept, &err) < 0) {
        kube_answer_err(c, &err);
    } else if (r->kind->flags & API_VIRTUAL) {
        kube_serve_review(c);
    } else if (strcmp(r->verb, "get") == 0) {
        kube_serve_get(c);
    } else if (strcmp(r->verb, "list") == 0) {
        kube_serve_list(c);
    } else if (watch) {
        kube_serve_watch(c);
    } else if (strcmp(r->verb, "deletecollection") == 0) {
        kube_serve_collection(c);
    } else {
        kube_serve_write(c);
    }
}

static void refuse(struct kube_call *c, enum err_kind kind, const char *id)
{
    AUTO_ERR err = ERR_INIT;
    api_err(&err, kind, id);
    kube_answer_err(c, &err);
}

/* Everything that is not a resource answers GET and HEAD only. */
static void serve_path(struct kube_call *c)
{
    if (c->req->method != KUBE_GET && c->req->method != KUBE_HEAD) {
        refuse(c, ERR_METHOD_NOT_ALLOWED, "kube-method-not-allowed-path");
        return;
    }
    switch (c->route.type) {
    case KUBE_ROUTE_DOCUMENT:
        kube_serve_document(c);
        break;
    case KUBE_ROUTE_VERSION:
        kube_serve_version(c);
        break;
    case KUBE_ROUTE_HEALTH:
        kube_serve_health(c);
        break;
    case KUBE_ROUTE_METRICS:
        kube_serve_metrics(c);
        break;
    case KUBE_ROUTE_ROOT:
        kube_serve_root(c);
        break;
    default:
        kube_answer_nothing(c);
        break;
    }
}

static bool always_allowed(const struct kube_route *r)
{
    return r->type == KUBE_ROUTE_HEALTH;
}

static void serve(struct kube_call *c)
{
    AUTO_ERR err = ERR_INIT;
    if (always_allowed(&c->route)) {
        serve_path(c);
        return;
    }
    if (kube_identify(c, &err) < 0) {
        kube_answer_err(c, &err);
        return;
    }
    if (c->route.type == KUBE_ROUTE_UNKNOWN) {
        refuse(c, ERR_NOT_FOUND, "kube-resource-not-found");
        return;
    }
    if (c->route.type == KUBE_ROUTE_NONE) {
        kube_answer_nothing(c);
        return;
    }
    if (c->route.type == KUBE_ROUTE_RESOURCE && !c->route.verb) {
        kube_route_refuse(c->a, c->req, &c->route, &err);
        kube_answer_err(c, &err);
        return;
    }
    if (kube_authorize(c, &err) < 0) {
        kube_answer_err(c, &err);
        return;
    }
    if (c->route.type == KUBE_ROUTE_RESOURCE) {
        serve_resource(c);
    } else {
        serve_path(c);
    }
}

void kube_serve(struct kube *k, struct kube_request *req, kube_done_fn done, void *ctx)
{
    struct kube_call *c = arena_new(req->arena, struct kube_call);
    c->k = k;
    c->req = req;
    c->a = req->arena;
    c->done = done;
    c->done_ctx = ctx;
    c->start_ns = clock_mono_ns();
    c->accept.meta_version = "v1";
    bool watch = req->method == KUBE_GET && kube_query_watch(c->a, req->query);
    kube_route_parse(c->a, req, watch, &c->route);
    serve(c);
}
