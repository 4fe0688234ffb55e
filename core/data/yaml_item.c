/* SPDX-License-Identifier: Apache-2.0
 *
 * See yaml_item.h. libyaml's events become a tree on an explicit stack. libyaml counts positions in
 * characters; a cursor that follows the events turns them into bytes.
 */
#include "data/yaml_item.h"

#include <yaml.h>

#include "base/limits.h"
#include "base/map.h"
#include "base/mem.h"

#define BOM "\xef\xbb\xbf"

struct yaml_loader {
    struct arena *a;
    struct str text;
    yaml_parser_t parser;
    bool ascii;
    size_t skipped;              /* bytes of a byte order mark */
    size_t at_char, at_byte;     /* cursor: the same place in both units, behind the mark */
    struct map anchors;          /* name → item, of the current document */
    struct yaml_item *stack[LIMIT_JSON_DEPTH];
    size_t depth;
};

struct yaml_loader *yaml_loader_new(struct arena *a, struct str text, struct err *err)
{
    if (!str_is_utf8(text)) {
        err_set(err, ERR_BAD_REQUEST, "yaml: invalid UTF-8");
        return NULL;
    }
    struct yaml_loader *l = mem_new(struct yaml_loader);
    l->a = a;
    l->skipped = str_has_prefix(text, STR(BOM)) ? 3 : 0;
    l->text = str_sub(text, l->skipped, text.len);
    l->ascii = true;
    for (size_t i = 0; i < l->text.len && l->ascii; i++) {
        l->ascii = (unsigned char)l->text.ptr[i] < 0x80;
    }
    if (!yaml_parser_initialize(&l->parser)) {
        err_set(err, ERR_INTERNAL, "cannot start the YAML parser");
        mem_free(l);
        return NULL;
    }
    yaml_parser_set_encoding(&l->parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&l->parser,
                                 (const unsigned char *)(l->text.ptr ? l->text.ptr : ""),
                                 l->text.len);
    return l;
}

void yaml_loader_free(struct yaml_loader *l)
{
    if (l) {
        yaml_parser_delete(&l->parser);
        map_done(&l->anchors);
        mem_free(l);
    }
}

/* Byte offset (in the caller's text) of a character index. */
static size_t byte_of(struct yaml_loader *l, size_t index)
{
    if (l->ascii) {
        return index + l->skipped;
    }
    const char *p = l->text.ptr;
    while (l->at_char < index && l->at_byte < l->text.len) {
        do {
            l->at_byte++;
        } while (l->at_byte < l->text.len && ((unsigned char)p[l->at_byte] & 0xc0) == 0x80);
        l->at_char++;
    }
    while (l->at_char > index) {
        do {
            l->at_byte--;
        } while (((unsigned char)p[l->at_byte] & 0xc0) == 0x80);
        l->at_char--;
    }
    return l->at_byte + l->skipped;
}

static int fail_at(struct err *err, const yaml_mark_t *mark, const char *problem)
{
    return err_set(err, ERR_BAD_REQUEST, "yaml: line %zu: %s (column %zu)", mark->line + 1, problem,
                   mark->column + 1);
}

static int fail_parser(struct yaml_loader *l, struct err *err)
{
    const yaml_parser_t *p = &l->parser;
    if (p->error == YAML_MEMORY_ERROR) {
        return err_set(err, ERR_INTERNAL, "out of memory while reading YAML");
    }
    if (p->error == YAML_READER_ERROR) {
        return fail_at(err, &p->mark, p->problem ? p->problem : "unreadable character");
    }
    const yaml_mark_t *mark = p->problem_mark.line || p->problem_mark.column ? &p->problem_mark
                                                                              : &p->context_mark;
    return fail_at(err, mark, p->problem ? p->problem : "invalid YAML");
}

/* libyaml's end of a block scalar is the start of the next line; blank lines that are no content
 * do not belong to the value. */
static size_t block_end(struct yaml_loader *l, const struct yaml_item *it)
{
    const char *p = l->text.ptr - l->skipped;
    size_t to = it->to;
    bool keeps = it->text.len > 1 && it->text.ptr[it->text.len - 1] == '\n' &&
                 it->text.ptr[it->text.len - 2] == '\n';
    if (keeps || str_eqz(it->text, "\n")) {
        to -= to > it->from && p[to - 1] == '\n';
        to -= to > it->from && p[to - 1] == '\r';
        return to;
    }
    while (to > it->from && strchr(" \t\r\n", p[to - 1]) && p[to - 1]) {
        to--;
    }
    return to;
}

static struct str copy(struct yaml_loader *l, const unsigned char *p, size_t len)
{
    return arena_str(l->a, (struct str){(const char *)p, len});
}

static void set_properties(struct yaml_loader *l, struct yaml_item *it, const yaml_char_t *anchor,
                           const yaml_char_t *tag)
{
    if (tag && strcmp((const char *)tag, "!") != 0) {
        it->tag = copy(l, tag, strlen((const char *)tag));
    }
    if (anchor) {
        (void)map_set(&l->anchors, str_of((const char *)anchor), it);
    }
}

