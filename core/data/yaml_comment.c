/* SPDX-License-Identifier: Apache-2.0
 *
 * See yaml_comment.h. The rules are those of the peer's scanner, quirks included, because comments
 * must come out where it puts them; one difference is meant: CR LF counts as one line break. The
 * work is linear: each gap is read once, and the block ends of a gap share one walk over its
 * comments.
 */
#include "data/yaml_comment.h"

#include "base/mem.h"

/* Bytes that the peer looks ahead for the next comment. */
#define REACH 512

void yaml_comments_init(struct yaml_comments *c, struct arena *a, struct str text)
{
    *c = (struct yaml_comments){.a = a, .text = text};
}

void yaml_comments_done(struct yaml_comments *c)
{
    for (size_t i = 0; i < COMMENT_MAX; i++) {
        buf_done(&c->pending[i].many);
    }
    buf_done(&c->run.many);
    mem_free(c->list);
    mem_free(c->columns);
    mem_free(c->starts);
}

/* --- gathering text --- */

static void gather_add(struct yaml_gather *g, struct str s)
{
    if (!yaml_gather_any(g)) {
        g->one = s;
        return;
    }
    if (!g->joined) {
        buf_clear(&g->many);
        buf_add_str(&g->many, g->one);
        g->joined = true;
    }
    buf_add_str(&g->many, s);
}

struct str yaml_gather_take(struct yaml_gather *g, struct arena *a)
{
    struct str s = g->joined ? arena_str(a, buf_str(&g->many)) : g->one;
    g->joined = false;
    g->one = STR_NULL;
    return s;
}

void yaml_gather_drop(struct yaml_gather *g, size_t n)
{
    if (g->joined) {
        buf_consume(&g->many, n);
        g->joined = g->many.len > 0;
        g->one = STR_NULL;
    } else {
        g->one = str_sub(g->one, n, g->one.len);
    }
}

/* --- bytes --- */

static unsigned char byte_at(const struct yaml_comments *c, size_t at)
{
    return at < c->text.len ? (unsigned char)c->text.ptr[at] : 0;
}

static bool is_blank(unsigned char b)
{
    return b == ' ' || b == '\t';
}

static size_t line_end(const struct yaml_comments *c, size_t at)
{
    while (at < c->text.len && !yaml_newline_at(c->text, at)) {
        at++;
    }
    return at;
}

static uint32_t count_chars(struct str s)
{
    uint32_t n = 0;
    for (size_t i = 0; i < s.len; i++) {
        n += ((unsigned char)s.ptr[i] & 0xc0) != 0x80;
    }
    return n;
}

/* --- the list --- */

static void add(struct yaml_comments *c, struct yaml_comment entry)
{
    if (c->n == c->cap) {
        c->cap = c->cap ? c->cap * 2 : 16;
        c->list = mem_resize(c->list, c->cap * sizeof(*c->list));
    }
    c->list[c->n++] = entry;
}

void yaml_comments_look(struct yaml_comments *c, const struct yaml_token *t)
{
    while (c->head < c->n && c->list[c->head].attach <= t->at) {
        struct yaml_comment *e = &c->list[c->head];
        if (e->kind == COMMENT_HEAD && t->type == TOKEN_BLOCK_END) {
            return; /* it belongs to what follows the collection */
        }
        struct yaml_gather *g = &c->pending[e->kind];
        if (yaml_gather_any(g)) {
            gather_add(g, STR("\n"));
        }
        gather_add(g, e->text);
        c->head++;
    }
}

/* --- one run of comments --- */

struct run {
    struct yaml_comments *c;
    int64_t attach, scan;
    int64_t start;         /* of the text gathered so far */
    int64_t start_line;
    uint32_t start_column; /* from 1 */
    uint32_t need;         /* column of the innermost block collection */
    int64_t foot_line;     /* a comment that starts here touches the token above */
    bool after_value, first_empty, recent_empty;
};

static bool dedented(const struct run *r)
{
    return r->start_column - 1 < r->need;
}

/* The text gathered so far is a foot; what follows starts anew at `end`. */
static void end_foot(struct run *r, size_t end)
{
    struct yaml_comments *c = r->c;
    add(c, (struct yaml_comment){COMMENT_FOOT, r->start_column, r->attach, r->start, r->scan,
                                 (int64_t)end, yaml_gather_take(&c->run, c->a)});
    r->attach = r->scan = (int64_t)end;
}

/* At a line break, the end of the text or a closing bracket. */
static void stop_mark(struct run *r, size_t at, bool closing)
{
    bool any = yaml_gather_any(&r->c->run);
    if ((!closing && r->recent_empty) || !any) {
        return;
    }
    bool touches = r->start_line == r->foot_line && !r->after_value;
    if (closing || (r->first_empty && (touches || dedented(r)))) {
        r->attach = dedented(r) ? r->start : r->attach;
        end_foot(r, at);
    } else if (at < r->c->text.len) {
        gather_add(&r->c->run, STR("\n"));
    }
}

