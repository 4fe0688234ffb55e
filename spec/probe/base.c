/* SPDX-License-Identifier: Apache-2.0
 *
 * require "probe_base": the look-ups of api/kinds.h for specs. Kinds, fields and documents come
 * out as plain tables; unknown ones as nil.
 */
#include <lauxlib.h>
#include <lua.h>

#include "api/kinds.h"
#include "base/buf.h"
#include "base/err.h"

int luaopen_probe_base(lua_State *L);

static struct str check_str(lua_State *L, int arg)
{
    struct str s;
    s.ptr = luaL_checklstring(L, arg, &s.len);
    return s;
}

static void set_string(lua_State *L, const char *key, const char *value)
{
    lua_pushstring(L, value);
    lua_setfield(L, -2, key);
}

static void set_integer(lua_State *L, const char *key, lua_Integer value)
{
    lua_pushinteger(L, value);
    lua_setfield(L, -2, key);
}

static void set_bool(lua_State *L, const char *key, bool value)
{
    lua_pushboolean(L, value);
    lua_setfield(L, -2, key);
}

static void set_list(lua_State *L, const char *key, const char *const *items)
{
    lua_newtable(L);
    for (int i = 0; items && items[i]; i++) {
        lua_pushstring(L, items[i]);
        lua_rawseti(L, -2, i + 1);
    }
    lua_setfield(L, -2, key);
}

