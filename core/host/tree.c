/* SPDX-License-Identifier: Apache-2.0
 *
 * A package's files as a Lua handle. ctx.package gives a read-only one, ctx.draft a writable one;
 * changes stay in the run until they are saved. Files stand in path order; a file without bytes
 * is the blob it was.
 */
#include "base/limits.h"
#include "data/yaml.h"
#include "host/priv.h"
#include "krm/path.h"

#define CLASS "lanai.tree"
#define MODE_FILE 0100644u
#define MODE_EXECUTABLE 0100755u
#define MODE_LINK 0120000u

struct handle {
    struct host_tree *tree;
    bool writable;
    size_t cap; /* of tree->files when this file made the array, else 0 */
};

static struct handle *check(lua_State *L)
{
    return luaL_checkudata(L, 1, CLASS);
}

static struct host_tree *check_writable(lua_State *L)
{
    struct handle *h = check(L);
    if (!h->writable) {
        luaL_error(L, "package is read-only: work on a ctx.draft");
    }
    return h->tree;
}

struct host_tree *host_check_tree(lua_State *L, int index)
{
    struct handle *h = luaL_checkudata(L, index, CLASS);
    luaL_argcheck(L, h->writable, index, "a draft is expected, not a package");
    return h->tree;
}

struct host_tree *host_handle_tree(lua_State *L, int index)
{
    struct handle *h = luaL_testudata(L, index, CLASS);
    return h ? h->tree : NULL;
}

void host_push_tree(lua_State *L, struct host_tree *t, bool writable)
{
    struct handle *h = lua_newuserdatauv(L, sizeof(*h), 0);
    *h = (struct handle){.tree = t, .writable = writable};
    luaL_setmetatable(L, CLASS);
}

static struct str check_str(lua_State *L, int arg)
{
    struct str s;
    s.ptr = luaL_checklstring(L, arg, &s.len);
    return s;
}

/* Position of a path, or where it would stand; *out_found tells which. */
static size_t find(const struct host_tree *t, struct str path, bool *out_found)
{
    size_t low = 0, high = t->n_files;
    *out_found = false;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        int order = str_cmp(path, t->files[mid].path);
        if (order == 0) {
            *out_found = true;
            return mid;
        }
        if (order < 0) {
            high = mid;
        } else {
            low = mid + 1;
        }
    }
    return low;
}

/* Bytes of a file into *out; false when there is no such file. Raises when it cannot be read. */
static bool read_file(lua_State *L, const struct host_tree *t, struct str path, struct str *out)
{
    struct host_state *st = host_state_of(L);
    bool found;
    size_t at = find(t, path, &found);
    if (!found) {
        return false;
    }
    *out = t->files[at].bytes;
    if (!out->ptr && repo_blob_get(st->run->pool, t->repo, &t->files[at].blob, st->run->arena, out,
                                   host_err(L)) < 0) {
        host_raise_error(L);
    }
    script_check_memory(L, 0);
    return true;
}

static int tree_file(lua_State *L)
{
    const struct host_tree *t = check(L)->tree;
    struct str bytes;
    if (read_file(L, t, check_str(L, 2), &bytes)) {
        lua_pushlstring(L, bytes.ptr ? bytes.ptr : "", bytes.len);
    } else {
        lua_pushnil(L);
    }
    return 1;
}

