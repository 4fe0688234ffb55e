/* SPDX-License-Identifier: Apache-2.0
 *
 * `require "probe_kube"`: core/kube/selector.h, and kube_serve over a store, an engine and an auth
 * of its own.
 *
 *   select, plan: selectors. Kinds are named "group/version/resource", objects are JSON text. An
 *     error comes back as nil, kind and message
 *   open(dir, {change_rows =, strict_conflict =}?) → server
 *   server:request{method =, path =, headers = {Name = value or list}, body =, anonymous =} →
 *     {status =, headers = {name = list}, body =, streamed =}; path may carry a query. A stream is
 *     read to its end
 *   server:send{…the same…} → sent; does not wait. sent:answer() → the table of request
 *   server:watch{…the same…} → watch, or the table of request when it was refused
 *   watch:next(seconds?) → next line of the stream, or nil when it ended or nothing came;
 *     seconds default to 10
 *   watch:ended() → true once the stream has said that it is over
 *   watch:close()
 *   server:token(user, {group…}) → bearer token; requests are made as a master unless they carry
 *     their own Authorization header or are anonymous
 *   server:hold() → the store's writer stops behind its next commit until server:release();
 *     server:held() waits until it has stopped
 *   server:ready(bool), server:drain(), server:rv(), server:close()
 */
#include <lauxlib.h>
#include <lua.h>
#include <pthread.h>

#include "api/kinds.h"
#include "auth/auth.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/thread.h"
#include "data/node.h"
#include "engine/engine.h"
#include "kube/kube.h"
#include "kube/selector.h"

#define SERVER "probe.kube.server"
#define WATCH "probe.kube.watch"
#define SENT "probe.kube.sent"
#define WAIT_S 30

static struct str arg(lua_State *L, int at)
{
    struct str s = {NULL, 0};
    if (!lua_isnoneornil(L, at)) {
        s.ptr = luaL_checklstring(L, at, &s.len);
    }
    return s;
}

static const struct api_kind *kind_arg(lua_State *L, int at)
{
    struct str name = arg(L, at), part[3] = {STR(""), STR(""), STR("")};
    for (int i = 0; i < 3; i++) {
        (void)str_split(&name, '/', &part[i]);
    }
    const struct api_kind *kind = api_kind_find(part[0], part[1], part[2]);
    if (!kind) {
        luaL_argerror(L, at, "unknown kind");
    }
    return kind;
}

static void push_str(lua_State *L, struct str s)
{
    if (s.ptr) {
        lua_pushlstring(L, s.ptr, s.len);
    } else {
        lua_pushnil(L);
    }
}

static int push_err(lua_State *L, struct err *err)
{
    lua_pushnil(L);
    lua_pushstring(L, err_kind_name(err->kind));
    lua_pushstring(L, err->message);
    err_done(err);
    return 3;
}

/* select(kind, labels, fields, {json…}): list of booleans. */
static int select_objects(lua_State *L)
{
    const struct api_kind *kind = kind_arg(L, 1);
    struct str labels = arg(L, 2), fields = arg(L, 3);
    lua_Integer n = lua_isnoneornil(L, 4) ? 0 : luaL_len(L, 4);
    struct kube_selector s;
    struct err err = ERR_INIT;
    AUTO_ARENA a = ARENA_INIT;
    if (kube_selector_parse(&a, kind, labels, fields, &s, &err) < 0) {
        return push_err(L, &err);
    }
    lua_newtable(L);
    for (lua_Integer i = 1; i <= n; i++) {
        struct str json = {NULL, 0};
        lua_rawgeti(L, 4, i);
        json.ptr = lua_tolstring(L, -1, &json.len);
        lua_pop(L, 1); /* the table keeps it alive */
        struct node *object = json_parse(&a, json, NULL, &err);
        if (!object) {
            return push_err(L, &err);
        }
        lua_pushboolean(L, kube_selector_match(&s, object));
        lua_rawseti(L, -2, i);
    }
    return 1;
}

/* plan(kind, fields, namespace): name, f1, f2, namespace, nothing, last segment of f2. */
static int plan(lua_State *L)
{
    const struct api_kind *kind = kind_arg(L, 1);
    struct str fields = arg(L, 2), ns = arg(L, 3), f1, f2, leaf;
    struct kube_selector s;
    struct err err = ERR_INIT;
    bool nothing;
    AUTO_ARENA a = ARENA_INIT;
    if (kube_selector_parse(&a, kind, STR(""), fields, &s, &err) < 0 ||
        kube_selector_scope(&s, ns, &ns, &nothing, &err) < 0) {
        return push_err(L, &err);
    }
    kube_selector_index(&s, &f1, &f2, &leaf);
    push_str(L, kube_selector_exact(&s, "metadata.name"));
    push_str(L, f1);
    push_str(L, f2);
    push_str(L, ns);
    lua_pushboolean(L, nothing);
    push_str(L, leaf);
    return 6;
}


