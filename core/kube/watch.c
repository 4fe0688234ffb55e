/* SPDX-License-Identifier: Apache-2.0
 *
 * WATCH: a cursor into the change log per watcher (kube-wire §9). A watcher that waits holds this
 * struct and nothing else; one that is behind reads the log in batches when its client takes bytes,
 * so a stalled client costs neither memory nor other watchers. The store's commits wake those that
 * wait, through the hub.
 */
#include "kube/watch.h"

#include <sys/random.h>

#define BATCH (64u * 1024)           /* bytes of events made at a time */
#define BOOKMARK_NS (60 * NS_PER_S)  /* how often */
#define MIN_SECONDS 1800             /* a watch without a timeout ends at random between these */
#define MAX_SECONDS 3600

/* --- events --- */

static int add_event(struct kube_watch *w, const char *type, const struct store_object *row,
                     struct err *err)
{
    size_t before = w->out.len;
    buf_printf(&w->out, "{\"type\":\"%s\",\"object\":", type);
    if (kube_shape_single(&w->shaper, row, &w->item, &w->out, err) < 0) {
        w->out.len = before;
        return -1;
    }
    buf_addz(&w->out, "}\n");
    w->shaper.no_columns = true;
    w->events++;
    return 0;
}

/* In a Table watch the bookmark is a row without cells that matter. */
static void add_bookmark(struct kube_watch *w, int64_t rv, bool initial_end)
{
    const struct api_kind *k = w->shaper.kind;
    const char *meta_version = w->shaper.accept.meta_version;
    AUTO_BUF meta = BUF_INIT;
    buf_printf(&meta, "\"metadata\":{\"resourceVersion\":\"%lld\"%s}", (long long)rv,
               initial_end ? ",\"annotations\":{\"k8s.io/initial-events-end\":\"true\"}" : "");
    buf_addz(&w->out, "{\"type\":\"BOOKMARK\",\"object\":");
    switch (w->shaper.accept.shape) {
    case KUBE_OBJECT:
        buf_printf(&w->out, "{\"kind\":\"%s\",\"apiVersion\":\"%s\",%s%s}", k->kind,
                   k->group_version, meta.ptr,
                   strcmp(k->store_kind, "packagerevisions") == 0 /* as the peer has it */
                       ? ",\"spec\":{},\"status\":{\"publishTimestamp\":null}"
                       : "");
        break;
    case KUBE_PARTIAL:
        buf_printf(&w->out,
                   "{\"kind\":\"PartialObjectMetadata\",\"apiVersion\":\"meta.k8s.io/%s\",%s}",
                   meta_version, meta.ptr);
        break;
    case KUBE_TABLE:
        buf_printf(&w->out,
                   "{\"kind\":\"Table\",\"apiVersion\":\"meta.k8s.io/%s\",\"metadata\":"
                   "{\"resourceVersion\":\"%lld\"},",
                   meta_version, (long long)rv);
        kube_table_columns(&w->out, k);
        buf_addz(&w->out, ",\"rows\":[{\"cells\":[");
        for (size_t i = 0; i < k->n_columns; i++) {
            buf_addz(&w->out, i ? ",\"\"" : "\"\"");
        }
        buf_printf(&w->out,
                   "],\"object\":{\"kind\":\"PartialObjectMetadata\",\"apiVersion\":"
                   "\"meta.k8s.io/%s\",%s}}]}",
                   meta_version, meta.ptr);
        break;
    }
    buf_addz(&w->out, "}\n");
    w->bookmark_ns = clock_mono_ns() + BOOKMARK_NS;
    w->told = rv;
}

static void add_error(struct kube_watch *w)
{
    int code;
    buf_addz(&w->out, "{\"type\":\"ERROR\",\"object\":");
    kube_status_json(&w->out, &w->failed, STR_NULL, &code);
    buf_addz(&w->out, "}\n");
    w->phase = KUBE_WATCH_ENDED;
}

