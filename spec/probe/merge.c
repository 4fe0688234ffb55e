/* SPDX-License-Identifier: Apache-2.0
 *
 * `require "probe_merge"`: core/krm/merge.h, patch.h, identity.h, context.h and kptfile_*.h on
 * text. Options are a table of the members of the C structs. An error comes back as nil and
 * {kind, message}.
 */
#include <lauxlib.h>
#include <lua.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "data/yaml_doc.h"
#include "krm/context.h"
#include "krm/identity.h"
#include "krm/kptfile_check.h"
#include "krm/kptfile_form.h"
#include "krm/merge.h"
#include "krm/patch.h"

/* --- Lua values --- */

static struct str arg(lua_State *L, int at)
{
    struct str s = {NULL, 0};
    if (!lua_isnoneornil(L, at)) {
        s.ptr = luaL_checklstring(L, at, &s.len);
    }
    return s;
}

static bool flag(lua_State *L, int at, const char *name)
{
    if (!lua_istable(L, at)) {
        return false;
    }
    lua_getfield(L, at, name);
    bool v = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return v;
}

static struct str text_option(lua_State *L, int at, const char *name)
{
    struct str s = {NULL, 0};
    if (lua_istable(L, at)) {
        lua_getfield(L, at, name);
        s.ptr = luaL_optlstring(L, -1, NULL, &s.len);
        lua_pop(L, 1); /* the table keeps the string alive */
    }
    return s;
}

static int push_err(lua_State *L, struct err *err)
{
    lua_pushnil(L);
    lua_newtable(L);
    lua_pushstring(L, err_kind_name(err->kind));
    lua_setfield(L, -2, "kind");
    lua_pushstring(L, err->message);
    lua_setfield(L, -2, "message");
    err_done(err);
    return 2;
}

static void push_str(lua_State *L, struct str s)
{
    lua_pushlstring(L, s.ptr ? s.ptr : "", s.len);
}

/* The first document of a text; nil is NULL. */
static int read_doc(lua_State *L, int at, struct arena *a, struct node **out, struct err *err)
{
    struct str text = arg(L, at);
    struct yaml_docs docs = {0};
    *out = NULL;
    if (!text.ptr) {
        return 0;
    }
    if (yaml_read(a, text, NULL, &docs, NULL, err) < 0) {
        return -1;
    }
    *out = docs.n ? docs.list[0].root : NULL;
    return 0;
}

static int push_doc(lua_State *L, const struct node *n, const struct yaml_form *form)
{
    if (!n) {
        lua_pushboolean(L, false);
        return 1;
    }
    AUTO_BUF out = BUF_INIT;
    yaml_write_node(&out, n, form);
    push_str(L, buf_str(&out));
    return 1;
}

/* --- merges --- */

static struct krm_merge_options options(lua_State *L, int at)
{
    return (struct krm_merge_options){
        .kpt = flag(L, at, "kpt"),
        .infer = flag(L, at, "infer"),
        .comments = flag(L, at, "comments"),
        .is_root = flag(L, at, "is_root"),
        .rules = text_option(L, at, "rules"),
    };
}

static struct yaml_form form(lua_State *L, int at)
{
    return (struct yaml_form){.wide = flag(L, at, "wide"), .defects = flag(L, at, "kpt")};
}

static void push_report(lua_State *L, struct arena *a, const struct krm_report *report)
{
    struct node *n = krm_report_node(a, report);
    AUTO_BUF json = BUF_INIT;
    json_emit(&json, n);
    push_str(L, buf_str(&json));
}

/* resource(base, ours, theirs[, options]): merged text, or false when deleted; report as JSON */
static int resource(lua_State *L)
{
    AUTO_ARENA a = ARENA_INIT;
    struct err err = ERR_INIT;
    struct node *base, *ours, *theirs, *out;
    struct krm_report report = {0};
    struct krm_merge_options o = options(L, 4);
    struct yaml_form f = form(L, 4);
    if (read_doc(L, 1, &a, &base, &err) < 0 || read_doc(L, 2, &a, &ours, &err) < 0 ||
        read_doc(L, 3, &a, &theirs, &err) < 0 ||
        krm_merge_resource(&a, base, ours, theirs, &o, &report, &out, &err) < 0) {
        return push_err(L, &err);
    }
    push_doc(L, out, &f);
    push_report(L, &a, &report);
    return 2;
}