/* --- kube_serve --- */

struct server {
    struct store *store;
    struct auth *auth;
    struct engine *engine;
    struct kube *kube;
    char *token;
    pthread_mutex_t lock; /* held */
    pthread_cond_t changed;
    bool held, stopped;
};

/* One request until its answer, and a watch until it is closed. */
struct exchange {
    struct kube_request req;
    struct arena arena;
    struct kube_response *resp;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool woken;
    bool running, dropped; /* the answer came before the end of the work; nobody looks at it */
};

struct watch {
    struct exchange *x;
    struct buf text;
    bool ended;
};

static void exchange_free(struct exchange *x)
{
    if (!x) {
        return;
    }
    pthread_mutex_lock(&x->lock);
    bool running = x->running;
    x->dropped = true;
    pthread_mutex_unlock(&x->lock);
    if (running) {
        return; /* on_done frees it */
    }
    if (x->resp && x->resp->stream) {
        x->resp->stream->close(x->resp->stream);
    }
    pthread_cond_destroy(&x->changed);
    pthread_mutex_destroy(&x->lock);
    arena_done(&x->arena);
    mem_free(x);
}

static void on_done(void *ctx, struct kube_response *resp)
{
    struct exchange *x = ctx;
    pthread_mutex_lock(&x->lock);
    x->resp = resp ? resp : x->resp;
    x->running = resp && resp->running;
    bool dropped = x->dropped;
    pthread_cond_broadcast(&x->changed);
    pthread_mutex_unlock(&x->lock);
    if (dropped) {
        exchange_free(x);
    }
}

static void on_wake(void *ctx)
{
    struct exchange *x = ctx;
    pthread_mutex_lock(&x->lock);
    x->woken = true;
    pthread_cond_broadcast(&x->changed);
    pthread_mutex_unlock(&x->lock);
}

static struct str member(lua_State *L, int at, const char *name, struct arena *a)
{
    struct str s = {NULL, 0};
    lua_getfield(L, at, name);
    s.ptr = lua_tolstring(L, -1, &s.len);
    s = s.ptr ? arena_str(a, s) : STR("");
    lua_pop(L, 1);
    return s;
}

static enum kube_method method_of(struct str s)
{
    static const char *const NAMES[] = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"};
    for (int i = 0; i < 6; i++) {
        if (str_eqz(s, NAMES[i])) {
            return (enum kube_method)i;
        }
    }
    return s.len ? KUBE_OTHER : KUBE_GET;
}

static void add_header(struct exchange *x, struct kube_header *list, lua_State *L, struct str name)
{
    struct str v = {NULL, 0};
    v.ptr = lua_tolstring(L, -1, &v.len);
    list[x->req.n_headers++] = (struct kube_header){name, arena_str(&x->arena, v)};
}

static void take_headers(struct server *s, lua_State *L, int at, struct exchange *x)
{
    struct kube_header *list = arena_array(&x->arena, struct kube_header, 64);
    bool own = false;
    x->req.headers = list;
    lua_getfield(L, at, "headers");
    if (lua_istable(L, -1)) {
        for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) {
            struct str name = {NULL, 0};
            name.ptr = lua_tolstring(L, -2, &name.len);
            name = arena_str(&x->arena, name);
            own = own || str_eqz(name, "Authorization");
            if (!lua_istable(L, -1)) {
                add_header(x, list, L, name);
                continue;
            }
            for (lua_Integer i = 1; i <= luaL_len(L, -1); i++) {
                lua_rawgeti(L, -1, i);
                add_header(x, list, L, name);
                lua_pop(L, 1);
            }
        }
    }
    lua_pop(L, 1);
    lua_getfield(L, at, "anonymous");
    if (!own && !lua_toboolean(L, -1)) {
        list[x->req.n_headers++] = (struct kube_header){
            STR("Authorization"), arena_printf(&x->arena, "Bearer %s", s->token)};
    }
    lua_pop(L, 1);
}

