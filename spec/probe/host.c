/* SPDX-License-Identifier: Apache-2.0
 *
 * probe_host: workflows against a temporary store.
 *
 *   functions() → list of {class, name, effect, phases = {…}}
 *   catalog(dirs) → list of {name, version, summary, path, api, on, effects}, or nil, kind, message
 *   open(dir, workflow_dirs?) → env
 *   env:put(kind, ns, name, json, f1?, f2?, ref?) → number given
 *   env:content(name, {path = text}) makes the content of a package revision
 *   env:run(verb, req_json, {ns=, dry_run=, config=, now=, deadline_ms=, workflow=,
 *     render=}?) → {ok, kind,
 *     message, causes, effects, reads, result, peak, n_repos}
 *   env:close()
 */
#include <lauxlib.h>
#include <lua.h>

#include "base/clock.h"
#include "base/map.h"
#include "base/mem.h"
#include "host/host.h"
#include "host/priv.h"

#define CLASS "probe.host_env"

struct env {
    struct store *store;
    struct repo_pool *pool;
    struct script_set *set;
    struct host_workflow *workflows;
    size_t n_workflows;
    struct eval_catalog functions;
    struct arena arena; /* catalog, content ids */
    struct map trees;   /* revision name → struct repo_id */
};

static int push_err(lua_State *L, struct err *err)
{
    lua_pushnil(L);
    lua_pushstring(L, err_kind_name(err->kind));
    lua_pushstring(L, err->message);
    err_done(err);
    return 3;
}

static void set_str(lua_State *L, const char *key, struct str s)
{
    if (s.ptr) {
        lua_pushlstring(L, s.ptr, s.len);
        lua_setfield(L, -2, key);
    }
}

static void set_json(lua_State *L, const char *key, struct arena *a, const struct node *n)
{
    if (n) {
        set_str(L, key, json_emit_str(a, n));
    }
}

static int functions(lua_State *L)
{
    static const enum host_phase phases[] = {HOST_LOAD, HOST_NEEDS, HOST_CHECK, HOST_RUN,
                                             HOST_LOCAL};
    lua_Integer n = 0;
    lua_newtable(L);
    for (size_t t = 0; host_function_tables[t]; t++) {
        for (const struct host_function *f = host_function_tables[t]; f->class; f++) {
            lua_newtable(L);
            set_str(L, "class", str_of(f->class));
            set_str(L, "name", str_of(f->name));
            set_str(L, "effect", str_of(f->effect));
            lua_newtable(L);
            for (size_t p = 0, k = 0; p < 5; p++) {
                if (f->phases & phases[p]) {
                    lua_pushstring(L, host_phase_name(phases[p]));
                    lua_rawseti(L, -2, (lua_Integer)++k);
                }
            }
            lua_setfield(L, -2, "phases");
            lua_rawseti(L, -2, ++n);
        }
    }
    return 1;
}

static size_t check_dirs(lua_State *L, int arg, const char **dirs, size_t max)
{
    size_t n = 0;
    while (lua_istable(L, arg) && n < max &&
           lua_rawgeti(L, arg, (lua_Integer)n + 1) == LUA_TSTRING) {
        dirs[n++] = lua_tostring(L, -1);
    }
    return n;
}

