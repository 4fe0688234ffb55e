/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of eval/ share.
 */
#pragma once

#include <lua.h>

#include "base/map.h"
#include "eval/eval.h"
#include "krm/annotation.h"

#define EVAL_PACKAGE_PATH "internal.config.kubernetes.io/package-path"

/* --- version.c --- */

struct eval_version {
    int64_t part[3];
    int parts;      /* how many were written */
    struct str pre; /* behind the hyphen */
};

/* Leniently: `v` optional, minor and patch, too. */
bool eval_version_parse(struct str text, struct eval_version *out);
/* Index of the greatest of n versions that satisfy the constraint; -1: none, -2: it is none. */
int eval_version_choose(struct str constraint, const struct str *versions, size_t n);

/* --- resources that a function changes: touched.c --- */

struct eval_touched {
    struct arena *a;
    struct node **now, **before; /* a resource and its copy from before the first change */
    size_t n, cap;
    struct map index; /* pointer → position + 1 */
};

/* For script_run_set_touch; ctx is a struct eval_touched. */
void eval_touch(void *ctx, struct node *resource);
const struct node *eval_touched_before(const struct eval_touched *t, const struct node *resource);
/* Puts everything back. */
void eval_touched_undo(struct eval_touched *t);
void eval_touched_done(struct eval_touched *t);

/* --- builtin.c --- */

struct eval_builtin {
    struct node *items; /* changed in place */
    const struct node *config;
    struct str version;
    struct node *results;
    struct str failure; /* what the function says about its failure */
    bool failed;
};

int eval_builtin_run(const struct eval_options *o, struct arena *a, const struct eval_function *f,
                     struct eval_builtin *job, struct eval_touched *touched, struct err *err);
extern const struct script_module eval_modules[];
int eval_open_state(lua_State *L);

/* --- foreign.c --- */

/* Runs `call`, whose input and deadline are filled in here, as eval_one does. */
int eval_foreign_run(const struct eval_options *o, struct arena *a, const struct eval_call *call,
                     const struct eval_step *step, struct node *items, struct eval_result *out,
                     struct err *err);

/* --- packages.c --- */

struct eval_package {
    struct str dir;         /* relative to the root; "" for the root */
    struct str path;        /* absolute, as package-path annotations have it */
    struct node *kptfile;   /* in form */
    struct node *own;       /* its resources */
    struct node *current;   /* what its pipeline works on or gave; NULL: not begun */
    struct eval_package *parent;
};

struct eval_tree {
    struct arena *a;
    const struct krm_files *files;
    struct str root;
    bool local;                /* errors are told as those of a file system */
    struct eval_package *list; /* by dir: parents before children */
    size_t n;
};

/* Finds packages and reads their resources. */
int eval_tree_read(struct eval_tree *t, struct err *err);
/* Paths relative to the root again, without package-path. */
int eval_tree_flatten(const struct eval_tree *t, struct node *items, struct err *err);
/* "Kptfile is invalid" of cad-library §1.1.3, or 0. */
int eval_validate_pipeline(const struct eval_tree *t, const struct eval_package *p,
                           struct err *err);
/* The error of one field, as kpt lays it out. */
int eval_invalid_field(struct err *err, struct str field, struct str value, struct str reason);
/* The text of a scalar of a Kptfile in form, STR_NULL when it is not there. */
struct str eval_text(const struct node *map, const char *key);

/* --- pipeline.c --- */

struct eval_log {
    struct node *mutations, *validations; /* steps of status.renderStatus */
    struct node *items;                   /* of the FunctionResultList */
    size_t n_functions;
    bool save;                            /* keep what was before a failing mutator */
};

/* Runs the pipeline of p over p->current. -1: it failed, err says why ("pipeline.run: " is not
 * part of it); *plain: the error is not one of a run. */
int eval_pipeline_run(const struct eval_options *o, struct arena *a, struct eval_package *p,
                      struct eval_log *log, bool *plain, struct err *err);

/* --- status.c --- */

/* The text of a root Kptfile with the outcome of a render; message NULL: it went well. */
int eval_status_write(const struct eval_options *o, struct arena *a, struct str text,
                      const struct eval_log *log, const char *message, struct str *out,
                      struct err *err);
