/* SPDX-License-Identifier: Apache-2.0
 *
 * Lua patterns (reference manual §6.4.1) with a matcher that can be stopped. Patterns that
 * backtrack can run for years over a short subject, in C, where no hook fires; this matcher asks
 * every few thousand steps whether the run must end. Plain search is memmem, which is linear.
 *
 * Errors are raised with nothing to release: buffers are Lua's.
 */
#include <ctype.h>

#include "script/priv.h"

#define MAX_CAPTURES 32
#define MAX_NESTING 200 /* recursive steps of one match: stack */
#define CHECK_STEPS 4096

enum { OPEN = -1, POSITION = -2 }; /* capture lengths that are no lengths */

struct capture {
    const char *from;
    ptrdiff_t len;
};

struct matcher {
    lua_State *L;
    const char *subject, *subject_end;
    const char *pattern_end;
    int nesting, n_captures;
    unsigned steps;
    struct capture captures[MAX_CAPTURES];
};

static const char *match(struct matcher *m, const char *s, const char *p);

static void count_step(struct matcher *m)
{
    if (++m->steps % CHECK_STEPS == 0) {
        script_check_stop(m->L);
    }
}

/* --- single characters --- */

static bool class_has(int c, int letter)
{
    bool has;
    switch (tolower(letter)) {
    case 'a': has = isalpha(c); break;
    case 'c': has = iscntrl(c); break;
    case 'd': has = isdigit(c); break;
    case 'g': has = isgraph(c); break;
    case 'l': has = islower(c); break;
    case 'p': has = ispunct(c); break;
    case 's': has = isspace(c); break;
    case 'u': has = isupper(c); break;
    case 'w': has = isalnum(c); break;
    case 'x': has = isxdigit(c); break;
    case 'z': has = c == 0; break; /* deprecated, and still there in 5.4 */
    default: return letter == c;
    }
    return isupper(letter) ? !has : has;
}

/* p stands on '['; gives the position behind ']'. */
static const char *set_end(struct matcher *m, const char *p)
{
    p++;
    p += p < m->pattern_end && *p == '^';
    for (bool first = true;; first = false) {
        if (p >= m->pattern_end) {
            luaL_error(m->L, "malformed pattern (missing ']')");
        }
        char c = *p++;
        if (c == ']' && !first) {
            return p;
        }
        if (c == '%') {
            if (p >= m->pattern_end) {
                luaL_error(m->L, "malformed pattern (missing ']')");
            }
            p++;
        }
    }
}

/* [p, end) is a whole set with its brackets. */
static bool set_has(int c, const char *p, const char *end)
{
    bool negated = p[1] == '^';
    const char *last = end - 1;
    for (p += negated ? 2 : 1; p < last; p++) {
        unsigned char from = (unsigned char)*p;
        if (from == '%') {
            p++;
            if (class_has(c, (unsigned char)*p)) {
                return !negated;
            }
        } else if (p + 2 < last && p[1] == '-') {
            p += 2;
            if (from <= c && c <= (unsigned char)*p) {
                return !negated;
            }
        } else if (from == c) {
            return !negated;
        }
    }
    return negated;
}

/* End of the single-character item at p. */
static const char *item_end(struct matcher *m, const char *p)
{
    if (*p == '[') {
        return set_end(m, p);
    }
    if (*p == '%') {
        if (p + 1 >= m->pattern_end) {
            luaL_error(m->L, "malformed pattern (ends with '%%')");
        }
        return p + 2;
    }
    return p + 1;
}

static bool item_has(const struct matcher *m, const char *s, const char *p, const char *end)
{
    if (s >= m->subject_end) {
        return false;
    }
    int c = (unsigned char)*s;
    switch (*p) {
    case '.':
        return true;
    case '%':
        return class_has(c, (unsigned char)p[1]);
    case '[':
        return set_has(c, p, end);
    default:
        return (unsigned char)*p == c;
    }
}

/* --- items that are more than a character --- */

/* %bxy: p stands behind the b. */
static const char *match_balance(struct matcher *m, const char *s, const char *p)
{
    if (p + 1 >= m->pattern_end) {
        luaL_error(m->L, "malformed pattern (missing arguments to '%%b')");
    }
    if (s >= m->subject_end || *s != *p) {
        return NULL;
    }
    size_t depth = 1;
    for (s++; s < m->subject_end; s++) {
        count_step(m);
        if (*s == p[1]) {
            if (--depth == 0) {
                return s + 1;
            }
        } else if (*s == p[0]) {
            depth++;
        }
    }
    return NULL;
}

