/* SPDX-License-Identifier: Apache-2.0
 *
 * lanai.resources: files as KRM resources and back (krm/resources.h), in files, in streams and in
 * resource lists. What is parsed lands in the run's arena and counts as the script's memory.
 */
#include "krm/resources.h"

#include "base/limits.h"
#include "host/priv.h"
#include "krm/heal.h"
#include "krm/stream.h"

#define MAX_KEYS 16

static bool option(lua_State *L, int arg, const char *name)
{
    if (!lua_istable(L, arg)) {
        return false;
    }
    lua_getfield(L, arg, name);
    bool on = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return on;
}

bool host_compat_is_kpt(lua_State *L, int arg)
{
    if (!lua_istable(L, arg)) {
        return false;
    }
    lua_getfield(L, arg, "compat");
    const char *compat = luaL_optstring(L, -1, "lanai");
    bool kpt = strcmp(compat, "kpt") == 0;
    luaL_argcheck(L, kpt || strcmp(compat, "lanai") == 0, arg, "compat is \"kpt\" or \"lanai\"");
    lua_pop(L, 1);
    return kpt;
}

static struct str take_field(lua_State *L, int table, const char *name, int arg)
{
    lua_getfield(L, table, name);
    luaL_argexpected(L, lua_type(L, -1) == LUA_TSTRING, arg, "list of {path, text}");
    struct str s;
    s.ptr = lua_tolstring(L, -1, &s.len);
    script_check_memory(L, s.len);
    s = arena_str(script_arena(L), s);
    s.ptr = s.ptr ? s.ptr : "";
    lua_pop(L, 1);
    return s;
}

struct krm_files host_check_files(lua_State *L, int index, int arg)
{
    index = lua_absindex(L, index);
    luaL_argexpected(L, lua_istable(L, index), arg, "list of {path, text}");
    size_t n = lua_rawlen(L, index);
    script_check_memory(L, n * sizeof(struct krm_file));
    struct krm_files files = {.list = arena_array(script_arena(L), struct krm_file, n + 1),
                              .cap = n + 1};
    for (size_t i = 1; i <= n; i++) {
        lua_rawgeti(L, index, (lua_Integer)i);
        luaL_argexpected(L, lua_istable(L, -1), arg, "list of {path, text}");
        int at = lua_gettop(L);
        struct str path = take_field(L, at, "path", arg);
        files.list[files.n++] = (struct krm_file){path, take_field(L, at, "text", arg)};
        lua_settop(L, at - 1);
    }
    return files;
}