static struct run start_run(struct yaml_comments *c)
{
    bool behind_comma = c->last.type == TOKEN_COMMA;
    struct run r = {.c = c, .scan = c->gap_from, .first_empty = c->breaks <= 1, .foot_line = -1};
    r.attach = behind_comma ? c->before_last : c->last.at;
    r.after_value = c->last.type == TOKEN_VALUE;
    r.need = c->depth ? c->columns[c->depth - 1] : 0;
    return r;
}

/* Reads the run that starts with the # at c->at. from_top: its gap began on line 0. */
static void read_run(struct yaml_comments *c, bool from_top)
{
    struct run r = start_run(c);
    size_t at = c->at, reach = at + REACH;
    int64_t line = c->line; /* as the peer counts: not past the end of a comment */
    uint32_t column = c->column, real_line = c->line;
    if (!from_top) {
        r.foot_line = line - (int64_t)c->breaks + 1 + (c->breaks == 0 && c->column > 1);
    }
    while (at < reach) {
        unsigned char b = byte_at(c, at);
        size_t brk = yaml_newline_at(c->text, at);
        bool closing = c->flow && (b == ']' || b == '}');
        column++;
        if (is_blank(b)) {
            at++;
            continue;
        }
        if (closing || brk || at >= c->text.len) {
            stop_mark(&r, at, closing);
            if (!brk) {
                break;
            }
            r.first_empty = false;
            r.recent_empty = true;
            column = 0;
            line++;
            real_line++;
            at += brk;
            continue;
        }
        bool any = yaml_gather_any(&c->run);
        if (any && column - 1 < r.need && column != r.start_column) {
            end_foot(&r, at); /* at another indentation: a tail of what precedes */
            any = false;
        }
        if (b != '#') {
            break;
        }
        if (any) {
            gather_add(&c->run, STR("\n"));
        } else {
            r.start = (int64_t)at;
            r.start_line = line;
            r.start_column = column;
        }
        size_t end = line_end(c, at);
        gather_add(&c->run, str_sub(c->text, at, end));
        r.recent_empty = false;
        c->at = end;
        c->line = real_line;
        c->column = column - 1 + count_chars(str_sub(c->text, at, end));
        line = real_line;
        column = 0;
        brk = yaml_newline_at(c->text, end);
        real_line += brk > 0;
        at = end + brk;
        reach = end + REACH;
    }
    if (yaml_gather_any(&c->run)) {
        add(c, (struct yaml_comment){COMMENT_HEAD, r.start_column, r.start, r.start, r.scan,
                                     (int64_t)at - 1, yaml_gather_take(&c->run, c->a)});
    }
    c->breaks = 0;
}

/* Everything up to the token at `to`. */
static void read_gap(struct yaml_comments *c, size_t to)
{
    bool from_top = c->line == 0;
    if (c->head == c->n) {
        c->head = c->n = 0;
    }
    c->gap = c->n;
    c->gap_from = (int64_t)c->at;
    while (c->at < to) {
        size_t brk = yaml_newline_at(c->text, c->at);
        if (brk) {
            c->at += brk;
            c->breaks++;
            c->line++;
            c->column = 0;
        } else if (byte_at(c, c->at) == '#') {
            read_run(c, from_top);
        } else {
            c->column += (byte_at(c, c->at) & 0xc0) != 0x80;
            c->at++;
        }
    }
}

/* --- behind a token --- */

static void add_line(struct yaml_comments *c, int64_t attach, size_t at, size_t end)
{
    add(c, (struct yaml_comment){.kind = COMMENT_LINE,
                                 .attach = attach,
                                 .start = (int64_t)at,
                                 .text = str_sub(c->text, at, end)});
}

/* The comment behind | or > stands inside the token. */
static void read_block_header(struct yaml_comments *c, const struct yaml_token *t)
{
    size_t at = t->from + 1;
    while (byte_at(c, at) && strchr("0123456789+-", byte_at(c, at))) {
        at++;
    }
    while (is_blank(byte_at(c, at))) {
        at++;
    }
    if (byte_at(c, at) == '#') {
        add_line(c, t->at, at, line_end(c, at));
    }
    const char *p = c->text.ptr;
    for (at = t->to; at > t->from && (is_blank(byte_at(c, at - 1)) || p[at - 1] == '\n' ||
                                      p[at - 1] == '\r');
         at--) {
        c->breaks += p[at - 1] == '\n' || (p[at - 1] == '\r' && byte_at(c, at) != '\n');
    }
}

/* The peer's scanner eats blanks and line breaks behind a plain scalar. */
static void skip_behind_plain(struct yaml_comments *c)
{
    for (;;) {
        size_t brk = yaml_newline_at(c->text, c->at);
        if (brk) {
            c->breaks++;
            c->line++;
            c->column = 0;
        } else if (is_blank(byte_at(c, c->at))) {
            c->column++;
            brk = 1;
        } else {
            return;
        }
        c->at += brk;
    }
}

