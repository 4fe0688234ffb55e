/* SPDX-License-Identifier: Apache-2.0
 *
 * See progress.h: a thread that wakes once a second.
 */
#include "host/progress.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"

struct progress {
    int fd;
    const char *what;
    struct str object;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t stopped;
    bool stop; /* guarded by lock */
};

static void *show(void *arg)
{
    struct progress *p = arg;
    struct timespec at;
    int seconds = 0;
    clock_gettime(CLOCK_MONOTONIC, &at);
    pthread_mutex_lock(&p->lock);
    while (!p->stop) {
        at.tv_sec++;
        int rc = 0;
        while (!p->stop && rc == 0) {
            rc = pthread_cond_timedwait(&p->stopped, &p->lock, &at);
        }
        if (!p->stop) {
            dprintf(p->fd, "\r\033[K%s %.*s … %d s", p->what, STR_ARG(p->object), ++seconds);
        }
    }
    pthread_mutex_unlock(&p->lock);
    if (seconds) {
        dprintf(p->fd, "\r\033[K");
    }
    return NULL;
}

struct progress *progress_start(int fd, const char *what, struct str object)
{
    if (!isatty(fd)) {
        return NULL;
    }
    struct progress *p = mem_new(struct progress);
    *p = (struct progress){.fd = fd, .what = what, .object = object};
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->stopped, &monotonic);
    pthread_condattr_destroy(&monotonic);
    if (pthread_create(&p->thread, NULL, show, p) != 0) {
        pthread_cond_destroy(&p->stopped);
        pthread_mutex_destroy(&p->lock);
        mem_free(p);
        return NULL; /* it is only for the eye */
    }
    return p;
}

void progress_stop(struct progress *p)
{
    if (!p) {
        return;
    }
    pthread_mutex_lock(&p->lock);
    p->stop = true;
    pthread_cond_signal(&p->stopped);
    pthread_mutex_unlock(&p->lock);
    pthread_join(p->thread, NULL);
    pthread_cond_destroy(&p->stopped);
    pthread_mutex_destroy(&p->lock);
    mem_free(p);
}
