/* SPDX-License-Identifier: Apache-2.0  ROOM: data
 *
 * Input: YAML text, optionally a zero byte and another one. Spans of what is read nest and ascend,
 * between tokens stand only blanks, line breaks and comments, a tree that did not change leaves its
 * text alone, and a text edited to hold the other one's tree can be read and holds it.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "data/yaml.h"
#include "data/yaml_doc.h"
#include "data/yaml_token.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds) {
        abort();
    }
}

static void check_spans(const struct node *n, size_t from, size_t to)
{
    must(n->span_from >= from && n->span_from <= n->span_to && n->span_to <= to);
    size_t at = n->span_from;
    for (size_t i = 0; n->type == NODE_LIST && i < n->n; i++) {
        check_spans(n->items[i], at, n->span_to);
        at = n->items[i]->span_to;
    }
    for (size_t i = 0; n->type == NODE_MAP && i < n->n; i++) {
        const struct node_member *m = &n->members[i];
        must(m->from >= at && m->from <= m->to && m->to <= n->span_to);
        check_spans(m->value, m->to, n->span_to);
        at = m->value->span_to;
    }
}

static void check_gap(struct str text, size_t from, size_t to)
{
    bool comment = false;
    for (size_t i = from; i < to; i++) {
        comment = (comment || text.ptr[i] == '#') && !yaml_newline_at(text, i);
        bool blank = text.ptr[i] == ' ' || text.ptr[i] == '\t' || text.ptr[i] == '\r';
        must(comment || blank || (unsigned char)text.ptr[i] >= 0x80 || text.ptr[i] == '\n');
    }
}

static void check_tokens(struct arena *a, struct str text)
{
    AUTO_ERR err = ERR_INIT;
    struct yaml_fault f = {.err = &err};
    struct yaml_token t = {0};
    struct yaml_scanner *s = yaml_scanner_new(a, text, 1000, false);
    size_t at = 0;
    while (t.type != TOKEN_STREAM_END && yaml_scanner_next(s, &t, &f) == 0) {
        must(t.from <= t.to && t.to <= text.len && (!t.real || t.from >= at));
        if (t.real) {
            check_gap(text, at, t.from);
            at = t.to;
            at = t.type == TOKEN_VERSION || t.type == TOKEN_TAG_PREFIX ? text.len : at;
        }
        if (at == text.len) {
            break;
        }
    }
    yaml_scanner_free(s);
}

static void check_edit(struct arena *a, struct str text, const struct node *want)
{
    AUTO_ERR err = ERR_INIT;
    struct str out;
    struct yaml_docs docs;
    const struct yaml_limits first = {.documents = 1, .slash = true};
    if (yaml_edit_tree(a, text, want, &out, &err) == 0) {
        must(yaml_read(a, out, &first, &docs, NULL, &err) == 0 && docs.n);
        must(node_equal(docs.list->root, want));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *zero = size ? memchr(data, 0, size) : NULL;
    struct str text = {(const char *)data, zero ? (size_t)(zero - data) : size};
    struct str other = zero ? (struct str){(const char *)zero + 1, size - text.len - 1} : STR("a: 1");
    AUTO_ARENA a = ARENA_INIT;
    AUTO_ERR err = ERR_INIT;
    struct yaml_docs docs, wanted;
    struct str out;
    if (size >= 2 && data[0] >= 0xfe) { /* UTF-16: spans are those of the UTF-8 text */
        return 0;
    }
    check_tokens(&a, text);
    if (yaml_read(&a, text, NULL, &docs, &out, &err)) {
        must(err.kind == ERR_BAD_REQUEST && out.len);
        return 0;
    }
    size_t at = 0;
    for (size_t i = 0; i < docs.n; i++) {
        must(docs.list[i].from >= at && docs.list[i].to <= text.len);
        check_spans(docs.list[i].root, docs.list[i].from, docs.list[i].to);
        at = docs.list[i].to;
    }
    if (docs.n == 0) {
        return 0;
    }
    must(yaml_edit_tree(&a, text, docs.list->root, &out, &err) == 0 && str_eq(out, text));
    if (yaml_read(&a, other, NULL, &wanted, NULL, &err) == 0 && wanted.n) {
        check_edit(&a, text, wanted.list->root);
    }
    return 0;
}
