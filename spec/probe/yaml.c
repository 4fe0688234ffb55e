/* SPDX-License-Identifier: Apache-2.0
 *
 * probe_yaml: the YAML reader of core/data for specs. Trees go out as JSON with everything that
 * the reader says about a node. On failure functions return nil, kind, message.
 */
#include <lauxlib.h>
#include <lua.h>
#include <string.h>
#include <yaml.h>

#include "base/clock.h"
#include "data/yaml.h"
#include "data/yaml_doc.h"
#include "data/yaml_scalar.h"
#include "data/yaml_token.h"

/* What a call works with; lives in a userdata so that Lua errors cannot leak it. */
struct call {
    struct arena arena;
    struct err err;
    struct buf out;
    struct yaml_docs docs;
    struct str where;
};

static int call_gc(lua_State *L)
{
    struct call *c = lua_touserdata(L, 1);
    arena_done(&c->arena);
    err_done(&c->err);
    buf_done(&c->out);
    return 0;
}

static struct call *new_call(lua_State *L)
{
    struct call *c = lua_newuserdatauv(L, sizeof(*c), 0);
    memset(c, 0, sizeof(*c));
    if (luaL_newmetatable(L, "probe_yaml.call")) {
        lua_pushcfunction(L, call_gc);
        lua_setfield(L, -2, "__gc");
    }
    lua_setmetatable(L, -2);
    return c;
}

static struct str arg(lua_State *L, int i)
{
    struct str s;
    s.ptr = luaL_checklstring(L, i, &s.len);
    return s;
}

static int push_failure(lua_State *L, const struct call *c)
{
    lua_pushnil(L);
    lua_pushstring(L, err_kind_name(c->err.kind));
    lua_pushstring(L, c->err.message ? c->err.message : "");
    lua_pushlstring(L, c->where.ptr ? c->where.ptr : "", c->where.len);
    lua_pushinteger(L, (lua_Integer)c->docs.n);
    return 5;
}

/* --- trees as JSON --- */

static void add_text(struct buf *b, const char *name, struct str s)
{
    if (s.len) {
        buf_printf(b, ",\"%s\":", name);
        buf_add_json_string(b, s);
    }
}

/* The tag that the peer would give the node. */
static struct str tag_of(const struct node *n)
{
    static const char *const tags[] = {[NODE_NULL] = "!!null",    [NODE_BOOL] = "!!bool",
                                       [NODE_INT] = "!!int",      [NODE_FLOAT] = "!!float",
                                       [NODE_STRING] = "!!str",   [NODE_LIST] = "!!seq",
                                       [NODE_MAP] = "!!map",      [NODE_ALIAS] = ""};
    if (n->notes && n->notes->tag.len) {
        return n->notes->tag;
    }
    if (n->type == NODE_STRING && n->style == STYLE_PLAIN && !yaml_scalar_is_core_string(n->text) &&
        yaml_core_type(n->text) == NODE_STRING) {
        return str_eqz(n->text, "<<") ? STR("!!merge") : STR("!!timestamp");
    }
    return str_of(tags[n->type]);
}

static void add_node(struct buf *b, const struct node *n)
{
    static const char *const kinds[] = {[NODE_LIST] = "sequence", [NODE_MAP] = "mapping",
                                        [NODE_ALIAS] = "alias"};
    static const char *const styles[] = {"", "double-quoted", "single-quoted", "literal",
                                         "folded", "flow"};
    buf_printf(b, "{\"kind\":\"%s\",\"from\":%u,\"to\":%u",
               n->type < NODE_LIST ? "scalar" : kinds[n->type], n->span_from, n->span_to);
    add_text(b, "style", str_of(styles[n->style]));
    add_text(b, "tag", tag_of(n));
    if (n->type < NODE_LIST || n->type == NODE_ALIAS) {
        add_text(b, "value", n->text);
    }
    if (n->notes) {
        buf_addz(b, n->notes->tag.len ? ",\"tagged\":true" : "");
        add_text(b, "anchor", n->notes->anchor);
        add_text(b, "head", n->notes->head);
        add_text(b, "line", n->notes->line);
        add_text(b, "foot", n->notes->foot);
    }
    bool map = n->type == NODE_MAP;
    bool many = map || n->type == NODE_LIST;
    for (size_t i = 0; many && i < n->n; i++) {
        buf_addz(b, i ? "," : ",\"content\":[");
        if (map) {
            const struct node_member *m = &n->members[i];
            struct node key = {.type = NODE_STRING,
                               .text = m->key,
                               .span_from = m->from,
                               .span_to = m->to};
            add_node(b, m->name ? m->name : &key);
            buf_addc(b, ',');
        }
        add_node(b, map ? n->members[i].value : n->items[i]);
    }
    buf_addz(b, many && n->n ? "]}" : "}");
}