static int compare_files(const void *x, const void *y)
{
    const struct krm_file *a = x, *b = y;
    return str_cmp(a->path, b->path);
}

/* A table path → text as files in path order. */
static struct krm_files files_arg(lua_State *L, int at, struct arena *a)
{
    struct krm_files f = {0};
    luaL_checktype(L, at, LUA_TTABLE);
    for (lua_pushnil(L); lua_next(L, at); lua_pop(L, 1)) {
        f.cap++;
    }
    f.list = arena_array(a, struct krm_file, f.cap);
    for (lua_pushnil(L); lua_next(L, at); lua_pop(L, 1)) {
        struct str path, text;
        path.ptr = lua_tolstring(L, -2, &path.len);
        text.ptr = lua_tolstring(L, -1, &text.len);
        f.list[f.n++] = (struct krm_file){path, text};
    }
    qsort(f.list, f.n, sizeof *f.list, compare_files);
    return f;
}

/* files(base, ours, theirs[, options]): tables path → text; merged table and report as JSON */
static int files(lua_State *L)
{
    AUTO_ARENA a = ARENA_INIT;
    struct err err = ERR_INIT;
    struct krm_files base = files_arg(L, 1, &a), ours = files_arg(L, 2, &a);
    struct krm_files theirs = files_arg(L, 3, &a), out;
    struct krm_report report = {0};
    struct krm_merge_options o = options(L, 4);
    if (krm_merge_files(&a, &base, &ours, &theirs, &o, &out, &report, &err) < 0) {
        return push_err(L, &err);
    }
    lua_newtable(L);
    for (size_t i = 0; i < out.n; i++) {
        push_str(L, out.list[i].path);
        push_str(L, out.list[i].text);
        lua_rawset(L, -3);
    }
    push_report(L, &a, &report);
    return 2;
}

/* kptfile(base, ours, theirs[, options, take_upstream]): merged text or false; report as JSON */
static int kptfile(lua_State *L)
{
    AUTO_ARENA a = ARENA_INIT;
    struct err err = ERR_INIT;
    struct krm_texts in = {arg(L, 1), arg(L, 2), arg(L, 3)};
    struct krm_report report = {0};
    struct krm_merge_options o = options(L, 4);
    struct str out;
    if (krm_merge_kptfile(&a, &in, lua_toboolean(L, 5), &o, &report, &out, &err) < 0) {
        return push_err(L, &err);
    }
    if (out.ptr) {
        push_str(L, out);
    } else {
        lua_pushboolean(L, false);
    }
    push_report(L, &a, &report);
    return 2;
}

/* encode(text[, compact]): the Kptfile as kpt writes it */
static int encode(lua_State *L)
{
    AUTO_ARENA a = ARENA_INIT;
    AUTO_BUF out = BUF_INIT;
    struct err err = ERR_INIT;
    struct node *form;
    if (kptfile_decode(&a, arg(L, 1), &form, &err) < 0) {
        return push_err(L, &err);
    }
    kptfile_encode(&out, form, lua_toboolean(L, 2));
    push_str(L, buf_str(&out));
    return 1;
}

/* kptfile_check(text[, files]): true, or nil and an error */
static int check_kptfile(lua_State *L)
{
    AUTO_ARENA a = ARENA_INIT;
    struct err err = ERR_INIT;
    struct node *form;
    struct krm_files f = {0};
    bool given = lua_istable(L, 2);
    if (given) {
        f = files_arg(L, 2, &a);
    }
    if (kptfile_decode(&a, arg(L, 1), &form, &err) < 0 ||
        kptfile_check(&a, form, given ? &f : NULL, &err) < 0) {
        return push_err(L, &err);
    }
    lua_pushboolean(L, 1);
    return 1;
}

/* --- identity --- */

