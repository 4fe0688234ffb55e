/* SPDX-License-Identifier: Apache-2.0
 *
 * One line on a terminal about something that takes longer than a second: what, and for how long.
 */
#pragma once

#include "base/str.h"

struct progress;

/* Gives NULL, and nothing is shown, when fd is no terminal. */
struct progress *progress_start(int fd, const char *what, struct str object);
/* Takes the line away; NULL is fine. */
void progress_stop(struct progress *p);
