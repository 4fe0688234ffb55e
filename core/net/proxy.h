/* SPDX-License-Identifier: Apache-2.0
 *
 * Which proxy a request goes through, by the usual environment variables, with the rules of Go's
 * net/http that operators of the peer know: HTTP_PROXY, HTTPS_PROXY and NO_PROXY, each also in
 * lower case (upper case wins). Servers on this machine are reached directly.
 */
#pragma once

#include "base/arena.h"
#include "base/str.h"

/* What the variables say; each may be NULL. */
struct net_proxies {
    const char *http, *https; /* for URLs of this scheme; "host:port" is an http proxy */
    const char *none;         /* "*", or names, addresses and blocks separated by commas */
};

/* Of this process; borrowed from its environment. */
struct net_proxies net_proxies_get(void);
/* The proxy's URL as libcurl takes it, in a; "" = none. */
struct str net_proxy_find(struct arena *a, const struct net_proxies *p, const char *url);
