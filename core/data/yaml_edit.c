/* SPDX-License-Identifier: Apache-2.0
 *
 * Edits of YAML text (yaml.h). The wanted tree is compared with the one in the text, top down;
 * where they differ the bytes of the smallest differing value are replaced (splices), so that
 * comments, blank lines, quotes and order elsewhere stay. The result is parsed again and must equal
 * the wanted tree; for layouts that splicing does not master (complex keys, anchors that lose their
 * definition …) the document is written anew, which loses its comments but never its data.
 */
#include "data/yaml.h"

#include "data/members.h"
#include "data/yaml_emit.h"
#include "data/yaml_item.h"
#include "data/yaml_splice.h"

/* Comparisons that matching two lists may take before the list is replaced as a whole. */
#define MAX_MATCHING 1000000u

/* What a value hangs on. */
enum place { AT_ROOT, AT_KEY, AT_DASH };

struct where {
    enum place place;
    size_t column;  /* of the key or the dash */
    size_t behind;  /* first byte behind the key's text or the dash */
    bool flow;      /* inside [] or {} */
    bool json;      /* inside a map with double-quoted keys: stays JSON */
};

struct edit {
    struct arena *a;
    struct str text;
    struct yaml_splices out;
    struct yaml_layout layout;
    bool unsupported;
};

static void edit_item(struct edit *e, const struct yaml_item *it, struct where w,
                      const struct node *want);

static size_t column_of(const struct edit *e, size_t at)
{
    return at - yaml_line_start(e->text, at);
}

/* Line breaks between two places. */
static bool same_line(const struct edit *e, size_t from, size_t to)
{
    return from >= to || !memchr(e->text.ptr + from, '\n', to - from);
}

static void add_pad(struct buf *b, size_t n)
{
    while (n--) {
        buf_addc(b, ' ');
    }
}

/* --- replacing a value --- */

