/* SPDX-License-Identifier: Apache-2.0
 *
 * Outgoing HTTP over libcurl: one conversation of requests with one server, answers read as a
 * stream. Each conversation has its own trust, credential and deadline; of the environment only the
 * proxy variables count (proxy.h), no .netrc. A handle belongs to one thread at a time.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"
#include "net/cancel.h"

enum net_auth { NET_AUTH_NONE, NET_AUTH_BASIC, NET_AUTH_BEARER };

/* Copied by net_http_new. */
struct net_http_options {
    enum net_auth auth;
    struct str username, password; /* basic */
    struct str token;              /* bearer */
    struct str ca_bundle;          /* PEM certificates trusted besides the system's; may be empty */
    const struct net_cancel *cancel; /* borrowed, ends waits early; may be NULL */
};

struct net_http_request {
    const char *url;
    bool post;
    struct str body;            /* borrowed until the answer is read */
    const char *const *headers; /* "Name: value", NULL-terminated; may be NULL */
    bool follow;                /* follow redirects (only without a body) */
};

struct net_http;

int net_http_new(const struct net_http_options *o, struct net_http **out, struct err *err);
void net_http_free(struct net_http *h);

/* Sends a request and waits for the answer's head; what is left of an earlier answer is dropped.
 * deadline_ns covers the whole answer. No connection, TLS trouble: ERR_UNAVAILABLE; past the
 * deadline: ERR_TIMEOUT. Any status is a success here. */
int net_http_send(struct net_http *h, const struct net_http_request *q, int64_t deadline_ns,
                  int *out_status, struct err *err);
/* Next bytes of the answer; *out_n 0 = end. */
int net_http_read(struct net_http *h, void *bytes, size_t cap, size_t *out_n, struct err *err);
/* Where the last answer came from, after redirects; borrowed until the next send. */
const char *net_http_url(const struct net_http *h);
/* True when both URLs have the same scheme, host and port. */
bool net_url_same_origin(const char *a, const char *b);
