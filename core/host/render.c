/* SPDX-License-Identifier: Apache-2.0
 *
 * ctx.render: the pipelines of a draft. What a render needs is in an arena of its own, because a
 * package may be larger than what a script may hold; what comes out is copied into the run's.
 */
#include "base/limits.h"
#include "base/mem.h"
#include "eval/eval.h"
#include "host/priv.h"

#define RENDER_BYTES ((size_t)4 * LIMIT_FUNCTION_BYTES)

struct rendering {
    const struct node *except; /* list of paths that are left alone, or NULL */
    bool kpt, failed;
    struct str error;
    struct node *results;
    struct krm_file *changed; /* text ptr NULL: the file goes */
    size_t n_changed;
};

static void map_done_at(struct map *m)
{
    map_done(m);
}

/* The files of a tree; only those that may hold resources have their text. */
static int load(struct host_state *st, const struct host_tree *t, const struct node *except,
                struct arena *a, struct krm_files *out, struct err *err)
{
    AUTO(map_done_at) struct map left = {0};
    for (size_t i = 0; except && i < except->n; i++) {
        map_set(&left, node_text(except->items[i]), st);
    }
    out->list = arena_array(a, struct krm_file, t->n_files);
    out->n = out->cap = t->n_files;
    for (size_t i = 0; i < t->n_files; i++) {
        const struct repo_file *f = &t->files[i];
        struct krm_file *file = &out->list[i];
        bool link = (f->mode & 0170000u) == 0120000u;
        file->path = f->path;
        file->text = STR("");
        if (!link && krm_is_resource_file(f->path, true) && !map_has(&left, f->path)) {
            file->text = f->bytes;
            if (!f->bytes.ptr &&
                repo_blob_get(st->run->pool, t->repo, &f->blob, a, &file->text, err) < 0) {
                return -1;
            }
        }
    }
    return 0;
}

static void add_change(struct arena *a, struct rendering *r, struct str path, struct str text)
{
    struct krm_file *c = &r->changed[r->n_changed++];
    c->path = arena_str(a, path);
    c->text = text.ptr ? arena_str(a, text) : STR_NULL;
}

/* Both lists are in path order. */
static void compare(struct arena *a, const struct krm_files *before, const struct krm_files *after,
                    struct rendering *r)
{
    r->changed = arena_array(a, struct krm_file, before->n + after->n);
    for (size_t i = 0, k = 0; i < before->n || k < after->n;) {
        int order = i == before->n ? 1
                    : k == after->n
                        ? -1
                        : str_cmp(before->list[i].path, after->list[k].path);
        if (order < 0) {
            add_change(a, r, before->list[i++].path, STR_NULL);
        } else if (order > 0) {
            add_change(a, r, after->list[k].path, after->list[k].text);
            k++;
        } else {
            if (!str_eq(before->list[i].text, after->list[k].text)) {
                add_change(a, r, after->list[k].path, after->list[k].text);
            }
            i++;
            k++;
        }
    }
}

static int render(struct host_state *st, const struct host_tree *t, struct rendering *r,
                  struct err *err)
{
    AUTO_ARENA own = ARENA_INIT;
    arena_init(&own, RENDER_BYTES);
    const struct eval_options o = {.catalog = st->run->functions,
                                   .runner = st->run->runner,
                                   .image_prefix = st->run->image_prefix,
                                   .kpt = r->kpt,
                                   .deadline_ns = st->run->deadline_ns};
    struct krm_files files;
    struct eval_outcome out;
    if (load(st, t, r->except, &own, &files, err) < 0 ||
        eval_render(&o, &own, &files, "/", &out, err) < 0) {
        return -1;
    }
    r->failed = out.failed;
    r->error = arena_str(st->run->arena, out.error);
    r->results = node_copy(st->run->arena, out.results);
    compare(st->run->arena, &files, &out.files, r);
    return 0;
}

static const struct node *check_except(lua_State *L)
{
    const struct node *list = NULL;
    if (lua_istable(L, 2) && lua_getfield(L, 2, "except") != LUA_TNIL) {
        list = script_to_node(L, -1);
        luaL_argcheck(L, list->type == NODE_LIST || list->n == 0, 2, "except is a list of paths");
    }
    return list;
}

/* render(draft, {compat=, except=}?) gives {failed, error, results, files}; files: path → text, or
 * false. */
static int ctx_render(lua_State *L)
{
    struct host_state *st = host_state_of(L);
    const struct host_tree *t = host_check_tree(L, 1);
    struct rendering r = {.kpt = !lua_isnoneornil(L, 2) && host_compat_is_kpt(L, 2),
                          .except = check_except(L)};
    if (!st->run->functions) {
        r.results = node_map(st->run->arena);
    } else if (render(st, t, &r, host_err(L)) < 0) {
        return host_push_error(L);
    }
    script_check_memory(L, 0);
    lua_createtable(L, 0, 4);
    lua_pushboolean(L, r.failed);
    lua_setfield(L, -2, "failed");
    lua_pushlstring(L, r.error.ptr ? r.error.ptr : "", r.error.len);
    lua_setfield(L, -2, "error");
    script_push_handle(L, r.results, false);
    lua_setfield(L, -2, "results");
    lua_createtable(L, 0, (int)r.n_changed);
    for (size_t i = 0; i < r.n_changed; i++) {
        lua_pushlstring(L, r.changed[i].path.ptr, r.changed[i].path.len);
        if (r.changed[i].text.ptr) {
            lua_pushlstring(L, r.changed[i].text.ptr, r.changed[i].text.len);
        } else {
            lua_pushboolean(L, 0);
        }
        lua_rawset(L, -3);
    }
    lua_setfield(L, -2, "files");
    return 1;
}

const struct host_function host_render_functions[] = {
    {"ctx", "render", ctx_render, HOST_RUN, "draft"},
    {NULL, NULL, NULL, 0, NULL},
};
