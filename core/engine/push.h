/* SPDX-License-Identifier: Apache-2.0
 *
 * What push.c (ops and their queue), push_run.c (running them) and push_changes.c (recording what
 * is in git) share.
 */
#pragma once

#include "base/mem.h"
#include "engine/priv.h"

struct engine_push {
    struct engine_push *next;
    struct arena arena;      /* owns everything below that is not the job's */
    struct engine_job *job;  /* NULL: nobody waits (marker, recovery, doubt) */
    struct str ns, repository, name, key;
    struct repo_op op;
    bool journalled, done;
    /* An earlier try may have reached git, or still will. The client has its error, so the op is
     * not pushed again by itself: it is looked for, and recorded when it is there. */
    bool doubt, seen;
    int tries;               /* that failed */
    int64_t due_ns, since_ns; /* monotonic: of the next try; of the doubt */
};

/* In the order in which they are run. */
struct push_list {
    struct engine_push *first, **last;
};

static inline void push_list_add(struct push_list *l, struct engine_push *p)
{
    p->next = NULL;
    if (!l->first) {
        l->last = &l->first;
    }
    *l->last = p;
    l->last = &p->next;
}

struct engine_push_queue {
    pthread_mutex_t lock;
    struct push_list list;
    bool posted;             /* a lane job will take what waits */
    struct map pending;      /* names with an op not in git yet; counts as values */
};

/* --- push.c --- */
struct engine_push *engine_push_take(struct engine_push_queue *q);
/* Puts back what is to be tried again, in front of what came meanwhile; wakes the lane when the
 * first of it is due. */
void engine_push_keep(struct engine *e, struct lane *l, struct push_list *kept);
/* The op is over: releases it and answers its job. */
void engine_push_end(struct engine_push_queue *q, struct engine_push *p);
struct str engine_push_journal_text(struct arena *a, const struct engine_push *p);

/* --- push_run.c: lane_fn --- */
void engine_push_run(struct engine *e, struct lane *l, void *arg);

/* --- push_changes.c --- */
/* Commits the object changes of an op that is in git, with the removal of its journal row. */
int engine_push_commit(struct engine *e, struct engine_push *p, struct err *err);
