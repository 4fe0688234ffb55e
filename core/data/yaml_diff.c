/* SPDX-License-Identifier: Apache-2.0
 *
 * See yaml_diff.h. The trees are compared from the root down; where they differ, the bytes of the
 * smallest differing value or the comment lines of its entry (yaml_entry.h) are replaced. Who uses
 * this checks the result, because not every layout can be changed so; then `unsupported` is set or
 * the result differs. Recursion follows differences only, and gives up where no file needs it.
 */
#include "data/yaml_diff.h"

#include "base/limits.h"
#include "data/members.h"
#include "data/yaml_doc.h"
#include "data/yaml_entry.h"
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

static void edit_value(struct yaml_diff *d, const struct node *s, struct where at,
                       const struct node *want);

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
        d->json = true;
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
        size_t column = empty ? at.column + 2 : yaml_column_of(d, s->span_from);
        yaml_add_pad(&b, column - at.column - 1);
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
        const struct node *owner = s->n == 0 || !yaml_is_collection(s) ? s
                                   : s->type == NODE_MAP          ? s->members[0].name
                                                                  : s->items[0];
        from = yaml_head_start(d, from, yaml_count_lines(yaml_notes_of(owner).head));
        to = yaml_foot_end(d, to, yaml_count_feet(s));
    }
    yaml_splice_add(&d->out, from, to, buf_str(&b));
}

/* The node without the comments that stand outside its bytes; a block text keeps its line. */
static const struct node *bare(struct yaml_diff *d, const struct node *n, bool keep_line)
{
    struct node_notes notes = yaml_notes_of(n);
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
    want = bare(d, want, yaml_is_block_text(s));
    if (at.flow) {
        replace_in_flow(d, s, at, want);
    } else if (yaml_same_line(d, at.behind, s->span_from)) {
        replace_inline(d, s, at, want);
    } else if (yaml_starts_line(d->text, s->span_from)) {
        replace_lines(d, s, at, want);
    } else {
        d->unsupported = true;
    }
}

/* Equal but for the comments around them, which are their entries'. */
static bool same_inside(struct yaml_diff *d, const struct node *s, const struct node *want)
{
    return yaml_same(bare(d, s, false), bare(d, want, false));
}

static void replace_changed(struct yaml_diff *d, const struct node *s, struct where at,
                            const struct node *want)
{
    if (!same_inside(d, s, want)) {
        replace(d, s, at, want);
    }
}

/* --- entries --- */

static bool same_key(const struct node_member *a, const struct node_member *b)
{
    struct node_notes x = yaml_notes_of(a->name), y = yaml_notes_of(b->name);
    bool styles = (a->name ? a->name->style : 0) == (b->name ? b->name->style : 0);
    return styles && str_eq(x.anchor, y.anchor) && str_eq(x.tag, y.tag);
}

static void edit_entry(struct yaml_diff *d, const struct yaml_entry *e,
                       const struct yaml_entry *want, size_t column, struct where at)
{
    if (e->value == want->value && (!e->pair || e->pair->name == want->pair->name)) {
        return;
    }
    bool other_key = e->pair && d->exact && !same_key(e->pair, want->pair);
    if (e->odd || other_key) {
        bool same = !other_key && str_eq(yaml_entry_head(e), yaml_entry_head(want)) &&
                    str_eq(yaml_entry_foot(e), yaml_entry_foot(want)) &&
                    str_eq(yaml_entry_line(e), yaml_entry_line(want)) &&
                    yaml_same(e->value, want->value);
        d->unsupported = d->unsupported || !same;
        return;
    }
    bool block_text = yaml_is_block_text(e->value) && want->value != e->value;
    if (d->exact) {
        yaml_entry_edit_head(d, e, want, column);
        yaml_entry_edit_foot(d, e, want, column);
    }
    edit_value(d, e->value, at, want->value);
    if (d->exact && !(block_text && !yaml_same(bare(d, e->value, false),
                                               bare(d, want->value, false)))) {
        yaml_entry_edit_line(d, e, want);
    }
}

