/* SPDX-License-Identifier: Apache-2.0
 *
 * lanai.eval: functions for verbs of the command line. The generation is that of the verb, or one
 * with directories of its user; it is loaded when it is first asked for and lives as long as the
 * verb.
 */
#include "eval/eval.h"

#include "host/local.h"
#include "host/priv.h"

#define MAX_DIRS 16

struct host_eval {
    struct script_set *set;
    struct eval_catalog catalog;
};

void host_eval_done(struct host_state *st)
{
    if (st->eval) {
        script_set_unref(st->eval->set);
    }
}

static int load(struct host_state *st, const struct script_dirs *dirs, struct err *err)
{
    struct arena *a = st->run->arena;
    struct host_eval *e = arena_array(a, struct host_eval, 1);
    *e = (struct host_eval){0};
    if (!dirs) {
        e->set = script_set_ref(st->local->set);
    } else if (script_set_load(dirs, &e->set, err) < 0) {
        return -1;
    }
    if (eval_catalog_load(e->set, a, &e->catalog, err) < 0) {
        script_set_unref(e->set);
        return -1;
    }
    host_eval_done(st);
    st->eval = e;
    return 0;
}

/* open(dirs) loads the functions that ship with those of the directories. */
static int eval_open(lua_State *L)
{
    const char *names[MAX_DIRS];
    luaL_checktype(L, 1, LUA_TTABLE);
    size_t n = lua_rawlen(L, 1);
    luaL_argcheck(L, n <= MAX_DIRS, 1, "too many directories");
    for (size_t i = 0; i < n; i++) {
        lua_rawgeti(L, 1, (lua_Integer)i + 1);
        struct str s;
        s.ptr = luaL_checklstring(L, -1, &s.len);
        names[i] = arena_strz(script_arena(L), s);
        lua_pop(L, 1);
    }
    const struct script_dirs dirs = {.functions = names, .n_functions = n};
    if (load(host_state_of(L), n ? &dirs : NULL, host_err(L)) < 0) {
        return host_push_error(L);
    }
    lua_pushboolean(L, 1);
    return 1;
}

/* Raises when nothing was opened: that is a fault of the verb. */
static const struct eval_catalog *catalog_of(lua_State *L)
{
    struct host_state *st = host_state_of(L);
    if (!st->eval) {
        luaL_error(L, "lanai.eval.open comes first");
    }
    return &st->eval->catalog;
}

static void set_text(lua_State *L, const char *key, struct str s)
{
    lua_pushlstring(L, s.ptr ? s.ptr : "", s.len);
    lua_setfield(L, -2, key);
}

