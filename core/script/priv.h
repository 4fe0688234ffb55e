/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of script/ share. A run belongs to one thread from script_run_new to
 * script_run_free; only its `stop` word is written asynchronously, by the signal handler of timer.c
 * on that same thread.
 */
#pragma once

#include <lauxlib.h>
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

struct script_set {
    atomic_int refs;
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
    size_t bytes, peak;
    bool unlimited; /* while the engine reads a result: that must not fail for lack of memory */
    volatile sig_atomic_t stop; /* enum script_stop */
    int calls;
    int64_t cpu_ns; /* used by finished calls */
    struct script_run *outer; /* run whose host call started this one, on the same thread */
    timer_t cpu_timer, wall_timer;
    bool cpu_armed, wall_armed;
};

/* --- source.c --- */
/* Collects embedded sources and those of dirs into s->sources (unsorted, shadowing applied). */
int script_source_collect(struct script_set *s, const char *const *dirs, size_t n_dirs,
                          struct err *err);

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

/* --- run.c --- */
/* require(name) of scripts. */
int script_require(lua_State *L);
