/* SPDX-License-Identifier: Apache-2.0
 *
 * Start, stop and counters of the listener.
 */
#include "http/http.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <arpa/inet.h>

#include "base/log.h"
#include "base/thread.h"
#include "http/priv.h"

#define BACKLOG 1024
#define RESERVED_FDS 256 /* files, git, outgoing connections */
#define LAST_ANSWERS_NS (250 * NS_PER_MS) /* for the 503s of a shutdown to go out */
#define TLS "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"

void http_unref(struct http *h)
{
    if (atomic_fetch_sub(&h->refs, 1) != 1) {
        return;
    }
    if (h->listen_fd >= 0) {
        close(h->listen_fd);
    }
    if (h->epoll_fd >= 0) {
        close(h->epoll_fd);
    }
    if (h->stop_fd >= 0) {
        close(h->stop_fd);
    }
    for (size_t i = 0; i < STRIPES; i++) {
        pthread_mutex_destroy(&h->stripes[i]);
    }
    pthread_cond_destroy(&h->quiet);
    pthread_mutex_destroy(&h->lock);
    mem_free(h);
}

static struct http *http_new(const struct http_config *c)
{
    struct http *h = mem_new(struct http);
    h->kube = c->kube;
    h->request_ns = (c->request_ms ? c->request_ms : LIMIT_REQUEST_MS) * NS_PER_MS;
    h->head_ns = (c->head_ms ? c->head_ms : HEAD_MS) * NS_PER_MS;
    h->idle_ns = (c->idle_ms ? c->idle_ms : IDLE_MS) * NS_PER_MS;
    h->body_ns = (c->body_ms ? c->body_ms : BODY_MS) * NS_PER_MS;
    h->stall_ns = (c->stall_ms ? c->stall_ms : STALL_MS) * NS_PER_MS;
    h->max_body = c->max_body ? c->max_body : LIMIT_BODY_BYTES;
    h->listen_fd = h->epoll_fd = h->stop_fd = -1;
    atomic_init(&h->refs, 1);
    pthread_mutex_init(&h->lock, NULL);
    thread_cond_init(&h->quiet);
    for (size_t i = 0; i < STRIPES; i++) {
        pthread_mutex_init(&h->stripes[i], NULL);
    }
    return h;
}

/* As many connections as the hard limit on files allows. */
static unsigned raise_file_limit(void)
{
    struct rlimit r;
    if (getrlimit(RLIMIT_NOFILE, &r) != 0) {
        return 768;
    }
    if (r.rlim_cur < r.rlim_max) {
        struct rlimit most = {r.rlim_max, r.rlim_max};
        r.rlim_cur = setrlimit(RLIMIT_NOFILE, &most) == 0 ? r.rlim_max : r.rlim_cur;
    }
    rlim_t n = r.rlim_cur > 2 * RESERVED_FDS ? r.rlim_cur - RESERVED_FDS : r.rlim_cur / 2;
    return n > MAX_CONNECTIONS ? MAX_CONNECTIONS : (unsigned)n;
}

