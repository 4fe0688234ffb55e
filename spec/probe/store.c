/* SPDX-License-Identifier: Apache-2.0
 *
 * probe_store: the store room for specs and benchmarks. Objects and errors become Lua tables;
 * commits take a list of operations (the specs of core/store show them). Also what only C can
 * do for a test: raw SQL on a database file, a child process to kill, other users, limits, many
 * threads, and timed loops (spec/bench/store.lua).
 */
#include <errno.h>
#include <lauxlib.h>
#include <lua.h>
#include <pthread.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "store/store.h"

#define CLASS "probe.store"

struct probe {
    struct store *s;
    _Atomic int64_t wake_rv, wakes;
};

/* --- values --- */

static struct str field(lua_State *L, int t, const char *name)
{
    struct str s = STR_NULL;
    if (lua_getfield(L, t, name) == LUA_TSTRING) {
        s.ptr = lua_tolstring(L, -1, &s.len); /* stays alive in the table */
    }
    lua_pop(L, 1);
    return s;
}

static int64_t number(lua_State *L, int t, const char *name, int64_t none)
{
    int64_t n = lua_getfield(L, t, name) == LUA_TNUMBER ? lua_tointeger(L, -1) : none;
    lua_pop(L, 1);
    return n;
}

static bool flag(lua_State *L, int t, const char *name)
{
    lua_getfield(L, t, name);
    bool set = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return set;
}

static void set_str(lua_State *L, const char *name, struct str s)
{
    lua_pushlstring(L, s.ptr ? s.ptr : "", s.len);
    lua_setfield(L, -2, name);
}

static void set_int(lua_State *L, const char *name, int64_t n)
{
    lua_pushinteger(L, n);
    lua_setfield(L, -2, name);
}

static int fail(lua_State *L, struct err *err)
{
    lua_pushnil(L);
    lua_newtable(L);
    set_str(L, "kind", str_of(err_kind_name(err->kind)));
    set_str(L, "message", str_of(err->message));
    set_str(L, "name", str_of(err->detail_name));
    set_str(L, "object_kind", str_of(err->detail_kind));
    err_done(err);
    return 2;
}

static void push_object(lua_State *L, const struct store_object *o)
{
    lua_newtable(L);
    set_str(L, "kind", o->kind);
    set_str(L, "ns", o->ns);
    set_str(L, "name", o->name);
    set_str(L, "uid", o->uid);
    set_str(L, "json", o->json);
    set_str(L, "meta", o->meta);
    set_str(L, "cells", o->cells);
    set_str(L, "data", o->data);
    set_int(L, "rv", o->rv);
}

static struct probe *self(lua_State *L)
{
    struct probe *p = luaL_checkudata(L, 1, CLASS);
    luaL_argcheck(L, p->s, 1, "store is closed");
    return p;
}

static struct str arg(lua_State *L, int i)
{
    struct str s = STR_NULL;
    s.ptr = luaL_optlstring(L, i, NULL, &s.len);
    return s;
}

/* --- the store's functions --- */

static int open_store(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    struct store_config c = {.dir = field(L, 1, "dir").ptr,
                             .change_rows = (int)number(L, 1, "change_rows", 0),
                             .audit_rows = (int)number(L, 1, "audit_rows", 0),
                             .audit_age_s = number(L, 1, "audit_age_s", 0),
                             .change_age_s = (int)number(L, 1, "change_age_s", 0)};
    struct err err = ERR_INIT;
    struct probe *p = lua_newuserdatauv(L, sizeof(*p), 0);
    *p = (struct probe){0};
    luaL_setmetatable(L, CLASS);
    return store_open(&c, &p->s, &err) ? fail(L, &err) : 1;
}

static int close_store(lua_State *L)
{
    struct probe *p = luaL_checkudata(L, 1, CLASS);
    store_close(p->s);
    p->s = NULL;
    return 0;
}

