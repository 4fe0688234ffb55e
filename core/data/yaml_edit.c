/* SPDX-License-Identifier: Apache-2.0
 *
 * Edits of YAML text (yaml.h). Wanted values become a wanted tree that shares with the tree of the
 * text whatever stays (yaml_graft.c), and the text changes where the two trees differ
 * (yaml_diff.c). The result is read again and must be what was wanted; for layouts that defeat the
 * changes (complex keys, anchors that lose their definition …) the document is written anew.
 */
#include "data/yaml.h"

#include "base/limits.h"
#include "data/yaml_diff.h"
#include "data/yaml_doc.h"
#include "data/yaml_graft.h"
#include "data/yaml_token.h"
#include "data/yaml_values.h"

static int read_first(struct arena *a, struct str text, size_t depth, struct yaml_docs *out,
                      struct err *err)
{
    return yaml_read(a, text, &(struct yaml_limits){depth, .documents = 1, .slash = true}, out,
                     NULL, err);
}

/* The text holds `want` as its first document. */
static bool holds_values(struct arena *a, struct str text, const struct node *want)
{
    AUTO_ERR ignored = ERR_INIT;
    const struct node *got = text.ptr ? yaml_parse(a, text, NULL, &ignored) : NULL;
    return node_equal(got, want);
}

static bool holds_tree(struct arena *a, struct str text, const struct node *want)
{
    AUTO_ERR ignored = ERR_INIT;
    struct yaml_docs docs;
    struct node root = *want; /* the comments of its document are no part of it here */
    struct node_notes notes = want->notes ? *want->notes : (struct node_notes){0};
    notes.top = notes.bottom = STR_NULL;
    root.notes = &notes;
    return text.ptr && read_first(a, text, 0, &docs, &ignored) == 0 && docs.n &&
           yaml_same(docs.list->root, &root);
}

/* The least that an edit owes: the data, if comments had to move. */
static bool holds_data(struct arena *a, struct str text, const struct node *want)
{
    AUTO_ERR ignored = ERR_INIT;
    struct yaml_docs docs;
    return text.ptr && read_first(a, text, 0, &docs, &ignored) == 0 && docs.n &&
           node_equal(docs.list->root, want);
}

static struct yaml_diff make_diff(struct arena *a, struct str text, const struct node *root,
                                  const struct node *want)
{
    ptrdiff_t nl = str_find_byte(text, '\n');
    bool crlf = nl > 0 && text.ptr[nl - 1] == '\r';
    struct yaml_diff d = {.a = a, .text = text};
    d.out = (struct yaml_splices){.a = a, .source = text, .crlf = crlf};
    /* a Kptfile without lists gets them as kpt would write them */
    int wide = root ? yaml_diff_wide(&d, root) : -1;
    d.layout.wide = wide < 0 ? str_eqz(node_text_at(want, "kind"), "Kptfile") : wide;
    return d;
}

static struct str change(struct yaml_diff *d, const struct node *root, const struct node *want)
{
    yaml_diff_tree(d, root, want);
    return d->unsupported ? STR_NULL : yaml_splice_apply(&d->out);
}

/* The document written anew in the place of the old one. */
static struct str rewrite(struct yaml_diff *d, const struct node *root, const struct node *want)
{
    d->out.n = 0;
    d->out.overlap = false;
    yaml_diff_root(d, root, want);
    return yaml_splice_apply(&d->out);
}

static struct str append_document(struct yaml_diff *d, const struct node *want)
{
    AUTO_BUF b = BUF_INIT;
    buf_add_str(&b, d->text);
    if (b.len && b.ptr[b.len - 1] != '\n') {
        buf_addz(&b, d->out.crlf ? "\r\n" : "\n");
    }
    size_t at = b.len;
    yaml_emit(&b, want);
    d->out.source = str_sub(buf_str(&b), 0, at);
    yaml_splice_add(&d->out, at, at, str_sub(buf_str(&b), at, b.len));
    return yaml_splice_apply(&d->out);
}

static int fail(const struct arena *a, struct err *err)
{
    return a->exhausted ? err_set(err, ERR_BAD_REQUEST, "yaml: document is too large")
                        : err_set(err, ERR_BAD_REQUEST,
                                  "cannot write the value into the YAML document");
}

/* root: NULL when the text has no document. */
static int edit_document(struct arena *a, struct str text, struct node *root,
                         const struct node *values, const struct node *want, struct str *out,
                         struct err *err)
{
    struct yaml_diff d = make_diff(a, text, root, want);
    struct str result;
    if (!root) {
        result = append_document(&d, want);
    } else {
        const struct node *tree = yaml_graft(a, root, values, want);
        result = tree ? change(&d, root, tree) : STR_NULL;
        if (holds_values(a, result, want)) {
            *out = result;
            return 0;
        }
        result = rewrite(&d, root, want);
    }
    if (!holds_values(a, result, want)) {
        return fail(a, err);
    }
    *out = result;
    return 0;
}

