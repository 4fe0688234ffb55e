/* SPDX-License-Identifier: Apache-2.0
 *
 * The YAML writer (yaml_doc.h): walks a tree with a stack of its own and hands the pen
 * (yaml_line.h) what comes next, in the order of the peer's emitter (yaml.md §7.4). What belongs to
 * a node is announced to the pen first; some of it is written by whoever comes later, which is how
 * the peer places comments, and sometimes misplaces them. Without `defects` such comments are led
 * to a place of their own before they are announced (struct around).
 */
#include "base/mem.h"
#include "data/base64.h"
#include "data/yaml.h"
#include "data/yaml_doc.h"
#include "data/yaml_emit.h"
#include "data/yaml_line.h"
#include "data/yaml_scalar.h"
#include "data/yaml_style.h"

/* Longest key, with anchor and tag, that may stand before ':' without '?'. */
#define SIMPLE_KEY 128

/* A collection that is being written. */
struct frame {
    const struct node *n;
    size_t i;          /* next element */
    struct str tail;   /* foot of the key before: goes below its value */
    struct str line;   /* comment behind the closing bracket */
    long indent;       /* around the collection */
    bool flow, in_map; /* in [] or {}; value or key of a map */
    bool item;         /* element of a block list */
    bool key;          /* key of a map: its foot goes below the value */
    bool value, simple; /* the value of member i is next; its key needed no '?' */
    bool comma;        /* the separator is already written */
};

struct writer {
    struct yaml_pen pen;
    struct arena scratch;  /* base64 and joined comments */
    bool wide, values;     /* values: strings as the peer encodes those of programs */
    bool mute;             /* no comments */
    size_t flow;           /* open [] and {} */
    struct frame *stack;
    size_t n, cap;
};

/* How a node stands: what the frame around it says. */
struct place {
    bool in_map, item, key, simple;
};

static struct node_notes notes_of(const struct node *n)
{
    return n && n->notes ? *n->notes : (struct node_notes){0};
}

static bool is_collection(const struct node *n)
{
    return n->type == NODE_LIST || n->type == NODE_MAP;
}

static bool is_block(const struct writer *w, const struct node *n)
{
    return is_collection(n) && n->n && n->style != STYLE_FLOW && !w->flow;
}

/* A scalar of more than one line without quotes becomes a literal. */
static bool may_be_block_text(const struct node *n)
{
    return n->style == STYLE_LITERAL || n->style == STYLE_FOLDED ||
           (n->style == STYLE_PLAIN && !is_collection(n) && str_rfind_byte(n->text, '\n') >= 0);
}

static void announce(struct writer *w, struct str head, struct str line, struct str foot,
                     struct str tail)
{
    if (!w->mute && head.len + line.len + foot.len + tail.len) {
        yaml_pen_announce(&w->pen, head, line, foot, tail);
    }
}

static void push_indent(struct writer *w, bool flow, bool item, bool compact)
{
    struct yaml_pen *p = &w->pen;
    if (p->indent < 0) {
        p->indent = flow ? p->step : 0;
    } else if (item) {
        p->indent += 2;
    } else {
        p->indent = p->step * ((p->indent + p->step) / p->step) - (compact ? p->step : 0);
    }
}

/* --- scalars --- */

struct scalar {
    struct str text, anchor, tag;
    uint8_t style;
    struct yaml_styles can;
};

/* Base64 in lines of 70, as the peer carries bytes. */
static struct str wrap_base64(struct arena *a, struct str bytes)
{
    struct str all = base64_emit(a, bytes);
    size_t lines = (all.len + 69) / 70;
    char *out = all.len / 70 ? arena_alloc(a, all.len + lines) : NULL;
    if (!out) {
        return all;
    }
    size_t n = 0;
    for (size_t i = 0; i < all.len; i += 70) {
        struct str part = str_sub(all, i, i + 70);
        memcpy(out + n, part.ptr, part.len);
        n += part.len;
        out[n++] = '\n';
    }
    return (struct str){out, n};
}

