/* SPDX-License-Identifier: Apache-2.0
 *
 * See thread.h.
 */
#include "base/thread.h"

#include "base/clock.h"
#include "base/mem.h"

struct job {
    struct job *next;
    thread_job_fn fn;
    void *arg;
};

struct thread_pool {
    pthread_mutex_t lock;
    pthread_cond_t has_job;
    struct job *first, **last;
    size_t waiting, max_queue, n_threads;
    bool closing;
    pthread_t threads[];
};

void thread_cond_init(pthread_cond_t *c)
{
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(c, &attr);
    pthread_condattr_destroy(&attr);
}

bool thread_cond_wait_until(pthread_cond_t *c, pthread_mutex_t *m, int64_t deadline_ns)
{
    struct timespec t = {.tv_sec = (time_t)(deadline_ns / NS_PER_S),
                         .tv_nsec = (long)(deadline_ns % NS_PER_S)};
    return pthread_cond_timedwait(c, m, &t) == 0;
}

pthread_t thread_start(const char *name, void *(*fn)(void *), void *arg)
{
    pthread_t t;
    if (pthread_create(&t, NULL, fn, arg) != 0) {
        fprintf(stderr, "lanai: cannot start thread '%s'\n", name);
        abort();
    }
    char short_name[16];
    snprintf(short_name, sizeof(short_name), "%s", name);
    pthread_setname_np(t, short_name);
    return t;
}

static void *pool_main(void *arg)
{
    struct thread_pool *p = arg;
    pthread_mutex_lock(&p->lock);
    for (;;) {
        while (!p->first && !p->closing) {
            pthread_cond_wait(&p->has_job, &p->lock);
        }
        struct job *j = p->first;
        if (!j) {
            break; /* closing and drained */
        }
        p->first = j->next;
        if (!p->first) {
            p->last = &p->first;
        }
        p->waiting--;
        pthread_mutex_unlock(&p->lock);
        j->fn(j->arg);
        mem_free(j);
        pthread_mutex_lock(&p->lock);
    }
    pthread_mutex_unlock(&p->lock);
    return NULL;
}

struct thread_pool *thread_pool_new(const char *name, size_t n, size_t max_queue)
{
    struct thread_pool *p = mem_alloc(sizeof(*p) + n * sizeof(p->threads[0]));
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->has_job, NULL);
    p->last = &p->first;
    p->max_queue = max_queue;
    p->n_threads = n;
    for (size_t i = 0; i < n; i++) {
        char full[32];
        snprintf(full, sizeof(full), "%s-%zu", name, i);
        p->threads[i] = thread_start(full, pool_main, p);
    }
    return p;
}

bool thread_pool_add(struct thread_pool *p, thread_job_fn fn, void *arg)
{
    struct job *j = mem_new(struct job);
    *j = (struct job){.fn = fn, .arg = arg};
    pthread_mutex_lock(&p->lock);
    bool ok = !p->closing && (!p->max_queue || p->waiting < p->max_queue);
    if (ok) {
        *p->last = j;
        p->last = &j->next;
        p->waiting++;
        pthread_cond_signal(&p->has_job);
    }
    pthread_mutex_unlock(&p->lock);
    if (!ok) {
        mem_free(j);
    }
    return ok;
}

void thread_pool_free(struct thread_pool *p)
{
    if (!p) {
        return;
    }
    pthread_mutex_lock(&p->lock);
    p->closing = true;
    pthread_cond_broadcast(&p->has_job);
    pthread_mutex_unlock(&p->lock);
    for (size_t i = 0; i < p->n_threads; i++) {
        pthread_join(p->threads[i], NULL);
    }
    pthread_cond_destroy(&p->has_job);
    pthread_mutex_destroy(&p->lock);
    mem_free(p);
}
