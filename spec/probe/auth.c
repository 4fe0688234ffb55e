/* SPDX-License-Identifier: Apache-2.0
 *
 * probe_auth: the auth room on a store of its own, and a foreign authority to test refusals with.
 */
#include <lauxlib.h>
#include <lua.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "auth/auth.h"
#include "auth/priv.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "store/store.h"

#define CLASS "probe.auth"

struct probe {
    struct store *store;
    struct auth *auth;
};

struct collect {
    lua_State *L;
    lua_Integer n;
};

static int fail(lua_State *L, struct err *err)
{
    lua_pushnil(L);
    lua_pushstring(L, err->message ? err->message : "?");
    lua_pushstring(L, err_kind_name(err->kind));
    err_done(err);
    return 3;
}

static struct str arg_str(lua_State *L, int i)
{
    struct str s;
    s.ptr = luaL_optlstring(L, i, "", &s.len);
    return s;
}

static struct str field(lua_State *L, int t, const char *name)
{
    struct str s = {"", 0};
    if (lua_getfield(L, t, name) == LUA_TSTRING) {
        s.ptr = lua_tolstring(L, -1, &s.len); /* stays alive in the table */
    }
    lua_pop(L, 1);
    return s;
}

static struct str *list_arg(lua_State *L, int t, struct arena *a, size_t *out_n)
{
    *out_n = lua_istable(L, t) ? (size_t)lua_rawlen(L, t) : 0;
    struct str *at = arena_array(a, struct str, *out_n + 1);
    for (size_t i = 0; i < *out_n; i++) {
        size_t len;
        lua_rawgeti(L, t, (lua_Integer)i + 1);
        const char *p = lua_tolstring(L, -1, &len);
        at[i] = arena_str(a, (struct str){p, len});
        lua_pop(L, 1);
    }
    return at;
}

static struct probe *probe_arg(lua_State *L)
{
    struct probe *p = luaL_checkudata(L, 1, CLASS);
    luaL_argcheck(L, p->auth, 1, "closed");
    return p;
}

/* open(dir, hosts): store in dir, keys in dir/pki */
static int l_open(lua_State *L)
{
    const char *dir = luaL_checkstring(L, 1);
    struct arena a = ARENA_INIT;
    size_t n;
    struct str *hosts = list_arg(L, 2, &a, &n);
    const char **names = arena_array(&a, const char *, n + 1);
    for (size_t i = 0; i < n; i++) {
        names[i] = hosts[i].ptr;
    }
    struct probe *p = lua_newuserdata(L, sizeof(*p));
    *p = (struct probe){0};
    luaL_setmetatable(L, CLASS);
    struct err err = ERR_INIT;
    struct store_config c = {.dir = dir};
    struct str pki = arena_printf(&a, "%s/pki", dir);
    int rc = store_open(&c, &p->store, &err);
    names = lua_istable(L, 2) ? names : NULL;
    rc = rc ? rc : auth_open(pki.ptr, p->store, names, n, &p->auth, &err);
    arena_done(&a);
    if (rc) {
        store_close(TAKE(p->store));
        return fail(L, &err);
    }
    return 1;
}

static int l_close(lua_State *L)
{
    struct probe *p = luaL_checkudata(L, 1, CLASS);
    auth_close(p->auth);
    store_close(p->store);
    *p = (struct probe){0};
    return 0;
}

static int l_pem(lua_State *L)
{
    struct probe *p = probe_arg(L);
    struct str s[] = {auth_ca_pem(p->auth), auth_server_cert_pem(p->auth),
                      auth_server_key_pem(p->auth)};
    for (int i = 0; i < 3; i++) {
        lua_pushlstring(L, s[i].ptr, s[i].len);
    }
    return 3;
}

static int push_two(lua_State *L, int rc, struct buf *one, struct buf *two, struct err *err)
{
    if (rc == 0) {
        lua_pushlstring(L, one->ptr, one->len);
        lua_pushlstring(L, two->ptr ? two->ptr : "", two->len);
    }
    buf_done(one);
    buf_done(two);
    return rc ? fail(L, err) : 2;
}

static int l_issue(lua_State *L)
{
    struct probe *p = probe_arg(L);
    struct arena a = ARENA_INIT;
    size_t n;
    struct str *groups = list_arg(L, 3, &a, &n);
    struct buf cert = BUF_INIT, key = BUF_INIT;
    struct err err = ERR_INIT;
    int rc = auth_issue(p->auth, arg_str(L, 2), groups, n, (int)luaL_optinteger(L, 4, 1), &cert,
                        &key, &err);
    arena_done(&a);
    return push_two(L, rc, &cert, &key, &err);
}

