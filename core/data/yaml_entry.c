/* SPDX-License-Identifier: Apache-2.0
 *
 * See yaml_entry.h.
 */
#include "data/yaml_entry.h"

/* --- comments --- */

size_t yaml_count_lines(struct str comment)
{
    size_t n = 0;
    struct str line;
    while (comment.ptr && str_split(&comment, '\n', &line)) {
        n += line.len > 0;
    }
    return n;
}

/* The comment lines of feet below the content of a value, its own ones included. */
size_t yaml_count_feet(const struct node *n)
{
    size_t lines = 0;
    while (n) {
        lines += yaml_count_lines(yaml_notes_of(n).foot);
        if (!yaml_is_collection(n) || yaml_is_flow(n)) {
            break;
        }
        if (n->type == NODE_MAP) {
            const struct node_member *last = &n->members[n->n - 1];
            lines += yaml_count_lines(yaml_notes_of(last->name).foot);
            n = last->value;
        } else {
            n = n->items[n->n - 1];
        }
    }
    return lines;
}

/* First byte of a line that is a comment (with true) or blank (false)? */
static bool line_is(const struct yaml_diff *d, size_t at, bool comment)
{
    while (at < d->text.len && memchr(" \t\r", d->text.ptr[at], 3)) {
        at++;
    }
    char c = at < d->text.len ? d->text.ptr[at] : '\n';
    return comment ? c == '#' : c == '\n';
}

/* Where n comment lines above the line that starts at `line` begin. */
size_t yaml_head_start(const struct yaml_diff *d, size_t line, size_t n)
{
    size_t from = line;
    while (n && line) {
        line = yaml_line_start(d->text, line - 1);
        if (line_is(d, line, true)) {
            n--;
            from = line;
        } else if (!line_is(d, line, false)) {
            break;
        }
    }
    return from;
}

/* Where n comment lines from the line that starts at `line` on end. */
size_t yaml_foot_end(const struct yaml_diff *d, size_t line, size_t n)
{
    size_t end = line;
    while (n && line < d->text.len) {
        bool comment = line_is(d, line, true);
        if (!comment && !line_is(d, line, false)) {
            break;
        }
        line = yaml_line_end(d->text, line);
        if (comment) {
            n--;
            end = line;
        }
    }
    return end;
}

static struct str comment_lines(struct yaml_diff *d, struct str comment, size_t column)
{
    AUTO_BUF b = BUF_INIT;
    struct str line;
    while (comment.ptr && str_split(&comment, '\n', &line)) {
        if (line.len) {
            yaml_add_pad(&b, column);
            buf_add_str(&b, line);
        }
        buf_addc(&b, '\n');
    }
    return arena_str(d->a, buf_str(&b));
}

struct str yaml_entry_head(const struct yaml_entry *e)
{
    return yaml_notes_of(e->pair ? e->pair->name : e->value).head;
}

struct str yaml_entry_foot(const struct yaml_entry *e)
{
    return yaml_notes_of(e->pair ? e->pair->name : e->value).foot;
}

struct str yaml_entry_line(const struct yaml_entry *e)
{
    struct str line = yaml_notes_of(e->value).line;
    return line.len || !e->pair ? line : yaml_notes_of(e->pair->name).line;
}

size_t yaml_entry_start(const struct yaml_diff *d, const struct yaml_entry *e)
{
    size_t line = yaml_line_start(d->text, e->from);
    return yaml_head_start(d, line, yaml_count_lines(yaml_entry_head(e)));
}

/* Behind the content and all feet of an entry. */
size_t yaml_entry_end(const struct yaml_diff *d, const struct yaml_entry *e)
{
    size_t own = e->pair ? yaml_count_lines(yaml_entry_foot(e)) : 0;
    return yaml_foot_end(d, e->end, yaml_count_feet(e->value) + own);
}

void yaml_entry_edit_head(struct yaml_diff *d, const struct yaml_entry *e,
                          const struct yaml_entry *want, size_t column)
{
    if (str_eq(yaml_entry_head(e), yaml_entry_head(want))) {
        return;
    }
    if (!e->own_line) {
        d->unsupported = true;
        return;
    }
    yaml_splice_add(&d->out, yaml_entry_start(d, e), yaml_line_start(d->text, e->from),
                    comment_lines(d, yaml_entry_head(want), column));
}

void yaml_entry_edit_foot(struct yaml_diff *d, const struct yaml_entry *e,
                          const struct yaml_entry *want, size_t column)
{
    if (str_eq(yaml_entry_foot(e), yaml_entry_foot(want))) {
        return;
    }
    size_t to = yaml_entry_end(d, e);
    size_t lines = yaml_count_lines(yaml_entry_foot(e));
    size_t from = yaml_foot_end(d, e->end, yaml_count_feet(e->value) - (e->pair ? 0 : lines));
    AUTO_BUF b = BUF_INIT;
    buf_add_str(&b, comment_lines(d, yaml_entry_foot(want), column));
    if (b.len && to < d->text.len && !line_is(d, to, false)) {
        buf_addc(&b, '\n'); /* without a blank line it would be the next one's head */
    }
    yaml_splice_add(&d->out, from, to, buf_str(&b));
}

