/* SPDX-License-Identifier: Apache-2.0
 *
 * probe_eval: functions and images for specs.
 *
 *   functions(dirs?) → list of {name, summary, versions, images, program}, or nil, kind, message
 *   resolve(image, tag?, prefix?) → {reference, name, version}, or nil, kind, message
 *   compare(a, b); run({{path, text}, …}, {image=, tag=, exec=, config = YAML?, kpt=, keep=,
 *     deadline_ms=, dirs=}) → {ok, exit_code, ns, error, image, results = JSON, files}
 *   render({{path, text}, …}, {kpt=, local=, root=, dirs=}) → {failed, error, results = JSON, files}
 */
#include <lauxlib.h>
#include <lua.h>

#include "base/clock.h"
#include "data/yaml_doc.h"
#include "eval/eval.h"

struct world {
    struct arena arena;
    struct script_set *set;
    struct eval_catalog catalog;
    struct err err;
};

static int world_gc(lua_State *L)
{
    struct world *w = lua_touserdata(L, 1);
    script_set_unref(w->set);
    arena_done(&w->arena);
    err_done(&w->err);
    return 0;
}

static struct world *make(lua_State *L, int dirs_arg)
{
    struct world *w = lua_newuserdatauv(L, sizeof(*w), 0);
    *w = (struct world){0};
    lua_newtable(L);
    lua_pushcfunction(L, world_gc);
    lua_setfield(L, -2, "__gc");
    lua_setmetatable(L, -2);
    const char *dir = lua_isstring(L, dirs_arg) ? lua_tostring(L, dirs_arg) : NULL;
    const struct script_dirs dirs = {.functions = &dir, .n_functions = dir ? 1 : 0};
    if (script_set_load(&dirs, &w->set, &w->err) == 0) {
        (void)eval_catalog_load(w->set, &w->arena, &w->catalog, &w->err);
    }
    return w;
}

static int push_err(lua_State *L, const struct err *err)
{
    lua_pushnil(L);
    lua_pushstring(L, err_kind_name(err->kind));
    lua_pushstring(L, err->message);
    return 3;
}

static void set_str(lua_State *L, const char *key, struct str s)
{
    lua_pushlstring(L, s.ptr ? s.ptr : "", s.len);
    lua_setfield(L, -2, key);
}

