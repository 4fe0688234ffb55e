/* SPDX-License-Identifier: Apache-2.0
 *
 * What happens for each verb: workflows for packages, plain storage for other kinds; effects are
 * validated, journalled, pushed and committed here. Also background jobs: repository sync, push
 * queues, recovery after a crash, script generations.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/kinds.h"
#include "base/arena.h"
#include "base/err.h"
#include "base/user.h"
#include "data/node.h"
#include "store/store.h"

struct engine;
struct eval_runner;

struct engine_config {
    struct store *store;
    const char *dir;                  /* data directory; mirrors go to <dir>/mirrors */
    const char *const *workflow_dirs; /* search order, later shadows earlier */
    size_t n_workflow_dirs;
    const char *const *function_dirs; /* the same for functions: script_set_load */
    size_t n_function_dirs;
    const char *image_prefix;         /* of function images; NULL = the catalogue's; borrowed */
    const struct eval_runner *runner; /* foreign functions; NULL = none; borrowed */
    int workers;                      /* threads that run scripts; 0 = default */
    const char *compat;               /* "kpt", or "lanai" = NULL: ctx.compat of scripts */
    int64_t sync_frequency_s;         /* 0 = 3600 */
    int64_t health_frequency_s;       /* 0 = 300 */
    int64_t collect_frequency_s;      /* between removals of content that nothing needs; 0 = 3600 */
    const char *const *retryable;     /* repo_pool_set_retryable; borrowed */
    size_t n_retryable;
};

int engine_new(const struct engine_config *c, struct engine **out, struct err *err);
/* Recovers journalled pushes, seeds namespaces, starts background jobs. */
int engine_start(struct engine *e, struct err *err);
/* Stops taking work, finishes running writes until the deadline. */
void engine_drain(struct engine *e, int64_t deadline_ns);
void engine_free(struct engine *e);

enum engine_verb { ENGINE_CREATE, ENGINE_UPDATE, ENGINE_DELETE };

/* One mutating request, already decoded, patched, defaulted and schema-checked by kube/. */
struct engine_write {
    struct arena *arena;         /* lives until done was called */
    enum engine_verb verb;
    const struct api_kind *kind;
    struct str subresource;      /* "", "status", "approval" */
    struct str ns, name;         /* name empty on create of derived names */
    struct node *object;         /* new object; NULL on delete */
    struct node *old;            /* object the client saw (update, delete); NULL on create */
    int64_t old_rv;              /* its number: the write fails with ERR_CONFLICT when it moved */
    bool client_rv;              /* the client named a resourceVersion (PUT) */
    struct user user;
    bool dry_run;
    int64_t deadline_ns;
    /* delete preconditions, "" = none */
    struct str precondition_uid, precondition_rv;
    /* outputs */
    struct err err;
    struct str json;             /* the object to answer */
    bool created, deleted;
};

typedef void (*engine_done_fn)(void *ctx, struct engine_write *w);
/* Runs the write on a worker; done is called once from some thread. Fails fast with ERR_TOO_MANY
 * when the queue is full. */
void engine_submit(struct engine *e, struct engine_write *w, engine_done_fn done, void *ctx);

/* PackageRevisionResources of a revision row (reads content); JSON object in a. */
int engine_resources_get(struct engine *e, const struct store_object *revision, struct arena *a,
                         struct str *out, struct err *err);

/* Reloads the workflows (SIGHUP). On failure the old generation stays in service. */
int engine_reload(struct engine *e, struct err *err);

/* Prometheus text of engine's own counters, appended to out. */
void engine_metrics(struct engine *e, struct buf *out);