static int parse_address(const char *address, uint16_t port, struct sockaddr_storage *out,
                         socklen_t *out_len, struct err *err)
{
    struct sockaddr_in *v4 = (void *)out;
    struct sockaddr_in6 *v6 = (void *)out;
    *out = (struct sockaddr_storage){0};
    if (inet_pton(AF_INET, address, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons(port);
        *out_len = sizeof(*v4);
        return 0;
    }
    if (inet_pton(AF_INET6, address, &v6->sin6_addr) == 1) {
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons(port);
        *out_len = sizeof(*v6);
        return 0;
    }
    return err_set(err, ERR_INVALID, "cannot listen on '%s': not an IP address", address);
}

static int listen_open(struct http *h, const struct http_config *c, struct err *err)
{
    struct sockaddr_storage sa;
    socklen_t len = 0;
    const char *address = c->address ? c->address : "127.0.0.1";
    if (parse_address(address, c->port, &sa, &len, err) != 0) {
        return -1;
    }
    int one = 1, fd = socket(sa.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    h->listen_fd = fd;
    /* Accepted sockets inherit TCP_NODELAY and the keep-alive that finds dead peers. */
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) != 0 ||
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)) != 0 ||
        setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one)) != 0 ||
        bind(fd, (struct sockaddr *)&sa, len) != 0 || listen(fd, BACKLOG) != 0 ||
        getsockname(fd, (struct sockaddr *)&sa, &len) != 0) {
        return err_set(err, ERR_UNAVAILABLE, "cannot listen on %s port %u: %s", address, c->port,
                       strerror(errno));
    }
    h->port = ntohs(sa.ss_family == AF_INET ? ((struct sockaddr_in *)&sa)->sin_port
                                            : ((struct sockaddr_in6 *)&sa)->sin6_port);
    return 0;
}

static void __attribute__((format(printf, 2, 0))) log_mhd(void *cls, const char *fmt, va_list ap)
{
    if (log_enabled(LOG_DEBUG)) {
        char text[512];
        vsnprintf(text, sizeof(text), fmt, ap);
        text[strcspn(text, "\n")] = '\0';
        log_debug("listener", "message", text, NULL);
    }
}

/* Percent-encoding is kube/'s: the path goes up as it was sent. */
static size_t leave_encoded(void *cls, struct MHD_Connection *mhd, char *text)
{
    return strlen(text);
}

static int daemon_start(struct http *h, const struct http_config *c, struct err *err)
{
    unsigned threads = c->threads > 0 ? (unsigned)c->threads : 2;
    AUTO_BUF cert = BUF_INIT;
    AUTO_BUF key = BUF_INIT; /* NUL-terminated, as MHD wants them */
    buf_add_str(&cert, c->cert_pem);
    buf_add_str(&key, c->key_pem);
    bool tls = cert.len > 0;
    unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ITC |
                     MHD_USE_ERROR_LOG | (tls ? MHD_USE_TLS : 0);
    struct MHD_OptionItem options[] = {
        {MHD_OPTION_LISTEN_SOCKET, h->listen_fd, NULL},
        {MHD_OPTION_THREAD_POOL_SIZE, threads > 1 ? (intptr_t)threads : 0, NULL},
        {MHD_OPTION_CONNECTION_LIMIT, (intptr_t)raise_file_limit(), NULL},
        {MHD_OPTION_CONNECTION_MEMORY_LIMIT, POOL_BYTES, NULL},
        {MHD_OPTION_CONNECTION_TIMEOUT, 0, NULL}, /* conn.until_ns decides */
        {MHD_OPTION_NOTIFY_CONNECTION, (intptr_t)conn_notify, h},
        {MHD_OPTION_NOTIFY_COMPLETED, (intptr_t)call_completed, h},
        {MHD_OPTION_URI_LOG_CALLBACK, (intptr_t)call_new, h},
        {MHD_OPTION_UNESCAPE_CALLBACK, (intptr_t)leave_encoded, NULL},
        {tls ? MHD_OPTION_HTTPS_MEM_CERT : MHD_OPTION_END, 0, cert.ptr},
        {MHD_OPTION_HTTPS_MEM_KEY, 0, key.ptr},
        {MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)(uintptr_t)TLS},
        {MHD_OPTION_END, 0, NULL}};
    h->daemon = MHD_start_daemon(flags, 0, NULL, NULL, call_handle, h, MHD_OPTION_EXTERNAL_LOGGER,
                                 log_mhd, NULL, MHD_OPTION_ARRAY, options, MHD_OPTION_END);
    if (!h->daemon) {
        return err_set(err, ERR_INTERNAL, "cannot start the listener: %s",
                       tls ? "certificate or key not accepted" : strerror(errno));
    }
    return 0;
}

