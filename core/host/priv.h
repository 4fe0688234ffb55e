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

enum host_phase {
    HOST_LOAD = 1 << 0,
    HOST_NEEDS = 1 << 1,
    HOST_CHECK = 1 << 2,
    HOST_RUN = 1 << 3
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
    size_t arena_before;  /* arena use at the start: the difference counts as script memory */
    struct map reads;     /* "kind/ns/name" of recorded reads */
    unsigned n_ids;
};

struct host_state *host_state_of(lua_State *L);
struct arena *host_arena(lua_State *L);
/* Raises when this run's arena use plus `more` bytes passes LIMIT_RUN_BYTES. */
void host_check_memory(lua_State *L, size_t more);
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
    host_krm_functions[];

/* Sets those functions of a class that `effects` allow (NULL workflow: all) into the table on
 * top. */
void host_set_functions(lua_State *L, const char *class, const struct host_workflow *w);
const char *host_phase_name(enum host_phase p);
/* Makes the metatables of nodes and trees: the first call in every state. */
int host_open_libraries(lua_State *L);
/* C modules for script_run_new. */
extern const struct script_module host_modules[];

/* --- nodes: node.c, convert.c --- */

/* Pushes a Lua value for scalars, a handle for lists and maps; nil for NULL and null. */
void host_push_node(lua_State *L, struct node *n, bool writable);
/* Pushes a handle whatever the type is. */
void host_push_handle(lua_State *L, struct node *n, bool writable);
/* The node of a handle at index, or NULL. */
struct node *host_handle_node(lua_State *L, int index);
/* Copies any Lua value into a node of the arena; raises on what has no JSON form. */
struct node *host_to_node(lua_State *L, int index);
/* Copy of a tree with bounds on depth and size; raises. */
struct node *host_copy_node(lua_State *L, const struct node *n);
void host_open_nodes(lua_State *L);

/* --- trees: tree.c --- */
void host_push_tree(lua_State *L, struct host_tree *t, bool writable);
struct host_tree *host_check_tree(lua_State *L, int index);
void host_open_trees(lua_State *L);

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
