/* SPDX-License-Identifier: Apache-2.0
 *
 * The Kubernetes API over store/ and engine/, independent of how bytes travel: http/ hands in a
 * request and gets a response with bytes or a stream. Reads are answered on the calling thread;
 * writes are answered through `done`, possibly from another thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/str.h"

struct auth;
struct err;
struct engine;
struct store;
struct kube;

enum kube_method { KUBE_GET, KUBE_HEAD, KUBE_POST, KUBE_PUT, KUBE_PATCH, KUBE_DELETE, KUBE_OTHER };

struct kube_header {
    struct str name, value;
};

struct kube_request {
    struct arena *arena; /* lives until the response was sent, its stream closed, nothing runs */
    enum kube_method method;
    struct str path;     /* as sent, percent-encoded, without the query */
    struct str query;    /* as sent, without '?' */
    const struct kube_header *headers; /* in order, repeated ones repeated */
    size_t n_headers;
    struct str body;
    struct str peer_der; /* client certificate (DER), empty when none was sent */
    struct str peer_address;
    int64_t deadline_ns; /* http/ sets the server maximum; kube/ may shorten it (`timeout`) */
};

/* A body made while it is sent. http/ sets wake before the first read and calls read from one
 * thread at a time. */
struct kube_stream {
    /* > 0: bytes written to buf; 0: nothing now (wake will be called, or next_ns passes);
     * -1: clean end; -2: abort the connection. */
    ssize_t (*read)(struct kube_stream *s, char *buf, size_t max);
    void (*close)(struct kube_stream *s);
    int64_t next_ns; /* monotonic: call read again at this time even without wake; 0 = never */
    bool watch; /* set by kube/: open for long and mostly idle. Not counted as a request in flight,
                   ended cleanly when the listener stops, has no time limit of its own */
    void (*wake)(void *ctx); /* any thread, must not block */
    void *wake_ctx;
};

#define KUBE_MAX_HEADERS 24

struct kube_response {
    int status;
    struct kube_header headers[KUBE_MAX_HEADERS]; /* Content-Type included; arena or constant */
    size_t n_headers;
    struct str body;            /* arena or constant; unused when stream is set */
    struct kube_stream *stream;
    bool close_connection;      /* after this response (413) */
    bool running;               /* the work goes on in the request's memory: done comes once more,
                                   with resp NULL, when it has ended */
};

typedef void (*kube_done_fn)(void *ctx, struct kube_response *resp);

struct kube_config {
    struct store *store;
    struct engine *engine;
    struct auth *auth;
    bool strict_conflict; /* 409 for stale PackageRevisionResources too */
};

int kube_new(const struct kube_config *c, struct kube **out, struct err *err);
/* Ends all watches cleanly and waits for running writes; then kube_free. */
void kube_drain(struct kube *k, int64_t deadline_ns);
void kube_free(struct kube *k);

/* Serves one request. done is called exactly once with a response, on this thread or another; resp
 * is arena memory of the request. */
void kube_serve(struct kube *k, struct kube_request *req, kube_done_fn done, void *ctx);
/* Readiness for /readyz: false makes it 500 with `name` failed. */
void kube_set_ready(struct kube *k, bool ready);