static int tree_files(lua_State *L)
{
    const struct host_tree *t = check(L)->tree;
    lua_createtable(L, (int)t->n_files, 0);
    for (size_t i = 0; i < t->n_files; i++) {
        lua_pushlstring(L, t->files[i].path.ptr, t->files[i].path.len);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    return 1;
}

/* kind(path) gives "file", "executable" or "link"; nil when there is no such file. */
static int tree_kind(lua_State *L)
{
    const struct host_tree *t = check(L)->tree;
    bool found;
    size_t at = find(t, check_str(L, 2), &found);
    if (found) {
        uint32_t mode = t->files[at].mode;
        lua_pushstring(L, mode == MODE_LINK         ? "link"
                          : mode == MODE_EXECUTABLE ? "executable"
                                                    : "file");
    } else {
        lua_pushnil(L);
    }
    return 1;
}

/* --- changes --- */

static struct repo_file *insert(struct arena *a, struct handle *h, size_t at, struct str path)
{
    struct host_tree *t = h->tree;
    if (h->cap < t->n_files + 1) {
        h->cap = (t->n_files + 8) * 2;
        struct repo_file *more = arena_array(a, struct repo_file, h->cap);
        if (t->n_files) {
            memcpy(more, t->files, t->n_files * sizeof(*more));
        }
        t->files = more;
    }
    memmove(&t->files[at + 1], &t->files[at], (t->n_files - at) * sizeof(*t->files));
    t->n_files++;
    t->files[at] = (struct repo_file){.path = arena_str(a, path), .mode = MODE_FILE};
    return &t->files[at];
}

/* The path is free to be a file when no file stands where it needs a directory, and the other way
 * round. */
static bool clashes(const struct host_tree *t, struct str path)
{
    bool found;
    for (size_t i = 1; i < path.len; i++) {
        if (path.ptr[i] == '/') {
            find(t, str_sub(path, 0, i), &found);
            if (found) {
                return true;
            }
        }
    }
    for (size_t i = find(t, path, &found); i < t->n_files; i++) {
        struct str other = t->files[i].path;
        if (!str_has_prefix(other, path)) {
            break;
        }
        if (other.len > path.len && other.ptr[path.len] == '/') {
            return true;
        }
    }
    return false;
}

static void store_bytes(struct arena *a, struct repo_file *f, struct str bytes)
{
    f->bytes = arena_str(a, bytes);
    if (!f->bytes.ptr) {
        f->bytes.ptr = ""; /* an empty file, not an unchanged one */
    }
}

static int refuse_path(lua_State *L, struct str path, const char *why)
{
    struct err *err = host_err(L);
    err_set(err, ERR_INVALID, "file path \"%.*s\" is invalid: %s", STR_ARG(path), why);
    return host_push_error(L);
}

static uint32_t check_kind(lua_State *L, int arg)
{
    static const char *const kinds[] = {"file", "executable", "link", NULL};
    static const uint32_t modes[] = {MODE_FILE, MODE_EXECUTABLE, MODE_LINK};
    return lua_isnoneornil(L, arg) ? 0 : modes[luaL_checkoption(L, arg, NULL, kinds)];
}

/* set(path, bytes or nil, kind?) */
static int tree_set(lua_State *L)
{
    struct host_tree *t = check_writable(L);
    struct str path = check_str(L, 2), bytes = STR_NULL;
    struct arena *a = script_arena(L);
    struct handle *h = check(L);
    bool found, remove = lua_isnil(L, 3);
    uint32_t mode = check_kind(L, 4);
    if (!remove) {
        bytes = check_str(L, 3);
    }
    const char *fault = krm_path_fault(path);
    if (fault || (!remove && clashes(t, path))) {
        return refuse_path(L, path, fault ? fault : "a file and a directory have the same path");
    }
    size_t at = find(t, path, &found);
    if (remove && found) {
        memmove(&t->files[at], &t->files[at + 1], (t->n_files - at - 1) * sizeof(*t->files));
        t->n_files--;
    } else if (!remove) {
        luaL_argcheck(L, found || t->n_files < LIMIT_PACKAGE_FILES, 2, "package has too many files");
        script_check_memory(L, bytes.len + path.len + 2 * t->n_files * sizeof(*t->files));
        struct repo_file *f = found ? &t->files[at] : insert(a, h, at, path);
        store_bytes(a, f, bytes);
        f->mode = mode ? mode : f->mode;
    }
    t->changed = true;
    lua_pushboolean(L, 1);
    return 1;
}

static int by_path(const void *a, const void *b)
{
    const struct repo_file *x = a, *y = b;
    return str_cmp(x->path, y->path);
}

/* The files of a map path → text. Modes of files that were there stay. */
static int tree_replace(lua_State *L)
{
    struct host_tree *t = check_writable(L);
    struct arena *a = script_arena(L);
    const struct node *map = script_handle_node(L, 2);
    if (!map) {
        map = script_to_node(L, 2);
    }
    luaL_argexpected(L, map->type == NODE_MAP, 2, "map of path to text");
    luaL_argcheck(L, map->n <= LIMIT_PACKAGE_FILES, 2, "package has too many files");
    script_check_memory(L, map->n * sizeof(struct repo_file));
    struct host_tree next = {.repo = t->repo, .n_files = map->n, .changed = true};
    next.files = arena_array(a, struct repo_file, map->n);
    for (size_t i = 0; i < map->n; i++) {
        struct str path = map->members[i].key;
        const struct node *text = map->members[i].value;
        const char *fault = krm_path_fault(path);
        if (fault || text->type != NODE_STRING) {
            return refuse_path(L, path, fault ? fault : "its content is not text");
        }
        bool found;
        size_t at = find(t, path, &found);
        next.files[i] = (struct repo_file){.path = path,
                                           .mode = found ? t->files[at].mode : MODE_FILE,
                                           .bytes = text->text};
        next.files[i].bytes.ptr = text->text.ptr ? text->text.ptr : "";
    }
    if (next.n_files) {
        qsort(next.files, next.n_files, sizeof(*next.files), by_path);
    }
    for (size_t i = 0; i < next.n_files; i++) {
        if (clashes(&next, next.files[i].path)) {
            return refuse_path(L, next.files[i].path, "a file and a directory have the same path");
        }
    }
    *t = next;
    check(L)->cap = 0;
    lua_pushboolean(L, 1);
    return 1;
}

#define MAX_EDIT_PATH 16

static size_t check_members(lua_State *L, int arg, struct str out[MAX_EDIT_PATH])
{
    luaL_checktype(L, arg, LUA_TTABLE);
    size_t n = lua_rawlen(L, arg);
    luaL_argcheck(L, n >= 1 && n <= MAX_EDIT_PATH, arg, "a list of member names is expected");
    for (size_t i = 0; i < n; i++) {
        lua_rawgeti(L, arg, (lua_Integer)i + 1);
        luaL_argcheck(L, lua_type(L, -1) == LUA_TSTRING, arg, "member names are strings");
        struct str s;
        s.ptr = lua_tolstring(L, -1, &s.len);
        out[i] = arena_str(script_arena(L), s);
        lua_pop(L, 1);
    }
    return n;
}

static int tree_edit(lua_State *L)
{
    struct host_tree *t = check_writable(L);
    struct arena *a = script_arena(L);
    struct str path = check_str(L, 2), text, edited, members[MAX_EDIT_PATH];
    size_t n = check_members(L, 3, members);
    const struct node *value = lua_isnoneornil(L, 4) ? NULL : script_to_node(L, 4);
    struct err *err = host_err(L);
    if (!read_file(L, t, path, &text)) {
        err_set(err, ERR_NOT_FOUND, "file \"%.*s\" is missing from the package", STR_ARG(path));
        return host_push_error(L);
    }
    if (yaml_edit_set(a, text, members, n, value, &edited, err) < 0) {
        err_wrap(err, "cannot edit '%.*s'", STR_ARG(path));
        return host_push_error(L);
    }
    script_check_memory(L, 0);
    bool found;
    store_bytes(a, &t->files[find(t, path, &found)], edited);
    t->changed = t->changed || !str_eq(text, edited);
    lua_pushboolean(L, 1);
    return 1;
}

static int tree_kptfile(lua_State *L)
{
    const struct host_tree *t = check(L)->tree;
    struct str text;
    struct err *err = host_err(L);
    if (!read_file(L, t, STR("Kptfile"), &text)) {
        err_set(err, ERR_NOT_FOUND, "file \"Kptfile\" is missing from the package");
        return host_push_error(L);
    }
    struct node *n = yaml_parse(script_arena(L), text, NULL, err);
    if (n && n->type != NODE_MAP) {
        n = NULL;
        err_set(err, ERR_INVALID, "Kptfile is not a map");
    }
    if (!n) {
        return host_push_error(L);
    }
    script_check_memory(L, 0);
    script_push_handle(L, n, false);
    return 1;
}

static int tree_changed(lua_State *L)
{
    lua_pushboolean(L, check(L)->tree->changed);
    return 1;
}

const struct host_function host_tree_functions[] = {
    {"tree", "file", tree_file, HOST_READS, NULL},
    {"tree", "files", tree_files, HOST_READS, NULL},
    {"tree", "kind", tree_kind, HOST_READS, NULL},
    {"tree", "kptfile", tree_kptfile, HOST_READS, NULL},
    {"tree", "changed", tree_changed, HOST_READS, NULL},
    {"tree", "set", tree_set, HOST_RUN, NULL},
    {"tree", "replace", tree_replace, HOST_RUN, NULL},
    {"tree", "edit", tree_edit, HOST_RUN, NULL},
    {NULL, NULL, NULL, 0, NULL},
};

void host_open_trees(lua_State *L)
{
    luaL_newmetatable(L, CLASS);
    lua_newtable(L);
    host_set_functions(L, "tree", NULL);
    lua_setfield(L, -2, "__index");
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
    lua_pop(L, 1);
}
