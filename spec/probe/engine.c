/* SPDX-License-Identifier: Apache-2.0
 *
 * `require "probe_engine"`: the engine over a store of its own.
 *
 *   open(dir, {workflows = dirs, quiet = bool, collect = seconds}?) → engine; quiet: without
 *     engine_start, so that nothing happens that the caller did not ask for
 *   engine:write{verb=, kind=, subresource=, ns=, name=, object=, old=, rv=, dry_run=, user=} →
 *     JSON of the answer. old and rv are the stored ones unless given; user "" is anonymous
 *   engine:get(kind, ns, name) → JSON, private data, number; nothing when absent
 *   engine:wait(kind, ns, name, text) → JSON once the object has this text in it; text nil: true
 *     once it is gone
 *   engine:removed(n) → rows of content removed so far, once there are n
 *   engine:list(kind, ns) → names
 *   engine:objects(kind, ns) → JSON of each
 *   engine:resources(ns, name) → JSON
 *   engine:put(kind, json, data?) → number given; stores a row as it is
 *   engine:sync(ns, repository) → number of revisions: fetches, compares, stores
 *   engine:credential(ns, repository) → {type, username, password, token}
 *   engine:close()
 *   validate_create(json), validate_update(subresource, old, new) → true
 *
 * Kinds are named as in the store ("packagerevisions"). JSON is text. An error comes back as nil
 * and {kind, code, message, causes}.
 */
#include <lauxlib.h>
#include <lua.h>

#include "base/log.h"
#include "engine/priv.h"
#include "engine/reconcile.h"
#include "repo/priv.h"

#define CLASS "probe_engine.engine"
#define WAIT_S 30

struct box {
    struct store *store;
    struct engine *engine;
    pthread_mutex_t lock;
    pthread_cond_t changed; /* the store has committed, a write has ended */
};

/* --- Lua values --- */

static struct str arg(lua_State *L, int at)
{
    struct str s = {NULL, 0};
    if (!lua_isnoneornil(L, at)) {
        s.ptr = luaL_checklstring(L, at, &s.len);
    }
    return s;
}

/* A field of the table at `at`; "" when absent. The table keeps the text alive. */
static struct str member(lua_State *L, int at, const char *name)
{
    struct str s = STR("");
    lua_getfield(L, at, name);
    const char *p = lua_tolstring(L, -1, &s.len);
    lua_pop(L, 1);
    return p ? (struct str){p, s.len} : STR("");
}

static void push_str(lua_State *L, struct str s)
{
    lua_pushlstring(L, s.ptr ? s.ptr : "", s.len);
}

static void set_str(lua_State *L, const char *name, struct str s)
{
    push_str(L, s);
    lua_setfield(L, -2, name);
}

