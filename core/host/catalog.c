/* SPDX-License-Identifier: Apache-2.0
 *
 * The catalog: what each workflow of a generation says about itself. Every file is run once (phase
 * load: no ctx) and its table is checked; the header comment must say the same as the table, so
 * that a file can be judged without running it.
 */
#include "base/limits.h"
#include "base/map.h"
#include "host/priv.h"

#define API_LEVEL 1
#define MAX_ON 32

static const char *const effect_names[] = {"read", "draft", "eval", "publish", "objects", "spawn",
                                           NULL};

struct loading {
    const struct script_source *src;
    struct host_workflow *w;
    struct arena *arena;
};

/* Stops the load with an error that names file and field. */
static int bad(lua_State *L, const char *field, const char *fmt, ...)
{
    const struct loading *l = lua_touserdata(L, lua_upvalueindex(1));
    va_list ap;
    va_start(ap, fmt);
    lua_pushvfstring(L, fmt, ap);
    va_end(ap);
    return luaL_error(L, "%s: field '%s': %s", l->src->path.ptr, field, lua_tostring(L, -1));
}

static struct str text_field(lua_State *L, const char *field)
{
    const struct loading *l = lua_touserdata(L, lua_upvalueindex(1));
    lua_getfield(L, 1, field);
    struct str s = STR_NULL;
    if (lua_type(L, -1) != LUA_TSTRING || lua_rawlen(L, -1) == 0) {
        bad(L, field, "text is expected");
    }
    s.ptr = lua_tolstring(L, -1, &s.len);
    s = arena_str(l->arena, s);
    lua_pop(L, 1);
    return s;
}

