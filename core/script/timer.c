/* SPDX-License-Identifier: Apache-2.0
 *
 * Time limits without cost on the normal path (style.md §6). While Lua runs, the thread owns two
 * kernel timers: one on its own CPU clock, one on the wall clock for the request's deadline. Their
 * signal is delivered to this very thread, whose handler sets a hook that raises on the next
 * instruction and again on every one after it, so no pcall can swallow it. lua_sethook is the one
 * Lua call that is allowed in a handler.
 *
 * Timers repeat: a hook set while C code runs takes effect when Lua goes on. Loops in C that a
 * script can make long ask script_check_stop themselves.
 */
#include <errno.h>
#include <pthread.h>
#include <unistd.h>

#include "base/clock.h"
#include "script/priv.h"

#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif

#define STOP_SIGNAL (SIGRTMIN + 4)
#define REPEAT_NS (20 * NS_PER_MS)

/* Innermost run of this thread. */
static _Thread_local struct script_run *volatile current;

static void stop_hook(lua_State *L, lua_Debug *ar)
{
    script_check_stop(L);
}

void script_stop(struct script_run *r, enum script_stop why)
{
    if (r->stop == SCRIPT_GO) {
        r->stop = why;
    }
    if (r->L) {
        lua_sethook(r->L, stop_hook, LUA_MASKCOUNT, 1);
    }
}

static const char *stop_text(int why)
{
    switch (why) {
    case SCRIPT_STOP_CPU:
        return "script used up its time";
    case SCRIPT_STOP_WALL:
        return "script ran past the deadline of its request";
    case SCRIPT_STOP_BYTES:
        return "script used up its memory";
    default:
        return "script made too many host calls";
    }
}

void script_check_stop(lua_State *L)
{
    const struct script_run *r = script_run_of(L);
    if (r->stop != SCRIPT_GO) {
        luaL_error(L, "%s", stop_text(r->stop));
    }
}

int script_stop_error(const struct script_run *r, struct err *err)
{
    const struct script_limits *l = &r->limits;
    switch (r->stop) {
    case SCRIPT_STOP_CPU:
        return err_set(err, ERR_TIMEOUT, "%s (limit %d ms)", stop_text(r->stop), l->cpu_ms);
    case SCRIPT_STOP_WALL:
        return err_set(err, ERR_TIMEOUT, "%s", stop_text(r->stop));
    case SCRIPT_STOP_BYTES:
        return err_set(err, ERR_TOO_LARGE, "%s (limit %zu bytes)", stop_text(r->stop), l->bytes);
    default:
        return err_set(err, ERR_TOO_LARGE, "%s (limit %d)", stop_text(r->stop), l->calls);
    }
}

/* A signal may arrive late, when its run is gone already: only runs of the chain are touched. */
static void on_signal(int sig, siginfo_t *info, void *context)
{
    int saved = errno;
    const void *tag = info->si_value.sival_ptr;
    for (struct script_run *r = current; r; r = r->outer) {
        if (tag == &r->cpu_timer || tag == &r->wall_timer) {
            script_stop(r, tag == &r->cpu_timer ? SCRIPT_STOP_CPU : SCRIPT_STOP_WALL);
        }
    }
    errno = saved;
}

static void install(void)
{
    struct sigaction sa = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_RESTART};
    sigemptyset(&sa.sa_mask);
    sigaction(STOP_SIGNAL, &sa, NULL);
}

static struct timespec spec_of(int64_t ns)
{
    return (struct timespec){.tv_sec = (time_t)(ns / NS_PER_S), .tv_nsec = (long)(ns % NS_PER_S)};
}

static int64_t cpu_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return t.tv_sec * NS_PER_S + t.tv_nsec;
}

static int start(timer_t *t, clockid_t clock, int flags, int64_t at_ns, struct err *err)
{
    struct sigevent ev = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = STOP_SIGNAL};
    ev.sigev_value.sival_ptr = t;
    ev.sigev_notify_thread_id = gettid();
    if (timer_create(clock, &ev, t) < 0) {
        return err_set(err, ERR_UNAVAILABLE, "cannot make the timer of a script: %s",
                       strerror(errno));
    }
    struct itimerspec when = {.it_value = spec_of(at_ns > 0 ? at_ns : 1),
                              .it_interval = spec_of(REPEAT_NS)};
    timer_settime(*t, flags, &when, NULL);
    return 0;
}

int script_timer_arm(struct script_run *r, struct err *err)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, install);
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, STOP_SIGNAL);
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);

    r->outer = current;
    current = r;
    int64_t left = r->limits.cpu_ms * NS_PER_MS - r->cpu_ns;
    r->cpu_ns -= cpu_now();
    r->cpu_armed = start(&r->cpu_timer, CLOCK_THREAD_CPUTIME_ID, 0, left, err) == 0;
    r->wall_armed = r->cpu_armed && r->limits.deadline_ns != 0 &&
                    start(&r->wall_timer, CLOCK_MONOTONIC, TIMER_ABSTIME, r->limits.deadline_ns,
                          err) == 0;
    if (!r->cpu_armed || (r->limits.deadline_ns != 0 && !r->wall_armed)) {
        script_timer_disarm(r);
        return -1;
    }
    return 0;
}

void script_timer_disarm(struct script_run *r)
{
    if (r->cpu_armed) {
        timer_delete(r->cpu_timer);
    }
    if (r->wall_armed) {
        timer_delete(r->wall_timer);
    }
    r->cpu_armed = r->wall_armed = false;
    r->cpu_ns += cpu_now();
    current = r->outer;
}
