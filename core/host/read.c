/* SPDX-License-Identifier: Apache-2.0
 *
 * What a run reads: objects of its namespace from the store, and package content. Each object
 * read is recorded with its number, so that the commit fails when it changed meanwhile; the run
 * is then repeated by engine/.
 */
#include "base/limits.h"
#include "base/mem.h"
#include "host/priv.h"

#define LIST_ROWS 10000 /* of one ctx.list: a run is no place for reports */

static struct str check_str(lua_State *L, int arg)
{
    struct str s;
    s.ptr = luaL_checklstring(L, arg, &s.len);
    return s;
}

/* Sealed kinds (Secrets) are not for scripts. */
static const struct api_kind *check_kind(lua_State *L, int arg)
{
    struct str name = check_str(L, arg);
    for (size_t i = 0; i < api_n_kinds; i++) {
        const struct api_kind *k = &api_kinds[i];
        if (k->store_kind && str_eqz(name, k->store_kind) && !(k->flags & API_VIRTUAL)) {
            if (k->flags & API_SEALED) {
                luaL_error(L, "scripts may not read %s", k->store_kind);
            }
            return k;
        }
    }
    luaL_error(L, "no kind '%s'", name.ptr);
    return NULL;
}

static struct str namespace_of(const struct host_run *r, const struct api_kind *k)
{
    return k->flags & API_NAMESPACED ? r->ns : STR("");
}

static void record(struct host_state *st, struct str kind, struct str ns, struct str name,
                   int64_t rv)
{
    struct host_run *r = st->run;
    struct str key = arena_printf(r->arena, "%.*s/%.*s/%.*s", STR_ARG(kind), STR_ARG(ns),
                                  STR_ARG(name));
    if (map_has(&st->reads, key)) {
        return; /* the first number counts */
    }
    map_set(&st->reads, key, st);
    *HOST_PUSH(r->arena, r->reads, r->n_reads, r->cap_reads) =
        (struct host_read){.kind = kind, .ns = ns, .name = arena_str(r->arena, name), .rv = rv};
}

static void record_none(struct host_run *r, struct str kind, struct str ns, struct str prefix)
{
    *HOST_PUSH(r->arena, r->reads, r->n_reads, r->cap_reads) =
        (struct host_read){.kind = kind, .ns = ns, .name = prefix, .prefix = true};
}

struct str host_check_name(lua_State *L, int arg)
{
    struct node *n = script_handle_node(L, arg);
    struct str name = n ? node_text_at(n, "metadata.name") : check_str(L, arg);
    luaL_argcheck(L, name.len, arg, "an object name is expected");
    return name;
}

/* Pushes the object or nil. */
static void push_object(lua_State *L, const struct api_kind *k, struct str name)
{
    struct host_state *st = host_state_of(L);
    struct host_run *r = st->run;
    struct str kind = str_of(k->store_kind), ns = namespace_of(r, k);
    struct err *err = host_err(L);
    struct store_object o;
    struct node *n = NULL;
    if (store_get(r->store, kind, ns, name, r->arena, &o, err) == 0) {
        n = json_parse(r->arena, o.json, NULL, err);
        if (!n) {
            host_raise_error(L);
        }
        record(st, kind, ns, name, o.rv);
    } else if (err_is(err, ERR_NOT_FOUND)) {
        err_drop(err); /* absence is an answer */
        record(st, kind, ns, name, 0);
    } else {
        host_raise_error(L);
    }
    script_check_memory(L, 0);
    script_push_node(L, n, false);
}

static int ctx_get(lua_State *L)
{
    const struct api_kind *k = check_kind(L, 1);
    push_object(L, k, host_check_name(L, 2));
    return 1;
}

/* --- lists --- */

struct list_args {
    const struct api_kind *kind;
    const struct node *where;    /* field path → text; NULL = all */
    struct str prefix;           /* names begin with it */
    struct str containing;       /* encoded object contains it */
    struct str referring;        /* name that the object refers to (api_kind.references) */
    size_t limit;
    /* what came out */
    struct node **objects;
    size_t n, cap;
};