static void replace_in_flow(struct edit *e, const struct yaml_item *it, struct where w,
                            const struct node *want)
{
    AUTO_BUF b = BUF_INIT;
    if (it->from == it->to && w.place == AT_KEY) { /* `{a}` or `{a: }` */
        size_t p = yaml_skip_back(e->text, it->from);
        bool colon = p && e->text.ptr[p - 1] == ':';
        buf_addz(&b, !colon ? ": " : p == it->from ? " " : "");
    }
    if (w.json) {
        json_emit(&b, want);
    } else {
        yaml_emit_flow(&b, want);
    }
    yaml_splice_add(&e->out, it->from, it->to, buf_str(&b));
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
static void replace_inline(struct edit *e, const struct yaml_item *it, struct where w,
                           const struct node *want)
{
    AUTO_BUF b = BUF_INIT;
    if (w.place == AT_KEY) {
        yaml_emit_value(&b, want, w.column, e->layout);
    } else {
        size_t column = it->from == it->to ? w.column + 2 : column_of(e, it->from);
        add_pad(&b, column - w.column - 1);
        yaml_emit_item(&b, want, column, e->layout);
    }
    struct str head, tail;
    split_text(buf_str(&b), &head, &tail);
    yaml_splice_add(&e->out, yaml_skip_back(e->text, it->from), it->to, head);
    if (tail.len) {
        yaml_splice_add_lines(&e->out, yaml_line_end(e->text, it->to), tail);
    }
}

/* The value has lines of its own, below its key or dash. */
static void replace_lines(struct edit *e, const struct yaml_item *it, struct where w,
                          const struct node *want)
{
    AUTO_BUF b = BUF_INIT;
    if (w.place == AT_KEY) {
        yaml_emit_value(&b, want, w.column, e->layout);
    } else {
        buf_addc(&b, ' ');
        yaml_emit_item(&b, want, w.column + 2, e->layout);
    }
    struct str head, tail;
    split_text(buf_str(&b), &head, &tail);
    size_t from = yaml_line_start(e->text, it->from), to = yaml_line_end(e->text, it->to);
    if (head.len) {
        yaml_splice_add(&e->out, w.behind, w.behind, head);
    }
    bool last = to == e->text.len && to && e->text.ptr[to - 1] != '\n';
    if (last && str_has_suffix(tail, STR("\n"))) {
        tail.len--;
    }
    yaml_splice_add(&e->out, from, to, tail);
}

static void replace_root(struct edit *e, const struct yaml_item *it, const struct node *want)
{
    AUTO_BUF b = BUF_INIT;
    if (!yaml_starts_line(e->text, it->from)) { /* behind `---` */
        size_t to = yaml_line_end(e->text, it->to);
        bool broken = to && e->text.ptr[to - 1] == '\n';
        buf_addc(&b, '\n');
        yaml_emit_lines(&b, want, 0, e->layout);
        yaml_splice_add(&e->out, yaml_skip_back(e->text, it->from), to,
                        str_sub(buf_str(&b), 0, b.len - !broken));
        return;
    }
    yaml_emit_lines(&b, want, 0, e->layout);
    if (it->from == it->to) {
        yaml_splice_add_lines(&e->out, it->from, buf_str(&b));
        return;
    }
    yaml_splice_add(&e->out, yaml_line_start(e->text, it->from), yaml_line_end(e->text, it->to),
                    buf_str(&b));
}

static void replace(struct edit *e, const struct yaml_item *it, struct where w,
                    const struct node *want)
{
    if (w.flow) {
        replace_in_flow(e, it, w, want);
    } else if (w.place == AT_ROOT) {
        replace_root(e, it, want);
    } else if (same_line(e, w.behind, it->from)) {
        replace_inline(e, it, w, want);
    } else if (yaml_starts_line(e->text, it->from)) {
        replace_lines(e, it, w, want);
    } else {
        e->unsupported = true;
    }
}

/* --- maps --- */

static bool is_merge_pair(const struct yaml_item *key)
{
    return key->type == YAML_SCALAR && str_eqz(key->text, "<<") && (key->plain || key->tag.ptr);
}

/* One explicit pair of a map: its members in the old and the wanted tree. */
struct pair {
    const struct yaml_item *key, *value;
    struct str name;
    const struct node *want; /* NULL: goes */
};

/* Pairs in source order; merge keys are skipped. Explicit members come first in it->node, in the
 * same order. */
static struct pair *list_pairs(struct edit *e, const struct yaml_item *it, const struct node *want,
                               size_t *out_n)
{
    AUTO_MEMBERS ix = {0};
    struct pair *pairs = arena_array(e->a, struct pair, it->n / 2 + 1);
    size_t n = 0;
    for (size_t i = 0; pairs && i < it->n; i += 2) {
        if (is_merge_pair(it->items[i])) {
            continue;
        }
        if (n >= it->node->n) {
            return NULL;
        }
        struct pair p = {it->items[i], it->items[i + 1], it->node->members[n].key, NULL};
        size_t at = members_find(&ix, want->members, want->n, p.name);
        p.want = at == MEMBERS_NONE ? NULL : want->members[at].value;
        pairs[n++] = p;
    }
    *out_n = n;
    return pairs;
}

static size_t behind_key(struct edit *e, const struct pair *p)
{
    size_t at = p->key->to;
    while (at < e->text.len && (e->text.ptr[at] == ' ' || e->text.ptr[at] == '\t')) {
        at++;
    }
    if (at == e->text.len || e->text.ptr[at] != ':') {
        e->unsupported = true;
        return p->key->to;
    }
    return at + 1;
}

static void delete_pairs(struct edit *e, const struct pair *pairs, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct pair *p = &pairs[i];
        if (p->want) {
            continue;
        }
        if (yaml_starts_line(e->text, p->key->from)) {
            size_t end = p->value->to > p->key->to ? p->value->to : p->key->to;
            yaml_splice_add(&e->out, yaml_line_start(e->text, p->key->from),
                            yaml_line_end(e->text, end), STR_NULL);
            continue;
        }
        /* First pair behind a dash: the next one that stays moves up. */
        size_t next = i;
        while (next < n && !pairs[next].want) {
            next++;
        }
        if (i || next == n) {
            e->unsupported = true;
            return;
        }
        yaml_splice_add(&e->out, p->key->from, pairs[next].key->from, STR_NULL);
        i = next - 1;
    }
}

/* Members of want that the text does not give yet: neither as pairs nor through merge keys. */
static struct node *new_members(struct edit *e, const struct yaml_item *it,
                                const struct node *want, size_t n_pairs)
{
    AUTO_MEMBERS ix = {0};
    struct node *fresh = node_map(e->a);
    struct node_member *members = arena_array(e->a, struct node_member, want->n);
    if (!fresh || !members) {
        return NULL;
    }
    fresh->members = members;
    fresh->cap = want->n;
    for (size_t i = 0; i < want->n; i++) {
        struct node_member m = want->members[i];
        size_t at = members_find(&ix, it->node->members, it->node->n, m.key);
        bool merged = at != MEMBERS_NONE && at >= n_pairs;
        if (at == MEMBERS_NONE || (merged && !node_equal(it->node->members[at].value, m.value))) {
            members[fresh->n++] = m;
        }
    }
    return fresh;
}

