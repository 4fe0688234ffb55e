/* SPDX-License-Identifier: Apache-2.0
 *
 * libgit2's smart protocol over our conversations (wire.h). libgit2 only negotiates and stores the
 * pack; it never opens a connection itself.
 */
#pragma once

#include "repo/wire.h"

/* Once per process. */
void transport_register(void);
/* Downloads what the mirror lacks of the advertised heads and tags, over the conversation whose
 * advertisement was just read. */
int transport_download(struct handle *h, struct wire *w, const struct advert *a, struct err *err);