static bool at_frontier(const struct matcher *m, const char *s, const char *set, const char *end)
{
    int before = s == m->subject ? 0 : (unsigned char)s[-1];
    int here = s < m->subject_end ? (unsigned char)*s : 0;
    return !set_has(before, set, end) && set_has(here, set, end);
}

static const char *match_back(struct matcher *m, const char *s, int digit)
{
    int i = digit - '1';
    if (i < 0 || i >= m->n_captures || m->captures[i].len == OPEN) {
        luaL_error(m->L, "invalid capture index %%%d", i + 1);
    }
    size_t len = m->captures[i].len < 0 ? 0 : (size_t)m->captures[i].len;
    bool same = (size_t)(m->subject_end - s) >= len && memcmp(m->captures[i].from, s, len) == 0;
    return same ? s + len : NULL;
}

static const char *match_open(struct matcher *m, const char *s, const char *p, ptrdiff_t len)
{
    if (m->n_captures == MAX_CAPTURES) {
        luaL_error(m->L, "too many captures");
    }
    m->captures[m->n_captures++] = (struct capture){s, len};
    const char *end = match(m, s, p);
    if (!end) {
        m->n_captures--;
    }
    return end;
}

static const char *match_close(struct matcher *m, const char *s, const char *p)
{
    int i = m->n_captures - 1;
    while (i >= 0 && m->captures[i].len != OPEN) {
        i--;
    }
    if (i < 0) {
        luaL_error(m->L, "invalid pattern capture");
    }
    m->captures[i].len = s - m->captures[i].from;
    const char *end = match(m, s, p);
    if (!end) {
        m->captures[i].len = OPEN;
    }
    return end;
}

/* As many as possible first (`*`, `+`). */
static const char *match_greedy(struct matcher *m, const char *s, const char *p, const char *end)
{
    ptrdiff_t n = 0;
    while (item_has(m, s + n, p, end)) {
        count_step(m);
        n++;
    }
    for (; n >= 0; n--) {
        const char *found = match(m, s + n, end + 1);
        if (found) {
            return found;
        }
    }
    return NULL;
}

/* As few as possible first (`-`). */
static const char *match_lazy(struct matcher *m, const char *s, const char *p, const char *end)
{
    for (;; s++) {
        const char *found = match(m, s, end + 1);
        if (found) {
            return found;
        }
        if (!item_has(m, s, p, end)) {
            return NULL;
        }
    }
}

/* A character item with its suffix. *again: the match goes on at *s, *p. */
static const char *match_item(struct matcher *m, const char **s, const char **p, bool *again)
{
    const char *end = item_end(m, *p);
    char suffix = end < m->pattern_end ? *end : '\0';
    switch (suffix) {
    case '*':
        return match_greedy(m, *s, *p, end);
    case '+':
        return item_has(m, *s, *p, end) ? match_greedy(m, *s + 1, *p, end) : NULL;
    case '-':
        return match_lazy(m, *s, *p, end);
    case '?': {
        const char *found;
        if (item_has(m, *s, *p, end) && (found = match(m, *s + 1, end + 1)) != NULL) {
            return found;
        }
        *p = end + 1;
        *again = true;
        return NULL;
    }
    default:
        *again = item_has(m, *s, *p, end);
        *s += *again;
        *p = end;
        return NULL;
    }
}

/* %b, %f and %1…: true when p was one of them; then *again or a failure. */
static bool match_escape(struct matcher *m, const char **s, const char **p, bool *again)
{
    char c = *p + 1 < m->pattern_end ? (*p)[1] : '\0';
    if (c == 'b') {
        *s = match_balance(m, *s, *p + 2);
        *p += 4;
    } else if (c == 'f') {
        const char *set = *p + 2;
        if (set >= m->pattern_end || *set != '[') {
            luaL_error(m->L, "missing '[' after '%%f' in pattern");
        }
        const char *end = set_end(m, set);
        *s = at_frontier(m, *s, set, end) ? *s : NULL;
        *p = end;
    } else if (isdigit((unsigned char)c)) {
        *s = match_back(m, *s, (unsigned char)c);
        *p += 2;
    } else {
        return false;
    }
    *again = *s != NULL;
    return true;
}

