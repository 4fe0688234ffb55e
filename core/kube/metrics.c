/* SPDX-License-Identifier: Apache-2.0
 *
 * /metrics: Prometheus text under the names that dashboards of a kube-apiserver use (kube-wire
 * §19), and what the engine and the store count.
 */
#include "kube/priv.h"

#include <unistd.h>

#include "base/map.h"

static const double BUCKETS[] = {0.005, 0.025, 0.1, 0.5, 1, 5, 30, 60};
#define N_BUCKETS (sizeof(BUCKETS) / sizeof(BUCKETS[0]))

struct histogram {
    uint64_t counts[N_BUCKETS + 1];
    uint64_t n;
    double sum;
};

struct kube_metrics {
    pthread_mutex_t lock;
    struct map requests;  /* labels with code → uint64_t */
    struct map durations; /* labels without code → struct histogram */
    struct map events;    /* labels → uint64_t */
};

struct kube_metrics *kube_metrics_new(void)
{
    struct kube_metrics *m = mem_new(struct kube_metrics);
    pthread_mutex_init(&m->lock, NULL);
    return m;
}

static void free_values(struct map *m)
{
    struct map_entry *e;
    for (size_t i = 0; (e = map_next(m, &i)) != NULL;) {
        mem_free(e->value);
    }
    map_done(m);
}

void kube_metrics_free(struct kube_metrics *m)
{
    if (!m) {
        return;
    }
    free_values(&m->requests);
    free_values(&m->durations);
    free_values(&m->events);
    pthread_mutex_destroy(&m->lock);
    mem_free(m);
}

static void *slot(struct map *m, struct str key, size_t size)
{
    void *v = map_find(m, key);
    if (!v) {
        v = mem_alloc(size);
        map_set(m, key, v);
    }
    return v;
}

static const char *verb_of(const struct kube_call *c)
{
    static const char *const METHODS[] = {"GET",   "HEAD",   "POST", "PUT",
                                          "PATCH", "DELETE", "OTHER"};
    const struct kube_route *r = &c->route;
    if (r->type == KUBE_ROUTE_RESOURCE && r->verb && strcmp(r->verb, "list") == 0) {
        return "LIST";
    }
    if (r->type == KUBE_ROUTE_RESOURCE && r->verb && strcmp(r->verb, "watch") == 0) {
        return "WATCH";
    }
    return METHODS[c->req->method];
}

static void add_labels(struct buf *b, const struct kube_call *c)
{
    const struct kube_route *r = &c->route;
    const struct api_kind *k = r->kind;
    const char *scope = "";
    if (k) {
        bool namespaced = k->flags & API_NAMESPACED;
        scope = r->name.ptr ? "resource" : namespaced && r->ns.ptr ? "namespace" : "cluster";
    }
    buf_printf(b, "verb=\"%s\",group=\"%s\",version=\"%s\",resource=\"%s\",subresource=\"%.*s\","
                  "scope=\"%s\"",
               verb_of(c), k ? k->group : "", k ? k->version : "", k ? k->resource : "",
               STR_ARG(k ? r->subresource : STR("")), scope);
}

void kube_metrics_request(struct kube_call *c, int code)
{
    struct kube_metrics *m = c->k->metrics;
    double seconds = (double)(clock_mono_ns() - c->start_ns) / NS_PER_S;
    AUTO_BUF labels = BUF_INIT;
    add_labels(&labels, c);
    bool watch = c->resp.stream && c->resp.stream->watch;
    pthread_mutex_lock(&m->lock);
    if (!watch) { /* a watch has no duration worth a histogram */
        struct histogram *h = slot(&m->durations, buf_str(&labels), sizeof(*h));
        size_t i = 0;
        while (i < N_BUCKETS && seconds > BUCKETS[i]) {
            i++;
        }
        h->counts[i]++;
        h->n++;
        h->sum += seconds;
    }
    buf_printf(&labels, ",code=\"%d\"", code);
    ++*(uint64_t *)slot(&m->requests, buf_str(&labels), sizeof(uint64_t));
    pthread_mutex_unlock(&m->lock);
}

void kube_metrics_event(struct kube *k, const struct api_kind *kind, size_t n)
{
    struct kube_metrics *m = k->metrics;
    AUTO_BUF labels = BUF_INIT;
    buf_printf(&labels, "group=\"%s\",version=\"%s\",kind=\"%s\"", kind->group, kind->version,
               kind->kind);
    pthread_mutex_lock(&m->lock);
    *(uint64_t *)slot(&m->events, buf_str(&labels), sizeof(uint64_t)) += n;
    pthread_mutex_unlock(&m->lock);
}

