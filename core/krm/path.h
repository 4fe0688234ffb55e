/* SPDX-License-Identifier: Apache-2.0
 *
 * File paths inside a package, as they come in the keys of spec.resources. A path that passes
 * stays inside its package, names exactly one file, and can be a git tree entry.
 */
#pragma once

#include "base/err.h"
#include "base/str.h"

/* What is wrong with a path (constant text), or NULL. Blanks, non-ASCII letters and hidden files
 * are fine. */
const char *krm_path_fault(struct str path);
/* The same as an error: ERR_INVALID with the cause spec.resources[<path>]. A further bad path adds
 * its cause to an err that this function already filled. */
int krm_path_check(struct str path, struct err *err);
