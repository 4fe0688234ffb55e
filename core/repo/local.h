/* SPDX-License-Identifier: Apache-2.0
 *
 * Remote repositories on this machine's file system (file:// and paths), without a server process.
 */
#pragma once

#include "repo/priv.h"

/* Opens the remote repository itself. */
int local_open(const struct repo *r, git_repository **out, struct err *err);
/* Its heads and tags, sealed. */
int local_refs(git_repository *remote, struct refs **out, struct err *err);
/* Brings every object that `want` needs into the mirror. */
int local_download(struct handle *h, git_repository *remote, const struct refs *want,
                   const struct refs *have, struct err *err);
