/* SPDX-License-Identifier: Apache-2.0
 *
 * Pure helpers over text: lanai.yaml, lanai.json and lanai.api (message texts). What they parse
 * lands in the run's arena and counts as the script's memory.
 */
#include "api/tables.h"
#include "base/limits.h"
#include "data/yaml.h"
#include "host/priv.h"

static struct str check_text(lua_State *L, int arg)
{
    struct str s;
    s.ptr = luaL_checklstring(L, arg, &s.len);
    script_check_memory(L, s.len);
    return arena_str(script_arena(L), s);
}

static int push_parsed(lua_State *L, struct node *n)
{
    script_check_memory(L, 0);
    if (!n) {
        return host_push_error(L);
    }
    script_push_handle(L, n, true);
    return 1;
}

static int yaml_parse_text(lua_State *L)
{
    struct str text = check_text(L, 1);
    return push_parsed(L, yaml_parse(script_arena(L), text, NULL, host_err(L)));
}

static int yaml_parse_documents(lua_State *L)
{
    struct str text = check_text(L, 1);
    return push_parsed(L, yaml_parse_all(script_arena(L), text, host_err(L)));
}

static int json_parse_text(lua_State *L)
{
    struct str text = check_text(L, 1);
    return push_parsed(L, json_parse(script_arena(L), text, NULL, host_err(L)));
}

/* Emits into the arena: a heap buffer may not live across the push, which can raise. */
static struct str emit(struct arena *a, const struct node *n, void (*fn)(struct buf *,
                                                                         const struct node *),
                       bool *out_overflow)
{
    AUTO_BUF b = BUF_INIT;
    buf_init(&b, LIMIT_RUN_BYTES);
    fn(&b, n);
    *out_overflow = b.overflow;
    return arena_str(a, buf_str(&b));
}

static int push_emitted(lua_State *L, void (*fn)(struct buf *, const struct node *))
{
    luaL_checkany(L, 1);
    const struct node *n = script_handle_node(L, 1);
    if (!n) {
        n = script_to_node(L, 1);
    }
    bool overflow;
    struct str text = emit(script_arena(L), n, fn, &overflow);
    if (overflow) {
        return luaL_error(L, "text is too large");
    }
    script_check_memory(L, 0);
    lua_pushlstring(L, text.ptr ? text.ptr : "", text.len);
    return 1;
}

static int yaml_emit_text(lua_State *L)
{
    return push_emitted(L, yaml_emit);
}

static int json_emit_text(lua_State *L)
{
    return push_emitted(L, json_emit);
}

static const char *find_format(const char *id)
{
    size_t low = 0, high = api_n_messages;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        int order = strcmp(id, api_messages[mid].id);
        if (order == 0) {
            return api_messages[mid].format;
        }
        if (order < 0) {
            high = mid;
        } else {
            low = mid + 1;
        }
    }
    return NULL;
}

/* message(id, …): the formats use %s and %d only, which mean the same to string.format. */
static int api_message_text(lua_State *L)
{
    const char *id = luaL_checkstring(L, 1);
    const char *format = find_format(id);
    if (!format) {
        return luaL_error(L, "no message '%s'", id);
    }
    int n = lua_gettop(L);
    lua_getglobal(L, "string");
    lua_getfield(L, -1, "format");
    lua_replace(L, -2);
    lua_insert(L, 1);
    lua_pushstring(L, format);
    lua_replace(L, 2);
    lua_call(L, n, 1);
    return 1;
}

const struct host_function host_text_functions[] = {
    {"lanai.yaml", "parse", yaml_parse_text, HOST_ALWAYS, NULL},
    {"lanai.yaml", "parse_all", yaml_parse_documents, HOST_ALWAYS, NULL},
    {"lanai.yaml", "emit", yaml_emit_text, HOST_ALWAYS, NULL},
    {"lanai.json", "parse", json_parse_text, HOST_ALWAYS, NULL},
    {"lanai.json", "emit", json_emit_text, HOST_ALWAYS, NULL},
    {"lanai.api", "message", api_message_text, HOST_ALWAYS, NULL},
    {NULL, NULL, NULL, 0, NULL},
};
