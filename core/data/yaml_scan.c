/* SPDX-License-Identifier: Apache-2.0
 *
 * Scalars of the five kinds (yaml_scan.h). One whose value stands in the text as it is borrows from
 * there; others gather in a buffer that serves all of them and move into the arena.
 */
#include "data/yaml_scan.h"

#include <string.h>

/* --- what plain and quoted scalars have in common --- */

/* The value as far as it is read: text from `from` on, or s->value once it differs from that. */
struct value {
    size_t from;
    bool copied;
};

/* The value leaves the text: what was read up to `to` moves to the buffer. */
static void copy(struct yaml_scanner *s, struct value *v, size_t to)
{
    if (!v->copied) {
        buf_clear(&s->value);
        buf_add_str(&s->value, str_sub(s->text, v->from, to));
        v->copied = true;
    }
}

static struct str value_of(struct yaml_scanner *s, const struct value *v, size_t to)
{
    return v->copied ? arena_str(s->a, buf_str(&s->value)) : str_sub(s->text, v->from, to);
}

/* Blanks and line breaks between two pieces. */
struct gap {
    size_t from;
    struct str blanks; /* before the first break */
    struct str first;  /* the first break: "\n", LS or PS; empty when it was escaped */
    bool broke;        /* further breaks are in s->more */
};

/* A line break as scalars have it: LF, but LS and PS stay. */
static struct str take_break(struct yaml_scanner *s)
{
    size_t n = yaml_newline(s);
    struct str b = n == 3 ? str_sub(s->text, s->mark.at, s->mark.at + 3) : STR("\n");
    yaml_move_line(s, n);
    return n ? b : STR_NULL;
}

/* Continues a gap. A tab before column `indent` of a line is an error. */
static int scan_gap(struct yaml_scanner *s, struct gap *g, long indent, struct yaml_mark start)
{
    for (;;) {
        unsigned char c = yaml_byte(s, 0);
        if (yaml_blank(c)) {
            if (g->broke && c == '\t' && (long)s->mark.column < indent) {
                return yaml_scan_fail(s, &start, "found a tab character that violates indentation");
            }
            g->blanks.len += !g->broke;
            yaml_move(s, 1);
        } else if (yaml_newline(s)) {
            struct str b = take_break(s);
            if (g->broke) {
                buf_add_str(&s->more, b);
            } else {
                g->first = b;
                g->broke = true;
                buf_clear(&s->more);
            }
        } else {
            return 0;
        }
    }
}

static void open_gap(struct yaml_scanner *s, struct gap *g)
{
    *g = (struct gap){.from = s->mark.at, .blanks = {s->text.ptr + s->mark.at, 0}};
}

/* The gap turned out to lie inside the value. */
static void join_gap(struct yaml_scanner *s, struct value *v, const struct gap *g)
{
    if (!g->broke) {
        if (v->copied) {
            buf_add_str(&s->value, g->blanks);
        }
        return;
    }
    copy(s, v, g->from);
    if (!str_eqz(g->first, "\n")) {
        buf_add_str(&s->value, g->first);
    } else if (s->more.len == 0) {
        buf_addc(&s->value, ' ');
    }
    buf_add_str(&s->value, buf_str(&s->more));
}

/* Takes n bytes of the line into the value. */
static void take(struct yaml_scanner *s, struct value *v, size_t n)
{
    if (v->copied) {
        buf_add(&s->value, s->text.ptr + s->mark.at, n);
    }
    yaml_move(s, n);
}

/* --- plain scalars --- */

/* Bytes up to where a plain scalar pauses or ends. */
static size_t plain_run(const struct yaml_scanner *s)
{
    const char *p = s->text.ptr;
    size_t at = s->mark.at;
    for (; at < s->text.len; at++) {
        unsigned char c = (unsigned char)p[at];
        if (c > '}' ? c < 0xc2 : c > '?' && c < '[') {
            continue; /* letters, and the inside of characters */
        }
        if (c == ':') {
            if (yaml_blankz(s, at + 1 - s->mark.at)) {
                break;
            }
        } else if (yaml_blank(c) || yaml_newline_at(s->text, at)) {
            break;
        } else if (s->flow && strchr(",?[]{}", c)) {
            break;
        }
    }
    return at - s->mark.at;
}

int yaml_scan_plain(struct yaml_scanner *s, struct yaml_token *out)
{
    struct yaml_mark start = s->mark, end = s->mark;
    struct value v = {.from = start.at};
    struct gap g;
    open_gap(s, &g);
    for (;;) {
        if (yaml_byte(s, 0) == '#' || yaml_at_marker(s)) {
            break;
        }
        size_t n = plain_run(s);
        if (n) {
            join_gap(s, &v, &g);
            take(s, &v, n);
            end = s->mark;
            open_gap(s, &g);
        }
        if (!yaml_blank(yaml_byte(s, 0)) && !yaml_newline(s)) {
            break;
        }
        if (scan_gap(s, &g, s->indent + 1, start)) {
            return -1;
        }
        if (s->flow == 0 && (long)s->mark.column < s->indent + 1) {
            break;
        }
    }
    *out = yaml_token_from(s, TOKEN_SCALAR, start);
    out->to = (uint32_t)end.at;
    out->end_line = (uint32_t)end.line;
    out->end_column = (uint32_t)end.column;
    out->text = value_of(s, &v, end.at);
    s->breaks = g.broke;
    s->key_allowed = s->key_allowed || g.broke;
    return 0;
}