/* A string without a style of its own. */
static uint8_t plain_style(const struct writer *w, const struct node *n, struct scalar *s)
{
    if (memchr(s->text.ptr ? s->text.ptr : "", '\n', s->text.len)) {
        return STYLE_LITERAL;
    }
    if (n->bare && str_eqz(s->text, "<<")) {
        s->tag = STR("!!merge");
    }
    bool plain = n->bare || s->tag.len || (w->values ? !yaml_scalar_needs_quotes(s->text)
                                                     : yaml_scalar_is_core_string(s->text));
    return plain ? STYLE_PLAIN : STYLE_DOUBLE;
}

static struct str text_of(const struct writer *w, const struct node *n, bool simple)
{
    if (n->type == NODE_BOOL && !n->text.ptr) {
        return n->boolean ? STR("true") : STR("false");
    }
    /* the peer writes a null without text as '' where nothing cannot stand: another value */
    bool needs_text = n->style == STYLE_PLAIN && n->text.len == 0 && !w->pen.defects &&
                      (w->flow || simple);
    return n->type == NODE_NULL && (!n->text.ptr || needs_text) ? STR("null") : n->text;
}

static struct scalar scalar_of(struct writer *w, const struct node *n, bool simple)
{
    struct scalar s = {.text = text_of(w, n, simple),
                       .anchor = n->notes ? n->notes->anchor : STR_NULL,
                       .tag = n->notes ? n->notes->tag : STR_NULL,
                       .style = n->style == STYLE_FLOW ? STYLE_PLAIN : n->style};
    s.can = yaml_styles_of(s.text);
    if (s.can.binary) {
        s.text = wrap_base64(&w->scratch, s.text);
        s.tag = STR("!!binary");
        s.can = yaml_styles_of(s.text);
    }
    if (n->type == NODE_STRING && s.style == STYLE_PLAIN) {
        s.style = plain_style(w, n, &s);
    }
    return s;
}

/* Also in *out, when it is a scalar, how it is written as a simple key. */
static bool fits_simple_key(struct writer *w, const struct node *n, struct scalar *out)
{
    if (n->type == NODE_ALIAS) {
        return n->text.len <= SIMPLE_KEY;
    }
    if (is_collection(n)) {
        struct node_notes notes = notes_of(n);
        return n->n == 0 && notes.anchor.len + notes.tag.len <= SIMPLE_KEY;
    }
    *out = scalar_of(w, n, true);
    return !out->can.multiline && out->anchor.len + out->tag.len + out->text.len <= SIMPLE_KEY;
}

/* The first style, from the wanted one on, that can carry the text at its place. */
static uint8_t possible_style(const struct writer *w, const struct scalar *s, bool simple)
{
    uint8_t style = simple && s->can.multiline ? STYLE_DOUBLE : s->style;
    bool flow = w->flow > 0;
    if (style == STYLE_PLAIN &&
        (!(flow ? s->can.flow_plain : s->can.block_plain) || (simple && !s->text.len))) {
        style = STYLE_SINGLE;
    }
    if (style == STYLE_SINGLE && !s->can.single) {
        return STYLE_DOUBLE;
    }
    bool block = style == STYLE_LITERAL || style == STYLE_FOLDED;
    /* behind a tab nobody can tell the indentation */
    bool tab = block && !w->pen.defects && s->text.len && s->text.ptr[0] == '\t';
    return block && (!s->can.block || flow || simple || tab) ? STYLE_DOUBLE : style;
}

static void put_properties(struct writer *w, struct str anchor, struct str tag)
{
    if (anchor.len) {
        yaml_pen_mark(&w->pen, "&", true, false, false);
        yaml_pen_word(&w->pen, anchor);
    }
    yaml_pen_tag(&w->pen, tag);
}

