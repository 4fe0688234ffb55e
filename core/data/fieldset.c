/* SPDX-License-Identifier: Apache-2.0
 *
 * See fieldset.h. Kids are kept ordered (f: before k: before v: before i:), so the set operations
 * are merges of two sorted arrays and the JSON comes out in the order other servers write.
 */
#include "data/fieldset.h"

#include "base/limits.h"

static int step_rank(struct str step)
{
    static const char order[] = "fkvi";
    const char *at = step.len > 0 ? memchr(order, step.ptr[0], sizeof(order) - 1) : NULL;
    return at ? (int)(at - order) : -1;
}

static int step_cmp(struct str x, struct str y)
{
    int rx = step_rank(x), ry = step_rank(y);
    if (rx != ry) {
        return rx < ry ? -1 : 1;
    }
    int64_t ix, iy;
    if (rx == 3 && str_to_int64(str_sub(x, 2, x.len), &ix) &&
        str_to_int64(str_sub(y, 2, y.len), &iy) && ix != iy) {
        return ix < iy ? -1 : 1;
    }
    return str_cmp(x, y);
}

struct fieldset *fieldset_new(struct arena *a)
{
    return arena_new(a, struct fieldset);
}

/* Index of step, or of the place where it belongs; *found says which. */
static size_t place_of(const struct fieldset *s, struct str step, bool *found)
{
    size_t from = 0, to = s->n;
    *found = false;
    if (s->n > 0 && step_cmp(s->kids[s->n - 1]->step, step) < 0) {
        return s->n; /* input is mostly in order */
    }
    while (from < to) {
        size_t mid = from + (to - from) / 2;
        int cmp = step_cmp(s->kids[mid]->step, step);
        if (cmp == 0) {
            *found = true;
            return mid;
        }
        if (cmp < 0) {
            from = mid + 1;
        } else {
            to = mid;
        }
    }
    return from;
}

struct fieldset *fieldset_find(const struct fieldset *s, struct str step)
{
    bool found = false;
    size_t at = s ? place_of(s, step, &found) : 0;
    return found ? s->kids[at] : NULL;
}

static void insert_kid(struct arena *a, struct fieldset *s, size_t at, struct fieldset *kid)
{
    if (s->n == s->cap) {
        size_t cap = s->cap ? s->cap * 2 : 4;
        struct fieldset **kids = arena_array(a, struct fieldset *, cap);
        if (!kids) {
            return; /* past the arena's limit: the caller sees arena.exhausted */
        }
        if (s->n > 0) {
            memcpy(kids, s->kids, s->n * sizeof(*kids));
        }
        s->kids = kids;
        s->cap = cap;
    }
    memmove(s->kids + at + 1, s->kids + at, (s->n - at) * sizeof(*s->kids));
    s->kids[at] = kid;
    s->n++;
}

static void push_kid(struct arena *a, struct fieldset *s, struct fieldset *kid)
{
    insert_kid(a, s, s->n, kid);
}

struct fieldset *fieldset_add(struct arena *a, struct fieldset *s, struct str step)
{
    bool found;
    size_t at = place_of(s, step, &found);
    if (found) {
        return s->kids[at];
    }
    struct fieldset *kid = fieldset_new(a);
    if (kid) {
        kid->step = step;
        insert_kid(a, s, at, kid);
    }
    return kid ? kid : s;
}

bool fieldset_empty(const struct fieldset *s)
{
    if (!s) {
        return true;
    }
    if (s->member) {
        return false;
    }
    for (size_t i = 0; i < s->n; i++) {
        if (!fieldset_empty(s->kids[i])) {
            return false;
        }
    }
    return true;
}

enum set_op { SET_UNION, SET_MINUS, SET_COMMON };

static struct fieldset *combine(struct arena *a, const struct fieldset *x, const struct fieldset *y,
                                enum set_op op)
{
    static const struct fieldset none = {0};
    x = x ? x : &none;
    y = y ? y : &none;
    struct fieldset *out = fieldset_new(a);
    if (!out) {
        return NULL;
    }
    out->step = x->step.len ? x->step : y->step;
    out->member = op == SET_UNION   ? x->member || y->member
                  : op == SET_MINUS ? x->member && !y->member
                                    : x->member && y->member;
    for (size_t i = 0, j = 0; i < x->n || j < y->n;) {
        int cmp = i == x->n   ? 1
                  : j == y->n ? -1
                              : step_cmp(x->kids[i]->step, y->kids[j]->step);
        const struct fieldset *xk = cmp <= 0 ? x->kids[i++] : NULL;
        const struct fieldset *yk = cmp >= 0 ? y->kids[j++] : NULL;
        struct fieldset *kid = combine(a, xk, yk, op);
        if (kid && !fieldset_empty(kid)) {
            push_kid(a, out, kid);
        }
    }
    return out;
}

