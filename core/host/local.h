/* SPDX-License-Identifier: Apache-2.0
 *
 * Verbs of the command line as Lua (lua/cli): trusted, with files, programs and git, but without
 * ctx. The modules lanai.process, lanai.files and lanai.git exist in these states alone.
 */
#pragma once

#include "eval/eval.h"

struct host_local {
    struct script_set *set;
    const char *module;      /* requires to function(args) → exit code: "cli.pkg" */
    const char *const *args;
    size_t n_args;
    const char *cache;       /* directory of git mirrors, made when first needed */
    const struct eval_runner *runner; /* runs what is not built in; NULL: nothing does */
    int in, out, err;        /* file descriptors of the verb */
};

/* Runs the verb to its end. An error is a fault of the script: what a verb has to say to its user
 * it prints itself. */
int host_local_run(const struct host_local *l, int *out_code, struct err *err);