static int l_kubeconfig(lua_State *L)
{
    struct probe *p = probe_arg(L);
    struct arena a = ARENA_INIT;
    size_t n;
    struct str *groups = list_arg(L, 4, &a, &n);
    struct buf out = BUF_INIT, none = BUF_INIT;
    struct err err = ERR_INIT;
    int rc = auth_kubeconfig(p->auth, arg_str(L, 2), arg_str(L, 3), groups, n, &out, &err);
    arena_done(&a);
    return push_two(L, rc, &out, &none, &err);
}

/* A certificate that our authority signed as told: seconds, usage; foreign = by another one of
 * the same name. */
static int l_odd_cert(lua_State *L)
{
    struct probe *p = probe_arg(L);
    luaL_checktype(L, 2, LUA_TTABLE);
    lua_getfield(L, 2, "foreign");
    bool foreign = lua_toboolean(L, -1);
    lua_getfield(L, 2, "seconds");
    struct cert_spec spec = {.name = field(L, 2, "name"), .seconds = luaL_optinteger(L, -1, 3600)};
    struct str usage = field(L, 2, "usage");
    spec.usage = usage.len ? usage.ptr : NULL;
    struct cert_spec ca_spec = {.name = STR("lanai-ca"), .seconds = 3600};
    struct err err = ERR_INIT;
    EVP_PKEY *key = cert_new_key(&err), *ca_key = cert_new_key(&err);
    X509 *ca = cert_new(&ca_spec, ca_key, NULL, NULL, &err);
    X509 *x = cert_new(&spec, key, foreign ? ca : p->auth->pki.ca,
                       foreign ? ca_key : p->auth->pki.ca_key, &err);
    struct buf pem = BUF_INIT, none = BUF_INIT;
    int rc = x ? cert_add_pem(&pem, x, &err) : -1;
    X509_free(x);
    X509_free(ca);
    EVP_PKEY_free(key);
    EVP_PKEY_free(ca_key);
    return push_two(L, rc, &pem, &none, &err);
}

static struct str der_of(const char *pem, struct arena *a)
{
    BIO *bio = BIO_new_mem_buf(pem, -1);
    X509 *x = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    BIO_free(bio);
    unsigned char *der = NULL;
    int n = x ? i2d_X509(x, &der) : 0;
    struct str s = n > 0 ? arena_str(a, (struct str){(char *)der, (size_t)n}) : str_of(pem);
    OPENSSL_free(der);
    X509_free(x);
    return s;
}

/* who(cert_pem, authorization) returns name, groups joined by blanks, anonymous */
static int l_who(lua_State *L)
{
    struct probe *p = probe_arg(L);
    struct arena a = ARENA_INIT;
    struct user u;
    struct err err = ERR_INIT;
    struct str der = STR_NULL;
    if (lua_isstring(L, 2)) {
        der = der_of(lua_tostring(L, 2), &a);
    }
    int rc = auth_who(p->auth, der, arg_str(L, 3), &a, &u, &err);
    if (rc == 0) {
        luaL_Buffer b;
        lua_pushlstring(L, u.name.ptr, u.name.len);
        luaL_buffinit(L, &b);
        for (size_t i = 0; i < u.n_groups; i++) {
            luaL_addlstring(&b, i ? " " : "", i ? 1 : 0);
            luaL_addlstring(&b, u.groups[i].ptr, u.groups[i].len);
        }
        luaL_pushresult(&b);
        lua_pushboolean(L, u.anonymous);
    }
    arena_done(&a);
    return rc ? fail(L, &err) : 3;
}

static struct user user_arg(lua_State *L, int t, struct arena *a)
{
    struct user u = {.name = field(L, t, "name")};
    lua_getfield(L, t, "groups");
    u.groups = list_arg(L, lua_gettop(L), a, &u.n_groups);
    lua_pop(L, 1);
    lua_getfield(L, t, "anonymous");
    u.anonymous = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return u;
}

/* may({name, groups}, {verb, group, resource, subresource, ns, object, path}) */
static int l_may(lua_State *L)
{
    struct probe *p = probe_arg(L);
    luaL_checktype(L, 2, LUA_TTABLE);
    luaL_checktype(L, 3, LUA_TTABLE);
    struct arena a = ARENA_INIT;
    struct user u = user_arg(L, 2, &a);
    struct user_action act = {.verb = field(L, 3, "verb"), .group = field(L, 3, "group"),
                              .resource = field(L, 3, "resource"),
                              .subresource = field(L, 3, "subresource"),
                              .ns = field(L, 3, "ns"), .name = field(L, 3, "object"),
                              .path = field(L, 3, "path")};
    struct str reason;
    lua_pushboolean(L, auth_may(p->auth, &u, &act, &a, &reason));
    lua_pushlstring(L, reason.ptr, reason.len);
    arena_done(&a);
    return 2;
}