static void set_expired(struct kube_watch *w, int64_t rv, struct err *out)
{
    AUTO_ARENA a = ARENA_INIT;
    api_err(out, ERR_EXPIRED, "kube-watch-too-old",
            arena_printf(&a, "%lld", (long long)rv).ptr,
            arena_printf(&a, "%lld", (long long)store_rv(w->k->store)).ptr);
}

static int selected(struct kube_watch *w, const struct store_object *row, bool *out,
                    struct err *err)
{
    return kube_list_match(&w->scope, w->shaper.kind, row, &w->item, out, err);
}

/* The last selected state, with the number of the change that took it out of the selection. */
static int add_left(struct kube_watch *w, const struct store_object *was, int64_t rv,
                    struct err *err)
{
    struct node *n = json_parse(&w->item, was->json, NULL, err);
    if (!n) {
        return -1;
    }
    struct store_object row = *was;
    struct node *meta = node_getz(n, "metadata");
    node_set_strz(&w->item, meta, "resourceVersion",
                  arena_printf(&w->item, "%lld", (long long)rv));
    row.json = json_emit_str(&w->item, n);
    row.meta = json_emit_str(&w->item, meta);
    row.rv = rv;
    return add_event(w, "DELETED", &row, err);
}

/* An object that may have entered or left the selection. */
static int add_transition(struct kube_watch *w, const struct store_change *c, struct err *err)
{
    struct store_object was;
    AUTO_ERR absent = ERR_INIT; /* a trimmed state counts as what the new one is */
    bool now = false, before = false;
    bool known = c->prev_rv &&
                 store_change_get(w->k->store, c->prev_rv, &w->item, &was, &absent) == 0;
    if (c->type != STORE_DELETED && selected(w, &c->object, &now, err) < 0) {
        return -1;
    }
    if (known && selected(w, &was, &before, err) < 0) {
        return -1;
    }
    if (c->type == STORE_DELETED) {
        if (!known && selected(w, &c->object, &before, err) < 0) {
            return -1;
        }
        return before ? add_event(w, "DELETED", &c->object, err) : 0;
    }
    if (!known && c->prev_rv) {
        before = now;
    }
    if (now) {
        return add_event(w, before ? "MODIFIED" : "ADDED", &c->object, err);
    }
    return before && known ? add_left(w, &was, c->object.rv, err) : 0;
}

static bool take_change(void *ctx, const struct store_change *c)
{
    static const char *const NAMES[] = {"ADDED", "MODIFIED", "DELETED"};
    struct kube_watch *w = ctx;
    int rc = 0;
    bool match = true;
    arena_clear(&w->item);
    if (w->transitions) {
        rc = add_transition(w, c, &w->failed);
    } else {
        rc = selected(w, &c->object, &match, &w->failed);
        if (rc == 0 && match) {
            rc = add_event(w, NAMES[c->type], &c->object, &w->failed);
        }
    }
    return rc == 0 && w->out.len < BATCH;
}

/* --- making a batch --- */

static void fill_initial(struct kube_watch *w)
{
    struct store_object row;
    while (w->out.len < BATCH) {
        bool match = false;
        arena_clear(&w->item);
        int rc = store_list_next(w->rows, &row, &w->failed);
        if (rc > 0) {
            rc = selected(w, &row, &match, &w->failed) < 0 ||
                         (match && add_event(w, "ADDED", &row, &w->failed) < 0)
                     ? -1
                     : 1;
            w->mark_at = row.rv > w->mark_at ? row.rv : w->mark_at;
        }
        if (rc < 0) {
            add_error(w);
            return;
        }
        if (rc == 0) {
            store_list_close(w->rows);
            w->rows = NULL;
            w->phase = KUBE_WATCH_LIVE;
            return;
        }
    }
}

/* The mark at the end of the initial events waits until nothing newer than it was sent. */
static void try_end_mark(struct kube_watch *w)
{
    if (w->end_mark && w->after >= w->mark_at) {
        w->end_mark = false;
        add_bookmark(w, w->after, true);
    }
}

