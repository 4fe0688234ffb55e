/* SPDX-License-Identifier: Apache-2.0
 *
 * See resource_part.h.
 */
#include "krm/resource_part.h"

#include "data/yaml_doc.h"
#include "krm/tree.h"

struct str krm_plain_lines(struct arena *a, struct str text)
{
    if (str_find(text, STR("\r\n")) < 0) {
        return text;
    }
    char *out = arena_alloc(a, text.len);
    size_t n = 0;
    for (size_t i = 0; out && i < text.len; i++) {
        bool pair = text.ptr[i] == '\r' && i + 1 < text.len && text.ptr[i + 1] == '\n';
        if (!pair) {
            out[n++] = text.ptr[i];
        }
    }
    return (struct str){out, n};
}

/* The next separator from `at` on: a line that begins with --- behind a line feed and ends with
 * one. Two of them cannot share a line feed. */
static bool find_separator(struct str text, size_t at, size_t *from, size_t *to)
{
    ptrdiff_t found = str_find(str_sub(text, at, text.len), STR("\n---"));
    if (found < 0) {
        return false;
    }
    *from = at + (size_t)found + 1;
    const char *nl = memchr(text.ptr + *from, '\n', text.len - *from);
    *to = nl ? (size_t)(nl - text.ptr) + 1 : text.len;
    return nl != NULL;
}

static bool is_separator(struct str line)
{
    struct str rest = str_trim(str_sub(line, 3, line.len), " \t\r\n");
    return rest.len == 0 || rest.ptr[0] == '#';
}

static bool add_part(struct arena *a, struct krm_parts *p, struct str text, struct str separator)
{
    if (p->n == p->cap) {
        size_t cap = p->cap ? p->cap * 2 : 4;
        struct krm_part *list = arena_array(a, struct krm_part, cap);
        if (!list) {
            return false;
        }
        if (p->n) {
            memcpy(list, p->list, p->n * sizeof(*list));
        }
        p->list = list;
        p->cap = cap;
    }
    p->list[p->n++] = (struct krm_part){.text = text, .separator = separator};
    return true;
}

static int split(struct arena *a, struct str text, struct krm_parts *out, struct err *err)
{
    size_t at = 0, from, to;
    while (find_separator(text, at, &from, &to)) {
        struct str line = str_sub(text, from, to);
        if (!is_separator(line)) {
            line = str_trim(line, " \t\r\n");
            return err_set(err, ERR_BAD_REQUEST, "invalid document separator: %.*s",
                           STR_ARG(line));
        }
        if (!add_part(a, out, str_sub(text, at, from), line)) {
            break;
        }
        at = to;
    }
    return add_part(a, out, str_sub(text, at, text.len), STR_NULL)
               ? 0
               : err_set(err, ERR_TOO_LARGE, "resources are too large");
}

static int place_notes(struct arena *a, const struct yaml_doc *doc)
{
    if (!doc->head.len && !doc->foot.len) {
        return 0;
    }
    struct node_notes *notes = doc->root->notes ? doc->root->notes : arena_new(a, struct node_notes);
    if (!notes) {
        return -1;
    }
    notes->top = doc->head;
    notes->bottom = doc->foot;
    doc->root->notes = notes;
    return 0;
}

/* Where the whole text fails, in the words of yaml_read; the peer counts from the part. */
static struct str locate(struct arena *a, struct str text)
{
    AUTO_ERR ignored = ERR_INIT;
    struct yaml_docs docs = {0};
    struct str where = STR_NULL;
    (void)yaml_read(a, text, NULL, &docs, &where, &ignored);
    ptrdiff_t at = str_find(where, STR(" (document "));
    return at < 0 ? STR_NULL : str_sub(where, (size_t)at, where.len);
}

static bool is_utf16(struct str text)
{
    return str_has_prefix(text, STR("\xff\xfe")) || str_has_prefix(text, STR("\xfe\xff"));
}

int krm_parts_read(struct arena *a, struct str text, struct krm_parts *out, struct str *where,
                   struct err *err)
{
    *out = (struct krm_parts){0};
    *where = STR_NULL;
    if (split(a, text, out, err)) {
        return -1;
    }
    for (size_t i = 0; i < out->n; i++) {
        struct krm_part *part = &out->list[i];
        struct yaml_docs docs = {0};
        AUTO_ERR failure = ERR_INIT;
        struct str plain = krm_plain_lines(a, part->text);
        int rc = yaml_read(a, plain, NULL, &docs, NULL, &failure);
        part->placed = plain.ptr == part->text.ptr && !is_utf16(plain);
        if (rc && docs.n == 0) {
            *where = locate(a, text);
            err_move(err, &failure);
            return err_wrap(err, "MalformedYAMLError");
        }
        /* what follows the first document of a part is not looked at, be it broken or not */
        if (docs.n && docs.list[0].root->type != NODE_NULL) {
            part->root = docs.list[0].root;
            if (place_notes(a, &docs.list[0])) {
                return err_set(err, ERR_TOO_LARGE, "resources are too large");
            }
        }
    }
    return 0;
}

const struct krm_parts *krm_parts_snapshot(struct arena *a, const struct krm_parts *parts)
{
    struct krm_parts *c = arena_new(a, struct krm_parts);
    struct krm_part *list = arena_array(a, struct krm_part, parts->n);
    if (!c || !list) {
        return NULL;
    }
    for (size_t i = 0; i < parts->n; i++) {
        list[i] = parts->list[i];
        if (list[i].root && !(list[i].root = krm_tree_snapshot(a, list[i].root))) {
            return NULL;
        }
    }
    *c = (struct krm_parts){list, parts->n, parts->n};
    return c;
}