static struct exchange *exchange_start(struct server *s, lua_State *L, int at)
{
    struct exchange *x = mem_new(struct exchange);
    pthread_mutex_init(&x->lock, NULL);
    thread_cond_init(&x->changed);
    struct str path = member(L, at, "path", &x->arena);
    ptrdiff_t q = str_find_byte(path, '?');
    x->req = (struct kube_request){
        .arena = &x->arena,
        .method = method_of(member(L, at, "method", &x->arena)),
        .path = q < 0 ? path : str_sub(path, 0, (size_t)q),
        .query = q < 0 ? STR("") : str_sub(path, (size_t)q + 1, path.len),
        .body = member(L, at, "body", &x->arena),
        .deadline_ns = clock_mono_ns() + WAIT_S * NS_PER_S,
    };
    take_headers(s, L, at, x);
    kube_serve(s->kube, &x->req, on_done, x);
    return x;
}

static void exchange_wait(struct exchange *x, lua_State *L)
{
    pthread_mutex_lock(&x->lock);
    while (!x->resp && thread_cond_wait_until(&x->changed, &x->lock,
                                              clock_mono_ns() + WAIT_S * NS_PER_S)) {
    }
    pthread_mutex_unlock(&x->lock);
    if (!x->resp) {
        luaL_error(L, "no answer"); /* the engine still holds x: it stays */
    }
    if (x->resp->stream) {
        x->resp->stream->wake = on_wake;
        x->resp->stream->wake_ctx = x;
    }
}

static struct exchange *exchange_run(struct server *s, lua_State *L, int at)
{
    struct exchange *x = exchange_start(s, L, at);
    exchange_wait(x, L);
    return x;
}

static void push_response(lua_State *L, struct exchange *x, struct str body)
{
    lua_newtable(L);
    lua_pushinteger(L, x->resp->status);
    lua_setfield(L, -2, "status");
    lua_pushlstring(L, body.ptr ? body.ptr : "", body.len);
    lua_setfield(L, -2, "body");
    lua_pushboolean(L, x->resp->stream != NULL);
    lua_setfield(L, -2, "streamed");
    lua_newtable(L);
    for (size_t i = 0; i < x->resp->n_headers; i++) {
        const char *name = arena_strz(&x->arena, x->resp->headers[i].name);
        if (lua_getfield(L, -1, name) == LUA_TNIL) {
            lua_pop(L, 1);
            lua_newtable(L);
            lua_pushvalue(L, -1);
            lua_setfield(L, -3, name);
        }
        push_str(L, x->resp->headers[i].value);
        lua_rawseti(L, -2, luaL_len(L, -2) + 1);
        lua_pop(L, 1);
    }
    lua_setfield(L, -2, "headers");
}

/* Pushes the table of an answer, its stream read to the end, and frees the exchange. */
static int push_answer(lua_State *L, struct exchange *x)
{
    AUTO_BUF body = BUF_INIT;
    char block[7000]; /* odd on purpose: pieces end anywhere */
    ssize_t n = 0;
    struct kube_stream *stream = x->resp->stream;
    while (stream && !stream->watch && (n = stream->read(stream, block, sizeof(block))) > 0) {
        buf_add(&body, block, (size_t)n);
    }
    if (!stream) {
        buf_add_str(&body, x->resp->body);
    }
    push_response(L, x, buf_str(&body));
    exchange_free(x);
    return 1;
}

static int server_request(lua_State *L)
{
    struct server *s = luaL_checkudata(L, 1, SERVER);
    return push_answer(L, exchange_run(s, L, 2));
}

static int server_send(lua_State *L)
{
    struct server *s = luaL_checkudata(L, 1, SERVER);
    struct exchange **sent = lua_newuserdatauv(L, sizeof(*sent), 1);
    *sent = NULL;
    luaL_setmetatable(L, SENT);
    lua_pushvalue(L, 1); /* the server lives as long as what it was sent */
    lua_setiuservalue(L, -2, 1);
    *sent = exchange_start(s, L, 2);
    return 1;
}

static int sent_answer(lua_State *L)
{
    struct exchange **sent = luaL_checkudata(L, 1, SENT);
    luaL_argcheck(L, *sent, 1, "the answer has been given");
    exchange_wait(*sent, L);
    return push_answer(L, TAKE(*sent));
}

static int server_watch(lua_State *L)
{
    struct server *s = luaL_checkudata(L, 1, SERVER);
    struct exchange *x = exchange_run(s, L, 2);
    if (!x->resp->stream || !x->resp->stream->watch) {
        push_response(L, x, x->resp->body);
        exchange_free(x);
        return 1;
    }
    struct watch *w = lua_newuserdatauv(L, sizeof(*w), 1);
    *w = (struct watch){.x = x};
    luaL_setmetatable(L, WATCH);
    lua_pushvalue(L, 1); /* the server lives as long as its watches */
    lua_setiuservalue(L, -2, 1);
    return 1;
}

