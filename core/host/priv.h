/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of host/ share: the state behind a run, the table of functions, node and tree
 * handles.
 *
 * Binding functions have three phases: check all arguments (may raise), do (pure C), push (may
 * raise). Lua errors skip cleanup, so nothing that needs a release is held by a local variable:
 * memory comes from the run's arena, errors live in host_state.err.
 */
#pragma once

#include <lauxlib.h>

#include "api/kinds.h"
#include "base/map.h"
#include "host/host.h"
#include "krm/resources.h"
#include "script/node.h"

enum host_phase {
    HOST_LOAD = 1 << 0,
    HOST_NEEDS = 1 << 1,
    HOST_CHECK = 1 << 2,
    HOST_RUN = 1 << 3,
    HOST_LOCAL = 1 << 4 /* a verb of the command line (local.h), together with load and run */
};
#define HOST_ALWAYS (HOST_LOAD | HOST_NEEDS | HOST_CHECK | HOST_RUN)
#define HOST_READS (HOST_CHECK | HOST_RUN)

/* Behind script_run_owner of every state that host/ makes. */
struct host_state {
    struct host_run *run;
    const struct host_workflow *workflow; /* NULL while the catalog is being loaded */
    enum host_phase phase;
    struct err err;       /* of the call in progress; released at the end of the run */
    bool failed;          /* the script returned nil, err: err says what */
    struct map reads;     /* "kind/ns/name" of recorded reads */
    unsigned n_ids;
    const struct host_local *local; /* NULL in runs of workflows */
    struct str *temporary;          /* directories that a verb made, removed at its end */
    size_t n_temporary, cap_temporary;
    struct map opened;              /* URL → struct repo of a verb, fetched */
    struct host_eval *eval;         /* functions of a verb; NULL until it opens them */
};

struct host_state *host_state_of(lua_State *L);
/* Clears and gives the error slot of the state. */
struct err *host_err(lua_State *L);
/* Pushes nil and the error slot as a table {kind, message, causes, …}; returns 2. */
int host_push_error(lua_State *L);
/* Raises the error slot as such a table. */
int host_raise_error(lua_State *L);

/* --- functions --- */

struct host_function {
    const char *class;  /* "ctx", "ctx.log", "tree", "lanai.node" */
    const char *name;
    lua_CFunction fn;
    unsigned phases;    /* enum host_phase */
    const char *effect; /* what the workflow must list in `effects`; NULL = always there */
};

/* All of them, for specs and documentation; ends with class NULL. */
extern const struct host_function *const host_function_tables[];
extern const struct host_function host_read_functions[], host_effect_functions[],
    host_info_functions[], host_tree_functions[], host_node_functions[], host_text_functions[],
    host_krm_functions[], host_render_functions[], host_fetch_functions[], host_process_functions[], host_files_functions[],
    host_git_functions[], host_resources_functions[],
    host_merge_functions[], host_eval_functions[];

/* Sets those functions of a class that `effects` allow (NULL workflow: all) into the table on
 * top. */
void host_set_functions(lua_State *L, const char *class, const struct host_workflow *w);
const char *host_phase_name(enum host_phase p);
/* Makes the metatables of nodes and trees: the first call in every state. */
int host_open_libraries(lua_State *L);
/* C modules for script_run_new. */
extern const struct script_module host_modules[];

/* --- trees: tree.c --- */
void host_push_tree(lua_State *L, struct host_tree *t, bool writable);
struct host_tree *host_check_tree(lua_State *L, int index);
/* The tree of any handle at index, or NULL. */
struct host_tree *host_handle_tree(lua_State *L, int index);
void host_open_trees(lua_State *L);

/* --- files as lists of {path, text}: resources.c --- */
/* Copies the list at index into the arena; raises in the name of argument `arg`. */
struct krm_files host_check_files(lua_State *L, int index, int arg);
void host_push_files(lua_State *L, const struct krm_files *files);
/* True when option `compat` of the table at arg is "kpt". */
bool host_compat_is_kpt(lua_State *L, int arg);

/* --- verbs: files.c, git.c --- */
/* Removes the temporary directories of a verb. */
void host_files_done(struct host_state *st);

/* --- functions for verbs: eval.c --- */
void host_eval_done(struct host_state *st);

/* --- reads: read.c --- */
/* Reads what the selector table at index says ({kind=, name=} or {kind=, where=, limit=}) and
 * pushes the result. */
void host_push_selected(lua_State *L, int index);
/* Object name from an argument: a string or an object with metadata.name. */
struct str host_check_name(lua_State *L, int arg);

/* Grows an arena array by one: gives the new element. */
#define HOST_PUSH(arena, array, n, cap)                                                            \
    ({                                                                                             \
        if ((n) == (cap)) {                                                                        \
            size_t cap_ = (cap) * 2 + 8;                                                           \
            __typeof__(array) more_ = arena_alloc((arena), cap_ * sizeof(*(array)));               \
            if (n) {                                                                               \
                memcpy(more_, (array), (n) * sizeof(*(array)));                                    \
            }                                                                                      \
            (array) = more_;                                                                       \
            (cap) = cap_;                                                                          \
        }                                                                                          \
        &(array)[(n)++];                                                                           \
    })
