/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading a remote, whatever its transport: which refs it has, and bringing their objects into
 * the mirror.
 */
#pragma once

#include "repo/wire.h"

/* Which failures are tried again, and after how long (porch-api-git.md §4). */
#define REMOTE_TRIES 3
bool remote_retryable(const struct repo *r, const char *text);
/* Waits before attempt n + 1; false when the deadline would pass, or the handle is cancelled. */
bool remote_wait(const struct repo *r, int attempt, const char *text, int64_t deadline_ns);

/* One fetch without retries; the mirror has the remote's refs afterwards. */
int remote_fetch(struct repo *r, int64_t deadline_ns, struct refs **out, struct err *err);
/* The remote's refs alone. */
int remote_list(struct repo *r, int64_t deadline_ns, struct refs **out, struct err *err);
