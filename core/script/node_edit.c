/* SPDX-License-Identifier: Apache-2.0
 *
 * lanai.node beyond plain values: what YAML text says about a node (comments, style, tag, source
 * text), edits that keep or drop it as the frameworks of KRM functions do, and walks.
 */
#include "base/limits.h"
#include "data/yaml_doc.h"
#include "script/node_handle.h"

static const char *const styles[] = {"plain", "double", "single", "literal", "folded", "flow",
                                     NULL};
static const char *const places[] = {"head", "line", "foot", NULL};

static const struct script_handle *check(lua_State *L, int index)
{
    return luaL_checkudata(L, index, SCRIPT_NODE);
}

static struct str check_text(lua_State *L, int arg)
{
    struct str s;
    s.ptr = luaL_checklstring(L, arg, &s.len);
    if (!str_is_utf8(s)) {
        luaL_error(L, "string is not UTF-8");
    }
    return s;
}

/* A copy of the text at arg in the arena. */
static struct str take_text(lua_State *L, int arg)
{
    struct str s = check_text(L, arg);
    script_check_memory(L, s.len);
    return arena_str(script_arena(L), s);
}

static void push_text(lua_State *L, struct str s)
{
    if (s.ptr) {
        lua_pushlstring(L, s.ptr, s.len);
    } else {
        lua_pushnil(L);
    }
}

static bool is_scalar(const struct node *n)
{
    return n->type != NODE_LIST && n->type != NODE_MAP && n->type != NODE_ALIAS;
}

static struct node_member *find_member(const struct node *map, struct str key)
{
    for (size_t i = 0; map->type == NODE_MAP && i < map->n; i++) {
        if (str_eq(map->members[i].key, key)) {
            return &map->members[i];
        }
    }
    return NULL;
}

/* Where the value with the key at arg stands in `in`; NULL when there is none. */
static struct node **slot(lua_State *L, const struct node *in, int arg)
{
    if (in->type == NODE_LIST) {
        lua_Integer i = luaL_checkinteger(L, arg);
        return i >= 1 && (lua_Unsigned)i <= in->n ? &in->items[i - 1] : NULL;
    }
    struct str key = check_text(L, arg);
    struct node_member *m = find_member(in, key);
    return m ? &m->value : NULL;
}

/* --- reading --- */

/* at(parent, key): a handle whatever the value is; nil when there is none. */
int script_node_at(lua_State *L)
{
    const struct script_handle *h = check(L, 1);
    struct node **found = slot(L, h->node, 2);
    if (found) {
        script_push_inside(L, h, *found);
    } else {
        lua_pushnil(L);
    }
    return 1;
}

int script_node_kind(lua_State *L)
{
    lua_pushstring(L, script_node_type(check(L, 1)->node));
    return 1;
}

