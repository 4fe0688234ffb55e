/* SPDX-License-Identifier: Apache-2.0
 *
 * Connections as the listener sees them, and the ticker: one thread that cuts connections whose
 * time is over, wakes streams whose next_ns passed, and hears the peer's end of suspended streams,
 * which MHD does not notice by itself.
 */
#include "http/priv.h"

#include <arpa/inet.h>
#include <errno.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <gnutls/gnutls.h>

#include "base/thread.h"

#define TICK_MS 1000
#define EVENTS 64

static void format_address(struct conn *c, const struct sockaddr *sa)
{
    char host[INET6_ADDRSTRLEN] = "";
    if (sa->sa_family == AF_INET) {
        const struct sockaddr_in *in = (const void *)sa;
        inet_ntop(AF_INET, &in->sin_addr, host, sizeof(host));
        snprintf(c->address, sizeof(c->address), "%s:%u", host, ntohs(in->sin_port));
    } else if (sa->sa_family == AF_INET6) {
        const struct sockaddr_in6 *in = (const void *)sa;
        inet_ntop(AF_INET6, &in->sin6_addr, host, sizeof(host));
        snprintf(c->address, sizeof(c->address), "[%s]:%u", host, ntohs(in->sin6_port));
    }
}

static void conn_started(struct http *h, struct MHD_Connection *mhd, void **socket_context)
{
    struct conn *c = mem_new(struct conn);
    c->http = h;
    c->mhd = mhd;
    c->fd = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
    buf_init(&c->peer, 64 * 1024);
    const union MHD_ConnectionInfo *address =
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    if (address && address->client_addr) {
        format_address(c, address->client_addr);
    }
    const union MHD_ConnectionInfo *tls =
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_GNUTLS_SESSION);
    if (tls && tls->tls_session) {
        /* Asked for, with an empty CA list, and judged later by auth/. */
        gnutls_certificate_server_set_request(tls->tls_session, GNUTLS_CERT_REQUEST);
    }
    conn_until(c, clock_mono_ns() + h->head_ns);
    *socket_context = c;
    pthread_mutex_lock(&h->lock);
    c->next = h->conns;
    if (c->next) {
        c->next->prev = c;
    }
    h->conns = c;
    pthread_mutex_unlock(&h->lock);
    atomic_fetch_add(&h->count.connections, 1);
    atomic_fetch_add(&h->count.accepted, 1);
}

/* Comes before MHD closes the fd: while a conn is in the list its fd is its own. */
static void conn_ended(struct http *h, struct conn *c)
{
    pthread_mutex_lock(&h->lock);
    if (c->prev) {
        c->prev->next = c->next;
    } else {
        h->conns = c->next;
    }
    if (c->next) {
        c->next->prev = c->prev;
    }
    if (c->polled) {
        epoll_ctl(h->epoll_fd, EPOLL_CTL_DEL, c->fd, NULL);
    }
    c->closed = true;
    c->next = h->graves; /* the ticker may hold an event that names it */
    h->graves = c;
    pthread_mutex_unlock(&h->lock);
    atomic_fetch_sub(&h->count.connections, 1);
}

void conn_notify(void *cls, struct MHD_Connection *mhd, void **socket_context,
                 enum MHD_ConnectionNotificationCode code)
{
    struct http *h = cls;
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        conn_started(h, mhd, socket_context);
    } else if (*socket_context) {
        conn_ended(h, *socket_context);
        *socket_context = NULL;
    }
}

struct conn *conn_of(struct MHD_Connection *mhd)
{
    return MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
}

struct str conn_peer(struct conn *c)
{
    if (!c->knows_peer) {
        c->knows_peer = true;
        const union MHD_ConnectionInfo *tls =
            MHD_get_connection_info(c->mhd, MHD_CONNECTION_INFO_GNUTLS_SESSION);
        unsigned n = 0;
        const gnutls_datum_t *chain =
            tls && tls->tls_session ? gnutls_certificate_get_peers(tls->tls_session, &n) : NULL;
        if (chain && n > 0) {
            buf_add(&c->peer, chain[0].data, chain[0].size);
        }
    }
    return buf_str(&c->peer);
}