static struct store_put *put_from(lua_State *L, int t, struct arena *a)
{
    struct store_put *p = arena_new(a, struct store_put);
    p->kind = field(L, t, "kind");
    p->ns = field(L, t, "ns");
    p->name = field(L, t, "name");
    p->uid = field(L, t, "uid");
    p->expect_rv = number(L, t, "expect", -1);
    p->json = field(L, t, "json");
    p->rv_at = (size_t)number(L, t, "rv_at", 0);
    p->meta_from = (size_t)number(L, t, "meta_from", 0);
    p->meta_to = (size_t)number(L, t, "meta_to", 0);
    p->cells = field(L, t, "cells");
    p->data = field(L, t, "data");
    p->f1 = field(L, t, "f1");
    p->f2 = field(L, t, "f2");
    p->ref = field(L, t, "ref");
    p->sealed = flag(L, t, "sealed");
    return p;
}

static struct store_put *add_op(lua_State *L, int t, struct arena *a, struct store_txn *txn)
{
    struct str op = field(L, t, "op");
    if (str_eqz(op, "put") || str_eqz(op, "del")) {
        struct store_put *p = put_from(L, t, a);
        (op.ptr[0] == 'p' ? store_txn_put : store_txn_del)(txn, p);
        return p;
    }
    if (str_eqz(op, "check")) {
        store_txn_check(txn, field(L, t, "kind"), field(L, t, "ns"), field(L, t, "name"),
                        number(L, t, "rv", 0));
    } else if (str_eqz(op, "check_none")) {
        store_txn_check_none(txn, field(L, t, "kind"), field(L, t, "ns"), field(L, t, "name"));
    } else if (str_eqz(op, "content")) {
        struct str id = field(L, t, "id");
        luaL_argcheck(L, id.len == 20, 2, "id must have 20 bytes");
        store_txn_content(txn, (const unsigned char *)id.ptr, (int)number(L, t, "type", 0),
                          field(L, t, "bytes"));
    } else if (str_eqz(op, "content_need")) {
        struct str id = field(L, t, "id");
        luaL_argcheck(L, id.len == 20, 2, "id must have 20 bytes");
        store_txn_content_need(txn, (const unsigned char *)id.ptr);
    } else if (str_eqz(op, "journal_put")) {
        store_txn_journal_put(txn, field(L, t, "key"), field(L, t, "value"));
    } else if (str_eqz(op, "journal_del")) {
        store_txn_journal_del(txn, field(L, t, "key"));
    } else if (str_eqz(op, "audit")) {
        store_txn_audit(txn, field(L, t, "json"));
    } else {
        luaL_error(L, "unknown op");
    }
    return NULL;
}

/* commit({op, …}, limit) → numbers, final JSON texts (one per put or del, in order); limit: bytes
 * of the transaction's arena */
static int commit(lua_State *L)
{
    struct probe *pr = self(L);
    struct arena a = ARENA_INIT, own;
    struct err err = ERR_INIT;
    arena_init(&own, (size_t)luaL_optinteger(L, 3, 0));
    struct store_txn *txn = store_txn_new(&own);
    size_t n = (size_t)luaL_len(L, 2), puts = 0;
    struct store_put **all = arena_array(&a, struct store_put *, n + 1);
    for (size_t i = 1; i <= n; i++) {
        lua_geti(L, 2, (lua_Integer)i);
        struct store_put *p = add_op(L, lua_gettop(L), &a, txn);
        lua_pop(L, 1);
        if (p) {
            all[puts++] = p;
        }
    }
    int rc = store_commit(pr->s, txn, &err);
    arena_done(&own);
    if (rc) {
        arena_done(&a);
        return fail(L, &err);
    }
    lua_newtable(L);
    lua_newtable(L);
    for (size_t i = 0; i < puts; i++) {
        struct str json = store_put_json(&a, all[i]);
        lua_pushinteger(L, all[i]->rv);
        lua_seti(L, -3, (lua_Integer)i + 1);
        lua_pushlstring(L, json.ptr, json.len);
        lua_seti(L, -2, (lua_Integer)i + 1);
    }
    arena_done(&a);
    return 2;
}

