/* SPDX-License-Identifier: Apache-2.0
 *
 * The repository room for specs: `require "probe_repo"`. Ids are hex strings, errors are
 * `nil, {kind, message}`, times out are milliseconds from now.
 */
#include <lauxlib.h>
#include <lua.h>

#include "base/clock.h"
#include "repo/priv.h"

struct repo_box {
    struct repo *repo;
    struct repo_box *next; /* the pool closes what is open before it goes */
    struct pool_box *pool;
};

struct pool_box {
    struct store *store;
    struct repo_pool *pool;
    struct repo_box *repos;
    const char *retryable[4]; /* in a table that is the box's user value */
};

static int push_err(lua_State *L, struct err *err)
{
    lua_pushnil(L);
    lua_createtable(L, 0, 2);
    lua_pushstring(L, err_kind_name(err->kind));
    lua_setfield(L, -2, "kind");
    lua_pushstring(L, err->message ? err->message : "");
    lua_setfield(L, -2, "message");
    err_done(err);
    return 2;
}

static struct str check_str(lua_State *L, int at)
{
    size_t len;
    const char *p = luaL_checklstring(L, at, &len);
    return (struct str){p, len};
}

/* A string field of the table at `at`; borrowed while the table lives. */
static struct str field(lua_State *L, int at, const char *name)
{
    size_t len = 0;
    lua_getfield(L, at, name);
    const char *p = lua_tolstring(L, -1, &len);
    lua_pop(L, 1);
    return (struct str){p, p ? len : 0};
}

static int64_t field_int(lua_State *L, int at, const char *name)
{
    lua_getfield(L, at, name);
    int64_t v = (int64_t)lua_tointeger(L, -1);
    lua_pop(L, 1);
    return v;
}

static bool field_bool(lua_State *L, int at, const char *name)
{
    lua_getfield(L, at, name);
    bool v = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return v;
}

static struct repo_id field_id(lua_State *L, int at, const char *name)
{
    struct repo_id id = {{0}};
    struct str hex = field(L, at, name);
    if (hex.ptr && !repo_id_parse(hex, &id)) {
        luaL_error(L, "field %s is not an id", name);
    }
    return id;
}

static void set_str(lua_State *L, const char *name, struct str s)
{
    lua_pushlstring(L, s.ptr ? s.ptr : "", s.len);
    lua_setfield(L, -2, name);
}

static void set_int(lua_State *L, const char *name, int64_t v)
{
    lua_pushinteger(L, (lua_Integer)v);
    lua_setfield(L, -2, name);
}

static void push_id(lua_State *L, const struct repo_id *id)
{
    char hex[GIT_OID_HEXSZ + 1];
    git_oid_tostr(hex, sizeof(hex), oid_of(id));
    lua_pushstring(L, hex);
}

static void set_id(lua_State *L, const char *name, const struct repo_id *id)
{
    if (!repo_id_is_zero(id)) {
        push_id(L, id);
        lua_setfield(L, -2, name);
    }
}

static int64_t deadline(lua_State *L, int at)
{
    return clock_mono_ns() + (int64_t)luaL_optinteger(L, at, 20000) * NS_PER_MS;
}

/* --- pool --- */

static struct pool_box *check_pool(lua_State *L)
{
    struct pool_box *b = luaL_checkudata(L, 1, "probe_repo.pool");
    luaL_argcheck(L, b->pool, 1, "closed");
    return b;
}

static struct repo *opt_repo(lua_State *L, int at)
{
    return lua_isnoneornil(L, at)
               ? NULL
               : ((struct repo_box *)luaL_checkudata(L, at, "probe_repo.repo"))->repo;
}

