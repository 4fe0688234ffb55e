/* SPDX-License-Identifier: Apache-2.0
 *
 * ctx.fetch: a package from any git repository, for clones and upgrades. The engine opens and
 * fetches; which names a ref stands for is the script's to say.
 */
#include "host/priv.h"

static struct str check_field(lua_State *L, const char *name, const char *none)
{
    lua_getfield(L, 1, name);
    struct str s;
    s.ptr = luaL_optlstring(L, -1, none, &s.len);
    s = arena_str(script_arena(L), s);
    lua_pop(L, 1);
    return s;
}

#define MAX_REFS 16

static size_t check_refs(lua_State *L, struct str out[MAX_REFS])
{
    lua_getfield(L, 1, "refs");
    luaL_argexpected(L, lua_istable(L, -1), 1, "list of names in member refs");
    size_t n = lua_rawlen(L, -1);
    luaL_argcheck(L, n >= 1 && n <= MAX_REFS, 1, "refs has no name or too many");
    for (size_t i = 0; i < n; i++) {
        lua_rawgeti(L, -1, (lua_Integer)i + 1);
        luaL_argcheck(L, lua_type(L, -1) == LUA_TSTRING, 1, "refs are strings");
        struct str s;
        s.ptr = lua_tolstring(L, -1, &s.len);
        out[i] = arena_str(script_arena(L), s);
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    return n;
}

/* Index + 1 of the first name that is a commit, 0 for none, -1 with err. */
static int first_commit(struct repo *repo, const struct str *refs, size_t n, struct repo_id *out,
                        struct err *err)
{
    for (size_t i = 0; i < n; i++) {
        int found = repo_commit_of(repo, refs[i], out, err);
        if (found) {
            return found < 0 ? -1 : (int)i + 1;
        }
    }
    return 0;
}

static int push_missing(lua_State *L, const char *what)
{
    lua_pushboolean(L, 0);
    lua_pushstring(L, what);
    return 2;
}

/* fetch{repo=, refs=, ref=?, directory=?, secret=?} gives the package and its commit; false and what is
 * missing ("reference", "directory"); nil and an error. */
static int ctx_fetch(lua_State *L)
{
    struct host_run *r = host_state_of(L)->run;
    luaL_checktype(L, 1, LUA_TTABLE);
    struct str refs[MAX_REFS];
    struct host_upstream u = {
        .url = check_field(L, "repo", ""),
        .secret = check_field(L, "secret", ""),
        .ref = check_field(L, "ref", ""),
        .directory = check_field(L, "directory", ""),
    };
    size_t n = check_refs(L, refs);
    struct err *err = host_err(L);
    if (!r->open_upstream) {
        return luaL_error(L, "there are no repositories in this run");
    }
    struct host_tree *t = arena_new(r->arena, struct host_tree);
    if (r->open_upstream(r->ctx, r->ns, &u, r->deadline_ns, &t->repo, err) < 0) {
        return host_push_error(L);
    }
    *HOST_PUSH(r->arena, r->repos, r->n_repos, r->cap_repos) = t->repo;
    struct repo_id commit, tree;
    int found = first_commit(t->repo, refs, n, &commit, err);
    if (found < 0) {
        return host_push_error(L);
    }
    if (found == 0) {
        return push_missing(L, "reference");
    }
    found = repo_directory_of(t->repo, &commit, u.directory, &tree, err);
    if (found == 0) {
        return push_missing(L, "directory");
    }
    if (found < 0 || repo_tree_list(r->pool, t->repo, &tree, r->arena, &t->files, &t->n_files,
                                    err) < 0) {
        return host_push_error(L);
    }
    script_check_memory(L, 0);
    host_push_tree(L, t, false);
    struct str hex = repo_id_hex(r->arena, &commit);
    lua_pushlstring(L, hex.ptr, hex.len);
    return 2;
}

const struct host_function host_fetch_functions[] = {
    {"ctx", "fetch", ctx_fetch, HOST_RUN, "read"},
    {NULL, NULL, NULL, 0, NULL},
};