static int get(lua_State *L)
{
    struct arena a = ARENA_INIT;
    struct err err = ERR_INIT;
    struct store_object o;
    struct probe *p = self(L);
    arena_init(&a, (size_t)luaL_optinteger(L, 5, 0));
    int rc = store_get(p->s, arg(L, 2), arg(L, 3), arg(L, 4), &a, &o, &err);
    if (rc == 0) {
        push_object(L, &o);
    }
    arena_done(&a);
    return rc ? fail(L, &err) : 1;
}

static int change_get(lua_State *L)
{
    struct arena a = ARENA_INIT;
    struct err err = ERR_INIT;
    struct store_object o;
    int rc = store_change_get(self(L)->s, luaL_checkinteger(L, 2), &a, &o, &err);
    if (rc == 0) {
        push_object(L, &o);
    }
    arena_done(&a);
    return rc ? fail(L, &err) : 1;
}

static struct store_query query(lua_State *L, int t)
{
    luaL_checktype(L, t, LUA_TTABLE);
    lua_getfield(L, t, "rows");
    size_t rows = (size_t)lua_tointeger(L, -1);
    lua_pop(L, 1);
    return (struct store_query){field(L, t, "kind"),    field(L, t, "ns"),
                                field(L, t, "name"),    field(L, t, "f1"),
                                field(L, t, "f2"),      field(L, t, "f2_leaf"),
                                field(L, t, "ref"),     field(L, t, "after_ns"),
                                field(L, t, "after_name"), rows};
}

/* list(query, max, between) → rows, number; between() is called after the opening */
static int list(lua_State *L)
{
    struct probe *p = self(L);
    struct store_query q = query(L, 2);
    lua_Integer max = luaL_optinteger(L, 3, LUA_MAXINTEGER);
    struct err err = ERR_INIT;
    struct store_object o;
    int64_t rv;
    struct store_list *l = store_list_open(p->s, &q, &rv, &err);
    if (!l) {
        return fail(L, &err);
    }
    if (lua_isfunction(L, 4)) {
        lua_pushvalue(L, 4);
        lua_call(L, 0, 0);
    }
    lua_newtable(L);
    int more = 0;
    for (lua_Integer i = 1; i <= max && (more = store_list_next(l, &o, &err)) == 1; i++) {
        push_object(L, &o);
        lua_seti(L, -2, i);
    }
    store_list_close(l);
    if (more < 0) {
        return fail(L, &err);
    }
    lua_pushinteger(L, rv);
    return 2;
}

static int count(lua_State *L)
{
    struct err err = ERR_INIT;
    struct store_query q = query(L, 2);
    int64_t n;
    if (store_count(self(L)->s, &q, &n, &err)) {
        return fail(L, &err);
    }
    lua_pushinteger(L, n);
    return 1;
}

static int newest(lua_State *L)
{
    lua_pushinteger(L, store_rv(self(L)->s));
    return 1;
}

static int content_get(lua_State *L)
{
    struct arena a = ARENA_INIT;
    struct err err = ERR_INIT;
    struct str bytes;
    int type;
    struct str id = arg(L, 2);
    if (store_content_get(self(L)->s, (const unsigned char *)id.ptr, &a, &type, &bytes, &err)) {
        return fail(L, &err);
    }
    lua_pushlstring(L, bytes.ptr, bytes.len);
    lua_pushinteger(L, type);
    arena_done(&a);
    return 2;
}

static int content_has(lua_State *L)
{
    lua_pushboolean(L, store_content_has(self(L)->s, (const unsigned char *)arg(L, 2).ptr));
    return 1;
}

/* Calls the function at 2, if there is one; it stops with false. */
static bool collect_on(void *ctx)
{
    lua_State *L = ctx;
    if (!lua_isfunction(L, 2)) {
        return true;
    }
    lua_pushvalue(L, 2);
    lua_call(L, 0, 1);
    bool stop = lua_isboolean(L, -1) && !lua_toboolean(L, -1);
    lua_pop(L, 1);
    return !stop;
}