static void add_counters(struct buf *b, const char *name, struct map *m)
{
    struct map_entry *e;
    buf_printf(b, "# TYPE %s counter\n", name);
    for (size_t i = 0; (e = map_next(m, &i)) != NULL;) {
        buf_printf(b, "%s{%.*s} %llu\n", name, STR_ARG(e->key),
                   (unsigned long long)*(uint64_t *)e->value);
    }
}

static void add_durations(struct buf *b, struct map *m)
{
    static const char name[] = "apiserver_request_duration_seconds";
    struct map_entry *e;
    buf_printf(b, "# TYPE %s histogram\n", name);
    for (size_t i = 0; (e = map_next(m, &i)) != NULL;) {
        struct histogram *h = e->value;
        uint64_t below = 0;
        for (size_t k = 0; k < N_BUCKETS; k++) {
            below += h->counts[k];
            buf_printf(b, "%s_bucket{%.*s,le=\"%g\"} %llu\n", name, STR_ARG(e->key), BUCKETS[k],
                       (unsigned long long)below);
        }
        buf_printf(b, "%s_bucket{%.*s,le=\"+Inf\"} %llu\n", name, STR_ARG(e->key),
                   (unsigned long long)h->n);
        buf_printf(b, "%s_sum{%.*s} %g\n%s_count{%.*s} %llu\n", name, STR_ARG(e->key), h->sum,
                   name, STR_ARG(e->key), (unsigned long long)h->n);
    }
}

static void add_number(struct buf *b, const char *name, const char *type, double v)
{
    buf_printf(b, "# TYPE %s %s\n%s %.17g\n", name, type, name, v);
}

static void add_process(struct buf *b)
{
    unsigned long size = 0, rss = 0;
    FILE *f = fopen("/proc/self/statm", "re");
    if (f) {
        if (fscanf(f, "%lu %lu", &size, &rss) == 2) {
            add_number(b, "process_resident_memory_bytes", "gauge",
                       (double)rss * (double)sysconf(_SC_PAGESIZE));
        }
        (void)fclose(f); /* only read */
    }
}

static void add_store(struct buf *b, struct store *s)
{
    struct store_stats st = {0};
    store_stats_get(s, &st);
    add_number(b, "lanai_store_commits_total", "counter", (double)st.commits);
    add_number(b, "lanai_store_groups_total", "counter", (double)st.groups);
    add_number(b, "lanai_store_changes_total", "counter", (double)st.changes);
    add_number(b, "lanai_store_commit_seconds_total", "counter", (double)st.commit_ns / NS_PER_S);
    add_number(b, "lanai_store_bytes", "gauge", (double)st.bytes);
    add_number(b, "lanai_store_content_removed_total", "counter", (double)st.removed);
    add_number(b, "lanai_store_resource_version", "gauge", (double)store_rv(s));
}

void kube_serve_metrics(struct kube_call *c)
{
    struct kube *k = c->k;
    struct kube_metrics *m = k->metrics;
    AUTO_BUF b = BUF_INIT;
    pthread_mutex_lock(&m->lock);
    add_counters(&b, "apiserver_request_total", &m->requests);
    add_durations(&b, &m->durations);
    add_counters(&b, "apiserver_watch_events_total", &m->events);
    pthread_mutex_unlock(&m->lock);
    pthread_mutex_lock(&k->hub.lock);
    size_t watchers = k->hub.n;
    pthread_mutex_unlock(&k->hub.lock);
    pthread_mutex_lock(&k->lock);
    size_t writes = k->writes;
    pthread_mutex_unlock(&k->lock);
    buf_printf(&b, "# TYPE apiserver_longrunning_requests gauge\n"
                   "apiserver_longrunning_requests{verb=\"WATCH\"} %zu\n",
               watchers);
    buf_printf(&b, "# TYPE apiserver_current_inflight_requests gauge\n"
                   "apiserver_current_inflight_requests{request_kind=\"mutating\"} %zu\n",
               writes);
    add_process(&b);
    add_store(&b, k->store);
    engine_metrics(k->config.engine, &b);
    kube_answer(c, 200, "text/plain; version=0.0.4; charset=utf-8",
                arena_str(c->a, buf_str(&b)));
}