static bool where_has(const struct list_args *q, const struct node *object)
{
    for (size_t i = 0; q->where && i < q->where->n; i++) {
        const struct node_member *m = &q->where->members[i];
        char path[256];
        snprintf(path, sizeof(path), "%.*s", STR_ARG(m->key));
        const struct node *have = node_at(object, path);
        if (!have || !node_equal(have, m->value)) {
            return false;
        }
    }
    return true;
}

/* Value of the kind's indexed field i in `where`, or STR_NULL. */
static struct str indexed(const struct list_args *q, int i)
{
    const char *const *fields = q->kind->indexed;
    for (int n = 0; fields && fields[n]; n++) {
        if (n == i) {
            return node_text(node_getz(q->where, fields[n]));
        }
    }
    return STR_NULL;
}

static void close_list(struct store_list **l)
{
    if (*l) {
        store_list_close(*l);
    }
}

/* The whole read without a Lua call in it: it may not be left by an error while the list is
 * open. */
static int read_list(lua_State *L, struct list_args *q, struct err *err)
{
    struct host_state *st = host_state_of(L);
    struct host_run *r = st->run;
    struct store_query query = {.kind = str_of(q->kind->store_kind),
                                .ns = namespace_of(r, q->kind),
                                .f1 = indexed(q, 0),
                                .f2 = indexed(q, 1),
                                .ref = q->referring.len ? q->referring : STR_NULL,
                                .rows = q->limit};
    if (q->prefix.len) {
        query.after_ns = query.ns;
        query.after_name = q->prefix;
    }
    int64_t rv;
    AUTO(close_list) struct store_list *l = store_list_open(r->store, &query, &rv, err);
    if (!l) {
        return -1;
    }
    struct store_object o;
    int rc = 0;
    bool none = q->prefix.len > 0; /* so far no name begins with it */
    while (q->n < q->limit && (rc = store_list_next(l, &o, err)) > 0) {
        if (q->prefix.len && !str_has_prefix(o.name, q->prefix)) {
            break; /* names come in order */
        }
        none = false;
        if (q->containing.len && str_find(o.json, q->containing) < 0) {
            continue;
        }
        struct node *n = json_parse(r->arena, arena_str(r->arena, o.json), NULL, err);
        if (!n) {
            return -1;
        }
        if (where_has(q, n)) {
            record(st, query.kind, arena_str(r->arena, o.ns), o.name, o.rv);
            *HOST_PUSH(r->arena, q->objects, q->n, q->cap) = n;
        }
        if (!script_has_memory(L, 0)) {
            return err_set(err, ERR_TOO_LARGE, "script lists too much");
        }
    }
    if (none) {
        record_none(r, query.kind, query.ns, q->prefix);
    }
    return rc < 0 ? -1 : 0;
}

