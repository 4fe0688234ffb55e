/* SPDX-License-Identifier: Apache-2.0
 *
 * Ends a network wait of another thread before its deadline. Whoever waits watches the descriptor
 * beside the connection; once it is set it stays set. A NULL net_cancel never is.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"

struct net_cancel {
    int fd; /* readable once set; -1 when the system has no descriptor left */
};

void net_cancel_init(struct net_cancel *c);
void net_cancel_done(struct net_cancel *c);
/* From any thread. */
void net_cancel_set(const struct net_cancel *c);
bool net_cancel_is_set(const struct net_cancel *c);
/* Waits until it is set (true) or ms have passed. */
bool net_cancel_wait(const struct net_cancel *c, int ms);
/* -1 with ERR_UNAVAILABLE when it is set. */
int net_cancel_check(const struct net_cancel *c, struct err *err);