/* --- quoted scalars --- */

/* \xHH, \uHHHH, \UHHHHHHHH: n digits. */
static int scan_code(struct yaml_scanner *s, size_t n, struct yaml_mark start)
{
    uint32_t c = 0;
    yaml_move(s, 2);
    for (size_t i = 0; i < n; i++) {
        int digit = yaml_hex_digit(yaml_byte(s, i));
        if (digit < 0) {
            return yaml_scan_fail(s, &start, "did not find expected hexdecimal number");
        }
        c = c << 4 | (uint32_t)digit;
    }
    if ((c >= 0xd800 && c <= 0xdfff) || c > 0x10ffff) {
        return yaml_scan_fail(s, &start, "found invalid Unicode character escape code");
    }
    yaml_add_utf8(&s->value, c);
    yaml_move(s, n);
    return 0;
}

static int scan_escape(struct yaml_scanner *s, struct yaml_mark start)
{
    static const struct {
        char letter;
        uint16_t character;
    } names[] = {{'0', 0},    {'a', 7},    {'b', 8},     {'t', 9},      {'\t', 9},
                 {'n', 10},   {'v', 11},   {'f', 12},    {'r', 13},     {'e', 27},
                 {' ', ' '},  {'"', '"'},  {'\'', '\''}, {'\\', '\\'}, {'N', 0x85},
                 {'_', 0xa0}, {'L', 0x2028}, {'P', 0x2029}};
    char c = (char)yaml_byte(s, 1);
    size_t digits = c == 'x' ? 2 : c == 'u' ? 4 : c == 'U' ? 8 : 0;
    if (digits) {
        return scan_code(s, digits, start);
    }
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        if (names[i].letter == c) {
            yaml_add_utf8(&s->value, names[i].character);
            yaml_move(s, 2);
            return 0;
        }
    }
    if (c == '/' && s->slash) {
        buf_addc(&s->value, c);
        yaml_move(s, 2);
        return 0;
    }
    return yaml_scan_fail(s, &start, "found unknown escape character");
}

/* Bytes up to the next one that means something in the quotes. */
static size_t quoted_run(const struct yaml_scanner *s, unsigned char quote)
{
    size_t at = s->mark.at;
    for (; at < s->text.len; at++) {
        unsigned char c = (unsigned char)s->text.ptr[at];
        if (c == quote || (c == '\\' && quote == '"') || yaml_blank(c) ||
            ((c < ' ' || c >= 0xc2) && yaml_newline_at(s->text, at))) {
            break;
        }
    }
    return at - s->mark.at;
}

/* A piece without blanks. 1: it ended with an escaped line break, which opened the gap. */
static int scan_quoted_piece(struct yaml_scanner *s, struct value *v, unsigned char quote,
                             struct gap *g, struct yaml_mark start)
{
    while (!yaml_blankz(s, 0)) {
        unsigned char c = yaml_byte(s, 0);
        if (c == '\'' && quote == c && yaml_byte(s, 1) == c) {
            copy(s, v, s->mark.at);
            buf_addc(&s->value, '\'');
            yaml_move(s, 2);
        } else if (c == quote) {
            return 0;
        } else if (c == '\\' && quote == '"') {
            copy(s, v, s->mark.at);
            if (yaml_newline_at(s->text, s->mark.at + 1)) {
                open_gap(s, g);
                yaml_move(s, 1);
                (void)take_break(s);
                g->broke = true;
                buf_clear(&s->more);
                return 1;
            }
            if (scan_escape(s, start)) {
                return -1;
            }
        } else {
            take(s, v, quoted_run(s, quote));
        }
    }
    return 0;
}

int yaml_scan_quoted(struct yaml_scanner *s, struct yaml_token *out)
{
    struct yaml_mark start = s->mark;
    unsigned char quote = yaml_byte(s, 0);
    yaml_move(s, 1);
    struct value v = {.from = s->mark.at};
    for (;;) {
        struct gap g;
        if (yaml_at_marker(s)) {
            return yaml_scan_fail(s, &start, "found unexpected document indicator");
        }
        if (yaml_at_end(s)) {
            return yaml_scan_fail(s, &start, "found unexpected end of stream");
        }
        int escaped = scan_quoted_piece(s, &v, quote, &g, start);
        if (escaped < 0) {
            return -1;
        }
        if (yaml_byte(s, 0) == quote) {
            break;
        }
        if (!escaped) {
            open_gap(s, &g);
        }
        if (scan_gap(s, &g, -1, start)) {
            return -1;
        }
        join_gap(s, &v, &g);
    }
    struct str value = value_of(s, &v, s->mark.at);
    yaml_move(s, 1);
    *out = yaml_token_from(s, TOKEN_SCALAR, start);
    out->style = quote == '"' ? STYLE_DOUBLE : STYLE_SINGLE;
    out->text = value;
    return 0;
}

