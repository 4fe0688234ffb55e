/* SPDX-License-Identifier: Apache-2.0
 *
 * See yaml_line.h. Columns count bytes: only "at the start" and "past the indentation" matter.
 */
#include "data/yaml_line.h"

#include "data/yaml_style.h"

static void add_blanks(struct buf *out, size_t n)
{
    if (n && buf_reserve(out, n)) {
        memset(out->ptr + out->len, ' ', n);
        out->len += n;
        out->ptr[out->len] = 0;
    }
}

static void add(struct yaml_pen *p, const char *bytes, size_t n)
{
    if (p->column == 0 && n) {
        add_blanks(p->out, (size_t)p->base);
    }
    buf_add(p->out, bytes, n);
    p->column += (long)n;
    p->open = p->open && n == 0;
}

static void add_byte(struct yaml_pen *p, char c)
{
    add(p, &c, 1);
}

static void add_space(struct yaml_pen *p)
{
    if (!p->whitespace) {
        add_byte(p, ' ');
    }
}

void yaml_pen_break(struct yaml_pen *p)
{
    buf_addc(p->out, '\n');
    p->column = 0;
    p->indention = true;
}

/* The break at i, of n bytes, as it stands in the text. */
static void add_break(struct yaml_pen *p, struct str text, size_t i, size_t n)
{
    if (text.ptr[i] == '\n') {
        yaml_pen_break(p);
        return;
    }
    buf_add(p->out, text.ptr + i, n);
    p->column = 0;
    p->indention = true;
}

static long indent_of(const struct yaml_pen *p)
{
    return p->indent > 0 ? p->indent : 0;
}

void yaml_pen_indent(struct yaml_pen *p)
{
    long indent = indent_of(p);
    if (!p->indention || p->column > indent || (p->column == indent && !p->whitespace)) {
        yaml_pen_break(p);
    }
    if (p->foot_indent == indent && (p->defects || !p->open)) {
        yaml_pen_break(p);
    }
    if (p->column < indent) {
        add_blanks(p->out, (size_t)(indent - p->column + (p->column ? 0 : p->base)));
        p->column = indent;
    }
    p->whitespace = true;
    p->foot_indent = -1;
}

void yaml_pen_mark(struct yaml_pen *p, const char *text, bool space, bool white, bool indention)
{
    if (space) {
        add_space(p);
    }
    add(p, text, strlen(text));
    p->whitespace = white;
    p->indention = p->indention && indention;
}

void yaml_pen_word(struct yaml_pen *p, struct str text)
{
    add(p, text.ptr, text.len);
    p->whitespace = false;
    p->indention = false;
}

static bool is_tag_byte(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           (c && strchr("-;/?:@&=+$,_.~*'()[]", c));
}

static void add_tag_text(struct yaml_pen *p, struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (is_tag_byte(text.ptr[i])) {
            add_byte(p, text.ptr[i]);
        } else {
            static const char hex[] = "0123456789ABCDEF";
            unsigned char c = (unsigned char)text.ptr[i];
            char escape[3] = {'%', hex[c >> 4], hex[c & 15]};
            add(p, escape, 3);
        }
    }
    p->whitespace = false;
    p->indention = false;
}

void yaml_pen_tag(struct yaml_pen *p, struct str tag)
{
    if (tag.len == 0) {
        return;
    }
    if (tag.ptr[0] == '!') {
        size_t handle = tag.len > 1 && tag.ptr[1] == '!' ? 2 : 1;
        add_space(p);
        add(p, tag.ptr, handle);
        add_tag_text(p, str_sub(tag, handle, tag.len));
        return;
    }
    yaml_pen_mark(p, "!<", true, false, false);
    add_tag_text(p, tag);
    yaml_pen_mark(p, ">", false, false, false);
}

/* --- comments --- */

static void take(struct str *pending, struct str s)
{
    if (s.len) {
        *pending = s;
    }
}

void yaml_pen_announce(struct yaml_pen *p, struct str head, struct str line, struct str foot,
                       struct str tail)
{
    take(&p->head, head);
    take(&p->line, line);
    take(&p->foot, foot);
    take(&p->tail, tail);
}

static void add_comment(struct yaml_pen *p, struct str text)
{
    bool inner = false;
    for (size_t i = 0; i < text.len;) {
        size_t n = yaml_break_at(text, i);
        if (n) {
            add_break(p, text, i, n);
            inner = true;
            i += n;
            continue;
        }
        if (inner) {
            yaml_pen_indent(p);
            inner = false;
        }
        if (text.ptr[i] != '#') {
            add(p, "# ", 2);
        }
        size_t end = yaml_find_break(text, i);
        add(p, text.ptr + i, end - i);
        p->indention = false;
        i = end;
    }
    if (!inner) {
        yaml_pen_break(p);
    }
    p->whitespace = true;
}

static void add_foot(struct yaml_pen *p, struct str *pending)
{
    if (pending->len) {
        yaml_pen_indent(p);
        add_comment(p, *pending);
        *pending = STR_NULL;
        p->foot_indent = indent_of(p);
    }
}

void yaml_pen_head(struct yaml_pen *p)
{
    add_foot(p, &p->tail);
    if (p->head.len) {
        yaml_pen_indent(p);
        add_comment(p, p->head);
        p->head = STR_NULL;
    }
}

void yaml_pen_line(struct yaml_pen *p)
{
    if (p->line.len) {
        add_space(p);
        add_comment(p, p->line);
        p->line = STR_NULL;
    }
}

void yaml_pen_foot(struct yaml_pen *p)
{
    add_foot(p, &p->foot);
}

/* --- texts --- */

