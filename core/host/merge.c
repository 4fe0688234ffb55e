/* SPDX-License-Identifier: Apache-2.0
 *
 * lanai.krm over whole packages: Kptfiles, merges, identity stamps, contexts and healing
 * (krm/merge.h, krm/kptfile_form.h, krm/identity.h, krm/heal.h). Files go in and come out as lists of {path, text}; what
 * conflicted comes as data.
 */
#include "krm/merge.h"

#include "base/limits.h"
#include "data/yaml.h"
#include "data/yaml_doc.h"
#include "host/priv.h"
#include "krm/context.h"
#include "krm/heal.h"
#include "krm/identity.h"
#include "krm/kptfile_form.h"

/* Text in a member of the table at arg; ptr NULL when it is not there. */
static struct str text_field(lua_State *L, int arg, const char *name)
{
    struct str s = STR_NULL;
    if (lua_getfield(L, arg, name) != LUA_TNIL) {
        s.ptr = lua_tolstring(L, -1, &s.len);
        luaL_argexpected(L, s.ptr, arg, "texts");
        script_check_memory(L, s.len);
        s = arena_str(script_arena(L), s);
        s.ptr = s.ptr ? s.ptr : "";
    }
    lua_pop(L, 1);
    return s;
}

static bool flag_field(lua_State *L, int arg, const char *name)
{
    lua_getfield(L, arg, name);
    bool on = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return on;
}

static struct krm_files files_field(lua_State *L, int arg, const char *name)
{
    lua_getfield(L, arg, name);
    struct krm_files files = host_check_files(L, -1, arg);
    lua_pop(L, 1);
    return files;
}

static int push_str(lua_State *L, struct str s)
{
    if (s.ptr) {
        lua_pushlstring(L, s.ptr, s.len);
    } else {
        lua_pushnil(L);
    }
    return 1;
}

/* --- Kptfiles --- */

/* Fields that kpt does not know are left out instead of being refused. */
static struct node *decode_known(struct arena *a, struct str text, struct err *err)
{
    struct node *form;
    struct yaml_docs docs;
    if (kptfile_decode(a, text, &form, err) == 0) {
        return form;
    }
    if (!str_has_prefix(str_of(err->message), STR("yaml: unmarshal errors:")) ||
        !strstr(err->message, " not found in type ") ||
        strstr(err->message, "cannot unmarshal") ||
        yaml_read(a, text, NULL, &docs, NULL, NULL) < 0 || docs.n == 0 ||
        docs.list[0].root->type != NODE_MAP) {
        return NULL;
    }
    err_drop(err); /* only unknown fields were wrong */
    return kptfile_form(a, docs.list[0].root);
}

/* kptfile_parse(text) */
static int krm_kptfile_parse(lua_State *L)
{
    struct str text;
    text.ptr = luaL_checklstring(L, 1, &text.len);
    script_check_memory(L, text.len);
    struct arena *a = script_arena(L);
    struct node *form = decode_known(a, arena_str(a, text), host_err(L));
    if (!form) {
        return host_push_error(L);
    }
    script_check_memory(L, 0);
    script_push_handle(L, form, true);
    return 1;
}

static struct str encode(struct arena *a, struct node *form)
{
    AUTO_BUF b = BUF_INIT;
    buf_init(&b, LIMIT_RUN_BYTES);
    kptfile_encode(&b, form, false);
    return b.overflow ? STR_NULL : arena_str(a, buf_str(&b));
}

/* kptfile_emit(file) */
static int krm_kptfile_emit(lua_State *L)
{
    struct arena *a = script_arena(L);
    struct node *file = script_to_node(L, 1);
    luaL_argexpected(L, file->type == NODE_MAP, 1, "map");
    struct str text = encode(a, kptfile_form(a, file));
    if (!text.ptr) {
        return luaL_error(L, "text is too large");
    }
    return push_str(L, text);
}

static int push_report(lua_State *L, struct arena *a, const struct krm_report *report)
{
    script_check_memory(L, 0);
    script_push_handle(L, krm_report_node(a, report), true);
    return 2;
}

/* kptfile_merge{base=, ours=, theirs=, take_upstream=, compat=}: the text and the conflicts. */
static int krm_kptfile_merge(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    const struct krm_texts in = {.base = text_field(L, 1, "base"),
                                 .ours = text_field(L, 1, "ours"),
                                 .theirs = text_field(L, 1, "theirs")};
    const struct krm_merge_options o = {.kpt = host_compat_is_kpt(L, 1), .infer = true};
    bool take_upstream = flag_field(L, 1, "take_upstream");
    struct krm_report report = {0};
    struct arena *a = script_arena(L);
    struct str out = STR_NULL;
    if (krm_merge_kptfile(a, &in, take_upstream, &o, &report, &out, host_err(L)) < 0) {
        return host_push_error(L);
    }
    if (out.ptr) {
        push_str(L, out);
    } else {
        lua_pushboolean(L, 0);
    }
    return push_report(L, a, &report);
}

/* --- packages --- */

/* merge{base=, ours=, theirs=, is_root=, rules=, compat=} gives files and the conflicts. */
static int krm_merge_lists(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    struct krm_files base = files_field(L, 1, "base"), ours = files_field(L, 1, "ours");
    struct krm_files theirs = files_field(L, 1, "theirs"), out = {0};
    const struct krm_merge_options o = {.kpt = host_compat_is_kpt(L, 1),
                                        .is_root = flag_field(L, 1, "is_root"),
                                        .rules = text_field(L, 1, "rules")};
    struct krm_report report = {0};
    struct arena *a = script_arena(L);
    if (krm_merge_files(a, &base, &ours, &theirs, &o, &out, &report, host_err(L)) < 0) {
        return host_push_error(L);
    }
    host_push_files(L, &out);
    return push_report(L, a, &report);
}