/* --- block maps --- */

static void delete_pairs(struct yaml_diff *d, const struct yaml_entry *entries,
                         const struct node_member *const *wanted, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (wanted[i]) {
            continue;
        }
        if (entries[i].own_line) {
            yaml_entry_delete(d, &entries[i]);
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
                      const struct yaml_entry *entries, size_t column)
{
    AUTO_MEMBERS ix = {0}, wanted = {0};
    const struct yaml_entry *above = NULL, *last = &entries[s->n - 1];
    for (size_t i = 0; i < want->n && !d->unsupported; i++) {
        const struct node_member *m = &want->members[i];
        size_t found = members_find(&ix, s->members, s->n, m->key);
        if (found != MEMBERS_NONE) {
            above = &entries[found];
            continue;
        }
        struct yaml_entry e = {.pair = m, .value = m->value};
        if (!d->exact) {
            const struct yaml_entry *place = above ? above : last;
            while (place < last && members_find(&wanted, want->members, want->n,
                                                place[1].pair->key) == MEMBERS_NONE) {
                place++; /* behind what is deleted there */
            }
            yaml_entry_insert(d, place->end, &e, place, column);
        } else if (above) {
            yaml_entry_insert(d, yaml_entry_end(d, above), &e, above, column);
        } else if (entries[0].own_line) {
            yaml_entry_insert(d, yaml_entry_start(d, &entries[0]), &e, NULL, column);
        } else {
            d->unsupported = true;
        }
    }
}

/* The wanted pair for pair i: at the same place, so that duplicates stay apart, or the first. */
static size_t find_wanted(struct members *ix, const struct node *want, const struct node *s,
                          size_t i)
{
    struct str key = s->members[i].key;
    bool same = i < want->n && str_eq(want->members[i].key, key);
    return same ? i : members_find(ix, want->members, want->n, key);
}

static void edit_map(struct yaml_diff *d, const struct node *s, struct where at,
                     const struct node *want)
{
    AUTO_MEMBERS ix = {0};
    struct yaml_entry *entries = arena_array(d->a, struct yaml_entry, s->n);
    const struct node_member **wanted = arena_array(d->a, const struct node_member *, s->n);
    size_t kept = 0;
    for (size_t i = 0; entries && wanted && i < s->n; i++) {
        size_t found = find_wanted(&ix, want, s, i);
        entries[i] = yaml_entry_make(d, &s->members[i], NULL);
        wanted[i] = found == MEMBERS_NONE ? NULL : &want->members[found];
        kept += wanted[i] != NULL;
    }
    if (!entries || !wanted || kept == 0) {
        replace(d, s, at, want);
        return;
    }
    size_t column = yaml_column_of(d, entries[0].from);
    delete_pairs(d, entries, wanted, s->n);
    for (size_t i = 0; i < s->n && !d->unsupported; i++) {
        if (wanted[i]) {
            struct yaml_entry e = {.pair = wanted[i], .value = wanted[i]->value};
            struct where below = {AT_KEY, column, entries[i].behind, false, false, at.depth + 1};
            edit_entry(d, &entries[i], &e, column, below);
        }
    }
    if (!d->unsupported) {
        add_pairs(d, s, want, entries, column);
    }
}

/* --- flow collections --- */

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

/* Elements in brackets, as many as before. */
static void edit_flow_list(struct yaml_diff *d, const struct node *s, struct where at,
                           const struct node *want)
{
    struct where below = {.place = AT_DASH, .flow = true, .json = at.json, .depth = at.depth + 1};
    for (size_t i = 0; i < s->n; i++) {
        edit_value(d, s->items[i], below, want->items[i]);
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
    struct yaml_entry *entries = arena_array(d->a, struct yaml_entry, s->n);
    bool matched = match && yaml_match_items(s, want, match);
    if (match && !matched) {
        for (size_t i = 0; i < s->n; i++) {
            match[i] = MEMBERS_NONE;
        }
    }
    bool filled = match && d->exact && match_gaps(s, want, match);
    bool lines = entries && (matched || filled);
    for (size_t i = 0; lines && i < s->n; i++) {
        entries[i] = yaml_entry_make(d, NULL, s->items[i]);
        lines = !entries[i].odd && entries[i].own_line;
    }
    if (!lines) {
        replace_changed(d, s, at, want);
        return;
    }
    size_t column = yaml_column_of(d, entries[0].from), next = 0;
    size_t place = yaml_entry_start(d, &entries[0]);
    const struct yaml_entry *above = NULL;
    for (size_t i = 0; i <= s->n && !d->unsupported; i++) {
        bool stays = i == s->n || match[i] != MEMBERS_NONE;
        size_t until = i == s->n ? want->n : stays ? match[i] : next;
        for (; next < until; next++) {
            yaml_entry_insert(d, place, &(struct yaml_entry){.value = want->items[next]}, above,
                              column);
        }
        if (i == s->n) {
            break;
        }
        if (stays) {
            struct yaml_entry e = {.value = want->items[next++]};
            struct where below = {AT_DASH, column, entries[i].behind, false, false, at.depth + 1};
            edit_entry(d, &entries[i], &e, column, below);
        } else {
            yaml_entry_delete(d, &entries[i]);
        }
        above = &entries[i];
        place = d->exact ? yaml_entry_end(d, above) : above->end;
    }
}

/* --- values --- */

static bool same_properties(const struct node *a, const struct node *b)
{
    struct node_notes x = yaml_notes_of(a), y = yaml_notes_of(b);
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
    bool both = s->type == want->type && yaml_is_collection(s) && s->n && want->n &&
                same_properties(s, want);
    if (both && !yaml_is_flow(s) && !yaml_is_flow(want)) {
        if (s->type == NODE_MAP) {
            edit_map(d, s, at, want);
        } else {
            edit_list(d, s, at, want);
        }
        return;
    }
    bool flow = both && yaml_is_flow(s) && yaml_is_flow(want);
    at.flow = at.flow || flow;
    if (flow && s->type == NODE_MAP && !same_inside(d, s, want)) {
        edit_flow_map(d, s, at, want);
    } else if (flow && s->type == NODE_LIST && s->n == want->n) {
        edit_flow_list(d, s, at, want);
    } else {
        replace_changed(d, s, at, want);
    }
}

void yaml_diff_tree(struct yaml_diff *d, const struct node *source, const struct node *want)
{
    edit_value(d, source, (struct where){.place = AT_ROOT}, want);
}

int yaml_diff_wide(const struct yaml_diff *d, const struct node *root)
{
    struct level {
        const struct node *n;
        size_t i;
    } at = {root, 0};
    AUTO_BUF stack = BUF_INIT;
    buf_add(&stack, &at, sizeof(at));
    while (stack.len) {
        stack.len -= sizeof(at);
        memcpy(&at, stack.ptr + stack.len, sizeof(at));
        if (!yaml_is_collection(at.n) || yaml_is_flow(at.n) || at.i == at.n->n) {
            continue;
        }
        bool map = at.n->type == NODE_MAP;
        const struct node *v = map ? at.n->members[at.i].value : at.n->items[at.i];
        if (map && v->type == NODE_LIST && !yaml_is_flow(v)) {
            size_t p = yaml_skip_back(d->text, v->items[0]->span_from);
            if (p && d->text.ptr[p - 1] == '-') {
                return yaml_column_of(d, p - 1) > yaml_column_of(d, at.n->members[at.i].from);
            }
        }
        struct level below = {v, 0};
        at.i++;
        buf_add(&stack, &at, sizeof(at));
        buf_add(&stack, &below, sizeof(below));
    }
    return -1;
}