static int load(struct arena *a, struct str text, struct node **root, struct node **values,
                struct err *err)
{
    struct yaml_docs docs;
    if (read_first(a, text, LIMIT_JSON_DEPTH, &docs, err)) {
        return -1;
    }
    *root = docs.n ? docs.list->root : NULL;
    *values = docs.n ? yaml_values(a, text, *root, NULL, err) : NULL;
    return docs.n && !*values ? -1 : 0;
}

int yaml_edit_values(struct arena *a, struct str text, const struct node *want, struct str *out,
                     struct err *err)
{
    struct node *root, *values;
    if (load(a, text, &root, &values, err)) {
        return -1;
    }
    return edit_document(a, text, root, values, want, out, err);
}

/* The whole document written anew, with its own comments, when no other follows it. */
static struct str write_document(struct arena *a, struct str text, const struct yaml_doc *source,
                                 const struct node *want, bool wide)
{
    AUTO_ERR ignored = ERR_INIT;
    struct yaml_docs all;
    if (yaml_read(a, text, &(struct yaml_limits){.slash = true}, &all, NULL, &ignored) ||
        all.n > 1) {
        return STR_NULL;
    }
    struct yaml_doc doc = *source;
    doc.root = (struct node *)want;
    AUTO_BUF b = BUF_INIT;
    yaml_write(&b, &(struct yaml_docs){&doc, 1}, &(struct yaml_form){.wide = wide});
    return arena_str(a, buf_str(&b));
}

int yaml_edit_tree(struct arena *a, struct str text, const struct node *want, struct str *out,
                   struct err *err)
{
    struct yaml_docs docs;
    struct str plain = yaml_as_utf8(a, text);
    if (read_first(a, plain, 0, &docs, err) ||
        yaml_edit_doc(a, plain, docs.n ? docs.list : NULL, want, out, err)) {
        return -1;
    }
    if (out->ptr == plain.ptr) {
        *out = text;
    }
    return 0;
}

int yaml_edit_doc(struct arena *a, struct str text, const struct yaml_doc *doc,
                  const struct node *want, struct str *out, struct err *err)
{
    const struct node *root = doc ? doc->root : NULL;
    struct yaml_diff d = make_diff(a, text, root, want);
    d.exact = true;
    if (root && yaml_same(root, want)) {
        *out = text;
        return 0;
    }
    struct str result = root ? change(&d, root, want) : append_document(&d, want);
    bool data_only = !root || d.json;
    bool held = data_only ? holds_data(a, result, want) : holds_tree(a, result, want);
    if (!held && root) {
        result = rewrite(&d, root, want);
        held = holds_data(a, result, want);
    }
    if (!held && root) {
        result = write_document(a, text, doc, want, d.layout.wide);
        held = holds_data(a, result, want);
    }
    *out = result;
    return held ? 0 : fail(a, err);
}

/* A copy of the maps along the path with the value set (NULL: deleted); everything else is shared
 * with `old`, and `old` itself comes back when nothing changes. A new member stands behind `follow`,
 * or last. NULL when the path is blocked. */
static const struct node *with_value(struct arena *a, const struct node *old,
                                     const struct str *path, size_t n_path,
                                     const struct node *value, struct str follow)
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
    const struct node *v = with_value(a, below, path + 1, n_path - 1, value, follow);
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
    bool missing = !below;
    for (size_t i = 0; i < n_old; i++) {
        struct node_member m = old->members[i];
        bool here = str_eq(m.key, path[0]);
        if (!here || !removes) {
            members[map->n++] = (struct node_member){m.key, here ? (struct node *)v : m.value};
        }
        if (missing && n_path == 1 && follow.len && str_eq(m.key, follow)) {
            members[map->n++] = (struct node_member){path[0], (struct node *)v};
            missing = false;
        }
    }
    if (missing) {
        members[map->n++] = (struct node_member){path[0], (struct node *)v};
    }
    return map;
}

int yaml_edit_set(struct arena *a, struct str text, const struct str *path, size_t n_path,
                  const struct node *value, struct str *out, struct err *err)
{
    return yaml_edit_put(a, text, path, n_path, value, STR_NULL, out, err);
}

int yaml_edit_put(struct arena *a, struct str text, const struct str *path, size_t n_path,
                  const struct node *value, struct str follow, struct str *out, struct err *err)
{
    struct node *root, *old;
    if (load(a, text, &root, &old, err)) {
        return -1;
    }
    const struct node *want = with_value(a, old, path, n_path, value, follow);
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
    return edit_document(a, text, root, old, want, out, err);
}
