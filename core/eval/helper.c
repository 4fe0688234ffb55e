/* SPDX-License-Identifier: Apache-2.0
 *
 * See helper.h. A helper is used by one thread at a time and is idle or gone between calls. One
 * that died while it was idle is replaced without a word; one that dies on a request is not tried
 * again with it.
 */
#include "eval/helper.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/thread.h"

struct helper {
    pid_t pid;
    int fd;
    size_t calls;
    struct helper *next;
};

struct eval_helpers {
    struct eval_program program;
    struct arena arena; /* of the program */
    struct eval_helpers_options options;
    pthread_mutex_t lock;
    pthread_cond_t freed;
    struct helper *idle;
    size_t running; /* idle ones included */
    size_t started;
};

static const char *const *copy_words(struct arena *a, const char *const *words)
{
    size_t n = 0;
    while (words && words[n]) {
        n++;
    }
    const char **copy = words ? arena_array(a, const char *, n + 1) : NULL;
    for (size_t i = 0; i < n; i++) {
        copy[i] = arena_strz(a, str_of(words[i]));
    }
    return copy;
}

struct eval_helpers *eval_helpers_new(const struct eval_program *p,
                                      const struct eval_helpers_options *o)
{
    struct eval_helpers *h = mem_new(struct eval_helpers);
    h->options = *o;
    h->program = *p;
    h->program.argv = copy_words(&h->arena, p->argv);
    h->program.env = copy_words(&h->arena, p->env);
    h->program.directory = p->directory ? arena_strz(&h->arena, str_of(p->directory)) : NULL;
    pthread_mutex_init(&h->lock, NULL);
    thread_cond_init(&h->freed);
    return h;
}

/* --- processes --- */

static void end_helper(struct helper *p)
{
    close(p->fd);
    eval_process_end(p->pid);
    mem_free(p);
}

static struct helper *start_helper(struct eval_helpers *h, struct err *err)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends)) {
        err_set(err, ERR_INTERNAL, "cannot make a socket: %s", strerror(errno));
        return NULL;
    }
    struct helper *p = mem_new(struct helper);
    const int fds[3] = {ends[1], ends[1], STDERR_FILENO};
    int rc = eval_process_spawn(&h->program, fds, &p->pid, err);
    close(ends[1]);
    p->fd = ends[0];
    if (rc) {
        close(p->fd);
        mem_free(p);
        return NULL;
    }
    return p;
}

void eval_helpers_free(struct eval_helpers *h)
{
    if (!h) {
        return;
    }
    for (struct helper *p; (p = h->idle);) {
        h->idle = p->next;
        end_helper(p);
    }
    pthread_mutex_destroy(&h->lock);
    pthread_cond_destroy(&h->freed);
    arena_done(&h->arena);
    mem_free(h);
}

/* An idle helper, or NULL with the right to start one. */
static int take_turn(struct eval_helpers *h, int64_t deadline_ns, struct helper **out,
                     struct err *err)
{
    int rc = 0;
    pthread_mutex_lock(&h->lock);
    while (!h->idle && h->running >= h->options.max && rc == 0) {
        if (!thread_cond_wait_until(&h->freed, &h->lock, deadline_ns ? deadline_ns : INT64_MAX)) {
            rc = err_set(err, ERR_TIMEOUT, "no free '%s' in time", h->program.argv[0]);
        }
    }
    if (rc == 0 && (*out = h->idle)) {
        h->idle = (*out)->next;
    } else if (rc == 0) {
        h->running++;
        h->started++;
    }
    pthread_mutex_unlock(&h->lock);
    return rc;
}

/* p is NULL when it could not be started. */
static void give_back(struct eval_helpers *h, struct helper *p, bool reuse)
{
    bool keep = p && reuse && ++p->calls < h->options.max_calls;
    if (p && !keep) {
        end_helper(p);
    }
    pthread_mutex_lock(&h->lock);
    if (keep) {
        p->next = h->idle;
        h->idle = p;
    } else {
        h->running--;
    }
    pthread_cond_signal(&h->freed);
    pthread_mutex_unlock(&h->lock);
}

/* --- messages --- */

struct talk {
    const struct eval_helpers *helpers;
    int fd;
    int64_t deadline_ns;
};

static int died(const struct talk *t, struct err *err)
{
    return err_set(err, ERR_UNAVAILABLE, "'%s' ended without an answer",
                   t->helpers->program.argv[0]);
}

static int wait_for(const struct talk *t, short events, struct err *err)
{
    struct pollfd p = {t->fd, events, 0};
    int n;
    do {
        n = poll(&p, 1, clock_left_ms(t->deadline_ns, -1));
    } while (n < 0 && errno == EINTR);
    return n > 0 ? 0
                 : err_set(err, ERR_TIMEOUT, "'%s' did not end in time",
                           t->helpers->program.argv[0]);
}

static bool is_retry(int code)
{
    return code == EAGAIN || code == EINTR;
}