static void fill_live(struct kube_watch *w)
{
    AUTO_ERR err = ERR_INIT;
    int64_t next = w->after;
    try_end_mark(w);
    if (store_rv(w->k->store) <= w->after) {
        return;
    }
    if (store_changes(w->k->store, w->store_kind, w->scope.ns, w->after, BATCH,
                      take_change, w, &next, &err) < 0) {
        if (err_is(&err, ERR_EXPIRED)) {
            set_expired(w, w->after, &w->failed);
        } else {
            err_move(&w->failed, &err);
        }
    }
    if (w->failed.kind != ERR_NONE) {
        add_error(w);
        return;
    }
    w->after = next;
    try_end_mark(w);
}

/* Ends at its time, at shutdown, and tells the last number to those who asked for bookmarks and do
 * not have it. */
static void check_time(struct kube_watch *w)
{
    int64_t now = clock_mono_ns();
    bool over = now >= w->end_ns || atomic_load(&w->k->draining);
    if (w->phase != KUBE_WATCH_LIVE || w->out.len > w->sent) {
        return;
    }
    bool due = over ? w->after > w->told : now >= w->bookmark_ns;
    if (w->bookmarks && !w->end_mark && due) {
        add_bookmark(w, w->after, false);
    }
    if (over) {
        w->phase = KUBE_WATCH_ENDED;
    }
}

static void fill(struct kube_watch *w)
{
    buf_clear(&w->out);
    w->sent = w->events = 0;
    if (w->phase == KUBE_WATCH_INITIAL) {
        fill_initial(w);
    }
    if (w->phase == KUBE_WATCH_LIVE && w->out.len < BATCH) {
        fill_live(w);
    }
    check_time(w);
    if (w->events) {
        kube_metrics_event(w->k, w->shaper.kind, w->events);
    }
}

/* Nothing to send: says when to look again, unless a commit slipped in. True to look at once. */
static bool must_look_again(struct kube_watch *w)
{
    buf_done(&w->out);
    buf_init(&w->out, 0);
    arena_clear(&w->item);
    w->stream.next_ns = w->end_ns;
    if (w->bookmarks && w->bookmark_ns < w->end_ns) {
        w->stream.next_ns = w->bookmark_ns;
    }
    pthread_mutex_lock(&w->k->hub.lock);
    w->waiting = true;
    /* Whether a commit slipped in is asked after saying that we wait. */
    bool again = store_rv(w->k->store) > w->after || atomic_load(&w->k->draining);
    pthread_mutex_unlock(&w->k->hub.lock);
    return again;
}

/* From here on the cursor is ours, until we wait again. */
static void take_cursor(struct kube_watch *w)
{
    pthread_mutex_lock(&w->k->hub.lock);
    w->waiting = false;
    pthread_mutex_unlock(&w->k->hub.lock);
}

static ssize_t watch_read(struct kube_stream *s, char *to, size_t max)
{
    struct kube_watch *w = (struct kube_watch *)s;
    take_cursor(w);
    while (w->sent == w->out.len) {
        if (w->phase == KUBE_WATCH_ENDED) {
            return -1;
        }
        fill(w);
        if (w->sent == w->out.len && w->phase == KUBE_WATCH_LIVE) {
            if (!must_look_again(w)) {
                return 0;
            }
            take_cursor(w);
        }
    }
    size_t n = w->out.len - w->sent;
    n = n > max ? max : n;
    memcpy(to, w->out.ptr + w->sent, n);
    w->sent += n;
    return (ssize_t)n;
}

static void watch_done(struct kube_watch *w)
{
    store_list_close(w->rows);
    buf_done(&w->out);
    arena_done(&w->item);
    err_done(&w->failed);
}

static void watch_close(struct kube_stream *s)
{
    struct kube_watch *w = (struct kube_watch *)s;
    kube_hub_del(w);
    watch_done(w);
}

/* --- start --- */

