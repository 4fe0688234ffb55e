/* SPDX-License-Identifier: Apache-2.0
 *
 * See sock.h. libcurl makes the connection ("connect only"): its resolver runs beside the caller,
 * so a dead name server cannot hold a thread past the deadline, and it tries IPv6 and IPv4 side by
 * side. The descriptor stays owned by the easy handle.
 */
#include "net/sock.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "net/priv.h"

#define CONNECT_MS 20000 /* longest wait for DNS and TCP together */
#define STALL_MS 30000   /* longest silence when there is no deadline */

struct net_sock {
    CURL *easy;
    curl_socket_t fd;
    const struct net_cancel *cancel;
};

/* Asked about once a second while the connection is being made. */
static int on_progress(void *ctx, curl_off_t down_all, curl_off_t down, curl_off_t up_all,
                       curl_off_t up)
{
    const struct net_sock *s = ctx;
    (void)down_all, (void)down, (void)up_all, (void)up;
    return s->cancel && net_cancel_is_set(s->cancel);
}

int net_sock_open(const char *host, int port, int64_t deadline_ns,
                  const struct net_cancel *cancel, struct net_sock **out, struct err *err)
{
    net_curl_init();
    int left = clock_left_ms(deadline_ns, CONNECT_MS);
    if (left == 0) {
        return err_set(err, ERR_TIMEOUT, "deadline exceeded before the connection was made");
    }
    AUTO_BUF url = BUF_INIT;
    buf_printf(&url, strchr(host, ':') ? "http://[%s]:%d/" : "http://%s:%d/", host, port);
    struct net_sock *s = mem_new(struct net_sock);
    char error[CURL_ERROR_SIZE] = "";
    s->easy = curl_easy_init();
    curl_easy_setopt(s->easy, CURLOPT_URL, url.ptr);
    curl_easy_setopt(s->easy, CURLOPT_CONNECT_ONLY, 1L);
    curl_easy_setopt(s->easy, CURLOPT_PROXY, "");
    curl_easy_setopt(s->easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(s->easy, CURLOPT_CONNECTTIMEOUT_MS,
                     (long)(left < CONNECT_MS ? left : CONNECT_MS));
    s->cancel = cancel;
    curl_easy_setopt(s->easy, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(s->easy, CURLOPT_XFERINFOFUNCTION, on_progress);
    curl_easy_setopt(s->easy, CURLOPT_XFERINFODATA, s);
    curl_easy_setopt(s->easy, CURLOPT_ERRORBUFFER, error);
    CURLcode code = curl_easy_perform(s->easy);
    curl_easy_setopt(s->easy, CURLOPT_ERRORBUFFER, NULL);
    if (!code) {
        code = curl_easy_getinfo(s->easy, CURLINFO_ACTIVESOCKET, &s->fd);
    }
    if (code) {
        struct str target = str_sub(buf_str(&url), strlen("http://"), url.len - 1);
        AUTO_ARENA a = ARENA_INIT;
        net_curl_fail(s->easy, code, arena_strz(&a, target), error, err);
        net_sock_close(s);
        return -1;
    }
    *out = s;
    return 0;
}

void net_sock_close(struct net_sock *s)
{
    if (s) {
        curl_easy_cleanup(s->easy);
        mem_free(s);
    }
}

int net_sock_fd(const struct net_sock *s)
{
    return (int)s->fd;
}

int net_sock_wait(struct net_sock *s, short events, int64_t deadline_ns, struct err *err)
{
    for (;;) {
        struct pollfd p[] = {{.fd = s->fd, .events = events},
                             {.fd = s->cancel ? s->cancel->fd : -1, .events = POLLIN}};
        int n = poll(p, 2, clock_left_ms(deadline_ns, STALL_MS));
        if (n > 0) {
            return p[1].revents ? net_cancel_check(s->cancel, err) : 0;
        }
        if (n == 0) {
            return err_set(err, ERR_TIMEOUT, "deadline exceeded while waiting for the server");
        }
        if (errno != EINTR) {
            return err_set(err, ERR_UNAVAILABLE, "cannot wait for the server: %m");
        }
    }
}

int net_sock_read(struct net_sock *s, void *bytes, size_t cap, int64_t deadline_ns, size_t *out_n,
                  struct err *err)
{
    for (;;) {
        ssize_t n = recv(s->fd, bytes, cap, 0);
        if (n >= 0) {
            *out_n = (size_t)n;
            return 0;
        }
        if (errno != EAGAIN && errno != EINTR) {
            return err_set(err, ERR_UNAVAILABLE, "cannot read from the server: %m");
        }
        if (net_sock_wait(s, POLLIN, deadline_ns, err)) {
            return -1;
        }
    }
}

int net_sock_write(struct net_sock *s, const void *bytes, size_t n, int64_t deadline_ns,
                   struct err *err)
{
    const char *at = bytes;
    while (n) {
        ssize_t sent = send(s->fd, at, n, MSG_NOSIGNAL);
        if (sent >= 0) {
            at += sent;
            n -= (size_t)sent;
        } else if (errno != EAGAIN && errno != EINTR) {
            return err_set(err, ERR_UNAVAILABLE, "broken pipe: cannot write to the server: %m");
        } else if (net_sock_wait(s, POLLOUT, deadline_ns, err)) {
            return -1;
        }
    }
    return 0;
}