void host_push_files(lua_State *L, const struct krm_files *files)
{
    lua_createtable(L, (int)files->n, 0);
    for (size_t i = 0; i < files->n; i++) {
        const struct krm_file *f = &files->list[i];
        lua_createtable(L, 0, 2);
        lua_pushlstring(L, f->path.ptr ? f->path.ptr : "", f->path.len);
        lua_setfield(L, -2, "path");
        lua_pushlstring(L, f->text.ptr ? f->text.ptr : "", f->text.len);
        lua_setfield(L, -2, "text");
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
}

static int resources_read(lua_State *L)
{
    struct krm_files files = host_check_files(L, 1, 1);
    const struct krm_read_options o = {.annotate = option(L, 2, "annotate"),
                                       .detect_wide = option(L, 2, "wide"),
                                       .wrap_lists = option(L, 2, "wrap"),
                                       .json = true};
    struct node *items;
    if (krm_resources_read(script_arena(L), &files, &o, &items, NULL, host_err(L)) < 0) {
        return host_push_error(L);
    }
    script_check_memory(L, 0);
    script_push_handle(L, items, true);
    return 1;
}

static struct node *check_node(lua_State *L, int arg, enum node_type type)
{
    struct node *n = script_handle_node(L, arg);
    luaL_argexpected(L, node_is(n, type), arg, type == NODE_LIST ? "list of resources" : "map");
    return n;
}

static int resources_write(lua_State *L)
{
    const struct node *items = check_node(L, 1, NODE_LIST);
    struct krm_files keep = {0}, out = {0};
    struct krm_write_options o = {.defects = host_compat_is_kpt(L, 2)};
    if (option(L, 2, "keep")) {
        lua_getfield(L, 2, "keep");
        keep = host_check_files(L, -1, 2);
        o.keep = &keep;
    }
    if (krm_resources_write(script_arena(L), items, &o, &out, host_err(L)) < 0) {
        return host_push_error(L);
    }
    script_check_memory(L, 0);
    host_push_files(L, &out);
    return 1;
}

/* --- streams --- */

/* Annotations that leave the text: the list in option `without`. */
static size_t check_keys(lua_State *L, int arg, const char *out[MAX_KEYS])
{
    if (!option(L, arg, "without")) {
        return 0;
    }
    lua_getfield(L, arg, "without");
    luaL_argexpected(L, lua_istable(L, -1), arg, "list of annotations");
    size_t n = lua_rawlen(L, -1);
    luaL_argcheck(L, n <= MAX_KEYS, arg, "too many annotations");
    for (size_t i = 0; i < n; i++) {
        lua_rawgeti(L, -1, (lua_Integer)i + 1);
        struct str key;
        key.ptr = luaL_checklstring(L, -1, &key.len);
        out[i] = arena_strz(script_arena(L), key);
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    return n;
}

/* Writes into the arena: a heap buffer may not live across the push, which can raise. */
static int write_stream(struct arena *a, const struct krm_stream *s,
                        const struct krm_stream_options *o, struct str *out, struct err *err)
{
    AUTO_BUF b = BUF_INIT;
    buf_init(&b, LIMIT_LOCAL_FILE_BYTES);
    if (krm_stream_write(a, s, o, &b, err) < 0) {
        return -1;
    }
    *out = arena_str(a, buf_str(&b));
    return b.overflow ? err_set(err, ERR_TOO_LARGE, "the resources are too large") : 0;
}

static int push_stream(lua_State *L, const struct krm_stream *s,
                       const struct krm_stream_options *o)
{
    struct str text;
    if (write_stream(script_arena(L), s, o, &text, host_err(L)) < 0) {
        return host_push_error(L);
    }
    script_check_memory(L, 0);
    lua_pushlstring(L, text.ptr ? text.ptr : "", text.len);
    return 1;
}

/* text(items, {keep=, without=, compat=}): YAML documents. */
static int resources_text(lua_State *L)
{
    const struct krm_stream s = {.items = check_node(L, 1, NODE_LIST)};
    const char *keys[MAX_KEYS];
    const struct krm_stream_options o = {.keep_annotations = option(L, 2, "keep"),
                                         .n_keys = check_keys(L, 2, keys),
                                         .keys = keys,
                                         .defects = host_compat_is_kpt(L, 2)};
    return push_stream(L, &s, &o);
}

/* list(items, {config=, compat=}): a ResourceList. */
static int resources_list(lua_State *L)
{
    struct krm_stream s = {.items = check_node(L, 1, NODE_LIST),
                           .api_version = STR("config.kubernetes.io/v1"),
                           .kind = STR("ResourceList")};
    const struct krm_stream_options o = {.keep_annotations = true,
                                         .defects = host_compat_is_kpt(L, 2)};
    if (option(L, 2, "config")) {
        lua_getfield(L, 2, "config");
        s.config = check_node(L, -1, NODE_MAP);
    }
    return push_stream(L, &s, &o);
}

/* parse(text): the items of a list object, or the documents. */
static int resources_parse(lua_State *L)
{
    struct str text;
    text.ptr = luaL_checklstring(L, 1, &text.len);
    script_check_memory(L, text.len);
    struct arena *a = script_arena(L);
    const struct krm_read_options o = {
        .annotate = true, .detect_wide = true, .wrap_lists = true, .json = true};
    struct krm_stream s = {0};
    if (krm_stream_read(a, arena_str(a, text), &o, &s, host_err(L)) < 0) {
        return host_push_error(L);
    }
    script_check_memory(L, 0);
    script_push_handle(L, s.items, true);
    return 1;
}

/* --- changes --- */

/* format(resource): fields in their usual order. */
static int resources_format(lua_State *L)
{
    struct node *resource = check_node(L, 1, NODE_MAP);
    return krm_format_order(resource, host_err(L)) ? host_push_error(L) : 0;
}

static void strip(struct node_notes *notes)
{
    if (notes) {
        *notes = (struct node_notes){.anchor = notes->anchor, .tag = notes->tag};
    }
}

/* strip_comments(resource): an explicit stack, for trees may be deeper than ours. */
static int resources_strip_comments(lua_State *L)
{
    struct arena *a = script_arena(L);
    struct node **stack = NULL;
    size_t n = 0, cap = 0;
    *HOST_PUSH(a, stack, n, cap) = check_node(L, 1, NODE_MAP);
    while (n) {
        struct node *at = stack[--n];
        strip(at->notes);
        for (size_t i = 0; at->type == NODE_LIST && i < at->n; i++) {
            *HOST_PUSH(a, stack, n, cap) = at->items[i];
        }
        for (size_t i = 0; at->type == NODE_MAP && i < at->n; i++) {
            strip(at->members[i].name ? at->members[i].name->notes : NULL);
            *HOST_PUSH(a, stack, n, cap) = at->members[i].value;
        }
    }
    return 0;
}

const struct host_function host_resources_functions[] = {
    {"lanai.resources", "read", resources_read, HOST_ALWAYS, NULL},
    {"lanai.resources", "write", resources_write, HOST_ALWAYS, NULL},
    {"lanai.resources", "text", resources_text, HOST_ALWAYS, NULL},
    {"lanai.resources", "list", resources_list, HOST_ALWAYS, NULL},
    {"lanai.resources", "parse", resources_parse, HOST_ALWAYS, NULL},
    {"lanai.resources", "format", resources_format, HOST_ALWAYS, NULL},
    {"lanai.resources", "strip_comments", resources_strip_comments, HOST_ALWAYS, NULL},
    {NULL, NULL, NULL, 0, NULL},
};
