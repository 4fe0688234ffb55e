/* SPDX-License-Identifier: Apache-2.0
 *
 * Namespaces of the standalone server: the seeded ones, and what deleting one means: everything in
 * it is deleted, then the namespace itself (kube-wire.md §17.1). Git is never touched.
 */
#include "base/log.h"
#include "base/mem.h"
#include "engine/priv.h"

static int seed_one(struct engine *e, const char *name, struct err *err)
{
    AUTO_ARENA a = ARENA_INIT;
    struct engine_row row;
    if (engine_row_get(e, "namespaces", STR(""), str_of(name), &a, &row, err) == 0) {
        return 0;
    }
    if (!err_is(err, ERR_NOT_FOUND)) {
        return -1;
    }
    err_drop(err); /* absent: that is why we are here */
    struct node *o = node_map(&a), *meta = node_map(&a), *finalizers = node_list(&a);
    node_set_strz(&a, o, "kind", STR("Namespace"));
    node_set_strz(&a, o, "apiVersion", STR("v1"));
    node_setz(&a, o, "metadata", meta);
    node_set_strz(&a, meta, "name", str_of(name));
    node_set_strz(&a, meta, "uid", engine_uid(&a));
    node_set_strz(&a, meta, "creationTimestamp", clock_rfc3339(&a, clock_real_ns()));
    struct node *labels = node_map(&a);
    node_setz(&a, meta, "labels", labels);
    node_set_strz(&a, labels, "kubernetes.io/metadata.name", str_of(name));
    node_push(&a, finalizers, node_strz(&a, "kubernetes"));
    node_set_at(&a, o, "spec.finalizers", finalizers);
    node_set_at(&a, o, "status.phase", node_strz(&a, "Active"));
    struct engine_changes c;
    engine_changes_init(&c, e, &a);
    engine_changes_put(&c, engine_kind("namespaces"), o, NULL, 0);
    int rc = engine_changes_commit(&c, err);
    engine_changes_done(&c);
    return rc;
}

int engine_namespace_seed(struct engine *e, struct err *err)
{
    static const char *const names[] = {"default", "kube-system", "porch-system",
                                        "porch-fn-system", NULL};
    for (size_t i = 0; names[i]; i++) {
        if (seed_one(e, names[i], err) < 0) {
            return -1;
        }
    }
    return 0;
}

/* Deletes the rows of one kind in the namespace, whatever their finalizers say: nobody can serve
 * them once the namespace is gone. */
static int empty_kind(struct engine *e, const struct api_kind *kind, struct str ns, struct err *err)
{
    for (;;) {
        AUTO_ARENA a = ARENA_INIT;
        struct engine_changes c;
        engine_changes_init(&c, e, &a);
        struct store_query q = {.kind = str_of(kind->store_kind), .ns = ns};
        int64_t rv;
        struct store_list *l = store_list_open(e->store, &q, &rv, err);
        struct store_object row;
        int got = l ? 1 : -1;
        while (got > 0 && c.n < 200 && (got = store_list_next(l, &row, err)) > 0) {
            struct node *o = json_parse(&a, arena_str(&a, row.json), NULL, err);
            if (!o) {
                got = -1;
                break;
            }
            node_delz(node_getz(o, "metadata"), "resourceVersion");
            engine_changes_del(&c, kind, o, row.rv);
        }
        store_list_close(l);
        int rc = got < 0 ? -1 : c.n ? engine_changes_commit(&c, err) : 0;
        size_t n = c.n;
        engine_changes_done(&c);
        if (rc < 0 || n == 0) {
            return rc;
        }
    }
}

static int finish_namespace(struct engine *e, struct str ns, struct err *err)
{
    AUTO_ARENA a = ARENA_INIT;
    struct engine_row row;
    /* repositories first: their syncs must not bring revisions back */
    if (empty_kind(e, engine_kind(KIND_REPOSITORIES), ns, err) < 0) {
        return -1;
    }
    for (size_t i = 0; i < api_n_kinds; i++) {
        const struct api_kind *k = &api_kinds[i];
        bool stored = (k->flags & API_NAMESPACED) && !(k->flags & API_VIRTUAL) &&
                      engine_kind(k->store_kind) == k;
        if (stored && empty_kind(e, k, ns, err) < 0) {
            return -1;
        }
    }
    if (engine_row_get(e, "namespaces", STR(""), ns, &a, &row, err) < 0) {
        return -1;
    }
    struct engine_changes c;
    engine_changes_init(&c, e, &a);
    node_delz(node_getz(row.object, "metadata"), "resourceVersion");
    engine_changes_del(&c, engine_kind("namespaces"), row.object, row.stored.rv);
    int rc = engine_changes_commit(&c, err);
    engine_changes_done(&c);
    if (rc == 0) {
        engine_repositories_ended(e, ns); /* not earlier: they would remove the same revisions */
    }
    return rc;
}

struct deletion {
    struct engine *e;
    char *ns;
};

static void deletion_run(void *arg)
{
    struct deletion *d = arg;
    struct engine *e = d->e;
    for (int tries = 0; tries < LIMIT_RUN_RETRIES; tries++) {
        AUTO_ERR err = ERR_INIT;
        if (finish_namespace(e, str_of(d->ns), &err) == 0 || err_is(&err, ERR_NOT_FOUND)) {
            break;
        }
        log_warn("namespace not deleted yet", "namespace", d->ns, "error", err.message, NULL);
    }
    mem_free(d->ns);
    mem_free(d);
    pthread_mutex_lock(&e->lock);
    e->running--;
    pthread_cond_broadcast(&e->changed);
    pthread_mutex_unlock(&e->lock);
}

void engine_namespace_deleted(struct engine *e, struct str ns)
{
    struct deletion *d = mem_new(struct deletion);
    *d = (struct deletion){.e = e, .ns = mem_strndup(ns.ptr, ns.len)};
    pthread_mutex_lock(&e->lock);
    e->running++;
    pthread_mutex_unlock(&e->lock);
    if (!thread_pool_add(e->io, deletion_run, d)) {
        deletion_run(d);
    }
}

int engine_namespace_resume(struct engine *e, struct err *err)
{
    struct store_query q = {.kind = STR("namespaces")};
    int64_t rv;
    struct store_list *l = store_list_open(e->store, &q, &rv, err);
    struct store_object row;
    int got = l ? 1 : -1;
    while (got > 0 && (got = store_list_next(l, &row, err)) > 0) {
        if (str_find(row.meta, STR("\"deletionTimestamp\"")) >= 0) {
            engine_namespace_deleted(e, row.name);
        }
    }
    store_list_close(l);
    return got;
}
