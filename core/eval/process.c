/* SPDX-License-Identifier: Apache-2.0
 *
 * See process.h. One loop feeds the program and drains it, so neither side can block the other. The
 * end of the program is an event of its own (a pidfd): children that it left behind may hold its
 * pipes open, and are killed then.
 */
#include "eval/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/pidfd.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/mem.h"

#define CHUNK (64u * 1024)

void eval_output_done(struct eval_output *o)
{
    buf_done(&o->text);
    buf_done(&o->log);
}

static void close_fd(int *fd)
{
    if (*fd >= 0) {
        close(*fd);
        *fd = -1;
    }
}

/* --- starting --- */

static int spawn(const struct eval_program *p, const int fds[3], pid_t *out)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attr;
    sigset_t none, defaults;
    sigemptyset(&none);
    sigemptyset(&defaults);
    sigaddset(&defaults, SIGPIPE);
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attr);
    for (int i = 0; i < 3; i++) {
        posix_spawn_file_actions_adddup2(&actions, fds[i], i);
    }
    posix_spawn_file_actions_addclosefrom_np(&actions, 3);
    if (p->directory) {
        posix_spawn_file_actions_addchdir_np(&actions, p->directory);
    }
    posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
                                        POSIX_SPAWN_SETSIGDEF);
    posix_spawnattr_setpgroup(&attr, 0);
    posix_spawnattr_setsigmask(&attr, &none);
    posix_spawnattr_setsigdefault(&attr, &defaults);
    int rc = posix_spawnp(out, p->argv[0], &actions, &attr, (char *const *)p->argv,
                          p->env ? (char *const *)p->env : environ);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attr);
    return rc;
}

/* Data, not address space: runtimes reserve far more addresses than they use. The program has read
 * nothing yet when this takes effect. */
static void limit_memory(pid_t pid, size_t max)
{
    struct rlimit core = {0, 0};
    prlimit(pid, RLIMIT_CORE, &core, NULL);
    if (max) {
        struct rlimit data = {max, max};
        prlimit(pid, RLIMIT_DATA, &data, NULL);
    }
}

int eval_process_spawn(const struct eval_program *p, const int fds[3], pid_t *out, struct err *err)
{
    int rc = spawn(p, fds, out);
    if (rc) {
        return err_set(err, rc == ENOENT || rc == EACCES ? ERR_NOT_FOUND : ERR_INTERNAL,
                       "cannot run '%s': %s", p->argv[0], strerror(rc));
    }
    limit_memory(*out, p->max_memory);
    return 0;
}

int eval_process_end(pid_t pid)
{
    int status = 0;
    kill(-pid, SIGKILL);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    return status;
}

/* --- one call --- */

struct call {
    const struct eval_program *program;
    struct eval_output *out;
    struct str input; /* what the program has not taken yet */
    int in, text, log, done; /* descriptors; -1: closed */
};

static void call_done(struct call *c)
{
    close_fd(&c->in);
    close_fd(&c->text);
    close_fd(&c->log);
    close_fd(&c->done);
}

#define AUTO_CALL AUTO(call_done) struct call

/* A program may end without reading its input: that is no error, and no signal for this thread. */
static void feed(struct call *c)
{
    sigset_t pipe, old;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe, &old);
    ssize_t n = write(c->in, c->input.ptr, c->input.len);
    if (n < 0 && errno == EPIPE) {
        struct timespec now = {0, 0};
        sigtimedwait(&pipe, NULL, &now);
    }
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    if (n > 0) {
        c->input = str_sub(c->input, (size_t)n, c->input.len);
    }
    if (c->input.len == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
        close_fd(&c->in);
    }
}

/* Reads what is there, up to a chunk; closes at the end. What does not fit is dropped by b. */
static void drain(int *fd, struct buf *b)
{
    char bytes[CHUNK];
    ssize_t n = read(*fd, bytes, sizeof(bytes));
    if (n > 0) {
        buf_add(b, bytes, (size_t)n);
    } else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
        close_fd(fd);
    }
}

