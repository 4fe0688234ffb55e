/* SPDX-License-Identifier: Apache-2.0
 *
 * Writing resources.h: items by their path and index into files. With `keep`, a file is put
 * together from the parts it had: those whose resource did not change as they are, changed ones
 * edited, new ones written in between.
 */
#include <stdlib.h>

#include "base/limits.h"
#include "data/yaml.h"
#include "data/yaml_doc.h"
#include "krm/annotation.h"
#include "krm/resource_part.h"

/* How many resources are looked at for the one that a part without the right index holds. */
#define PAIR_REACH 64

static const char *const reader_keys[] = {
    KRM_OLD_INDEX, KRM_OLD_PATH, KRM_INDEX, KRM_PATH, KRM_SEQINDENT,
    "internal.config.kubernetes.io/annotations-migration-resource-id"};

/* A resource on its way into a file. */
struct entry {
    struct str path;
    struct node *node; /* as it is written */
    int64_t index;
    bool has_index, wide;
    size_t turn;
};

struct job {
    struct arena *a;
    const struct krm_write_options *o;
    struct entry *list;
    size_t n;
    const struct krm_file **keep; /* by path */
    size_t n_keep;
};

static int too_large(struct err *err)
{
    return err_set(err, ERR_TOO_LARGE, "resources are too large");
}

struct node *krm_resource_root(struct arena *a, struct node *resource, bool defects)
{
    struct node *list = krm_resource_unwrap(resource);
    if (!list || (list->n == 0 && defects)) {
        return resource;
    }
    struct node *c = defects && list->notes ? arena_new(a, struct node) : NULL;
    struct node_notes *notes = c ? arena_new(a, struct node_notes) : NULL;
    if (!notes) {
        return list;
    }
    *notes = *list->notes;
    notes->top = notes->bottom = STR_NULL;
    *c = *list;
    c->notes = notes;
    return c;
}

/* --- where a resource goes --- */

static struct str default_path(struct arena *a, const struct node *resource)
{
    struct str kind = node_text_at(resource, "kind");
    struct str ns = node_text_at(resource, "metadata.namespace");
    char *lower = arena_strz(a, kind);
    for (size_t i = 0; lower && i < kind.len; i++) {
        lower[i] |= lower[i] >= 'A' && lower[i] <= 'Z' ? 0x20 : 0;
    }
    return arena_printf(a, "%.*s%s%s_%.*s.yaml", STR_ARG(ns), ns.len ? "/" : "",
                        lower ? lower : "", STR_ARG(node_text_at(resource, "metadata.name")));
}

static int check_path(const struct job *j, struct str path, struct err *err)
{
    if (path.len && path.ptr[0] == '/') {
        return err_set(err, ERR_BAD_REQUEST, "package paths may not be absolute paths");
    }
    struct str rest = path, part;
    long depth = 0;
    while (str_split(&rest, '/', &part)) {
        depth += str_eqz(part, "..") ? -1 : part.len && !str_eqz(part, ".");
        if (depth < 0) {
            return err_set(err, ERR_BAD_REQUEST,
                           "resource must be written under package %.*s: %.*s",
                           STR_ARG(j->o->package), STR_ARG(path));
        }
    }
    if (path.len == 0 || path.ptr[path.len - 1] == '/') {
        return err_set(err, ERR_BAD_REQUEST, "%s cannot be a directory: %.*s", KRM_OLD_PATH,
                       STR_ARG(path));
    }
    return 0;
}

static int place(struct job *j, struct node *resource, struct err *err)
{
    struct entry e = {.turn = j->n};
    struct str index = krm_annotation_either(resource, KRM_INDEX, KRM_OLD_INDEX);
    e.path = krm_annotation_either(resource, KRM_PATH, KRM_OLD_PATH);
    e.path = e.path.len ? e.path : default_path(j->a, resource);
    if (check_path(j, e.path, err)) {
        return -1;
    }
    e.has_index = index.len && str_to_int64(index, &e.index);
    e.wide = !j->o->compact && str_eqz(krm_annotation(resource, KRM_SEQINDENT), "wide");
    e.node = j->o->keep_annotations
                 ? resource
                 : krm_annotation_without(j->a, resource, reader_keys,
                                          sizeof(reader_keys) / sizeof(*reader_keys));
    e.node = e.node ? krm_resource_root(j->a, e.node, j->o->defects) : NULL;
    j->list[j->n++] = e;
    return j->a->exhausted ? too_large(err) : 0;
}