/* open(dir, {part of an error text …}|nil) → pool */
static int pool_open(lua_State *L)
{
    const char *dir = luaL_checkstring(L, 1);
    AUTO_ERR err = ERR_INIT;
    AUTO_BUF mirrors = BUF_INIT;
    buf_printf(&mirrors, "%s/mirrors", dir);
    lua_settop(L, 2);
    struct pool_box *b = lua_newuserdata(L, sizeof(*b));
    *b = (struct pool_box){0};
    luaL_setmetatable(L, "probe_repo.pool");
    struct store_config config = {.dir = dir};
    if (store_open(&config, &b->store, &err) ||
        repo_pool_open(mirrors.ptr, b->store, &b->pool, &err)) {
        return push_err(L, &err);
    }
    size_t n = 0;
    for (; lua_istable(L, 2) && n < 4 && lua_geti(L, 2, (lua_Integer)n + 1) == LUA_TSTRING; n++) {
        b->retryable[n] = lua_tostring(L, -1);
        lua_pop(L, 1);
    }
    lua_pushvalue(L, 2);
    lua_setuservalue(L, 3);
    lua_settop(L, 3);
    repo_pool_set_retryable(b->pool, b->retryable, n);
    return 1;
}

static void box_close(struct repo_box *box)
{
    for (struct repo_box **at = box->pool ? &box->pool->repos : NULL; at && *at;
         at = &(*at)->next) {
        if (*at == box) {
            *at = box->next;
            break;
        }
    }
    repo_unref(box->repo);
    *box = (struct repo_box){0};
}

static int pool_close(lua_State *L)
{
    struct pool_box *b = luaL_checkudata(L, 1, "probe_repo.pool");
    while (b->repos) {
        box_close(b->repos);
    }
    repo_pool_close(b->pool);
    store_close(b->store);
    *b = (struct pool_box){0};
    return 0;
}

static int pool_repo(lua_State *L)
{
    struct pool_box *b = check_pool(L);
    AUTO_ERR err = ERR_INIT;
    struct str type = field(L, 2, "auth");
    struct repo_remote r = {
        .ns = field(L, 2, "namespace"),
        .name = field(L, 2, "name"),
        .url = field(L, 2, "url"),
        .branch = field(L, 2, "branch"),
        .directory = field(L, 2, "directory"),
        .create_branch = field_bool(L, 2, "create_branch"),
        .any_branch = field_bool(L, 2, "any_branch"),
        .ca_bundle = field(L, 2, "ca_bundle"),
        .credential =
            {
                .type = str_eqz(type, "basic")    ? REPO_BASIC
                        : str_eqz(type, "bearer") ? REPO_BEARER
                        : str_eqz(type, "ssh")    ? REPO_SSH_KEY
                                                  : REPO_CREDENTIAL_NONE,
                .username = field(L, 2, "username"),
                .password = field(L, 2, "password"),
                .token = field(L, 2, "token"),
                .private_key = field(L, 2, "private_key"),
                .known_hosts = field(L, 2, "known_hosts"),
            },
    };
    struct repo_box *box = lua_newuserdata(L, sizeof(*box));
    *box = (struct repo_box){.next = b->repos, .pool = b};
    b->repos = box;
    luaL_setmetatable(L, "probe_repo.repo");
    if (repo_open(b->pool, &r, &box->repo, &err)) {
        return push_err(L, &err);
    }
    return 1;
}

/* pool:sweep({url …}) → number of mirrors removed; keeps those of these URLs, no credential. */
static int pool_sweep(lua_State *L)
{
    struct pool_box *b = check_pool(L);
    AUTO_ERR err = ERR_INIT;
    struct repo_remote keep[8] = {0};
    size_t n = 0, removed;
    for (; n < 8 && lua_geti(L, 2, (lua_Integer)n + 1) == LUA_TSTRING; n++) {
        keep[n].url = str_of(lua_tostring(L, -1)); /* stays on the stack */
    }
    if (repo_pool_sweep(b->pool, keep, n, clock_mono_ns(), &removed, &err)) {
        return push_err(L, &err);
    }
    lua_pushinteger(L, (lua_Integer)removed);
    return 1;
}

/* pool:make(repo|nil, {{path=, bytes=|blob=, mode=}…}, from|nil) → tree id; what is new is in the
 * store. */
