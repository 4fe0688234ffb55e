/* SPDX-License-Identifier: Apache-2.0
 *
 * Script generations: a new one is compiled and checked whole, then swapped; runs in progress
 * finish on the one they began with.
 */
#include "base/log.h"
#include "base/mem.h"
#include "engine/priv.h"

static void catalog_free(struct engine_catalog *c)
{
    if (c) {
        script_set_unref(c->set);
        arena_done(&c->arena);
        mem_free(c);
    }
}

struct engine_catalog *engine_catalog_ref(struct engine *e)
{
    pthread_mutex_lock(&e->lock);
    struct engine_catalog *c = e->catalog;
    c->refs++;
    pthread_mutex_unlock(&e->lock);
    return c;
}

void engine_catalog_unref(struct engine *e, struct engine_catalog *c)
{
    if (!c) {
        return;
    }
    pthread_mutex_lock(&e->lock);
    bool last = --c->refs == 0;
    pthread_mutex_unlock(&e->lock);
    if (last) {
        catalog_free(c);
    }
}

int engine_catalog_load(struct engine *e, struct err *err)
{
    struct engine_catalog *c = mem_new(struct engine_catalog);
    c->refs = 1;
    const struct script_dirs dirs = {e->config.workflow_dirs, e->config.n_workflow_dirs,
                                     e->config.function_dirs, e->config.n_function_dirs};
    if (script_set_load(&dirs, &c->set, err) < 0 ||
        host_catalog_load(c->set, &c->arena, &c->workflows, &c->n_workflows, err) < 0 ||
        eval_catalog_load(c->set, &c->arena, &c->functions, err) < 0) {
        catalog_free(c);
        pthread_mutex_lock(&e->lock);
        e->reload_failures++;
        pthread_mutex_unlock(&e->lock);
        return -1;
    }
    pthread_mutex_lock(&e->lock);
    struct engine_catalog *old = e->catalog;
    e->catalog = c;
    pthread_mutex_unlock(&e->lock);
    engine_catalog_unref(e, old);
    return 0;
}

int engine_reload(struct engine *e, struct err *err)
{
    if (engine_catalog_load(e, err) < 0) {
        return err_wrap(err, "workflows not reloaded, the old ones stay in service");
    }
    log_info("workflows loaded", NULL);
    return 0;
}

const struct host_workflow *engine_catalog_find(const struct engine_catalog *c, struct str on)
{
    for (size_t i = 0; i < c->n_workflows; i++) {
        for (size_t k = 0; k < c->workflows[i].n_on; k++) {
            if (str_eq(c->workflows[i].on[k], on)) {
                return &c->workflows[i];
            }
        }
    }
    return NULL;
}
