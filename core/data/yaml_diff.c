/* SPDX-License-Identifier: Apache-2.0
 *
 * See yaml_diff.h. The trees are compared from the root down; where they differ, the bytes of the
 * smallest differing value are replaced, and comment lines are found by counting: the head of an
 * entry are the last comment lines above it, feet the first ones below its content. Who uses this
 * checks the result, because not every layout can be changed so; then `unsupported` is set or the
 * result differs. Recursion follows differences only, and gives up at a depth that no file needs.
 */
#include "data/yaml_diff.h"

#include "base/limits.h"
#include "data/members.h"
#include "data/yaml_doc.h"
#include "data/yaml_graft.h"

#define MAX_DEPTH LIMIT_JSON_DEPTH

/* What a value hangs on. */
enum place { AT_ROOT, AT_KEY, AT_DASH };

struct where {
    enum place place;
    size_t column; /* of the key or the dash */
    size_t behind; /* first byte behind the colon or the dash */
    bool flow;     /* inside [] or {} */
    bool json;     /* inside a map with double-quoted keys: stays JSON */
    unsigned depth;
};

/* One pair or item of a block collection as it stands in the text. */
struct entry {
    const struct node_member *pair; /* NULL: an item */
    const struct node *value;
    size_t from, behind; /* key or dash; behind colon or dash */
    size_t end;          /* behind the last line of its content */
    bool own_line;       /* nothing but blanks before it */
    bool odd;            /* with `?`, or the dash in another line: nothing of it can change */
};

static void edit_value(struct yaml_diff *d, const struct node *s, struct where at,
                       const struct node *want);

static size_t column_of(const struct yaml_diff *d, size_t at)
{
    return at - yaml_line_start(d->text, at);
}

/* No line break between two places. */
static bool same_line(const struct yaml_diff *d, size_t from, size_t to)
{
    return from >= to || !memchr(d->text.ptr + from, '\n', to - from);
}

static void add_pad(struct buf *b, size_t n)
{
    while (n--) {
        buf_addc(b, ' ');
    }
}

static bool is_collection(const struct node *n)
{
    return n->type == NODE_LIST || n->type == NODE_MAP;
}

static bool is_flow(const struct node *n)
{
    return is_collection(n) && (n->style == STYLE_FLOW || n->n == 0);
}

static bool is_block_text(const struct node *n)
{
    return n->style == STYLE_LITERAL || n->style == STYLE_FOLDED;
}

static struct node_notes notes_of(const struct node *n)
{
    return n && n->notes ? *n->notes : (struct node_notes){0};
}

/* --- comments --- */

static size_t count_lines(struct str comment)
{
    size_t n = 0;
    struct str line;
    while (comment.ptr && str_split(&comment, '\n', &line)) {
        n += line.len > 0;
    }
    return n;
}

/* The comment lines of feet below the content of a value, its own ones included. */
static size_t count_feet(const struct node *n)
{
    size_t lines = 0;
    while (n) {
        lines += count_lines(notes_of(n).foot);
        if (!is_collection(n) || is_flow(n)) {
            break;
        }
        if (n->type == NODE_MAP) {
            const struct node_member *last = &n->members[n->n - 1];
            lines += count_lines(notes_of(last->name).foot);
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
static size_t head_start(const struct yaml_diff *d, size_t line, size_t n)
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
static size_t foot_end(const struct yaml_diff *d, size_t line, size_t n)
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
            add_pad(&b, column);
            buf_add_str(&b, line);
        }
        buf_addc(&b, '\n');
    }
    return arena_str(d->a, buf_str(&b));
}

static struct str head_of(const struct entry *e)
{
    return notes_of(e->pair ? e->pair->name : e->value).head;
}

static struct str foot_of(const struct entry *e)
{
    return notes_of(e->pair ? e->pair->name : e->value).foot;
}

static struct str line_of(const struct entry *e)
{
    struct str line = notes_of(e->value).line;
    return line.len || !e->pair ? line : notes_of(e->pair->name).line;
}