static void take_rule(void *ctx, struct str json)
{
    struct collect *c = ctx;
    lua_pushlstring(c->L, json.ptr, json.len);
    lua_rawseti(c->L, -2, ++c->n);
}

static int l_rules(lua_State *L)
{
    struct probe *p = probe_arg(L);
    luaL_checktype(L, 2, LUA_TTABLE);
    struct arena a = ARENA_INIT;
    struct user u = user_arg(L, 2, &a);
    struct collect c = {L, 0};
    struct err err = ERR_INIT;
    lua_newtable(L);
    int rc = auth_rules(p->auth, &u, arg_str(L, 3), &a, take_rule, &c, &err);
    arena_done(&a);
    return rc ? fail(L, &err) : 1;
}

static int l_token(lua_State *L)
{
    struct probe *p = probe_arg(L);
    struct arena a = ARENA_INIT;
    size_t n;
    struct str *groups = list_arg(L, 3, &a, &n);
    struct buf id = BUF_INIT, token = BUF_INIT;
    struct err err = ERR_INIT;
    int rc = auth_token_create(p->auth, arg_str(L, 2), groups, n, luaL_optinteger(L, 4, 0), &id,
                               &token, &err);
    arena_done(&a);
    return push_two(L, rc, &id, &token, &err);
}

static void take_token(void *ctx, struct str id, struct str user, struct str created,
                       struct str expires)
{
    struct collect *c = ctx;
    lua_newtable(c->L);
    struct str values[] = {id, user, created, expires};
    for (int i = 0; i < 4; i++) {
        lua_pushlstring(c->L, values[i].ptr ? values[i].ptr : "", values[i].len);
        lua_rawseti(c->L, -2, i + 1);
    }
    lua_rawseti(c->L, -2, ++c->n);
}

static int l_tokens(lua_State *L)
{
    struct probe *p = probe_arg(L);
    struct collect c = {L, 0};
    struct err err = ERR_INIT;
    lua_newtable(L);
    return auth_token_list(p->auth, take_token, &c, &err) ? fail(L, &err) : 1;
}

static int l_revoke(lua_State *L)
{
    struct probe *p = probe_arg(L);
    struct err err = ERR_INIT;
    if (auth_token_revoke(p->auth, arg_str(L, 2), &err) != 0) {
        return fail(L, &err);
    }
    lua_pushboolean(L, true);
    return 1;
}

static int l_seed(lua_State *L)
{
    struct probe *p = probe_arg(L);
    struct err err = ERR_INIT;
    if (auth_seed(p->auth, &err) != 0) {
        return fail(L, &err);
    }
    lua_pushboolean(L, true);
    return 1;
}

/* put(kind, ns, name, json): json without metadata numbers; del(kind, ns, name) */
static int change(lua_State *L, bool del)
{
    struct probe *p = probe_arg(L);
    struct arena a = ARENA_INIT;
    struct err err = ERR_INIT;
    struct store_put put = {.kind = arg_str(L, 2), .ns = arg_str(L, 3), .name = arg_str(L, 4),
                            .uid = STR("u"), .expect_rv = -1,
                            .json = del ? STR("{}") : arg_str(L, 5), .cells = STR("[]"),
                            .data = STR("")};
    struct store_txn *t = store_txn_new(&a);
    if (del) {
        store_txn_del(t, &put);
    } else {
        store_txn_put(t, &put);
    }
    int rc = store_commit(p->store, t, &err);
    arena_done(&a);
    if (rc) {
        return fail(L, &err);
    }
    lua_pushboolean(L, true);
    return 1;
}

static int l_put(lua_State *L)
{
    return change(L, false);
}

static int l_del(lua_State *L)
{
    return change(L, true);
}

static int l_get(lua_State *L)
{
    struct probe *p = probe_arg(L);
    struct arena a = ARENA_INIT;
    struct err err = ERR_INIT;
    struct store_object o;
    int rc = store_get(p->store, arg_str(L, 2), arg_str(L, 3), arg_str(L, 4), &a, &o, &err);
    if (rc == 0) {
        lua_pushlstring(L, o.json.ptr, o.json.len);
        lua_pushlstring(L, o.meta.ptr, o.meta.len);
        lua_pushlstring(L, o.cells.ptr, o.cells.len);
    }
    arena_done(&a);
    return rc ? fail(L, &err) : 3;
}