static void push_list(lua_State *L, struct list_args *q)
{
    if (read_list(L, q, host_err(L)) < 0) {
        host_raise_error(L);
    }
    lua_createtable(L, (int)q->n, 0);
    for (size_t i = 0; i < q->n; i++) {
        script_push_node(L, q->objects[i], false);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
}

static const struct node *check_where(lua_State *L, int arg)
{
    if (lua_isnoneornil(L, arg)) {
        return NULL;
    }
    if (lua_istable(L, arg)) {
        lua_pushnil(L);
        if (!lua_next(L, arg)) {
            return NULL;
        }
        lua_pop(L, 2);
    }
    const struct node *where = script_to_node(L, arg);
    luaL_argexpected(L, where->type == NODE_MAP, arg, "map of field to value");
    return where;
}

static struct str text_option(lua_State *L, int arg, const char *name)
{
    struct str s = STR_NULL;
    if (lua_istable(L, arg)) {
        lua_getfield(L, arg, name);
        if (!lua_isnil(L, -1)) {
            struct str given = {luaL_checkstring(L, -1), lua_rawlen(L, -1)};
            s = arena_str(script_arena(L), given);
        }
        lua_pop(L, 1);
    }
    return s;
}

static size_t limit_option(lua_State *L, int arg)
{
    lua_Integer limit = LIST_ROWS;
    if (lua_istable(L, arg)) {
        lua_getfield(L, arg, "limit");
        limit = luaL_optinteger(L, -1, LIST_ROWS);
        lua_pop(L, 1);
    }
    luaL_argcheck(L, limit >= 1 && limit <= LIST_ROWS, arg, "limit is out of range");
    return (size_t)limit;
}

/* list(kind, where?, {limit=, prefix=, containing=, referring=}?) */
static int ctx_list(lua_State *L)
{
    lua_settop(L, 3);
    struct list_args q = {.kind = check_kind(L, 1), .where = check_where(L, 2)};
    q.prefix = text_option(L, 3, "prefix");
    q.containing = text_option(L, 3, "containing");
    q.referring = text_option(L, 3, "referring");
    q.limit = limit_option(L, 3);
    push_list(L, &q);
    return 1;
}

void host_push_selected(lua_State *L, int index)
{
    luaL_checktype(L, index, LUA_TTABLE);
    index = lua_absindex(L, index);
    int base = lua_gettop(L);
    lua_getfield(L, index, "kind");
    const struct api_kind *k = check_kind(L, base + 1);
    if (lua_getfield(L, index, "name") != LUA_TNIL) {
        push_object(L, k, host_check_name(L, base + 2));
    } else {
        lua_getfield(L, index, "where");
        struct list_args q = {.kind = k, .where = check_where(L, base + 3)};
        q.prefix = text_option(L, index, "prefix");
        q.containing = text_option(L, index, "containing");
        q.referring = text_option(L, index, "referring");
        q.limit = limit_option(L, index);
        push_list(L, &q);
    }
    lua_replace(L, base + 1);
    lua_settop(L, base + 1);
}

/* --- content --- */

static int open_tree(lua_State *L, bool writable)
{
    struct host_state *st = host_state_of(L);
    struct host_run *r = st->run;
    struct host_tree *t = arena_new(r->arena, struct host_tree);
    if (writable && lua_isnoneornil(L, 1)) {
        host_push_tree(L, t, true);
        return 1;
    }
    const struct host_tree *from = writable ? host_handle_tree(L, 1) : NULL;
    if (from) {
        *t = *from;
        t->changed = true; /* it is nobody's content yet */
        t->files = arena_array(r->arena, struct repo_file, from->n_files + 1);
        if (from->n_files) {
            memcpy(t->files, from->files, from->n_files * sizeof(*t->files));
        }
        script_check_memory(L, 0);
        host_push_tree(L, t, true);
        return 1;
    }
    struct str name = host_check_name(L, 1);
    struct err *err = host_err(L);
    struct repo_id id;
    if (!r->open_package) {
        return luaL_error(L, "there are no packages in this run");
    }
    if (r->open_package(r->ctx, r->ns, name, &t->repo, &id, err) < 0) {
        return host_push_error(L);
    }
    if (t->repo) {
        *HOST_PUSH(r->arena, r->repos, r->n_repos, r->cap_repos) = t->repo;
    }
    if (repo_tree_list(r->pool, t->repo, &id, r->arena, &t->files, &t->n_files, err) < 0) {
        return host_push_error(L);
    }
    script_check_memory(L, 0);
    host_push_tree(L, t, writable);
    return 1;
}

static int ctx_package(lua_State *L)
{
    return open_tree(L, false);
}

static int ctx_draft(lua_State *L)
{
    return open_tree(L, true);
}

const struct host_function host_read_functions[] = {
    {"ctx", "get", ctx_get, HOST_READS, "read"},
    {"ctx", "list", ctx_list, HOST_READS, "read"},
    {"ctx", "package", ctx_package, HOST_READS, "read"},
    {"ctx", "draft", ctx_draft, HOST_RUN, "draft"},
    {NULL, NULL, NULL, 0, NULL},
};