static void push_columns(lua_State *L, const struct api_kind *k)
{
    lua_newtable(L);
    for (size_t i = 0; i < k->n_columns; i++) {
        const struct api_column *c = &k->columns[i];
        lua_newtable(L);
        set_string(L, "name", c->name);
        set_string(L, "type", c->type);
        set_string(L, "source", c->source);
        set_string(L, "missing", c->missing);
        set_integer(L, "priority", c->priority);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    lua_setfield(L, -2, "columns");
}

static int push_kind(lua_State *L, const struct api_kind *k)
{
    if (!k) {
        lua_pushnil(L);
        return 1;
    }
    lua_newtable(L);
    set_string(L, "group_version", k->group_version);
    set_string(L, "kind", k->kind);
    set_string(L, "list_kind", k->list_kind);
    set_string(L, "resource", k->resource);
    set_string(L, "store_kind", k->store_kind);
    set_string(L, "schema", k->schema->name);
    set_string(L, "refuse_create", k->refuse_create);
    set_bool(L, "namespaced", k->flags & API_NAMESPACED);
    set_bool(L, "sealed", k->flags & API_SEALED);
    set_bool(L, "watch", k->verbs & API_WATCH);
    set_integer(L, "name_rule", k->name_rule);
    set_integer(L, "subresources", (lua_Integer)k->n_subresources);
    set_list(L, "selectable", k->selectable);
    set_list(L, "indexed", k->indexed);
    set_list(L, "short_names", k->short_names);
    push_columns(L, k);
    return 1;
}

static int l_kind_find(lua_State *L)
{
    return push_kind(L, api_kind_find(check_str(L, 1), check_str(L, 2), check_str(L, 3)));
}

static int l_kind_find_object(lua_State *L)
{
    return push_kind(L, api_kind_find_object(check_str(L, 1), check_str(L, 2)));
}

/* kind_at(i): the i-th row of api_kinds, from 1; nil behind the last. */
static int l_kind_at(lua_State *L)
{
    lua_Integer i = luaL_checkinteger(L, 1);
    return push_kind(L, i >= 1 && (size_t)i <= api_n_kinds ? &api_kinds[i - 1] : NULL);
}

static const struct api_field *walk(const struct api_kind *k, struct str path)
{
    const struct api_schema *s = k ? k->schema : NULL;
    const struct api_field *f = NULL;
    struct str name;
    while (str_split(&path, '.', &name)) {
        f = s ? api_field_find(s, name) : NULL;
        s = f ? f->object : NULL;
    }
    return f;
}

/* field_find(apiVersion, kind, "spec.git.branch") */
static int l_field_find(lua_State *L)
{
    const struct api_kind *k = api_kind_find_object(check_str(L, 1), check_str(L, 2));
    const struct api_field *f = walk(k, check_str(L, 3));
    if (!f) {
        lua_pushnil(L);
        return 1;
    }
    lua_newtable(L);
    set_string(L, "name", f->name);
    set_integer(L, "type", f->type);
    set_string(L, "default_json", f->default_json);
    set_string(L, "always_json", f->always_json);
    set_string(L, "immutable", f->immutable);
    set_string(L, "values_message", f->values_message);
    set_string(L, "stored_as", f->stored_as);
    set_bool(L, "required", f->required);
    set_bool(L, "nullable", f->nullable);
    set_bool(L, "merge", f->merge);
    set_integer(L, "list", f->list);
    set_integer(L, "min_length", (lua_Integer)f->min_length);
    set_list(L, "keys", f->keys);
    set_list(L, "values", f->values);
    return 1;
}

static int l_group_version_has(lua_State *L)
{
    lua_pushboolean(L, api_group_version_has(check_str(L, 1), check_str(L, 2)));
    return 1;
}

static int l_message(lua_State *L)
{
    lua_pushstring(L, api_message(luaL_checkstring(L, 1)));
    return 1;
}

/* text(id, s1, s2): a message with up to two string arguments; one that has fewer ignores the
 * rest. */
static int l_text(lua_State *L)
{
    AUTO_BUF b = BUF_INIT;
    api_text(&b, luaL_checkstring(L, 1), luaL_optstring(L, 2, ""), luaL_optstring(L, 3, ""));
    lua_pushlstring(L, b.ptr, b.len);
    return 1;
}

/* err(id, s1) gives message and first cause as api_err and api_err_cause fill them. */
static int l_err(lua_State *L)
{
    AUTO_ERR e = ERR_INIT;
    int a = api_err(&e, ERR_INVALID, luaL_checkstring(L, 1), luaL_checkstring(L, 2));
    int b = api_err_cause(&e, "FieldValueInvalid", "spec.x", luaL_checkstring(L, 1),
                          luaL_checkstring(L, 2));
    lua_pushinteger(L, a + b);
    lua_pushstring(L, e.message);
    lua_pushstring(L, e.n_causes ? e.causes[0].message : NULL);
    lua_pushstring(L, e.n_causes ? e.causes[0].field : NULL);
    return 4;
}

static int push_document(lua_State *L, const struct api_document *d)
{
    if (!d) {
        lua_pushnil(L);
        return 1;
    }
    lua_newtable(L);
    set_string(L, "path", d->path);
    set_string(L, "variant", d->variant);
    set_string(L, "content_type", d->content_type);
    set_string(L, "etag", d->etag);
    lua_pushlstring(L, (const char *)d->body, d->len);
    lua_setfield(L, -2, "body");
    return 1;
}

static int l_document_find(lua_State *L)
{
    return push_document(L, api_document_find(check_str(L, 1), luaL_checkstring(L, 2)));
}

static int l_document_at(lua_State *L)
{
    lua_Integer i = luaL_checkinteger(L, 1);
    return push_document(L, i >= 1 && (size_t)i <= api_n_documents ? &api_documents[i - 1] : NULL);
}

static const luaL_Reg FUNCTIONS[] = {
    {"kind_find", l_kind_find},
    {"kind_find_object", l_kind_find_object},
    {"kind_at", l_kind_at},
    {"field_find", l_field_find},
    {"group_version_has", l_group_version_has},
    {"message", l_message},
    {"text", l_text},
    {"err", l_err},
    {"document_find", l_document_find},
    {"document_at", l_document_at},
    {NULL, NULL},
};

int luaopen_probe_base(lua_State *L)
{
    luaL_newlib(L, FUNCTIONS);
    return 1;
}