/* The last words of a program: what is in its pipes after its group is gone. */
static void drain_rest(int *fd, struct buf *b)
{
    size_t before;
    do {
        before = b->len;
        drain(fd, b);
    } while (*fd >= 0 && b->len > before);
}

/* Until the program has ended, the deadline has come, or it wrote too much. */
static int serve(struct call *c, struct err *err)
{
    const char *name = c->program->argv[0];
    for (;;) {
        struct pollfd p[] = {{c->done, POLLIN, 0},
                             {c->in, POLLOUT, 0},
                             {c->text, POLLIN, 0},
                             {c->log, POLLIN, 0}};
        int n = poll(p, 4, clock_left_ms(c->program->deadline_ns, -1));
        if (n < 0 && errno != EINTR) {
            return err_set(err, ERR_INTERNAL, "cannot wait for '%s': %s", name, strerror(errno));
        }
        if (n == 0) {
            return err_set(err, ERR_TIMEOUT, "'%s' did not end in time", name);
        }
        if (n > 0) {
            if (p[1].revents) {
                feed(c);
            }
            if (p[2].revents) {
                drain(&c->text, &c->out->text);
            }
            if (p[3].revents) {
                drain(&c->log, &c->out->log);
            }
        }
        if (c->out->text.overflow) {
            return err_set(err, ERR_TOO_LARGE, "'%s' wrote more than %zu bytes", name,
                           c->program->max_output);
        }
        if (n > 0 && p[0].revents) {
            return 0;
        }
    }
}

static int open_pipes(int pipes[3][2], struct err *err)
{
    for (int i = 0; i < 3; i++) {
        pipes[i][0] = pipes[i][1] = -1;
    }
    for (int i = 0; i < 3; i++) {
        if (pipe2(pipes[i], O_CLOEXEC)) {
            int code = errno;
            for (int j = 0; j < i; j++) {
                close_fd(&pipes[j][0]);
                close_fd(&pipes[j][1]);
            }
            return err_set(err, ERR_INTERNAL, "cannot make a pipe: %s", strerror(code));
        }
    }
    return 0;
}

/* Starts the program; c then has our ends of its pipes. */
static int start(struct call *c, pid_t *out, struct err *err)
{
    int pipes[3][2];
    if (open_pipes(pipes, err)) {
        return -1;
    }
    int theirs[3] = {pipes[0][0], pipes[1][1], pipes[2][1]};
    c->in = pipes[0][1];
    c->text = pipes[1][0];
    c->log = pipes[2][0];
    int rc = eval_process_spawn(c->program, theirs, out, err);
    for (int i = 0; i < 3; i++) {
        close(theirs[i]);
    }
    if (rc) {
        return -1;
    }
    fcntl(c->in, F_SETFL, O_NONBLOCK);
    fcntl(c->text, F_SETFL, O_NONBLOCK);
    fcntl(c->log, F_SETFL, O_NONBLOCK);
    c->done = pidfd_open(*out, 0);
    return 0;
}

int eval_process_run(const struct eval_program *p, struct str input, struct eval_output *out,
                     struct err *err)
{
    AUTO_CALL c = {p, out, input, -1, -1, -1, -1};
    pid_t pid;
    out->code = -1;
    out->text.max = p->max_output;
    out->log.max = LIMIT_FN_LOG_BYTES;
    if (start(&c, &pid, err)) {
        return -1;
    }
    int rc = c.done < 0 ? err_set(err, ERR_INTERNAL, "cannot watch '%s': %s", p->argv[0],
                                  strerror(errno))
                        : serve(&c, err);
    int status = eval_process_end(pid);
    if (rc) {
        return -1;
    }
    if (c.text >= 0) {
        drain_rest(&c.text, &out->text);
    }
    if (c.log >= 0) {
        drain_rest(&c.log, &out->log);
    }
    if (out->text.overflow) {
        return err_set(err, ERR_TOO_LARGE, "'%s' wrote more than %zu bytes", p->argv[0],
                       p->max_output);
    }
    out->code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    return 0;
}