static int pool_make(lua_State *L)
{
    struct pool_box *b = check_pool(L);
    struct repo *r = opt_repo(L, 2), *from = opt_repo(L, 4);
    AUTO_ERR err = ERR_INIT;
    AUTO_ARENA a = ARENA_INIT;
    size_t n = (size_t)luaL_len(L, 3);
    struct repo_file *files = arena_array(&a, struct repo_file, n + 1);
    for (size_t i = 0; i < n; i++) {
        lua_geti(L, 3, (lua_Integer)i + 1);
        int at = lua_gettop(L);
        int64_t mode = field_int(L, at, "mode");
        files[i] = (struct repo_file){
            .path = field(L, at, "path"),
            .bytes = field(L, at, "bytes"),
            .blob = field_id(L, at, "blob"),
            .mode = mode ? (uint32_t)mode : 0100644,
        };
        lua_pop(L, 1); /* the table stays alive inside its list */
    }
    struct store_txn *txn = store_txn_new(&a);
    struct repo_id tree;
    if (repo_tree_make(b->pool, r, from, txn, &a, files, n, &tree, &err) ||
        store_commit(b->store, txn, &err)) {
        return push_err(L, &err);
    }
    push_id(L, &tree);
    return 1;
}

static int pool_list(lua_State *L)
{
    struct pool_box *b = check_pool(L);
    struct repo_id tree;
    AUTO_ERR err = ERR_INIT;
    AUTO_ARENA a = ARENA_INIT;
    struct repo_file *files = NULL;
    size_t n = 0;
    luaL_argcheck(L, repo_id_parse(check_str(L, 3), &tree), 3, "not an id");
    if (repo_tree_list(b->pool, opt_repo(L, 2), &tree, &a, &files, &n, &err)) {
        return push_err(L, &err);
    }
    lua_newtable(L);
    for (size_t i = 0; i < n; i++) {
        lua_newtable(L);
        set_str(L, "path", files[i].path);
        set_int(L, "mode", files[i].mode);
        set_id(L, "blob", &files[i].blob);
        lua_seti(L, -2, (lua_Integer)i + 1);
    }
    return 1;
}

static int pool_blob(lua_State *L)
{
    struct pool_box *b = check_pool(L);
    struct repo_id id;
    AUTO_ERR err = ERR_INIT;
    AUTO_ARENA a = ARENA_INIT;
    struct str bytes;
    luaL_argcheck(L, repo_id_parse(check_str(L, 3), &id), 3, "not an id");
    if (repo_blob_get(b->pool, opt_repo(L, 2), &id, &a, &bytes, &err)) {
        return push_err(L, &err);
    }
    lua_pushlstring(L, bytes.ptr, bytes.len);
    return 1;
}

/* --- repository --- */

static struct repo *check_repo(lua_State *L)
{
    struct repo *r = opt_repo(L, 1);
    luaL_argcheck(L, r, 1, "closed");
    return r;
}

static int repo_gc(lua_State *L)
{
    box_close(luaL_checkudata(L, 1, "probe_repo.repo"));
    return 0;
}

static int push_state(lua_State *L, const struct repo_state *s)
{
    lua_newtable(L);
    set_id(L, "head", &s->head);
    set_str(L, "version", str_of(s->version));
    return 1;
}

static int l_fetch(lua_State *L)
{
    AUTO_ERR err = ERR_INIT;
    struct repo_state s;
    if (repo_fetch(check_repo(L), deadline(L, 2), &s, &err)) {
        return push_err(L, &err);
    }
    return push_state(L, &s);
}

static int l_state(lua_State *L)
{
    AUTO_ERR err = ERR_INIT;
    struct repo_state s;
    if (repo_state_get(check_repo(L), &s, &err)) {
        return push_err(L, &err);
    }
    return push_state(L, &s);
}

static int l_probe(lua_State *L)
{
    AUTO_ERR err = ERR_INIT;
    if (repo_probe(check_repo(L), deadline(L, 2), &err)) {
        return push_err(L, &err);
    }
    lua_pushboolean(L, 1);
    return 1;
}

static int l_mirror(lua_State *L)
{
    lua_pushstring(L, check_repo(L)->mirror->dir);
    return 1;
}

/* 1: pushes the id; 0: nil; -1: nil and the error. */
static int push_found(lua_State *L, int found, const struct repo_id *id, struct err *err)
{
    if (found < 0) {
        return push_err(L, err);
    }
    found ? push_id(L, id) : lua_pushnil(L);
    return 1;
}

/* commit_of(name) → id of the commit */
static int l_commit_of(lua_State *L)
{
    AUTO_ERR err = ERR_INIT;
    struct repo_id id;
    int found = repo_commit_of(check_repo(L), str_of(luaL_checkstring(L, 2)), &id, &err);
    return push_found(L, found, &id, &err);
}