static void put_scalar(struct writer *w, const struct scalar *s, struct place at)
{
    struct yaml_pen *p = &w->pen;
    uint8_t style = possible_style(w, s, at.simple);
    long indent = p->indent;
    put_properties(w, s->anchor, s->tag);
    push_indent(w, true, at.item, false);
    switch (style) {
    case STYLE_PLAIN:
        yaml_pen_plain(p, s->text);
        break;
    case STYLE_SINGLE:
        yaml_pen_single(p, s->text);
        break;
    case STYLE_DOUBLE:
        yaml_pen_double(p, s->text);
        break;
    default:
        yaml_pen_block(p, s->text, style == STYLE_FOLDED);
    }
    p->indent = indent;
}

/* --- collections --- */

/* Writes a scalar or alias; of a collection its properties, the rest follows from the stack.
 * close: comment behind its end. */
static void open_node(struct writer *w, const struct node *n, struct place at, struct str close)
{
    if (n->type == NODE_ALIAS) {
        yaml_pen_mark(&w->pen, "*", true, false, false);
        yaml_pen_word(&w->pen, n->text);
        return;
    }
    if (!is_collection(n)) {
        struct scalar s = scalar_of(w, n, at.simple);
        put_scalar(w, &s, at);
        return;
    }
    struct node_notes notes = notes_of(n);
    put_properties(w, notes.anchor, notes.tag);
    if (w->n == w->cap) {
        w->cap = w->cap ? w->cap * 2 : 32;
        w->stack = mem_resize(w->stack, w->cap * sizeof(*w->stack));
    }
    w->stack[w->n++] = (struct frame){.n = n, .flow = !is_block(w, n), .in_map = at.in_map,
                                      .item = at.item, .key = at.key, .line = close};
}

/* Comments of a member or element as they will be announced. */
struct around {
    struct str head, line;             /* of the key */
    struct str value_head, value_line; /* of the value or element */
    struct str foot, close;            /* of a scalar; behind the end of a collection */
};

static struct str join(struct writer *w, struct str a, struct str b)
{
    return !a.len ? b : !b.len ? a : arena_printf(&w->scratch, "%.*s\n%.*s", STR_ARG(a),
                                                  STR_ARG(b));
}

/* Leads the comments of a value to where they can be written without straying (yaml.md §7.5,
 * cad-library D12): a comment above a value that has no lines of its own goes above its key, a
 * comment behind a block collection goes behind its key, the key's behind a value in brackets, and
 * of two for one place the first goes above. */
static void straighten(struct writer *w, const struct node *value, struct around *c)
{
    bool block = is_block(w, value);
    if (!block) {
        c->head = join(w, c->head, c->value_head);
        c->value_head = STR_NULL;
    }
    struct str *behind = is_collection(value) ? &c->close : &c->value_line;
    if (c->line.len && behind->len) {
        c->head = join(w, c->head, c->line);
        c->line = STR_NULL;
    }
    if (block && c->close.len) {
        c->line = c->close;
        c->close = STR_NULL;
    } else if (!block && c->line.len) {
        *behind = c->line;
        c->line = STR_NULL;
    }
    if (block && c->line.len && (notes_of(value).anchor.len || notes_of(value).tag.len)) {
        c->head = join(w, c->head, c->line); /* an anchor behind a comment would start a line */
        c->line = STR_NULL;
    }
    ptrdiff_t nl = str_rfind_byte(c->value_line, '\n'); /* a second line would be its text */
    if (nl >= 0 && may_be_block_text(value)) {
        c->head = join(w, c->head, str_sub(c->value_line, 0, (size_t)nl));
        c->value_line = str_sub(c->value_line, (size_t)nl + 1, c->value_line.len);
    }
}