void conn_poll(struct conn *c)
{
    struct http *h = c->http;
    struct epoll_event e = {.events = EPOLLRDHUP | EPOLLET, .data.ptr = c};
    pthread_mutex_lock(&h->lock);
    if (!c->polled) {
        c->polled = epoll_ctl(h->epoll_fd, EPOLL_CTL_ADD, c->fd, &e) == 0;
    }
    pthread_mutex_unlock(&h->lock);
}

void conn_set_call(struct conn *c, struct call *call)
{
    struct http *h = c->http;
    pthread_mutex_lock(&h->lock);
    if (call) {
        h->n_calls++;
    } else if (c->call && --h->n_calls == 0) {
        pthread_cond_broadcast(&h->quiet);
    }
    c->call = call;
    if (!call && c->polled) {
        epoll_ctl(h->epoll_fd, EPOLL_CTL_DEL, c->fd, NULL);
        c->polled = false;
    }
    pthread_mutex_unlock(&h->lock);
}

/* --- the ticker --- */

static void peer_ended(struct conn *c)
{
    struct call *call = c->closed ? NULL : c->call;
    if (call) {
        pthread_mutex_lock(call->stripe);
        call->gone = true;
        call_resume(call);
        pthread_mutex_unlock(call->stripe);
    }
}

static void tick_conn(struct http *h, struct conn *c, int64_t now)
{
    int64_t until = atomic_load_explicit(&c->until_ns, memory_order_relaxed);
    if (until && now > until) {
        atomic_fetch_add(&h->count.stalled, 1);
        conn_until(c, 0);
        shutdown(c->fd, SHUT_RDWR); /* MHD sees the end and cleans up */
    }
    struct call *call = c->call;
    if (call) {
        pthread_mutex_lock(call->stripe);
        /* next_ns belongs to the reader, which does not run while suspended. */
        if (call->suspended && call->stream && call->stream->next_ns &&
            now >= call->stream->next_ns) {
            call_resume(call);
        }
        pthread_mutex_unlock(call->stripe);
    }
}

static struct conn *take_graves(struct http *h)
{
    struct conn *graves = h->graves;
    h->graves = NULL;
    return graves;
}

static void free_conns(struct conn *c)
{
    while (c) {
        struct conn *next = c->next;
        buf_done(&c->peer);
        mem_free(c);
        c = next;
    }
}

static void *ticker_main(void *arg)
{
    struct http *h = arg;
    struct epoll_event events[EVENTS];
    int64_t next_tick = clock_mono_ns() + TICK_MS * NS_PER_MS;
    for (bool stop = false; !stop;) {
        int n = epoll_wait(h->epoll_fd, events, EVENTS, clock_left_ms(next_tick, TICK_MS) + 1);
        pthread_mutex_lock(&h->lock);
        for (int i = 0; i < n; i++) {
            if (!events[i].data.ptr) {
                stop = true;
            } else {
                peer_ended(events[i].data.ptr);
            }
        }
        int64_t now = clock_mono_ns();
        if (now >= next_tick) {
            next_tick = now + TICK_MS * NS_PER_MS;
            for (struct conn *c = h->conns; c; c = c->next) {
                tick_conn(h, c, now);
            }
        }
        struct conn *graves = take_graves(h);
        pthread_mutex_unlock(&h->lock);
        free_conns(graves);
    }
    return NULL;
}

int ticker_start(struct http *h, struct err *err)
{
    h->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    h->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    struct epoll_event e = {.events = EPOLLIN, .data.ptr = NULL};
    if (h->epoll_fd < 0 || h->stop_fd < 0 ||
        epoll_ctl(h->epoll_fd, EPOLL_CTL_ADD, h->stop_fd, &e) != 0) {
        return err_set(err, ERR_INTERNAL, "cannot start the listener's ticker: %s",
                       strerror(errno));
    }
    h->ticker = thread_start("http-ticker", ticker_main, h);
    h->has_ticker = true;
    return 0;
}

void ticker_stop(struct http *h)
{
    if (h->has_ticker) {
        uint64_t one = 1;
        if (write(h->stop_fd, &one, sizeof(one)) == sizeof(one)) {
            pthread_join(h->ticker, NULL);
        }
        h->has_ticker = false;
    }
    pthread_mutex_lock(&h->lock);
    struct conn *graves = take_graves(h);
    pthread_mutex_unlock(&h->lock);
    free_conns(graves);
}