static void set_texts(lua_State *L, const char *key, const struct str *list, size_t n)
{
    lua_createtable(L, (int)n, 0);
    for (size_t i = 0; i < n; i++) {
        lua_pushlstring(L, list[i].ptr, list[i].len);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    lua_setfield(L, -2, key);
}

static int eval_functions(lua_State *L)
{
    const struct eval_catalog *c = catalog_of(L);
    lua_createtable(L, (int)c->n, 0);
    for (size_t i = 0; i < c->n; i++) {
        const struct eval_function *f = &c->functions[i];
        lua_createtable(L, 0, 6);
        set_text(L, "name", f->name);
        set_text(L, "summary", f->summary);
        set_text(L, "doc", f->doc);
        set_text(L, "path", f->source->path);
        set_texts(L, "versions", f->versions, f->n_versions);
        set_texts(L, "images", f->images, f->n_images);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    return 1;
}

/* --- what scripts ask for --- */

static struct str text_member(lua_State *L, const char *key)
{
    struct str s = STR_NULL;
    if (lua_getfield(L, 1, key) != LUA_TNIL) {
        s.ptr = luaL_checklstring(L, -1, &s.len);
        s = arena_str(script_arena(L), s);
    }
    lua_pop(L, 1);
    return s;
}

static struct node *node_member(lua_State *L, const char *key)
{
    lua_getfield(L, 1, key);
    struct node *n = lua_isnil(L, -1) ? NULL : script_handle_node(L, -1);
    luaL_argcheck(L, n || lua_isnil(L, -1), 1, "a node is expected");
    lua_pop(L, 1);
    return n;
}

static struct eval_options check_options(lua_State *L)
{
    struct str prefix = text_member(L, "prefix");
    struct eval_options o = {.catalog = catalog_of(L),
                             .runner = host_state_of(L)->local->runner,
                             .kpt = host_compat_is_kpt(L, 1)};
    o.image_prefix = prefix.len ? arena_strz(script_arena(L), prefix) : NULL;
    o.local = true;
    lua_getfield(L, 1, "allow_exec");
    o.allow_exec = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return o;
}

/* --- progress --- */

struct watcher {
    lua_State *L;
    struct eval_progress progress;
};

static void push_result(lua_State *L, const struct eval_result *r)
{
    lua_createtable(L, 0, 8);
    set_text(L, r->exec ? "exec" : "image", r->image);
    set_text(L, "log", r->log);
    set_text(L, "error", r->error);
    lua_pushinteger(L, r->exit_code);
    lua_setfield(L, -2, "exit_code");
    lua_pushinteger(L, r->ns / 1000000);
    lua_setfield(L, -2, "ms");
    lua_pushboolean(L, r->ran);
    lua_setfield(L, -2, "ran");
    script_push_handle(L, r->results, true);
    lua_setfield(L, -2, "results");
}

struct event {
    const char *name;
    struct str dir, failure;
    const struct eval_result *result;
    int64_t selected;
};

/* tell(on, event): calls the listener of the event in the table `on`. */
static int tell(lua_State *L)
{
    const struct event *e = lua_touserdata(L, 2);
    if (lua_getfield(L, 1, e->name) == LUA_TNIL) {
        return 0;
    }
    if (!e->result) {
        lua_pushlstring(L, e->dir.ptr ? e->dir.ptr : "", e->dir.len);
        lua_call(L, 1, 0);
        return 0;
    }
    push_result(L, e->result);
    if (e->selected >= 0) {
        lua_pushinteger(L, e->selected);
        lua_setfield(L, -2, "selected");
    }
    lua_pushlstring(L, e->failure.ptr ? e->failure.ptr : "", e->failure.len);
    lua_call(L, 2, 0);
    return 0;
}

/* C code is on the stack that must not be left by a Lua error. What a listener raises is lost: it
 * only shows what happens. */
static void notify(const struct watcher *w, const struct event *e)
{
    lua_State *L = w->L;
    lua_pushcfunction(L, tell);
    lua_getfield(L, 1, "on");
    lua_pushlightuserdata(L, (void *)e);
    if (lua_pcall(L, 2, 0, 0) != LUA_OK) {
        lua_pop(L, 1);
    }
}

static void on_package(void *ctx, struct str dir, bool done)
{
    notify(ctx, &(struct event){.name = done ? "done" : "package", .dir = dir});
}

static void on_start(void *ctx, const struct eval_result *r, int64_t selected)
{
    notify(ctx, &(struct event){.name = "starts", .result = r, .selected = selected});
}

static void on_end(void *ctx, const struct eval_result *r, struct str failure)
{
    notify(ctx, &(struct event){.name = "ends", .result = r, .selected = -1, .failure = failure});
}

/* Progress goes to the functions in table `on` of the argument, if there is one. */
static void watch(lua_State *L, struct watcher *w, struct eval_options *o)
{
    *w = (struct watcher){L, {on_package, on_start, on_end, w}};
    if (lua_getfield(L, 1, "on") != LUA_TNIL) {
        luaL_checktype(L, -1, LUA_TTABLE);
        o->progress = &w->progress;
    }
    lua_pop(L, 1);
    luaL_checkstack(L, 8, NULL);
}

/* --- running --- */

/* one{items=, image= or exec=, …}: what became of the function. */
static int eval_run_one(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    struct eval_options o = check_options(L);
    struct watcher w;
    watch(L, &w, &o);
    const struct eval_step step = {.image = text_member(L, "image"),
                                   .tag = text_member(L, "tag"),
                                   .exec = text_member(L, "exec"),
                                   .config = node_member(L, "config"),
                                   .selectors = node_member(L, "selectors"),
                                   .exclude = node_member(L, "exclude")};
    struct node *items = node_member(L, "items");
    luaL_argcheck(L, node_is(items, NODE_LIST), 1, "items are a list of resources");
    struct eval_result r;
    struct err *err = host_err(L);
    int rc = eval_apply(&o, script_arena(L), &step, STR_NULL, true, items, &r, err);
    script_check_memory(L, 0);
    push_result(L, &r);
    if (rc && err->message) {
        set_text(L, "failure", str_of(err->message));
    }
    return 1;
}

/* render{files=, root=, …}: what became of the package. */
static int eval_run_render(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    struct eval_options o = check_options(L);
    struct watcher w;
    watch(L, &w, &o);
    lua_getfield(L, 1, "files");
    struct krm_files files = host_check_files(L, -1, 1);
    lua_pop(L, 1);
    const char *root = arena_strz(script_arena(L), text_member(L, "root"));
    struct eval_outcome out;
    if (eval_render(&o, script_arena(L), &files, root, &out, host_err(L)) < 0) {
        return host_push_error(L);
    }
    script_check_memory(L, 0);
    lua_createtable(L, 0, 8);
    host_push_files(L, &out.files);
    lua_setfield(L, -2, "files");
    if (out.failed) {
        set_text(L, "failure", out.cause);
    }
    lua_pushboolean(L, out.written);
    lua_setfield(L, -2, "written");
    lua_pushinteger(L, (lua_Integer)out.n_functions);
    lua_setfield(L, -2, "functions");
    lua_pushinteger(L, (lua_Integer)out.n_packages);
    lua_setfield(L, -2, "packages");
    script_push_handle(L, out.results, false);
    lua_setfield(L, -2, "results");
    if (out.items) {
        script_push_handle(L, out.items, true);
        lua_setfield(L, -2, "items");
    }
    return 1;
}

const struct host_function host_eval_functions[] = {
    {"lanai.eval", "open", eval_open, HOST_LOCAL, NULL},
    {"lanai.eval", "functions", eval_functions, HOST_LOCAL, NULL},
    {"lanai.eval", "one", eval_run_one, HOST_LOCAL, NULL},
    {"lanai.eval", "render", eval_run_render, HOST_LOCAL, NULL},
    {NULL, NULL, NULL, 0, NULL},
};
