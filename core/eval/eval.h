/* SPDX-License-Identifier: Apache-2.0
 *
 * KRM functions: the built-ins of lua/fn and how images name them, one function over resources, and
 * the pipelines of a tree of packages (cad-library §4). Built-ins work on the one parsed tree; text
 * is made for foreign functions alone, which main/ brings as a struct eval_runner.
 */
#pragma once

#include "krm/resources.h"
#include "script/script.h"

/* --- the functions of a generation of scripts --- */

struct eval_function {
    struct str name, summary, doc; /* doc may be empty */
    struct str *versions;          /* "v0.4.5", in any order */
    size_t n_versions;
    struct str *images;            /* base names it claims: "set-namespace" */
    size_t n_images;
    struct str program;            /* what a helper process runs ("starlark"); empty: `run` does */
    const struct node *config;     /* what the file says about its functionConfig, or NULL */
    bool reorders;                 /* members come in the order that it gives them */
    const struct script_source *source;
};

struct eval_catalog {
    struct script_set *set;          /* borrowed */
    struct eval_function *functions; /* by name */
    size_t n;
};

/* Loads every module "fn.NAME" of the set once and checks its table. Errors name file and field.
 * What comes out lives in a and refers to the set. */
int eval_catalog_load(struct script_set *set, struct arena *a, struct eval_catalog *out,
                      struct err *err);

/* --- images --- */

#define EVAL_IMAGE_PREFIX "ghcr.io/kptdev/krm-functions-catalog"

struct eval_image {
    struct str reference;              /* with prefix and tag or digest, as messages show it */
    const struct eval_function *function; /* NULL: none of ours claims it */
    struct str version;                /* of the function: "v0.4.1" */
};

/* What `image` and `tag` (STR_NULL: none) of a pipeline mean (cad-library §4.4). prefix: for names
 * without a registry, NULL: EVAL_IMAGE_PREFIX. Errors: ERR_INVALID with kpt's text. */
int eval_image_resolve(const struct eval_catalog *c, struct arena *a, struct str image,
                       struct str tag, const char *prefix, struct eval_image *out,
                       struct err *err);
/* <0, 0, >0; texts that are no versions sort first. */
int eval_version_compare(struct str a, struct str b);

/* --- foreign functions --- */

struct eval_call {
    struct str image, exec; /* one of them, or `program` */
    struct str program;     /* of struct eval_function */
    struct str version;
    struct str input;       /* a ResourceList as YAML */
    bool kpt;               /* of struct eval_options */
    int64_t deadline_ns;
};

struct eval_answer {
    struct str output, log; /* arena of the caller */
    int exit_code;
};

struct eval_runner {
    /* Runs a function to its end; its failure is an exit code. ERR_NOT_FOUND: nothing here runs it;
     * other errors: it could not be run. */
    int (*run)(void *ctx, struct arena *a, const struct eval_call *call, struct eval_answer *out,
               struct err *err);
    void *ctx;
};

/* --- one function --- */

struct eval_result;

/* Told of what happens while it happens, for verbs that show it. */
struct eval_progress {
    /* The pipeline of a package begins, or is done when `done`: its directory below the root. */
    void (*package)(void *ctx, struct str dir, bool done);
    /* A function starts: r has its image or line. selected: how many resources its selectors
     * chose, -1 when it has none. */
    void (*starts)(void *ctx, const struct eval_result *r, int64_t selected);
    /* It has ended. failure: why it could not be run or what it gave is not accepted, or empty. */
    void (*ends)(void *ctx, const struct eval_result *r, struct str failure);
    void *ctx;
};

struct eval_options {
    const struct eval_catalog *catalog;
    const struct eval_runner *runner; /* NULL: built-ins only */
    const char *image_prefix;         /* NULL: EVAL_IMAGE_PREFIX */
    bool kpt;                         /* byte parity with kpt (`compat`) */
    bool allow_exec;
    bool local;                       /* a verb of the command line: texts of kpt, not of Porch */
    int64_t deadline_ns;              /* 0: none */
    const struct eval_progress *progress; /* or NULL */
};

/* A function as a pipeline names it. */
struct eval_step {
    struct str name, image, tag, exec;
    const struct node *config;           /* functionConfig or NULL */
    const struct node *selectors, *exclude; /* lists or NULL */
};

struct eval_result {
    struct str image;      /* reference, or the exec line */
    bool exec;
    struct node *results;  /* list of results in the form of a FunctionResultList */
    struct str log;        /* what it printed for humans */
    struct str error;      /* why it failed; empty when it went well */
    bool ran;              /* false: it failed before it could be started */
    int exit_code;
    int64_t ns;            /* how long it took */
};

/* Runs a step over items (NODE_LIST of annotated resources), which it changes in place; a step that
 * fails leaves them as they were. 0 also when the function failed: out->exit_code says so. Errors: it
 * could not be run at all (out->error and exit_code are set, too). */
int eval_one(const struct eval_options *o, struct arena *a, const struct eval_step *step,
             struct node *items, struct eval_result *out, struct err *err);
/* Runs a step as pipelines do: over the resources that it selects; what comes back keeps the rules
 * of paths and is put in the place of those. `package` is the path that new resources get, may be
 * empty. A validator (not `mutate`) changes nothing. -1: the function failed (err stays empty), or it
 * could not be run, or its input or output is not allowed (err says why). */
int eval_apply(const struct eval_options *o, struct arena *a, const struct eval_step *step,
               struct str package, bool mutate, struct node *items, struct eval_result *out,
               struct err *err);

/* --- the pipelines of a tree of packages --- */

struct eval_outcome {
    struct krm_files files; /* the whole tree afterwards, in path order */
    bool failed;
    bool written;           /* files hold what functions made, at least in part */
    struct str error;       /* of a failed render, as Porch says it: "pkg.render:\n\t…" */
    struct str cause;       /* the same without where it happened */
    struct node *items;     /* resources with their places, when it went well */
    struct node *results;   /* a FunctionResultList; without items when no function ran */
    size_t n_functions, n_packages; /* that went well */
};

/* Renders the package at the root of files (path order) and all packages below it. `root` is the
 * absolute path of the root in messages ("/" in Porch). The root Kptfile gets the condition Rendered
 * and renderStatus. Without a root Kptfile the files stay as they are. A failing pipeline is an
 * outcome; errors are faults of the caller or of limits. */
int eval_render(const struct eval_options *o, struct arena *a, const struct krm_files *files,
                const char *root, struct eval_outcome *out, struct err *err);
