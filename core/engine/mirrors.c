/* SPDX-License-Identifier: Apache-2.0
 *
 * Mirrors on disk that no Repository needs any more: after one has gone, and what an earlier
 * process left. One sweep runs at a time; what is asked for meanwhile is one more.
 */
#include "base/log.h"
#include "base/mem.h"
#include "engine/priv.h"

struct remotes {
    struct repo_remote *v;
    size_t n, cap;
};

/* The remotes of all Repositories. One whose credential cannot be read has none: its mirror could
 * not be found either, and is fetched again when there is one. */
static int collect(struct engine *e, struct arena *a, struct remotes *out, struct err *err)
{
    struct store_query q = {.kind = STR(KIND_REPOSITORIES)};
    int64_t rv;
    struct store_list *l = store_list_open(e->store, &q, &rv, err);
    if (!l) {
        return -1;
    }
    struct store_object row;
    int got;
    while ((got = store_list_next(l, &row, err)) > 0) {
        AUTO_ERR ignored = ERR_INIT; /* its Ready condition says what is wrong */
        struct str ns = arena_str(a, row.ns), name = arena_str(a, row.name);
        if (out->n == out->cap) {
            out->cap = out->cap ? out->cap * 2 : 64;
            out->v = mem_resize(out->v, out->cap * sizeof(*out->v));
        }
        out->n += engine_remote_get(e, a, ns, name, &out->v[out->n], &ignored) == 0;
    }
    store_list_close(l);
    return got;
}

static void sweep(struct engine *e)
{
    AUTO_ARENA a = ARENA_INIT;
    AUTO_ERR err = ERR_INIT;
    struct remotes keep = {0};
    size_t removed = 0;
    int64_t before = clock_mono_ns();
    if (collect(e, &a, &keep, &err) < 0 ||
        repo_pool_sweep(e->pool, keep.v, keep.n, before, &removed, &err) < 0) {
        log_warn("unused mirrors stay", "error", err.message, NULL);
    } else if (removed) {
        log_info("unused mirrors removed", "count",
                 arena_printf(&a, "%zu", removed).ptr, NULL);
    }
    mem_free(keep.v);
}

static void sweep_main(void *arg)
{
    struct engine *e = arg;
    pthread_mutex_lock(&e->lock);
    while (e->sweep_wanted && !e->stopping) {
        e->sweep_wanted = false;
        pthread_mutex_unlock(&e->lock);
        sweep(e);
        pthread_mutex_lock(&e->lock);
    }
    e->sweeping = false;
    pthread_mutex_unlock(&e->lock);
}

void engine_mirrors_sweep(struct engine *e)
{
    pthread_mutex_lock(&e->lock);
    bool start = !e->sweeping;
    e->sweeping = e->sweep_wanted = true;
    pthread_mutex_unlock(&e->lock);
    if (start) {
        (void)thread_pool_add(e->io, sweep_main, e); /* else it ends: done at the next start */
    }
}