static void append_block(struct edit *e, const struct yaml_item *it, const struct node *fresh,
                         size_t column)
{
    AUTO_BUF b = BUF_INIT;
    const struct yaml_item *last = it->items[it->n - 1], *key = it->items[it->n - 2];
    yaml_emit_lines(&b, fresh, column, e->layout);
    size_t end = last->to > key->to ? last->to : key->to;
    yaml_splice_add_lines(&e->out, yaml_line_end(e->text, end), buf_str(&b));
}

static void append_flow(struct edit *e, const struct yaml_item *it, const struct node *fresh,
                        bool json)
{
    AUTO_BUF b = BUF_INIT;
    const struct yaml_item *last = it->items[it->n - 1], *key = it->items[it->n - 2];
    if (json) {
        json_emit(&b, fresh);
    } else {
        yaml_emit_flow(&b, fresh);
    }
    AUTO_BUF text = BUF_INIT;
    buf_addz(&text, ", ");
    buf_add_str(&text, str_sub(buf_str(&b), 1, b.len - 1)); /* without the braces */
    size_t end = last->to > key->to ? last->to : key->to;
    yaml_splice_add(&e->out, end, end, buf_str(&text));
}

static void edit_map(struct edit *e, const struct yaml_item *it, struct where w,
                     const struct node *want)
{
    size_t n = 0, kept = 0;
    struct pair *pairs = list_pairs(e, it, want, &n);
    for (size_t i = 0; pairs && i < n; i++) {
        kept += pairs[i].want != NULL;
    }
    bool json = it->flow && e->text.ptr[it->items[0]->from] == '"';
    if (!pairs || (n && kept == 0) || (it->flow && kept < n)) {
        w.json = w.json || json;
        w.flow = w.flow || (it->flow && it->n && want->n);
        replace(e, it, w, want);
        return;
    }
    size_t column = column_of(e, it->items[0]->from);
    delete_pairs(e, pairs, n);
    for (size_t i = 0; i < n; i++) {
        if (pairs[i].want) {
            struct where below = {AT_KEY, column, 0, it->flow, json};
            if (!it->flow && pairs[i].want != pairs[i].value->node) {
                below.behind = behind_key(e, &pairs[i]);
            }
            edit_item(e, pairs[i].value, below, pairs[i].want);
        }
    }
    struct node *fresh = new_members(e, it, want, n);
    if (fresh && fresh->n && it->flow) {
        append_flow(e, it, fresh, json);
    } else if (fresh && fresh->n) {
        append_block(e, it, fresh, column);
    }
}

/* --- lists --- */

/* Elements with the same identity are the same element with other values. */
static bool same_element(const struct node *a, const struct node *b)
{
    static const char *const names[] = {"type", "conditionType", "name", NULL};
    for (size_t i = 0; names[i]; i++) {
        struct str x = node_text(node_getz(a, names[i]));
        struct str y = node_text(node_getz(b, names[i]));
        if (x.len || y.len) {
            return str_eq(x, y);
        }
    }
    return false;
}

/* match[i] = element of want that old element i becomes, or MEMBERS_NONE; ascending. */
static size_t match_elements(const struct node *old, const struct node *want, size_t *match)
{
    size_t j = 0, found = 0;
    for (size_t i = 0; i < old->n; i++) {
        size_t k = j;
        while (k < want->n && !node_equal(old->items[i], want->items[k]) &&
               !same_element(old->items[i], want->items[k])) {
            k++;
        }
        match[i] = k < want->n ? k : MEMBERS_NONE;
        if (k < want->n) {
            j = k + 1;
            found++;
        }
    }
    return found;
}

/* Place of the dash before an element; false when it does not stand in the element's line. */
static bool find_dash(const struct edit *e, const struct yaml_item *element, size_t *out)
{
    size_t p = yaml_skip_back(e->text, element->from);
    if (p == 0 || e->text.ptr[p - 1] != '-') {
        return false;
    }
    *out = p - 1;
    return true;
}

static void insert_elements(struct edit *e, size_t at, size_t column, const struct node *want,
                            size_t from, size_t to)
{
    AUTO_BUF b = BUF_INIT;
    for (size_t i = from; i < to; i++) {
        add_pad(&b, column);
        buf_addz(&b, "- ");
        yaml_emit_item(&b, want->items[i], column + 2, e->layout);
    }
    if (b.len) {
        yaml_splice_add_lines(&e->out, at, buf_str(&b));
    }
}

