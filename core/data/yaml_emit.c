/* SPDX-License-Identifier: Apache-2.0
 *
 * Nodes into YAML text the way kyaml writes it (yaml.h): scalar styles by one pass over the text,
 * block collections by recursion. What is written reads back as the same nodes by our own parser
 * and by YAML 1.1 and 1.2 readers alike.
 */
#include "data/yaml.h"
#include "data/yaml_emit.h"
#include "data/yaml_scalar.h"

/* Longest text that may stand before ':' without '?'. */
#define SIMPLE_KEY 128

enum style { PLAIN, SINGLE, DOUBLE, LITERAL };

/* What a text contains, as far as it decides its style. */
struct traits {
    bool block_indicator, flow_indicator;
    bool special, tab, multiline, edge_blank, space_break, tab_first;
};

/* Decodes the character at i (text is UTF-8; a broken byte yields U+FFFD, one byte long). */
static uint32_t char_at(struct str s, size_t i, size_t *len)
{
    const unsigned char *p = (const unsigned char *)s.ptr + i;
    size_t n = *p < 0x80 ? 1 : *p < 0xe0 ? 2 : *p < 0xf0 ? 3 : 4;
    *len = 1;
    if (n == 1) {
        return *p;
    }
    if (i + n > s.len || !str_is_utf8(str_sub(s, i, i + n))) {
        return 0xfffd;
    }
    uint32_t c = *p & (0xffu >> (n + 1));
    for (size_t k = 1; k < n; k++) {
        c = c << 6 | (p[k] & 0x3f);
    }
    *len = n;
    return c;
}

/* Line separators count as special: readers of YAML 1.1 take them for line breaks. */
static bool is_special(uint32_t c)
{
    return !(c == '\n' || (c >= 0x20 && c <= 0x7e) || (c >= 0xa0 && c <= 0xd7ff) ||
             (c >= 0xe000 && c <= 0xfffd)) ||
           c == 0xfeff || c == 0x2028 || c == 0x2029;
}

static bool is_blank_at(struct str s, size_t i)
{
    return i >= s.len || s.ptr[i] == ' ' || s.ptr[i] == '\t';
}

static void check_first(struct str s, struct traits *t)
{
    char c = s.ptr[0];
    bool alone = is_blank_at(s, 1);
    bool indicator = (c && strchr("#,[]{}&*!|>'\"%@`", c)) ||
                     ((c == '-' || c == '?' || c == ':') && alone);
    t->block_indicator =
        indicator || str_has_prefix(s, STR("---")) || str_has_prefix(s, STR("..."));
    t->flow_indicator = t->block_indicator || c == '?' || c == ':';
    t->edge_blank = c == ' ' || c == '\n' || s.ptr[s.len - 1] == ' ' || s.ptr[s.len - 1] == '\n';
    t->tab_first = c == '\t';
}

static struct traits analyse(struct str s)
{
    struct traits t = {0};
    if (s.len == 0) {
        return t;
    }
    check_first(s, &t);
    size_t len;
    for (size_t i = 0; i < s.len; i += len) {
        uint32_t c = char_at(s, i, &len);
        if (c == '\t') {
            t.tab = true;
        } else if (c == '\n') {
            t.multiline = true;
            t.space_break = t.space_break || (i && s.ptr[i - 1] == ' ');
        } else if (is_special(c)) {
            t.special = true;
        } else if (c == ':') {
            t.block_indicator = t.block_indicator || is_blank_at(s, i + 1);
            t.flow_indicator = true;
        } else if (c == '#') {
            t.block_indicator = t.block_indicator || (i && is_blank_at(s, i - 1));
        } else if (c < 0x80 && strchr(",?[]{}", (int)c)) {
            t.flow_indicator = true;
        }
    }
    t.flow_indicator = t.flow_indicator || t.block_indicator;
    return t;
}

/* one_line: a key, or anything in flow style. */
static enum style choose(struct str s, bool flow, bool one_line)
{
    struct traits t = analyse(s);
    if (t.multiline && !one_line && !t.special && !t.space_break && !t.tab_first &&
        s.ptr[s.len - 1] != ' ') {
        return LITERAL;
    }
    if (t.multiline || t.special || t.tab || yaml_scalar_needs_quotes(s)) {
        return DOUBLE;
    }
    return t.edge_blank || (flow ? t.flow_indicator : t.block_indicator) ? SINGLE : PLAIN;
}

static void pad(struct buf *out, size_t n)
{
    if (buf_reserve(out, n)) {
        memset(out->ptr + out->len, ' ', n);
        out->len += n;
        out->ptr[out->len] = 0;
    }
}

static void add_single(struct buf *out, struct str s)
{
    buf_addc(out, '\'');
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] == '\'') {
            buf_addc(out, '\'');
        }
        buf_addc(out, s.ptr[i]);
    }
    buf_addc(out, '\'');
}

static void add_escape(struct buf *out, uint32_t c)
{
    static const struct {
        uint32_t c;
        char letter;
    } names[] = {{0, '0'},    {7, 'a'},    {8, 'b'},    {9, 't'},    {10, 'n'},
                 {11, 'v'},   {12, 'f'},   {13, 'r'},   {27, 'e'},   {'"', '"'},
                 {'\\', '\\'}, {0x85, 'N'}, {0x2028, 'L'}, {0x2029, 'P'}};
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        if (names[i].c == c) {
            buf_addc(out, '\\');
            buf_addc(out, names[i].letter);
            return;
        }
    }
    if (c <= 0xff) {
        buf_printf(out, "\\x%02X", c);
    } else if (c <= 0xffff) {
        buf_printf(out, "\\u%04X", c);
    } else {
        buf_printf(out, "\\U%08X", c);
    }
}

