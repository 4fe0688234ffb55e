/* SPDX-License-Identifier: Apache-2.0
 *
 * probe_http: the listener with a kube_serve of its own that does what the path says, so that a
 * client can steer every case over HTTP: /bytes?N, /echo, /async, /hold and /release, /watch and
 * /push?TEXT and /finish, /list?N, /tick?N, /abort, /wait?N (answers when N streams are open).
 * Also a bare libmicrohttpd server with the same answers, to compare with (spec/bench/http.lua).
 */
#include <lauxlib.h>
#include <lua.h>
#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/thread.h"
#include "http/http.h"

#define CLASS "probe.http"
#define WAIT_S 10

struct held {
    struct kube *kube;
    struct kube_request *req;
    kube_done_fn done;
    void *ctx;
    struct held *next;
    bool answered; /* only the end is missing */
};

struct stream {
    struct kube_stream base;
    struct kube *kube;
    struct stream *prev, *next; /* in kube.streams, under kube.lock */
    struct buf queue;
    bool finished, listed;
    size_t left;
    int ticks;
};

struct kube {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct thread_pool *pool;
    struct stream *streams;
    struct held *held;
    int open, closed, n_held;
    char filler[64 * 1024];
};

struct probe {
    struct http *http;
    struct kube *kube;
    struct MHD_Daemon *bare;
};

/* --- streams --- */

/* A stream is open from its first read on: before that it has no wake. */
static void enlist(struct stream *s)
{
    struct kube *k = s->kube;
    if (!s->listed) {
        s->listed = true;
        s->next = k->streams;
        if (s->next) {
            s->next->prev = s;
        }
        k->streams = s;
        k->open++;
        pthread_cond_broadcast(&k->changed);
    }
}

static ssize_t watch_read(struct kube_stream *base, char *to, size_t max)
{
    struct stream *s = (void *)base;
    pthread_mutex_lock(&s->kube->lock);
    enlist(s);
    size_t n = s->queue.len < max ? s->queue.len : max;
    if (n) {
        memcpy(to, s->queue.ptr, n);
        buf_consume(&s->queue, n);
    }
    ssize_t r = n ? (ssize_t)n : s->finished ? -1 : 0;
    pthread_mutex_unlock(&s->kube->lock);
    return r;
}

static ssize_t list_read(struct kube_stream *base, char *to, size_t max)
{
    struct stream *s = (void *)base;
    pthread_mutex_lock(&s->kube->lock);
    enlist(s);
    pthread_mutex_unlock(&s->kube->lock);
    size_t n = s->left < max ? s->left : max;
    n = n < sizeof(s->kube->filler) ? n : sizeof(s->kube->filler);
    memcpy(to, s->kube->filler, n);
    s->left -= n;
    return n ? (ssize_t)n : -1;
}

static ssize_t tick_read(struct kube_stream *base, char *to, size_t max)
{
    struct stream *s = (void *)base;
    pthread_mutex_lock(&s->kube->lock);
    enlist(s);
    pthread_mutex_unlock(&s->kube->lock);
    int64_t now = clock_mono_ns();
    if (s->ticks <= 0) {
        return -1;
    }
    if (now < base->next_ns) {
        return 0;
    }
    s->ticks--;
    base->next_ns = now + NS_PER_S / 4;
    return (ssize_t)snprintf(to, max, "tick\n");
}

static ssize_t abort_read(struct kube_stream *base, char *to, size_t max)
{
    struct stream *s = (void *)base;
    pthread_mutex_lock(&s->kube->lock);
    enlist(s);
    pthread_mutex_unlock(&s->kube->lock);
    return s->ticks++ ? -2 : (ssize_t)snprintf(to, max, "begin\n");
}

static void stream_close(struct kube_stream *base)
{
    struct stream *s = (void *)base;
    struct kube *k = s->kube;
    pthread_mutex_lock(&k->lock);
    if (s->listed) {
        *(s->prev ? &s->prev->next : &k->streams) = s->next;
        if (s->next) {
            s->next->prev = s->prev;
        }
        k->open--;
    }
    k->closed++;
    pthread_cond_broadcast(&k->changed);
    pthread_mutex_unlock(&k->lock);
    buf_done(&s->queue);
    mem_free(s);
}

/* --- answers --- */

static struct kube_response *answer(struct kube_request *r, int status, const char *type)
{
    struct kube_response *resp = arena_new(r->arena, struct kube_response);
    resp->status = status;
    resp->headers[resp->n_headers++] = (struct kube_header){STR("Content-Type"), str_of(type)};
    return resp;
}