static int send_all(const struct talk *t, const void *bytes, size_t len, struct err *err)
{
    for (const char *at = bytes; len;) {
        ssize_t n = send(t->fd, at, len, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && !is_retry(errno)) {
            return died(t, err);
        }
        if (n < 0 && wait_for(t, POLLOUT, err)) {
            return -1;
        }
        at += n > 0 ? n : 0;
        len -= n > 0 ? (size_t)n : 0;
    }
    return 0;
}

static int receive_all(const struct talk *t, void *bytes, size_t len, struct err *err)
{
    for (char *at = bytes; len;) {
        ssize_t n = recv(t->fd, at, len, MSG_DONTWAIT);
        if (n == 0 || (n < 0 && !is_retry(errno))) {
            return died(t, err);
        }
        if (n < 0 && wait_for(t, POLLIN, err)) {
            return -1;
        }
        at += n > 0 ? n : 0;
        len -= n > 0 ? (size_t)n : 0;
    }
    return 0;
}

static void put_number(unsigned char *at, uint32_t v)
{
    for (int i = 0; i < 4; i++) {
        at[i] = (unsigned char)(v >> (8 * i));
    }
}

static uint32_t get_number(const unsigned char *at)
{
    return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static int receive_into(const struct talk *t, struct buf *b, size_t len, size_t max,
                        struct err *err)
{
    b->max = max;
    if (!buf_reserve(b, len)) {
        return err_set(err, ERR_TOO_LARGE, "'%s' wrote more than %zu bytes",
                       t->helpers->program.argv[0], max);
    }
    if (receive_all(t, b->ptr, len, err)) {
        return -1;
    }
    b->len = len;
    b->ptr[len] = 0;
    return 0;
}

static int exchange(const struct talk *t, struct str request, struct eval_output *out,
                    struct err *err)
{
    size_t max = t->helpers->program.max_output;
    unsigned char head[12];
    put_number(head, (uint32_t)request.len);
    if (send_all(t, head, 4, err) || send_all(t, request.ptr, request.len, err) ||
        receive_all(t, head, sizeof(head), err)) {
        return -1;
    }
    out->code = (int)get_number(head);
    return receive_into(t, &out->log, get_number(head + 4), LIMIT_FN_LOG_BYTES, err) ||
                   receive_into(t, &out->text, get_number(head + 8), max, err)
               ? -1
               : 0;
}

static bool is_alive(const struct helper *p)
{
    struct pollfd d = {p->fd, POLLIN, 0};
    return poll(&d, 1, 0) == 0;
}

int eval_helpers_run(struct eval_helpers *h, struct str request, int64_t deadline_ns,
                     struct eval_output *out, struct err *err)
{
    struct helper *p = NULL;
    if (request.len > UINT32_MAX) {
        return err_set(err, ERR_TOO_LARGE, "the resources are too large for a function");
    }
    if (take_turn(h, deadline_ns, &p, err)) {
        return -1;
    }
    if (p && !is_alive(p)) {
        end_helper(p);
        p = NULL;
    }
    p = p ? p : start_helper(h, err);
    struct talk t = {h, p ? p->fd : -1, deadline_ns};
    int rc = p ? exchange(&t, request, out, err) : -1;
    give_back(h, p, rc == 0);
    return rc;
}

size_t eval_helpers_started(struct eval_helpers *h)
{
    pthread_mutex_lock(&h->lock);
    size_t n = h->started;
    pthread_mutex_unlock(&h->lock);
    return n;
}

/* --- the helper's side --- */

static int read_all(void *bytes, size_t len)
{
    for (char *at = bytes; len;) {
        ssize_t n = read(STDIN_FILENO, at, len);
        if (n <= 0 && !(n < 0 && errno == EINTR)) {
            return -1;
        }
        at += n > 0 ? n : 0;
        len -= n > 0 ? (size_t)n : 0;
    }
    return 0;
}

static int write_all(const void *bytes, size_t len)
{
    for (const char *at = bytes; len;) {
        ssize_t n = write(STDOUT_FILENO, at, len);
        if (n < 0 && errno != EINTR) {
            return -1;
        }
        at += n > 0 ? n : 0;
        len -= n > 0 ? (size_t)n : 0;
    }
    return 0;
}

static int answer(const struct eval_output *o)
{
    unsigned char head[12];
    put_number(head, (uint32_t)o->code);
    put_number(head + 4, (uint32_t)o->log.len);
    put_number(head + 8, (uint32_t)o->text.len);
    return write_all(head, sizeof(head)) || write_all(o->log.ptr, o->log.len) ||
                   write_all(o->text.ptr, o->text.len)
               ? -1
               : 0;
}

int eval_helper_serve(eval_helper_fn fn, void *ctx)
{
    unsigned char head[4];
    while (read_all(head, sizeof(head)) == 0) {
        size_t len = get_number(head);
        AUTO_BUF request = BUF_INIT;
        AUTO_OUTPUT out = {.log.max = LIMIT_FN_LOG_BYTES};
        if (!buf_reserve(&request, len) || read_all(request.ptr, len)) {
            return -1;
        }
        request.len = len;
        fn(ctx, buf_str(&request), &out);
        if (answer(&out)) {
            return -1;
        }
    }
    return 0;
}