static void add_double(struct buf *out, struct str s)
{
    size_t len;
    buf_addc(out, '"');
    for (size_t i = 0; i < s.len; i += len) {
        uint32_t c = char_at(s, i, &len);
        bool broken = c == 0xfffd && len == 1;
        if (is_special(c) || broken || c == '\n' || c == '"' || c == '\\') {
            add_escape(out, c);
        } else {
            buf_add(out, s.ptr + i, len);
        }
    }
    buf_addc(out, '"');
}

/* Ends before the last line feed. */
static void add_literal(struct buf *out, struct str s, size_t indent)
{
    bool final = s.ptr[s.len - 1] == '\n';
    bool keep = final && (s.len == 1 || s.ptr[s.len - 2] == '\n');
    buf_addc(out, '|');
    if (s.ptr[0] == ' ' || s.ptr[0] == '\n') {
        buf_addc(out, '2');
    }
    if (!final || keep) {
        buf_addc(out, keep ? '+' : '-');
    }
    struct str rest = final ? str_sub(s, 0, s.len - 1) : s;
    struct str line;
    while (str_split(&rest, '\n', &line)) {
        buf_addc(out, '\n');
        if (line.len) {
            pad(out, indent);
            buf_add_str(out, line);
        }
    }
}

static void add_text(struct buf *out, struct str s, size_t indent, bool flow, bool one_line)
{
    switch (choose(s, flow, one_line)) {
    case PLAIN:
        buf_add_str(out, s);
        break;
    case SINGLE:
        add_single(out, s);
        break;
    case DOUBLE:
        add_double(out, s);
        break;
    case LITERAL:
        add_literal(out, s, indent);
        break;
    }
}

/* A scalar or an empty collection; lines of a literal stand in column `indent`. */
static void add_scalar(struct buf *out, const struct node *n, size_t indent, bool flow)
{
    switch (n ? n->type : NODE_NULL) {
    case NODE_BOOL:
        buf_addz(out, n->boolean ? "true" : "false");
        break;
    case NODE_INT:
    case NODE_FLOAT:
        buf_add_str(out, n->text);
        break;
    case NODE_STRING:
        add_text(out, n->text, indent, flow, flow);
        break;
    case NODE_LIST:
        buf_addz(out, "[]");
        break;
    case NODE_MAP:
        buf_addz(out, "{}");
        break;
    default:
        buf_addz(out, "null");
    }
}

static bool is_block(const struct node *n)
{
    return (node_is(n, NODE_MAP) || node_is(n, NODE_LIST)) && n->n;
}

static void emit_block(struct buf *out, const struct node *n, size_t indent, struct yaml_layout l);

void yaml_emit_item(struct buf *out, const struct node *n, size_t indent, struct yaml_layout l)
{
    if (is_block(n)) {
        emit_block(out, n, indent, l);
    } else {
        add_scalar(out, n, indent, false);
        buf_addc(out, '\n');
    }
}

void yaml_emit_value(struct buf *out, const struct node *n, size_t indent, struct yaml_layout l)
{
    if (is_block(n)) {
        size_t column = n->type == NODE_LIST && !l.wide ? indent : indent + 2;
        buf_addc(out, '\n');
        pad(out, column);
        emit_block(out, n, column, l);
    } else {
        buf_addc(out, ' ');
        add_scalar(out, n, indent + 2, false);
        buf_addc(out, '\n');
    }
}

static void emit_member(struct buf *out, const struct node_member *m, size_t indent,
                        struct yaml_layout l)
{
    size_t start = out->len;
    add_text(out, m->key, indent + 2, false, true);
    if (out->len - start <= SIMPLE_KEY) {
        buf_addc(out, ':');
        yaml_emit_value(out, m->value, indent, l);
        return;
    }
    out->len = out->overflow ? out->len : start;
    buf_addz(out, "? ");
    add_text(out, m->key, indent + 2, false, true);
    buf_addc(out, '\n');
    pad(out, indent);
    buf_addz(out, ": ");
    yaml_emit_item(out, m->value, indent + 2, l);
}

/* The first line's indentation is already written. */
static void emit_block(struct buf *out, const struct node *n, size_t indent, struct yaml_layout l)
{
    for (size_t i = 0; i < n->n && !out->overflow; i++) {
        if (i) {
            pad(out, indent);
        }
        if (n->type == NODE_MAP) {
            emit_member(out, &n->members[i], indent, l);
        } else {
            buf_addz(out, "- ");
            yaml_emit_item(out, n->items[i], indent + 2, l);
        }
    }
}

void yaml_emit_lines(struct buf *out, const struct node *n, size_t indent, struct yaml_layout l)
{
    pad(out, indent);
    if (is_block(n)) {
        emit_block(out, n, indent, l);
    } else {
        add_scalar(out, n, indent + 2, false);
        buf_addc(out, '\n');
    }
}

void yaml_emit_flow(struct buf *out, const struct node *n)
{
    if (!is_block(n)) {
        add_scalar(out, n, 0, true);
        return;
    }
    bool map = n->type == NODE_MAP;
    buf_addc(out, map ? '{' : '[');
    for (size_t i = 0; i < n->n && !out->overflow; i++) {
        if (i) {
            buf_addz(out, ", ");
        }
        if (map) {
            add_text(out, n->members[i].key, 0, true, true);
            buf_addz(out, ": ");
        }
        yaml_emit_flow(out, map ? n->members[i].value : n->items[i]);
    }
    buf_addc(out, map ? '}' : ']');
}

void yaml_emit(struct buf *out, const struct node *n)
{
    yaml_emit_lines(out, n, 0, (struct yaml_layout){0});
}
