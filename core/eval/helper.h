/* SPDX-License-Identifier: Apache-2.0
 *
 * Helper processes: programs that run scripts of package authors, kept warm between calls. Starting
 * one takes longer than most scripts run; a call over the socket costs some ten microseconds. What
 * a script may reach is the helper's business (it seals itself before it reads a request); that
 * it ends is ours.
 *
 * Protocol, over one socket that is the helper's standard input and output; numbers are 32 bits,
 * least significant byte first:
 *     request  length, then a ResourceList as JSON
 *     answer   exit code, length of log, length of output, then log, then the ResourceList as JSON
 */
#pragma once

#include "eval/process.h"

struct eval_helpers;

struct eval_helpers_options {
    size_t max;       /* processes at a time; further calls wait */
    size_t max_calls; /* a process ends after so many: what it leaked goes with it */
};

/* A set of equal helpers; nothing is started before the first call. Copies the program, whose
 * deadline does not count. */
struct eval_helpers *eval_helpers_new(const struct eval_program *p,
                                      const struct eval_helpers_options *o);
/* Ends all helpers. No call may be running. NULL is accepted. */
void eval_helpers_free(struct eval_helpers *h);
/* One call; thread-safe. A helper that does not answer in time or writes too much is killed, and
 * the next call starts another. Errors as of eval_process_run, and ERR_UNAVAILABLE when the helper
 * died (its memory limit, for one). */
int eval_helpers_run(struct eval_helpers *h, struct str request, int64_t deadline_ns,
                     struct eval_output *out, struct err *err);
/* Helpers that were started so far, for metrics and tests. */
size_t eval_helpers_started(struct eval_helpers *h);

/* The helper's side: answers requests from descriptor 0 on descriptor 1 until the other side is
 * gone. `fn` fills the answer; out is zeroed and released by the caller. 0, or -1 on a broken
 * request. */
typedef void (*eval_helper_fn)(void *ctx, struct str request, struct eval_output *out);
int eval_helper_serve(eval_helper_fn fn, void *ctx);
/* Takes everything from this process that a script must not have: it dies with its parent, may get
 * no more privileges, files, processes or memory than it has, and no system call but those of a
 * computation. Nothing can be opened afterwards. */
int eval_helper_seal(struct err *err);
