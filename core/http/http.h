/* SPDX-License-Identifier: Apache-2.0
 *
 * The TLS listener: libmicrohttpd (epoll pool, GnuTLS), limits, streaming bodies. It knows
 * requests and bytes, nothing of Kubernetes beyond kube_serve.
 */
#pragma once

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "kube/kube.h"

struct http;

struct http_config {
    const char *address;   /* "127.0.0.1" */
    uint16_t port;         /* 0 = any free one */
    struct str cert_pem, key_pem;
    int threads;           /* 0 = 2 */
    int64_t request_ms;    /* 0 = LIMIT_REQUEST_MS */
    size_t max_body;       /* 0 = LIMIT_BODY_BYTES */
    /* How long a client may take, each 0 = default: handshake and first request head (60 s), idle
     * between requests (180 s), a request body (60 s), taking nothing of a stream (180 s). */
    int64_t head_ms, idle_ms, body_ms, stall_ms;
    struct kube *kube;
};

int http_start(const struct http_config *c, struct http **out, struct err *err);
uint16_t http_port(const struct http *h);
/* Stops accepting, ends streams cleanly, waits for running requests until the deadline. */
void http_stop(struct http *h, int64_t deadline_ns);
/* Prometheus text of the listener's counters (connections, bytes, requests in flight). */
void http_metrics(struct http *h, struct buf *out);
