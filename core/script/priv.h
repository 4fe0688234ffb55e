/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of script/ share. A run belongs to one thread from script_run_new to
 * script_run_free; only its `stop` word is written asynchronously, by the signal handler of timer.c
 * on that same thread.
 */
#pragma once

#include <lauxlib.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <time.h>

#include "script/script.h"

/* Why a run must end. */
enum script_stop {
    SCRIPT_GO,
    SCRIPT_STOP_CPU,   /* Lua time used up */
    SCRIPT_STOP_WALL,  /* deadline of the request passed */
    SCRIPT_STOP_BYTES, /* allocator limit */
    SCRIPT_STOP_CALLS  /* too many host calls */
};

/* --- memory.c: memory of one state --- */

#define SCRIPT_CLASSES 38 /* sizes of blocks that are kept for reuse */

struct script_chunk;
struct script_large;
struct script_saved;

struct script_memory {
    size_t limit, bytes, peak; /* what Lua may have, has and had, as it counts */
    bool unlimited; /* while the engine reads a result: that must not fail for lack of memory */
    size_t taken;   /* bytes of chunks and large blocks */
    char *at, *end; /* what is left of the newest chunk */
    struct script_chunk *chunks; /* newest first */
    struct script_large *large;
    void *free[SCRIPT_CLASSES];
    struct script_saved *saved;
};

struct script_saved {
    struct script_memory memory;
    char bytes[]; /* of its only chunk */
};

/* The lua_Alloc; ud is a struct script_memory. */
void *script_memory_alloc(void *ud, void *p, size_t osize, size_t nsize);
/* Remembers what all blocks hold now; false when that is more than one chunk. */
bool script_memory_save(struct script_memory *m);
/* Releases all but the oldest chunk, which is what a saved state needs. */
void script_memory_trim(struct script_memory *m);
/* Puts back what was saved, after a trim: every block is where it was and holds what it held. */
void script_memory_restore(struct script_memory *m);
void script_memory_done(struct script_memory *m);

struct script_set {
    atomic_int refs;
    pthread_mutex_t lock;          /* the two below */
    struct script_run *kept;       /* loaded states that wait for a run, last used first */
    size_t n_kept;
    struct arena arena;
    struct script_source *sources; /* by name, workflows before modules of the same name */
    struct str *chunks;            /* our own dump of each source */
    size_t n;
    uint64_t generation;
};

struct script_run {
    struct script_set *set;
    struct script_limits limits;
    const struct script_module *modules;
    lua_State *L;
    void *owner;
    struct arena *arena; /* of the nodes that scripts make: data.c */
    size_t arena_before, arena_max;
    void (*touch)(void *ctx, struct node *resource); /* NULL: nobody asks */
    void *touch_ctx;
    struct script_memory memory;
    const struct script_source *kept; /* workflow that the saved state is loaded with, or NULL */
    struct script_run *next;          /* in script_set.kept */
    volatile sig_atomic_t stop; /* enum script_stop */
    int calls, kept_calls; /* host calls so far; when the state was saved */
    int64_t cpu_ns; /* used by finished calls */
    struct script_run *outer; /* run whose host call started this one, on the same thread */
    timer_t cpu_timer, wall_timer;
    bool cpu_armed, wall_armed;
};

/* --- source.c --- */
/* Collects embedded sources and those of dirs into s->sources (unsorted, shadowing applied). */
int script_source_collect(struct script_set *s, const struct script_dirs *dirs, struct err *err);

/* --- sandbox.c --- */
/* Fills L (empty) with the allow-list. Raises. */
void script_sandbox_open(lua_State *L);
/* string.find, match, gmatch, gsub with interruptible matching, set into the table on top. */
void script_pattern_open(lua_State *L);

/* --- timer.c --- */
/* Starts and stops the clocks of r on this thread. */
int script_timer_arm(struct script_run *r, struct err *err);
void script_timer_disarm(struct script_run *r);
/* Ends the run soon: sets the reason and a hook that raises on the next instruction. */
void script_stop(struct script_run *r, enum script_stop why);
/* Raises when the run must end; for loops in C. */
void script_check_stop(lua_State *L);
/* The error for r->stop. */
int script_stop_error(const struct script_run *r, struct err *err);

/* --- set.c --- */
/* A kept run loaded with src, out of the set's hands; NULL when there is none. */
struct script_run *script_set_take_run(struct script_set *s, const struct script_source *src);
/* Keeps a run for later, and drops the one that has waited longest when there are too many. */
void script_set_give_run(struct script_set *s, struct script_run *r);

/* --- run.c --- */
/* Frees a run that the set kept. */
void script_run_drop(struct script_run *r);
/* require(name) of scripts. */
int script_require(lua_State *L);
