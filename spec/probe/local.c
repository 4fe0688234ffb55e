/* SPDX-License-Identifier: Apache-2.0
 *
 * probe_local: verbs of the command line in this process.
 *
 *   run(module, args, {dir=, input=, cache=}?) → exit code, output, errors; or nil, kind, message
 *
 * dir is a directory of workflows: what it has in lib/ can be required as "lib.NAME", so that a
 * spec may bring a module of its own and ask the library with it.
 */
#include <lauxlib.h>
#include <lua.h>
#include <sys/mman.h>
#include <unistd.h>

#include "host/local.h"

static const char *text_option(lua_State *L, const char *name)
{
    const char *text = NULL;
    if (lua_istable(L, 3)) {
        lua_getfield(L, 3, name);
        text = lua_tostring(L, -1); /* lives in the table of options */
        lua_pop(L, 1);
    }
    return text;
}

static void push_content(lua_State *L, int fd)
{
    luaL_Buffer b;
    char chunk[4096];
    ssize_t n;
    luaL_buffinit(L, &b);
    lseek(fd, 0, SEEK_SET);
    while ((n = read(fd, chunk, sizeof(chunk))) > 0) {
        luaL_addlstring(&b, chunk, (size_t)n);
    }
    luaL_pushresult(&b);
}

static int push_run(lua_State *L, struct host_local *l, const char *dir)
{
    struct err err = ERR_INIT;
    int code = 0;
    const struct script_dirs dirs = {.workflows = &dir, .n_workflows = dir ? 1 : 0};
    int rc = script_set_load(&dirs, &l->set, &err);
    rc = rc == 0 ? host_local_run(l, &code, &err) : rc;
    script_set_unref(l->set);
    if (rc < 0) {
        lua_pushnil(L);
        lua_pushstring(L, err_kind_name(err.kind));
        lua_pushstring(L, err.message);
        err_done(&err);
        return 3;
    }
    lua_pushinteger(L, code);
    push_content(L, l->out);
    push_content(L, l->err);
    return 3;
}

#define MAX_ARGS 64

static int run(lua_State *L)
{
    const char *args[MAX_ARGS], *input = text_option(L, "input"), *dir = text_option(L, "dir");
    const char *cache = text_option(L, "cache");
    struct host_local l = {.module = luaL_checkstring(L, 1), .args = args};
    luaL_checktype(L, 2, LUA_TTABLE);
    l.cache = cache ? cache : "/nonexistent";
    while (l.n_args < MAX_ARGS && lua_rawgeti(L, 2, (lua_Integer)l.n_args + 1) != LUA_TNIL) {
        args[l.n_args++] = lua_tostring(L, -1);
    }
    l.in = memfd_create("in", MFD_CLOEXEC);
    l.out = memfd_create("out", MFD_CLOEXEC);
    l.err = memfd_create("err", MFD_CLOEXEC);
    size_t n = input ? strlen(input) : 0;
    if (n && write(l.in, input, n) != (ssize_t)n) {
        return luaL_error(L, "cannot write the input");
    }
    lseek(l.in, 0, SEEK_SET);
    int pushed = push_run(L, &l, dir);
    close(l.in);
    close(l.out);
    close(l.err);
    return pushed;
}

int luaopen_probe_local(lua_State *L);
int luaopen_probe_local(lua_State *L)
{
    static const luaL_Reg module[] = {{"run", run}, {NULL, NULL}};
    luaL_newlib(L, module);
    return 1;
}
