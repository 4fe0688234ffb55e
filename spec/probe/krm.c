/* SPDX-License-Identifier: Apache-2.0
 *
 * `require "probe_krm"`: core/krm/name.h and path.h, and core/data/apply.h with fieldset.h (krm
 * links data). Objects and configurations go in and out as JSON text. An error comes back as nil
 * and a table {kind, message, causes = {{reason, field, message}}}.
 */
#include <lauxlib.h>
#include <lua.h>
#include <string.h>

#include "api/kinds.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "data/apply.h"
#include "data/fieldset.h"
#include "krm/name.h"
#include "krm/path.h"

/* --- a kind with every sort of list --- */

static const char *const NAME_KEY[] = {"name", NULL};
static const char *const PORT_KEYS[] = {"protocol", "port", NULL};

static const struct api_field ITEM_FIELDS[] = {
    {.name = "name", .type = API_STRING},
    {.name = "value", .type = API_STRING},
    {.name = "port", .type = API_INTEGER},
    {.name = "protocol", .type = API_STRING},
};
static const struct api_schema ITEM = {.fields = ITEM_FIELDS, .n_fields = 4};
static const struct api_schema BOX = {.fields = ITEM_FIELDS, .n_fields = 4, .atomic = true};

static const struct api_field SPEC_FIELDS[] = {
    {.name = "color", .type = API_STRING},
    {.name = "size", .type = API_INTEGER},
    {.name = "on", .type = API_BOOLEAN},
    {.name = "atom", .type = API_LIST, .element = API_STRING},
    {.name = "tags", .type = API_LIST, .element = API_STRING, .list = API_LIST_SET},
    {.name = "items",
     .type = API_LIST,
     .element = API_OBJECT,
     .object = &ITEM,
     .list = API_LIST_MAP,
     .keys = NAME_KEY},
    {.name = "ports",
     .type = API_LIST,
     .element = API_OBJECT,
     .object = &ITEM,
     .list = API_LIST_MAP,
     .keys = PORT_KEYS},
    {.name = "nested", .type = API_OBJECT, .object = &ITEM},
    {.name = "box", .type = API_OBJECT, .object = &BOX},
    {.name = "files", .type = API_MAP, .element = API_STRING},
    {.name = "free", .type = API_ANY},
};
static const struct api_schema SPEC = {.fields = SPEC_FIELDS, .n_fields = 11};

static const struct api_field STATUS_FIELDS[] = {
    {.name = "phase", .type = API_STRING},
};
static const struct api_schema STATUS = {.fields = STATUS_FIELDS, .n_fields = 1};

static const struct api_field WIDGET_FIELDS[] = {
    {.name = "spec", .type = API_OBJECT, .object = &SPEC},
    {.name = "status", .type = API_OBJECT, .object = &STATUS},
};
static const struct api_schema WIDGET = {.fields = WIDGET_FIELDS, .n_fields = 2};

/* "widget", "" (no schema) or "group/version/resource" of a real kind. */
static const struct api_schema *schema_of(struct str name)
{
    struct str group = STR(""), version = STR(""), resource = STR("");
    if (str_eqz(name, "widget")) {
        return &WIDGET;
    }
    if (name.len == 0) {
        return NULL;
    }
    (void)str_split(&name, '/', &group);
    (void)str_split(&name, '/', &version);
    (void)str_split(&name, '/', &resource);
    const struct api_kind *kind = api_kind_find(group, version, resource);
    return kind ? kind->schema : NULL;
}

/* --- Lua values --- */

static struct str arg(lua_State *L, int at)
{
    struct str s = {NULL, 0};
    if (!lua_isnoneornil(L, at)) {
        s.ptr = luaL_checklstring(L, at, &s.len);
    }
    return s;
}

static struct str member(lua_State *L, int at, const char *name)
{
    struct str s;
    lua_getfield(L, at, name);
    s.ptr = luaL_optlstring(L, -1, "", &s.len);
    lua_pop(L, 1); /* the table keeps the string alive */
    return s;
}

