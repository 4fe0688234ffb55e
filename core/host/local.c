/* SPDX-License-Identifier: Apache-2.0
 *
 * See local.h: the state of a verb, and lanai.process: text in and out, environment, other
 * programs. Pure helpers work as in workflows; trees can be read and written.
 */
#include "host/local.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/limits.h"
#include "host/priv.h"

extern char **environ;

static const struct host_local *local_of(lua_State *L)
{
    return host_state_of(L)->local;
}

/* --- lanai.process --- */

/* Everything or an error: a reader that went away is the caller's to report. */
static int write_all(int fd, struct str s)
{
    while (s.len) {
        ssize_t n = write(fd, s.ptr, s.len);
        if (n < 0 && errno == EAGAIN) {
            struct pollfd p = {.fd = fd, .events = POLLOUT};
            (void)poll(&p, 1, -1);
        } else if (n < 0 && errno != EINTR) {
            return -1;
        } else if (n > 0) {
            s = str_sub(s, (size_t)n, s.len);
        }
    }
    return 0;
}

static int print(lua_State *L, int fd)
{
    struct str s;
    s.ptr = luaL_checklstring(L, 1, &s.len);
    if (write_all(fd, s) < 0) {
        err_set(host_err(L), ERR_UNAVAILABLE, "cannot write: %s", strerror(errno));
        return host_push_error(L);
    }
    lua_pushboolean(L, 1);
    return 1;
}

static int process_out(lua_State *L)
{
    return print(L, local_of(L)->out);
}

static int process_warn(lua_State *L)
{
    return print(L, local_of(L)->err);
}

/* Reads until the end into the arena; -1 with errno, or past the limit with EFBIG. */
static int read_all(int fd, size_t max, struct arena *a, struct str *out)
{
    AUTO_BUF b = BUF_INIT;
    buf_init(&b, max);
    for (;;) {
        if (!buf_reserve(&b, 65536)) {
            errno = EFBIG;
            return -1;
        }
        ssize_t n = read(fd, b.ptr + b.len, b.cap - b.len);
        if (n < 0 && errno != EINTR) {
            return -1;
        }
        if (n == 0) {
            *out = arena_str(a, buf_str(&b));
            return 0;
        }
        b.len += n > 0 ? (size_t)n : 0;
    }
}

static int push_read(lua_State *L, int fd, const char *what)
{
    struct str s;
    if (read_all(fd, LIMIT_LOCAL_FILE_BYTES, script_arena(L), &s) < 0) {
        err_set(host_err(L), ERR_UNAVAILABLE, "cannot read %s: %s", what, strerror(errno));
        return host_push_error(L);
    }
    script_check_memory(L, 0);
    lua_pushlstring(L, s.ptr ? s.ptr : "", s.len);
    return 1;
}

static int process_input(lua_State *L)
{
    return push_read(L, local_of(L)->in, "standard input");
}

static int process_env(lua_State *L)
{
    lua_pushstring(L, getenv(luaL_checkstring(L, 1)));
    return 1;
}

/* Fills argv from the list at index 1; the strings stay alive in that list. */
static char **check_words(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    size_t n = lua_rawlen(L, 1);
    luaL_argcheck(L, n >= 1, 1, "a program is expected");
    char **argv = arena_array(script_arena(L), char *, n + 1);
    for (size_t i = 0; i < n; i++) {
        lua_rawgeti(L, 1, (lua_Integer)i + 1);
        luaL_argcheck(L, lua_type(L, -1) == LUA_TSTRING, 1, "words are strings");
        struct str s;
        s.ptr = lua_tolstring(L, -1, &s.len);
        argv[i] = arena_strz(script_arena(L), s);
        lua_pop(L, 1);
    }
    return argv;
}

/* Starts argv with its output into *out_fd. */
static int start(char **argv, int err_fd, pid_t *out_pid, int *out_fd)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0) {
        return errno;
    }
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, err_fd, STDERR_FILENO);
    int rc = posix_spawnp(out_pid, argv[0], &actions, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    if (rc) {
        close(ends[0]);
    } else {
        *out_fd = ends[0];
    }
    return rc;
}

