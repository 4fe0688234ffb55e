/* SPDX-License-Identifier: Apache-2.0
 *
 * Versions of functions and constraints over them, as the semver library of kpt reads them: lenient
 * versions, `~`, `^`, comparisons, wildcards, hyphen ranges, comma or blank as "and", `||` as "or".
 */
#include "eval/priv.h"

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Like eval_version_parse, where x, X and * may stand for parts: those are not counted. */
static bool parse(struct str s, bool wild, struct eval_version *out)
{
    *out = (struct eval_version){0};
    if (s.len && (s.ptr[0] == 'v' || s.ptr[0] == 'V')) {
        s = str_sub(s, 1, s.len);
    }
    ptrdiff_t plus = str_find_byte(s, '+');
    s = plus < 0 ? s : str_sub(s, 0, (size_t)plus);
    ptrdiff_t hyphen = str_find_byte(s, '-');
    if (hyphen >= 0) {
        out->pre = str_sub(s, (size_t)hyphen + 1, s.len);
        s = str_sub(s, 0, (size_t)hyphen);
        if (!out->pre.len) {
            return false;
        }
    }
    struct str part;
    bool any = false;
    int n = 0;
    while (str_split(&s, '.', &part)) {
        bool star = wild && (str_eqz(part, "x") || str_eqz(part, "X") || str_eqz(part, "*"));
        if (n++ == 3 || (!star && (!part.len || !is_digit(part.ptr[0]) ||
                                   !str_to_int64(part, &out->part[n - 1])))) {
            return false;
        }
        any = any || star;
        out->parts += !any;
    }
    return n > 0;
}

bool eval_version_parse(struct str text, struct eval_version *out)
{
    return parse(text, false, out);
}

static int compare_pre(struct str a, struct str b)
{
    if (!a.len || !b.len) {
        return a.len ? -1 : b.len ? 1 : 0;
    }
    struct str x, y;
    for (;;) {
        bool more_a = str_split(&a, '.', &x), more_b = str_split(&b, '.', &y);
        if (!more_a || !more_b) {
            return (int)more_a - (int)more_b;
        }
        int64_t i, j;
        bool number_a = str_to_int64(x, &i), number_b = str_to_int64(y, &j);
        int order = number_a && number_b ? (i > j) - (i < j)
                    : number_a != number_b ? (number_a ? -1 : 1)
                                           : str_cmp(x, y);
        if (order) {
            return order;
        }
    }
}

static int compare(const struct eval_version *a, const struct eval_version *b)
{
    for (int i = 0; i < 3; i++) {
        if (a->part[i] != b->part[i]) {
            return a->part[i] < b->part[i] ? -1 : 1;
        }
    }
    return compare_pre(a->pre, b->pre);
}

int eval_version_compare(struct str a, struct str b)
{
    struct eval_version x, y;
    bool is_a = eval_version_parse(a, &x), is_b = eval_version_parse(b, &y);
    return is_a && is_b ? compare(&x, &y) : (int)is_a - (int)is_b;
}

/* v is below the first version that differs from c in part `at`. */
static bool below_next(const struct eval_version *v, const struct eval_version *c, int at)
{
    for (int i = 0; i <= at; i++) {
        if (v->part[i] != c->part[i]) {
            return false;
        }
    }
    return true;
}

/* The part that may not change: of ^ the first that is not 0. */
static int fixed_part(const struct eval_version *c, bool caret)
{
    int at = c->parts > 1 ? 1 : 0;
    for (int i = 0; caret && i < c->parts; i++) {
        if (c->part[i] || i + 1 == c->parts) {
            return i;
        }
    }
    return at;
}

static bool satisfies(const struct eval_version *v, struct str op, const struct eval_version *c)
{
    int order = compare(v, c);
    bool partial = c->parts < 3;
    bool same = c->parts == 0 || (partial ? below_next(v, c, c->parts - 1) : order == 0);
    if (v->pre.len && !c->pre.len) {
        return false; /* only those who mention a pre-release want one */
    }
    if (str_eqz(op, "!=")) {
        return !same;
    }
    if (str_eqz(op, ">")) {
        return order > 0 && !(partial && same);
    }
    if (str_eqz(op, ">=") || str_eqz(op, "=>")) {
        return order >= 0;
    }
    if (str_eqz(op, "<")) {
        return order < 0;
    }
    if (str_eqz(op, "<=") || str_eqz(op, "=<")) {
        return order <= 0 || (partial && same);
    }
    if (str_eqz(op, "~") || str_eqz(op, "~>") || str_eqz(op, "^")) {
        return c->parts == 0 ||
               (order >= 0 && below_next(v, c, fixed_part(c, str_eqz(op, "^"))));
    }
    return same; /* = or nothing */
}

static struct str skip_blanks(struct str s)
{
    while (s.len && (s.ptr[0] == ' ' || s.ptr[0] == ',')) {
        s = str_sub(s, 1, s.len);
    }
    return s;
}

/* Takes the bytes up to the first that is (not) an operator's. */
static struct str take(struct str *rest, bool operators)
{
    size_t n = 0;
    while (n < rest->len && !strchr(" ,", rest->ptr[n]) &&
           (strchr("=<>!~^", rest->ptr[n]) != NULL) == operators) {
        n++;
    }
    struct str out = str_sub(*rest, 0, n);
    *rest = str_sub(*rest, n, rest->len);
    return out;
}

/* 1, 0, or -1 when it is no constraint. v NULL: only whether it is one. */
static int check_all(struct str s, const struct eval_version *v)
{
    int ok = 1;
    bool any = false;
    for (s = skip_blanks(s); s.len; s = skip_blanks(s)) {
        struct eval_version c;
        struct str op = take(&s, true);
        s = skip_blanks(s);
        struct str text = take(&s, false);
        if (!parse(text, true, &c)) {
            return -1;
        }
        any = true;
        struct str after = skip_blanks(s);
        if (!op.len && str_has_prefix(after, STR("- "))) { /* from - to */
            s = skip_blanks(str_sub(after, 1, after.len));
            ok = ok && (!v || satisfies(v, STR(">="), &c));
            op = STR("<=");
            if (!parse(take(&s, false), true, &c)) {
                return -1;
            }
        }
        ok = ok && (!v || satisfies(v, op, &c));
    }
    return any ? ok : -1;
}

static int check_any(struct str s, const struct eval_version *v)
{
    int ok = 0;
    for (;;) {
        ptrdiff_t or = str_find(s, STR("||"));
        int one = check_all(or < 0 ? s : str_sub(s, 0, (size_t)or), v);
        if (one < 0) {
            return -1;
        }
        ok = ok || one;
        if (or < 0) {
            return ok;
        }
        s = str_sub(s, (size_t)or + 2, s.len);
    }
}

int eval_version_choose(struct str constraint, const struct str *versions, size_t n)
{
    if (check_any(constraint, NULL) < 0) {
        return -2;
    }
    int best = -1;
    for (size_t i = 0; i < n; i++) {
        struct eval_version v;
        if (eval_version_parse(versions[i], &v) && check_any(constraint, &v) > 0 &&
            (best < 0 || eval_version_compare(versions[i], versions[best]) > 0)) {
            best = (int)i;
        }
    }
    return best;
}