static void push_str(lua_State *L, struct str s)
{
    lua_pushlstring(L, s.ptr ? s.ptr : "", s.len);
}

static void set_field(lua_State *L, const char *name, const char *value)
{
    lua_pushstring(L, value);
    lua_setfield(L, -2, name);
}

static int push_err(lua_State *L, struct err *err)
{
    lua_pushnil(L);
    lua_newtable(L);
    set_field(L, "kind", err_kind_name(err->kind));
    set_field(L, "message", err->message);
    lua_newtable(L);
    for (size_t i = 0; i < err->n_causes; i++) {
        lua_newtable(L);
        set_field(L, "reason", err->causes[i].reason);
        set_field(L, "field", err->causes[i].field);
        set_field(L, "message", err->causes[i].message);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    lua_setfield(L, -2, "causes");
    err_done(err);
    return 2;
}

/* --- names --- */

static struct krm_name name_arg(lua_State *L)
{
    struct krm_name n = {.repository = arg(L, 1), .workspace = arg(L, 3)};
    krm_name_set_package(&n, arg(L, 2));
    return n;
}

/* name_emit(repository, package name[, workspace]) */
static int name_emit(lua_State *L)
{
    struct krm_name n = name_arg(L);
    AUTO_ARENA a = ARENA_INIT;
    push_str(L, n.workspace.ptr ? krm_name_emit(&a, &n) : krm_name_emit_package(&a, &n));
    return 1;
}

static int push_name(lua_State *L, const struct krm_name *n)
{
    push_str(L, n->repository);
    push_str(L, n->path);
    push_str(L, n->package);
    push_str(L, n->workspace);
    return 4;
}

static int name_parse(lua_State *L)
{
    struct str name = arg(L, 1);
    bool package = lua_toboolean(L, 2);
    struct krm_name n;
    struct err err = ERR_INIT;
    AUTO_ARENA a = ARENA_INIT;
    int rc = package ? krm_name_parse_package(&a, name, &n, &err)
                     : krm_name_parse(&a, name, &n, &err);
    return rc < 0 ? push_err(L, &err) : push_name(L, &n);
}

static int name_split(lua_State *L)
{
    struct krm_name n;
    AUTO_ARENA a = ARENA_INIT;
    krm_name_split(&a, arg(L, 1), &n);
    return push_name(L, &n);
}

/* name_check(repository, path, package[, workspace]): without workspace a package is checked. */
static int name_check(lua_State *L)
{
    struct krm_name n = {arg(L, 1), arg(L, 2), arg(L, 3), arg(L, 4)};
    struct err err = ERR_INIT;
    int rc = n.workspace.ptr ? krm_name_check(&n, ERR_INVALID, &err)
                             : krm_name_check_package(&n, ERR_INVALID, &err);
    if (rc < 0) {
        return push_err(L, &err);
    }
    lua_pushboolean(L, true);
    return 1;
}

static int name_uid(lua_State *L)
{
    char uid[KRM_UID_SIZE];
    krm_name_uid(arg(L, 1), arg(L, 2), uid);
    lua_pushstring(L, uid);
    return 1;
}

/* faults("label" | "subdomain" | "qualified" | "value" | "path", text) */
static int faults(lua_State *L)
{
    static const char *const rules[] = {"label", "subdomain", "qualified", "value", "path", NULL};
    static struct krm_name_faults (*const checks[])(struct str) = {
        krm_name_check_label,       krm_name_check_subdomain, krm_name_check_qualified,
        krm_name_check_label_value, krm_name_check_path,
    };
    int rule = luaL_checkoption(L, 1, NULL, rules);
    struct krm_name_faults f = checks[rule](arg(L, 2));
    AUTO_ARENA a = ARENA_INIT;
    push_str(L, krm_name_faults_text(&a, &f, "; "));
    return 1;
}

static int path_check(lua_State *L)
{
    struct err err = ERR_INIT;
    int n = lua_gettop(L), rc = 0;
    for (int i = 1; i <= n; i++) {
        rc |= krm_path_check(arg(L, i), &err);
    }
    if (rc < 0) {
        return push_err(L, &err);
    }
    lua_pushboolean(L, true);
    return 1;
}

/* --- field ownership --- */

static void add_path(void *ctx, struct str path)
{
    struct buf *b = ctx;
    buf_addz(b, b->len ? "\n" : "");
    buf_add_str(b, path);
}

/* fields(json): canonical FieldsV1 and its paths, one per line. */
static int fields(lua_State *L)
{
    struct str text = arg(L, 1);
    struct err err = ERR_INIT;
    AUTO_ARENA a = ARENA_INIT;
    struct node *n = json_parse(&a, text, NULL, &err);
    struct fieldset *set = n ? fieldset_parse(&a, n, &err) : NULL;
    if (!set) {
        return push_err(L, &err);
    }
    AUTO_BUF paths = BUF_INIT;
    fieldset_each(set, add_path, &paths);
    push_str(L, json_emit_str(&a, fieldset_emit(&a, set)));
    push_str(L, buf_str(&paths));
    return 2;
}

/* Arguments of both paths: {live, object | config, schema, manager, version, subresource, time,
 * force}. */
struct request {
    struct str live, object;
    const struct api_schema *schema;
    struct apply_manager manager;
    bool force;
};

static struct request request_arg(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    struct request r = {
        .live = member(L, 1, "live"),
        .object = member(L, 1, "object"),
        .schema = schema_of(member(L, 1, "schema")),
        .manager = {
            .manager = member(L, 1, "manager"),
            .api_version = member(L, 1, "version"),
            .subresource = member(L, 1, "subresource"),
            .time = member(L, 1, "time"),
        },
    };
    lua_getfield(L, 1, "force");
    r.force = lua_toboolean(L, -1);
    return r;
}

/* Result as JSON; the inputs must come out as they went in. */
static int run(lua_State *L, bool apply)
{
    struct request r = request_arg(L);
    struct err err = ERR_INIT;
    AUTO_ARENA a = ARENA_INIT;
    struct node *live = r.live.len ? json_parse(&a, r.live, NULL, &err) : NULL;
    struct node *object = json_parse(&a, r.object, NULL, &err);
    if (!object || (r.live.len && !live)) {
        return push_err(L, &err);
    }
    struct str before[2] = {json_emit_str(&a, live ? live : object), json_emit_str(&a, object)};
    struct node *out = NULL;
    if (apply) {
        out = apply_merge(&a, live, object, r.schema, &r.manager, r.force, &err);
    } else if (apply_track_update(&a, live, object, r.schema, &r.manager, &err) == 0) {
        out = object;
    }
    bool same = str_eq(before[0], json_emit_str(&a, live ? live : object)) || (!apply && !live);
    same = same && (!apply || str_eq(before[1], json_emit_str(&a, object)));
    if (!out) {
        return push_err(L, &err);
    }
    push_str(L, json_emit_str(&a, out));
    lua_pushboolean(L, same);
    return 2;
}

static int apply_update(lua_State *L)
{
    return run(L, false);
}

static int apply_apply(lua_State *L)
{
    return run(L, true);
}

static const luaL_Reg functions[] = {
    {"name_emit", name_emit},
    {"name_parse", name_parse},
    {"name_split", name_split},
    {"name_check", name_check},
    {"name_uid", name_uid},
    {"faults", faults},
    {"path_check", path_check},
    {"fields", fields},
    {"apply_update", apply_update},
    {"apply_merge", apply_apply},
    {NULL, NULL},
};

int luaopen_probe_krm(lua_State *L);
int luaopen_probe_krm(lua_State *L)
{
    luaL_newlib(L, functions);
    return 1;
}
