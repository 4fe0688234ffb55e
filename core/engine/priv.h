/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of engine/ share. See README.md for the walk of a write.
 */
#pragma once

#include <pthread.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/map.h"
#include "base/thread.h"
#include "engine/cells.h"
#include "engine/engine.h"
#include "host/host.h"
#include "repo/repo.h"
#include "script/script.h"

#define KIND_REVISIONS "packagerevisions"
#define KIND_PACKAGES "packages"
#define KIND_REPOSITORIES "repositories"
#define KIND_RESOURCES "packagerevisionresources"
#define LATEST_LABEL "kpt.dev/latest-revision"

/* A generation of scripts with its workflows; counted. */
struct engine_catalog {
    int refs; /* under engine.lock */
    struct script_set *set;
    struct arena arena;
    struct host_workflow *workflows;
    size_t n_workflows;
    struct eval_catalog functions;
};

struct lane;        /* one per Repository: lane.c */
struct engine_push; /* an op for git: push.c */

struct engine {
    struct engine_config config;
    struct store *store;
    struct repo_pool *pool;
    struct thread_pool *workers; /* run scripts and plain writes */
    struct thread_pool *io;      /* run lanes: git */
    pthread_mutex_t lock;        /* catalog, busy, lanes, counters */
    pthread_cond_t changed;      /* writes ended, timer has something new */
    struct engine_catalog *catalog;
    struct map busy;             /* try-locks by key: lock.c */
    struct map lanes;            /* "<ns>/<name>" → struct lane */
    struct map watched;          /* "<ns>/<name>" → struct watched: sync.c */
    pthread_mutex_t repositories; /* one Repository write at a time: the conflict rule */
    pthread_t timer;
    bool started, stopping;
    bool sweeping, sweep_wanted; /* mirrors.c */
    size_t running;              /* writes and lane jobs not finished */
    int64_t collect_due_ns;      /* INT64_MAX while it runs */
    uint64_t runs, run_failures, reruns, pushes, pushed_ops, push_failures, syncs, sync_failures;
    uint64_t reload_failures, run_ns, serial;
};

/* --- catalog.c --- */
int engine_catalog_load(struct engine *e, struct err *err);
struct engine_catalog *engine_catalog_ref(struct engine *e);
void engine_catalog_unref(struct engine *e, struct engine_catalog *c);
const struct host_workflow *engine_catalog_find(const struct engine_catalog *c, struct str on);

/* --- lock.c: fail-fast locks on object names (porch-api.md §11) --- */
bool engine_lock_take(struct engine *e, struct str key);
void engine_lock_drop(struct engine *e, struct str key);

/* --- object.c: store rows as nodes --- */
struct engine_row {
    struct store_object stored; /* rv 0 = absent */
    struct node *object;        /* parsed json */
    struct node *data;          /* parsed private data, a map */
};
/* ERR_NOT_FOUND in Kubernetes wording with details. */
int engine_row_get(struct engine *e, const char *store_kind, struct str ns, struct str name,
                   struct arena *a, struct engine_row *out, struct err *err);
int engine_not_found(const struct api_kind *k, struct str name, struct err *err);
const struct api_kind *engine_kind(const char *store_kind);
/* `NAME.GROUP` as messages name a resource: "packagerevisions.porch.kpt.dev". */
struct str engine_resource(struct arena *a, const struct api_kind *k);
/* New random uid in a. */
struct str engine_uid(struct arena *a);

/* --- changes.c: a set of object changes that becomes one store transaction --- */
struct engine_change {
    const struct api_kind *kind;
    struct str ns, name;
    struct node *object;   /* new state; the last state when deleted */
    struct node *data;
    int64_t expect_rv;     /* see store_put */
    bool deleted;
    struct store_put put;
};
struct engine_changes {
    struct engine *e;
    struct arena *a;
    struct store_txn *txn;
    struct engine_change **list;
    size_t n, cap;
    struct map by_key;     /* "kind/ns/name" → struct engine_change */
};
void engine_changes_init(struct engine_changes *c, struct engine *e, struct arena *a);
void engine_changes_done(struct engine_changes *c);
struct engine_change *engine_changes_put(struct engine_changes *c, const struct api_kind *kind,
                                         struct node *object, struct node *data, int64_t expect_rv);