/* identity(text): group, kind, namespace, name; nothing when it has none */
static int identity(lua_State *L)
{
    AUTO_ARENA a = ARENA_INIT;
    struct err err = ERR_INIT;
    struct node *n;
    struct krm_identity id;
    if (read_doc(L, 1, &a, &n, &err) < 0) {
        return push_err(L, &err);
    }
    if (!krm_identity_of(n, &id)) {
        return 0;
    }
    push_str(L, id.group);
    push_str(L, id.kind);
    push_str(L, id.ns);
    push_str(L, id.name);
    return 4;
}

/* stamp(text) → text */
static int stamp(lua_State *L)
{
    AUTO_ARENA a = ARENA_INIT;
    struct err err = ERR_INIT;
    struct node *n;
    struct yaml_form f = form(L, 2);
    if (read_doc(L, 1, &a, &n, &err) < 0 || krm_identity_stamp(&a, n, &err) < 0) {
        return push_err(L, &err);
    }
    return push_doc(L, n, &f);
}

/* attribute(text, group) → text */
static int attribute(lua_State *L)
{
    AUTO_ARENA a = ARENA_INIT;
    struct err err = ERR_INIT;
    struct node *n;
    struct yaml_form f = form(L, 3);
    if (read_doc(L, 1, &a, &n, &err) < 0 ||
        krm_attribute(&a, n, luaL_checkstring(L, 2), &err) < 0) {
        return push_err(L, &err);
    }
    return push_doc(L, n, &f);
}

/* check(text[, path]): true, or nil and an error */
static int check(lua_State *L)
{
    AUTO_ARENA a = ARENA_INIT;
    struct err err = ERR_INIT;
    struct node *n;
    if (read_doc(L, 1, &a, &n, &err) < 0 || krm_check_resource(n, arg(L, 2), &err) < 0) {
        return push_err(L, &err);
    }
    lua_pushboolean(L, 1);
    return 1;
}

/* context(text[, package_path]): a ResourceList after gen-pkg-context */
static int context(lua_State *L)
{
    AUTO_ARENA a = ARENA_INIT;
    struct err err = ERR_INIT;
    struct node *list;
    if (read_doc(L, 1, &a, &list, &err) < 0) {
        return push_err(L, &err);
    }
    if (krm_package_context(&a, node_getz(list, "items"), arg(L, 2))) {
        struct node *results = node_list(&a);
        node_push(&a, results, krm_package_context_result(&a));
        node_setz(&a, list, "results", results);
    }
    return push_doc(L, list, &(struct yaml_form){.defects = true});
}

/* patch(target, patch[, options]): patched text, or false when deleted */
static int patch(lua_State *L)
{
    AUTO_ARENA a = ARENA_INIT;
    struct err err = ERR_INIT;
    struct node *target, *with, *out;
    struct krm_patch_options o = {.infer = flag(L, 3, "infer"), .prepend = flag(L, 3, "prepend")};
    struct yaml_form f = form(L, 3);
    if (read_doc(L, 1, &a, &target, &err) < 0 || read_doc(L, 2, &a, &with, &err) < 0 ||
        krm_patch(&a, target, with, &o, &out, &err) < 0) {
        return push_err(L, &err);
    }
    return push_doc(L, out, &f);
}

/* directive(patch): "merge", "replace" or "delete", the patch without it */
static int directive(lua_State *L)
{
    static const char *const words[] = {"", "merge", "replace", "delete"};
    AUTO_ARENA a = ARENA_INIT;
    struct err err = ERR_INIT;
    struct node *with;
    struct yaml_form f = form(L, 2);
    if (read_doc(L, 1, &a, &with, &err) < 0) {
        return push_err(L, &err);
    }
    enum krm_directive d = krm_patch_directive(with, &err);
    if (d == KRM_DIRECTIVE_UNKNOWN) {
        return push_err(L, &err);
    }
    lua_pushstring(L, words[d]);
    push_doc(L, with, &f);
    return 2;
}

int luaopen_probe_merge(lua_State *L);

int luaopen_probe_merge(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"resource", resource}, {"files", files},     {"kptfile", kptfile},
        {"encode", encode},     {"patch", patch},     {"directive", directive},
        {"identity", identity}, {"stamp", stamp},     {"attribute", attribute},
        {"check", check},       {"context", context}, {"kptfile_check", check_kptfile},
        {NULL, NULL}};
    luaL_newlib(L, functions);
    return 1;
}