int script_node_keys(lua_State *L)
{
    const struct node *n = check(L, 1)->node;
    luaL_argexpected(L, n->type == NODE_MAP, 1, "map");
    lua_createtable(L, (int)n->n, 0);
    for (size_t i = 0; i < n->n; i++) {
        lua_pushlstring(L, n->members[i].key.ptr ? n->members[i].key.ptr : "",
                        n->members[i].key.len);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    return 1;
}

/* text(scalar): as it stands in the source; nil for lists and maps. */
int script_node_text(lua_State *L)
{
    const struct node *n = check(L, 1)->node;
    if (!is_scalar(n)) {
        lua_pushnil(L);
    } else if (n->type == NODE_BOOL && !n->text.ptr) {
        lua_pushstring(L, n->boolean ? "true" : "false");
    } else if (n->type == NODE_NULL && !n->text.ptr) {
        lua_pushliteral(L, "null");
    } else {
        lua_pushlstring(L, n->text.ptr, n->text.len);
    }
    return 1;
}

int script_node_style(lua_State *L)
{
    lua_pushstring(L, styles[check(L, 1)->node->style]);
    return 1;
}

int script_node_tag(lua_State *L)
{
    const struct node *n = check(L, 1)->node;
    push_text(L, n->notes && n->notes->tag.len ? n->notes->tag : STR_NULL);
    return 1;
}

static struct str *note(struct node_notes *notes, int place)
{
    return place == 0 ? &notes->head : place == 1 ? &notes->line : &notes->foot;
}

static int push_note(lua_State *L, const struct node *n, int place)
{
    struct str s = n && n->notes ? *note(n->notes, place) : STR_NULL;
    push_text(L, s.len ? s : STR_NULL);
    return 1;
}

/* comment(node, place) */
int script_node_comment(lua_State *L)
{
    const struct node *n = check(L, 1)->node;
    return push_note(L, n, luaL_checkoption(L, 2, NULL, places));
}

/* key_comment(map, key, place) */
int script_node_key_comment(lua_State *L)
{
    const struct node *n = check(L, 1)->node;
    const struct node_member *m = find_member(n, check_text(L, 2));
    return push_note(L, m ? m->name : NULL, luaL_checkoption(L, 3, NULL, places));
}

/* --- writing what the text says --- */

static struct node_notes *notes_of(lua_State *L, struct node *n)
{
    if (!n->notes) {
        script_check_memory(L, sizeof(*n->notes));
        n->notes = arena_new(script_arena(L), struct node_notes);
    }
    return n->notes;
}

static void set_note(lua_State *L, struct node *n, int place, int arg)
{
    if (!lua_isnoneornil(L, arg)) {
        struct str text = take_text(L, arg);
        *note(notes_of(L, n), place) = text;
    } else if (n->notes) {
        *note(n->notes, place) = STR_NULL;
    }
}

/* set_comment(node, place, text or nil) */
int script_node_set_comment(lua_State *L)
{
    struct node *n = script_check_writable(L, 1)->node;
    set_note(L, n, luaL_checkoption(L, 2, NULL, places), 3);
    return 0;
}

/* set_key_comment(map, key, place, text or nil) */
int script_node_set_key_comment(lua_State *L)
{
    struct node *n = script_check_writable(L, 1)->node;
    struct node_member *m = find_member(n, check_text(L, 2));
    int place = luaL_checkoption(L, 3, NULL, places);
    luaL_argcheck(L, m, 2, "no such member");
    if (!m->name && lua_isnoneornil(L, 4)) {
        return 0;
    }
    if (!m->name) {
        script_check_memory(L, sizeof(*m->name));
        m->name = node_str(script_arena(L), m->key);
    }
    set_note(L, m->name, place, 4);
    return 0;
}

/* set_style(node, style) */
int script_node_set_style(lua_State *L)
{
    struct node *n = script_check_writable(L, 1)->node;
    int style = luaL_checkoption(L, 2, NULL, styles);
    bool fits = is_scalar(n) ? style != STYLE_FLOW : style == STYLE_FLOW || style == STYLE_PLAIN;
    luaL_argcheck(L, fits, 2, "the value cannot be written so");
    n->style = (uint8_t)style;
    if (is_scalar(n) && (style != STYLE_PLAIN || n->type == NODE_STRING)) {
        n->bare = false;
        n->type = NODE_STRING;
    }
    return 0;
}

/* set_tag(node, tag or nil) */
int script_node_set_tag(lua_State *L)
{
    struct node *n = script_check_writable(L, 1)->node;
    if (!lua_isnoneornil(L, 2)) {
        struct str tag = take_text(L, 2);
        notes_of(L, n)->tag = tag;
    } else if (n->notes) {
        n->notes->tag = STR_NULL;
    }
    if (is_scalar(n)) {
        yaml_retype(n);
    }
    return 0;
}

/* --- writing values --- */

/* Puts what `value` is in the place of *n, whose anchor stays: aliases mean the new value. */
static void become(lua_State *L, struct node *n, const struct node *value,
                   const struct node_notes *comments, uint8_t style)
{
    struct str anchor = n->notes ? n->notes->anchor : STR_NULL;
    *n = *value;
    n->style = style;
    n->notes = NULL;
    if (comments || anchor.len) {
        struct node_notes *notes = notes_of(L, n);
        *notes = comments ? *comments : (struct node_notes){0};
        notes->tag = STR_NULL;
        notes->anchor = anchor;
    }
}

/* assign(node, value): the value is written anew, the comments stay. */
static void assign(lua_State *L, struct node *n, int arg)
{
    struct node *value = script_to_node(L, arg);
    struct node_notes kept = n->notes ? *n->notes : (struct node_notes){0};
    if (value->notes && n->notes) { /* a node brings its own comments along */
        for (int place = 0; place < 3; place++) {
            struct str own = *note(value->notes, place);
            *note(&kept, place) = own.len ? own : *note(&kept, place);
        }
    }
    become(L, n, value, n->notes ? &kept : value->notes, value->style);
}

int script_node_assign(lua_State *L)
{
    struct node *n = script_check_writable(L, 1)->node;
    luaL_checkany(L, 2);
    assign(L, n, 2);
    return 0;
}

static void append_member(lua_State *L, struct node *map, int key_arg, int value_arg)
{
    luaL_argexpected(L, map->type == NODE_MAP, 1, "map");
    struct node *value = script_to_node(L, value_arg);
    struct str key = take_text(L, key_arg);
    node_set(script_arena(L), map, key, value);
}

/* set(parent, key, value), as the function SDK sets fields: the value loses its quotes and keeps
 * its comments. */
int script_node_set(lua_State *L)
{
    struct node *in = script_check_writable(L, 1)->node;
    luaL_checkany(L, 3);
    struct node **found = slot(L, in, 2);
    if (found) {
        assign(L, *found, 3);
    } else {
        append_member(L, in, 2, 3);
    }
    return 0;
}

/* put(parent, key, value), as kyaml sets fields: the value keeps its quotes and loses its
 * comments. */
int script_node_put(lua_State *L)
{
    struct node *in = script_check_writable(L, 1)->node;
    luaL_checkany(L, 3);
    struct node **found = slot(L, in, 2);
    if (!found) {
        append_member(L, in, 2, 3);
        return 0;
    }
    struct node *n = *found, *value = script_to_node(L, 3);
    bool same = is_scalar(n) == is_scalar(value);
    become(L, n, value, value->notes, same ? n->style : value->style);
    if (is_scalar(n) && n->style != STYLE_PLAIN) {
        n->type = NODE_STRING;
    }
    return 0;
}

/* set_text(scalar, text): the new text in the old style, typed by what it then says. */
int script_node_set_text(lua_State *L)
{
    struct node *n = script_check_writable(L, 1)->node;
    luaL_argexpected(L, is_scalar(n), 1, "scalar");
    n->text = take_text(L, 2);
    if (n->notes) {
        n->notes->tag = STR_NULL;
    }
    yaml_retype(n);
    return 0;
}

/* insert(list, i, value): i from 1 to #list + 1. */
int script_node_insert(lua_State *L)
{
    struct node *list = script_check_writable(L, 1)->node;
    lua_Integer i = luaL_checkinteger(L, 2);
    luaL_checkany(L, 3);
    luaL_argexpected(L, list->type == NODE_LIST, 1, "list");
    luaL_argcheck(L, i >= 1 && (lua_Unsigned)i <= list->n + 1, 2, "out of range");
    node_insert(script_arena(L), list, (size_t)i - 1, script_to_node(L, 3));
    return 0;
}

/* remove(parent, key): true when it was there. */
int script_node_remove(lua_State *L)
{
    struct node *in = script_check_writable(L, 1)->node;
    struct node **found = slot(L, in, 2);
    if (found && in->type == NODE_LIST) {
        node_remove(in, (size_t)(found - in->items));
    } else if (found) {
        (void)node_del(in, check_text(L, 2));
    }
    lua_pushboolean(L, found != NULL);
    return 1;
}

/* rename(map, key, new key): the value, its comments and its place stay. */
int script_node_rename(lua_State *L)
{
    struct node *map = script_check_writable(L, 1)->node;
    struct node_member *m = find_member(map, check_text(L, 2));
    struct str key = take_text(L, 3);
    luaL_argcheck(L, m, 2, "no such member");
    luaL_argcheck(L, !find_member(map, key) || str_eq(m->key, key), 3, "is there already");
    m->key = key;
    if (m->name) {
        m->name->type = NODE_STRING;
        m->name->text = key;
    }
    return 0;
}

/* reorder(map, keys): members named in the table come first, in its order; others keep theirs. */
int script_node_reorder(lua_State *L)
{
    struct node *map = script_check_writable(L, 1)->node;
    luaL_argexpected(L, map->type == NODE_MAP, 1, "map");
    luaL_checktype(L, 2, LUA_TTABLE);
    size_t at = 0;
    for (lua_Integer i = 1, n = (lua_Integer)lua_rawlen(L, 2); i <= n; i++) {
        lua_rawgeti(L, 2, i);
        const struct node_member *m = find_member(map, check_text(L, -1));
        lua_pop(L, 1);
        if (m && (size_t)(m - map->members) >= at) {
            struct node_member moved = *m;
            size_t from = (size_t)(m - map->members);
            memmove(&map->members[at + 1], &map->members[at], (from - at) * sizeof(moved));
            map->members[at++] = moved;
        }
    }
    return 0;
}

/* --- texts --- */

/* parse(text): the first document with its comments; nil and an error table. */
int script_node_parse(lua_State *L)
{
    struct arena *a = script_arena(L);
    struct str text = take_text(L, 1);
    script_check_memory(L, 4 * text.len);
    struct yaml_docs docs = {0};
    struct err err = ERR_INIT;
    int rc = yaml_read(a, text, &(struct yaml_limits){.documents = 1}, &docs, NULL, &err);
    if (rc) { /* the table is made of a copy: making it may raise */
        struct str message = arena_str(a, str_of(err.message));
        struct err borrowed = {.kind = err.kind, .message = (char *)message.ptr};
        err_done(&err);
        lua_pushnil(L);
        script_error_push(L, &borrowed);
        return 2;
    }
    script_check_memory(L, 0);
    script_push_handle(L, docs.n ? docs.list[0].root : node_null(a), true);
    return 1;
}

enum form {
    FORM_YAML,
    FORM_VALUES,
    FORM_JSON
};

/* Writes into the arena: a buffer may not live across the push, which can raise. */
static struct str written(lua_State *L, const struct node *n, enum form form, bool wide)
{
    const struct yaml_form yaml = {.wide = wide};
    AUTO_BUF b = BUF_INIT;
    buf_init(&b, LIMIT_RUN_BYTES);
    if (form == FORM_JSON) {
        json_emit(&b, n);
    } else if (form == FORM_VALUES) {
        yaml_write_values(&b, n, &yaml);
    } else {
        yaml_write_node(&b, n, &yaml);
    }
    return b.overflow ? STR_NULL : arena_str(script_arena(L), buf_str(&b));
}

static int push_written(lua_State *L, enum form form, bool wide)
{
    luaL_checkany(L, 1);
    struct node *n = script_handle_node(L, 1);
    struct str text = written(L, n ? n : script_to_node(L, 1), form, wide);
    script_check_memory(L, 0);
    if (!text.ptr) {
        return luaL_error(L, "text is too large");
    }
    lua_pushlstring(L, text.ptr, text.len);
    return 1;
}

static bool emit_option(lua_State *L, const char *name)
{
    return lua_istable(L, 2) && lua_getfield(L, 2, name) != LUA_TNIL && lua_toboolean(L, -1);
}

/* emit(value, {wide=, values=}?): as YAML, with comments. */
int script_node_emit(lua_State *L)
{
    bool wide = emit_option(L, "wide"), values = emit_option(L, "values");
    lua_settop(L, 1);
    return push_written(L, values ? FORM_VALUES : FORM_YAML, wide);
}

int script_node_json(lua_State *L)
{
    return push_written(L, FORM_JSON, false);
}

/* --- walks --- */

struct frame {
    struct node *in;
    uint32_t next;
    size_t path; /* bytes of the path to `in` */
};

/* One allocation: frames, then the bytes of the path, then the prefix. */
struct walk {
    size_t depth, max_depth, max_path;
    struct str prefix; /* of line comments: others are passed over; NULL: everything is shown */
    struct frame frames[];
};

struct extent {
    size_t depth, path;
};

/* How deep a tree is and how long its paths are. */
static struct extent measure(const struct node *n)
{
    struct extent most = {0, 0};
    for (size_t i = 0; (n->type == NODE_MAP || n->type == NODE_LIST) && i < n->n; i++) {
        bool map = n->type == NODE_MAP;
        struct extent e = measure(map ? n->members[i].value : n->items[i]);
        e.path += map ? n->members[i].key.len + 1 : 12;
        most.depth = e.depth > most.depth ? e.depth : most.depth;
        most.path = e.path > most.path ? e.path : most.path;
    }
    most.depth++;
    return most;
}

static char *path_of(struct walk *w)
{
    return (char *)&w->frames[w->max_depth];
}

/* Appends the step to child i of a frame; gives the length of its path. */
static size_t step(lua_State *L, struct walk *w, const struct frame *f, uint32_t i)
{
    char *path = path_of(w), number[16];
    struct str key = STR_NULL;
    if (f->in->type == NODE_MAP) {
        key = f->in->members[i].key;
    } else {
        key.ptr = number;
        key.len = (size_t)snprintf(number, sizeof(number), "[%u]", i);
    }
    bool dot = f->path && f->in->type == NODE_MAP;
    if (f->path + key.len + dot > w->max_path) {
        luaL_error(L, "the tree grew while it was walked");
    }
    if (dot) {
        path[f->path] = '.';
    }
    if (key.len) {
        memcpy(path + f->path + dot, key.ptr, key.len);
    }
    return f->path + dot + key.len;
}

static bool line_begins(const struct node *n, struct str prefix)
{
    return n && n->notes && str_has_prefix(n->notes->line, prefix);
}

/* True when the walk shows child i of `in`. */
static bool is_shown(const struct walk *w, const struct node *in, uint32_t i)
{
    bool map = in->type == NODE_MAP;
    return !w->prefix.ptr || line_begins(map ? in->members[i].value : in->items[i], w->prefix) ||
           (map && line_begins(in->members[i].name, w->prefix));
}

/* Goes on to the next child that is shown: gives where it is, and the length of its path. */
static bool advance(lua_State *L, struct walk *w, struct node **out_in, uint32_t *out_i,
                    size_t *out_length)
{
    while (w->depth) {
        struct frame *f = &w->frames[w->depth - 1];
        if (f->next >= f->in->n) {
            w->depth--;
            continue;
        }
        uint32_t i = f->next++;
        *out_in = f->in;
        *out_i = i;
        struct node *child = f->in->type == NODE_MAP ? f->in->members[i].value : f->in->items[i];
        bool deeper = child->type == NODE_MAP || child->type == NODE_LIST;
        bool shown = is_shown(w, f->in, i);
        *out_length = deeper || shown ? step(L, w, f, i) : 0;
        if (deeper) {
            if (w->depth == w->max_depth) {
                luaL_error(L, "the tree grew while it was walked");
            }
            w->frames[w->depth++] = (struct frame){child, 0, *out_length};
        }
        if (shown) {
            return true;
        }
    }
    return false;
}

/* Upvalues: the walk, the handle of its root. Gives path, handle, parent, key or index. */
static int walk_next(lua_State *L)
{
    struct walk *w = lua_touserdata(L, lua_upvalueindex(1));
    const struct script_handle *root = check(L, lua_upvalueindex(2));
    struct node *in;
    uint32_t i;
    size_t length;
    if (!advance(L, w, &in, &i, &length)) {
        return 0;
    }
    bool map = in->type == NODE_MAP;
    lua_pushlstring(L, path_of(w), length);
    script_push_inside(L, root, map ? in->members[i].value : in->items[i]);
    script_push_inside(L, root, in);
    if (map) {
        lua_pushlstring(L, in->members[i].key.ptr ? in->members[i].key.ptr : "",
                        in->members[i].key.len);
    } else {
        lua_pushinteger(L, (lua_Integer)i + 1);
    }
    return 4;
}

/* walk(node, prefix?): an iterator over all that is in it, parents before children, in document
 * order; with a prefix, over what has a line comment that begins so, at itself or at its key. Values
 * may be changed on the way, but no part above the current one. */
int script_node_walk(lua_State *L)
{
    const struct node *n = check(L, 1)->node;
    luaL_argcheck(L, !check(L, 1)->resources, 1, "walk one resource at a time");
    struct str prefix = lua_isnoneornil(L, 2) ? STR_NULL : check_text(L, 2);
    struct extent e = measure(n);
    lua_settop(L, 2);
    struct walk *w = lua_newuserdatauv(
        L, sizeof(*w) + e.depth * sizeof(struct frame) + e.path + 1 + prefix.len, 0);
    *w = (struct walk){.max_depth = e.depth, .max_path = e.path};
    if (prefix.ptr) {
        w->prefix = (struct str){memcpy(path_of(w) + e.path + 1, prefix.ptr, prefix.len),
                                 prefix.len};
    }
    if (n->type == NODE_MAP || n->type == NODE_LIST) {
        w->frames[w->depth++] = (struct frame){(struct node *)n, 0, 0};
    }
    lua_replace(L, 2);
    lua_insert(L, 1);
    lua_pushcclosure(L, walk_next, 2);
    return 1;
}
