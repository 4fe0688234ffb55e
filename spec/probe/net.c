/* SPDX-License-Identifier: Apache-2.0
 *
 * require "probe_net": the net room for specs. proxy({http=, https=, none=}, url) → URL of the proxy;
 * setenv(name, value|nil) changes this process' environment, for what reads its variables.
 */
#include <lauxlib.h>
#include <lua.h>
#include <stdlib.h>

#include "net/proxy.h"

int luaopen_probe_net(lua_State *L);

static const char *field(lua_State *L, const char *name)
{
    lua_getfield(L, 1, name);
    const char *value = luaL_optstring(L, -1, NULL);
    lua_pop(L, 1); /* the table keeps it */
    return value;
}

static int l_proxy(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    const char *url = luaL_checkstring(L, 2);
    struct net_proxies p = {field(L, "http"), field(L, "https"), field(L, "none")};
    AUTO_ARENA a = ARENA_INIT;
    struct str proxy = net_proxy_find(&a, &p, url);
    lua_pushlstring(L, proxy.ptr, proxy.len);
    return 1;
}

static int l_setenv(lua_State *L)
{
    const char *name = luaL_checkstring(L, 1);
    if (lua_isnoneornil(L, 2)) {
        unsetenv(name);
    } else {
        setenv(name, luaL_checkstring(L, 2), 1);
    }
    return 0;
}

static const luaL_Reg FUNCTIONS[] = {
    {"proxy", l_proxy},
    {"setenv", l_setenv},
    {NULL, NULL},
};

int luaopen_probe_net(lua_State *L)
{
    luaL_newlib(L, FUNCTIONS);
    return 1;
}
