/* SPDX-License-Identifier: Apache-2.0
 *
 * YAML text into documents (yaml_doc.h): directives, markers, the comments of the documents
 * themselves. yaml_reader.h says where the rest is.
 */
#include "base/limits.h"
#include "base/mem.h"
#include "data/yaml_reader.h"

/* --- documents --- */

/* Of the comments above the first document, those above the last empty line are its own. */
static void take_document_head(struct yaml_reader *r, struct yaml_doc *doc)
{
    struct yaml_gather *g = &r->comments.pending[COMMENT_HEAD];
    struct str s = yaml_gather_str(g);
    for (size_t i = s.len; i-- > 1;) {
        bool last = i == s.len - 1;
        if (s.ptr[i] == '\n' && (last || s.ptr[i - 1] == '\n')) {
            doc->head = arena_str(r->a, str_sub(s, 0, last ? i : i - 1));
            yaml_gather_drop(g, i + 1);
            return;
        }
    }
}

static int read_directives(struct yaml_reader *r)
{
    bool version = false;
    r->n_prefixes = 0;
    for (;;) {
        const struct yaml_token *t = yaml_peek(r);
        if (!t) {
            return -1;
        }
        if (t->type == TOKEN_VERSION) {
            if (version) {
                return yaml_read_fail(r, t, 0, "found duplicate %YAML directive");
            }
            if (!str_eqz(t->text, "1.1")) {
                return yaml_read_fail(r, t, 0, "found incompatible YAML document");
            }
            version = true;
        } else if (t->type == TOKEN_TAG_PREFIX) {
            for (size_t i = 0; i < r->n_prefixes; i += 2) {
                if (str_eq(r->prefixes[i], t->handle)) {
                    return yaml_read_fail(r, t, 0, "found duplicate %TAG directive");
                }
            }
            r->prefixes = mem_resize(r->prefixes, (r->n_prefixes + 2) * sizeof(*r->prefixes));
            r->prefixes[r->n_prefixes++] = t->handle;
            r->prefixes[r->n_prefixes++] = t->text;
        } else if (t->type != TOKEN_DOCUMENT_START) {
            return yaml_read_fail(r, t, 0, "did not find expected <document start>");
        } else {
            yaml_skip(r);
            return 0;
        }
        yaml_skip(r);
    }
}

static int read_content(struct yaml_reader *r, struct yaml_doc *doc)
{
    const struct yaml_token *t = yaml_peek(r);
    if (!t) {
        return -1;
    }
    bool none = doc->marked &&
                (t->type == TOKEN_VERSION || t->type == TOKEN_TAG_PREFIX ||
                 yaml_is_any(t->type, TOKEN_DOCUMENT_START, TOKEN_DOCUMENT_END, TOKEN_STREAM_END));
    r->root = NULL;
    if (none ? yaml_read_empty(r) : yaml_read_node(r, true, false)) {
        return -1;
    }
    while (!r->root) {
        if (yaml_read_step(r)) {
            return -1;
        }
    }
    doc->root = r->root;
    return 0;
}

static int end_document(struct yaml_reader *r, struct yaml_doc *doc)
{
    const struct yaml_token *t = yaml_peek(r);
    if (!t) {
        return -1;
    }
    if (t->type == TOKEN_DOCUMENT_END) {
        yaml_skip(r);
    }
    (void)yaml_take(r, COMMENT_LINE);
    struct str head = yaml_take(r, COMMENT_HEAD);
    doc->foot = yaml_take(r, COMMENT_FOOT);
    if (doc->foot.len == 0) {
        doc->foot = head;
    }
    return 0;
}

/* Reads the next document into *doc. 1: there is none. */
static int read_document(struct yaml_reader *r, struct yaml_doc *doc, bool first)
{
    const struct yaml_token *t = yaml_peek(r);
    while (t && !first && t->type == TOKEN_DOCUMENT_END) {
        yaml_skip(r);
        t = yaml_peek(r);
    }
    if (!t || t->type == TOKEN_STREAM_END) {
        return t ? 1 : -1;
    }
    map_done(&r->anchors);
    r->anchors = (struct map)MAP_INIT;
    *doc = (struct yaml_doc){.from = t->from};
    if (first && t->type != TOKEN_VERSION && t->type != TOKEN_TAG_PREFIX &&
        t->type != TOKEN_DOCUMENT_START) {
        r->n_prefixes = 0;
        take_document_head(r, doc);
    } else {
        doc->marked = true;
        if (read_directives(r)) {
            return -1;
        }
    }
    if (read_content(r, doc) || end_document(r, doc)) {
        return -1;
    }
    doc->to = r->last_to;
    return 0;
}

static void reader_done(struct yaml_reader *r)
{
    yaml_scanner_free(r->scanner);
    yaml_comments_done(&r->comments);
    map_done(&r->anchors);
    mem_free(r->tokens);
    mem_free(r->frames);
    mem_free(r->kids);
    mem_free(r->prefixes);
}
#define AUTO_READER __attribute__((cleanup(reader_done))) struct yaml_reader

static int read_stream(struct yaml_reader *r, size_t most, struct yaml_docs *out)
{
    if (!yaml_peek(r)) {
        return -1;
    }
    yaml_skip(r); /* start of the stream */
    size_t cap = 0;
    while (!most || out->n < most) {
        struct yaml_doc doc;
        int got = read_document(r, &doc, out->n == 0);
        if (got) {
            return got > 0 ? 0 : -1;
        }
        if (out->n == cap) {
            cap = cap ? cap * 2 : 1;
            struct yaml_doc *grown = arena_array(r->a, struct yaml_doc, cap);
            if (!grown) {
                return yaml_too_large(r);
            }
            if (out->n) {
                memcpy(grown, out->list, out->n * sizeof(*grown));
            }
            out->list = grown;
        }
        out->list[out->n++] = doc;
    }
    return 0;
}

int yaml_read(struct arena *a, struct str text, const struct yaml_limits *limits,
              struct yaml_docs *out, struct str *where, struct err *err)
{
    AUTO_ERR own = ERR_INIT;
    *out = (struct yaml_docs){0};
    AUTO_READER r = {.a = a, .text = text, .fault = {.err = err ? err : &own}};
    r.depth = limits && limits->depth ? limits->depth : LIMIT_YAML_DEPTH;
    if (text.len >= UINT32_MAX) {
        return err_set(err, ERR_BAD_REQUEST, "yaml: document is too large");
    }
    r.text = text = yaml_as_utf8(a, text);
    yaml_comments_init(&r.comments, a, text);
    r.scanner = yaml_scanner_new(a, text, r.depth, limits && limits->slash);
    if (!r.scanner) {
        return err_set(err, ERR_INTERNAL, "cannot start the YAML scanner");
    }
    int failed = read_stream(&r, limits ? limits->documents : 0, out);
    if (failed && where) {
        *where = arena_printf(a, "%s (document %zu, line %zu, column %zu)", r.fault.err->message,
                              out->n + 1, r.fault.line + 1, r.fault.column + 1);
    }
    return failed;
}
