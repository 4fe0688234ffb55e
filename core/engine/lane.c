/* SPDX-License-Identifier: Apache-2.0
 *
 * A lane is the serial executor of one Repository: pushes and syncs of a repository never overlap,
 * and a slow repository delays no other. Lanes run on the blocking-I/O pool.
 */
#include "base/mem.h"
#include "engine/priv.h"

struct lane_job {
    struct lane_job *next;
    lane_fn fn;
    void *arg;
};

struct lane {
    struct engine *e;
    char *ns, *name;
    struct lane_job *first, **last; /* under engine.lock */
    bool running;
    int64_t due_ns; /* pushes wait for another try; 0 = none; under engine.lock */
    struct engine_push_queue *pushes;
};

struct str engine_lane_ns(const struct lane *l)
{
    return str_of(l->ns);
}

struct str engine_lane_name(const struct lane *l)
{
    return str_of(l->name);
}

struct engine_push_queue *engine_lane_pushes(struct lane *l)
{
    return l->pushes;
}

struct lane *engine_lane(struct engine *e, struct str ns, struct str repository)
{
    AUTO_ARENA a = ARENA_INIT;
    struct str key = arena_printf(&a, "%.*s/%.*s", STR_ARG(ns), STR_ARG(repository));
    pthread_mutex_lock(&e->lock);
    struct lane *l = map_find(&e->lanes, key);
    if (!l) {
        l = mem_new(struct lane);
        *l = (struct lane){.e = e,
                           .ns = mem_strndup(ns.ptr, ns.len),
                           .name = mem_strndup(repository.ptr, repository.len),
                           .pushes = engine_push_queue_new()};
        l->last = &l->first;
        map_set(&e->lanes, key, l);
    }
    pthread_mutex_unlock(&e->lock);
    return l;
}

static void lane_main(void *arg)
{
    struct lane *l = arg;
    struct engine *e = l->e;
    pthread_mutex_lock(&e->lock);
    while (l->first) {
        struct lane_job *j = l->first;
        l->first = j->next;
        if (!l->first) {
            l->last = &l->first;
        }
        pthread_mutex_unlock(&e->lock);
        j->fn(e, l, j->arg);
        mem_free(j);
        pthread_mutex_lock(&e->lock);
        e->running--;
        pthread_cond_broadcast(&e->changed);
    }
    l->running = false;
    pthread_mutex_unlock(&e->lock);
}

void engine_lane_post(struct engine *e, struct lane *l, lane_fn fn, void *arg)
{
    struct lane_job *j = mem_new(struct lane_job);
    *j = (struct lane_job){.fn = fn, .arg = arg};
    pthread_mutex_lock(&e->lock);
    *l->last = j;
    l->last = &j->next;
    e->running++;
    bool start = !l->running;
    l->running = true;
    pthread_mutex_unlock(&e->lock);
    if (start && !thread_pool_add(e->io, lane_main, l)) {
        lane_main(l); /* the pool is closing: finish here rather than lose the job */
    }
}

void engine_lane_wake(struct engine *e, struct lane *l, int64_t due_ns)
{
    pthread_mutex_lock(&e->lock);
    if (!l->due_ns || due_ns < l->due_ns) {
        l->due_ns = due_ns;
        pthread_cond_broadcast(&e->changed);
    }
    pthread_mutex_unlock(&e->lock);
}

int64_t engine_lanes_due(struct engine *e)
{
    int64_t now = clock_mono_ns(), next = INT64_MAX;
    struct map_entry *entry;
    for (size_t i = 0; (entry = map_next(&e->lanes, &i)) != NULL;) {
        struct lane *l = entry->value;
        if (!l->due_ns || l->due_ns > now) {
            next = l->due_ns && l->due_ns < next ? l->due_ns : next;
            continue;
        }
        l->due_ns = 0;
        pthread_mutex_unlock(&e->lock);
        engine_push_due(e, l);
        pthread_mutex_lock(&e->lock);
        i = 0; /* the map may have grown */
    }
    return next;
}

void engine_lanes_free(struct engine *e)
{
    struct map_entry *entry;
    for (size_t i = 0; (entry = map_next(&e->lanes, &i)) != NULL;) {
        struct lane *l = entry->value;
        engine_push_queue_free(l->pushes);
        mem_free(l->ns);
        mem_free(l->name);
        mem_free(l);
    }
    map_done(&e->lanes);
}
