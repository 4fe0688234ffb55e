/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of net/ share about libcurl. Not for other rooms.
 */
#pragma once

#include <curl/curl.h>

#include "base/arena.h"
#include "base/err.h"

/* Starts libcurl once per process. */
void net_curl_init(void);
/* A part of a URL in a, "" when it has none; the port is the scheme's when it is not given. */
struct str net_url_part(struct arena *a, CURLU *u, CURLUPart part);
/* Sets err for a failed transfer to host:port (NULL: through a proxy, or unknown); detail is what
 * libcurl said and may be empty. Returns -1. */
int net_curl_fail(CURL *easy, CURLcode code, const char *target, const char *detail,
                  struct err *err);
