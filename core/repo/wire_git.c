/* SPDX-License-Identifier: Apache-2.0
 *
 * git://, the plain daemon protocol: one request packet, then the service's bytes both ways.
 */
#include "net/sock.h"
#include "repo/wire.h"

struct wire_git {
    struct wire base;
    struct net_sock *sock;
};

static int on_read(struct wire *w, void *bytes, size_t cap, size_t *out_n, struct err *err)
{
    return net_sock_read(((struct wire_git *)w)->sock, bytes, cap, w->deadline_ns, out_n, err);
}

static int on_write(struct wire *w, const void *bytes, size_t n, struct err *err)
{
    return net_sock_write(((struct wire_git *)w)->sock, bytes, n, w->deadline_ns, err);
}

static void on_close(struct wire *base)
{
    struct wire_git *w = (struct wire_git *)base;
    net_sock_close(w->sock);
    mem_free(w);
}

static const struct wire_ops OPS = {on_read, on_write, on_close};

int wire_git_open(const struct repo *r, enum wire_service service, int64_t deadline_ns,
                  struct wire **out, struct err *err)
{
    const struct url *u = &r->url;
    struct wire_git *w = mem_new(struct wire_git);
    w->base = (struct wire){&OPS, service, deadline_ns, false};
    AUTO_BUF line = BUF_INIT;
    AUTO_BUF request = BUF_INIT;
    buf_printf(&line, "%s %.*s", wire_service_name(service), STR_ARG(u->path));
    buf_addc(&line, 0);
    buf_printf(&line, "host=%.*s:%d", STR_ARG(u->host), u->port);
    buf_addc(&line, 0);
    pkt_write(&request, buf_str(&line));
    if (net_sock_open(u->host.ptr, u->port, deadline_ns, &r->cancel, &w->sock, err)) {
        mem_free(w);
        return -1;
    }
    if (on_write(&w->base, request.ptr, request.len, err)) {
        on_close(&w->base);
        return -1;
    }
    *out = &w->base;
    return 0;
}
