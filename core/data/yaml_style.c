/* SPDX-License-Identifier: Apache-2.0
 *
 * See yaml_style.h. Most texts are words of letters and digits: they are told by a table, all
 * others go through the full analysis (yaml.md §7.3).
 */
#include "data/yaml_style.h"

/* Characters that never decide anything (1), and those that do not inside a text (2). */
static const unsigned char harmless[256] = {
    ['0' ... '9'] = 1, ['A' ... 'Z'] = 1, ['a' ... 'z'] = 1, ['/'] = 1, ['_'] = 1, ['.'] = 1,
    ['$'] = 1,         ['('] = 1,         [')'] = 1,         ['+'] = 1, [';'] = 1, ['<'] = 1,
    ['='] = 1,         ['\\'] = 1,        ['^'] = 1,         ['~'] = 1, ['-'] = 2, [' '] = 2,
};

uint32_t yaml_char_at(struct str s, size_t i, size_t *out_len)
{
    const unsigned char *p = (const unsigned char *)s.ptr + i;
    size_t n = *p < 0x80 ? 1 : *p < 0xe0 ? 2 : *p < 0xf0 ? 3 : 4;
    *out_len = n;
    if (n == 1) {
        return *p;
    }
    uint32_t c = *p & (0xffu >> (n + 1));
    for (size_t k = 1; k < n; k++) {
        c = c << 6 | (p[k] & 0x3f);
    }
    return c;
}

size_t yaml_break_at(struct str s, size_t i)
{
    const unsigned char *p = (const unsigned char *)s.ptr + i;
    size_t left = s.len - i;
    if (left == 0) {
        return 0;
    }
    if (*p == '\n' || *p == '\r') {
        return 1;
    }
    if (*p == 0xc2 && left > 1 && p[1] == 0x85) {
        return 2;
    }
    return *p == 0xe2 && left > 2 && p[1] == 0x80 && (p[2] == 0xa8 || p[2] == 0xa9) ? 3 : 0;
}

size_t yaml_find_break(struct str s, size_t i)
{
    while (i < s.len) {
        unsigned char c = (unsigned char)s.ptr[i];
        if ((c < 0x20 || c >= 0xc2) && yaml_break_at(s, i)) {
            return i;
        }
        i++;
    }
    return i;
}

bool yaml_is_printable(uint32_t c)
{
    return c == '\n' || (c >= 0x20 && c <= 0x7e) || (c >= 0xa0 && c <= 0xd7ff) ||
           (c >= 0xe000 && c <= 0xfffd && c != 0xfeff);
}

/* What the analysis finds on its way. */
struct traits {
    bool block_indicator, flow_indicator;
    bool special, tab, breaks, space_break, break_space;
    bool edge, trailing_space; /* blank or break at an end */
};

static bool is_blank_at(struct str s, size_t i)
{
    return i >= s.len || s.ptr[i] == ' ' || s.ptr[i] == '\t';
}

static void check_first(struct str s, struct traits *t)
{
    char c = s.ptr[0];
    bool alone = is_blank_at(s, 1);
    t->block_indicator = (c && strchr("#,[]{}&*!|>'\"%@`", c)) ||
                         ((c == '-' || c == '?' || c == ':') && alone) ||
                         str_has_prefix(s, STR("---")) || str_has_prefix(s, STR("..."));
    t->flow_indicator = t->block_indicator || c == '?' || c == ':';
}

static void check_inner(struct str s, size_t i, bool after_blank, struct traits *t)
{
    switch (s.ptr[i]) {
    case ',':
    case '?':
    case '[':
    case ']':
    case '{':
    case '}':
        t->flow_indicator = true;
        break;
    case ':':
        t->flow_indicator = true;
        t->block_indicator = t->block_indicator || is_blank_at(s, i + 1);
        break;
    case '#':
        t->block_indicator = t->block_indicator || after_blank;
        t->flow_indicator = t->flow_indicator || after_blank;
        break;
    default:
        break;
    }
}

static struct traits analyse(struct str s)
{
    struct traits t = {0};
    bool space = false, brk = false; /* what the character before was */
    size_t len;
    check_first(s, &t);
    for (size_t i = 0; i < s.len; i += len) {
        uint32_t c = yaml_char_at(s, i, &len);
        size_t is_break = yaml_break_at(s, i);
        if (i) {
            check_inner(s, i, space || brk || s.ptr[i - 1] == '\t', &t);
        }
        t.tab = t.tab || c == '\t';
        t.special = t.special || (c != '\t' && !yaml_is_printable(c));
        t.edge = t.edge || ((c == ' ' || is_break) && (i == 0 || i + len == s.len));
        t.trailing_space = t.trailing_space || (c == ' ' && i + len == s.len);
        t.break_space = t.break_space || (c == ' ' && brk);
        t.space_break = t.space_break || (is_break && space);
        t.breaks = t.breaks || is_break;
        space = c == ' ';
        brk = is_break;
    }
    return t;
}

struct yaml_styles yaml_styles_of(struct str s)
{
    size_t i = 0;
    if (s.len && harmless[(unsigned char)s.ptr[0]] == 1) {
        while (i < s.len && harmless[(unsigned char)s.ptr[i]]) {
            i++;
        }
    }
    if (i == s.len && (i == 0 || s.ptr[i - 1] != ' ')) {
        bool dots = str_has_prefix(s, STR("..."));
        return (struct yaml_styles){.block_plain = !dots, .flow_plain = s.len && !dots,
                                    .single = true, .block = s.len};
    }
    if (!str_is_utf8(s)) {
        return (struct yaml_styles){.binary = true};
    }
    struct traits t = analyse(s);
    bool quoted = t.space_break || t.tab || t.special;
    bool plain = !t.edge && !t.break_space && !quoted && !t.breaks;
    return (struct yaml_styles){
        .block_plain = plain && !t.block_indicator,
        .flow_plain = plain && !t.flow_indicator && !t.block_indicator,
        .single = !t.break_space && !quoted,
        .block = !t.trailing_space && !t.space_break && !t.special,
        .multiline = t.breaks,
    };
}