static struct around comments_of(struct writer *w, const struct node *key,
                                 const struct node *value)
{
    if (!value->notes && !(key && key->notes)) {
        return (struct around){0};
    }
    struct node_notes k = notes_of(key), v = notes_of(value);
    bool closes = is_collection(value);
    struct around c = {.head = k.head, .line = k.line, .value_head = v.head,
                       .value_line = closes ? STR_NULL : v.line,
                       .foot = closes ? STR_NULL : v.foot, .close = closes ? v.line : STR_NULL};
    if (!w->pen.defects && ((key && key->notes) || value->notes)) {
        straighten(w, value, &c);
    }
    return c;
}

static bool has_trailing(const struct yaml_pen *p)
{
    return p->line.len || p->foot.len || p->tail.len;
}

static void close_node(struct writer *w, struct frame *f)
{
    struct yaml_pen *p = &w->pen;
    bool map = f->n->type == NODE_MAP;
    announce(w, STR_NULL, f->line, f->key ? STR_NULL : notes_of(f->n).foot, f->tail);
    if (f->flow) {
        if (map && (p->head.len || p->foot.len || p->tail.len) && f->i && !f->comma) {
            yaml_pen_mark(p, ",", false, false, false);
        }
        if (map) {
            yaml_pen_head(p);
        }
        w->flow--;
        p->indent = f->indent;
        if (!map && p->column == 0) {
            yaml_pen_indent(p);
        }
        yaml_pen_mark(p, map ? "}" : "]", false, false, false);
        yaml_pen_line(p);
        yaml_pen_foot(p);
    } else {
        if (map) {
            yaml_pen_head(p);
        }
        if (!p->defects) {
            yaml_pen_foot(p);
        }
        p->indent = f->indent;
    }
    w->n--;
}

static void start_node(struct writer *w, struct frame *f)
{
    struct yaml_pen *p = &w->pen;
    bool list = f->n->type == NODE_LIST;
    f->indent = p->indent;
    if (f->flow) {
        yaml_pen_mark(p, list ? "[" : "{", true, true, false);
        push_indent(w, true, f->item, false);
        w->flow++;
    } else {
        bool compact = list && !w->wide && f->in_map && (p->column == 0 || !p->indention);
        push_indent(w, false, f->item, compact);
    }
}

/* The comma between elements in brackets, and what stands above the next one. */
static void separate(struct writer *w, struct frame *f)
{
    if (f->i && !f->comma) {
        yaml_pen_mark(&w->pen, ",", false, false, false);
    }
    yaml_pen_head(&w->pen);
    if (w->pen.column == 0) {
        yaml_pen_indent(&w->pen);
    }
}

/* An element in brackets; comments behind it come after its comma. */
static void finish_flow(struct writer *w)
{
    if (has_trailing(&w->pen)) {
        yaml_pen_mark(&w->pen, ",", false, false, false);
    }
    yaml_pen_line(&w->pen);
    yaml_pen_foot(&w->pen);
}

static void put_item(struct writer *w, struct frame *f)
{
    const struct node *n = f->n->items[f->i];
    struct around c = comments_of(w, NULL, n);
    announce(w, join(w, c.head, join(w, c.line, c.value_head)), c.value_line, c.foot, STR_NULL);
    if (f->flow) {
        separate(w, f);
        f->comma = has_trailing(&w->pen);
    } else {
        yaml_pen_head(&w->pen);
        yaml_pen_indent(&w->pen);
        yaml_pen_mark(&w->pen, "-", true, false, true);
    }
    f->i++;
    bool flow = f->flow;
    open_node(w, n, (struct place){.item = !flow}, c.close);
    if (flow) {
        finish_flow(w);
    } else {
        yaml_pen_line(&w->pen);
        yaml_pen_foot(&w->pen);
    }
}