/* The place behind which the line comment of an entry stands, or would. */
static size_t line_place(const struct yaml_diff *d, const struct yaml_entry *e)
{
    const struct node *v = e->value;
    bool below = yaml_is_collection(v) && !yaml_is_flow(v);
    if (below || yaml_is_block_text(v) || !yaml_same_line(d, e->behind, v->span_from)) {
        size_t at = below ? e->behind : v->span_from;
        while (at < d->text.len && d->text.ptr[at] != '\n' && d->text.ptr[at] != '#') {
            at++;
        }
        while (at && memchr(" \t\r", d->text.ptr[at - 1], 3)) {
            at--;
        }
        return at;
    }
    return v->span_to > e->behind ? v->span_to : e->behind;
}

void yaml_entry_edit_line(struct yaml_diff *d, const struct yaml_entry *e,
                          const struct yaml_entry *want)
{
    struct str old = yaml_entry_line(e), line = yaml_entry_line(want);
    if (str_eq(old, line)) {
        return;
    }
    size_t at = line_place(d, e), eol = yaml_line_end(d->text, at);
    while (eol > at && memchr("\r\n", d->text.ptr[eol - 1], 2)) {
        eol--;
    }
    struct str rest = str_trim(str_sub(d->text, at, eol), " \t");
    if (!str_eq(rest, str_trim(old, " \t"))) {
        d->unsupported = true;
        return;
    }
    yaml_splice_add(&d->out, at, eol,
                    line.len ? arena_printf(d->a, " %.*s", STR_ARG(line)) : STR_NULL);
}

/* --- entries --- */

struct yaml_entry yaml_entry_make(const struct yaml_diff *d, const struct node_member *m,
                               const struct node *item)
{
    struct yaml_entry e = {.pair = m, .value = m ? m->value : item};
    size_t to;
    if (m) {
        size_t at = e.from = m->from;
        to = m->to;
        for (at = m->to; at < d->text.len && memchr(" \t", d->text.ptr[at], 2);) {
            at++;
        }
        bool colon = at < d->text.len && d->text.ptr[at] == ':';
        bool question = yaml_skip_back(d->text, m->from) &&
                        d->text.ptr[yaml_skip_back(d->text, m->from) - 1] == '?';
        e.odd = !colon || question;
        e.behind = at + colon;
    } else {
        size_t p = yaml_skip_back(d->text, item->span_from);
        e.odd = p == 0 || d->text.ptr[p - 1] != '-';
        e.from = p ? p - 1 : 0;
        e.behind = p;
        to = p;
    }
    to = e.value->span_to > to ? e.value->span_to : to;
    e.end = yaml_line_end(d->text, to > e.behind ? to : e.behind);
    e.own_line = yaml_starts_line(d->text, e.from);
    return e;
}

/* The entry with its value and comments in a collection of its own, as new lines. */
static struct str entry_lines(struct yaml_diff *d, const struct yaml_entry *e, size_t column)
{
    AUTO_BUF b = BUF_INIT;
    struct node_member m = e->pair ? *e->pair : (struct node_member){0};
    struct node *item = (struct node *)e->value;
    struct node one = {.type = e->pair ? NODE_MAP : NODE_LIST, .n = 1};
    if (e->pair) {
        one.members = &m;
    } else {
        one.items = &item;
    }
    yaml_emit_lines(&b, &one, column, d->layout);
    return arena_str(d->a, buf_str(&b));
}

void yaml_entry_insert(struct yaml_diff *d, size_t at, const struct yaml_entry *e,
                         const struct yaml_entry *above, size_t column)
{
    if (d->exact && above && yaml_entry_foot(above).len && above->end != at &&
        !line_is(d, yaml_line_start(d->text, at - 1), false)) {
        yaml_splice_add_lines(&d->out, at, STR("\n"));
    }
    yaml_splice_add_lines(&d->out, at, entry_lines(d, e, column));
}

void yaml_entry_delete(struct yaml_diff *d, const struct yaml_entry *e)
{
    d->unsupported = d->unsupported || e->odd;
    size_t from = yaml_entry_start(d, e), to = yaml_entry_end(d, e);
    bool after_blank = from == 0 || line_is(d, yaml_line_start(d->text, from - 1), false);
    while (after_blank && to < d->text.len && line_is(d, to, false)) {
        to = yaml_line_end(d->text, to);
    }
    yaml_splice_add(&d->out, from, to, STR_NULL);
}
