/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of this room share: the listener, its connections and its requests.
 *
 * Life of a request: MHD parses the head and calls call_new (request line), then call_handle until
 * the body is in; call_run hands the request to kube_serve on this listener thread. When `done`
 * has not come by then the connection is suspended; done resumes it from whatever thread it is on
 * and call_handle queues the answer. A stream is read by MHD until it has nothing; then the
 * connection is suspended again until wake, its next_ns, the peer's end or the listener's. After an
 * answer that says `running`, kube's reference stays until done comes again.
 *
 * Locks: http.lock (connections) before a call's stripe; MHD's own locks come last. "Has an
 * answer" and "has data" are decided under the same stripe as suspending, so no resume is lost.
 */
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <microhttpd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/str.h"
#include "http/http.h"

/* Memory of one connection inside MHD: request line and headers together (kube-wire §2 asks for
 * 64 KiB), and the block that a stream is read into. */
#define POOL_BYTES (72u * 1024)
#define HEAD_MS 60000   /* handshake and first request head */
#define IDLE_MS 180000  /* between requests: Go clients keep 90 s */
#define BODY_MS 60000   /* a request body has to arrive within this */
#define STALL_MS 180000 /* a stream's client took nothing for this long */
#define DISCARD_FACTOR 4u              /* too large bodies: read on up to limit x 4, then cut */
#define UPLOAD_BYTES (256u * 1024 * 1024) /* all bodies being received, together */
#define GZIP_FROM_BYTES (128u * 1024)  /* kube-wire §2 */
#define WATCH_BLOCK 4096u              /* a watch that wrote more than this gives memory back */
#define STRIPES 64
#define MAX_CONNECTIONS 20000
/* A connection that has served a request keeps POOL_BYTES resident (MHD clears them). Above so
 * many connections, idle ones are cut after a twelfth of the time. */
#define CROWD 2000
#define CROWD_FACTOR 12

struct call;

struct conn {
    struct conn *prev, *next; /* in http.conns, under http.lock */
    struct http *http;
    struct MHD_Connection *mhd;
    int fd;
    _Atomic int64_t until_ns; /* cut when it passes; 0 = no bound */
    struct call *call;        /* the one that runs; under http.lock */
    bool closed;              /* under http.lock; only the ticker still knows it */
    bool polled;              /* fd is in the ticker's epoll set; under http.lock */
    bool knows_peer;          /* peer was read (listener thread) */
    struct buf peer;          /* client certificate, DER */
    char address[64];
};

/* One request. References: MHD until the request is completed, kube until done, the MHD response
 * until it is destroyed. */
struct call {
    struct http *http;
    struct conn *conn; /* valid as long as MHD's reference */
    pthread_mutex_t *stripe;
    atomic_int refs;
    struct arena arena;
    struct kube_request req;
    struct buf body;
    size_t discarded, uploaded; /* bytes: read past the limit; counted in http.upload_bytes */
    atomic_int *in_flight;      /* counter to lower at the end, or NULL */
    int64_t start_ns;
    struct str uri, audit_id;
    bool has_head, too_large, over_budget;
    struct kube_stream *stream; /* set once, when queued */
    size_t dirty;               /* most bytes written at once since memory was given back */

    /* under the stripe */
    struct kube_response *resp;
    bool answered, suspended, woken, gone, ending, cut;
};

struct http_counters {
    atomic_int connections, streams, reads, writes;
    _Atomic int64_t upload_bytes;
    _Atomic uint64_t accepted, requests, too_many, too_large, stalled, bytes_in, bytes_out;
};

struct http {
    struct kube *kube;
    int64_t request_ns, head_ns, idle_ns, body_ns, stall_ns;
    size_t max_body;
    struct MHD_Daemon *daemon;
    int listen_fd, epoll_fd, stop_fd; /* epoll and eventfd of the ticker */
    uint16_t port;
    pthread_t ticker;
    bool has_ticker;
    atomic_int refs; /* http_stop and every call */
    atomic_bool closing, cut;
    pthread_mutex_t lock; /* conns, graves, n_calls */
    pthread_cond_t quiet; /* n_calls fell to 0 */
    struct conn *conns, *graves;
    size_t n_calls;
    struct http_counters count;
    pthread_mutex_t stripes[STRIPES];
};

/* --- http.c --- */

void http_unref(struct http *h);

/* --- conn.c: connections and their time limits --- */

/* MHD_OPTION_NOTIFY_CONNECTION. */
void conn_notify(void *cls, struct MHD_Connection *mhd, void **socket_context,
                 enum MHD_ConnectionNotificationCode code);
struct conn *conn_of(struct MHD_Connection *mhd);
/* The client certificate (DER), empty when none; borrowed. */
struct str conn_peer(struct conn *c);
static inline void conn_until(struct conn *c, int64_t until_ns)
{
    atomic_store_explicit(&c->until_ns, until_ns, memory_order_relaxed);
}
/* Has the ticker watch for the peer's end, until the call is unset. */
void conn_poll(struct conn *c);
/* Sets the call that runs, or NULL when it is over. */
void conn_set_call(struct conn *c, struct call *call);
int ticker_start(struct http *h, struct err *err);
void ticker_stop(struct http *h);

/* --- call.c: requests --- */

void *call_new(void *cls, const char *uri, struct MHD_Connection *mhd);
enum MHD_Result call_handle(void *cls, struct MHD_Connection *mhd, const char *url,
                            const char *method, const char *version, const char *upload,
                            size_t *upload_len, void **con_cls);
void call_completed(void *cls, struct MHD_Connection *mhd, void **con_cls,
                    enum MHD_RequestTerminationCode code);
void call_ref(struct call *c);
void call_unref(struct call *c);
/* The request no longer counts as one in flight. */
void call_uncount(struct call *c);
/* Suspends unless something happened that must be looked at first; the stripe is held. */
bool call_suspend(struct call *c);
/* Resumes if suspended; the stripe is held. */
void call_resume(struct call *c);

/* --- answer.c: responses --- */

enum MHD_Result answer_queue(struct call *c, struct kube_response *resp);
/* A Status made here, for what never reaches kube/. */
struct kube_response *answer_status(struct call *c, int code, const char *reason,
                                    const char *message);

/* --- stream.c --- */

struct MHD_Response *stream_response(struct call *c, struct kube_stream *s);