static struct str *text_list(lua_State *L, const char *field, size_t *out_n)
{
    const struct loading *l = lua_touserdata(L, lua_upvalueindex(1));
    lua_getfield(L, 1, field);
    if (!lua_istable(L, -1) || lua_rawlen(L, -1) > MAX_ON) {
        bad(L, field, "a list of texts is expected");
    }
    size_t n = lua_rawlen(L, -1);
    struct str *out = arena_array(l->arena, struct str, n);
    for (size_t i = 0; i < n; i++) {
        if (lua_rawgeti(L, -1, (lua_Integer)i + 1) != LUA_TSTRING) {
            bad(L, field, "a list of texts is expected");
        }
        struct str s;
        s.ptr = lua_tolstring(L, -1, &s.len);
        out[i] = arena_str(l->arena, s);
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    *out_n = n;
    return out;
}

static bool is_version(struct str s)
{
    struct str rest = s, part;
    int parts = 0;
    while (str_split(&rest, '.', &part)) {
        int64_t n;
        if (!str_to_int64(part, &n) || n < 0) {
            return false;
        }
        parts++;
    }
    return parts == 3;
}

static void check_on(lua_State *L, const struct host_workflow *w)
{
    for (size_t i = 0; i < w->n_on; i++) {
        ptrdiff_t slash = str_find_byte(w->on[i], '/');
        if (slash <= 0 || (size_t)slash + 1 == w->on[i].len) {
            bad(L, "on", "'%s' is not of the form kind/verb", w->on[i].ptr);
        }
    }
}

static void check_effects(lua_State *L, const struct host_workflow *w)
{
    for (size_t i = 0; i < w->n_effects; i++) {
        bool known = false;
        for (size_t k = 0; effect_names[k]; k++) {
            known = known || str_eqz(w->effects[i], effect_names[k]);
        }
        if (!known) {
            bad(L, "effects", "there is no effect '%s'", w->effects[i].ptr);
        }
    }
}

static void check_function(lua_State *L, const char *field, bool required)
{
    int type = lua_getfield(L, 1, field);
    if (type != LUA_TFUNCTION && (required || type != LUA_TNIL)) {
        bad(L, field, "a function is expected");
    }
    lua_pop(L, 1);
}

/* --- header comment --- */

/* Value of the header line `-- @key value`, or STR_NULL. */
static struct str header_value(struct str text, const char *key)
{
    struct str line;
    while (str_split(&text, '\n', &line) && str_has_prefix(line, STR("--"))) {
        struct str rest = str_trim(str_sub(line, 2, line.len), " \r");
        if (rest.len && rest.ptr[0] == '@') {
            ptrdiff_t blank = str_find_byte(rest, ' ');
            size_t end = blank < 0 ? rest.len : (size_t)blank;
            if (str_eqz(str_sub(rest, 1, end), key)) {
                return str_trim(str_sub(rest, end, rest.len), " ");
            }
        }
    }
    return STR_NULL;
}

static struct str joined(struct arena *a, const struct str *list, size_t n)
{
    struct str out = n ? list[0] : STR("none");
    for (size_t i = 1; i < n; i++) {
        out = arena_printf(a, "%.*s, %.*s", STR_ARG(out), STR_ARG(list[i]));
    }
    return out;
}

static void check_header(lua_State *L, const struct loading *l)
{
    const struct host_workflow *w = l->w;
    const struct {
        const char *key;
        struct str value;
    } wanted[] = {
        {"api", arena_printf(l->arena, "%lld", (long long)w->api)},
        {"name", w->name},
        {"version", w->version},
        {"on", joined(l->arena, w->on, w->n_on)},
        {"effects", joined(l->arena, w->effects, w->n_effects)},
    };
    for (size_t i = 0; i < sizeof(wanted) / sizeof(*wanted); i++) {
        struct str have = header_value(l->src->text, wanted[i].key);
        if (!str_eq(have, wanted[i].value)) {
            bad(L, wanted[i].key, "the header comment says '%s', the table '%s'",
                arena_strz(l->arena, have), arena_strz(l->arena, wanted[i].value));
        }
    }
}

/* Upvalue 1: struct loading; argument: the workflow's table. */
static int read_table(lua_State *L)
{
    const struct loading *l = lua_touserdata(L, lua_upvalueindex(1));
    struct host_workflow *w = l->w;
    if (lua_getfield(L, 1, "api") != LUA_TNUMBER || !lua_isinteger(L, -1)) {
        bad(L, "api", "an integer is expected");
    }
    w->api = lua_tointeger(L, -1);
    lua_pop(L, 1);
    if (w->api != API_LEVEL) {
        bad(L, "api", "level %d is not supported (this is level %d)", (int)w->api, API_LEVEL);
    }
    w->name = text_field(L, "name");
    if (!str_eq(w->name, l->src->name)) {
        bad(L, "name", "must be the file name '%s'", l->src->name.ptr);
    }
    w->version = text_field(L, "version");
    if (!is_version(w->version)) {
        bad(L, "version", "'%s' is not of the form 1.2.3", w->version.ptr);
    }
    w->summary = text_field(L, "summary");
    w->on = text_list(L, "on", &w->n_on);
    check_on(L, w);
    w->effects = text_list(L, "effects", &w->n_effects);
    check_effects(L, w);
    check_function(L, "needs", false);
    check_function(L, "check", false);
    check_function(L, "run", true);
    check_header(L, l);
    return 0;
}

/* Runs one file and reads its table, in a state of its own. */
static int load_one(struct script_set *set, const struct script_source *src, struct arena *a,
                    struct host_workflow *out, struct err *err)
{
    const struct script_limits limits = {
        .cpu_ms = LIMIT_RUN_CPU_MS, .bytes = LIMIT_RUN_BYTES, .calls = LIMIT_RUN_CALLS};
    struct host_run run = {.arena = a};
    struct host_state st = {.run = &run, .phase = HOST_LOAD};
    struct loading l = {.src = src, .w = out, .arena = a};
    struct script_run *r = NULL;
    if (script_run_new(set, &limits, host_modules, &r, err) < 0) {
        return -1;
    }
    script_run_set_owner(r, &st);
    script_run_set_data(r, a, LIMIT_RUN_BYTES);
    lua_State *L = script_run_state(r);
    lua_pushcfunction(L, host_open_libraries);
    int rc = script_run_call(r, 0, 0, err);
    rc = rc == 0 ? script_run_load(r, src, err) : rc;
    if (rc == 0) {
        lua_pushlightuserdata(L, &l);
        lua_pushcclosure(L, read_table, 1);
        lua_insert(L, -2);
        rc = script_run_call(r, 1, 0, err);
    }
    script_run_free(r);
    err_done(&st.err);
    out->path = arena_str(a, src->path);
    memcpy(out->sha256, src->sha256, sizeof(out->sha256));
    return rc;
}

/* Two workflows for one verb would make the choice a matter of chance. */
static int check_unique(const struct host_workflow *list, size_t n, struct err *err)
{
    AUTO_MAP seen = MAP_INIT;
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < list[i].n_on; k++) {
            struct str on = list[i].on[k];
            const struct host_workflow *other = map_set(&seen, on, (void *)&list[i]);
            if (other && !str_has_prefix(on, STR("timer/"))) {
                return err_set(err, ERR_INVALID, "%.*s: field 'on': '%.*s' is taken by %.*s",
                               STR_ARG(list[i].path), STR_ARG(on), STR_ARG(other->path));
            }
        }
    }
    return 0;
}

int host_catalog_load(struct script_set *set, struct arena *a, struct host_workflow **out,
                      size_t *out_n, struct err *err)
{
    size_t n, found = 0;
    const struct script_source *sources = script_set_sources(set, &n);
    struct host_workflow *list = arena_array(a, struct host_workflow, n);
    for (size_t i = 0; i < n; i++) {
        if (sources[i].workflow && load_one(set, &sources[i], a, &list[found++], err) < 0) {
            return -1;
        }
    }
    if (check_unique(list, found, err) < 0) {
        return -1;
    }
    *out = list;
    *out_n = found;
    return 0;
}
