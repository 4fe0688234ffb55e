/* SPDX-License-Identifier: Apache-2.0
 *
 * JSON text into nodes (node.h). Strict RFC 8259 over a contiguous buffer. Elements of open
 * containers wait on one scratch stack and move to the arena in one piece when their container
 * closes. Strings are scanned eight bytes at a time.
 */
#include "data/node.h"

#include "base/limits.h"
#include "base/mem.h"
#include "data/members.h"

/* Reports of duplicate members per document; past it they are only resolved. A path can be long,
 * so the number must not grow with the input. */
#define MAX_REPORTS 100

/* Where the parser is, for the paths of duplicate members. */
struct frame {
    const struct frame *up;
    struct str key;
    size_t index;
    bool in_list;
};

struct parser {
    struct arena *a;
    const char *begin, *p, *end;
    const struct json_options *o;
    struct err *err;
    struct node_member *stack;
    size_t n_stack, cap_stack;
    const struct frame *frame;
    unsigned depth, reports;
};

static struct node *parse_value(struct parser *ps);

static struct node *fail(struct parser *ps, const char *at, const char *problem)
{
    size_t line = 1;
    const char *line_start = ps->begin;
    for (const char *q; (q = memchr(line_start, '\n', (size_t)(at - line_start))) != NULL;) {
        line++;
        line_start = q + 1;
    }
    err_set(ps->err, ERR_BAD_REQUEST, "invalid JSON: line %zu, column %zu: %s", line,
            (size_t)(at - line_start) + 1, problem);
    return NULL;
}

static struct node *fail_memory(struct parser *ps)
{
    return fail(ps, ps->p, "document is too large");
}

static void skip_blank(struct parser *ps)
{
    while (ps->p < ps->end &&
           (*ps->p == ' ' || *ps->p == '\n' || *ps->p == '\r' || *ps->p == '\t')) {
        ps->p++;
    }
}

static void push(struct parser *ps, struct str key, struct node *value)
{
    if (ps->n_stack == ps->cap_stack) {
        ps->cap_stack = ps->cap_stack ? ps->cap_stack * 2 : 64;
        ps->stack = mem_resize(ps->stack, ps->cap_stack * sizeof(*ps->stack));
    }
    ps->stack[ps->n_stack++] = (struct node_member){key, value};
}

#define EACH(c) (0x0101010101010101ull * (c))

/* First byte from p on that ends plain string text: '"', '\\' or a control character. Sets
 * *non_ascii when a byte above 0x7f was passed. */