struct engine_change *engine_changes_del(struct engine_changes *c, const struct api_kind *kind,
                                         struct node *last, int64_t expect_rv);
/* Adds what follows from changed revisions: the latest label, PorchPackage objects. Then commits. */
int engine_changes_commit(struct engine_changes *c, struct err *err);
/* The first half alone, for dry runs. */
int engine_changes_derive(struct engine_changes *c, struct err *err);

/* --- revision.c: PackageRevision objects --- */
struct engine_repository {     /* facts of a Repository object, in an arena */
    struct str ns, name, uid, url, branch, directory, author, email;
    bool deployment;
};
int engine_repository_get(struct engine *e, struct arena *a, struct str ns, struct str name,
                          struct engine_repository *out, struct node **out_object, struct err *err);
struct engine_revision {       /* what a revision object is made of */
    const struct engine_repository *repository;
    struct str package, workspace, lifecycle, name;
    int64_t revision;
    struct node *task;         /* or NULL */
    struct str kptfile;        /* text of the root Kptfile */
    struct str lock_ref, lock_commit;
    struct str published_by;
    int64_t published_at;      /* unix seconds, 0 = not */
    struct node *meta;         /* metadata to keep: labels, annotations, finalizers … or NULL */
};
struct str engine_revision_name(struct arena *a, struct str repository, struct str package,
                                struct str workspace);
struct node *engine_revision_make(struct arena *a, const struct engine_revision *r);
/* Puts what the Kptfile says into spec and status of an existing object. */
void engine_revision_set_kptfile(struct arena *a, struct node *object, struct str text);
void engine_revision_set_lock(struct arena *a, struct node *object, struct str ref,
                              struct str commit);
/* Text of a file of a tree, or STR_NULL when it is missing. */
int engine_tree_file(struct engine *e, struct repo *r, const struct repo_id *tree,
                     const char *path, struct arena *a, struct str *out, struct err *err);
bool engine_lifecycle_published(struct str lifecycle);

/* --- credential.c --- */
/* What a Repository's mirror is opened with, in a; ns and repository are borrowed. */
int engine_remote_get(struct engine *e, struct arena *a, struct str ns, struct str repository,
                      struct repo_remote *out, struct err *err);
int engine_open_repo(struct engine *e, struct str ns, struct str repository, struct repo **out,
                     struct err *err);
/* Opens and fetches any repository for a clone. */
int engine_open_upstream(struct engine *e, struct str ns, const struct host_upstream *u,
                         int64_t deadline_ns, struct repo **out, struct err *err);

/* --- validate.c: what porch-api.md §4 and §5 check before a workflow runs --- */
int engine_validate_create(struct engine_write *w, struct err *err);
int engine_validate_update(struct engine_write *w, struct err *err);

/* --- plain.c, package.c, repository.c: the three kinds of write --- */
void engine_write_plain(struct engine *e, struct engine_write *w);
int engine_conflict(struct engine_write *w, struct err *err); /* sets the stale-version error */
int engine_check_preconditions(struct engine_write *w, struct err *err);
bool engine_mark_deleted(struct engine_write *w); /* true when it already was */
/* --- namespace.c: seeding, and emptying a namespace that is being deleted --- */
int engine_namespace_seed(struct engine *e, struct err *err);
void engine_namespace_deleted(struct engine *e, struct str ns);
int engine_namespace_resume(struct engine *e, struct err *err);
struct engine_job;
void engine_write_package(struct engine *e, struct engine_job *j);
int engine_repository_check(struct engine *e, struct engine_write *w, struct err *err);
/* Ends a job: answers and frees it. */
struct engine_job {
    struct engine *e;
    struct engine_write *w;
    engine_done_fn done;
    void *ctx;
    struct str lock_key;       /* held until the end; "" = none */
    bool lost_race;            /* the commit found something changed that was read */
};
void engine_job_end(struct engine_job *j);