/* --- block scalars --- */

struct block {
    struct yaml_mark start, end; /* end: of the last line that belongs to it */
    long indent;                 /* 0: not known yet */
    int chomping;                /* -1 strip, 0 clip, 1 keep */
};

static int scan_header(struct yaml_scanner *s, struct block *b)
{
    long increment = 0;
    for (int i = 0; i < 2; i++) {
        unsigned char c = yaml_byte(s, 0);
        if ((c == '+' || c == '-') && b->chomping == 0) {
            b->chomping = c == '+' ? 1 : -1;
            yaml_move(s, 1);
        } else if (yaml_digit(c) && increment == 0) {
            if (c == '0') {
                return yaml_scan_fail(s, &b->start,
                                      "found an indentation indicator equal to 0");
            }
            increment = c - '0';
            yaml_move(s, 1);
        }
    }
    yaml_skip_blanks(s);
    if (yaml_byte(s, 0) == '#') {
        while (!yaml_at_end(s) && !yaml_newline(s)) {
            yaml_move(s, 1);
        }
    }
    if (!yaml_at_end(s) && !yaml_newline(s)) {
        return yaml_scan_fail(s, &b->start, "did not find expected comment or line break");
    }
    if (yaml_newline(s)) {
        yaml_move_line(s, yaml_newline(s));
    }
    b->indent = increment ? (s->indent >= 0 ? s->indent + increment : increment) : 0;
    b->end = s->mark;
    return 0;
}

/* Empty lines into s->more, and the indentation of the next line. The first line with content
 * decides the indentation when it is not given. */
static int scan_block_breaks(struct yaml_scanner *s, struct block *b)
{
    long deepest = 0;
    b->end = s->mark;
    for (;;) {
        while ((b->indent == 0 || (long)s->mark.column < b->indent) && yaml_byte(s, 0) == ' ') {
            yaml_move(s, 1);
        }
        deepest = (long)s->mark.column > deepest ? (long)s->mark.column : deepest;
        if ((b->indent == 0 || (long)s->mark.column < b->indent) && yaml_byte(s, 0) == '\t') {
            return yaml_scan_fail(s, &b->start,
                                  "found a tab character where an indentation space is expected");
        }
        if (!yaml_newline(s)) {
            break;
        }
        buf_add_str(&s->more, take_break(s));
        b->end = s->mark;
    }
    if (b->indent == 0) {
        long least = s->indent + 1 > 1 ? s->indent + 1 : 1;
        b->indent = deepest > least ? deepest : least;
    }
    return 0;
}

static int scan_block_lines(struct yaml_scanner *s, struct block *b, bool folded)
{
    struct str first = STR_NULL; /* break behind the last line */
    bool leading_blank = false;
    while ((long)s->mark.column == b->indent && !yaml_at_end(s)) {
        bool blank = yaml_blank(yaml_byte(s, 0));
        if (folded && str_eqz(first, "\n") && !leading_blank && !blank) {
            if (s->more.len == 0) {
                buf_addc(&s->value, ' ');
            }
        } else {
            buf_add_str(&s->value, first);
        }
        buf_add_str(&s->value, buf_str(&s->more));
        buf_clear(&s->more);
        leading_blank = blank;
        size_t at = s->mark.at;
        while (at < s->text.len && !yaml_newline_at(s->text, at)) {
            at++;
        }
        buf_add(&s->value, s->text.ptr + s->mark.at, at - s->mark.at);
        yaml_move(s, at - s->mark.at);
        first = yaml_newline(s) ? take_break(s) : STR_NULL;
        if (scan_block_breaks(s, b)) {
            return -1;
        }
    }
    if (b->chomping >= 0) {
        buf_add_str(&s->value, first);
    }
    if (b->chomping > 0) {
        buf_add_str(&s->value, buf_str(&s->more));
    }
    return 0;
}

int yaml_scan_block(struct yaml_scanner *s, struct yaml_token *out)
{
    struct block b = {.start = s->mark};
    bool folded = yaml_byte(s, 0) == '>';
    yaml_move(s, 1);
    buf_clear(&s->value);
    buf_clear(&s->more);
    if (scan_header(s, &b) || scan_block_breaks(s, &b) || scan_block_lines(s, &b, folded)) {
        return -1;
    }
    *out = yaml_token_from(s, TOKEN_SCALAR, b.start);
    out->to = (uint32_t)b.end.at;
    out->end_line = (uint32_t)b.end.line;
    out->end_column = (uint32_t)b.end.column;
    out->style = folded ? STYLE_FOLDED : STYLE_LITERAL;
    out->text = arena_str(s->a, buf_str(&s->value));
    s->breaks = true;
    return 0;
}