/* collect(between?) → true; between() is called before each batch of ids */
static int collect(lua_State *L)
{
    struct err err = ERR_INIT;
    if (store_content_collect(self(L)->s, collect_on, L, &err)) {
        return fail(L, &err);
    }
    lua_pushboolean(L, true);
    return 1;
}

static int journal_row(void *ctx, struct str key, struct str value, struct err *err)
{
    lua_State *L = ctx;
    lua_newtable(L);
    set_str(L, "key", key);
    set_str(L, "value", value);
    lua_seti(L, -2, luaL_len(L, -2) + 1);
    return str_eqz(value, "refuse") ? err_set(err, ERR_INVALID, "refused by the callback") : 0;
}

static int journal(lua_State *L)
{
    struct err err = ERR_INIT;
    struct probe *p = self(L);
    struct str prefix = arg(L, 2);
    lua_newtable(L);
    return store_journal_each(p->s, prefix, journal_row, L, &err) ? fail(L, &err) : 1;
}

struct changes_ctx {
    lua_State *L;
    lua_Integer n, stop;
};

static bool change_row(void *ctx, const struct store_change *c)
{
    static const char *const types[] = {"ADDED", "MODIFIED", "DELETED"};
    struct changes_ctx *x = ctx;
    push_object(x->L, &c->object);
    set_int(x->L, "prev_rv", c->prev_rv);
    set_str(x->L, "type", str_of(types[c->type]));
    lua_seti(x->L, -2, ++x->n);
    return x->n < x->stop;
}

/* changes(kind, ns, after, max_bytes, stop_after) → rows, next */
static int changes(lua_State *L)
{
    struct err err = ERR_INIT;
    struct probe *p = self(L);
    struct str kind = arg(L, 2), ns = arg(L, 3);
    int64_t after = luaL_checkinteger(L, 4), next;
    size_t max = (size_t)luaL_optinteger(L, 5, 1 << 30);
    struct changes_ctx x = {L, 0, luaL_optinteger(L, 6, LUA_MAXINTEGER)};
    lua_newtable(L);
    if (store_changes(p->s, kind, ns, after, max, change_row, &x, &next, &err)) {
        return fail(L, &err);
    }
    lua_pushinteger(L, next);
    return 2;
}

static void woken(void *ctx, int64_t rv)
{
    struct probe *p = ctx;
    atomic_store(&p->wake_rv, rv);
    atomic_fetch_add(&p->wakes, 1);
}

static int wake_add(lua_State *L)
{
    struct probe *p = self(L);
    store_wake_add(p->s, woken, p);
    return 0;
}

/* wakes() → calls so far, number of the last one */
static int wakes(lua_State *L)
{
    struct probe *p = luaL_checkudata(L, 1, CLASS);
    lua_pushinteger(L, atomic_load(&p->wakes));
    lua_pushinteger(L, atomic_load(&p->wake_rv));
    return 2;
}

static int stats(lua_State *L)
{
    struct store_stats st;
    store_stats_get(self(L)->s, &st);
    lua_newtable(L);
    set_int(L, "commits", (int64_t)st.commits);
    set_int(L, "groups", (int64_t)st.groups);
    set_int(L, "changes", (int64_t)st.changes);
    set_int(L, "commit_ns", (int64_t)st.commit_ns);
    set_int(L, "bytes", (int64_t)st.bytes);
    set_int(L, "removed", (int64_t)st.removed);
    return 1;
}

/* --- files, processes, limits --- */

static int sql_row(void *ctx, int n, char **values, char **names)
{
    lua_State *L = ctx;
    lua_newtable(L);
    for (int i = 0; i < n; i++) {
        lua_pushstring(L, values[i] ? values[i] : "");
        lua_setfield(L, -2, names[i]);
    }
    lua_seti(L, -2, luaL_len(L, -2) + 1);
    return 0;
}

/* sql(path, text) → rows of text columns, or nil, message */
static int sql(lua_State *L)
{
    sqlite3 *db = NULL;
    const char *path = luaL_checkstring(L, 1), *text = luaL_checkstring(L, 2);
    lua_newtable(L);
    int code = sqlite3_open(path, &db);
    code = code ? code : sqlite3_exec(db, text, sql_row, L, NULL);
    if (code) {
        lua_pushnil(L);
        lua_pushstring(L, sqlite3_errmsg(db));
    }
    sqlite3_close(db);
    return code ? 2 : 1;
}

