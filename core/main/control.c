/* SPDX-License-Identifier: Apache-2.0
 *
 * See control.h.
 */
#include "main/control.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/thread.h"
#include "data/node.h"

#define MAX_LINE (64 * 1024)
#define PATIENCE_MS 5000

struct control {
    struct auth *auth;
    int fd, wake[2];
    struct sockaddr_un at;
    pthread_t thread;
};

static int socket_address(const char *data, struct sockaddr_un *out, struct err *err)
{
    *out = (struct sockaddr_un){.sun_family = AF_UNIX};
    int n = snprintf(out->sun_path, sizeof(out->sun_path), "%s/control", data);
    return n > 0 && (size_t)n < sizeof(out->sun_path)
               ? 0
               : err_set(err, ERR_UNAVAILABLE, "path of the data directory is too long: %s", data);
}

/* --- verbs --- */

static struct node *token_create(struct auth *auth, struct arena *a, const struct node *request,
                                 struct err *err)
{
    struct str groups[32];
    size_t n = 0;
    const struct node *list = node_getz(request, "groups");
    for (size_t i = 0; node_is(list, NODE_LIST) && i < list->n && n < 32; i++) {
        groups[n++] = node_text(list->items[i]);
    }
    AUTO_BUF id = BUF_INIT, token = BUF_INIT;
    if (auth_token_create(auth, node_text_at(request, "user"), groups, n,
                          node_int_at(request, "ttl", 0), &id, &token, err) < 0) {
        return NULL;
    }
    struct node *out = node_map(a);
    node_set_strz(a, out, "id", arena_str(a, buf_str(&id)));
    node_set_strz(a, out, "token", arena_str(a, buf_str(&token)));
    return out;
}

struct listing {
    struct arena *a;
    struct node *list;
};

static void add_token(void *ctx, struct str id, struct str user, struct str created,
                      struct str expires)
{
    struct listing *l = ctx;
    struct node *t = node_map(l->a);
    node_set_strz(l->a, t, "id", arena_str(l->a, id));
    node_set_strz(l->a, t, "user", arena_str(l->a, user));
    node_set_strz(l->a, t, "created", arena_str(l->a, created));
    node_set_strz(l->a, t, "expires", arena_str(l->a, expires));
    node_push(l->a, l->list, t);
}

struct node *control_run(struct auth *auth, struct arena *a, const struct node *request,
                         struct err *err)
{
    struct str verb = node_text_at(request, "verb");
    struct node *out = node_map(a);
    if (str_eqz(verb, "token-create")) {
        return token_create(auth, a, request, err);
    }
    if (str_eqz(verb, "token-list")) {
        struct listing l = {a, node_list(a)};
        node_setz(a, out, "tokens", l.list);
        return auth_token_list(auth, add_token, &l, err) < 0 ? NULL : out;
    }
    if (str_eqz(verb, "token-revoke")) {
        return auth_token_revoke(auth, node_text_at(request, "id"), err) < 0 ? NULL : out;
    }
    err_set(err, ERR_BAD_REQUEST, "unknown verb '%.*s'", STR_ARG(verb));
    return NULL;
}

/* --- lines over the socket --- */

/* Reads up to a newline; false on end, excess length or lost patience. */
static bool read_line(int fd, struct buf *line)
{
    buf_init(line, MAX_LINE);
    char chunk[4096];
    for (;;) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        if (poll(&p, 1, PATIENCE_MS) <= 0) {
            return false;
        }
        ssize_t n = read(fd, chunk, sizeof(chunk));
        if (n <= 0) {
            return false;
        }
        buf_add(line, chunk, (size_t)n);
        if (line->overflow) {
            return false;
        }
        if (memchr(chunk, '\n', (size_t)n)) {
            return true;
        }
    }
}

static bool write_line(int fd, struct arena *a, const struct node *n)
{
    struct str text = arena_printf(a, "%s\n", json_emit_str(a, n).ptr);
    return send(fd, text.ptr, text.len, MSG_NOSIGNAL) == (ssize_t)text.len;
}

static void answer(struct control *c, int fd)
{
    AUTO_ARENA a = ARENA_INIT;
    AUTO_ERR err = ERR_INIT;
    AUTO_BUF line = BUF_INIT;
    if (!read_line(fd, &line)) {
        return;
    }
    struct node *request = json_parse(&a, str_trim(buf_str(&line), "\n"), NULL, &err);
    struct node *out = request ? control_run(c->auth, &a, request, &err) : NULL;
    if (!out) {
        out = node_map(&a);
        node_set_strz(&a, out, "error", str_of(err.message));
    }
    (void)write_line(fd, &a, out); /* the asker may be gone */
}

static void *control_main(void *arg)
{
    struct control *c = arg;
    for (;;) {
        struct pollfd p[2] = {{.fd = c->fd, .events = POLLIN}, {.fd = c->wake[0], .events = POLLIN}};
        if (poll(p, 2, -1) < 0 && errno != EINTR) {
            return NULL;
        }
        if (p[1].revents) {
            return NULL;
        }
        int fd = p[0].revents ? accept4(c->fd, NULL, NULL, SOCK_CLOEXEC) : -1;
        if (fd >= 0) {
            answer(c, fd);
            close(fd);
        }
    }
}

int control_start(const char *data, struct auth *auth, struct control **out, struct err *err)
{
    struct control *c = mem_new(struct control);
    *c = (struct control){.auth = auth, .fd = -1, .wake = {-1, -1}};
    if (socket_address(data, &c->at, err) < 0) {
        mem_free(c);
        return -1;
    }
    (void)unlink(c->at.sun_path); /* of a server that was killed; the store's lock decides who runs */
    mode_t mask = umask(0177);
    c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool ok = c->fd >= 0 && bind(c->fd, (struct sockaddr *)&c->at, sizeof(c->at)) == 0 &&
              listen(c->fd, 8) == 0 && pipe2(c->wake, O_CLOEXEC) == 0;
    umask(mask);
    if (!ok) {
        err_set(err, ERR_UNAVAILABLE, "cannot listen on '%s': %s", c->at.sun_path, strerror(errno));
        close(c->fd);
        mem_free(c);
        return -1;
    }
    c->thread = thread_start("control", control_main, c);
    *out = c;
    return 0;
}

void control_stop(struct control *c)
{
    if (!c) {
        return;
    }
    (void)!write(c->wake[1], "x", 1);
    pthread_join(c->thread, NULL);
    close(c->fd);
    close(c->wake[0]);
    close(c->wake[1]);
    (void)unlink(c->at.sun_path);
    mem_free(c);
}

struct node *control_ask(const char *data, struct arena *a, const struct node *request,
                         struct err *err)
{
    struct sockaddr_un at;
    if (socket_address(data, &at, err) < 0) {
        return NULL;
    }
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&at, sizeof(at)) < 0) {
        err_set(err, ERR_UNAVAILABLE, "no server runs on '%s'", data);
        close(fd);
        return NULL;
    }
    AUTO_BUF line = BUF_INIT;
    struct node *out = NULL;
    if (write_line(fd, a, request) && read_line(fd, &line)) {
        struct str text = arena_str(a, str_trim(buf_str(&line), "\n"));
        out = json_parse(a, text, NULL, err);
    } else {
        err_set(err, ERR_TIMEOUT, "the server on '%s' does not answer", data);
    }
    close(fd);
    struct str problem = node_text_at(out, "error");
    if (problem.ptr) {
        err_set(err, ERR_BAD_REQUEST, "%.*s", STR_ARG(problem));
        return NULL;
    }
    return out;
}
