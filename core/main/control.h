/* SPDX-License-Identifier: Apache-2.0
 *
 * The control socket <data>/control: how `lanai token` reaches a running server, which alone may
 * open the store. One JSON line asks, one JSON line answers; mode 0600 is the whole permission.
 */
#pragma once

#include "auth/auth.h"

struct control;

int control_start(const char *data, struct auth *auth, struct control **out, struct err *err);
void control_stop(struct control *c);

/* Does what a request {"verb", "user", "groups", "ttl", "id"} asks; the answer is a node in a:
 * {"id", "token"} of token-create, {"tokens": […]} of token-list, {} of token-revoke. */
struct node *control_run(struct auth *auth, struct arena *a, const struct node *request,
                         struct err *err);
/* Sends a request to the running server of the data directory. ERR_UNAVAILABLE: none runs. */
struct node *control_ask(const char *data, struct arena *a, const struct node *request,
                         struct err *err);
