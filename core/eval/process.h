/* SPDX-License-Identifier: Apache-2.0
 *
 * Programs of the machine as functions: one process per call, in a group of its own that never
 * outlives the call. What goes in and comes out are bytes; envelope.h knows what they mean.
 */
#pragma once

#include "base/arena.h"
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"

/* What a program gave back. Release with eval_output_done. */
struct eval_output {
    int code;        /* exit code; -1 when a signal ended the program */
    struct buf text; /* standard output */
    struct buf log;  /* standard error, at most LIMIT_FN_LOG_BYTES of it */
};

void eval_output_done(struct eval_output *o);
#define AUTO_OUTPUT AUTO(eval_output_done) struct eval_output

struct eval_program {
    const char *const *argv;  /* argv[0] is looked up in PATH unless it has a slash; NULL ends it */
    const char *const *env;   /* NULL: the environment of this process */
    const char *directory;    /* where it runs; NULL: here */
    size_t max_memory;        /* bytes of data segment and private mappings, 0: no limit */
    size_t max_output;        /* bytes of standard output, 0: no limit */
    int64_t deadline_ns;      /* 0: none */
};

/* Runs a program with `input` at its standard input until it ends, and kills what is left of its
 * group. A program that fails is a result, not an error. Errors: ERR_NOT_FOUND (no such program),
 * ERR_TIMEOUT (killed at the deadline), ERR_TOO_LARGE (killed at max_output), ERR_INTERNAL. `out`
 * must be zeroed; what was read so far is in it in any case. */
int eval_process_run(const struct eval_program *p, struct str input, struct eval_output *out,
                     struct err *err);

/* Starts a program with these descriptors as 0, 1 and 2, in a group of its own, and limits its
 * memory. Errors as above. */
int eval_process_spawn(const struct eval_program *p, const int fds[3], pid_t *out, struct err *err);
/* Kills the group of a started program and waits for its leader; the status is as waitpid's. */
int eval_process_end(pid_t pid);

/* Splits a command line into words as a POSIX shell does: blanks, quotes, backslashes; no
 * expansion, `#` begins a comment. NULL with ERR_INVALID when a quote is open. *out_n may be 0. */
const char *const *eval_words(struct arena *a, struct str line, size_t *out_n, struct err *err);