/* read(text, depth?) → JSON: list of documents {head, foot, marked, from, to, content}; on failure
 * nil, kind, message, message with the place, number of documents before it */
static int l_read(lua_State *L)
{
    struct str text = arg(L, 1);
    struct yaml_limits limits = {(size_t)luaL_optinteger(L, 2, 0)};
    struct call *c = new_call(L);
    if (yaml_read(&c->arena, text, &limits, &c->docs, &c->where, &c->err)) {
        return push_failure(L, c);
    }
    buf_addc(&c->out, '[');
    for (size_t i = 0; i < c->docs.n; i++) {
        const struct yaml_doc *d = &c->docs.list[i];
        buf_printf(&c->out, "%s{\"kind\":\"document\",\"marked\":%s,\"from\":%zu,\"to\":%zu",
                   i ? "," : "", d->marked ? "true" : "false", d->from, d->to);
        add_text(&c->out, "head", d->head);
        add_text(&c->out, "foot", d->foot);
        buf_addz(&c->out, ",\"content\":[");
        add_node(&c->out, d->root);
        buf_addz(&c->out, "]}");
    }
    buf_addc(&c->out, ']');
    lua_pushlstring(L, c->out.ptr, c->out.len);
    return 1;
}

/* rewrite(text, wide?, neat?) → the text as yaml_write writes it; neat: without the peer's defects */
static int l_rewrite(lua_State *L)
{
    struct str text = arg(L, 1);
    struct yaml_form form = {.wide = lua_toboolean(L, 2), .defects = !lua_toboolean(L, 3)};
    struct call *c = new_call(L);
    if (yaml_read(&c->arena, text, NULL, &c->docs, &c->where, &c->err)) {
        return push_failure(L, c);
    }
    yaml_write(&c->out, &c->docs, &form);
    lua_pushlstring(L, c->out.ptr ? c->out.ptr : "", c->out.len);
    return 1;
}

/* edit(text, wanted text) → text with the first document's tree of wanted text */
static int l_edit(lua_State *L)
{
    struct str text = arg(L, 1), wanted = arg(L, 2);
    struct call *c = new_call(L);
    struct str out;
    if (yaml_read(&c->arena, wanted, NULL, &c->docs, NULL, &c->err) || c->docs.n == 0 ||
        yaml_edit_tree(&c->arena, text, c->docs.list->root, &out, &c->err)) {
        return push_failure(L, c);
    }
    lua_pushlstring(L, out.ptr, out.len);
    return 1;
}

/* copy(text) → the first document of the text, written from a copy; does the copy equal the tree,
 * and does it still once its innermost value is another? */
static int l_copy(lua_State *L)
{
    struct str text = arg(L, 1);
    struct call *c = new_call(L);
    if (yaml_read(&c->arena, text, NULL, &c->docs, NULL, &c->err) || c->docs.n == 0) {
        return push_failure(L, c);
    }
    const struct node *root = c->docs.list->root;
    struct node *copy = node_copy(&c->arena, root), *inner = copy;
    bool equal = node_equal(root, copy) && yaml_same(root, copy);
    yaml_write_node(&c->out, copy, NULL);
    while ((inner->type == NODE_LIST || inner->type == NODE_MAP) && inner->n) {
        inner = inner->type == NODE_LIST ? inner->items[0] : inner->members[0].value;
    }
    *inner = *node_strz(&c->arena, "another");
    lua_pushlstring(L, c->out.ptr ? c->out.ptr : "", c->out.len);
    lua_pushboolean(L, equal);
    lua_pushboolean(L, node_equal(root, copy));
    return 3;
}