/* Waits for a wake or the stream's own time; false when `until` has passed. */
static bool watch_wait(struct watch *w, int64_t until)
{
    struct exchange *x = w->x;
    int64_t next = x->resp->stream->next_ns;
    int64_t end = next && next < until ? next : until;
    pthread_mutex_lock(&x->lock);
    while (!x->woken && thread_cond_wait_until(&x->changed, &x->lock, end)) {
    }
    bool woken = x->woken;
    pthread_mutex_unlock(&x->lock);
    return woken || clock_mono_ns() < until;
}

static int watch_next(lua_State *L)
{
    struct watch *w = luaL_checkudata(L, 1, WATCH);
    int64_t until = clock_mono_ns() + (int64_t)(luaL_optnumber(L, 2, 10) * NS_PER_S);
    char block[1000];
    for (;;) {
        ptrdiff_t end = str_find_byte(buf_str(&w->text), '\n');
        if (end >= 0) {
            lua_pushlstring(L, w->text.ptr, (size_t)end);
            buf_consume(&w->text, (size_t)end + 1);
            return 1;
        }
        if (!w->x || w->ended) {
            return 0;
        }
        pthread_mutex_lock(&w->x->lock);
        w->x->woken = false;
        pthread_mutex_unlock(&w->x->lock);
        struct kube_stream *s = w->x->resp->stream;
        ssize_t n = s->read(s, block, sizeof(block));
        if (n > 0) {
            buf_add(&w->text, block, (size_t)n);
        } else if (n < 0) {
            w->ended = true;
        } else if (!watch_wait(w, until)) {
            return 0;
        }
    }
}

static int watch_ended(lua_State *L)
{
    struct watch *w = luaL_checkudata(L, 1, WATCH);
    lua_pushboolean(L, w->ended);
    return 1;
}

static int watch_close(lua_State *L)
{
    struct watch *w = luaL_checkudata(L, 1, WATCH);
    exchange_free(TAKE(w->x));
    buf_done(&w->text);
    return 0;
}

static int server_token(lua_State *L)
{
    struct server *s = luaL_checkudata(L, 1, SERVER);
    struct str user = arg(L, 2), groups[8];
    size_t n = 0;
    AUTO_ARENA a = ARENA_INIT;
    for (lua_Integer i = 1; lua_istable(L, 3) && i <= luaL_len(L, 3) && n < 8; i++) {
        lua_rawgeti(L, 3, i);
        groups[n++] = arena_str(&a, arg(L, -1));
        lua_pop(L, 1);
    }
    struct err err = ERR_INIT;
    AUTO_BUF id = BUF_INIT;
    AUTO_BUF token = BUF_INIT;
    if (auth_token_create(s->auth, user, groups, n, 0, &id, &token, &err) < 0) {
        return push_err(L, &err);
    }
    lua_pushlstring(L, token.ptr, token.len);
    return 1;
}

static int server_ready(lua_State *L)
{
    struct server *s = luaL_checkudata(L, 1, SERVER);
    kube_set_ready(s->kube, lua_toboolean(L, 2));
    return 0;
}

static int server_drain(lua_State *L)
{
    struct server *s = luaL_checkudata(L, 1, SERVER);
    kube_drain(s->kube, clock_mono_ns() + WAIT_S * NS_PER_S);
    return 0;
}

static int set_held(lua_State *L, bool held)
{
    struct server *s = luaL_checkudata(L, 1, SERVER);
    pthread_mutex_lock(&s->lock);
    s->held = held;
    pthread_cond_broadcast(&s->changed);
    pthread_mutex_unlock(&s->lock);
    return 0;
}

static int server_hold(lua_State *L)
{
    return set_held(L, true);
}

static int server_release(lua_State *L)
{
    return set_held(L, false);
}

static int server_held(lua_State *L)
{
    struct server *s = luaL_checkudata(L, 1, SERVER);
    int64_t end = clock_mono_ns() + WAIT_S * NS_PER_S;
    pthread_mutex_lock(&s->lock);
    while (!s->stopped && thread_cond_wait_until(&s->changed, &s->lock, end)) {
    }
    bool stopped = s->stopped;
    pthread_mutex_unlock(&s->lock);
    return stopped ? 0 : luaL_error(L, "the writer has not stopped");
}

/* On the store's writer, behind each commit. */
static void on_commit(void *ctx, int64_t rv)
{
    struct server *s = ctx;
    pthread_mutex_lock(&s->lock);
    s->stopped = s->held;
    pthread_cond_broadcast(&s->changed);
    while (s->held) {
        pthread_cond_wait(&s->changed, &s->lock);
    }
    s->stopped = false;
    pthread_mutex_unlock(&s->lock);
}