static int compare(const void *pa, const void *pb)
{
    const struct entry *a = pa, *b = pb;
    int order = str_cmp(a->path, b->path);
    if (order == 0 && a->index != b->index) {
        order = a->index < b->index ? -1 : 1;
    }
    return order ? order : a->turn < b->turn ? -1 : 1;
}

static int compare_paths(const void *pa, const void *pb)
{
    const struct entry *a = pa, *b = pb;
    int order = str_cmp(a->path, b->path);
    return order ? order : a->turn < b->turn ? -1 : 1;
}

/* Resources without an index come behind those of their file that have the greatest. */
static void number(struct job *j)
{
    qsort(j->list, j->n, sizeof(*j->list), compare_paths);
    for (size_t from = 0, to; from < j->n; from = to) {
        int64_t next = 0;
        for (to = from; to < j->n && str_eq(j->list[to].path, j->list[from].path); to++) {
            next = j->list[to].has_index && j->list[to].index > next ? j->list[to].index : next;
        }
        for (size_t i = from; i < to; i++) {
            if (!j->list[i].has_index) {
                j->list[i].index = next++;
            }
        }
    }
    qsort(j->list, j->n, sizeof(*j->list), compare);
}

/* --- written anew --- */

static void write_one(const struct job *j, struct buf *out, const struct entry *e)
{
    struct yaml_doc doc = {.root = e->node};
    struct yaml_form form = {.wide = e->wide, .defects = j->o->defects};
    yaml_write(out, &(struct yaml_docs){&doc, 1}, &form);
}

static int compare_members(const void *pa, const void *pb)
{
    return str_cmp(((const struct node_member *)pa)->key, ((const struct node_member *)pb)->key);
}

static void sort_members(struct node *n)
{
    if (n->type == NODE_MAP && n->n) {
        qsort(n->members, n->n, sizeof(*n->members), compare_members);
    }
    for (size_t i = 0; (n->type == NODE_MAP || n->type == NODE_LIST) && i < n->n; i++) {
        sort_members(n->type == NODE_MAP ? n->members[i].value : n->items[i]);
    }
}

/* By way of its text, which resolves aliases and numbers and bounds the depth. */
int krm_resource_json(struct arena *a, struct node *resource, struct buf *out, struct err *err)
{
    AUTO_BUF text = BUF_INIT;
    yaml_write_node(&text, resource, NULL);
    struct node *tree = yaml_parse(a, arena_str(a, buf_str(&text)), NULL, err);
    if (!tree) {
        return -1;
    }
    sort_members(tree);
    json_emit_pretty(out, tree, 2);
    if (out->len && out->ptr[out->len - 1] != '\n') {
        buf_addc(out, '\n');
    }
    return 0;
}

static int write_anew(const struct job *j, struct buf *out, const struct entry *e, size_t n,
                      struct err *err)
{
    if (n == 1 && str_has_suffix(e->path, STR(".json"))) {
        return krm_resource_json(j->a, e->node, out, err) ? err_wrap(err, "%.*s", STR_ARG(e->path))
                                                          : 0;
    }
    for (size_t i = 0; i < n; i++) {
        if (i) {
            buf_addz(out, "---\n");
        }
        write_one(j, out, &e[i]);
    }
    return 0;
}

/* --- put together from what was there --- */

/* A resource as it would be written if nothing had changed. */
static struct node *settled(const struct job *j, struct node *root)
{
    if (j->o->keep_annotations || root->type != NODE_MAP) {
        return root;
    }
    return krm_annotation_without(j->a, root, reader_keys,
                                  sizeof(reader_keys) / sizeof(*reader_keys));
}

static bool same_identity(const struct node *a, const struct node *b)
{
    static const char *const fields[] = {"apiVersion", "kind", "metadata.name",
                                         "metadata.namespace"};
    for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++) {
        if (!str_eq(node_text_at(a, fields[i]), node_text_at(b, fields[i]))) {
            return false;
        }
    }
    return a->type == b->type;
}

/* Parts of a file and the entries that they become. */
struct file {
    struct krm_parts parts;
    size_t *entry_of; /* per part: index of its entry + 1; 0: its resource went */
    size_t *part_of;  /* per entry: index of its part + 1; 0: new */
};

