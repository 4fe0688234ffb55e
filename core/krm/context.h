/* SPDX-License-Identifier: Apache-2.0
 *
 * The package context: the ConfigMap that tells a package's functions its name and path, as kpt's
 * built-in function gen-pkg-context makes it (cad-library §1.6, §2.5).
 */
#pragma once

#include "data/node.h"

/* Drops the package contexts from items and, when the root Kptfile is among them, appends one with
 * its name and, unless empty, the package path (§2.5). True when one was made. Items carry path
 * annotations. */
bool krm_package_context(struct arena *a, struct node *items, struct str package_path);
/* What the function reports about that. */
struct node *krm_package_context_result(struct arena *a);