static const char body_json[] = "{\"metadata\":{\"name\":\"x\",\"resourceVersion\":\"\"},\"pad\":\"";

/* A put of about `size` bytes of JSON. */
static void body_make(struct arena *a, struct store_put *p, const char *name, size_t size)
{
    size_t head = sizeof(body_json) - 1, len = size < head + 2 ? head + 2 : size;
    char *json = arena_alloc(a, len);
    memcpy(json, body_json, head);
    memset(json + head, 'x', len - head - 2);
    memcpy(json + len - 2, "\"}", 2);
    *p = (struct store_put){
        .kind = STR("kind"), .ns = STR("ns"), .name = arena_str(a, str_of(name)),
        .uid = STR("uid"), .expect_rv = -1, .json = {json, len},
        .rv_at = (size_t)(strstr(body_json, "\"\"}") - body_json) + 1, .meta_from = 12,
        .meta_to = (size_t)(strstr(body_json, "\"\"}") - body_json) + 3, .cells = STR("[\"x\"]"),
    };
}

static int put_once(struct store *s, struct store_put *p, struct err *err)
{
    struct arena a = ARENA_INIT;
    struct store_txn *t = store_txn_new(&a);
    store_txn_put(t, p);
    int rc = store_commit(s, t, err);
    arena_done(&a);
    return rc;
}

static void commit_forever(const char *dir, int fd)
{
    struct store *s;
    struct store_config c = {.dir = dir};
    struct arena a = ARENA_INIT;
    struct store_put p;
    char line[64];
    if (store_open(&c, &s, NULL)) {
        _exit(1);
    }
    for (int i = 0;; i++) {
        snprintf(line, sizeof(line), "n%d", i);
        body_make(&a, &p, line, 3000);
        if (put_once(s, &p, NULL)) {
            _exit(2);
        }
        int n = snprintf(line, sizeof(line), "%lld n%d\n", (long long)p.rv, i);
        if (write(fd, line, (size_t)n) != n) {
            _exit(3);
        }
        arena_clear(&a);
    }
}

/* kill_child(dir, lines) → text of acknowledged commits ("number name" lines) of a process that
 * was killed after so many */
static int kill_child(lua_State *L)
{
    const char *dir = luaL_checkstring(L, 1);
    lua_Integer lines = luaL_checkinteger(L, 2);
    int fds[2];
    if (pipe(fds)) {
        return luaL_error(L, "pipe");
    }
    pid_t pid = fork();
    if (pid == 0) {
        close(fds[0]);
        commit_forever(dir, fds[1]);
    }
    close(fds[1]);
    struct buf text = BUF_INIT;
    char chunk[4096];
    ssize_t n;
    bool killed = false;
    while ((n = read(fds[0], chunk, sizeof(chunk))) > 0) { /* to the end: also what it said last */
        buf_add(&text, chunk, (size_t)n);
        for (ssize_t i = 0; i < n; i++) {
            lines -= chunk[i] == '\n';
        }
        if (lines <= 0 && !killed) {
            killed = kill(pid, SIGKILL) == 0;
        }
    }
    close(fds[0]);
    waitpid(pid, NULL, 0);
    lua_pushlstring(L, text.ptr ? text.ptr : "", text.len);
    buf_done(&text);
    return 1;
}

/* open_child(dir, uid, file_limit) → "" or the error of opening (and committing) in a child
 * process that runs as uid (0 = as we are) with files limited to so many bytes (0 = not) */