/* Matches the pattern from p at s; gives the end of the match or NULL. */
static const char *match(struct matcher *m, const char *s, const char *p)
{
    if (++m->nesting > MAX_NESTING) {
        luaL_error(m->L, "pattern too complex");
    }
    const char *found = NULL;
    bool again = true;
    while (again) {
        count_step(m);
        again = false;
        if (p == m->pattern_end) {
            found = s;
        } else if (*p == '(') {
            bool position = p + 1 < m->pattern_end && p[1] == ')';
            found = match_open(m, s, p + (position ? 2 : 1), position ? POSITION : OPEN);
        } else if (*p == ')') {
            found = match_close(m, s, p + 1);
        } else if (*p == '$' && p + 1 == m->pattern_end) {
            found = s == m->subject_end ? s : NULL;
        } else if (*p != '%' || !match_escape(m, &s, &p, &again)) {
            found = match_item(m, &s, &p, &again);
        }
    }
    m->nesting--;
    return found;
}

/* --- results --- */

/* Pushes capture i, or the whole match [s, e) when there are none. */
static void push_capture(struct matcher *m, int i, const char *s, const char *e)
{
    if (i >= m->n_captures) {
        if (i != 0) {
            luaL_error(m->L, "invalid capture index %%%d", i + 1);
        }
        lua_pushlstring(m->L, s, (size_t)(e - s));
        return;
    }
    const struct capture *c = &m->captures[i];
    if (c->len == OPEN) {
        luaL_error(m->L, "unfinished capture");
    }
    if (c->len == POSITION) {
        lua_pushinteger(m->L, c->from - m->subject + 1);
    } else {
        lua_pushlstring(m->L, c->from, (size_t)c->len);
    }
}

/* s NULL: only real captures. */
static int push_captures(struct matcher *m, const char *s, const char *e)
{
    int n = m->n_captures == 0 && s ? 1 : m->n_captures;
    luaL_checkstack(m->L, n, "too many captures");
    for (int i = 0; i < n; i++) {
        push_capture(m, i, s, e);
    }
    return n;
}

static void start(struct matcher *m, lua_State *L, struct str subject, struct str pattern)
{
    m->L = L;
    m->subject = subject.ptr;
    m->subject_end = subject.ptr + subject.len;
    m->pattern_end = pattern.ptr + pattern.len;
    m->steps = 0;
}

static const char *try_at(struct matcher *m, const char *s, const char *p)
{
    m->nesting = 0;
    m->n_captures = 0;
    return match(m, s, p);
}

static struct str check_str(lua_State *L, int arg)
{
    struct str s;
    s.ptr = luaL_checklstring(L, arg, &s.len);
    return s;
}

/* Start position argument as an offset; may lie behind the end. */
static size_t check_init(lua_State *L, int arg, size_t len)
{
    lua_Integer i = luaL_optinteger(L, arg, 1);
    if (i > 0) {
        return (size_t)i - 1;
    }
    return i == 0 || i < -(lua_Integer)len ? 0 : len - (size_t)-i;
}

static bool has_specials(struct str p)
{
    for (size_t i = 0; i < p.len; i++) {
        if (p.ptr[i] && strchr("^$*+?.([%-", p.ptr[i])) {
            return true;
        }
    }
    return false;
}

static int find_or_match(lua_State *L, bool find)
{
    struct str s = check_str(L, 1), p = check_str(L, 2);
    size_t init = check_init(L, 3, s.len);
    if (init > s.len) {
        lua_pushnil(L);
        return 1;
    }
    if (find && (lua_toboolean(L, 4) || !has_specials(p))) {
        const char *at = p.len ? memmem(s.ptr + init, s.len - init, p.ptr, p.len) : s.ptr + init;
        if (!at) {
            lua_pushnil(L);
            return 1;
        }
        lua_pushinteger(L, at - s.ptr + 1);
        lua_pushinteger(L, at - s.ptr + (lua_Integer)p.len);
        return 2;
    }
    struct matcher m;
    start(&m, L, s, p);
    bool anchor = p.len && *p.ptr == '^';
    for (const char *at = s.ptr + init; at <= m.subject_end; at++) {
        const char *e = try_at(&m, at, p.ptr + anchor);
        if (e && find) {
            lua_pushinteger(L, at - s.ptr + 1);
            lua_pushinteger(L, e - s.ptr);
            return push_captures(&m, NULL, NULL) + 2;
        }
        if (e) {
            return push_captures(&m, at, e);
        }
        if (anchor) {
            break;
        }
    }
    lua_pushnil(L);
    return 1;
}

static int string_find(lua_State *L)
{
    return find_or_match(L, true);
}

static int string_match(lua_State *L)
{
    return find_or_match(L, false);
}