static void pair(struct file *f, size_t part, size_t entry)
{
    f->entry_of[part] = entry + 1;
    f->part_of[entry] = part + 1;
}

/* A resource that got another name, or another kind or version; what has no name is told by its
 * place alone. */
static bool related(const struct node *a, const struct node *b)
{
    struct str name = node_text_at(a, "metadata.name"), kind = node_text_at(a, "kind");
    struct str new_name = node_text_at(b, "metadata.name");
    bool same_kind = kind.len && str_eq(kind, node_text_at(b, "kind"));
    return a->type == b->type && (str_eq(name, new_name) || same_kind);
}

static void pair_by_index(struct file *f, const struct entry *e, size_t n,
                          bool (*fits)(const struct node *, const struct node *))
{
    int64_t document = 0;
    for (size_t p = 0, i = 0; p < f->parts.n; p++) {
        const struct node *root = f->parts.list[p].root;
        if (!root) {
            continue;
        }
        while (i < n && e[i].index < document) {
            i++;
        }
        size_t k = i;
        while (k < n && e[k].index == document && (f->part_of[k] || !fits(root, e[k].node))) {
            k++;
        }
        if (k < n && e[k].index == document && !f->entry_of[p]) {
            pair(f, p, k);
            i = k + 1;
        }
        document++;
    }
}

/* What is left, between pairs that are there, in order. */
static void pair_by_identity(struct file *f, const struct entry *e, size_t n)
{
    for (size_t p = 0, from = 0; p < f->parts.n; p++) {
        if (f->entry_of[p]) {
            from = f->entry_of[p];
            continue;
        }
        size_t end = from + PAIR_REACH;
        for (size_t i = from; f->parts.list[p].root && i < n && i < end && !f->part_of[i]; i++) {
            if (same_identity(f->parts.list[p].root, e[i].node)) {
                pair(f, p, i);
                from = i + 1;
                break;
            }
        }
    }
}

struct assembly {
    struct buf *out;
    struct str separator; /* to write before the next part, if any */
    bool any, crlf;
};

static void add_text(struct assembly *s, struct str text, struct str separator)
{
    if (s->any) {
        const char *end = s->crlf ? "\r\n" : "\n";
        if (s->out->len && s->out->ptr[s->out->len - 1] != '\n') {
            buf_addz(s->out, end);
        }
        buf_add_str(s->out, s->separator);
        if (!s->separator.len) {
            buf_addz(s->out, "---");
            buf_addz(s->out, end);
        }
    }
    buf_add_str(s->out, text);
    s->separator = separator;
    s->any = true;
}

static void add_new(const struct job *j, struct assembly *s, const struct entry *e)
{
    AUTO_BUF text = BUF_INIT, lines = BUF_INIT;
    write_one(j, &text, e);
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '\n' && s->crlf) {
            buf_addc(&lines, '\r');
        }
        buf_addc(&lines, text.ptr[i]);
    }
    add_text(s, buf_str(&lines), STR_NULL);
}

static int edit_part(const struct job *j, const struct krm_part *part, struct node *node,
                     struct str *out, struct err *err)
{
    const struct node *want = krm_annotation_restore(j->a, node, part->root);
    const struct node_notes *notes = part->root->notes;
    struct yaml_doc doc = {.root = part->root};
    if (notes) {
        doc.head = notes->top;
        doc.foot = notes->bottom;
    }
    return part->placed ? yaml_edit_doc(j->a, part->text, &doc, want, out, err)
                        : yaml_edit_tree(j->a, part->text, want, out, err);
}

static int add_old(const struct job *j, struct assembly *s, const struct krm_part *part,
                   const struct entry *e, struct err *err)
{
    struct str text = part->text;
    if (!yaml_same(settled(j, part->root), e->node) && edit_part(j, part, e->node, &text, err)) {
        return err_wrap(err, "%.*s", STR_ARG(e->path));
    }
    add_text(s, text, part->separator);
    return 0;
}

