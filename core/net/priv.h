/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of net/ share about libcurl. Not for other rooms.
 */
#pragma once

#include <curl/curl.h>

#include "base/err.h"

/* Starts libcurl once per process. */
void net_curl_init(void);
/* Sets err for a failed transfer; detail may be empty. Returns -1. */
int net_curl_fail(CURLcode code, const char *detail, struct err *err);