/* --- tokens, ours and libyaml's --- */

static const char *const token_names[] = {
    "stream", "end", "%YAML", "%TAG", "---", "...", "list", "map", "close", "[", "]",
    "{", "}", "-", ",", "?", ":", "*", "&", "!", "scalar"};

static void add_token(struct buf *b, int type, size_t from, size_t to, struct str text)
{
    buf_printf(b, "%s %zu %zu ", token_names[type], from, to);
    buf_add_json_string(b, text);
    buf_addc(b, '\n');
}

/* tokens(text) → a line for each token of ours; the last one says "error" when it fails */
static int l_tokens(lua_State *L)
{
    struct call *c = new_call(L);
    struct yaml_fault f = {.err = &c->err};
    struct yaml_token t = {0};
    struct yaml_scanner *s = yaml_scanner_new(&c->arena, arg(L, 1), 10000, true);
    while (t.type != TOKEN_STREAM_END) {
        if (yaml_scanner_next(s, &t, &f)) {
            buf_addz(&c->out, "error\n");
            break;
        }
        add_token(&c->out, t.type, t.from, t.to, t.type == TOKEN_SCALAR ? t.text : STR_NULL);
    }
    yaml_scanner_free(s);
    lua_pushlstring(L, c->out.ptr, c->out.len);
    return 1;
}

/* oracle(text) → the same by libyaml; places are characters, so text has to be ASCII */
static int l_oracle(lua_State *L)
{
    static const uint8_t types[] = {
        [YAML_STREAM_START_TOKEN] = TOKEN_STREAM_START,
        [YAML_STREAM_END_TOKEN] = TOKEN_STREAM_END,
        [YAML_VERSION_DIRECTIVE_TOKEN] = TOKEN_VERSION,
        [YAML_TAG_DIRECTIVE_TOKEN] = TOKEN_TAG_PREFIX,
        [YAML_DOCUMENT_START_TOKEN] = TOKEN_DOCUMENT_START,
        [YAML_DOCUMENT_END_TOKEN] = TOKEN_DOCUMENT_END,
        [YAML_BLOCK_SEQUENCE_START_TOKEN] = TOKEN_BLOCK_LIST,
        [YAML_BLOCK_MAPPING_START_TOKEN] = TOKEN_BLOCK_MAP,
        [YAML_BLOCK_END_TOKEN] = TOKEN_BLOCK_END,
        [YAML_FLOW_SEQUENCE_START_TOKEN] = TOKEN_FLOW_LIST,
        [YAML_FLOW_SEQUENCE_END_TOKEN] = TOKEN_FLOW_LIST_END,
        [YAML_FLOW_MAPPING_START_TOKEN] = TOKEN_FLOW_MAP,
        [YAML_FLOW_MAPPING_END_TOKEN] = TOKEN_FLOW_MAP_END,
        [YAML_BLOCK_ENTRY_TOKEN] = TOKEN_DASH,
        [YAML_FLOW_ENTRY_TOKEN] = TOKEN_COMMA,
        [YAML_KEY_TOKEN] = TOKEN_KEY,
        [YAML_VALUE_TOKEN] = TOKEN_VALUE,
        [YAML_ALIAS_TOKEN] = TOKEN_ALIAS,
        [YAML_ANCHOR_TOKEN] = TOKEN_ANCHOR,
        [YAML_TAG_TOKEN] = TOKEN_TAG,
        [YAML_SCALAR_TOKEN] = TOKEN_SCALAR,
    };
    struct str text = arg(L, 1);
    struct call *c = new_call(L);
    yaml_parser_t p;
    yaml_token_t t = {.type = YAML_NO_TOKEN};
    yaml_parser_initialize(&p);
    yaml_parser_set_input_string(&p, (const unsigned char *)text.ptr, text.len);
    for (bool end = false; !end; yaml_token_delete(&t)) {
        if (!yaml_parser_scan(&p, &t)) {
            buf_addz(&c->out, "error\n");
            break;
        }
        end = t.type == YAML_STREAM_END_TOKEN;
        struct str value = STR_NULL;
        if (t.type == YAML_SCALAR_TOKEN) {
            value = (struct str){(char *)t.data.scalar.value, t.data.scalar.length};
        }
        add_token(&c->out, types[t.type], t.start_mark.index, t.end_mark.index, value);
    }
    yaml_parser_delete(&p);
    lua_pushlstring(L, c->out.ptr, c->out.len);
    return 1;
}

