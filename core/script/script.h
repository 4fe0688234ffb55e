/* SPDX-License-Identifier: Apache-2.0
 *
 * Lua as an embedded language: sources (embedded and from directories), compiled generations,
 * states with an allow-list, limits of time, memory and host calls, and calls that always come
 * back. Knows nothing of packages. Only script/, eval/ and host/ include lua.h.
 */
#pragma once

#include <lua.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

struct node;

/* --- a generation: the compiled, complete set of sources --- */

struct script_set;

struct script_source {
    struct str name;    /* module or workflow name: "lanai.init", "approve", "bulk/upgrade" */
    struct str path;    /* "embedded:workflows/approve.lua" or a file path */
    struct str text;
    char sha256[65];
    bool workflow;      /* from workflows/, else a library module from lua/ or a function */
};

/* Directories of operators, in search order. */
struct script_dirs {
    const char *const *workflows;
    size_t n_workflows;
    const char *const *functions; /* NAME.lua is the module "fn.NAME" */
    size_t n_functions;
};

/* Compiles the embedded sources, then each directory (later shadows earlier by whole file; text
 * only, <= LIMIT_SCRIPT_BYTES, no symlink out of the directory). Any broken file fails the whole
 * load with file:line. Missing directories are skipped; dirs may be NULL. */
int script_set_load(const struct script_dirs *dirs, struct script_set **out, struct err *err);
struct script_set *script_set_ref(struct script_set *s);
void script_set_unref(struct script_set *s);
uint64_t script_set_generation(const struct script_set *s);
/* All sources in name order; shadowed ones are not in it. */
const struct script_source *script_set_sources(const struct script_set *s, size_t *out_n);
const struct script_source *script_set_find(const struct script_set *s, struct str name,
                                            bool workflow);

/* --- a run: one fresh state --- */

struct script_limits {
    int cpu_ms;      /* Lua CPU time */
    size_t bytes;    /* allocator limit */
    int calls;       /* host calls */
    int64_t deadline_ns;
};

struct script_run;

/* A fresh state with the allow-list of style.md §6, `require` limited to the set's modules and
 * `modules` (C modules that host/ registers: name → luaopen function, ends with NULL). */
struct script_module {
    const char *name;
    lua_CFunction open;
};
int script_run_new(struct script_set *set, const struct script_limits *limits,
                   const struct script_module *modules, struct script_run **out, struct err *err);
/* Throws the state away with all that is in it. Nothing in it is finalized: userdata own nothing. */
void script_run_free(struct script_run *r);
/* Makes the state as it is now, which has loaded `src`, the one that script_run_take gives after
 * this run was freed. Nothing may be running in it, and nothing in it may refer to memory of its
 * owner. A state that is too big is not kept. */
void script_run_keep(struct script_run *r, const struct script_source *src);
/* A run whose state is as script_run_keep found it, with new limits and no owner; NULL when none
 * waits. Times and host calls until then do not count again. */
struct script_run *script_run_take(struct script_set *set, const struct script_source *src,
                                   const struct script_limits *limits);
lua_State *script_run_state(struct script_run *r);
/* The run of a state (for binding functions), and its owner's pointer. */
struct script_run *script_run_of(lua_State *L);
void script_run_set_owner(struct script_run *r, void *owner);
void *script_run_owner(struct script_run *r);
/* Where nodes that scripts make live, and how many bytes of it they may take. */
void script_run_set_data(struct script_run *r, struct arena *a, size_t max_bytes);
/* `touch` is called before a script changes a resource of script_push_resources or a part of it. */
void script_run_set_touch(struct script_run *r, void (*touch)(void *ctx, struct node *resource),
                          void *ctx);
/* Runs the chunk of a workflow or function and leaves the table it returns on the stack. */
int script_run_load(struct script_run *r, const struct script_source *src, struct err *err);
/* lua_pcall with the limits armed; raised values become err (tables {kind, message, causes} keep
 * their kind; limits: ERR_TIMEOUT / ERR_TOO_LARGE). A run that hit a limit stays failed. */
int script_run_call(struct script_run *r, int nargs, int nresults, struct err *err);
/* Turns the error value at index (a table {kind, message, causes}, a string, anything) into err;
 * reads raw, so no code of the script runs. Returns -1. */
int script_error_take(lua_State *L, int index, struct err *err);
/* Pushes err as such a table. */
void script_error_push(lua_State *L, const struct err *err);
/* Counts one host call; raises when the limit is reached. */
void script_run_count(lua_State *L);
/* Peak bytes and CPU nanoseconds so far. */
void script_run_usage(const struct script_run *r, size_t *out_bytes, int64_t *out_cpu_ns);