static void put_key(struct writer *w, struct frame *f)
{
    struct yaml_pen *p = &w->pen;
    const struct node_member *m = &f->n->members[f->i];
    struct node made = {.type = NODE_STRING, .text = m->key};
    const struct node *key = m->name ? m->name : &made;
    struct around c = comments_of(w, m->name, m->value);
    bool takes_tail = !p->defects || (key->type != NODE_LIST && key->type != NODE_ALIAS);
    bool closes = is_collection(key); /* its comment stands behind the bracket */
    if (closes && c.line.len && !p->defects) {
        c.head = join(w, c.head, c.line); /* behind the bracket it would cut off the colon */
        c.line = STR_NULL;
    }
    announce(w, c.head, closes ? STR_NULL : c.line, STR_NULL, takes_tail ? f->tail : STR_NULL);
    f->tail = m->name && m->name->notes ? m->name->notes->foot : STR_NULL;
    if (f->flow) {
        separate(w, f);
    } else {
        yaml_pen_head(p);
        yaml_pen_indent(p);
        if (p->line.len) {
            p->key_line = p->line;
            p->line = STR_NULL;
        }
    }
    f->value = true;
    struct scalar s;
    f->simple = fits_simple_key(w, key, &s);
    if (!f->simple) {
        yaml_pen_mark(p, "?", true, false, !f->flow);
    } else if (!closes && key->type != NODE_ALIAS) {
        put_scalar(w, &s, (struct place){.in_map = true, .simple = true});
        return;
    }
    open_node(w, key, (struct place){.in_map = true, .key = true, .simple = f->simple},
              c.line);
}

/* A comment behind the key: a scalar takes it over, a block collection stands below it. */
static void place_key_line(struct writer *w, const struct node *value)
{
    struct yaml_pen *p = &w->pen;
    if (!p->key_line.len) {
        return;
    }
    if (is_collection(value) && value->style != STYLE_FLOW) {
        struct str own = p->line;
        p->line = p->key_line;
        p->key_line = STR_NULL;
        yaml_pen_line(p);
        p->line = own;
    } else if (!is_collection(value) && value->type != NODE_ALIAS && !p->line.len) {
        p->line = p->key_line;
        p->key_line = STR_NULL;
    }
}

static void put_value(struct writer *w, struct frame *f)
{
    struct yaml_pen *p = &w->pen;
    const struct node_member *m = &f->n->members[f->i];
    const struct node *n = m->value;
    struct around c = comments_of(w, m->name, n);
    bool flow = f->flow;
    announce(w, c.value_head, c.value_line, c.foot, STR_NULL);
    if (!f->simple && !flow) {
        yaml_pen_indent(p);
    }
    yaml_pen_mark(p, ":", !f->simple, false, !f->simple && !flow);
    f->value = false;
    f->i++;
    if (flow) {
        f->comma = has_trailing(p);
    } else {
        place_key_line(w, n);
    }
    open_node(w, n, (struct place){.in_map = true}, c.close);
    if (flow) {
        finish_flow(w);
    } else {
        yaml_pen_line(p);
        yaml_pen_foot(p);
    }
}

/* Writes what the stack holds. A frame's address changes when the stack grows. */
static void run(struct writer *w)
{
    while (w->n && !w->pen.out->overflow) {
        struct frame *f = &w->stack[w->n - 1];
        if (f->i == 0 && !f->value) {
            start_node(w, f);
        }
        if (f->i == f->n->n) {
            close_node(w, f);
        } else if (f->n->type == NODE_LIST) {
            put_item(w, f);
        } else if (f->value) {
            put_value(w, f);
        } else {
            put_key(w, f);
        }
    }
}

static void put_tree(struct writer *w, const struct node *root, struct place at)
{
    struct around c = comments_of(w, NULL, root);
    announce(w, join(w, c.head, join(w, c.line, c.value_head)), c.value_line, c.foot, STR_NULL);
    yaml_pen_head(&w->pen);
    open_node(w, root, at, c.close);
    yaml_pen_line(&w->pen);
    yaml_pen_foot(&w->pen);
    run(w);
}

