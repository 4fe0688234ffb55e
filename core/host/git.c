/* SPDX-License-Identifier: Apache-2.0
 *
 * lanai.git: any git repository, for verbs of the command line. A repository is fetched when it is
 * first asked for; later questions of the same run are answered from the mirror. Which names a ref
 * stands for is the script's to say.
 */
#include "base/clock.h"
#include "base/limits.h"
#include "host/local.h"
#include "host/priv.h"
#include "host/progress.h"

static struct str check_text(lua_State *L, int arg)
{
    struct str s;
    s.ptr = luaL_checklstring(L, arg, &s.len);
    return arena_str(script_arena(L), s);
}

static int64_t deadline(void)
{
    return clock_mono_ns() + LIMIT_GIT_MS * NS_PER_MS;
}

static int open_pool(struct host_state *st, struct err *err)
{
    return st->run->pool ? 0 : repo_pool_open(st->local->cache, NULL, &st->run->pool, err);
}

/* The mirror of a URL, fetched; the run holds it. */
static int open_repository(struct host_state *st, struct str url, struct repo **out,
                           struct err *err)
{
    struct host_run *r = st->run;
    *out = map_find(&st->opened, url);
    if (*out) {
        return 0;
    }
    struct repo_remote remote = {.url = url};
    if (open_pool(st, err) < 0 || repo_open(r->pool, &remote, out, err) < 0) {
        return -1;
    }
    *HOST_PUSH(r->arena, r->repos, r->n_repos, r->cap_repos) = *out;
    struct progress *p = progress_start(st->local->err, "fetching", url);
    int rc = repo_fetch_once(*out, deadline(), err);
    progress_stop(p);
    if (rc < 0) {
        return -1;
    }
    map_set(&st->opened, url, *out);
    return 0;
}

static void push_id(lua_State *L, const struct repo_id *id)
{
    struct str hex = repo_id_hex(script_arena(L), id);
    lua_pushlstring(L, hex.ptr, hex.len);
}

/* refs(url) gives full name → id of all heads and tags. */
static int git_refs(lua_State *L)
{
    struct host_state *st = host_state_of(L);
    struct str url = check_text(L, 1);
    struct repo *repo;
    struct repo_ref *refs;
    size_t n;
    if (open_repository(st, url, &repo, host_err(L)) < 0) {
        return host_push_error(L);
    }
    repo_refs(repo, st->run->arena, &refs, &n);
    lua_createtable(L, 0, (int)n);
    for (size_t i = 0; i < n; i++) {
        lua_pushlstring(L, refs[i].name.ptr, refs[i].name.len);
        push_id(L, &refs[i].id);
        lua_rawset(L, -3);
    }
    return 1;
}

/* default_branch(url): false when the server does not say. */
static int git_default_branch(lua_State *L)
{
    struct host_state *st = host_state_of(L);
    struct str url = check_text(L, 1), name;
    struct repo *repo;
    struct err *err = host_err(L);
    if (open_repository(st, url, &repo, err) < 0) {
        return host_push_error(L);
    }
    int found = repo_default_branch(repo, deadline(), st->run->arena, &name, err);
    if (found < 0) {
        return host_push_error(L);
    }
    if (found) {
        lua_pushlstring(L, name.ptr, name.len);
    } else {
        lua_pushboolean(L, 0);
    }
    return 1;
}

/* commit(url, name) gives the commit that a full ref name or a commit id stands for, or false. */
static int git_commit(lua_State *L)
{
    struct host_state *st = host_state_of(L);
    struct str url = check_text(L, 1), name = check_text(L, 2);
    struct repo *repo;
    struct repo_id id;
    struct err *err = host_err(L);
    if (open_repository(st, url, &repo, err) < 0) {
        return host_push_error(L);
    }
    int found = repo_commit_of(repo, name, &id, err);
    if (found < 0) {
        return host_push_error(L);
    }
    if (found) {
        push_id(L, &id);
    } else {
        lua_pushboolean(L, 0);
    }
    return 1;
}

/* tree(url, commit, directory) gives the files of a directory; false when there is none. */
static int git_tree(lua_State *L)
{
    struct host_state *st = host_state_of(L);
    struct host_run *r = st->run;
    struct str url = check_text(L, 1), commit = check_text(L, 2), directory = check_text(L, 3);
    struct repo_id id, tree;
    luaL_argcheck(L, repo_id_parse(commit, &id), 2, "a commit id is expected");
    struct host_tree *t = arena_new(r->arena, struct host_tree);
    struct err *err = host_err(L);
    if (open_repository(st, url, &t->repo, err) < 0) {
        return host_push_error(L);
    }
    int found = repo_directory_of(t->repo, &id, directory, &tree, err);
    if (found == 0) {
        lua_pushboolean(L, 0);
        return 1;
    }
    if (found < 0 || repo_tree_list(r->pool, t->repo, &tree, r->arena, &t->files, &t->n_files,
                                    err) < 0) {
        return host_push_error(L);
    }
    script_check_memory(L, 0);
    host_push_tree(L, t, false);
    return 1;
}

const struct host_function host_git_functions[] = {
    {"lanai.git", "refs", git_refs, HOST_LOCAL, NULL},
    {"lanai.git", "default_branch", git_default_branch, HOST_LOCAL, NULL},
    {"lanai.git", "commit", git_commit, HOST_LOCAL, NULL},
    {"lanai.git", "tree", git_tree, HOST_LOCAL, NULL},
    {NULL, NULL, NULL, 0, NULL},
};