/* Releases err. */
static int push_err(lua_State *L, struct err *err)
{
    int code;
    const char *reason;
    err_kind_info(err->kind, &code, &reason);
    lua_pushnil(L);
    lua_newtable(L);
    set_str(L, "kind", str_of(err_kind_name(err->kind)));
    lua_pushinteger(L, code);
    lua_setfield(L, -2, "code");
    set_str(L, "message", str_of(err->message ? err->message : ""));
    lua_newtable(L);
    for (size_t i = 0; i < err->n_causes; i++) {
        lua_newtable(L);
        set_str(L, "reason", str_of(err->causes[i].reason));
        set_str(L, "field", str_of(err->causes[i].field));
        set_str(L, "message", str_of(err->causes[i].message));
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    lua_setfield(L, -2, "causes");
    err_done(err);
    return 2;
}

static const struct api_kind *kind_of(lua_State *L, struct str name)
{
    for (size_t i = 0; i < api_n_kinds; i++) {
        if (api_kinds[i].store_kind && str_eqz(name, api_kinds[i].store_kind)) {
            return &api_kinds[i];
        }
    }
    luaL_error(L, "unknown kind");
    return NULL;
}

static struct str namespace_of(const struct api_kind *k, struct str ns)
{
    return k->flags & API_NAMESPACED ? ns : STR("");
}

/* --- life --- */

static struct box *check(lua_State *L)
{
    struct box *b = luaL_checkudata(L, 1, CLASS);
    luaL_argcheck(L, b->engine, 1, "closed");
    return b;
}

static int close_box(lua_State *L)
{
    struct box *b = luaL_checkudata(L, 1, CLASS);
    if (b->engine) {
        engine_drain(b->engine, clock_mono_ns() + WAIT_S * NS_PER_S);
        engine_free(b->engine);
    }
    if (b->store) {
        store_close(b->store);
        pthread_cond_destroy(&b->changed);
        pthread_mutex_destroy(&b->lock);
    }
    b->engine = NULL;
    b->store = NULL;
    return 0;
}

static void on_commit(void *ctx, int64_t rv)
{
    struct box *b = ctx;
    pthread_mutex_lock(&b->lock);
    pthread_cond_broadcast(&b->changed);
    pthread_mutex_unlock(&b->lock);
}

/* Pushes the list of directories in opts.workflows and fills dirs from it. */
static size_t check_dirs(lua_State *L, const char **dirs, size_t max)
{
    size_t n = 0;
    lua_getfield(L, 2, "workflows");
    int list = lua_gettop(L);
    while (lua_istable(L, list) && n < max &&
           lua_rawgeti(L, list, (lua_Integer)n + 1) == LUA_TSTRING) {
        dirs[n++] = lua_tostring(L, -1);
    }
    return n;
}

static int open_box(lua_State *L)
{
    const char *dirs[4], *dir = luaL_checkstring(L, 1);
    lua_settop(L, 2);
    if (lua_isnil(L, 2)) {
        lua_newtable(L);
        lua_replace(L, 2);
    }
    lua_getfield(L, 2, "quiet");
    bool quiet = lua_toboolean(L, -1);
    lua_getfield(L, 2, "collect");
    int64_t collect = lua_tointeger(L, -1);
    lua_getfield(L, 2, "kpt");
    bool kpt = lua_toboolean(L, -1);
    lua_pop(L, 2);
    size_t n = check_dirs(L, dirs, 4);
    if (quiet) {
        log_setup(LOG_ERROR, LOG_AUTO); /* failures are what the caller looks for */
    }
    struct box *b = lua_newuserdatauv(L, sizeof(*b), 0);
    *b = (struct box){0};
    luaL_setmetatable(L, CLASS);
    struct err err = ERR_INIT;
    struct store_config store = {.dir = dir};
    if (store_open(&store, &b->store, &err) < 0) {
        return push_err(L, &err);
    }
    pthread_mutex_init(&b->lock, NULL);
    thread_cond_init(&b->changed);
    store_wake_add(b->store, on_commit, b);
    struct engine_config c = {
        .store = b->store, .dir = dir, .workflow_dirs = dirs, .n_workflow_dirs = n, .workers = 2,
        .collect_frequency_s = collect, .compat = kpt ? "kpt" : NULL};
    if (engine_new(&c, &b->engine, &err) < 0 ||
        (quiet ? engine_namespace_seed(b->engine, &err) : engine_start(b->engine, &err)) < 0) {
        return push_err(L, &err);
    }
    return 1;
}

/* --- rows --- */

static int store_row(struct box *b, const struct api_kind *k, struct str json, struct str data,
                     int64_t *out_rv, struct err *err)
{
    AUTO_ARENA a = ARENA_INIT;
    struct node *o = json_parse(&a, json, NULL, err);
    if (!o) {
        return -1;
    }
    struct store_put put = {.expect_rv = -1};
    cells_encode(&a, k, o, &put);
    put.data = data;
    struct store_txn *txn = store_txn_new(&a);
    store_txn_put(txn, &put);
    if (store_commit(b->store, txn, err) < 0) {
        return -1;
    }
    *out_rv = put.rv;
    return 0;
}

static int l_put(lua_State *L)
{
    struct box *b = check(L);
    struct err err = ERR_INIT;
    int64_t rv;
    if (store_row(b, kind_of(L, arg(L, 2)), arg(L, 3), arg(L, 4), &rv, &err) < 0) {
        return push_err(L, &err);
    }
    lua_pushinteger(L, rv);
    return 1;
}

/* 1 = *out filled, 0 = absent. */
static int find_row(struct box *b, const struct api_kind *k, struct str ns, struct str name,
                    struct arena *a, struct store_object *out, struct err *err)
{
    if (store_get(b->store, str_of(k->store_kind), namespace_of(k, ns), name, a, out, err) == 0) {
        return 1;
    }
    if (!err_is(err, ERR_NOT_FOUND)) {
        return -1;
    }
    err_drop(err); /* absence is an answer */
    return 0;
}

static int l_get(lua_State *L)
{
    struct box *b = check(L);
    const struct api_kind *k = kind_of(L, arg(L, 2));
    struct str ns = arg(L, 3), name = arg(L, 4);
    struct err err = ERR_INIT;
    AUTO_ARENA a = ARENA_INIT;
    struct store_object o;
    int found = find_row(b, k, ns, name, &a, &o, &err);
    if (found <= 0) {
        return found ? push_err(L, &err) : 0;
    }
    push_str(L, o.json);
    push_str(L, o.data);
    lua_pushinteger(L, o.rv);
    return 3;
}

/* 1 = the object is as wanted and, unless gone is wanted, in *out. */
static int look(struct box *b, const struct api_kind *k, struct str ns, struct str name,
                struct str text, struct arena *a, struct store_object *out, struct err *err)
{
    int found = find_row(b, k, ns, name, a, out, err);
    if (found <= 0) {
        return found == 0 && !text.ptr ? 1 : found;
    }
    return text.ptr && str_find(out->json, text) >= 0;
}

static int l_wait(lua_State *L)
{
    struct box *b = check(L);
    const struct api_kind *k = kind_of(L, arg(L, 2));
    struct str ns = arg(L, 3), name = arg(L, 4), text = arg(L, 5);
    int64_t deadline = clock_mono_ns() + WAIT_S * NS_PER_S;
    struct err err = ERR_INIT;
    AUTO_ARENA a = ARENA_INIT;
    struct store_object o;
    pthread_mutex_lock(&b->lock); /* held while looking: no commit is missed */
    int found = look(b, k, ns, name, text, &a, &o, &err);
    while (found == 0 && clock_mono_ns() < deadline) {
        (void)thread_cond_wait_until(&b->changed, &b->lock, deadline);
        found = look(b, k, ns, name, text, &a, &o, &err);
    }
    pthread_mutex_unlock(&b->lock);
    if (found == 0) {
        err_set(&err, ERR_TIMEOUT, "waited in vain");
    }
    if (found <= 0) {
        return push_err(L, &err);
    }
    if (text.ptr) {
        push_str(L, o.json);
    } else {
        lua_pushboolean(L, 1);
    }
    return 1;
}

static int l_removed(lua_State *L)
{
    struct box *b = check(L);
    uint64_t wanted = (uint64_t)luaL_checkinteger(L, 2);
    int64_t deadline = clock_mono_ns() + WAIT_S * NS_PER_S;
    struct store_stats st;
    pthread_mutex_lock(&b->lock);
    store_stats_get(b->store, &st);
    while (st.removed < wanted && clock_mono_ns() < deadline) {
        (void)thread_cond_wait_until(&b->changed, &b->lock, deadline);
        store_stats_get(b->store, &st);
    }
    pthread_mutex_unlock(&b->lock);
    lua_pushinteger(L, (lua_Integer)st.removed);
    return 1;
}

static int push_rows(lua_State *L, bool names)
{
    struct box *b = check(L);
    const struct api_kind *k = kind_of(L, arg(L, 2));
    struct store_query q = {.kind = str_of(k->store_kind), .ns = namespace_of(k, arg(L, 3))};
    struct err err = ERR_INIT;
    int64_t rv;
    struct store_list *l = store_list_open(b->store, &q, &rv, &err);
    if (!l) {
        return push_err(L, &err);
    }
    lua_newtable(L);
    struct store_object row;
    lua_Integer n = 0;
    int got;
    while ((got = store_list_next(l, &row, &err)) > 0) {
        push_str(L, names ? row.name : row.json);
        lua_rawseti(L, -2, ++n);
    }
    store_list_close(l);
    return got < 0 ? push_err(L, &err) : 1;
}

static int l_list(lua_State *L)
{
    return push_rows(L, true);
}

static int l_objects(lua_State *L)
{
    return push_rows(L, false);
}

/* --- writes --- */

struct waiter {
    struct box *box;
    bool done;
};

static void on_done(void *ctx, struct engine_write *write)
{
    struct waiter *w = ctx;
    pthread_mutex_lock(&w->box->lock);
    w->done = true;
    pthread_cond_broadcast(&w->box->changed);
    pthread_mutex_unlock(&w->box->lock);
}

static void submit(struct box *b, struct engine_write *write)
{
    struct waiter w = {.box = b};
    engine_submit(b->engine, write, on_done, &w);
    pthread_mutex_lock(&b->lock);
    while (!w.done) {
        pthread_cond_wait(&b->changed, &b->lock); /* the write has its own deadline */
    }
    pthread_mutex_unlock(&b->lock);
}

/* The object as the client saw it: w->old and w->old_rv. What is given goes before the stored. */
static void set_old(struct box *b, struct engine_write *w, struct str old, int64_t rv)
{
    bool resources = strcmp(w->kind->store_kind, KIND_RESOURCES) == 0;
    const struct api_kind *k = resources ? engine_kind(KIND_REVISIONS) : w->kind;
    struct store_object row;
    if (!old.len) {
        int found = find_row(b, k, w->ns, w->name, w->arena, &row, &w->err);
        if (found == 0) {
            (void)engine_not_found(w->kind, w->name, &w->err);
        }
        if (found <= 0) {
            return;
        }
        old = row.json;
        w->old_rv = row.rv;
    }
    w->old_rv = rv ? rv : w->old_rv;
    w->old = json_parse(w->arena, old, NULL, &w->err);
}

static int l_write(lua_State *L)
{
    static const char *const verbs[] = {"create", "update", "delete", NULL};
    static const struct str groups[] = {{"system:authenticated", 20}};
    struct box *b = check(L);
    luaL_checktype(L, 2, LUA_TTABLE);
    lua_getfield(L, 2, "verb");
    int verb = luaL_checkoption(L, -1, NULL, verbs);
    struct str object = member(L, 2, "object"), old = member(L, 2, "old");
    const struct api_kind *kind = kind_of(L, member(L, 2, "kind"));
    bool named = lua_getfield(L, 2, "user") != LUA_TNIL;
    struct str user = named ? member(L, 2, "user") : STR("tester");
    lua_getfield(L, 2, "rv");
    int64_t rv = lua_tointeger(L, -1);
    lua_getfield(L, 2, "dry_run");
    bool dry_run = lua_toboolean(L, -1);
    struct arena a = ARENA_INIT;
    struct engine_write w = {
        .arena = &a,
        .verb = (enum engine_verb)verb,
        .kind = kind,
        .subresource = member(L, 2, "subresource"),
        .ns = member(L, 2, "ns"),
        .name = member(L, 2, "name"),
        .user = {.name = user, .groups = groups, .n_groups = 1, .anonymous = user.len == 0},
        .dry_run = dry_run,
        .deadline_ns = clock_mono_ns() + WAIT_S * NS_PER_S,
    };
    w.object = object.len ? json_parse(&a, object, NULL, &w.err) : NULL;
    if (w.err.kind == ERR_NONE && verb != ENGINE_CREATE) {
        set_old(b, &w, old, rv);
    } else if (w.err.kind == ERR_NONE && w.name.len == 0) {
        w.name = node_text_at(w.object, "metadata.name");
        w.name = w.name.ptr ? w.name : STR("");
    }
    if (w.err.kind == ERR_NONE) {
        submit(b, &w);
    }
    int pushed = 1;
    if (w.err.kind != ERR_NONE) {
        pushed = push_err(L, &w.err);
    } else {
        push_str(L, w.json);
    }
    arena_done(&a);
    return pushed;
}

static int l_resources(lua_State *L)
{
    struct box *b = check(L);
    struct str ns = arg(L, 2), name = arg(L, 3), json;
    struct err err = ERR_INIT;
    AUTO_ARENA a = ARENA_INIT;
    struct store_object row;
    if (store_get(b->store, STR(KIND_REVISIONS), ns, name, &a, &row, &err) < 0 ||
        engine_resources_get(b->engine, &row, &a, &json, &err) < 0) {
        return push_err(L, &err);
    }
    push_str(L, json);
    return 1;
}

/* --- repositories --- */

static int sync_once(struct engine *e, struct str ns, struct str name, int64_t *out_n,
                     struct err *err)
{
    struct repo *repo;
    struct repo_state state;
    if (engine_open_repo(e, ns, name, &repo, err) < 0) {
        return -1;
    }
    int rc = repo_fetch(repo, clock_mono_ns() + WAIT_S * NS_PER_S, &state, err) < 0 ||
                     engine_reconcile(e, repo, ns, name, out_n, err) < 0
                 ? -1
                 : 0;
    repo_unref(repo);
    return rc;
}

static int l_sync(lua_State *L)
{
    struct box *b = check(L);
    struct err err = ERR_INIT;
    int64_t n = 0;
    if (sync_once(b->engine, arg(L, 2), arg(L, 3), &n, &err) < 0) {
        return push_err(L, &err);
    }
    lua_pushinteger(L, n);
    return 1;
}

static int l_credential(lua_State *L)
{
    static const char *const types[] = {"none", "basic", "bearer", "ssh"};
    struct box *b = check(L);
    struct err err = ERR_INIT;
    struct repo *repo;
    if (engine_open_repo(b->engine, arg(L, 2), arg(L, 3), &repo, &err) < 0) {
        return push_err(L, &err);
    }
    const struct repo_credential *c = &repo->remote.credential;
    lua_newtable(L);
    set_str(L, "type", str_of(types[c->type]));
    set_str(L, "username", c->username);
    set_str(L, "password", c->password);
    set_str(L, "token", c->token);
    repo_unref(repo);
    return 1;
}

/* --- rules --- */

static int validate(lua_State *L, struct str subresource, struct str old, struct str now)
{
    struct err err = ERR_INIT;
    AUTO_ARENA a = ARENA_INIT;
    struct engine_write w = {
        .arena = &a,
        .verb = old.ptr ? ENGINE_UPDATE : ENGINE_CREATE,
        .kind = engine_kind(KIND_REVISIONS),
        .subresource = subresource,
    };
    w.object = json_parse(&a, now, NULL, &err);
    w.old = w.object && old.ptr ? json_parse(&a, old, NULL, &err) : NULL;
    if (err.kind != ERR_NONE) {
        return push_err(L, &err);
    }
    w.name = node_text_at(w.object, "metadata.name");
    if (old.ptr ? engine_validate_update(&w, &err) < 0 : engine_validate_create(&w, &err) < 0) {
        return push_err(L, &err);
    }
    lua_pushboolean(L, 1);
    return 1;
}

static int l_validate_create(lua_State *L)
{
    return validate(L, STR(""), STR_NULL, arg(L, 1));
}

static int l_validate_update(lua_State *L)
{
    return validate(L, arg(L, 1), arg(L, 2), arg(L, 3));
}

int luaopen_probe_engine(lua_State *L);
int luaopen_probe_engine(lua_State *L)
{
    static const luaL_Reg methods[] = {
        {"close", close_box}, {"write", l_write},         {"get", l_get},
        {"wait", l_wait},     {"list", l_list},           {"objects", l_objects},
        {"put", l_put},       {"removed", l_removed}, {"resources", l_resources}, {"sync", l_sync},
        {"credential", l_credential}, {NULL, NULL}};
    static const luaL_Reg module[] = {{"open", open_box},
                                      {"validate_create", l_validate_create},
                                      {"validate_update", l_validate_update},
                                      {NULL, NULL}};
    luaL_newmetatable(L, CLASS);
    lua_newtable(L);
    luaL_setfuncs(L, methods, 0);
    lua_setfield(L, -2, "__index");
    lua_pushcfunction(L, close_box);
    lua_setfield(L, -2, "__gc");
    lua_pop(L, 1);
    luaL_newlib(L, module);
    return 1;
}