bool fieldset_equal(const struct fieldset *x, const struct fieldset *y)
{
    if (fieldset_empty(x) || fieldset_empty(y)) {
        return fieldset_empty(x) && fieldset_empty(y);
    }
    if (x->member != y->member) {
        return false;
    }
    for (size_t i = 0, j = 0; i < x->n || j < y->n;) {
        int cmp = i == x->n   ? 1
                  : j == y->n ? -1
                              : step_cmp(x->kids[i]->step, y->kids[j]->step);
        const struct fieldset *xk = cmp <= 0 ? x->kids[i++] : NULL;
        const struct fieldset *yk = cmp >= 0 ? y->kids[j++] : NULL;
        if (!fieldset_equal(xk, yk)) {
            return false;
        }
    }
    return true;
}

struct fieldset *fieldset_union(struct arena *a, const struct fieldset *x,
                                const struct fieldset *y)
{
    return combine(a, x, y, SET_UNION);
}

struct fieldset *fieldset_minus(struct arena *a, const struct fieldset *x,
                                const struct fieldset *y)
{
    return combine(a, x, y, SET_MINUS);
}

struct fieldset *fieldset_common(struct arena *a, const struct fieldset *x,
                                 const struct fieldset *y)
{
    return combine(a, x, y, SET_COMMON);
}

/* --- steps --- */

struct str fieldset_step_field(struct arena *a, struct str name)
{
    char *p = arena_alloc(a, name.len + 3);
    if (!p) {
        return STR_NULL;
    }
    memcpy(p, "f:", 2);
    if (name.len > 0) {
        memcpy(p + 2, name.ptr, name.len);
    }
    return (struct str){p, name.len + 2};
}

struct str fieldset_step_key(struct arena *a, const struct node *item, const char *const *keys)
{
    AUTO_BUF b = BUF_INIT;
    buf_addz(&b, "k:{");
    const char *last = NULL;
    for (;;) { /* smallest key that is greater than the last one */
        const char *next = NULL;
        for (size_t i = 0; keys && keys[i]; i++) {
            if ((!last || strcmp(keys[i], last) > 0) && (!next || strcmp(keys[i], next) < 0)) {
                next = keys[i];
            }
        }
        if (!next) {
            break;
        }
        const struct node *value = node_getz(item, next);
        if (value) {
            buf_addz(&b, b.len > 3 ? "," : "");
            buf_add_json_string(&b, str_of(next));
            buf_addc(&b, ':');
            json_emit(&b, value);
        }
        last = next;
    }
    buf_addc(&b, '}');
    return arena_str(a, buf_str(&b));
}

struct str fieldset_step_value(struct arena *a, const struct node *item)
{
    AUTO_BUF b = BUF_INIT;
    buf_addz(&b, "v:");
    json_emit(&b, item);
    return arena_str(a, buf_str(&b));
}

/* --- FieldsV1 --- */

static struct node *emit(struct arena *a, const struct fieldset *s, bool root)
{
    struct node *out = node_map(a);
    if (!out || s->n == 0) {
        return out;
    }
    out->members = arena_array(a, struct node_member, s->n + 1);
    if (!out->members) {
        return NULL;
    }
    out->cap = s->n + 1;
    if (s->member && !root) {
        out->members[out->n++] = (struct node_member){STR("."), node_map(a)};
    }
    for (size_t i = 0; i < s->n; i++) { /* appended, not set: the steps are known to differ */
        out->members[out->n++] = (struct node_member){s->kids[i]->step, emit(a, s->kids[i], false)};
    }
    return out;
}

struct node *fieldset_emit(struct arena *a, const struct fieldset *s)
{
    return emit(a, s, true);
}