static int open_child(lua_State *L)
{
    struct store_config c = {.dir = luaL_checkstring(L, 1)};
    uid_t uid = (uid_t)luaL_optinteger(L, 2, 0);
    rlim_t limit = (rlim_t)luaL_optinteger(L, 3, 0);
    int fds[2];
    char text[512];
    if (pipe(fds)) {
        return luaL_error(L, "pipe");
    }
    pid_t pid = fork();
    if (pid == 0) {
        struct err err = ERR_INIT;
        struct arena a = ARENA_INIT;
        struct store *s;
        struct store_put p;
        signal(SIGXFSZ, SIG_IGN);
        bool ready = (!uid || setresuid(uid, uid, uid) == 0) &&
                     (!limit || setrlimit(RLIMIT_FSIZE, &(struct rlimit){limit, limit}) == 0);
        body_make(&a, &p, "child", 100000);
        int rc = !ready ? err_set(&err, ERR_INTERNAL, "child not ready")
                        : store_open(&c, &s, &err) || put_once(s, &p, &err);
        int n = rc ? snprintf(text, sizeof(text), "%s: %s", err_kind_name(err.kind), err.message)
                   : 0;
        _exit(write(fds[1], text, (size_t)n) != n);
    }
    close(fds[1]);
    size_t len = 0;
    ssize_t n;
    while (len < sizeof(text) && (n = read(fds[0], text + len, sizeof(text) - len)) > 0) {
        len += (size_t)n;
    }
    close(fds[0]);
    waitpid(pid, NULL, 0);
    lua_pushlstring(L, text, len);
    return 1;
}

/* mount_tiny(dir, bytes) → true when a small file system is there now */
static int mount_tiny(lua_State *L)
{
    char options[64];
    snprintf(options, sizeof(options), "size=%lld", (long long)luaL_checkinteger(L, 2));
    lua_pushboolean(L, mount("tmpfs", luaL_checkstring(L, 1), "tmpfs", 0, options) == 0);
    return 1;
}

static int unmount(lua_State *L)
{
    lua_pushboolean(L, umount(luaL_checkstring(L, 1)) == 0);
    return 1;
}

/* --- threads and timed loops --- */

struct load {
    struct store *s;
    pthread_t thread;
    int id, n;
    size_t size;
    _Atomic int *running; /* writers still at work */
    int failures;
    bool contend; /* also try, in between, to create "taken", which exists */
};

static bool create_refused(struct store *s)
{
    struct arena a = ARENA_INIT;
    struct err err = ERR_INIT;
    struct store_put p;
    body_make(&a, &p, "taken", 100);
    p.expect_rv = 0;
    bool refused = put_once(s, &p, &err) != 0 && err.kind == ERR_ALREADY_EXISTS && p.rv == 0;
    err_done(&err);
    arena_done(&a);
    return refused;
}

static void *load_write(void *arg)
{
    struct load *w = arg;
    struct arena a = ARENA_INIT;
    struct store_put p;
    char name[32];
    for (int i = 0; i < w->n; i++) {
        snprintf(name, sizeof(name), "t%d-%d", w->id, i % 50);
        body_make(&a, &p, name, w->size);
        p.sealed = i % 7 == 3;
        w->failures += put_once(w->s, &p, NULL) != 0;
        w->failures += w->contend && !create_refused(w->s);
        arena_clear(&a);
    }
    atomic_fetch_sub(w->running, 1);
    return NULL;
}

static bool load_change(void *ctx, const struct store_change *c)
{
    int64_t *last = ctx;
    bool good = c->object.rv > *last && c->object.json.len > 0;
    *last = good ? c->object.rv : INT64_MAX;
    return good;
}

static int load_list(struct load *r)
{
    struct store_object o;
    struct store_query q = {.kind = STR("kind")};
    struct store_list *l = store_list_open(r->s, &q, NULL, NULL);
    int more = -1;
    while (l && (more = store_list_next(l, &o, NULL)) == 1) {
    }
    store_list_close(l);
    return more;
}