static size_t entry_start(const struct yaml_diff *d, const struct entry *e)
{
    size_t line = yaml_line_start(d->text, e->from);
    return head_start(d, line, count_lines(head_of(e)));
}

/* Behind the content and all feet of an entry. */
static size_t entry_end(const struct yaml_diff *d, const struct entry *e)
{
    size_t own = e->pair ? count_lines(foot_of(e)) : 0;
    return foot_end(d, e->end, count_feet(e->value) + own);
}

static void edit_head(struct yaml_diff *d, const struct entry *e, const struct entry *want,
                      size_t column)
{
    if (str_eq(head_of(e), head_of(want))) {
        return;
    }
    if (!e->own_line) {
        d->unsupported = true;
        return;
    }
    yaml_splice_add(&d->out, entry_start(d, e), yaml_line_start(d->text, e->from),
                    comment_lines(d, head_of(want), column));
}

static void edit_foot(struct yaml_diff *d, const struct entry *e, const struct entry *want,
                      size_t column)
{
    if (str_eq(foot_of(e), foot_of(want))) {
        return;
    }
    size_t to = entry_end(d, e);
    size_t lines = count_lines(foot_of(e));
    size_t from = foot_end(d, e->end, count_feet(e->value) - (e->pair ? 0 : lines));
    AUTO_BUF b = BUF_INIT;
    buf_add_str(&b, comment_lines(d, foot_of(want), column));
    if (b.len && to < d->text.len && !line_is(d, to, false)) {
        buf_addc(&b, '\n'); /* without a blank line it would be the next one's head */
    }
    yaml_splice_add(&d->out, from, to, buf_str(&b));
}