/* directory_of(commit, directory) → id of the tree */
static int l_directory_of(lua_State *L)
{
    AUTO_ERR err = ERR_INIT;
    struct repo_id commit, tree;
    luaL_argcheck(L, repo_id_parse(str_of(luaL_checkstring(L, 2)), &commit), 2, "commit id");
    int found = repo_directory_of(check_repo(L), &commit, str_of(luaL_checkstring(L, 3)), &tree,
                                  &err);
    return push_found(L, found, &tree, &err);
}

static int l_discover(lua_State *L)
{
    static const char *const KINDS[] = {"branch", "tag", "draft", "proposed"};
    AUTO_ERR err = ERR_INIT;
    AUTO_ARENA a = ARENA_INIT;
    struct repo_found *found = NULL;
    struct str *warnings = NULL;
    size_t n = 0, n_warnings = 0;
    if (repo_discover(check_repo(L), &a, &found, &n, &warnings, &n_warnings, &err)) {
        return push_err(L, &err);
    }
    lua_newtable(L);
    for (size_t i = 0; i < n; i++) {
        const struct repo_found *f = &found[i];
        lua_newtable(L);
        set_str(L, "kind", str_of(KINDS[f->kind]));
        set_str(L, "ref", f->ref);
        set_str(L, "package", f->package);
        set_str(L, "workspace", f->workspace);
        set_int(L, "revision", f->revision);
        lua_pushboolean(L, f->deletion_proposed);
        lua_setfield(L, -2, "deletion_proposed");
        set_id(L, "commit", &f->commit);
        set_id(L, "tree", &f->tree);
        set_id(L, "kptfile", &f->kptfile);
        set_str(L, "author_name", f->author_name);
        set_str(L, "author_email", f->author_email);
        set_int(L, "author_time", f->author_time);
        set_str(L, "task", f->task);
        lua_seti(L, -2, (lua_Integer)i + 1);
    }
    lua_newtable(L);
    for (size_t i = 0; i < n_warnings; i++) {
        lua_pushlstring(L, warnings[i].ptr, warnings[i].len);
        lua_seti(L, -2, (lua_Integer)i + 1);
    }
    return 2;
}

static enum repo_op_type op_type(lua_State *L, struct str name)
{
    static const char *const NAMES[] = {"publish",    "mark",           "unmark",
                                        "delete-tag", "delete-package", "delete-draft"};
    for (int i = 0; i < 6; i++) {
        if (str_eqz(name, NAMES[i])) {
            return (enum repo_op_type)i;
        }
    }
    luaL_error(L, "unknown op");
    return REPO_OP_PUBLISH;
}

/* The op described by the table at `at`. */
static struct repo_op get_op(lua_State *L, int at)
{
    return (struct repo_op){
        .type = op_type(L, field(L, at, "type")),
        .package = field(L, at, "package"),
        .workspace = field(L, at, "workspace"),
        .revision = field_int(L, at, "revision"),
        .tree = field_id(L, at, "tree"),
        .task = field(L, at, "task"),
        .subject = field(L, at, "subject"),
        .author_name = field(L, at, "author_name"),
        .author_email = field(L, at, "author_email"),
        .time = field_int(L, at, "time"),
        .expect = field_id(L, at, "expect"),
    };
}

/* repo:seen(op, ms) → boolean */
static int l_seen(lua_State *L)
{
    struct repo *r = check_repo(L);
    AUTO_ERR err = ERR_INIT;
    struct repo_op op = get_op(L, 2);
    bool seen = false;
    if (repo_push_seen(r, &op, deadline(L, 3), &seen, &err)) {
        return push_err(L, &err);
    }
    lua_pushboolean(L, seen);
    return 1;
}

