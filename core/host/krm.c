/* SPDX-License-Identifier: Apache-2.0
 *
 * lanai.krm: names and paths as core/krm knows them; and the C modules that scripts may require.
 */
#include "host/priv.h"
#include "krm/name.h"
#include "krm/path.h"

static struct str check_arg(lua_State *L, int arg)
{
    struct str s;
    s.ptr = luaL_checklstring(L, arg, &s.len);
    return s;
}

static int krm_name(lua_State *L)
{
    struct krm_name n = {.repository = check_arg(L, 1), .workspace = check_arg(L, 3)};
    krm_name_set_package(&n, check_arg(L, 2));
    struct str out = krm_name_emit(script_arena(L), &n);
    lua_pushlstring(L, out.ptr ? out.ptr : "", out.len);
    return 1;
}

static int krm_check_name(lua_State *L)
{
    struct krm_name n = {.repository = check_arg(L, 1), .workspace = check_arg(L, 3)};
    krm_name_set_package(&n, check_arg(L, 2));
    if (krm_name_check(&n, ERR_INTERNAL, host_err(L)) < 0) {
        return host_push_error(L);
    }
    lua_pushboolean(L, 1);
    return 1;
}

/* parse_name(name) gives {repository, package, workspace}; nil, error for what is no name. */
static int krm_parse(lua_State *L)
{
    struct krm_name n;
    if (krm_name_parse(script_arena(L), check_arg(L, 1), &n, host_err(L)) < 0) {
        return host_push_error(L);
    }
    struct str package = krm_name_package(script_arena(L), &n);
    lua_createtable(L, 0, 3);
    lua_pushlstring(L, n.repository.ptr, n.repository.len);
    lua_setfield(L, -2, "repository");
    lua_pushlstring(L, package.ptr, package.len);
    lua_setfield(L, -2, "package");
    lua_pushlstring(L, n.workspace.ptr, n.workspace.len);
    lua_setfield(L, -2, "workspace");
    return 1;
}

static int krm_path_fault_text(lua_State *L)
{
    lua_pushstring(L, krm_path_fault(check_arg(L, 1)));
    return 1;
}

const struct host_function host_krm_functions[] = {
    {"lanai.krm", "name", krm_name, HOST_ALWAYS, NULL},
    {"lanai.krm", "check_name", krm_check_name, HOST_ALWAYS, NULL},
    {"lanai.krm", "parse_name", krm_parse, HOST_ALWAYS, NULL},
    {"lanai.krm", "path_fault", krm_path_fault_text, HOST_ALWAYS, NULL},
    {NULL, NULL, NULL, 0, NULL},
};

/* require calls the opener with the module's name, which is the class. */
static int open_module(lua_State *L)
{
    const char *class = luaL_checkstring(L, 1);
    lua_newtable(L);
    host_set_functions(L, class, NULL);
    return 1;
}

const struct script_module host_modules[] = {
    {"lanai.node", open_module}, {"lanai.yaml", open_module}, {"lanai.json", open_module},
    {"lanai.api", open_module},  {"lanai.krm", open_module},
    {"lanai.resources", open_module}, {NULL, NULL},
};
