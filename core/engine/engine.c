/* SPDX-License-Identifier: Apache-2.0
 *
 * See engine.h: construction, start, drain, and the hand-over of writes to workers.
 */
#include "base/log.h"
#include "base/mem.h"
#include "engine/priv.h"

#define WORKERS_DEFAULT 8
#define WORKER_QUEUE 1024
#define IO_THREADS 48 /* lanes that may wait for git at the same time */

int engine_new(const struct engine_config *c, struct engine **out, struct err *err)
{
    struct engine *e = mem_new(struct engine);
    e->config = *c;
    e->store = c->store;
    e->config.sync_frequency_s = c->sync_frequency_s ? c->sync_frequency_s : 3600;
    e->config.health_frequency_s = c->health_frequency_s ? c->health_frequency_s : 300;
    e->config.collect_frequency_s = c->collect_frequency_s ? c->collect_frequency_s : 3600;
    pthread_mutex_init(&e->lock, NULL);
    pthread_mutex_init(&e->repositories, NULL);
    thread_cond_init(&e->changed);
    AUTO_ARENA a = ARENA_INIT;
    struct str mirrors = arena_printf(&a, "%s/mirrors", c->dir);
    if (repo_pool_open(mirrors.ptr, c->store, &e->pool, err) < 0 ||
        engine_catalog_load(e, err) < 0) {
        engine_free(e);
        return -1;
    }
    repo_pool_set_retryable(e->pool, c->retryable, c->n_retryable);
    e->workers = thread_pool_new("worker", (size_t)(c->workers ? c->workers : WORKERS_DEFAULT),
                                 WORKER_QUEUE);
    e->io = thread_pool_new("lane", IO_THREADS, 0);
    *out = e;
    return 0;
}

int engine_start(struct engine *e, struct err *err)
{
    if (engine_namespace_seed(e, err) < 0) {
        return err_wrap(err, "cannot make the first namespaces");
    }
    if (engine_push_recover(e, err) < 0) {
        return err_wrap(err, "cannot read the journal");
    }
    if (engine_namespace_resume(e, err) < 0 || engine_sync_start(e, err) < 0) {
        return -1;
    }
    engine_mirrors_sweep(e); /* what an earlier process left */
    return 0;
}

void engine_drain(struct engine *e, int64_t deadline_ns)
{
    pthread_mutex_lock(&e->lock);
    e->stopping = true;
    engine_sync_cancel(e);
    pthread_cond_broadcast(&e->changed);
    while (e->running && clock_mono_ns() < deadline_ns) {
        (void)thread_cond_wait_until(&e->changed, &e->lock, deadline_ns);
    }
    pthread_mutex_unlock(&e->lock);
}

void engine_free(struct engine *e)
{
    if (!e) {
        return;
    }
    pthread_mutex_lock(&e->lock);
    e->stopping = true;
    pthread_cond_broadcast(&e->changed);
    pthread_mutex_unlock(&e->lock);
    thread_pool_free(e->workers);
    thread_pool_free(e->io);
    engine_sync_stop(e);
    engine_lanes_free(e);
    engine_catalog_unref(e, e->catalog);
    repo_pool_close(e->pool);
    map_done(&e->busy);
    pthread_cond_destroy(&e->changed);
    pthread_mutex_destroy(&e->repositories);
    pthread_mutex_destroy(&e->lock);
    mem_free(e);
}

static void write_run(void *arg)
{
    struct engine_job *j = arg;
    if (j->w->kind->flags & API_WORKFLOWS) {
        engine_write_package(j->e, j);
    } else {
        engine_write_plain(j->e, j->w);
        engine_job_end(j);
    }
}

void engine_submit(struct engine *e, struct engine_write *w, engine_done_fn done, void *ctx)
{
    struct engine_job *j = mem_new(struct engine_job);
    *j = (struct engine_job){.e = e, .w = w, .done = done, .ctx = ctx};
    pthread_mutex_lock(&e->lock);
    bool stopping = e->stopping;
    e->running++;
    pthread_mutex_unlock(&e->lock);
    if (stopping) {
        err_set(&w->err, ERR_UNAVAILABLE, "the server is shutting down");
    } else if (thread_pool_add(e->workers, write_run, j)) {
        return;
    } else {
        err_set(&w->err, ERR_TOO_MANY, "too many writes are waiting, please try again later");
        w->err.retry_after_s = 1;
    }
    engine_job_end(j);
}

void engine_metrics(struct engine *e, struct buf *out)
{
    pthread_mutex_lock(&e->lock);
    const struct {
        const char *name, *type, *help;
        double value;
    } rows[] = {
        {"lanai_workflow_runs_total", "counter", "Workflow runs.", (double)e->runs},
        {"lanai_workflow_failures_total", "counter", "Workflow runs that ended in an error.",
         (double)e->run_failures},
        {"lanai_workflow_reruns_total", "counter", "Runs repeated after a lost race.",
         (double)e->reruns},
        {"lanai_workflow_seconds_total", "counter", "Lua CPU time of workflow runs.",
         (double)e->run_ns / 1e9},
        {"lanai_workflow_reload_failures_total", "counter", "Script generations refused.",
         (double)e->reload_failures},
        {"lanai_pushes_total", "counter", "Pushes to git servers.", (double)e->pushes},
        {"lanai_pushed_operations_total", "counter", "Operations in those pushes.",
         (double)e->pushed_ops},
        {"lanai_push_failures_total", "counter", "Pushes that failed whole.",
         (double)e->push_failures},
        {"lanai_syncs_total", "counter", "Repository syncs and health checks.", (double)e->syncs},
        {"lanai_sync_failures_total", "counter", "Of those, failed.", (double)e->sync_failures},
        {"lanai_writes_running", "gauge", "Writes and repository jobs in progress.",
         (double)e->running},
    };
    pthread_mutex_unlock(&e->lock);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n%s %.9g\n", rows[i].name, rows[i].help,
                   rows[i].name, rows[i].type, rows[i].name, rows[i].value);
    }
}