/* repo:push({op…}, ms) → {{commit=, head=, unknown=, err={kind,message}}…} */
static int l_push(lua_State *L)
{
    struct repo *r = check_repo(L);
    AUTO_ERR err = ERR_INIT;
    size_t n = (size_t)luaL_len(L, 2);
    int64_t until = deadline(L, 3);
    struct repo_op *ops = lua_newuserdata(L, (n + 1) * sizeof(*ops));
    memset(ops, 0, (n + 1) * sizeof(*ops));
    for (size_t i = 0; i < n; i++) {
        lua_geti(L, 2, (lua_Integer)i + 1);
        ops[i] = get_op(L, lua_gettop(L));
        lua_pop(L, 1);
    }
    int rc = repo_push(r, ops, n, until, &err);
    lua_newtable(L);
    for (size_t i = 0; i < n; i++) {
        lua_newtable(L);
        set_id(L, "commit", &ops[i].commit);
        set_id(L, "head", &ops[i].head);
        if (ops[i].unknown) {
            lua_pushboolean(L, 1);
            lua_setfield(L, -2, "unknown");
        }
        if (ops[i].err.kind) {
            push_err(L, &ops[i].err);
            lua_setfield(L, -3, "err");
            lua_pop(L, 1);
        }
        lua_seti(L, -2, (lua_Integer)i + 1);
    }
    return rc ? push_err(L, &err) : 1;
}

/* --- module --- */

static int l_url(lua_State *L)
{
    static const char *const KINDS[] = {"http", "ssh", "git", "file"};
    AUTO_ERR err = ERR_INIT;
    AUTO_ARENA a = ARENA_INIT;
    struct url u;
    if (url_parse(&a, check_str(L, 1), &u, &err)) {
        return push_err(L, &err);
    }
    lua_newtable(L);
    set_str(L, "kind", str_of(KINDS[u.kind]));
    set_str(L, "user", u.user);
    set_str(L, "host", u.host);
    set_str(L, "path", u.path);
    set_int(L, "port", u.port);
    return 1;
}

/* annotation(message) → list of {package, workspace, revision, task} */
static int l_annotations(lua_State *L)
{
    AUTO_ARENA a = ARENA_INIT;
    struct annotation *notes = NULL;
    size_t n = annotation_parse(&a, check_str(L, 1), &notes);
    lua_newtable(L);
    for (size_t i = 0; i < n; i++) {
        lua_newtable(L);
        set_str(L, "package", notes[i].package);
        set_str(L, "workspace", notes[i].workspace);
        set_str(L, "revision", notes[i].revision);
        set_str(L, "task", notes[i].task);
        lua_seti(L, -2, (lua_Integer)i + 1);
    }
    return 1;
}

/* annotate(package, workspace, revision, task) → line */
static int l_annotate(lua_State *L)
{
    AUTO_BUF out = BUF_INIT;
    annotation_emit(&out, check_str(L, 1), check_str(L, 2), luaL_checkinteger(L, 3),
                    check_str(L, 4));
    lua_pushlstring(L, out.ptr, out.len);
    return 1;
}

static int l_mono_ms(lua_State *L)
{
    lua_pushnumber(L, (double)clock_mono_ns() / 1e6);
    return 1;
}

static void new_class(lua_State *L, const char *name, const luaL_Reg *methods)
{
    luaL_newmetatable(L, name);
    lua_newtable(L);
    luaL_setfuncs(L, methods, 0);
    lua_getfield(L, -1, "close");
    lua_setfield(L, -3, "__gc");
    lua_setfield(L, -2, "__index");
    lua_pop(L, 1);
}

int luaopen_probe_repo(lua_State *L);
int luaopen_probe_repo(lua_State *L)
{
    static const luaL_Reg POOL[] = {{"close", pool_close}, {"repo", pool_repo},
                                    {"sweep", pool_sweep},
                                    {"make", pool_make},   {"list", pool_list},
                                    {"blob", pool_blob},   {NULL, NULL}};
    static const luaL_Reg REPO[] = {{"close", repo_gc},   {"fetch", l_fetch},
                                    {"state", l_state},   {"probe", l_probe},
                                    {"push", l_push}, {"seen", l_seen},     {"discover", l_discover},
                                    {"mirror", l_mirror}, {"commit_of", l_commit_of},
                                    {"directory_of", l_directory_of}, {NULL, NULL}};
    static const luaL_Reg MODULE[] = {{"open", pool_open},
                                      {"url", l_url},
                                      {"annotations", l_annotations},
                                      {"annotate", l_annotate},
                                      {"mono_ms", l_mono_ms},
                                      {NULL, NULL}};
    new_class(L, "probe_repo.pool", POOL);
    new_class(L, "probe_repo.repo", REPO);
    luaL_newlib(L, MODULE);
    return 1;
}
