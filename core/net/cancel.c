/* SPDX-License-Identifier: Apache-2.0
 *
 * See cancel.h: an eventfd, so that poll and libcurl can wait for it.
 */
#include "net/cancel.h"

#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"

void net_cancel_init(struct net_cancel *c)
{
    c->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
}

void net_cancel_done(struct net_cancel *c)
{
    if (c->fd >= 0) {
        close(c->fd);
        c->fd = -1;
    }
}

void net_cancel_set(const struct net_cancel *c)
{
    if (c->fd >= 0) {
        (void)eventfd_write(c->fd, 1); /* full = set already */
    }
}

bool net_cancel_wait(const struct net_cancel *c, int ms)
{
    int64_t until = clock_mono_ns() + ms * NS_PER_MS;
    struct pollfd p = {.fd = c ? c->fd : -1, .events = POLLIN};
    int n;
    while ((n = poll(&p, 1, ms ? clock_left_ms(until, 0) : 0)) < 0 && errno == EINTR) {
    }
    return n > 0;
}

bool net_cancel_is_set(const struct net_cancel *c)
{
    return net_cancel_wait(c, 0);
}

int net_cancel_check(const struct net_cancel *c, struct err *err)
{
    return c && net_cancel_is_set(c)
               ? err_set(err, ERR_UNAVAILABLE, "the operation was cancelled")
               : 0;
}