/* The place behind which the line comment of an entry stands, or would. */
static size_t line_place(const struct yaml_diff *d, const struct entry *e)
{
    const struct node *v = e->value;
    bool below = is_collection(v) && !is_flow(v);
    if (below || is_block_text(v) || !same_line(d, e->behind, v->span_from)) {
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

static void edit_line(struct yaml_diff *d, const struct entry *e, const struct entry *want)
{
    struct str old = line_of(e), line = line_of(want);
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

/* --- replacing a value --- */

static void replace_in_flow(struct yaml_diff *d, const struct node *s, struct where at,
                            const struct node *want)
{
    AUTO_BUF b = BUF_INIT;
    if (s->span_from == s->span_to && at.place == AT_KEY) { /* `{a}` or `{a: }` */
        size_t p = yaml_skip_back(d->text, s->span_from);
        bool colon = p && d->text.ptr[p - 1] == ':';
        buf_addz(&b, !colon ? ": " : p == s->span_from ? " " : "");
    }
    if (at.json) {
        json_emit(&b, want);
    } else {
        yaml_emit_flow(&b, want);
    }
    yaml_splice_add(&d->out, s->span_from, s->span_to, buf_str(&b));
}

/* Text of the value as it follows its key or dash: `head` up to the first line feed, whole lines
 * in `tail`. */
static void split_text(struct str text, struct str *head, struct str *tail)
{
    ptrdiff_t nl = str_find_byte(text, '\n');
    size_t at = nl < 0 ? text.len : (size_t)nl;
    *head = str_sub(text, 0, at);
    *tail = str_sub(text, at + 1, text.len);
}

/* The value starts in the line of its key or dash; what follows it there (a comment) stays. */
static void replace_inline(struct yaml_diff *d, const struct node *s, struct where at,
                           const struct node *want)
{
    AUTO_BUF b = BUF_INIT;
    if (at.place == AT_KEY) {
        yaml_emit_value(&b, want, at.column, d->layout);
    } else {
        bool empty = s->span_from == s->span_to;
        size_t column = empty ? at.column + 2 : column_of(d, s->span_from);
        add_pad(&b, column - at.column - 1);
        yaml_emit_item(&b, want, column, d->layout);
    }
    struct str head, tail;
    split_text(buf_str(&b), &head, &tail);
    yaml_splice_add(&d->out, yaml_skip_back(d->text, s->span_from), s->span_to, head);
    if (tail.len) {
        yaml_splice_add_lines(&d->out, yaml_line_end(d->text, s->span_to), tail);
    }
}

/* The value has lines of its own, below its key or dash. */
static void replace_lines(struct yaml_diff *d, const struct node *s, struct where at,
                          const struct node *want)
{
    AUTO_BUF b = BUF_INIT;
    if (at.place == AT_KEY) {
        yaml_emit_value(&b, want, at.column, d->layout);
    } else {
        buf_addc(&b, ' ');
        yaml_emit_item(&b, want, at.column + 2, d->layout);
    }
    struct str head, tail;
    split_text(buf_str(&b), &head, &tail);
    size_t from = yaml_line_start(d->text, s->span_from), to = yaml_line_end(d->text, s->span_to);
    if (head.len) {
        yaml_splice_add(&d->out, at.behind, at.behind, head);
    }
    bool last = to == d->text.len && to && d->text.ptr[to - 1] != '\n';
    if (last && str_has_suffix(tail, STR("\n"))) {
        tail.len--;
    }
    yaml_splice_add(&d->out, from, to, tail);
}

void yaml_diff_root(struct yaml_diff *d, const struct node *s, const struct node *want)
{
    AUTO_BUF b = BUF_INIT;
    if (!yaml_starts_line(d->text, s->span_from)) { /* behind `---` */
        size_t to = yaml_line_end(d->text, s->span_to);
        bool broken = to && d->text.ptr[to - 1] == '\n';
        buf_addc(&b, '\n');
        yaml_emit_lines(&b, want, 0, d->layout);
        yaml_splice_add(&d->out, yaml_skip_back(d->text, s->span_from), to,
                        str_sub(buf_str(&b), 0, b.len - !broken));
        return;
    }
    yaml_emit_lines(&b, want, 0, d->layout);
    if (s->span_from == s->span_to) {
        yaml_splice_add_lines(&d->out, s->span_from, buf_str(&b));
        return;
    }
    size_t from = yaml_line_start(d->text, s->span_from), to = yaml_line_end(d->text, s->span_to);
    if (d->exact) { /* the comments around the root are its entries' and written with them */
        const struct node *owner = s->n == 0 || !is_collection(s) ? s
                                   : s->type == NODE_MAP          ? s->members[0].name
                                                                  : s->items[0];
        from = head_start(d, from, count_lines(notes_of(owner).head));
        to = foot_end(d, to, count_feet(s));
    }
    yaml_splice_add(&d->out, from, to, buf_str(&b));
}

/* The node without the comments that stand outside its bytes; a block text keeps its line. */
static const struct node *bare(struct yaml_diff *d, const struct node *n, bool keep_line)
{
    struct node_notes notes = notes_of(n);
    if (!notes.head.len && !notes.line.len && !notes.foot.len) {
        return n;
    }
    struct node *copy = arena_new(d->a, struct node);
    struct node_notes *own = arena_new(d->a, struct node_notes);
    if (!copy || !own) {
        return n;
    }
    *copy = *n;
    *own = (struct node_notes){.anchor = notes.anchor, .tag = notes.tag};
    own->line = keep_line ? notes.line : STR_NULL;
    copy->notes = own;
    return copy;
}

static void replace(struct yaml_diff *d, const struct node *s, struct where at,
                    const struct node *want)
{
    if (at.place == AT_ROOT && !at.flow) {
        yaml_diff_root(d, s, want);
        return;
    }
    want = bare(d, want, is_block_text(s));
    if (at.flow) {
        replace_in_flow(d, s, at, want);
    } else if (same_line(d, at.behind, s->span_from)) {
        replace_inline(d, s, at, want);
    } else if (yaml_starts_line(d->text, s->span_from)) {
        replace_lines(d, s, at, want);
    } else {
        d->unsupported = true;
    }
}

/* --- entries --- */

static struct entry make_entry(const struct yaml_diff *d, const struct node_member *m,
                               const struct node *item)
{
    struct entry e = {.pair = m, .value = m ? m->value : item};
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
static struct str entry_lines(struct yaml_diff *d, const struct entry *e, size_t column)
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

static void insert_entry(struct yaml_diff *d, size_t at, const struct entry *e,
                         const struct entry *above, size_t column)
{
    if (d->exact && above && foot_of(above).len && above->end != at &&
        !line_is(d, yaml_line_start(d->text, at - 1), false)) {
        yaml_splice_add_lines(&d->out, at, STR("\n"));
    }
    yaml_splice_add_lines(&d->out, at, entry_lines(d, e, column));
}

static void delete_entry(struct yaml_diff *d, const struct entry *e)
{
    d->unsupported = d->unsupported || e->odd;
    size_t from = entry_start(d, e), to = entry_end(d, e);
    bool after_blank = from == 0 || line_is(d, yaml_line_start(d->text, from - 1), false);
    while (after_blank && to < d->text.len && line_is(d, to, false)) {
        to = yaml_line_end(d->text, to);
    }
    yaml_splice_add(&d->out, from, to, STR_NULL);
}

static bool same_key(const struct node_member *a, const struct node_member *b)
{
    struct node_notes x = notes_of(a->name), y = notes_of(b->name);
    bool styles = (a->name ? a->name->style : 0) == (b->name ? b->name->style : 0);
    return styles && str_eq(x.anchor, y.anchor) && str_eq(x.tag, y.tag);
}

static void edit_entry(struct yaml_diff *d, const struct entry *e, const struct entry *want,
                       size_t column, struct where at)
{
    if (e->value == want->value && (!e->pair || e->pair->name == want->pair->name)) {
        return;
    }
    bool other_key = e->pair && d->exact && !same_key(e->pair, want->pair);
    if (e->odd || other_key) {
        bool same = !other_key && str_eq(head_of(e), head_of(want)) &&
                    str_eq(foot_of(e), foot_of(want)) && str_eq(line_of(e), line_of(want)) &&
                    yaml_same(e->value, want->value);
        d->unsupported = d->unsupported || !same;
        return;
    }
    bool block_text = is_block_text(e->value) && want->value != e->value;
    if (d->exact) {
        edit_head(d, e, want, column);
        edit_foot(d, e, want, column);
    }
    edit_value(d, e->value, at, want->value);
    if (d->exact && !(block_text && !yaml_same(bare(d, e->value, false),
                                               bare(d, want->value, false)))) {
        edit_line(d, e, want);
    }
}

/* --- block maps --- */

static void delete_pairs(struct yaml_diff *d, const struct entry *entries,
                         const struct node_member *const *wanted, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (wanted[i]) {
            continue;
        }
        if (entries[i].own_line) {
            delete_entry(d, &entries[i]);
            continue;
        }
        /* First pair behind a dash: the next one that stays moves up. */
        size_t next = i;
        while (next < n && !wanted[next]) {
            next++;
        }
        if (i || next == n) {
            d->unsupported = true;
            return;
        }
        yaml_splice_add(&d->out, entries[i].from, entries[next].from, STR_NULL);
        i = next - 1;
    }
}

/* Members of want that source lacks go behind the one that they follow there. */
static void add_pairs(struct yaml_diff *d, const struct node *s, const struct node *want,
                      const struct entry *entries, size_t column)
{
    AUTO_MEMBERS ix = {0}, wanted = {0};
    const struct entry *above = NULL, *last = &entries[s->n - 1];
    for (size_t i = 0; i < want->n && !d->unsupported; i++) {
        const struct node_member *m = &want->members[i];
        size_t found = members_find(&ix, s->members, s->n, m->key);
        if (found != MEMBERS_NONE) {
            above = &entries[found];
            continue;
        }
        struct entry e = {.pair = m, .value = m->value};
        if (!d->exact) {
            const struct entry *place = above ? above : last;
            while (place < last && members_find(&wanted, want->members, want->n,
                                                place[1].pair->key) == MEMBERS_NONE) {
                place++; /* behind what is deleted there */
            }
            insert_entry(d, place->end, &e, place, column);
        } else if (above) {
            insert_entry(d, entry_end(d, above), &e, above, column);
        } else if (entries[0].own_line) {
            insert_entry(d, entry_start(d, &entries[0]), &e, NULL, column);
        } else {
            d->unsupported = true;
        }
    }
}

static void edit_map(struct yaml_diff *d, const struct node *s, struct where at,
                     const struct node *want)
{
    AUTO_MEMBERS ix = {0};
    struct entry *entries = arena_array(d->a, struct entry, s->n);
    const struct node_member **wanted = arena_array(d->a, const struct node_member *, s->n);
    size_t kept = 0;
    for (size_t i = 0; entries && wanted && i < s->n; i++) {
        size_t found = members_find(&ix, want->members, want->n, s->members[i].key);
        entries[i] = make_entry(d, &s->members[i], NULL);
        wanted[i] = found == MEMBERS_NONE ? NULL : &want->members[found];
        kept += wanted[i] != NULL;
    }
    if (!entries || !wanted || kept == 0) {
        replace(d, s, at, want);
        return;
    }
    size_t column = column_of(d, entries[0].from);
    delete_pairs(d, entries, wanted, s->n);
    for (size_t i = 0; i < s->n && !d->unsupported; i++) {
        if (wanted[i]) {
            struct entry e = {.pair = wanted[i], .value = wanted[i]->value};
            struct where below = {AT_KEY, column, entries[i].behind, false, false, at.depth + 1};
            edit_entry(d, &entries[i], &e, column, below);
        }
    }
    if (!d->unsupported) {
        add_pairs(d, s, want, entries, column);
    }
}

/* --- flow maps --- */

static void append_flow(struct yaml_diff *d, const struct node *s, struct node *fresh, bool json)
{
    AUTO_BUF b = BUF_INIT;
    const struct node_member *last = &s->members[s->n - 1];
    if (json) {
        json_emit(&b, fresh);
    } else {
        yaml_emit_flow(&b, fresh);
    }
    AUTO_BUF text = BUF_INIT;
    buf_addz(&text, ", ");
    buf_add_str(&text, str_sub(buf_str(&b), 1, b.len - 1)); /* without the braces */
    size_t end = last->value->span_to > last->to ? last->value->span_to : last->to;
    yaml_splice_add(&d->out, end, end, buf_str(&text));
}

static void edit_flow_map(struct yaml_diff *d, const struct node *s, struct where at,
                          const struct node *want)
{
    AUTO_MEMBERS ix = {0}, given = {0};
    struct node fresh = {.type = NODE_MAP};
    bool json = d->text.ptr[s->members[0].from] == '"';
    fresh.members = arena_array(d->a, struct node_member, want->n);
    size_t kept = 0;
    for (size_t i = 0; i < s->n; i++) {
        kept += members_find(&ix, want->members, want->n, s->members[i].key) != MEMBERS_NONE;
    }
    at.json = at.json || json;
    if (kept < s->n || !fresh.members) {
        at.flow = true;
        replace(d, s, at, want);
        return;
    }
    for (size_t i = 0; i < s->n; i++) {
        size_t found = members_find(&ix, want->members, want->n, s->members[i].key);
        struct where below = {.place = AT_KEY, .flow = true, .json = json, .depth = at.depth + 1};
        edit_value(d, s->members[i].value, below, want->members[found].value);
    }
    for (size_t i = 0; i < want->n; i++) {
        if (members_find(&given, s->members, s->n, want->members[i].key) == MEMBERS_NONE) {
            fresh.members[fresh.n++] = want->members[i];
        }
    }
    if (fresh.n) {
        append_flow(d, s, &fresh, json);
    }
}

/* --- block lists --- */

/* Between elements that stay, as many as before are the same ones, changed. Only right when the
 * wanted elements bring their comments along. */
static bool match_gaps(const struct node *s, const struct node *want, size_t *match)
{
    bool found = false;
    for (size_t i = 0, next = 0, end; i < s->n; i = end + 1) {
        for (end = i; end < s->n && match[end] == MEMBERS_NONE; end++) {
        }
        size_t stop = end < s->n ? match[end] : want->n;
        for (size_t k = i; stop - next == end - i && k < end; k++) {
            match[k] = next + (k - i);
            found = true;
        }
        next = stop + 1;
    }
    return found;
}

static void edit_list(struct yaml_diff *d, const struct node *s, struct where at,
                      const struct node *want)
{
    size_t *match = arena_array(d->a, size_t, s->n);
    struct entry *entries = arena_array(d->a, struct entry, s->n);
    bool matched = match && yaml_match_items(s, want, match);
    if (match && !matched) {
        for (size_t i = 0; i < s->n; i++) {
            match[i] = MEMBERS_NONE;
        }
    }
    bool filled = match && d->exact && match_gaps(s, want, match);
    bool lines = entries && (matched || filled);
    for (size_t i = 0; lines && i < s->n; i++) {
        entries[i] = make_entry(d, NULL, s->items[i]);
        lines = !entries[i].odd && entries[i].own_line;
    }
    if (!lines) {
        replace(d, s, at, want);
        return;
    }
    size_t column = column_of(d, entries[0].from), next = 0;
    size_t place = entry_start(d, &entries[0]);
    const struct entry *above = NULL;
    for (size_t i = 0; i <= s->n && !d->unsupported; i++) {
        bool stays = i == s->n || match[i] != MEMBERS_NONE;
        size_t until = i == s->n ? want->n : stays ? match[i] : next;
        for (; next < until; next++) {
            insert_entry(d, place, &(struct entry){.value = want->items[next]}, above, column);
        }
        if (i == s->n) {
            break;
        }
        if (stays) {
            struct entry e = {.value = want->items[next++]};
            struct where below = {AT_DASH, column, entries[i].behind, false, false, at.depth + 1};
            edit_entry(d, &entries[i], &e, column, below);
        } else {
            delete_entry(d, &entries[i]);
        }
        above = &entries[i];
        place = d->exact ? entry_end(d, above) : above->end;
    }
}

/* --- values --- */

static bool same_properties(const struct node *a, const struct node *b)
{
    struct node_notes x = notes_of(a), y = notes_of(b);
    return str_eq(x.anchor, y.anchor) && str_eq(x.tag, y.tag);
}

static void edit_value(struct yaml_diff *d, const struct node *s, struct where at,
                       const struct node *want)
{
    if (s == want || d->unsupported) {
        return;
    }
    if (at.depth > MAX_DEPTH) {
        d->unsupported = true;
        return;
    }
    bool both = s->type == want->type && is_collection(s) && s->n && want->n &&
                same_properties(s, want);
    if (both && !is_flow(s) && !is_flow(want)) {
        if (s->type == NODE_MAP) {
            edit_map(d, s, at, want);
        } else {
            edit_list(d, s, at, want);
        }
    } else if (!yaml_same(bare(d, s, false), bare(d, want, false))) {
        at.flow = at.flow || (both && is_flow(s) && is_flow(want));
        if (both && s->type == NODE_MAP && is_flow(s) && is_flow(want)) {
            edit_flow_map(d, s, at, want);
        } else {
            replace(d, s, at, want);
        }
    }
}

void yaml_diff_tree(struct yaml_diff *d, const struct node *source, const struct node *want)
{
    edit_value(d, source, (struct where){.place = AT_ROOT}, want);
}

int yaml_diff_wide(const struct yaml_diff *d, const struct node *n)
{
    int found = -1;
    for (size_t i = 0; is_collection(n) && !is_flow(n) && i < n->n && found < 0; i++) {
        const struct node *v = n->type == NODE_MAP ? n->members[i].value : n->items[i];
        if (n->type == NODE_MAP && v->type == NODE_LIST && !is_flow(v)) {
            size_t p = yaml_skip_back(d->text, v->items[0]->span_from);
            if (p && d->text.ptr[p - 1] == '-') {
                return column_of(d, p - 1) > column_of(d, n->members[i].from);
            }
        }
        found = yaml_diff_wide(d, v);
    }
    return found;
}