/* The elements of a block list, all with their dash at the start of a line. */
static void edit_elements(struct edit *e, const struct yaml_item *it, const struct node *want,
                          const size_t *match, size_t column, const size_t *dashes)
{
    size_t next = 0; /* first element of want that is not in the text yet */
    size_t at = yaml_line_start(e->text, dashes[0]);
    for (size_t i = 0; i < it->n; i++) {
        const struct yaml_item *element = it->items[i];
        size_t end = element->to > dashes[i] ? element->to : dashes[i] + 1;
        if (match[i] == MEMBERS_NONE) {
            yaml_splice_add(&e->out, yaml_line_start(e->text, dashes[i]),
                            yaml_line_end(e->text, end), STR_NULL);
        } else {
            insert_elements(e, at, column, want, next, match[i]);
            next = match[i] + 1;
            struct where w = {AT_DASH, column, dashes[i] + 1, false, false};
            edit_item(e, element, w, want->items[match[i]]);
        }
        at = yaml_line_end(e->text, end);
    }
    insert_elements(e, at, column, want, next, want->n);
}

static void edit_list(struct edit *e, const struct yaml_item *it, struct where w,
                      const struct node *want)
{
    const struct node *old = it->node;
    size_t *match = arena_array(e->a, size_t, it->n);
    size_t *dashes = arena_array(e->a, size_t, it->n);
    bool lines = match && dashes && !it->flow && want->n && old->n == it->n &&
                 (double)it->n * (double)want->n <= MAX_MATCHING &&
                 match_elements(old, want, match);
    for (size_t i = 0; lines && i < it->n; i++) {
        lines = find_dash(e, it->items[i], &dashes[i]) && yaml_starts_line(e->text, dashes[i]);
    }
    if (!lines) {
        w.flow = w.flow || (it->flow && it->n && want->n);
        replace(e, it, w, want);
        return;
    }
    edit_elements(e, it, want, match, column_of(e, dashes[0]), dashes);
}

static void edit_item(struct edit *e, const struct yaml_item *it, struct where w,
                      const struct node *want)
{
    if (it->node == want || !it->node || e->unsupported) {
        e->unsupported = e->unsupported || !it->node;
        return;
    }
    if (node_equal(it->node, want)) {
        return;
    }
    if (it->type == YAML_MAP && it->n && node_is(want, NODE_MAP)) {
        edit_map(e, it, w, want);
    } else if (it->type == YAML_LIST && it->n && node_is(want, NODE_LIST)) {
        edit_list(e, it, w, want);
    } else {
        replace(e, it, w, want);
    }
}

/* --- documents --- */

/* 1 when the document writes lists deeper than their keys, 0 when not, -1 when it has none. */
static int sniff_wide(const struct edit *e, const struct yaml_item *it)
{
    int found = -1;
    for (size_t i = 0; it->type != YAML_ALIAS && !it->flow && i < it->n && found < 0; i++) {
        const struct yaml_item *v = it->items[i];
        bool value = it->type == YAML_MAP && i % 2;
        if (value && v->type == YAML_LIST && !v->flow && v->n) {
            size_t dash;
            if (find_dash(e, v->items[0], &dash)) {
                return column_of(e, dash) > column_of(e, it->items[i - 1]->from);
            }
        }
        found = sniff_wide(e, v);
    }
    return found;
}

/* The text holds `want` as its first document. */
static bool holds(struct arena *a, struct str text, const struct node *want)
{
    AUTO_ERR ignored = ERR_INIT;
    const struct node *got = text.ptr ? yaml_parse(a, text, NULL, &ignored) : NULL;
    return node_equal(got, want);
}

/* The document written anew in the place of the old one. */
static struct str rewrite(struct edit *e, const struct yaml_item *root, const struct node *want)
{
    e->out.n = 0;
    replace_root(e, root, want);
    return yaml_splice_apply(&e->out);
}

static struct str append_document(struct edit *e, const struct node *want)
{
    AUTO_BUF b = BUF_INIT;
    buf_add_str(&b, e->text);
    if (b.len && b.ptr[b.len - 1] != '\n') {
        buf_addz(&b, e->out.crlf ? "\r\n" : "\n");
    }
    size_t at = b.len;
    yaml_emit(&b, want);
    e->out.n = 0;
    e->out.source = str_sub(buf_str(&b), 0, at);
    yaml_splice_add(&e->out, at, at, str_sub(buf_str(&b), at, b.len));
    return yaml_splice_apply(&e->out);
}