/* Lists, follows the log to its end and reads single objects while the writers run. */
static void *load_read(void *arg)
{
    struct load *r = arg;
    int64_t next = 0, last = 0;
    while (r->failures == 0 && (atomic_load(r->running) > 0 || next < store_rv(r->s))) {
        struct arena a = ARENA_INIT;
        struct err err = ERR_INIT;
        struct store_object o;
        r->failures += load_list(r) != 0;
        r->failures += store_changes(r->s, STR("kind"), STR_NULL, next, 1 << 16, load_change,
                                     &last, &next, NULL) != 0 ||
                       last == INT64_MAX;
        r->failures += store_get(r->s, STR("kind"), STR("ns"), STR("t0-0"), &a, &o, &err) != 0 &&
                       err.kind != ERR_NOT_FOUND;
        err_done(&err);
        arena_done(&a);
    }
    return NULL;
}

/* load(writers, readers, commits each, size, contend) → failures, seconds */
static int run_load(lua_State *L)
{
    struct probe *p = self(L);
    int writers = (int)luaL_checkinteger(L, 2), readers = (int)luaL_checkinteger(L, 3);
    struct load *all = mem_array((size_t)(writers + readers), sizeof(*all));
    _Atomic int running = writers;
    int failures = 0;
    int64_t start = clock_mono_ns();
    for (int i = 0; i < writers + readers; i++) {
        all[i] = (struct load){.s = p->s, .id = i, .n = (int)luaL_checkinteger(L, 4),
                               .size = (size_t)luaL_checkinteger(L, 5), .running = &running,
                               .contend = lua_toboolean(L, 6)};
        pthread_create(&all[i].thread, NULL, i < writers ? load_write : load_read, &all[i]);
    }
    for (int i = 0; i < writers + readers; i++) {
        pthread_join(all[i].thread, NULL);
        failures += all[i].failures;
    }
    double seconds = (double)(clock_mono_ns() - start) / 1e9;
    mem_free(all);
    lua_pushinteger(L, failures);
    lua_pushnumber(L, seconds);
    return 2;
}