static int64_t lifetime_ns(const struct kube_call *c)
{
    if (c->params.timeout_s > 0) {
        int64_t s = c->params.timeout_s;
        return (s > 86400 ? 86400 : s) * NS_PER_S; /* a day is for ever */
    }
    uint32_t r = 0;
    (void)!getrandom(&r, sizeof(r), 0); /* any value spreads reconnects well enough */
    return (MIN_SECONDS + (int64_t)(r % (MAX_SECONDS - MIN_SECONDS))) * NS_PER_S;
}

static bool stop(void *ctx, const struct store_change *c)
{
    return false;
}

/* A start that the log no longer (or not yet) covers becomes an ERROR event, as a watch cache
 * answers. */
static void check_start(struct kube_watch *w)
{
    AUTO_ERR err = ERR_INIT;
    int64_t next, newest = store_rv(w->k->store);
    if (w->after > newest) {
        set_expired(w, w->after, &w->failed);
    } else if (store_changes(w->k->store, w->store_kind, STR_NULL, w->after, 1,
                             stop, NULL, &next, &err) < 0) {
        if (err_is(&err, ERR_EXPIRED)) {
            set_expired(w, w->after, &w->failed);
        } else {
            err_move(&w->failed, &err);
        }
    }
    if (w->failed.kind != ERR_NONE) {
        add_error(w);
    }
}

/* True unless the selectors look only at what never changes. */
static bool may_change(const struct kube_selector *s)
{
    for (size_t i = 0; i < s->n_fields; i++) {
        if (!str_eqz(s->fields[i].path, "metadata.name") &&
            !str_eqz(s->fields[i].path, "metadata.namespace")) {
            return true;
        }
    }
    return s->n_labels > 0;
}

static int start(struct kube_call *c, struct kube_watch *w, struct err *err)
{
    const struct kube_params *p = &c->params;
    int64_t rv = 0;
    if (kube_list_scope(c, &w->scope, err) < 0) {
        return -1;
    }
    if (p->rv.len && (!str_to_int64(p->rv, &rv) || rv < 0)) {
        char *z = arena_strz(c->a, p->rv);
        return api_err(err, ERR_BAD_REQUEST, "kube-list-version", z, z);
    }
    w->transitions = may_change(&w->scope.selector);
    w->bookmarks = p->bookmarks;
    bool initial = p->initial_events || (!p->has_initial_events && rv == 0);
    if (!initial) {
        w->phase = KUBE_WATCH_LIVE;
        w->after = rv ? rv : store_rv(c->k->store);
        check_start(w);
        return 0;
    }
    if (p->initial_events && kube_list_check_version(c, store_rv(c->k->store), err) < 0) {
        return -1;
    }
    struct store_query q = kube_list_query(&w->scope, c->route.kind);
    w->rows = store_list_open(c->k->store, &q, &w->after, err);
    w->mark_at = w->after;
    /* clients of the peer get the mark without asking (porch-api.md §8) */
    w->end_mark = p->bookmarks && (p->initial_events || kube_is_porch(c->route.kind));
    w->phase = KUBE_WATCH_INITIAL;
    return w->rows ? 0 : -1;
}

void kube_serve_watch(struct kube_call *c)
{
    AUTO_ERR err = ERR_INIT;
    struct kube_watch *w = arena_new(c->a, struct kube_watch);
    w->k = c->k;
    w->shaper = (struct kube_shaper){c->k, c->route.kind, c->accept, c->params.include, false};
    w->store_kind = kube_store_kind(c->route.kind);
    w->stream.read = watch_read;
    w->stream.close = watch_close;
    w->stream.watch = true;
    if (start(c, w, &err) < 0) {
        watch_done(w);
        kube_answer_err(c, &err);
        return;
    }
    int64_t now = clock_mono_ns();
    w->end_ns = now + lifetime_ns(c);
    w->bookmark_ns = now + BOOKMARK_NS;
    kube_hub_add(w);
    kube_answer_stream(c, "application/json", &w->stream);
}