int http_start(const struct http_config *c, struct http **out, struct err *err)
{
    struct http *h = http_new(c);
    if (listen_open(h, c, err) != 0 || ticker_start(h, err) != 0 || daemon_start(h, c, err) != 0) {
        ticker_stop(h);
        http_unref(h);
        return -1;
    }
    *out = h;
    return 0;
}

uint16_t http_port(const struct http *h)
{
    return h->port;
}

/* Tells every running call; resumed streams then look at what they were told. */
static void tell_calls(struct http *h)
{
    pthread_mutex_lock(&h->lock);
    for (struct conn *c = h->conns; c; c = c->next) {
        if (c->call) {
            pthread_mutex_lock(c->call->stripe);
            c->call->ending = true;
            if (c->call->stream || atomic_load(&h->cut)) {
                call_resume(c->call);
            }
            pthread_mutex_unlock(c->call->stripe);
        }
    }
    pthread_mutex_unlock(&h->lock);
}

/* Waits until nothing runs any more; returns how many do at the deadline. */
static size_t wait_quiet(struct http *h, int64_t deadline_ns)
{
    pthread_mutex_lock(&h->lock);
    while (h->n_calls && thread_cond_wait_until(&h->quiet, &h->lock, deadline_ns)) {
    }
    size_t left = h->n_calls;
    pthread_mutex_unlock(&h->lock);
    return left;
}

void http_stop(struct http *h, int64_t deadline_ns)
{
    if (!h) {
        return;
    }
    MHD_quiesce_daemon(h->daemon); /* the socket is ours again */
    close(h->listen_fd);
    h->listen_fd = -1;
    atomic_store(&h->closing, true);
    tell_calls(h);
    size_t left = wait_quiet(h, deadline_ns);
    if (left) {
        char n[24];
        snprintf(n, sizeof(n), "%zu", left);
        log_warn("requests cut at the end of the shutdown time", "requests", n, NULL);
    }
    atomic_store(&h->cut, true); /* from here on nothing suspends any more */
    tell_calls(h);
    wait_quiet(h, clock_mono_ns() + LAST_ANSWERS_NS);
    ticker_stop(h);
    MHD_stop_daemon(h->daemon);
    ticker_stop(h); /* frees the connections that ended since */
    http_unref(h);
}

static void metric(struct buf *out, const char *name, const char *type, const char *labels,
                   uint64_t value)
{
    if (type) {
        buf_printf(out, "# TYPE %s %s\n", name, type);
    }
    buf_printf(out, "%s%s %llu\n", name, labels, (unsigned long long)value);
}

void http_metrics(struct http *h, struct buf *out)
{
    struct http_counters *n = &h->count;
    metric(out, "lanai_http_connections", "gauge", "", (uint64_t)atomic_load(&n->connections));
    metric(out, "lanai_http_connections_total", "counter", "", atomic_load(&n->accepted));
    metric(out, "lanai_http_requests_total", "counter", "", atomic_load(&n->requests));
    metric(out, "lanai_http_streams", "gauge", "", (uint64_t)atomic_load(&n->streams));
    metric(out, "lanai_http_received_bytes_total", "counter", "", atomic_load(&n->bytes_in));
    metric(out, "lanai_http_sent_bytes_total", "counter", "", atomic_load(&n->bytes_out));
    metric(out, "lanai_http_refused_total", "counter", "{code=\"413\"}",
           atomic_load(&n->too_large));
    metric(out, "lanai_http_refused_total", NULL, "{code=\"429\"}", atomic_load(&n->too_many));
    metric(out, "lanai_http_timeouts_total", "counter", "", atomic_load(&n->stalled));
    metric(out, "apiserver_current_inflight_requests", "gauge", "{request_kind=\"readOnly\"}",
           (uint64_t)atomic_load(&n->reads));
    metric(out, "apiserver_current_inflight_requests", NULL, "{request_kind=\"mutating\"}",
           (uint64_t)atomic_load(&n->writes));
}