static void read_line_comment(struct yaml_comments *c, const struct yaml_token *t,
                              int64_t before)
{
    size_t at = c->at, most = at + REACH;
    while (at < most && is_blank(byte_at(c, at))) {
        at++;
    }
    if (at == most || byte_at(c, at) != '#') {
        return;
    }
    size_t end = line_end(c, at);
    unsigned char first = byte_at(c, t->from);
    bool behind = first == (c->flow ? ',' : ':');
    add_line(c, behind ? before : t->at, at, end);
    c->column += count_chars(str_sub(c->text, c->at, end));
    c->at = end;
}

/* The scanner stands behind t; `before` is the place of the token before it. */
static void read_behind(struct yaml_comments *c, const struct yaml_token *t, int64_t before)
{
    c->at = t->to;
    c->line = t->end_line;
    c->column = t->end_column;
    c->breaks = 0;
    switch (t->type) {
    case TOKEN_VERSION:
    case TOKEN_TAG_PREFIX:
        c->at = line_end(c, c->at); /* a comment there is none for the peer */
        skip_behind_plain(c);
        return;
    case TOKEN_STREAM_START:
    case TOKEN_DOCUMENT_START:
    case TOKEN_DOCUMENT_END:
    case TOKEN_DASH:
        return;
    case TOKEN_SCALAR:
        if (t->style == STYLE_PLAIN) {
            skip_behind_plain(c);
        } else if (t->style == STYLE_LITERAL || t->style == STYLE_FOLDED) {
            read_block_header(c, t);
        }
        break;
    default:
        break;
    }
    if (c->breaks == 0) {
        read_line_comment(c, t, before);
    }
}

/* --- ends of block collections --- */

static void push_level(struct yaml_comments *c, uint32_t column)
{
    if (c->depth == c->cap_depth) {
        c->cap_depth = c->cap_depth ? c->cap_depth * 2 : 32;
        c->columns = mem_resize(c->columns, c->cap_depth * sizeof(*c->columns));
        c->starts = mem_resize(c->starts, c->cap_depth * sizeof(*c->starts));
    }
    c->columns[c->depth] = column;
    c->starts[c->depth++] = -1;
}

/* Remembers a comment at the level, `low` or deeper, whose column it has; columns ascend. */
static void match_level(struct yaml_comments *c, const struct yaml_comment *e, size_t low)
{
    size_t high = c->depth;
    while (low < high) {
        size_t mid = (low + high) / 2;
        if (c->columns[mid] + 1 < e->column) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    if (low < c->depth && c->columns[low] + 1 == e->column) {
        c->starts[low] = e->start;
    }
}

/* Moves the block ends before `real` back to the comments that belong inside their collections. */
static void place_ends(struct yaml_comments *c, struct yaml_token *group, size_t n,
                       const struct yaml_token *real)
{
    bool outermost = real->type == TOKEN_STREAM_END || real->type == TOKEN_DOCUMENT_START ||
                     real->type == TOKEN_DOCUMENT_END || real->type == TOKEN_VERSION ||
                     real->type == TOKEN_TAG_PREFIX;
    size_t ends = 0;
    while (ends < n && ends < c->depth && group[ends].type == TOKEN_BLOCK_END) {
        ends++;
    }
    int64_t last_end = c->n > c->gap ? c->list[c->n - 1].end : -2;
    for (size_t i = c->n; ends && i > c->gap; i--) {
        match_level(c, &c->list[i - 1], c->depth - ends);
        if (i - 1 > c->gap && c->list[i - 2].end < c->list[i - 1].scan) {
            break;
        }
    }
    int64_t at = c->gap_from - 1;
    bool anew = false;
    for (size_t i = 0; i < ends; i++) {
        size_t level = --c->depth;
        if (outermost && !anew && c->columns[level] <= c->column) {
            at = (int64_t)real->from - 1;
            anew = true;
        }
        if (last_end >= at && c->starts[level] >= 0) {
            at = c->starts[level];
        }
        group[i].at = at;
    }
}

void yaml_comments_add(struct yaml_comments *c, struct yaml_token *group, size_t n)
{
    struct yaml_token *real = &group[n - 1];
    if (real->type != TOKEN_STREAM_START) {
        read_gap(c, real->from);
        place_ends(c, group, n - 1, real);
    }
    int64_t before = c->last.at;
    for (size_t i = 0; i + 1 < n; i++) {
        if (group[i].type == TOKEN_BLOCK_END) {
            before = group[i].at;
        } else if (group[i].type != TOKEN_KEY) {
            push_level(c, group[i].column);
        }
    }
    if (real->type != TOKEN_STREAM_END) {
        read_behind(c, real, before);
    }
    c->flow += real->type == TOKEN_FLOW_LIST || real->type == TOKEN_FLOW_MAP;
    c->flow -= c->flow && (real->type == TOKEN_FLOW_LIST_END || real->type == TOKEN_FLOW_MAP_END);
    c->before_last = before;
    c->last = *real;
}
