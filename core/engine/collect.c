/* SPDX-License-Identifier: Apache-2.0
 *
 * Content of drafts that are gone: the store finds and removes it (store_content_collect), here it is
 * started now and then, on a thread that may take its time.
 */
#include "base/log.h"
#include "engine/priv.h"

static bool go_on(void *engine)
{
    struct engine *e = engine;
    pthread_mutex_lock(&e->lock);
    bool stopping = e->stopping;
    pthread_mutex_unlock(&e->lock);
    return !stopping;
}

static int64_t next_due(const struct engine *e)
{
    return clock_mono_ns() + e->config.collect_frequency_s * NS_PER_S;
}

static void collect_run(void *engine)
{
    struct engine *e = engine;
    AUTO_ERR err = ERR_INIT;
    if (store_content_collect(e->store, go_on, e, &err) < 0 && go_on(e)) {
        log_warn("unused content not removed", "error", err.message, NULL);
    }
    pthread_mutex_lock(&e->lock);
    e->collect_due_ns = next_due(e);
    pthread_cond_broadcast(&e->changed);
    pthread_mutex_unlock(&e->lock);
}

int64_t engine_collect_due(struct engine *e)
{
    if (!e->collect_due_ns) { /* the first time: a start is busy enough without it */
        e->collect_due_ns = next_due(e);
    } else if (e->collect_due_ns <= clock_mono_ns()) {
        e->collect_due_ns = thread_pool_add(e->io, collect_run, e) ? INT64_MAX : next_due(e);
    }
    return e->collect_due_ns;
}