/* --- spans --- */

static const char *check_spans(const struct node *n, size_t from, size_t to)
{
    if (n->span_from < from || n->span_to > to || n->span_from > n->span_to) {
        return "a node leaves its parent or overlaps the one before it";
    }
    size_t at = n->span_from;
    bool map = n->type == NODE_MAP;
    for (size_t i = 0; (map || n->type == NODE_LIST) && i < n->n; i++) {
        const struct node *v = map ? n->members[i].value : n->items[i];
        if (map) {
            const struct node_member *m = &n->members[i];
            if (m->from < at || m->to > n->span_to || m->from > m->to) {
                return "a key leaves its map or overlaps the value before it";
            }
            at = m->to;
        }
        const char *wrong = check_spans(v, at, n->span_to);
        if (wrong) {
            return wrong;
        }
        at = v->span_to;
    }
    return NULL;
}

/* spans(text) → nil when spans nest and ascend, else what is wrong; false when text is no YAML */
static int l_spans(lua_State *L)
{
    struct str text = arg(L, 1);
    struct call *c = new_call(L);
    if (yaml_read(&c->arena, text, NULL, &c->docs, NULL, &c->err)) {
        lua_pushboolean(L, false);
        return 1;
    }
    size_t at = 0;
    for (size_t i = 0; i < c->docs.n; i++) {
        const struct yaml_doc *d = &c->docs.list[i];
        const char *wrong = d->from < at || d->to > text.len ? "documents overlap"
                                                              : check_spans(d->root, d->from, d->to);
        if (wrong) {
            lua_pushstring(L, wrong);
            return 1;
        }
        at = d->to;
    }
    lua_pushnil(L);
    return 1;
}

/* read_cost(text, rounds) → nanoseconds of all rounds, arena bytes of one; or as read fails, with
 * the nanoseconds and bytes of one failed round last */
static int l_read_cost(lua_State *L)
{
    struct str text = arg(L, 1);
    lua_Integer rounds = luaL_optinteger(L, 2, 1);
    struct call *c = new_call(L);
    int64_t from = clock_mono_ns();
    int failed = 0;
    for (lua_Integer i = 0; i < rounds && !failed; i++) {
        arena_clear(&c->arena);
        failed = yaml_read(&c->arena, text, NULL, &c->docs, NULL, &c->err);
    }
    int64_t spent = clock_mono_ns() - from;
    int n = failed ? push_failure(L, c) : 0;
    lua_pushinteger(L, spent);
    lua_pushinteger(L, (lua_Integer)c->arena.used);
    return n + 2;
}

static const luaL_Reg functions[] = {
    {"copy", l_copy},           {"edit", l_edit},     {"oracle", l_oracle}, {"read", l_read},
    {"read_cost", l_read_cost}, {"rewrite", l_rewrite}, {"spans", l_spans},
    {"tokens", l_tokens},       {NULL, NULL},
};

int luaopen_probe_yaml(lua_State *L);

int luaopen_probe_yaml(lua_State *L)
{
    luaL_newlib(L, functions);
    return 1;
}
