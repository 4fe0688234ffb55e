/* SPDX-License-Identifier: Apache-2.0
 *
 * What a run shares with its scripts besides the Lua state: the arena that their nodes live in,
 * with a limit of its own, and errors as tables.
 */
#include "script/node.h"
#include "script/priv.h"

void script_run_set_data(struct script_run *r, struct arena *a, size_t max_bytes)
{
    r->arena = a;
    r->arena_before = a->used;
    r->arena_max = max_bytes;
}

void script_run_set_touch(struct script_run *r, void (*touch)(void *ctx, struct node *resource),
                          void *ctx)
{
    r->touch = touch;
    r->touch_ctx = ctx;
}

struct arena *script_arena(lua_State *L)
{
    return script_run_of(L)->arena;
}

static void set_text(lua_State *L, const char *key, const char *text)
{
    if (text) {
        lua_pushstring(L, text);
        lua_setfield(L, -2, key);
    }
}

void script_error_push(lua_State *L, const struct err *err)
{
    lua_createtable(L, 0, 4);
    set_text(L, "kind", err_kind_name(err->kind));
    set_text(L, "message", err->message);
    set_text(L, "name", err->detail_name);
    set_text(L, "group", err->detail_group);
    set_text(L, "resource", err->detail_kind);
    if (err->n_causes) {
        lua_createtable(L, (int)err->n_causes, 0);
        for (size_t i = 0; i < err->n_causes; i++) {
            lua_createtable(L, 0, 3);
            set_text(L, "reason", err->causes[i].reason);
            set_text(L, "message", err->causes[i].message);
            set_text(L, "field", err->causes[i].field);
            lua_rawseti(L, -2, (lua_Integer)i + 1);
        }
        lua_setfield(L, -2, "causes");
    }
}

bool script_has_memory(lua_State *L, size_t more)
{
    const struct script_run *r = script_run_of(L);
    size_t used = r->arena->used - r->arena_before;
    return more <= r->arena_max && used <= r->arena_max - more && !r->arena->exhausted;
}

void script_check_memory(lua_State *L, size_t more)
{
    if (!script_has_memory(L, more)) {
        lua_createtable(L, 0, 2);
        set_text(L, "kind", err_kind_name(ERR_TOO_LARGE));
        lua_pushfstring(L, "script used up its memory (limit %I bytes of host data)",
                        (LUAI_UACINT)script_run_of(L)->arena_max);
        lua_setfield(L, -2, "message");
        lua_error(L);
    }
}