void yaml_pen_plain(struct yaml_pen *p, struct str text)
{
    if (text.len) {
        add_space(p);
        add(p, text.ptr, text.len);
        p->whitespace = false;
    }
    p->indention = false;
}

/* A line feed inside single quotes is written twice, the first time as what folds away. */
void yaml_pen_single(struct yaml_pen *p, struct str text)
{
    bool breaks = false;
    yaml_pen_mark(p, "'", true, false, false);
    for (size_t i = 0; i < text.len;) {
        size_t n = yaml_break_at(text, i);
        if (n) {
            if (!breaks && text.ptr[i] == '\n') {
                yaml_pen_break(p);
            }
            add_break(p, text, i, n);
            breaks = true;
            i += n;
            continue;
        }
        if (breaks) {
            yaml_pen_indent(p);
            breaks = false;
        }
        size_t end = yaml_find_break(text, i);
        const char *quote = memchr(text.ptr + i, '\'', end - i);
        end = quote ? (size_t)(quote - text.ptr) + 1 : end;
        add(p, text.ptr + i, end - i);
        if (quote) {
            add_byte(p, '\'');
        }
        p->indention = false;
        i = end;
    }
    yaml_pen_mark(p, "'", false, false, false);
}

static void add_escape(struct yaml_pen *p, uint32_t c)
{
    static const struct {
        uint32_t c;
        char letter;
    } names[] = {{0, '0'},    {7, 'a'},     {8, 'b'},    {9, 't'},      {10, 'n'},
                 {11, 'v'},   {12, 'f'},    {13, 'r'},   {27, 'e'},     {'"', '"'},
                 {'\\', '\\'}, {0x85, 'N'}, {0xa0, '_'}, {0x2028, 'L'}, {0x2029, 'P'}};
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        if (names[i].c == c) {
            char escape[2] = {'\\', names[i].letter};
            add(p, escape, 2);
            return;
        }
    }
    static const char hex[] = "0123456789ABCDEF";
    char escape[10] = {'\\', c <= 0xff ? 'x' : c <= 0xffff ? 'u' : 'U'};
    size_t digits = c <= 0xff ? 2 : c <= 0xffff ? 4 : 8;
    for (size_t i = 0; i < digits; i++) {
        escape[2 + i] = hex[c >> 4 * (digits - 1 - i) & 15];
    }
    add(p, escape, 2 + digits);
}

void yaml_pen_double(struct yaml_pen *p, struct str text)
{
    /* the peer looks for a byte order mark at the start of the text, whatever character it is at */
    bool marked = str_has_prefix(text, STR("\xef\xbb\xbf"));
    size_t from = 0, len;
    yaml_pen_mark(p, "\"", true, false, false);
    for (size_t i = 0; i < text.len; i += len) {
        uint32_t c = yaml_char_at(text, i, &len);
        if (marked || !yaml_is_printable(c) || c == '"' || c == '\\' || yaml_break_at(text, i)) {
            add(p, text.ptr + from, i - from);
            add_escape(p, c);
            from = i + len;
        }
    }
    add(p, text.ptr + from, text.len - from);
    yaml_pen_mark(p, "\"", false, false, false);
}

/* True when the text keeps more than one line break at its end. */
static bool add_header(struct yaml_pen *p, struct str text, bool folded)
{
    bool keeps = false;
    yaml_pen_mark(p, folded ? ">" : "|", true, false, false);
    if (text.ptr[0] == ' ' || yaml_break_at(text, 0)) {
        char hint[2] = {(char)('0' + p->step)};
        yaml_pen_mark(p, hint, false, false, false);
    }
    size_t last = text.len - 1;
    while (last && ((unsigned char)text.ptr[last] & 0xc0) == 0x80) {
        last--;
    }
    if (!yaml_break_at(text, last)) {
        yaml_pen_mark(p, "-", false, false, false);
    } else {
        size_t before = last ? last - 1 : 0;
        while (before && ((unsigned char)text.ptr[before] & 0xc0) == 0x80) {
            before--;
        }
        keeps = last == 0 || yaml_break_at(text, before);
        if (keeps) {
            yaml_pen_mark(p, "+", false, false, false);
        }
    }
    if (p->line.len) {
        yaml_pen_line(p);
    } else {
        yaml_pen_break(p);
    }
    p->whitespace = true;
    return keeps;
}

/* Text follows the breaks at i, and does not begin with a blank. */
static bool has_line_behind(struct str text, size_t i)
{
    size_t n;
    while ((n = yaml_break_at(text, i))) {
        i += n;
    }
    return i < text.len && text.ptr[i] != ' ' && text.ptr[i] != '\t';
}

void yaml_pen_block(struct yaml_pen *p, struct str text, bool folded)
{
    /* A break of folded text between two lines that both are not indented more folds away, so an
     * extra one goes before it. The peer looks at the start of the text instead of behind the
     * break. */
    bool first = has_line_behind(text, 0), breaks = true, deeper = true;
    bool keeps = add_header(p, text, folded);
    for (size_t i = 0; i < text.len;) {
        size_t n = yaml_break_at(text, i);
        if (n) {
            if (folded && !breaks && !deeper && text.ptr[i] == '\n' &&
                (p->defects ? first : has_line_behind(text, i))) {
                yaml_pen_break(p);
            }
            add_break(p, text, i, n);
            breaks = true;
            i += n;
            continue;
        }
        if (breaks) {
            yaml_pen_indent(p);
            deeper = text.ptr[i] == ' ' || text.ptr[i] == '\t';
        }
        size_t end = yaml_find_break(text, i);
        add(p, text.ptr + i, end - i);
        p->indention = false;
        breaks = false;
        i = end;
    }
    p->open = keeps;
}
