/* SPDX-License-Identifier: Apache-2.0
 *
 * What workflows see: ctx and its functions (style.md §5), over store/, krm/ and repo/. A run reads
 * and records effects; nothing is changed here. engine/ builds the run, and validates and commits
 * the effects afterwards.
 */
#pragma once

#include "base/user.h"
#include "eval/eval.h"
#include "data/node.h"
#include "repo/repo.h"
#include "script/script.h"
#include "store/store.h"

/* A package's files while a run works on them (copy-on-write over a tree). Arena. */
struct host_tree {
    struct repo *repo;          /* where unchanged blobs come from; may be NULL */
    struct repo_file *files;    /* in path order */
    size_t n_files;
    bool changed;               /* since it was opened */
};

enum host_effect_type {
    HOST_SAVE,       /* content of `object` becomes `tree`; task may be set */
    HOST_TRANSITION, /* lifecycle of `object` becomes `text` */
    HOST_PUBLISH,    /* `object` becomes a published revision in git */
    HOST_APPLY,      /* write `object` (metadata, spec, status) */
    HOST_REMOVE,     /* delete `object` */
    HOST_EVENT       /* record an Event about `object`: reason, text, warning */
};

struct host_effect {
    enum host_effect_type type;
    struct node *object;
    struct host_tree *tree;
    struct node *task;
    struct node *render;   /* of a save: what status.renderStatus says about it, or NULL */
    struct str failure;    /* of a save: it is kept, and the request fails with this text */
    struct str text, reason;
    bool warning;
};

/* Reads a run makes; each is checked again at commit (optimistic locking). */
struct host_read {
    struct str kind, ns, name;
    int64_t rv; /* 0 = was absent */
    bool prefix; /* no name began with `name` */
};

/* Any git repository that a run asks for. */
struct host_upstream {
    struct str url;
    struct str secret;         /* name of a Secret with the credential, or empty */
    struct str ref, directory; /* what is wanted of it: named in errors */
};

struct host_run {
    /* inputs, set by engine/ */
    struct arena *arena;
    struct store *store;
    struct repo_pool *pool;
    const struct user *user;
    struct str ns;            /* namespace of the request */
    struct str verb;          /* "PackageRevision/approve" */
    struct node *req;         /* ctx.req: {object, old, options}; read-only for scripts */
    struct node *config;      /* ctx.config or NULL */
    bool dry_run;
    const struct eval_catalog *functions; /* of ctx.render; NULL: it leaves drafts as they are */
    const struct eval_runner *runner;     /* foreign functions; may be NULL */
    const char *image_prefix;             /* of function images; NULL: the catalogue's */
    const char *compat;       /* "kpt" or "lanai" (NULL): how package files are written */
    int64_t deadline_ns;
    int64_t now_ns;           /* ctx.now(): fixed for the run */
    struct str id;            /* ctx.id() prefix */
    /* Opens the mirror of a Repository in ns (credentials resolved). */
    int (*open_repo)(void *ctx, struct str ns, struct str repository, struct repo **out,
                     struct err *err);
    /* Content of a package revision: its tree id and mirror. */
    int (*open_package)(void *ctx, struct str ns, struct str name, struct repo **out_repo,
                        struct repo_id *out_tree, struct err *err);
    /* Opens and fetches any git repository. NULL: there is none in this run. */
    int (*open_upstream)(void *ctx, struct str ns, const struct host_upstream *u,
                         int64_t deadline_ns, struct repo **out, struct err *err);
    void *ctx;
    /* outputs */
    struct host_effect *effects;
    size_t n_effects, cap_effects;
    struct host_read *reads;
    size_t n_reads, cap_reads;
    struct repo **repos;      /* opened by the run, released by host_run_done */
    size_t n_repos, cap_repos;
    struct node *result;      /* what run returned, or NULL */
    size_t peak_bytes;
    int64_t cpu_ns;
};

/* Metadata of a workflow (style.md §5.2), from its table. */
struct host_workflow {
    struct str name, version, summary, path;
    int64_t api;
    struct str *on;      /* "PackageRevision/approve", "timer/5m" */
    size_t n_on;
    struct str *effects;
    size_t n_effects;
    char sha256[65];
};

/* Loads every workflow of the set once, checks its table and header comment (`-- @key value`), and
 * fills the catalog in a. Errors name file and field. */
int host_catalog_load(struct script_set *set, struct arena *a, struct host_workflow **out,
                      size_t *out_n, struct err *err);

/* Runs a workflow: needs (when present) → check (dry-run and real) → run. Effects land in r.
 * `nil, err` from the script becomes err. */
int host_run(struct host_run *r, struct script_set *set, const struct host_workflow *w,
             struct err *err);
/* Releases the repository handles that trees of the run refer to: call it when the effects are
 * committed or dropped, also after a run that failed. */
void host_run_done(struct host_run *r);