/* Gives the files to Lua, which copies them, and with that all that was needed to make them: a
 * package is worked on file by file, and must not be held once per file and step. */
static int push_made(lua_State *L, const struct krm_files *out, const struct arena_mark *before)
{
    script_check_memory(L, 0);
    host_push_files(L, out);
    arena_rewind(script_arena(L), before);
    return 1;
}

/* Reads files, lets fn change the items, and writes them: anew as kpt does, or what changed. */
static int change_files(lua_State *L, bool json,
                        int (*fn)(lua_State *L, struct arena *a, struct node *items,
                                  struct err *err))
{
    luaL_checktype(L, 1, LUA_TTABLE);
    struct arena_mark mark = arena_mark(script_arena(L));
    struct krm_files files = files_field(L, 1, "files"), out = {0};
    bool kpt = host_compat_is_kpt(L, 1);
    const struct krm_read_options r = {
        .annotate = true, .detect_wide = true, .wrap_lists = true, .json = json};
    const struct krm_write_options w = {.defects = kpt, .keep = kpt ? NULL : &files};
    struct arena *a = script_arena(L);
    struct err *err = host_err(L);
    struct node *items;
    if (krm_resources_read(a, &files, &r, &items, NULL, err) < 0 || fn(L, a, items, err) < 0 ||
        krm_resources_write(a, items, &w, &out, err) < 0) {
        return host_push_error(L);
    }
    return push_made(L, &out, &mark);
}

static int stamp_items(lua_State *L, struct arena *a, struct node *items, struct err *err)
{
    bool attribute = flag_field(L, 1, "attribute");
    for (size_t i = 0; i < items->n; i++) {
        if (krm_identity_stamp(a, items->items[i], err) < 0 ||
            (attribute && krm_attribute(a, items->items[i], "pkg", err) < 0)) {
            return -1;
        }
    }
    return 0;
}

/* stamp{files=, attribute=, compat=} */
static int krm_stamp(lua_State *L)
{
    return change_files(L, false, stamp_items);
}

static int add_context(lua_State *L, struct arena *a, struct node *items, struct err *err)
{
    struct str path = text_field(L, 1, "package_path");
    (void)krm_package_context(a, items, path);
    return 0;
}

/* context{files=, package_path=, compat=} */
static int krm_context(lua_State *L)
{
    return change_files(L, true, add_context);
}

/* heal{before=, files=, compat=}: what was lost comes back. */
static int krm_heal(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    struct arena_mark mark = arena_mark(script_arena(L));
    struct krm_files before = files_field(L, 1, "before"), files = files_field(L, 1, "files");
    bool kpt = host_compat_is_kpt(L, 1);
    struct krm_files out = {0};
    if (krm_heal_files(script_arena(L), &before, &files, kpt, &out, host_err(L)) < 0) {
        return host_push_error(L);
    }
    return push_made(L, &out, &mark);
}

/* --- single edits --- */

/* yaml.set(text, members, value, follow?) gives the text with one value set, or deleted with nil. */
static int yaml_set(lua_State *L)
{
    struct str text, path[16], out, follow;
    text.ptr = luaL_checklstring(L, 1, &text.len);
    luaL_checktype(L, 2, LUA_TTABLE);
    struct arena *a = script_arena(L);
    size_t n = lua_rawlen(L, 2);
    luaL_argcheck(L, n >= 1 && n <= 16, 2, "a list of member names is expected");
    for (size_t i = 0; i < n; i++) {
        lua_rawgeti(L, 2, (lua_Integer)i + 1);
        path[i].ptr = luaL_checklstring(L, -1, &path[i].len);
        path[i] = arena_str(a, path[i]);
        lua_pop(L, 1);
    }
    const struct node *value = lua_isnoneornil(L, 3) ? NULL : script_to_node(L, 3);
    follow.ptr = luaL_optlstring(L, 4, "", &follow.len);
    script_check_memory(L, text.len);
    if (yaml_edit_put(a, arena_str(a, text), path, n, value, arena_str(a, follow), &out,
                      host_err(L)) < 0) {
        return host_push_error(L);
    }
    script_check_memory(L, 0);
    return push_str(L, out);
}

const struct host_function host_merge_functions[] = {
    {"lanai.krm", "kptfile_parse", krm_kptfile_parse, HOST_ALWAYS, NULL},
    {"lanai.krm", "kptfile_emit", krm_kptfile_emit, HOST_ALWAYS, NULL},
    {"lanai.krm", "kptfile_merge", krm_kptfile_merge, HOST_ALWAYS, NULL},
    {"lanai.krm", "merge", krm_merge_lists, HOST_ALWAYS, NULL},
    {"lanai.krm", "stamp", krm_stamp, HOST_ALWAYS, NULL},
    {"lanai.krm", "context", krm_context, HOST_ALWAYS, NULL},
    {"lanai.krm", "heal", krm_heal, HOST_ALWAYS, NULL},
    {"lanai.yaml", "set", yaml_set, HOST_ALWAYS, NULL},
    {NULL, NULL, NULL, 0, NULL},
};