static void put_document(struct writer *w, const struct yaml_doc *doc, bool first)
{
    struct yaml_pen *p = &w->pen;
    if (!first) {
        yaml_pen_indent(p);
        yaml_pen_mark(p, "---", true, false, false);
        yaml_pen_indent(p);
    }
    struct node_notes notes = notes_of(doc->root);
    announce(w, doc->head.len ? doc->head : notes.top, STR_NULL, STR_NULL, STR_NULL);
    if (p->head.len) {
        yaml_pen_head(p);
        yaml_pen_break(p);
    }
    put_tree(w, doc->root, (struct place){0});
    announce(w, STR_NULL, STR_NULL, doc->foot.len ? doc->foot : notes.bottom, STR_NULL);
    p->foot_indent = 0;
    yaml_pen_foot(p);
    p->foot_indent = -1;
    yaml_pen_indent(p);
}

static struct writer make_writer(struct buf *out, const struct yaml_form *form, bool values)
{
    struct yaml_form f = form ? *form : (struct yaml_form){0};
    return (struct writer){
        .pen = {.out = out, .step = f.indent ? f.indent : 2, .indent = -1, .foot_indent = -1,
                .whitespace = true, .indention = true, .defects = f.defects},
        .wide = f.wide,
        .values = values,
    };
}

static void writer_done(struct writer *w)
{
    arena_done(&w->scratch);
    mem_free(w->stack);
}

#define AUTO_WRITER AUTO(writer_done) struct writer

void yaml_write(struct buf *out, const struct yaml_docs *docs, const struct yaml_form *form)
{
    AUTO_WRITER w = make_writer(out, form, false);
    for (size_t i = 0; i < docs->n; i++) {
        put_document(&w, &docs->list[i], i == 0);
    }
}

void yaml_write_node(struct buf *out, const struct node *n, const struct yaml_form *form)
{
    AUTO_WRITER w = make_writer(out, form, false);
    put_document(&w, &(struct yaml_doc){.root = (struct node *)n}, true);
}

void yaml_write_values(struct buf *out, const struct node *n, const struct yaml_form *form)
{
    AUTO_WRITER w = make_writer(out, form, true);
    put_document(&w, &(struct yaml_doc){.root = (struct node *)n}, true);
}

/* --- pieces of a document that is there (yaml_emit.h) --- */

static struct writer make_piece(struct buf *out, size_t base, struct yaml_layout l)
{
    struct writer w = make_writer(out, &(struct yaml_form){.wide = l.wide}, true);
    w.pen.base = (long)base;
    w.pen.indent = 0;
    return w;
}

static void end_line(struct writer *w)
{
    if (w->pen.column) {
        yaml_pen_break(&w->pen);
    }
}

void yaml_emit_value(struct buf *out, const struct node *n, size_t indent, struct yaml_layout l)
{
    AUTO_WRITER w = make_piece(out, indent, l);
    w.pen.column = 1;
    w.pen.whitespace = w.pen.indention = false;
    put_tree(&w, n, (struct place){.in_map = true});
    end_line(&w);
}

void yaml_emit_item(struct buf *out, const struct node *n, size_t indent, struct yaml_layout l)
{
    AUTO_WRITER w = make_piece(out, indent > 2 ? indent - 2 : 0, l);
    w.pen.column = 2;
    put_tree(&w, n, (struct place){.item = true});
    end_line(&w);
}

void yaml_emit_lines(struct buf *out, const struct node *n, size_t indent, struct yaml_layout l)
{
    AUTO_WRITER w = make_piece(out, indent, l);
    w.pen.indent = -1;
    put_tree(&w, n, (struct place){0});
    end_line(&w);
}

void yaml_emit_flow(struct buf *out, const struct node *n)
{
    AUTO_WRITER w = make_piece(out, 0, (struct yaml_layout){0});
    w.pen.column = 1;
    w.pen.indention = false;
    w.flow = 1;
    w.mute = true;
    put_tree(&w, n, (struct place){0});
}

void yaml_emit(struct buf *out, const struct node *n)
{
    yaml_write_values(out, n, NULL);
}