static void fill_scalar(struct yaml_loader *l, struct yaml_item *it, const yaml_event_t *e)
{
    it->text = copy(l, e->data.scalar.value, e->data.scalar.length);
    it->plain = e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
                (e->data.scalar.plain_implicit || e->data.scalar.tag);
    it->block = e->data.scalar.style == YAML_LITERAL_SCALAR_STYLE ||
                e->data.scalar.style == YAML_FOLDED_SCALAR_STYLE;
    set_properties(l, it, e->data.scalar.anchor, e->data.scalar.tag);
    it->to = byte_of(l, e->end_mark.index);
    if (it->block) {
        it->to = block_end(l, it);
    }
}

static int fill(struct yaml_loader *l, struct yaml_item *it, const yaml_event_t *e, struct err *err)
{
    it->line = e->start_mark.line + 1;
    it->from = byte_of(l, e->start_mark.index);
    it->to = it->from;
    switch (e->type) {
    case YAML_SCALAR_EVENT:
        it->type = YAML_SCALAR;
        fill_scalar(l, it, e);
        break;
    case YAML_ALIAS_EVENT:
        it->type = YAML_ALIAS;
        it->to = byte_of(l, e->end_mark.index);
        it->target = map_find(&l->anchors, str_of((const char *)e->data.alias.anchor));
        if (!it->target) {
            return err_set(err, ERR_BAD_REQUEST, "yaml: line %zu: unknown anchor '%s' referenced",
                           it->line, (const char *)e->data.alias.anchor);
        }
        break;
    case YAML_SEQUENCE_START_EVENT:
        it->type = YAML_LIST;
        it->flow = e->data.sequence_start.style == YAML_FLOW_SEQUENCE_STYLE;
        set_properties(l, it, e->data.sequence_start.anchor, e->data.sequence_start.tag);
        break;
    default:
        it->type = YAML_MAP;
        it->flow = e->data.mapping_start.style == YAML_FLOW_MAPPING_STYLE;
        set_properties(l, it, e->data.mapping_start.anchor, e->data.mapping_start.tag);
    }
    return 0;
}

static bool push_child(struct arena *a, struct yaml_item *up, struct yaml_item *it)
{
    if (up->n == up->cap) {
        size_t cap = up->cap ? up->cap * 2 : 8;
        struct yaml_item **items = arena_array(a, struct yaml_item *, cap);
        if (!items) {
            return false;
        }
        if (up->n) {
            memcpy(items, up->items, up->n * sizeof(*items));
        }
        up->items = items;
        up->cap = cap;
    }
    up->items[up->n++] = it;
    return true;
}

/* A value or the start of one. */
static int open_item(struct yaml_loader *l, const yaml_event_t *e, struct yaml_item **root,
                     struct err *err)
{
    struct yaml_item *it = arena_new(l->a, struct yaml_item);
    if (!it || fill(l, it, e, err)) {
        return it ? -1 : err_set(err, ERR_BAD_REQUEST, "yaml: document is too large");
    }
    if (l->depth == 0) {
        *root = it;
    } else if (!push_child(l->a, l->stack[l->depth - 1], it)) {
        return err_set(err, ERR_BAD_REQUEST, "yaml: document is too large");
    }
    if (it->type == YAML_LIST || it->type == YAML_MAP) {
        if (l->depth == LIMIT_JSON_DEPTH) {
            return fail_at(err, &e->start_mark, "nesting is too deep");
        }
        l->stack[l->depth++] = it;
    }
    return 0;
}

/* Block collections end where their last child ends: libyaml puts their end at the next token. */
static void close_item(struct yaml_loader *l, const yaml_event_t *e)
{
    struct yaml_item *it = l->stack[--l->depth];
    if (it->flow) {
        it->to = byte_of(l, e->end_mark.index);
    } else if (it->n) {
        it->to = it->items[it->n - 1]->to;
    }
}

/* *done at the end of a document or of the stream. */
static int take_event(struct yaml_loader *l, const yaml_event_t *e, struct yaml_item **root,
                      bool *done, struct err *err)
{
    switch (e->type) {
    case YAML_DOCUMENT_START_EVENT:
        map_done(&l->anchors);
        return 0;
    case YAML_DOCUMENT_END_EVENT:
    case YAML_STREAM_END_EVENT:
        *done = true;
        return 0;
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        close_item(l, e);
        return 0;
    case YAML_NO_EVENT:
    case YAML_STREAM_START_EVENT:
        return 0;
    default:
        return open_item(l, e, root, err);
    }
}

int yaml_loader_next(struct yaml_loader *l, struct yaml_item **out, struct err *err)
{
    struct yaml_item *root = NULL;
    bool done = false;
    l->depth = 0;
    while (!done) {
        yaml_event_t e;
        if (!yaml_parser_parse(&l->parser, &e)) {
            return fail_parser(l, err);
        }
        done = e.type == YAML_NO_EVENT; /* past the end of the stream */
        int failed = take_event(l, &e, &root, &done, err);
        yaml_event_delete(&e);
        if (failed) {
            return -1;
        }
    }
    if (l->a->exhausted) {
        return err_set(err, ERR_BAD_REQUEST, "yaml: document is too large");
    }
    *out = root;
    return 0;
}