static int edit_document(struct edit *e, struct yaml_item *root, const struct node *want,
                         struct str *out, struct err *err)
{
    struct str result;
    if (!root) {
        result = append_document(e, want);
    } else {
        /* a Kptfile without lists gets them as kpt would write them */
        int wide = sniff_wide(e, root);
        e->layout.wide = wide < 0 ? str_eqz(node_text_at(want, "kind"), "Kptfile") : wide;
        edit_item(e, root, (struct where){.place = AT_ROOT}, want);
        result = e->unsupported ? STR_NULL : yaml_splice_apply(&e->out);
        if (!holds(e->a, result, want)) {
            result = rewrite(e, root, want);
        }
    }
    if (!holds(e->a, result, want)) {
        return e->a->exhausted ? err_set(err, ERR_BAD_REQUEST, "yaml: document is too large")
                               : err_set(err, ERR_BAD_REQUEST,
                                         "cannot write the value into the YAML document");
    }
    *out = result;
    return 0;
}

static int load(struct arena *a, struct str text, struct yaml_item **root, struct err *err)
{
    AUTO_YAML_LOADER *l = yaml_loader_new(a, text, err);
    if (!l || yaml_loader_next(l, root, err)) {
        return -1;
    }
    return *root && !yaml_item_resolve(a, *root, NULL, err) ? -1 : 0;
}

static struct edit make_edit(struct arena *a, struct str text)
{
    ptrdiff_t nl = str_find_byte(text, '\n');
    bool crlf = nl > 0 && text.ptr[nl - 1] == '\r';
    return (struct edit){.a = a, .text = text, .out = {.a = a, .source = text, .crlf = crlf}};
}

int yaml_edit_tree(struct arena *a, struct str text, const struct node *want, struct str *out,
                   struct err *err)
{
    struct yaml_item *root = NULL;
    if (load(a, text, &root, err)) {
        return -1;
    }
    struct edit e = make_edit(a, text);
    return edit_document(&e, root, want, out, err);
}

/* A copy of the maps along the path with the value set (NULL: deleted); everything else is shared
 * with `old`, and `old` itself comes back when nothing changes. NULL when the path is blocked. */
static const struct node *with_value(struct arena *a, const struct node *old,
                                     const struct str *path, size_t n_path,
                                     const struct node *value)
{
    if (n_path == 0) {
        return value;
    }
    if (old && old->type != NODE_MAP && old->type != NODE_NULL) {
        return value ? NULL : old;
    }
    const struct node *below = node_get(old, path[0]);
    if (!value && !below) {
        return old;
    }
    const struct node *v = with_value(a, below, path + 1, n_path - 1, value);
    bool removes = !value && n_path == 1;
    if (!removes && (!v || v == below)) {
        return v ? old : NULL;
    }
    size_t n_old = node_is(old, NODE_MAP) ? old->n : 0;
    struct node *map = node_map(a);
    struct node_member *members = arena_array(a, struct node_member, n_old + 1);
    if (!map || !members) {
        return NULL;
    }
    map->members = members;
    map->cap = n_old + 1;
    for (size_t i = 0; i < n_old; i++) {
        struct node_member m = old->members[i];
        bool here = str_eq(m.key, path[0]);
        if (!here || !removes) {
            members[map->n++] = (struct node_member){m.key, here ? (struct node *)v : m.value};
        }
    }
    if (!below) {
        members[map->n++] = (struct node_member){path[0], (struct node *)v};
    }
    return map;
}

int yaml_edit_set(struct arena *a, struct str text, const struct str *path, size_t n_path,
                  const struct node *value, struct str *out, struct err *err)
{
    struct yaml_item *root = NULL;
    if (load(a, text, &root, err)) {
        return -1;
    }
    const struct node *old = root ? root->node : NULL;
    const struct node *want = with_value(a, old, path, n_path, value);
    if (!want && value) {
        return a->exhausted ? err_set(err, ERR_BAD_REQUEST, "yaml: document is too large")
                            : err_set(err, ERR_BAD_REQUEST,
                                      "cannot set '%.*s': a parent is not a map",
                                      STR_ARG(n_path ? path[n_path - 1] : STR_NULL));
    }
    if (want == old) {
        *out = text;
        return 0;
    }
    struct edit e = make_edit(a, text);
    return edit_document(&e, root, want, out, err);
}