static void set_list(lua_State *L, const char *key, const struct str *list, size_t n)
{
    lua_createtable(L, (int)n, 0);
    for (size_t i = 0; i < n; i++) {
        lua_pushlstring(L, list[i].ptr, list[i].len);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    lua_setfield(L, -2, key);
}

static int functions(lua_State *L)
{
    const struct world *w = make(L, 1);
    if (w->err.kind) {
        return push_err(L, &w->err);
    }
    lua_newtable(L);
    for (size_t i = 0; i < w->catalog.n; i++) {
        const struct eval_function *f = &w->catalog.functions[i];
        lua_newtable(L);
        set_str(L, "name", f->name);
        set_str(L, "summary", f->summary);
        set_str(L, "program", f->program);
        set_list(L, "versions", f->versions, f->n_versions);
        set_list(L, "images", f->images, f->n_images);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    return 1;
}

static int resolve(lua_State *L)
{
    struct str image = str_of(luaL_checkstring(L, 1)), tag = str_of(luaL_optstring(L, 2, NULL));
    const char *prefix = luaL_optstring(L, 3, NULL);
    struct world *w = make(L, 4);
    struct eval_image out;
    if (w->err.kind ||
        eval_image_resolve(&w->catalog, &w->arena, image, tag, prefix, &out, &w->err)) {
        return push_err(L, &w->err);
    }
    lua_newtable(L);
    set_str(L, "reference", out.reference);
    set_str(L, "version", out.version);
    if (out.function) {
        set_str(L, "name", out.function->name);
    }
    return 1;
}

static int compare(lua_State *L)
{
    lua_pushinteger(L, eval_version_compare(str_of(luaL_checkstring(L, 1)),
                                            str_of(luaL_checkstring(L, 2))));
    return 1;
}

static struct str field(lua_State *L, const char *key)
{
    lua_getfield(L, 2, key);
    struct str s = {NULL, 0};
    s.ptr = lua_tolstring(L, -1, &s.len); /* the table keeps it alive */
    lua_pop(L, 1);
    return s;
}

static bool flag(lua_State *L, const char *key)
{
    lua_getfield(L, 2, key);
    bool v = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return v;
}

static struct krm_files take_files(lua_State *L, struct arena *a)
{
    struct krm_files files = {.n = lua_rawlen(L, 1)};
    files.list = arena_array(a, struct krm_file, files.n);
    for (size_t i = 0; i < files.n; i++) {
        lua_rawgeti(L, 1, (lua_Integer)i + 1);
        struct str *parts[] = {&files.list[i].path, &files.list[i].text};
        for (int k = 0; k < 2; k++) {
            lua_rawgeti(L, -1, k + 1);
            parts[k]->ptr = lua_tolstring(L, -1, &parts[k]->len);
            *parts[k] = arena_str(a, *parts[k]);
            lua_pop(L, 1);
        }
        lua_pop(L, 1);
    }
    return files;
}

static void set_files(lua_State *L, const struct krm_files *files)
{
    lua_createtable(L, (int)files->n, 0);
    for (size_t i = 0; i < files->n; i++) {
        const struct krm_file *f = &files->list[i];
        lua_newtable(L);
        lua_pushlstring(L, f->path.ptr, f->path.len);
        lua_rawseti(L, -2, 1);
        lua_pushlstring(L, f->text.ptr ? f->text.ptr : "", f->text.len);
        lua_rawseti(L, -2, 2);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    lua_setfield(L, -2, "files");
}

static int run(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    luaL_checktype(L, 2, LUA_TTABLE);
    lua_getfield(L, 2, "dirs");
    struct world *w = make(L, lua_gettop(L));
    struct arena *a = &w->arena;
    struct krm_files files = take_files(L, a), written;
    struct eval_options o = {.catalog = &w->catalog, .kpt = flag(L, "kpt"),
                             .allow_exec = flag(L, "allow_exec")};
    lua_getfield(L, 2, "deadline_ms");
    if (lua_isinteger(L, -1)) {
        o.deadline_ns = clock_mono_ns() + lua_tointeger(L, -1) * NS_PER_MS;
    }
    struct eval_step step = {.image = field(L, "image"), .tag = field(L, "tag"),
                             .exec = field(L, "exec")};
    struct krm_read_options read = {
        .annotate = true, .detect_wide = true, .wrap_lists = true, .json = true};
    struct krm_write_options write = {.keep = flag(L, "keep") ? &files : NULL, .defects = o.kpt};
    struct str config = field(L, "config");
    struct yaml_docs docs = {0};
    struct node *items = NULL;
    struct eval_result out;
    if (w->err.kind || krm_resources_read(a, &files, &read, &items, NULL, &w->err) ||
        (config.ptr && yaml_read(a, config, NULL, &docs, NULL, &w->err))) {
        return push_err(L, &w->err);
    }
    step.config = docs.n ? docs.list[0].root : NULL;
    int rc = eval_one(&o, a, &step, items, &out, &w->err);
    err_drop(&w->err); /* out->error has its text */
    if (krm_resources_write(a, items, &write, &written, &w->err)) {
        return push_err(L, &w->err);
    }
    lua_newtable(L);
    lua_pushboolean(L, rc == 0 && out.exit_code == 0);
    lua_setfield(L, -2, "ok");
    lua_pushinteger(L, out.exit_code);
    lua_setfield(L, -2, "exit_code");
    lua_pushinteger(L, out.ns);
    lua_setfield(L, -2, "ns");
    set_str(L, "error", out.error);
    set_str(L, "image", out.image);
    set_str(L, "results", json_emit_str(a, out.results));
    set_files(L, &written);
    return 1;
}

static int render(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    luaL_checktype(L, 2, LUA_TTABLE);
    lua_getfield(L, 2, "dirs");
    struct world *w = make(L, lua_gettop(L));
    struct arena *a = &w->arena;
    struct krm_files files = take_files(L, a);
    const struct eval_options o = {.catalog = &w->catalog, .kpt = flag(L, "kpt"),
                                   .local = flag(L, "local"),
                                   .allow_exec = flag(L, "allow_exec")};
    struct str root = field(L, "root");
    struct eval_outcome out;
    if (w->err.kind || eval_render(&o, a, &files, root.ptr ? root.ptr : "/", &out, &w->err)) {
        return push_err(L, &w->err);
    }
    lua_newtable(L);
    lua_pushboolean(L, out.failed);
    lua_setfield(L, -2, "failed");
    set_str(L, "error", out.error);
    set_str(L, "results", json_emit_str(a, out.results));
    set_files(L, &out.files);
    return 1;
}

int luaopen_probe_eval(lua_State *L);
int luaopen_probe_eval(lua_State *L)
{
    static const luaL_Reg all[] = {{"functions", functions}, {"resolve", resolve},
                                   {"compare", compare},     {"run", run},
                                   {"render", render},
                                   {NULL, NULL}};
    luaL_newlib(L, all);
    return 1;
}