/* run{program, word, …} gives its exit code and what it printed; nil and an error when it could
 * not be started. */
static int process_run(lua_State *L)
{
    char **argv = check_words(L);
    pid_t pid;
    int fd = -1, status = 0;
    int rc = start(argv, local_of(L)->err, &pid, &fd);
    if (rc) {
        err_set(host_err(L), ERR_NOT_FOUND, "cannot run '%s': %s", argv[0], strerror(rc));
        return host_push_error(L);
    }
    struct str text = STR("");
    int failed = read_all(fd, LIMIT_LOCAL_FILE_BYTES, script_arena(L), &text);
    close(fd);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    if (failed) {
        err_set(host_err(L), ERR_TOO_LARGE, "'%s' printed too much", argv[0]);
        return host_push_error(L);
    }
    lua_pushinteger(L, WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
    lua_pushlstring(L, text.ptr ? text.ptr : "", text.len);
    return 2;
}

const struct host_function host_process_functions[] = {
    {"lanai.process", "out", process_out, HOST_LOCAL, NULL},
    {"lanai.process", "warn", process_warn, HOST_LOCAL, NULL},
    {"lanai.process", "input", process_input, HOST_LOCAL, NULL},
    {"lanai.process", "env", process_env, HOST_LOCAL, NULL},
    {"lanai.process", "run", process_run, HOST_LOCAL, NULL},
    {NULL, NULL, NULL, 0, NULL},
};

/* --- the state --- */

#define MAX_MODULES 16

/* The modules of workflows and those that exist here alone. */
static void local_modules(struct script_module out[MAX_MODULES])
{
    static const char *const own[] = {"lanai.process", "lanai.files", "lanai.git",
                                      "lanai.eval"};
    size_t n = 0;
    for (; host_modules[n].name; n++) {
        out[n] = host_modules[n];
    }
    for (size_t i = 0; i < sizeof(own) / sizeof(*own); i++) {
        out[n++] = (struct script_module){own[i], host_modules[0].open};
    }
    out[n] = (struct script_module){NULL, NULL};
}

static int drive(lua_State *L)
{
    const struct host_local *l = local_of(L);
    host_open_libraries(L);
    lua_getglobal(L, "require");
    lua_pushstring(L, l->module);
    lua_call(L, 1, 1);
    lua_createtable(L, (int)l->n_args, 0);
    for (size_t i = 0; i < l->n_args; i++) {
        lua_pushstring(L, l->args[i]);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    lua_call(L, 1, 1);
    luaL_argcheck(L, lua_isinteger(L, -1), 1, "a verb returns its exit code");
    return 1;
}

int host_local_run(const struct host_local *l, int *out_code, struct err *err)
{
    const struct script_limits limits = {.cpu_ms = LIMIT_LOCAL_CPU_MS,
                                         .bytes = LIMIT_LOCAL_BYTES,
                                         .calls = INT32_MAX};
    AUTO_ARENA arena = ARENA_INIT;
    struct host_run run = {.arena = &arena};
    struct host_state st = {.run = &run,
                            .phase = HOST_LOAD | HOST_RUN | HOST_LOCAL,
                            .local = l};
    struct script_module modules[MAX_MODULES];
    struct script_run *r = NULL;
    local_modules(modules);
    if (script_run_new(l->set, &limits, modules, &r, err) < 0) {
        return -1;
    }
    script_run_set_owner(r, &st);
    script_run_set_data(r, &arena, LIMIT_LOCAL_BYTES);
    lua_State *L = script_run_state(r);
    lua_pushcfunction(L, drive);
    int rc = script_run_call(r, 0, 1, err);
    if (rc == 0) {
        *out_code = (int)lua_tointeger(L, -1);
    }
    script_run_free(r);
    host_files_done(&st);
    host_eval_done(&st);
    host_run_done(&run);
    repo_pool_close(run.pool);
    map_done(&st.opened);
    err_done(&st.err);
    return rc;
}