static const char *scan_plain(const char *p, const char *end, bool *non_ascii)
{
    uint64_t high = 0;
    for (; end - p >= 8; p += 8) {
        uint64_t w;
        memcpy(&w, p, 8);
        uint64_t quote = w ^ EACH(0x22), slash = w ^ EACH(0x5c);
        uint64_t stop = ((w - EACH(0x20)) & ~w) | ((quote - EACH(1)) & ~quote) |
                        ((slash - EACH(1)) & ~slash);
        if (stop & EACH(0x80)) {
            break;
        }
        high |= w;
    }
    while (p < end && *p != '"' && *p != '\\' && (unsigned char)*p >= 0x20) {
        high |= (uint64_t)(unsigned char)*p++;
    }
    *non_ascii = *non_ascii || (high & EACH(0x80));
    return p;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The four digits of \uXXXX at p, or -1. */
static int hex4(const char *p, const char *end)
{
    int v = 0;
    if (end - p < 4) {
        return -1;
    }
    for (int i = 0; i < 4; i++) {
        int d = hex_digit(p[i]);
        if (d < 0) {
            return -1;
        }
        v = v << 4 | d;
    }
    return v;
}

static char *put_utf8(char *out, uint32_t c)
{
    if (c < 0x80) {
        *out++ = (char)c;
    } else if (c < 0x800) {
        *out++ = (char)(0xc0 | c >> 6);
        *out++ = (char)(0x80 | (c & 0x3f));
    } else if (c < 0x10000) {
        *out++ = (char)(0xe0 | c >> 12);
        *out++ = (char)(0x80 | (c >> 6 & 0x3f));
        *out++ = (char)(0x80 | (c & 0x3f));
    } else {
        *out++ = (char)(0xf0 | c >> 18);
        *out++ = (char)(0x80 | (c >> 12 & 0x3f));
        *out++ = (char)(0x80 | (c >> 6 & 0x3f));
        *out++ = (char)(0x80 | (c & 0x3f));
    }
    return out;
}

/* Decodes \uXXXX at *p (behind the 'u'); a lone surrogate becomes U+FFFD as in Go. */
static char *put_unicode(const char **p, const char *end, char *out)
{
    int c = hex4(*p, end);
    if (c < 0) {
        return NULL;
    }
    *p += 4;
    if (c < 0xd800 || c > 0xdfff) {
        return put_utf8(out, (uint32_t)c);
    }
    if (c < 0xdc00 && end - *p >= 6 && (*p)[0] == '\\' && (*p)[1] == 'u') {
        int low = hex4(*p + 2, end);
        if (low >= 0xdc00 && low <= 0xdfff) {
            *p += 6;
            return put_utf8(out, 0x10000 + (((uint32_t)c - 0xd800) << 10) + (uint32_t)low - 0xdc00);
        }
    }
    return put_utf8(out, 0xfffd);
}

/* Decodes one escape at *p (behind the backslash); NULL when it is none. */
static char *put_escape(const char **p, const char *end, char *out)
{
    static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
    char c = *(*p)++;
    if (c == 'u') {
        return put_unicode(p, end, out);
    }
    const char *at = memchr(names, c, sizeof(names) - 1);
    if (!at) {
        return NULL;
    }
    *out++ = values[at - names];
    return out;
}

static bool fail_string(struct parser *ps, const char *at, const char *problem)
{
    (void)fail(ps, at, problem);
    return false;
}

/* Rest of a string whose first escape stands at `slash`; from is its first byte. */
static bool parse_escaped(struct parser *ps, const char *from, const char *slash, bool non_ascii,
                          struct str *out)
{
    const char *q = slash;
    while (q < ps->end && *q != '"') {
        if (*q == '\\') {
            q += 2;
        } else if ((unsigned char)*q < 0x20) {
            return fail_string(ps, q, "control character in string");
        } else {
            q = scan_plain(q, ps->end, &non_ascii);
        }
    }
    if (q >= ps->end) {
        return fail_string(ps, ps->end, "unexpected end of input in string");
    }
    if (non_ascii && !str_is_utf8((struct str){from, (size_t)(q - from)})) {
        return fail_string(ps, from, "invalid UTF-8 in string");
    }
    /* An escape never decodes to more bytes than it is long. */
    char *text = arena_alloc(ps->a, (size_t)(q - from) + 1);
    if (!text) {
        return fail_memory(ps);
    }
    char *w = text;
    for (const char *p = from; p < q;) {
        const char *next = memchr(p, '\\', (size_t)(q - p));
        next = next ? next : q;
        w = mempcpy(w, p, (size_t)(next - p));
        p = next;
        if (p < q) {
            p++;
            w = put_escape(&p, q, w);
            if (!w) {
                return fail_string(ps, next, "invalid escape in string");
            }
        }
    }
    ps->p = q + 1;
    *out = (struct str){text, (size_t)(w - text)};
    return true;
}

/* ps->p stands behind the opening quote. */
static bool parse_string(struct parser *ps, struct str *out)
{
    const char *from = ps->p;
    bool non_ascii = false;
    const char *q = scan_plain(from, ps->end, &non_ascii);
    if (q == ps->end) {
        return fail_string(ps, q, "unexpected end of input in string");
    }
    if (*q == '\\') {
        return parse_escaped(ps, from, q, non_ascii, out);
    }
    if (*q != '"') {
        return fail_string(ps, q, "control character in string");
    }
    *out = (struct str){from, (size_t)(q - from)};
    if (non_ascii && !str_is_utf8(*out)) {
        return fail_string(ps, from, "invalid UTF-8 in string");
    }
    ps->p = q + 1;
    return true;
}

static const char *skip_digits(const char *p, const char *end)
{
    while (p < end && *p >= '0' && *p <= '9') {
        p++;
    }
    return p;
}

/* The end of the number at p, or NULL; *integral tells whether it has neither fraction nor
 * exponent. */
static const char *scan_number(const char *p, const char *end, bool *integral)
{
    *integral = true;
    if (p < end && *p == '-') {
        p++;
    }
    const char *q = skip_digits(p, end);
    if (q == p || (*p == '0' && q - p > 1)) {
        return NULL;
    }
    p = q;
    if (p < end && *p == '.') {
        *integral = false;
        q = skip_digits(p + 1, end);
        if (q == p + 1) {
            return NULL;
        }
        p = q;
    }
    if (p < end && (*p == 'e' || *p == 'E')) {
        *integral = false;
        p++;
        if (p < end && (*p == '+' || *p == '-')) {
            p++;
        }
        q = skip_digits(p, end);
        if (q == p) {
            return NULL;
        }
        p = q;
    }
    return p;
}

static struct node *parse_number(struct parser *ps)
{
    bool integral;
    const char *q = scan_number(ps->p, ps->end, &integral);
    if (!q) {
        bool number = *ps->p == '-' || (*ps->p >= '0' && *ps->p <= '9');
        return fail(ps, ps->p, number ? "invalid number" : "unexpected character");
    }
    struct node *n = arena_new(ps->a, struct node);
    if (!n) {
        return fail_memory(ps);
    }
    n->text = (struct str){ps->p, (size_t)(q - ps->p)};
    n->type = integral && str_to_int64(n->text, &n->integer) ? NODE_INT : NODE_FLOAT;
    ps->p = q;
    return n;
}

static struct node *parse_word(struct parser *ps, struct str word, enum node_type type, bool v)
{
    if ((size_t)(ps->end - ps->p) < word.len || memcmp(ps->p, word.ptr, word.len) != 0) {
        return fail(ps, ps->p, "unexpected character");
    }
    struct node *n = type == NODE_NULL ? node_null(ps->a) : node_bool(ps->a, v);
    if (!n) {
        return fail_memory(ps);
    }
    ps->p += word.len;
    return n;
}

static void add_path(struct buf *b, const struct frame *f)
{
    if (f->up) {
        add_path(b, f->up);
    }
    if (f->in_list) {
        buf_printf(b, "[%zu]", f->index);
    } else {
        if (b->len) {
            buf_addc(b, '.');
        }
        buf_add_str(b, f->key);
    }
}

static void report(struct parser *ps, const struct frame *f)
{
    if (ps->o && ps->o->duplicate && ps->reports < MAX_REPORTS) {
        ps->reports++;
        AUTO_BUF path = BUF_INIT;
        add_path(&path, f);
        ps->o->duplicate(ps->o->ctx, buf_str(&path));
    }
}

/* Moves what stands on the stack from base on into the container. */
static struct node *close_container(struct parser *ps, struct node *n, size_t base)
{
    n->n = n->cap = ps->n_stack - base;
    ps->n_stack = base;
    ps->depth--;
    if (n->n == 0) {
        return n;
    }
    const struct node_member *from = ps->stack + base;
    if (n->type == NODE_MAP) {
        n->members = arena_array(ps->a, struct node_member, n->n);
        if (!n->members) {
            return fail_memory(ps);
        }
        memcpy(n->members, from, n->n * sizeof(*from));
        return n;
    }
    n->items = arena_array(ps->a, struct node *, n->n);
    if (!n->items) {
        return fail_memory(ps);
    }
    for (size_t i = 0; i < n->n; i++) {
        n->items[i] = from[i].value;
    }
    return n;
}

/* Consumes the opening bracket. */
static struct node *open_container(struct parser *ps, enum node_type type)
{
    if (ps->depth >= LIMIT_JSON_DEPTH) {
        return fail(ps, ps->p, "nesting is too deep");
    }
    struct node *n = type == NODE_MAP ? node_map(ps->a) : node_list(ps->a);
    if (!n) {
        return fail_memory(ps);
    }
    ps->depth++;
    ps->p++;
    skip_blank(ps);
    return n;
}

/* Behind an element: true when another follows; *closed when the bracket was consumed. */
static bool next_element(struct parser *ps, char bracket, bool *closed)
{
    skip_blank(ps);
    *closed = ps->p < ps->end && *ps->p == bracket;
    if (*closed) {
        ps->p++;
        return false;
    }
    if (ps->p == ps->end || *ps->p != ',') {
        (void)fail(ps, ps->p,
                   ps->p == ps->end ? "unexpected end of input" : "expected ',' or a bracket");
        return false;
    }
    ps->p++;
    skip_blank(ps);
    return true;
}

static struct node *parse_list(struct parser *ps)
{
    struct node *n = open_container(ps, NODE_LIST);
    if (!n) {
        return NULL;
    }
    struct frame f = {.up = ps->frame, .in_list = true};
    size_t base = ps->n_stack;
    bool closed = ps->p < ps->end && *ps->p == ']';
    if (closed) {
        ps->p++;
        return close_container(ps, n, base);
    }
    ps->frame = &f;
    do {
        struct node *v = parse_value(ps);
        if (!v) {
            return NULL;
        }
        push(ps, STR_NULL, v);
        f.index++;
    } while (next_element(ps, ']', &closed));
    ps->frame = f.up;
    return closed ? close_container(ps, n, base) : NULL;
}

static bool parse_key(struct parser *ps, struct str *key)
{
    if (ps->p == ps->end || *ps->p != '"') {
        return fail_string(ps, ps->p,
                           ps->p == ps->end ? "unexpected end of input" : "expected a string key");
    }
    ps->p++;
    if (!parse_string(ps, key)) {
        return false;
    }
    skip_blank(ps);
    if (ps->p == ps->end || *ps->p != ':') {
        return fail_string(ps, ps->p, "expected ':'");
    }
    ps->p++;
    return true;
}

static struct node *parse_map(struct parser *ps)
{
    struct node *n = open_container(ps, NODE_MAP);
    if (!n) {
        return NULL;
    }
    AUTO_MEMBERS ix = {0};
    struct frame f = {.up = ps->frame};
    size_t base = ps->n_stack;
    bool closed = ps->p < ps->end && *ps->p == '}';
    if (closed) {
        ps->p++;
        return close_container(ps, n, base);
    }
    ps->frame = &f;
    do {
        if (!parse_key(ps, &f.key)) {
            return NULL;
        }
        const struct node_member *members = ps->stack ? ps->stack + base : NULL;
        size_t same = members_find(&ix, members, ps->n_stack - base, f.key);
        if (same != MEMBERS_NONE) {
            report(ps, &f);
        }
        struct node *v = parse_value(ps);
        if (!v) {
            return NULL;
        }
        if (same != MEMBERS_NONE) {
            ps->stack[base + same].value = v;
        } else {
            push(ps, f.key, v);
        }
    } while (next_element(ps, '}', &closed));
    ps->frame = f.up;
    return closed ? close_container(ps, n, base) : NULL;
}

static struct node *parse_value(struct parser *ps)
{
    skip_blank(ps);
    if (ps->p == ps->end) {
        return fail(ps, ps->p, "unexpected end of input");
    }
    struct str s;
    switch (*ps->p) {
    case '{':
        return parse_map(ps);
    case '[':
        return parse_list(ps);
    case '"':
        ps->p++;
        if (!parse_string(ps, &s)) {
            return NULL;
        }
        struct node *n = node_str(ps->a, s);
        return n ? n : fail_memory(ps);
    case 't':
        return parse_word(ps, STR("true"), NODE_BOOL, true);
    case 'f':
        return parse_word(ps, STR("false"), NODE_BOOL, false);
    case 'n':
        return parse_word(ps, STR("null"), NODE_NULL, false);
    default:
        return parse_number(ps);
    }
}

struct node *json_parse(struct arena *a, struct str text, const struct json_options *o,
                        struct err *err)
{
    const char *begin = text.ptr ? text.ptr : "";
    struct parser ps = {
        .a = a, .begin = begin, .p = begin, .end = begin + text.len, .o = o, .err = err};
    struct node *n = parse_value(&ps);
    if (n) {
        skip_blank(&ps);
        if (ps.p < ps.end) {
            n = fail(&ps, ps.p, "unexpected text behind the value");
        }
    }
    mem_free(ps.stack);
    return n;
}