/* Upvalues: subject, pattern, offset to go on from, end of the last match (-1 = none yet). */
static int gmatch_next(lua_State *L)
{
    struct str s = check_str(L, lua_upvalueindex(1)), p = check_str(L, lua_upvalueindex(2));
    size_t from = (size_t)lua_tointeger(L, lua_upvalueindex(3));
    lua_Integer last = lua_tointeger(L, lua_upvalueindex(4));
    struct matcher m;
    start(&m, L, s, p);
    for (; from <= s.len; from++) {
        const char *e = try_at(&m, s.ptr + from, p.ptr);
        if (e && e - s.ptr != last) {
            lua_pushinteger(L, e - s.ptr);
            lua_copy(L, -1, lua_upvalueindex(3));
            lua_replace(L, lua_upvalueindex(4));
            return push_captures(&m, s.ptr + from, e);
        }
    }
    return 0;
}

static int string_gmatch(lua_State *L)
{
    struct str s = check_str(L, 1);
    (void)check_str(L, 2);
    size_t init = check_init(L, 3, s.len);
    lua_settop(L, 2);
    lua_pushinteger(L, (lua_Integer)(init > s.len ? s.len + 1 : init));
    lua_pushinteger(L, -1);
    lua_pushcclosure(L, gmatch_next, 4);
    return 1;
}

static void add_expanded(struct matcher *m, luaL_Buffer *b, const char *s, const char *e)
{
    lua_State *L = m->L;
    struct str r = check_str(L, 3);
    for (size_t i = 0; i < r.len; i++) {
        if (r.ptr[i] != '%') {
            luaL_addchar(b, r.ptr[i]);
            continue;
        }
        unsigned char c = ++i < r.len ? (unsigned char)r.ptr[i] : 0;
        if (c == '%') {
            luaL_addchar(b, '%');
        } else if (c == '0') {
            luaL_addlstring(b, s, (size_t)(e - s));
        } else if (isdigit(c)) {
            push_capture(m, c - '1', s, e);
            luaL_tolstring(L, -1, NULL); /* a position */
            lua_remove(L, -2);
            luaL_addvalue(b);
        } else {
            luaL_error(L, "invalid use of '%%' in replacement string");
        }
    }
}

/* Appends the replacement of the match [s, e). */
static void add_replacement(struct matcher *m, luaL_Buffer *b, const char *s, const char *e)
{
    lua_State *L = m->L;
    int type = lua_type(L, 3);
    if (type == LUA_TFUNCTION) {
        lua_pushvalue(L, 3);
        lua_call(L, push_captures(m, s, e), 1);
    } else if (type == LUA_TTABLE) {
        push_capture(m, 0, s, e);
        lua_gettable(L, 3);
    } else {
        add_expanded(m, b, s, e);
        return;
    }
    if (!lua_toboolean(L, -1)) {
        lua_pop(L, 1);
        luaL_addlstring(b, s, (size_t)(e - s));
    } else if (lua_isstring(L, -1)) {
        luaL_addvalue(b);
    } else {
        luaL_error(L, "invalid replacement value (a %s)", luaL_typename(L, -1));
    }
}

static int string_gsub(lua_State *L)
{
    struct str s = check_str(L, 1), p = check_str(L, 2);
    int type = lua_type(L, 3);
    luaL_argexpected(L, type == LUA_TNUMBER || type == LUA_TSTRING || type == LUA_TFUNCTION ||
                            type == LUA_TTABLE, 3, "string/function/table");
    lua_Integer max = luaL_optinteger(L, 4, (lua_Integer)s.len + 1), n = 0;
    bool anchor = p.len && *p.ptr == '^';
    struct matcher m;
    start(&m, L, s, p);
    luaL_Buffer b;
    luaL_buffinit(L, &b);
    const char *at = s.ptr, *last = NULL;
    while (n < max) {
        const char *e = try_at(&m, at, p.ptr + anchor);
        if (e && e != last) {
            n++;
            add_replacement(&m, &b, at, e);
            at = last = e;
        } else if (at < m.subject_end) {
            luaL_addchar(&b, *at++);
        } else {
            break;
        }
        if (anchor) {
            break;
        }
    }
    luaL_addlstring(&b, at, (size_t)(m.subject_end - at));
    luaL_pushresult(&b);
    lua_pushinteger(L, n);
    return 2;
}

void script_pattern_open(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"find", string_find},
        {"match", string_match},
        {"gmatch", string_gmatch},
        {"gsub", string_gsub},
        {NULL, NULL},
    };
    luaL_setfuncs(L, functions, 0);
}