/* Canonical text of a k: or v: step, or the empty str when it is not JSON of the right shape. */
static struct str canonical(struct arena *a, struct str step)
{
    struct node *n = json_parse(a, str_sub(step, 2, step.len), NULL, NULL);
    if (!n || (step.ptr[0] == 'k' && n->type != NODE_MAP)) {
        return STR("");
    }
    if (step.ptr[0] == 'v') {
        return fieldset_step_value(a, n);
    }
    const char **keys = arena_array(a, const char *, n->n + 1);
    for (size_t i = 0; keys && i < n->n; i++) {
        keys[i] = arena_strz(a, n->members[i].key);
    }
    return fieldset_step_key(a, n, keys);
}

static struct str parse_step(struct arena *a, struct str step)
{
    int64_t index;
    if (step.len < 2 || step.ptr[1] != ':') {
        return STR("");
    }
    switch (step.ptr[0]) {
    case 'f':
        return arena_str(a, step);
    case 'k':
    case 'v':
        return canonical(a, step);
    case 'i':
        return str_to_int64(str_sub(step, 2, step.len), &index) ? arena_str(a, step) : STR("");
    default:
        return STR("");
    }
}

static int parse(struct arena *a, const struct node *fields, struct fieldset *into, size_t depth,
                 struct err *err)
{
    if (!node_is(fields, NODE_MAP) || depth > LIMIT_JSON_DEPTH) {
        return err_set(err, ERR_BAD_REQUEST, "fieldsV1 is not an object of objects");
    }
    for (size_t i = 0; i < fields->n; i++) {
        const struct node_member *m = &fields->members[i];
        if (str_eq(m->key, STR("."))) {
            into->member = true;
            continue;
        }
        struct str step = parse_step(a, m->key);
        if (step.len == 0) {
            return err_set(err, ERR_BAD_REQUEST, "fieldsV1 has an unknown path element '%.*s'",
                           STR_ARG(m->key));
        }
        struct fieldset *kid = fieldset_add(a, into, step);
        if (parse(a, m->value, kid, depth + 1, err) < 0) {
            return -1;
        }
        kid->member = kid->member || m->value->n == 0;
    }
    return 0;
}

struct fieldset *fieldset_parse(struct arena *a, const struct node *fields, struct err *err)
{
    struct fieldset *out = fieldset_new(a);
    if (!out || parse(a, fields, out, 0, err) < 0) {
        return NULL;
    }
    out->member = false; /* the whole object is nobody's field */
    return out;
}

/* --- reading --- */

/* `{"name":"p","port":80}` as `name="p",port=80`. */
static void add_key_text(struct buf *b, struct str json)
{
    AUTO_ARENA a = ARENA_INIT;
    struct node *key = json_parse(&a, json, NULL, NULL);
    for (size_t i = 0; node_is(key, NODE_MAP) && i < key->n; i++) {
        buf_addz(b, i ? "," : "");
        buf_add_str(b, key->members[i].key);
        buf_addc(b, '=');
        json_emit(b, key->members[i].value);
    }
}

void fieldset_add_step_text(struct buf *b, struct str step)
{
    struct str rest = str_sub(step, 2, step.len);
    switch (step_rank(step)) {
    case 0:
        buf_addc(b, '.');
        buf_add_str(b, rest);
        break;
    case 1:
        buf_addc(b, '[');
        add_key_text(b, rest);
        buf_addc(b, ']');
        break;
    case 2:
        buf_addz(b, "[=");
        buf_add_str(b, rest);
        buf_addc(b, ']');
        break;
    default:
        buf_addc(b, '[');
        buf_add_str(b, rest);
        buf_addc(b, ']');
    }
}

static void each(const struct fieldset *s, struct buf *path,
                 void (*fn)(void *ctx, struct str path), void *ctx)
{
    size_t len = path->len;
    for (int pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < s->n; i++) {
            fieldset_add_step_text(path, s->kids[i]->step);
            if (pass == 0 && s->kids[i]->member) {
                fn(ctx, buf_str(path));
            } else if (pass == 1) {
                each(s->kids[i], path, fn, ctx);
            }
            path->len = len;
            path->ptr[len] = '\0';
        }
    }
}

void fieldset_each(const struct fieldset *s, void (*fn)(void *ctx, struct str path), void *ctx)
{
    AUTO_BUF path = BUF_INIT;
    buf_reserve(&path, 1);
    each(s, &path, fn, ctx);
}
