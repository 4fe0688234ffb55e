/* SPDX-License-Identifier: Apache-2.0
 *
 * The verbs of the `lanai` program. Each gets its arguments without program and verb and returns
 * the exit code: 0 done, 1 failed, 2 wrong usage.
 */
#pragma once

int verb_serve(int argc, char **argv);
int verb_version(int argc, char **argv);
int verb_kubeconfig(int argc, char **argv);
int verb_token(int argc, char **argv);
int verb_workflow(int argc, char **argv);
int verb_pkg(int argc, char **argv);
int verb_fn(int argc, char **argv);
/* What a server starts to run scripts of packages; not for people. */
int verb_fn_helper(int argc, char **argv);