static int push(struct kube *k, struct str text, bool finish)
{
    int n = 0;
    pthread_mutex_lock(&k->lock);
    for (struct stream *s = k->streams; s; s = s->next, n++) {
        buf_add_str(&s->queue, text);
        s->finished = s->finished || finish;
        s->base.wake(s->base.wake_ctx);
    }
    pthread_mutex_unlock(&k->lock);
    return n;
}

static struct kube_response *streamed(struct kube *k, struct kube_request *r,
                                      ssize_t (*read)(struct kube_stream *, char *, size_t),
                                      bool watch, int64_t n)
{
    struct stream *s = mem_new(struct stream);
    struct kube_response *resp = answer(r, 200, "application/json");
    s->base = (struct kube_stream){.read = read, .close = stream_close, .watch = watch};
    s->kube = k;
    s->left = (size_t)n;
    s->ticks = (int)n;
    resp->stream = &s->base;
    return resp;
}

static struct kube_response *text(struct kube_request *r, struct str body)
{
    struct kube_response *resp = answer(r, 200, "text/plain");
    resp->body = body;
    return resp;
}

static void echo_pair(struct buf *b, const char *name, struct str value)
{
    buf_printf(b, ",\"%s\":", name);
    buf_add_json_string(b, value);
}

static struct kube_response *echo(struct kube_request *r)
{
    AUTO_BUF b = BUF_INIT;
    buf_printf(&b, "{\"method\":%d,\"body_len\":%zu,\"peer_len\":%zu,\"in_time\":%s", r->method,
               r->body.len, r->peer_der.len,
               r->deadline_ns > clock_mono_ns() ? "true" : "false");
    echo_pair(&b, "path", r->path);
    echo_pair(&b, "query", r->query);
    echo_pair(&b, "peer", r->peer_address);
    echo_pair(&b, "body", r->body.len < 1024 ? r->body : STR(""));
    buf_addz(&b, ",\"headers\":[");
    for (size_t i = 0; i < r->n_headers; i++) {
        buf_addz(&b, i ? ",[" : "[");
        buf_add_json_string(&b, r->headers[i].name);
        buf_addc(&b, ',');
        buf_add_json_string(&b, r->headers[i].value);
        buf_addc(&b, ']');
    }
    buf_addz(&b, "]}");
    return text(r, arena_str(r->arena, buf_str(&b)));
}

static struct kube_response *bytes(struct kube_request *r, size_t n)
{
    char *p = arena_alloc(r->arena, n + 1);
    memset(p, 'x', n);
    return text(r, (struct str){p, n});
}

static void answer_later(void *arg)
{
    struct held *h = arg;
    h->done(h->ctx, text(h->req, STR("later\n")));
    mem_free(h);
}

/* Blocks a pool thread, as the engine's writes do. */
static void answer_when_open(void *arg)
{
    struct held *h = arg;
    struct kube *k = h->kube;
    int64_t want = 0, deadline = clock_mono_ns() + WAIT_S * NS_PER_S;
    str_to_int64(h->req->query, &want);
    pthread_mutex_lock(&k->lock);
    while (k->open != want && thread_cond_wait_until(&k->changed, &k->lock, deadline)) {
    }
    struct str s = arena_printf(h->req->arena, "%d", k->open);
    pthread_mutex_unlock(&k->lock);
    h->done(h->ctx, text(h->req, s));
    mem_free(h);
}

static struct held *held_new(struct kube *k, struct kube_request *r, kube_done_fn done, void *ctx)
{
    struct held *h = mem_new(struct held);
    *h = (struct held){k, r, done, ctx, NULL, false};
    return h;
}

static void hold(struct kube *k, struct held *h)
{
    pthread_mutex_lock(&k->lock);
    h->next = k->held;
    k->held = h;
    k->n_held++;
    pthread_mutex_unlock(&k->lock);
}

/* Answers at once; the work ends with the release. */
static void answer_early(struct kube *k, struct held *h)
{
    struct kube_response *r = text(h->req, STR("early\n"));
    r->running = true;
    h->answered = true;
    hold(k, h);
    h->done(h->ctx, r);
}

static int release(struct kube *k)
{
    pthread_mutex_lock(&k->lock);
    struct held *h = k->held;
    int n = k->n_held;
    k->held = NULL;
    k->n_held = 0;
    pthread_mutex_unlock(&k->lock);
    while (h) {
        struct held *next = h->next;
        if (h->answered && !str_eqz(h->req->body, "work")) {
            n = -1; /* the request's memory is gone */
        }
        h->done(h->ctx, h->answered ? NULL : text(h->req, STR("released\n")));
        mem_free(h);
        h = next;
    }
    return n;
}