/* time(n, pem, user, action) returns microseconds per auth_who and per auth_may */
static int l_time(lua_State *L)
{
    struct probe *p = probe_arg(L);
    lua_Integer n = luaL_checkinteger(L, 2);
    struct arena a = ARENA_INIT;
    struct str der = der_of(luaL_checkstring(L, 3), &a);
    struct user u;
    struct user_action act = {.verb = STR("list"), .group = STR("porch.kpt.dev"),
                              .resource = STR("packagerevisions"), .ns = STR("default")};
    int64_t from = clock_mono_ns();
    for (lua_Integer i = 0; i < n; i++) {
        struct arena each = ARENA_INIT;
        auth_who(p->auth, der, STR(""), &each, &u, NULL);
        arena_done(&each);
    }
    int64_t middle = clock_mono_ns();
    auth_who(p->auth, der, STR(""), &a, &u, NULL);
    for (lua_Integer i = 0; i < n; i++) {
        struct arena each = ARENA_INIT;
        auth_may(p->auth, &u, &act, &each, NULL);
        arena_done(&each);
    }
    lua_pushnumber(L, (double)(middle - from) / 1e3 / (double)n);
    lua_pushnumber(L, (double)(clock_mono_ns() - middle) / 1e3 / (double)n);
    arena_done(&a);
    return 2;
}

struct storm {
    struct auth *auth;
    struct str der;
    atomic_int allowed, denied;
    atomic_bool stop;
};

static void *storm_main(void *arg)
{
    struct storm *s = arg;
    struct user_action act = {.verb = STR("list"), .resource = STR("secrets"), .ns = STR("a")};
    while (!atomic_load(&s->stop)) {
        struct arena a = ARENA_INIT;
        struct user u;
        bool ok = auth_who(s->auth, s->der, STR(""), &a, &u, NULL) == 0 &&
                  auth_may(s->auth, &u, &act, &a, NULL);
        atomic_fetch_add(ok ? &s->allowed : &s->denied, 1);
        arena_done(&a);
    }
    return NULL;
}

/* storm(pem, rounds, kind, name, json): threads ask for as long as the object is put and deleted;
 * returns how often they were allowed and denied. */
static int l_storm(lua_State *L)
{
    struct probe *p = probe_arg(L);
    struct arena a = ARENA_INIT;
    struct storm s = {.auth = p->auth, .der = der_of(luaL_checkstring(L, 2), &a)};
    lua_Integer rounds = luaL_checkinteger(L, 3);
    pthread_t threads[4];
    for (int i = 0; i < 4; i++) {
        pthread_create(&threads[i], NULL, storm_main, &s);
    }
    for (lua_Integer i = 0; i < rounds; i++) {
        struct store_put put = {.kind = arg_str(L, 4), .ns = STR(""), .name = arg_str(L, 5),
                                .uid = STR("u"), .expect_rv = -1, .json = arg_str(L, 6),
                                .cells = STR("[]"), .data = STR("")};
        struct store_txn *t = store_txn_new(&a);
        if (i % 2) {
            store_txn_del(t, &put);
        } else {
            store_txn_put(t, &put);
        }
        store_commit(p->store, t, NULL);
        int seen = atomic_load(&s.allowed) + atomic_load(&s.denied);
        while (atomic_load(&s.allowed) + atomic_load(&s.denied) < seen + 8) {
            sched_yield();
        }
    }
    atomic_store(&s.stop, true);
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
    }
    arena_done(&a);
    lua_pushinteger(L, s.allowed);
    lua_pushinteger(L, s.denied);
    return 2;
}

int luaopen_probe_auth(lua_State *L);
int luaopen_probe_auth(lua_State *L)
{
    static const luaL_Reg METHODS[] = {
        {"close", l_close}, {"__gc", l_close}, {"pem", l_pem}, {"issue", l_issue},
        {"kubeconfig", l_kubeconfig}, {"odd_cert", l_odd_cert}, {"who", l_who}, {"may", l_may},
        {"rules", l_rules}, {"token", l_token}, {"tokens", l_tokens}, {"revoke", l_revoke},
        {"seed", l_seed}, {"put", l_put}, {"del", l_del}, {"get", l_get}, {"time", l_time},
        {"storm", l_storm},
        {NULL, NULL}};
    static const luaL_Reg FUNCTIONS[] = {{"open", l_open}, {NULL, NULL}};
    luaL_newmetatable(L, CLASS);
    luaL_setfuncs(L, METHODS, 0);
    lua_pushvalue(L, -1);
    lua_setfield(L, -2, "__index");
    luaL_newlib(L, FUNCTIONS);
    return 1;
}