static int by_value(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static void push_times(lua_State *L, int64_t *ns, size_t n)
{
    qsort(ns, n, sizeof(*ns), by_value);
    lua_pushnumber(L, (double)ns[n / 2] / 1000);
    lua_pushnumber(L, (double)ns[n * 99 / 100] / 1000);
}

/* time_put(n, size, same) → p50, p99 in µs of commits with one put each */
static int time_put(lua_State *L)
{
    struct probe *p = self(L);
    size_t n = (size_t)luaL_checkinteger(L, 2);
    int64_t *ns = mem_array(n, sizeof(*ns));
    struct arena a = ARENA_INIT;
    struct store_put put;
    char name[32];
    for (size_t i = 0; i < n; i++) {
        snprintf(name, sizeof(name), "n%06zu", lua_toboolean(L, 4) ? 0 : (i * 7919) % n);
        body_make(&a, &put, name, (size_t)luaL_checkinteger(L, 3));
        int64_t start = clock_mono_ns();
        (void)put_once(p->s, &put, NULL);
        ns[i] = clock_mono_ns() - start;
        arena_clear(&a);
    }
    push_times(L, ns, n);
    mem_free(ns);
    return 2;
}

/* time_bare(path, n, size) → p50, p99 of durable inserts of such rows with SQLite alone */
static int time_bare(lua_State *L)
{
    size_t n = (size_t)luaL_checkinteger(L, 2), size = (size_t)luaL_checkinteger(L, 3);
    int64_t *ns = mem_array(n, sizeof(*ns));
    struct arena a = ARENA_INIT;
    struct store_put put;
    sqlite3 *db;
    sqlite3_stmt *st = NULL;
    char name[32];
    sqlite3_open(luaL_checkstring(L, 1), &db);
    sqlite3_exec(db, "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
                     "CREATE TABLE object(kind TEXT, ns TEXT, name TEXT, json TEXT,"
                     " PRIMARY KEY(kind,ns,name))", NULL, NULL, NULL);
    sqlite3_prepare_v2(db, "INSERT OR REPLACE INTO object VALUES('kind','ns',?1,?2)", -1, &st,
                       NULL);
    for (size_t i = 0; i < n; i++) {
        snprintf(name, sizeof(name), "n%06zu", (i * 7919) % n);
        body_make(&a, &put, name, size);
        int64_t start = clock_mono_ns();
        sqlite3_bind_text(st, 1, name, -1, SQLITE_STATIC);
        sqlite3_bind_text(st, 2, put.json.ptr, (int)put.json.len, SQLITE_STATIC);
        if (sqlite3_step(st) != SQLITE_DONE) {
            abort();
        }
        sqlite3_reset(st);
        ns[i] = clock_mono_ns() - start;
        arena_clear(&a);
    }
    sqlite3_finalize(st);
    sqlite3_close(db);
    push_times(L, ns, n);
    mem_free(ns);
    return 2;
}

/* time_get(n, names) → µs per store_get over names n000000 … */
static int time_get(lua_State *L)
{
    struct probe *p = self(L);
    lua_Integer n = luaL_checkinteger(L, 2), names = luaL_checkinteger(L, 3), found = 0;
    struct arena a = ARENA_INIT;
    struct store_object o;
    char name[32];
    int64_t start = clock_mono_ns();
    for (lua_Integer i = 0; i < n; i++) {
        snprintf(name, sizeof(name), "n%06lld", i * 7919 % names);
        found += store_get(p->s, STR("kind"), STR("ns"), str_of(name), &a, &o, NULL) == 0;
        arena_clear(&a);
    }
    lua_pushnumber(L, (double)(clock_mono_ns() - start) / 1000 / (double)n);
    lua_pushinteger(L, found);
    return 2;
}

/* time_list() → rows, JSON bytes, seconds */
static int time_list(lua_State *L)
{
    struct store_object o;
    struct store_query q = {.kind = STR("kind")};
    int64_t start = clock_mono_ns();
    struct store_list *l = store_list_open(self(L)->s, &q, NULL, NULL);
    lua_Integer rows = 0, bytes = 0;
    while (l && store_list_next(l, &o, NULL) == 1) {
        rows++;
        bytes += (lua_Integer)o.json.len;
    }
    store_list_close(l);
    lua_pushinteger(L, rows);
    lua_pushinteger(L, bytes);
    lua_pushnumber(L, (double)(clock_mono_ns() - start) / 1e9);
    return 3;
}

static bool sum_change(void *ctx, const struct store_change *c)
{
    *(size_t *)ctx += c->object.json.len;
    return true;
}

/* time_changes(kind) → JSON bytes, seconds for the whole log */
static int time_changes(lua_State *L)
{
    struct probe *p = self(L);
    size_t bytes = 0;
    int64_t next = 0, start = clock_mono_ns();
    while (next < store_rv(p->s) &&
           store_changes(p->s, arg(L, 2), STR_NULL, next, 1 << 18, sum_change, &bytes, &next,
                         NULL) == 0) {
    }
    lua_pushinteger(L, (lua_Integer)bytes);
    lua_pushnumber(L, (double)(clock_mono_ns() - start) / 1e9);
    return 2;
}

static const luaL_Reg methods[] = {
    {"close", close_store},   {"commit", commit},           {"get", get},
    {"change_get", change_get}, {"list", list},             {"count", count},
    {"rv", newest},           {"content_get", content_get}, {"content_has", content_has},
    {"collect", collect},     {"journal", journal},     {"changes", changes},         {"wake_add", wake_add},
    {"wakes", wakes},         {"stats", stats},             {"load", run_load},
    {"time_put", time_put},   {"time_get", time_get},       {"time_list", time_list},
    {"time_changes", time_changes}, {"__gc", close_store},  {NULL, NULL},
};

static const luaL_Reg functions[] = {
    {"open", open_store},     {"sql", sql},     {"kill_child", kill_child},
    {"open_child", open_child}, {"mount_tiny", mount_tiny}, {"unmount", unmount},
    {"time_bare", time_bare}, {NULL, NULL},
};

int luaopen_probe_store(lua_State *L);

int luaopen_probe_store(lua_State *L)
{
    luaL_newmetatable(L, CLASS);
    luaL_setfuncs(L, methods, 0);
    lua_pushvalue(L, -1);
    lua_setfield(L, -2, "__index");
    lua_pop(L, 1);
    luaL_newlib(L, functions);
    return 1;
}