static struct kube_response *control(struct kube *k, struct kube_request *r)
{
    if (str_eqz(r->path, "/push")) {
        struct str line = arena_printf(r->arena, "%.*s\n", STR_ARG(r->query));
        return text(r, arena_printf(r->arena, "%d", push(k, line, false)));
    }
    if (str_eqz(r->path, "/finish")) {
        return text(r, arena_printf(r->arena, "%d", push(k, STR(""), true)));
    }
    if (str_eqz(r->path, "/held")) {
        pthread_mutex_lock(&k->lock);
        int n = k->n_held;
        pthread_mutex_unlock(&k->lock);
        return text(r, arena_printf(r->arena, "%d", n));
    }
    if (str_eqz(r->path, "/release")) {
        return text(r, arena_printf(r->arena, "%d", release(k)));
    }
    return NULL;
}

static struct kube_response *serve(struct kube *k, struct kube_request *r)
{
    int64_t n = 0;
    str_to_int64(r->query, &n);
    if (str_eqz(r->path, "/bytes")) {
        return bytes(r, (size_t)n);
    }
    if (str_eqz(r->path, "/watch")) {
        return streamed(k, r, watch_read, true, 0);
    }
    if (str_eqz(r->path, "/list")) {
        return streamed(k, r, list_read, false, n);
    }
    if (str_eqz(r->path, "/tick")) {
        return streamed(k, r, tick_read, true, n);
    }
    if (str_eqz(r->path, "/abort")) {
        return streamed(k, r, abort_read, false, 0);
    }
    struct kube_response *resp = control(k, r);
    return resp ? resp : echo(r);
}

void kube_serve(struct kube *k, struct kube_request *req, kube_done_fn done, void *ctx)
{
    if (str_eqz(req->path, "/async")) {
        thread_pool_add(k->pool, answer_later, held_new(k, req, done, ctx));
    } else if (str_eqz(req->path, "/wait")) {
        thread_pool_add(k->pool, answer_when_open, held_new(k, req, done, ctx));
    } else if (str_eqz(req->path, "/early")) {
        answer_early(k, held_new(k, req, done, ctx));
    } else if (str_eqz(req->path, "/hold")) {
        hold(k, held_new(k, req, done, ctx));
    } else {
        done(ctx, serve(k, req));
    }
}

/* --- the bare server --- */

static enum MHD_Result bare_handle(void *cls, struct MHD_Connection *mhd, const char *url,
                                   const char *method, const char *version, const char *upload,
                                   size_t *upload_len, void **con_cls)
{
    static char body[1024] = {'x'};
    static int seen;
    if (!*con_cls) {
        *con_cls = &seen;
        return MHD_YES;
    }
    *upload_len = 0;
    struct MHD_Response *r =
        MHD_create_response_from_buffer(sizeof(body), body, MHD_RESPMEM_PERSISTENT);
    MHD_add_response_header(r, "Content-Type", "text/plain");
    enum MHD_Result q = MHD_queue_response(mhd, 200, r);
    MHD_destroy_response(r);
    return q;
}

/* --- Lua --- */

static const char *z_field(lua_State *L, const char *name)
{
    lua_getfield(L, 1, name);
    const char *z = lua_tostring(L, -1); /* stays alive in the table */
    lua_pop(L, 1);
    return z ? z : "";
}

static int64_t n_field(lua_State *L, const char *name)
{
    lua_getfield(L, 1, name);
    int64_t n = lua_tointeger(L, -1);
    lua_pop(L, 1);
    return n;
}

static struct kube *kube_make(void)
{
    struct kube *k = mem_new(struct kube);
    pthread_mutex_init(&k->lock, NULL);
    thread_cond_init(&k->changed);
    k->pool = thread_pool_new("probe", 4, 0);
    memset(k->filler, 'y', sizeof(k->filler));
    return k;
}

static void kube_end(struct kube *k)
{
    if (k) {
        thread_pool_free(k->pool);
        mem_free(k);
    }
}

static struct probe *probe_push(lua_State *L)
{
    struct probe *p = lua_newuserdata(L, sizeof(*p));
    *p = (struct probe){0};
    luaL_setmetatable(L, CLASS);
    return p;
}

