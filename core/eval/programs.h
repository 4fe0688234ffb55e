/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign functions that run on this machine: command lines (`exec:`), images that the operator
 * mapped to programs, and the helper processes for scripts of packages (`starlark`, `lua`).
 */
#pragma once

#include "eval/eval.h"
#include "eval/helper.h"

struct eval_programs;

struct eval_programs_options {
    const char *self;      /* the lanai program; NULL: the one that runs */
    const char *map;       /* file that maps images to programs (runner-oci §1.11); NULL: none */
    const char *directory; /* where programs run; NULL: here */
};

/* Reads the map; starts nothing. Programs that the map names relative are beside it. Errors:
 * ERR_INVALID with what is wrong in the file. */
int eval_programs_new(const struct eval_programs_options *o, struct eval_programs **out,
                      struct err *err);
/* Ends all helpers; no call may be running. NULL is accepted. */
void eval_programs_free(struct eval_programs *p);
/* The port of eval.h; valid as long as p. Thread-safe. */
struct eval_runner eval_programs_runner(struct eval_programs *p);