static int server_rv(lua_State *L)
{
    struct server *s = luaL_checkudata(L, 1, SERVER);
    lua_pushinteger(L, (lua_Integer)store_rv(s->store));
    return 1;
}

static int server_close(lua_State *L)
{
    struct server *s = luaL_checkudata(L, 1, SERVER);
    set_held(L, false);
    if (s->engine) {
        engine_drain(s->engine, clock_mono_ns() + WAIT_S * NS_PER_S);
    }
    engine_free(TAKE(s->engine));
    kube_free(TAKE(s->kube));
    auth_close(TAKE(s->auth));
    store_close(TAKE(s->store));
    mem_free(TAKE(s->token));
    return 0;
}

static int server_start(struct server *s, const char *dir, int change_rows, bool strict,
                        struct err *err)
{
    AUTO_ARENA a = ARENA_INIT;
    struct store_config store = {.dir = dir, .change_rows = change_rows,
                                 .change_age_s = change_rows ? -1 : 0};
    struct str pki = arena_printf(&a, "%s/pki", dir), masters = STR("system:masters");
    struct engine_config engine = {.dir = dir, .workers = 4};
    AUTO_BUF id = BUF_INIT;
    AUTO_BUF token = BUF_INIT;
    if (store_open(&store, &s->store, err) < 0 ||
        auth_open(pki.ptr, s->store, NULL, 0, &s->auth, err) < 0 || auth_seed(s->auth, err) < 0 ||
        auth_token_create(s->auth, STR("admin"), &masters, 1, 0, &id, &token, err) < 0) {
        return -1;
    }
    s->token = buf_take(&token, NULL);
    store_wake_add(s->store, on_commit, s);
    engine.store = s->store;
    if (engine_new(&engine, &s->engine, err) < 0) {
        return -1;
    }
    struct kube_config kube = {.store = s->store, .engine = s->engine, .auth = s->auth,
                               .strict_conflict = strict};
    if (kube_new(&kube, &s->kube, err) < 0 || engine_start(s->engine, err) < 0) {
        return -1;
    }
    kube_set_ready(s->kube, true);
    return 0;
}

static int server_open(lua_State *L)
{
    const char *dir = luaL_checkstring(L, 1);
    int change_rows = 0;
    bool strict = false;
    if (lua_istable(L, 2)) {
        lua_getfield(L, 2, "change_rows");
        change_rows = (int)lua_tointeger(L, -1);
        lua_getfield(L, 2, "strict_conflict");
        strict = lua_toboolean(L, -1);
        lua_pop(L, 2);
    }
    struct server *s = lua_newuserdatauv(L, sizeof(*s), 0);
    *s = (struct server){.lock = PTHREAD_MUTEX_INITIALIZER};
    thread_cond_init(&s->changed);
    luaL_setmetatable(L, SERVER);
    struct err err = ERR_INIT;
    return server_start(s, dir, change_rows, strict, &err) < 0 ? push_err(L, &err) : 1;
}

static const luaL_Reg server_methods[] = {
    {"request", server_request}, {"watch", server_watch}, {"token", server_token},
    {"ready", server_ready},     {"drain", server_drain}, {"rv", server_rv},
    {"hold", server_hold},       {"held", server_held},   {"release", server_release},
    {"send", server_send},
    {"close", server_close},     {"__gc", server_close},  {NULL, NULL},
};

static const luaL_Reg sent_methods[] = {{"answer", sent_answer}, {NULL, NULL}};

static const luaL_Reg watch_methods[] = {
    {"next", watch_next},   {"ended", watch_ended}, {"close", watch_close},
    {"__gc", watch_close},  {NULL, NULL},
};

static void make_class(lua_State *L, const char *name, const luaL_Reg *methods)
{
    luaL_newmetatable(L, name);
    luaL_setfuncs(L, methods, 0);
    lua_pushvalue(L, -1);
    lua_setfield(L, -2, "__index");
    lua_pop(L, 1);
}

static const luaL_Reg functions[] = {
    {"select", select_objects},
    {"plan", plan},
    {"open", server_open},
    {NULL, NULL},
};

int luaopen_probe_kube(lua_State *L);
int luaopen_probe_kube(lua_State *L)
{
    make_class(L, SERVER, server_methods);
    make_class(L, WATCH, watch_methods);
    make_class(L, SENT, sent_methods);
    luaL_newlib(L, functions);
    return 1;
}