/* start{cert=PEM, key=PEM, threads=, max_body=, request_ms=, head_ms=, …} */
static int l_start(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    struct probe *p = probe_push(L);
    p->kube = kube_make();
    struct http_config c = {.address = z_field(L, "address"),
                            .port = (uint16_t)n_field(L, "port"),
                            .cert_pem = str_of(z_field(L, "cert")),
                            .key_pem = str_of(z_field(L, "key")),
                            .threads = (int)n_field(L, "threads"),
                            .request_ms = n_field(L, "request_ms"),
                            .max_body = (size_t)n_field(L, "max_body"),
                            .head_ms = n_field(L, "head_ms"),
                            .idle_ms = n_field(L, "idle_ms"),
                            .body_ms = n_field(L, "body_ms"),
                            .stall_ms = n_field(L, "stall_ms"),
                            .kube = p->kube};
    c.address = *c.address ? c.address : NULL;
    struct err err = ERR_INIT;
    if (http_start(&c, &p->http, &err) != 0) {
        p->http = NULL;
        kube_end(TAKE(p->kube));
        lua_pushnil(L);
        lua_pushstring(L, err.message);
        err_done(&err);
        return 2;
    }
    return 1;
}

static int l_bare(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    struct probe *p = probe_push(L);
    p->bare = MHD_start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ITC | MHD_USE_TLS, 0,
        NULL, NULL, bare_handle, NULL, MHD_OPTION_THREAD_POOL_SIZE, 2u,
        MHD_OPTION_HTTPS_MEM_CERT, z_field(L, "cert"), MHD_OPTION_HTTPS_MEM_KEY,
        z_field(L, "key"), MHD_OPTION_END);
    if (!p->bare) {
        return luaL_error(L, "the bare server does not start");
    }
    return 1;
}

static struct probe *probe_arg(lua_State *L)
{
    return luaL_checkudata(L, 1, CLASS);
}

static int l_port(lua_State *L)
{
    struct probe *p = probe_arg(L);
    lua_pushinteger(L, p->http ? http_port(p->http)
                               : MHD_get_daemon_info(p->bare, MHD_DAEMON_INFO_BIND_PORT)->port);
    return 1;
}

/* stop(seconds) returns how long it took. */
static int l_stop(lua_State *L)
{
    struct probe *p = probe_arg(L);
    int64_t from = clock_mono_ns();
    int64_t s = (int64_t)(luaL_optnumber(L, 2, 1) * (double)NS_PER_S);
    if (p->http) {
        http_stop(TAKE(p->http), from + s);
    }
    if (p->bare) {
        MHD_stop_daemon(TAKE(p->bare));
    }
    lua_pushnumber(L, (double)(clock_mono_ns() - from) / (double)NS_PER_S);
    if (p->kube) {
        release(p->kube); /* what comes after the end must do no harm */
    }
    lua_pushinteger(L, p->kube ? p->kube->open : 0);
    lua_pushinteger(L, p->kube ? p->kube->closed : 0);
    kube_end(TAKE(p->kube));
    return 3;
}

static int l_push(lua_State *L)
{
    struct probe *p = probe_arg(L);
    struct str s;
    s.ptr = luaL_checklstring(L, 2, &s.len);
    lua_pushinteger(L, push(p->kube, s, false));
    return 1;
}

static int l_metrics(lua_State *L)
{
    struct probe *p = probe_arg(L);
    struct buf b = BUF_INIT;
    http_metrics(p->http, &b);
    lua_pushlstring(L, b.ptr, b.len);
    buf_done(&b);
    return 1;
}

/* Resident KiB of this process. */
static int l_rss(lua_State *L)
{
    long pages = 0;
    FILE *f = fopen("/proc/self/statm", "re");
    if (!f || fscanf(f, "%*d %ld", &pages) != 1) {
        pages = 0;
    }
    if (f) {
        fclose(f);
    }
    lua_pushinteger(L, pages * (sysconf(_SC_PAGESIZE) / 1024));
    return 1;
}

/* Processor seconds of this process. */
static int l_cpu(lua_State *L)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    lua_pushnumber(L, (double)t.tv_sec + (double)t.tv_nsec / 1e9);
    return 1;
}

int luaopen_probe_http(lua_State *L);
int luaopen_probe_http(lua_State *L)
{
    static const luaL_Reg METHODS[] = {{"port", l_port}, {"stop", l_stop}, {"push", l_push},
                                       {"metrics", l_metrics}, {"__gc", l_stop}, {NULL, NULL}};
    static const luaL_Reg FUNCTIONS[] = {{"start", l_start}, {"bare", l_bare}, {"rss", l_rss},
                                         {"cpu", l_cpu}, {NULL, NULL}};
    luaL_newmetatable(L, CLASS);
    luaL_setfuncs(L, METHODS, 0);
    lua_pushvalue(L, -1);
    lua_setfield(L, -2, "__index");
    luaL_newlib(L, FUNCTIONS);
    return 1;
}