/* --- effects.c: from what a script recorded to changes --- */
int engine_effects_apply(struct engine *e, struct engine_job *j, const struct host_workflow *workflow,
                         struct host_run *run, struct engine_changes *c, struct engine_push **out_push,
                         struct err *err);

/* --- lane.c: the serial executor of a Repository; push.c, sync.c run on it --- */
struct lane *engine_lane(struct engine *e, struct str ns, struct str repository);
typedef void (*lane_fn)(struct engine *e, struct lane *l, void *arg);
void engine_lane_post(struct engine *e, struct lane *l, lane_fn fn, void *arg);
struct str engine_lane_ns(const struct lane *l);
struct str engine_lane_name(const struct lane *l);
/* Has the timer look after the lane's pushes at this time, or earlier. */
void engine_lane_wake(struct engine *e, struct lane *l, int64_t due_ns);
/* Starts the pushes of lanes that are due; the time of the next. engine.lock held on entry and
 * exit. */
int64_t engine_lanes_due(struct engine *e);

/* --- push.c, push_run.c: git operations of a lane, coalesced and journalled --- */
struct engine_push_queue;
struct engine_push_queue *engine_push_queue_new(void);
void engine_push_queue_free(struct engine_push_queue *q);
struct engine_push_queue *engine_lane_pushes(struct lane *l);
void engine_lanes_free(struct engine *e);
/* An op whose commit answers the job; w->object is the object to publish or remove, row its stored
 * state. Once it is posted the queue owns the job, so post it last. NULL with err on failure. */
struct engine_push *engine_push_prepare(struct engine *e, struct engine_job *j,
                                        enum repo_op_type type, const struct engine_row *row,
                                        struct err *err);
/* An op behind the answer: its journal row goes into txn; post it after the commit. */
struct engine_push *engine_push_journal(struct engine *e, struct engine_write *w,
                                        enum repo_op_type type, const struct engine_row *row,
                                        struct store_txn *txn);
void engine_push_post(struct engine *e, struct engine_push *p);
void engine_push_free(struct engine_push *p);
/* Runs what waits in the lane for another try. */
void engine_push_due(struct engine *e, struct lane *l);
/* True when the object has an op that is not in git yet. */
bool engine_push_pending(struct lane *l, struct str name);
/* Queues what a crash left in the journal. */
int engine_push_recover(struct engine *e, struct err *err);

/* --- sync.c --- */
void engine_repository_changed(struct engine *e, struct str ns, struct str name);
/* It was deleted, or is being: what its lane asks its server is given up. */
void engine_repository_ended(struct engine *e, struct str ns, struct str name);
/* The same for all of a namespace that is gone. */
void engine_repositories_ended(struct engine *e, struct str ns);
/* The next sync compares all revisions with git even when the refs stand as they did: something
 * was pushed, or the mirror has lost content. */
void engine_repository_compare(struct engine *e, struct str ns, struct str name);
/* A Secret was written or deleted: failed repositories that use it are looked at again. */
void engine_secret_changed(struct engine *e, struct str ns, struct str name);
int engine_sync_start(struct engine *e, struct err *err);
/* Gives up what syncs ask of servers; engine.lock held. */
void engine_sync_cancel(struct engine *e);
void engine_sync_stop(struct engine *e);

/* --- mirrors.c --- */
/* Has mirrors removed from disk that no Repository needs. */
void engine_mirrors_sweep(struct engine *e);

/* --- hold.c: the finalizer of Repositories --- */
/* Adds the finalizer to a Repository that is not being deleted. */
int engine_repository_hold(struct engine *e, struct str ns, struct str name, struct err *err);
/* Takes the finalizer from one that is: when it was the last, the object goes. */
int engine_repository_release(struct engine *e, struct str ns, struct str name, struct err *err);

/* --- collect.c --- */
/* Has content removed when it is time to; when that is next. engine.lock held on entry and exit. */
int64_t engine_collect_due(struct engine *e);

/* --- event.c --- */
void engine_events_expire(struct engine *e);