static void push_list(lua_State *L, const char *key, const struct str *list, size_t n)
{
    lua_newtable(L);
    for (size_t i = 0; i < n; i++) {
        lua_pushlstring(L, list[i].ptr, list[i].len);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    lua_setfield(L, -2, key);
}

static void push_catalog(lua_State *L, const struct host_workflow *w, size_t n)
{
    lua_newtable(L);
    for (size_t i = 0; i < n; i++) {
        lua_newtable(L);
        set_str(L, "name", w[i].name);
        set_str(L, "version", w[i].version);
        set_str(L, "summary", w[i].summary);
        set_str(L, "path", w[i].path);
        set_str(L, "sha256", str_of(w[i].sha256));
        lua_pushinteger(L, w[i].api);
        lua_setfield(L, -2, "api");
        push_list(L, "on", w[i].on, w[i].n_on);
        push_list(L, "effects", w[i].effects, w[i].n_effects);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
}

static int catalog(lua_State *L)
{
    const char *dirs[8];
    size_t n_dirs = check_dirs(L, 1, dirs, 8), n;
    struct err err = ERR_INIT;
    struct script_set *set = NULL;
    struct host_workflow *w;
    struct arena a = ARENA_INIT;
    int pushed = 1;
    const struct script_dirs in = {.workflows = dirs, .n_workflows = n_dirs};
    if (script_set_load(&in, &set, &err) < 0 ||
        host_catalog_load(set, &a, &w, &n, &err) < 0) {
        pushed = push_err(L, &err);
    } else {
        push_catalog(L, w, n);
    }
    script_set_unref(set);
    arena_done(&a);
    return pushed;
}

/* --- environment --- */

static struct env *check(lua_State *L)
{
    return luaL_checkudata(L, 1, CLASS);
}

static int env_close(lua_State *L)
{
    struct env *e = check(L);
    if (e->pool) {
        repo_pool_close(e->pool);
    }
    store_close(e->store);
    script_set_unref(e->set);
    map_done(&e->trees);
    arena_done(&e->arena);
    *e = (struct env){0};
    return 0;
}

static int open_env(lua_State *L)
{
    const char *dir = luaL_checkstring(L, 1), *dirs[8];
    size_t n_dirs = check_dirs(L, 2, dirs, 8);
    struct env *e = lua_newuserdatauv(L, sizeof(*e), 0);
    *e = (struct env){0};
    luaL_setmetatable(L, CLASS);
    struct err err = ERR_INIT;
    const struct script_dirs in = {.workflows = dirs, .n_workflows = n_dirs};
    struct store_config c = {.dir = dir};
    const char *mirrors = lua_pushfstring(L, "%s/mirrors", dir);
    if (store_open(&c, &e->store, &err) < 0 ||
        repo_pool_open(mirrors, e->store, &e->pool, &err) < 0 ||
        script_set_load(&in, &e->set, &err) < 0 ||
        host_catalog_load(e->set, &e->arena, &e->workflows, &e->n_workflows, &err) < 0 ||
        eval_catalog_load(e->set, &e->arena, &e->functions, &err) < 0) {
        return push_err(L, &err);
    }
    lua_pushvalue(L, -2);
    return 1;
}

static struct str check_str(lua_State *L, int arg)
{
    struct str s;
    s.ptr = luaL_checklstring(L, arg, &s.len);
    return s;
}

static struct str opt_str(lua_State *L, int arg)
{
    return lua_isnoneornil(L, arg) ? STR("") : check_str(L, arg);
}

static int env_put(lua_State *L)
{
    struct env *e = check(L);
    struct arena a = ARENA_INIT;
    struct err err = ERR_INIT;
    struct store_put p = {.kind = check_str(L, 2), .ns = check_str(L, 3), .name = check_str(L, 4),
                          .uid = STR("uid"), .cells = STR("[]"), .expect_rv = -1,
                          .f1 = opt_str(L, 6), .f2 = opt_str(L, 7), .ref = opt_str(L, 8)};
    struct node *o = json_parse(&a, check_str(L, 5), NULL, &err);
    if (o) {
        node_set_at(&a, o, "metadata.resourceVersion", node_strz(&a, ""));
        p.json = json_emit_str(&a, o);
        struct str meta = json_emit_str(&a, node_getz(o, "metadata"));
        p.rv_at = (size_t)str_find(p.json, STR("\"resourceVersion\":\"\"")) +
                  strlen("\"resourceVersion\":\"");
        p.meta_from = (size_t)str_find(p.json, meta);
        p.meta_to = p.meta_from + meta.len;
        struct store_txn *t = store_txn_new(&a);
        store_txn_put(t, &p);
        (void)store_commit(e->store, t, &err);
    }
    arena_done(&a);
    if (err.kind) {
        return push_err(L, &err);
    }
    lua_pushinteger(L, p.rv);
    return 1;
}

static int env_content(lua_State *L)
{
    struct env *e = check(L);
    struct str name = check_str(L, 2);
    luaL_checktype(L, 3, LUA_TTABLE);
    struct repo_file *files = NULL;
    size_t n = 0, cap = 0;
    for (lua_pushnil(L); lua_next(L, 3); lua_pop(L, 1)) {
        *HOST_PUSH(&e->arena, files, n, cap) =
            (struct repo_file){.path = arena_str(&e->arena, check_str(L, -2)),
                               .mode = 0100644,
                               .bytes = arena_str(&e->arena, check_str(L, -1))};
    }
    struct err err = ERR_INIT;
    struct repo_id *id = arena_new(&e->arena, struct repo_id);
    struct store_txn *t = store_txn_new(&e->arena);
    if (repo_tree_make(e->pool, NULL, NULL, t, &e->arena, files, n, id, &err) < 0 ||
        store_commit(e->store, t, &err) < 0) {
        return push_err(L, &err);
    }
    map_set(&e->trees, name, id);
    lua_pushboolean(L, 1);
    return 1;
}

static int open_package(void *ctx, struct str ns, struct str name, struct repo **out_repo,
                        struct repo_id *out_tree, struct err *err)
{
    const struct repo_id *id = map_find(&((struct env *)ctx)->trees, name);
    if (!id) {
        return err_set(err, ERR_NOT_FOUND, "no content of '%.*s'", STR_ARG(name));
    }
    *out_repo = NULL;
    *out_tree = *id;
    return 0;
}

/* --- runs --- */

static void push_files(lua_State *L, struct env *e, struct arena *a, const struct host_tree *t)
{
    lua_newtable(L);
    for (size_t i = 0; i < t->n_files; i++) {
        struct str bytes = t->files[i].bytes;
        struct err err = ERR_INIT;
        if (!bytes.ptr && repo_blob_get(e->pool, t->repo, &t->files[i].blob, a, &bytes, &err) < 0) {
            bytes = STR("(unreadable)");
            err_done(&err);
        }
        lua_pushlstring(L, t->files[i].path.ptr, t->files[i].path.len);
        lua_pushlstring(L, bytes.ptr ? bytes.ptr : "", bytes.len);
        lua_rawset(L, -3);
    }
    lua_setfield(L, -2, "files");
}

static void push_effects(lua_State *L, struct env *e, const struct host_run *r)
{
    static const char *const types[] = {"save", "transition", "publish", "apply", "remove",
                                        "event"};
    lua_newtable(L);
    for (size_t i = 0; i < r->n_effects; i++) {
        const struct host_effect *f = &r->effects[i];
        lua_newtable(L);
        set_str(L, "type", str_of(types[f->type]));
        set_json(L, "object", r->arena, f->object);
        set_json(L, "task", r->arena, f->task);
        set_json(L, "render", r->arena, f->render);
        set_str(L, "failure", f->failure);
        set_str(L, "text", f->text);
        set_str(L, "reason", f->reason);
        lua_pushboolean(L, f->warning);
        lua_setfield(L, -2, "warning");
        if (f->tree) {
            push_files(L, e, r->arena, f->tree);
        }
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    lua_setfield(L, -2, "effects");
    lua_newtable(L);
    for (size_t i = 0; i < r->n_reads; i++) {
        const struct host_read *d = &r->reads[i];
        lua_pushfstring(L, "%s/%s/%s", arena_strz(r->arena, d->kind),
                        arena_strz(r->arena, d->ns), arena_strz(r->arena, d->name));
        lua_pushfstring(L, d->prefix ? "*" : "@%I", (LUAI_UACINT)d->rv);
        lua_concat(L, 2);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    lua_setfield(L, -2, "reads");
}

static void push_failure(lua_State *L, const struct err *err)
{
    set_str(L, "kind", str_of(err_kind_name(err->kind)));
    set_str(L, "message", str_of(err->message));
    lua_newtable(L);
    for (size_t i = 0; i < err->n_causes; i++) {
        lua_newtable(L);
        set_str(L, "reason", str_of(err->causes[i].reason));
        set_str(L, "field", str_of(err->causes[i].field));
        set_str(L, "message", str_of(err->causes[i].message));
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    lua_setfield(L, -2, "causes");
}

static struct str option(lua_State *L, const char *name)
{
    struct str s = STR_NULL;
    if (lua_istable(L, 4) && lua_getfield(L, 4, name) != LUA_TNIL) {
        s.ptr = lua_tolstring(L, -1, &s.len); /* the option table keeps it */
    }
    return s;
}

static int64_t number_option(lua_State *L, const char *name, int64_t none)
{
    int64_t v = none;
    (void)(str_to_int64(option(L, name), &v));
    return v;
}

static const struct host_workflow *find(const struct env *e, struct str verb)
{
    for (size_t i = 0; i < e->n_workflows; i++) {
        for (size_t k = 0; k < e->workflows[i].n_on; k++) {
            if (str_eq(e->workflows[i].on[k], verb)) {
                return &e->workflows[i];
            }
        }
    }
    return NULL;
}

static int env_run(lua_State *L)
{
    static const struct str groups[] = {{"system:authenticated", 20}};
    static const struct user user = {
        .name = {"alice", 5}, .groups = groups, .n_groups = 1};
    struct env *e = check(L);
    struct str verb = check_str(L, 2), req = check_str(L, 3), config = option(L, "config");
    struct str ns = option(L, "ns");
    int64_t deadline = number_option(L, "deadline_ms", 0);
    const struct host_workflow *w = find(e, verb);
    luaL_argcheck(L, w, 2, "no workflow for this verb");
    struct arena a = ARENA_INIT;
    struct err err = ERR_INIT;
    struct host_run r = {
        .arena = &a, .store = e->store, .pool = e->pool,
        .functions = option(L, "render").ptr ? &e->functions : NULL, .user = &user,
        .ns = ns.ptr ? ns : STR("ns"), .verb = verb, .dry_run = option(L, "dry_run").ptr != NULL,
        .deadline_ns = deadline ? clock_mono_ns() + deadline * NS_PER_MS : 0,
        .now_ns = number_option(L, "now", 1000) * NS_PER_S, .id = STR("run"),
        .open_package = open_package, .ctx = e,
    };
    r.req = json_parse(&a, req, NULL, &err);
    r.config = config.ptr ? json_parse(&a, config, NULL, &err) : NULL;
    int rc = err.kind ? -1 : host_run(&r, e->set, w, &err);
    lua_newtable(L);
    lua_pushboolean(L, rc == 0);
    lua_setfield(L, -2, "ok");
    if (rc < 0) {
        push_failure(L, &err);
    }
    push_effects(L, e, &r);
    set_json(L, "result", &a, r.result);
    lua_pushinteger(L, (lua_Integer)r.peak_bytes);
    lua_setfield(L, -2, "peak");
    host_run_done(&r);
    err_done(&err);
    arena_done(&a);
    return 1;
}

int luaopen_probe_host(lua_State *L);
int luaopen_probe_host(lua_State *L)
{
    static const luaL_Reg methods[] = {
        {"put", env_put}, {"content", env_content}, {"run", env_run}, {"close", env_close},
        {NULL, NULL}};
    static const luaL_Reg module[] = {
        {"functions", functions}, {"catalog", catalog}, {"open", open_env}, {NULL, NULL}};
    luaL_newmetatable(L, CLASS);
    luaL_newlib(L, methods);
    lua_setfield(L, -2, "__index");
    lua_pushcfunction(L, env_close);
    lua_setfield(L, -2, "__gc");
    luaL_newlib(L, module);
    return 1;
}
