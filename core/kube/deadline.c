/* SPDX-License-Identifier: Apache-2.0
 *
 * Deadlines of the calls that the engine works on (kube-wire §2). One thread answers 504 in place of
 * those that take longer; the work itself goes on, because what it has begun (a push) must end in
 * one of two states. While both may be at it, the engine's side makes everything in a memory of its
 * own, so that the request's memory is free for the 504.
 */
#include "kube/priv.h"

struct kube_pending {
    struct kube_pending *prev, *next; /* in kube.deadlines, under its lock */
    struct kube_call *call;
    struct kube_call late; /* the call as it answers when its time is over */
    struct arena work;     /* memory of the engine's side */
    int64_t until_ns;
    /* under the lock */
    bool expired;  /* the 504 is being given or was */
    bool answered; /* it was */
    bool finished; /* the engine's side has ended */
};

bool kube_expired(const struct kube_call *c)
{
    return c->req->deadline_ns && clock_mono_ns() >= c->req->deadline_ns;
}

int kube_timeout(struct err *err)
{
    return api_err(err, ERR_TIMEOUT, "kube-timeout");
}

/* Under the lock. */
static void unlink_pending(struct kube_deadlines *d, struct kube_pending *p)
{
    if (p->prev) {
        p->prev->next = p->next;
    } else {
        d->first = p->next;
    }
    if (p->next) {
        p->next->prev = p->prev;
    }
}

void kube_pending_begin(struct kube_call *c)
{
    struct kube_deadlines *d = &c->k->deadlines;
    struct kube_pending *p = arena_new(c->a, struct kube_pending);
    p->call = c;
    p->late = *c;
    p->late.resp.running = true;
    p->until_ns = c->req->deadline_ns ? c->req->deadline_ns : INT64_MAX;
    c->pending = p;
    c->a = &p->work;
    pthread_mutex_lock(&d->lock);
    p->next = d->first;
    if (p->next) {
        p->next->prev = p;
    }
    d->first = p;
    if (p->until_ns < d->wake_ns) {
        pthread_cond_signal(&d->changed);
    }
    pthread_mutex_unlock(&d->lock);
}

/* Both sides have ended. */
static void release(struct kube_pending *p)
{
    arena_done(&p->work);
    p->late.done(p->late.done_ctx, NULL);
}

bool kube_pending_end(struct kube_call *c)
{
    struct kube_deadlines *d = &c->k->deadlines;
    struct kube_pending *p = c->pending;
    pthread_mutex_lock(&d->lock);
    bool expired = p->expired, last = p->answered;
    p->finished = true;
    if (!expired) {
        unlink_pending(d, p);
    }
    pthread_mutex_unlock(&d->lock);
    if (!expired) {
        arena_join(c->req->arena, &p->work); /* the answer is in it */
    } else if (last) {
        release(p);
    }
    return !expired;
}

static void answer(struct kube_deadlines *d, struct kube_pending *p)
{
    AUTO_ERR err = ERR_INIT;
    kube_timeout(&err);
    kube_answer_err(&p->late, &err);
    pthread_mutex_lock(&d->lock);
    bool last = p->finished;
    p->answered = true;
    pthread_mutex_unlock(&d->lock);
    if (last) {
        release(p);
    }
}

/* The first that is over, or NULL and when to look again. Under the lock. */
static struct kube_pending *take_expired(struct kube_deadlines *d)
{
    int64_t now = clock_mono_ns();
    d->wake_ns = INT64_MAX;
    for (struct kube_pending *p = d->first; p; p = p->next) {
        if (p->until_ns <= now) {
            unlink_pending(d, p);
            p->expired = true;
            return p;
        }
        d->wake_ns = p->until_ns < d->wake_ns ? p->until_ns : d->wake_ns;
    }
    return NULL;
}

static void *run(void *arg)
{
    struct kube_deadlines *d = arg;
    pthread_mutex_lock(&d->lock);
    while (!d->stopping) {
        struct kube_pending *p = take_expired(d);
        if (p) {
            pthread_mutex_unlock(&d->lock);
            answer(d, p);
            pthread_mutex_lock(&d->lock);
        } else if (d->wake_ns == INT64_MAX) {
            pthread_cond_wait(&d->changed, &d->lock);
        } else {
            (void)thread_cond_wait_until(&d->changed, &d->lock, d->wake_ns); /* looks anyway */
        }
    }
    pthread_mutex_unlock(&d->lock);
    return NULL;
}

void kube_deadlines_start(struct kube_deadlines *d)
{
    pthread_mutex_init(&d->lock, NULL);
    thread_cond_init(&d->changed);
    d->thread = thread_start("deadlines", run, d);
}

void kube_deadlines_stop(struct kube_deadlines *d)
{
    pthread_mutex_lock(&d->lock);
    d->stopping = true;
    pthread_cond_signal(&d->changed);
    pthread_mutex_unlock(&d->lock);
    (void)pthread_join(d->thread, NULL); /* it was started */
    pthread_cond_destroy(&d->changed);
    pthread_mutex_destroy(&d->lock);
}
