/* SPDX-License-Identifier: Apache-2.0
 *
 * A plain outgoing TCP connection whose every wait has a deadline (name resolution included).
 * For protocols that libcurl does not speak: git:// and ssh.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "net/cancel.h"

struct net_sock;

/* Errors as in http.h. host may be an IPv6 address without brackets. cancel ends waits early; it
 * is borrowed and may be NULL. */
int net_sock_open(const char *host, int port, int64_t deadline_ns,
                  const struct net_cancel *cancel, struct net_sock **out, struct err *err);
void net_sock_close(struct net_sock *s);
/* The non-blocking descriptor; belongs to s. */
int net_sock_fd(const struct net_sock *s);
/* Waits until one of the poll events (POLLIN, POLLOUT) holds. */
int net_sock_wait(struct net_sock *s, short events, int64_t deadline_ns, struct err *err);
/* Reads at least one byte unless the peer closed (*out_n 0). */
int net_sock_read(struct net_sock *s, void *bytes, size_t cap, int64_t deadline_ns, size_t *out_n,
                  struct err *err);
/* Writes all. */
int net_sock_write(struct net_sock *s, const void *bytes, size_t n, int64_t deadline_ns,
                   struct err *err);