static int assemble(const struct job *j, struct file *f, const struct entry *e, size_t n,
                    struct assembly *s, struct err *err)
{
    size_t next = 0;
    for (size_t p = 0; p < f->parts.n; p++) {
        const struct krm_part *part = &f->parts.list[p];
        if (!part->root) {
            add_text(s, part->text, part->separator);
            continue;
        }
        if (!f->entry_of[p]) {
            continue;
        }
        size_t i = f->entry_of[p] - 1;
        while (next < i) {
            add_new(j, s, &e[next++]);
        }
        if (add_old(j, s, part, &e[i], err)) {
            return -1;
        }
        next = i + 1;
    }
    while (next < n) {
        add_new(j, s, &e[next++]);
    }
    return 0;
}

static int write_kept(const struct job *j, struct buf *out, const struct krm_file *old,
                      struct entry *e, size_t n, struct err *err)
{
    struct file f;
    struct str where;
    AUTO_ERR broken = ERR_INIT;
    if (old->parts) {
        f.parts = *old->parts;
    } else if (krm_parts_read(j->a, old->text, &f.parts, &where, &broken)) {
        return write_anew(j, out, e, n, err); /* nothing in it can be kept */
    }
    f.entry_of = arena_array(j->a, size_t, f.parts.n);
    f.part_of = arena_array(j->a, size_t, n);
    if (!f.entry_of || !f.part_of) {
        return too_large(err);
    }
    pair_by_index(&f, e, n, same_identity);
    pair_by_index(&f, e, n, related);
    pair_by_identity(&f, e, n);
    bool wide = !j->o->compact && yaml_is_wide(krm_plain_lines(j->a, old->text));
    for (size_t i = 0; i < n; i++) {
        e[i].wide = e[i].wide || wide;
    }
    ptrdiff_t nl = str_find_byte(old->text, '\n');
    struct assembly s = {.out = out, .crlf = nl > 0 && old->text.ptr[nl - 1] == '\r'};
    return assemble(j, &f, e, n, &s, err);
}

/* --- files --- */

static int compare_files(const void *pa, const void *pb)
{
    return str_cmp((*(const struct krm_file *const *)pa)->path,
                   (*(const struct krm_file *const *)pb)->path);
}

static int sort_keep(struct job *j, struct err *err)
{
    const struct krm_files *keep = j->o->keep;
    j->n_keep = keep ? keep->n : 0;
    j->keep = arena_array(j->a, const struct krm_file *, j->n_keep);
    for (size_t i = 0; j->keep && i < j->n_keep; i++) {
        j->keep[i] = &keep->list[i];
    }
    if (!j->keep && j->n_keep) {
        return too_large(err);
    }
    if (j->n_keep) {
        qsort(j->keep, j->n_keep, sizeof(*j->keep), compare_files);
    }
    return 0;
}

static const struct krm_file *find_file(const struct job *j, struct str path)
{
    const struct krm_file wanted = {.path = path}, *key = &wanted;
    const struct krm_file **found =
        j->n_keep ? bsearch(&key, j->keep, j->n_keep, sizeof(*j->keep), compare_files) : NULL;
    return found ? *found : NULL;
}

static int write_all(struct job *j, struct krm_files *out, struct err *err)
{
    out->list = arena_array(j->a, struct krm_file, j->n);
    out->cap = j->n;
    out->n = 0;
    for (size_t from = 0, to; out->list && from < j->n; from = to) {
        struct entry *e = &j->list[from];
        for (to = from; to < j->n && str_eq(j->list[to].path, e->path); to++) {
        }
        AUTO_BUF text = BUF_INIT;
        const struct krm_file *old = find_file(j, e->path);
        if (old ? write_kept(j, &text, old, e, to - from, err)
                : write_anew(j, &text, e, to - from, err)) {
            return -1;
        }
        out->list[out->n++] = (struct krm_file){e->path, arena_str(j->a, buf_str(&text))};
    }
    return j->a->exhausted ? too_large(err) : 0;
}

int krm_resources_write(struct arena *a, const struct node *items,
                        const struct krm_write_options *o, struct krm_files *out,
                        struct err *err)
{
    struct job j = {.a = a, .o = o, .list = arena_array(a, struct entry, items->n)};
    for (size_t i = 0; j.list && i < items->n; i++) {
        if (place(&j, items->items[i], err)) {
            return -1;
        }
    }
    if (!j.list) {
        return items->n ? too_large(err) : (*out = (struct krm_files){0}, 0);
    }
    number(&j);
    if (sort_keep(&j, err)) {
        return -1;
    }
    return write_all(&j, out, err);
}
