/* SPDX-License-Identifier: Apache-2.0
 *
 * The log reader: one thread that looks at each commit once and wakes the watches that it concerns
 * (architecture.md §5). The cursors of waiting watches that it does not concern are moved along, so
 * that a quiet watch neither falls out of the log nor reads again what others wrote.
 */
#include "kube/watch.h"

#define SCAN_BYTES (1024u * 1024)
#define MAX_SCOPES 64 /* namespaces of one scan; past that, everybody is woken */

/* Which namespaces had changes of one kind. */
struct scan {
    struct arena arena;
    struct str ns[MAX_SCOPES];
    size_t n;
    bool all;
};

static bool take(void *ctx, const struct store_change *c)
{
    struct scan *s = ctx;
    for (size_t i = 0; i < s->n; i++) {
        if (str_eq(s->ns[i], c->object.ns)) {
            return true;
        }
    }
    if (s->n == MAX_SCOPES) {
        s->all = true;
        return false;
    }
    s->ns[s->n++] = arena_str(&s->arena, c->object.ns);
    return true;
}

static bool concerns(const struct scan *s, const struct kube_watch *w)
{
    bool hit = s->all || (s->n > 0 && !w->scope.ns.ptr);
    for (size_t i = 0; i < s->n && !hit; i++) {
        hit = str_eq(s->ns[i], w->scope.ns);
    }
    return hit;
}

/* Looks at the changes of one kind behind `from` up to at least `to`. */
static void scan_kind(struct kube *k, struct str kind, int64_t from, int64_t to, struct scan *out)
{
    while (from < to && !out->all) {
        AUTO_ERR err = ERR_INIT; /* whoever is woken for nothing meets the error itself */
        int64_t next = from;
        if (store_changes(k->store, kind, STR_NULL, from, SCAN_BYTES, take, out, &next, &err) < 0 ||
            next <= from) {
            out->all = true;
        }
        from = next;
    }
}

/* Under the lock. */
static void wake(struct kube_watch *w)
{
    if (w->waiting && w->stream.wake) {
        w->waiting = false;
        w->stream.wake(w->stream.wake_ctx);
    }
}

static void deliver(struct kube *k, struct str kind, int64_t to, const struct scan *s)
{
    pthread_mutex_lock(&k->hub.lock);
    for (struct kube_watch *w = k->hub.first; w; w = w->next) {
        if (!str_eq(w->store_kind, kind)) {
            continue;
        }
        if (concerns(s, w)) {
            wake(w);
        } else if (w->waiting && w->after < to) {
            w->after = to;
        }
    }
    pthread_mutex_unlock(&k->hub.lock);
}

/* The kinds that have watchers, without repetition. */
static size_t watched_kinds(struct kube *k, struct str *out, size_t max)
{
    size_t n = 0;
    pthread_mutex_lock(&k->hub.lock);
    for (struct kube_watch *w = k->hub.first; w && n < max; w = w->next) {
        bool known = false;
        for (size_t i = 0; i < n && !known; i++) {
            known = str_eq(out[i], w->store_kind);
        }
        if (!known) {
            out[n++] = w->store_kind; /* constant text of the kind tables */
        }
    }
    pthread_mutex_unlock(&k->hub.lock);
    return n;
}

static void read_log(struct kube *k, int64_t from, int64_t to)
{
    AUTO_MEM struct str *kinds = mem_array(api_n_kinds, sizeof(*kinds));
    size_t n = watched_kinds(k, kinds, api_n_kinds);
    for (size_t i = 0; i < n; i++) {
        struct scan s = {.n = 0};
        scan_kind(k, kinds[i], from, to, &s);
        deliver(k, kinds[i], to, &s);
        arena_done(&s.arena);
    }
}

static void *run(void *arg)
{
    struct kube *k = arg;
    struct kube_hub *h = &k->hub;
    int64_t seen = store_rv(k->store);
    for (;;) {
        pthread_mutex_lock(&h->lock);
        while (h->newest <= seen && !h->stopping) {
            pthread_cond_wait(&h->changed, &h->lock);
        }
        bool stopping = h->stopping;
        int64_t newest = h->newest;
        pthread_mutex_unlock(&h->lock);
        if (stopping) {
            return NULL;
        }
        read_log(k, seen, newest);
        seen = newest;
    }
}

static void on_commit(void *ctx, int64_t rv)
{
    struct kube_hub *h = ctx;
    pthread_mutex_lock(&h->lock);
    h->newest = rv > h->newest ? rv : h->newest;
    pthread_cond_signal(&h->changed);
    pthread_mutex_unlock(&h->lock);
}

void kube_hub_start(struct kube *k)
{
    pthread_mutex_init(&k->hub.lock, NULL);
    pthread_cond_init(&k->hub.changed, NULL);
    store_wake_add(k->store, on_commit, &k->hub);
    k->hub.thread = thread_start("watch-log", run, k);
}

void kube_hub_stop(struct kube *k)
{
    pthread_mutex_lock(&k->hub.lock);
    k->hub.stopping = true;
    pthread_cond_signal(&k->hub.changed);
    pthread_mutex_unlock(&k->hub.lock);
    (void)pthread_join(k->hub.thread, NULL); /* it was started */
    pthread_cond_destroy(&k->hub.changed);
    pthread_mutex_destroy(&k->hub.lock);
}

void kube_hub_wake_all(struct kube *k)
{
    pthread_mutex_lock(&k->hub.lock);
    for (struct kube_watch *w = k->hub.first; w; w = w->next) {
        wake(w);
    }
    pthread_mutex_unlock(&k->hub.lock);
}

void kube_hub_add(struct kube_watch *w)
{
    struct kube_hub *h = &w->k->hub;
    pthread_mutex_lock(&h->lock);
    w->next = h->first;
    if (w->next) {
        w->next->prev = w;
    }
    h->first = w;
    h->n++;
    pthread_mutex_unlock(&h->lock);
}

void kube_hub_del(struct kube_watch *w)
{
    struct kube_hub *h = &w->k->hub;
    pthread_mutex_lock(&h->lock);
    if (w->prev) {
        w->prev->next = w->next;
    } else {
        h->first = w->next;
    }
    if (w->next) {
        w->next->prev = w->prev;
    }
    h->n--;
    pthread_mutex_unlock(&h->lock);
}
