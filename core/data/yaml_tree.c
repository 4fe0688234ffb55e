/* SPDX-License-Identifier: Apache-2.0
 *
 * The tokens at hand and the tree that grows from them (yaml_reader.h). Comments become notes of
 * nodes where the peer's parser puts them (yaml.md §6.5, §6.6). Two tokens behind the current one
 * are always read, because their comments may belong to it. Children gather on one scratch stack
 * and move into the arena when their collection is complete, so the arena holds no outgrown arrays.
 */
#include "data/yaml_reader.h"

#include <stdio.h>

#include "base/mem.h"
#include "data/yaml_scalar.h"

#define AHEAD 3 /* tokens to be at hand, the current one included */

/* --- errors: parser errors show the line before the one meant, as the peer does --- */

int yaml_read_fail(struct yaml_reader *r, const struct yaml_token *t, size_t context_line,
                   const char *problem)
{
    size_t shown = context_line ? context_line : t->line;
    return yaml_fail(&r->fault, shown, t->line, t->column, problem);
}

int yaml_too_large(struct yaml_reader *r)
{
    return yaml_fail(&r->fault, 0, r->fault.line, r->fault.column, "document is too large");
}

/* --- tokens --- */

static int fetch(struct yaml_reader *r)
{
    if (r->head && r->head == r->n) {
        r->head = r->n = 0;
    }
    size_t from = r->n;
    bool real = false;
    while (!real) {
        if (r->n == r->cap) {
            if (r->head > r->cap / 2) {
                memmove(r->tokens, r->tokens + r->head, (r->n - r->head) * sizeof(*r->tokens));
                from -= r->head;
                r->n -= r->head;
                r->head = 0;
            } else {
                r->cap = r->cap ? r->cap * 2 : 32;
                r->tokens = mem_resize(r->tokens, r->cap * sizeof(*r->tokens));
            }
        }
        struct yaml_token *t = &r->tokens[r->n];
        if (yaml_scanner_next(r->scanner, t, &r->fault)) {
            return -1;
        }
        real = t->real;
        r->ended = t->type == TOKEN_STREAM_END;
        r->n++;
    }
    yaml_comments_add(&r->comments, &r->tokens[from], r->n - from);
    return 0;
}

/* The current token; comments that are due at it become pending. NULL on failure. */
const struct yaml_token *yaml_peek(struct yaml_reader *r)
{
    while (r->n - r->head < AHEAD && !r->ended) {
        if (fetch(r)) {
            return NULL;
        }
    }
    const struct yaml_token *t = &r->tokens[r->head];
    yaml_comments_look(&r->comments, t);
    return t;
}

/* End of a token's own bytes: blank lines that a block scalar does not keep are not its own. */
static size_t own_end(const struct yaml_reader *r, const struct yaml_token *t)
{
    size_t to = t->to;
    if (t->type == TOKEN_SCALAR && (t->style == STYLE_LITERAL || t->style == STYLE_FOLDED)) {
        while (to > t->from && memchr(" \t\r\n", r->text.ptr[to - 1], 4)) {
            to--;
        }
    }
    return to;
}

void yaml_skip(struct yaml_reader *r)
{
    const struct yaml_token *t = &r->tokens[r->head++];
    if (t->real) {
        r->last_to = own_end(r, t);
    }
}

/* --- notes --- */

static struct node_notes *notes_of(struct yaml_reader *r, struct node *n)
{
    if (!n->notes) {
        n->notes = arena_new(r->a, struct node_notes);
    }
    return n->notes;
}

void yaml_set_note(struct yaml_reader *r, struct node *n, size_t offset, struct str s)
{
    struct node_notes *notes = s.len ? notes_of(r, n) : n->notes;
    if (notes) {
        *(struct str *)((char *)notes + offset) = s;
    }
}

struct str yaml_take(struct yaml_reader *r, enum yaml_comment_kind kind)
{
    return yaml_gather_take(&r->comments.pending[kind], r->a);
}

static bool any_pending(const struct yaml_reader *r)
{
    const struct yaml_gather *p = r->comments.pending;
    return yaml_gather_any(&p[COMMENT_HEAD]) || yaml_gather_any(&p[COMMENT_LINE]) ||
           yaml_gather_any(&p[COMMENT_FOOT]);
}

void yaml_take_all(struct yaml_reader *r, struct node *n)
{
    if (any_pending(r)) {
        YAML_SET_NOTE(r, n, head, yaml_take(r, COMMENT_HEAD));
        YAML_SET_NOTE(r, n, line, yaml_take(r, COMMENT_LINE));
        YAML_SET_NOTE(r, n, foot, yaml_take(r, COMMENT_FOOT));
    }
}

static struct str foot_of(const struct node *n)
{
    return n->notes ? n->notes->foot : STR_NULL;
}

/* --- nodes --- */

struct node *yaml_make(struct yaml_reader *r, enum node_type type, size_t from, size_t to)
{
    struct node *n = r->spare;
    if (n) {
        r->spare = n->target;
        *n = (struct node){0};
    } else {
        n = arena_new(r->a, struct node);
    }
    if (n) {
        n->type = (uint8_t)type;
        n->span_from = (uint32_t)from;
        n->span_to = (uint32_t)to;
    }
    return n;
}

void yaml_set_props(struct yaml_reader *r, struct node *n, const struct yaml_props *p)
{
    if (p->any) {
        n->span_from = p->from;
    }
    YAML_SET_NOTE(r, n, tag, p->tag);
    if (p->anchor.len) {
        YAML_SET_NOTE(r, n, anchor, p->anchor);
        map_set(&r->anchors, p->anchor, n);
    }
}

/* Types a scalar by its tag and text; what does not fit its tag is a string. */
static void resolve(struct node *n, struct str tag)
{
    bool plain = n->style == STYLE_PLAIN;
    enum node_type forced = NODE_STRING;
    if (tag.len) {
        forced = str_eqz(tag, "!!int")     ? NODE_INT
                 : str_eqz(tag, "!!float") ? NODE_FLOAT
                 : str_eqz(tag, "!!bool")  ? NODE_BOOL
                 : str_eqz(tag, "!!null")  ? NODE_NULL
                                           : NODE_STRING;
        plain = forced != NODE_STRING;
    }
    n->type = NODE_STRING;
    if (!plain) {
        return;
    }
    struct yaml_scalar s = yaml_scalar_resolve(n->text);
    bool word = s.type == NODE_BOOL && yaml_core_type(n->text) != NODE_BOOL; /* `yes` */
    n->bare = !tag.len && (s.type == NODE_STRING || word) && yaml_scalar_needs_quotes(n->text);
    if (word) {
        return;
    }
    if (tag.len && s.type != forced) {
        if (s.type != NODE_INT || forced != NODE_FLOAT) {
            return;
        }
        s.type = NODE_FLOAT;
    }
    n->type = (uint8_t)s.type;
    n->boolean = s.boolean;
    n->integer = s.integer;
}

void yaml_retype(struct node *scalar)
{
    scalar->bare = false;
    resolve(scalar, scalar->notes ? scalar->notes->tag : STR_NULL);
}

struct node *yaml_make_scalar(struct yaml_reader *r, const struct yaml_token *t,
                              const struct yaml_props *p)
{
    struct node *n = yaml_make(r, NODE_STRING, t->from, own_end(r, t));
    if (!n) {
        return NULL;
    }
    n->style = t->style;
    n->text = t->text.ptr ? t->text : STR("");
    yaml_set_props(r, n, p);
    yaml_take_all(r, n);
    resolve(n, p->tag);
    return n;
}

/* A value that is not written; comments wait for something that is. */
struct node *yaml_make_empty(struct yaml_reader *r, const struct yaml_props *p)
{
    size_t at = p->any ? p->to : r->last_to;
    struct node *n = yaml_make(r, NODE_NULL, at, at);
    if (n) {
        n->text = STR("");
        yaml_set_props(r, n, p);
        if (p->tag.len) {
            resolve(n, p->tag);
        }
    }
    return n;
}

/* --- the tree --- */

static bool is_map(enum yaml_frame_kind kind)
{
    return kind == BLOCK_MAP || kind == FLOW_MAP || kind == FLOW_PAIR;
}

/* A key that says no more than its text gives its node back. */
static void settle_key(struct yaml_reader *r, struct node_member *m)
{
    struct node *k = m->name;
    if (k && !k->notes && k->type == NODE_STRING && k->style == STYLE_PLAIN && !k->bare) {
        m->name = NULL;
        k->target = r->spare;
        r->spare = k;
    }
}

static int push_kid(struct yaml_reader *r, struct node_member m)
{
    if (r->n_kids == r->cap_kids) {
        r->cap_kids = r->cap_kids ? r->cap_kids * 2 : 64;
        r->kids = mem_resize(r->kids, r->cap_kids * sizeof(*r->kids));
    }
    r->kids[r->n_kids++] = m;
    return 0;
}

static void add_key(struct yaml_reader *r, struct yaml_frame *f, struct node *k)
{
    bool scalar = k->type != NODE_LIST && k->type != NODE_MAP && k->type != NODE_ALIAS;
    struct node_member *before = r->n_kids > f->base ? &r->kids[r->n_kids - 1] : NULL;
    if (before && f->kind == BLOCK_MAP && foot_of(k).len) {
        YAML_SET_NOTE(r, before->name, foot, foot_of(k)); /* it stood below the pair before */
        k->notes->foot = STR_NULL;
    }
    if (before) {
        settle_key(r, before);
    }
    push_kid(r, (struct node_member){.key = scalar ? k->text : STR(""),
                                     .name = k,
                                     .from = k->span_from,
                                     .to = k->span_to});
    f->phase = f->kind == FLOW_MAP && f->phase == AT_LONE ? AT_LONE : AT_VALUE;
}

static void add_value(struct yaml_reader *r, struct yaml_frame *f, struct node *v)
{
    struct node_member *m = &r->kids[r->n_kids - 1];
    m->value = v;
    if (foot_of(v).len && !foot_of(m->name).len) {
        YAML_SET_NOTE(r, m->name, foot, v->notes->foot);
        v->notes->foot = STR_NULL;
    }
    f->phase = f->kind == FLOW_PAIR ? AT_END : AT_KEY;
}

/* Gives a complete node to the collection it stands in. */
int yaml_deliver(struct yaml_reader *r, struct node *n)
{
    if (!n || r->a->exhausted) {
        return yaml_too_large(r);
    }
    if (r->n_frames == 0) {
        r->root = n;
        return 0;
    }
    struct yaml_frame *f = &r->frames[r->n_frames - 1];
    if (!is_map(f->kind)) {
        f->phase = AT_KEY;
        return push_kid(r, (struct node_member){.value = n});
    }
    if (f->phase == AT_VALUE) {
        add_value(r, f, n);
    } else {
        add_key(r, f, n);
    }
    return 0;
}

int yaml_open(struct yaml_reader *r, enum yaml_frame_kind kind, struct node *n,
              const struct yaml_token *t)
{
    if (!n) {
        return yaml_too_large(r);
    }
    if (r->n_frames >= r->depth) {
        char problem[64];
        (void)snprintf(problem, sizeof(problem), "exceeded max depth of %zu", r->depth);
        return yaml_fail(&r->fault, t->line ? t->line + 1 : 0, t->line, t->column, problem);
    }
    if (r->n_frames == r->cap_frames) {
        r->cap_frames = r->cap_frames ? r->cap_frames * 2 : 32;
        r->frames = mem_resize(r->frames, r->cap_frames * sizeof(*r->frames));
    }
    n->style = kind == FLOW_LIST || kind == FLOW_MAP || kind == FLOW_PAIR ? STYLE_FLOW
                                                                          : STYLE_PLAIN;
    r->frames[r->n_frames++] = (struct yaml_frame){.kind = kind,
                                              .node = n,
                                              .base = r->n_kids,
                                              .line = t->line,
                                              .column = t->column};
    return 0;
}

/* Moves the children from the scratch into the node. */
static bool move_kids(struct yaml_reader *r, const struct yaml_frame *f)
{
    struct node *node = f->node;
    size_t n = r->n_kids - f->base;
    struct node_member *kids = n ? &r->kids[f->base] : NULL;
    node->n = node->cap = (uint32_t)n;
    r->n_kids = f->base;
    if (n == 0) {
        return true;
    }
    if (is_map(f->kind)) {
        settle_key(r, &kids[n - 1]);
        node->members = arena_array(r->a, struct node_member, n);
        return node->members && memcpy(node->members, kids, n * sizeof(*kids));
    }
    node->items = arena_array(r->a, struct node *, n);
    for (size_t i = 0; node->items && i < n; i++) {
        node->items[i] = kids[i].value;
    }
    return node->items != NULL;
}

int yaml_close(struct yaml_reader *r)
{
    struct yaml_frame f = r->frames[--r->n_frames];
    f.node->span_to = (uint32_t)r->last_to;
    return move_kids(r, &f) ? yaml_deliver(r, f.node) : yaml_too_large(r);
}

/* The comments at the end of a block map are feet of its last pair. */
int yaml_close_block_map(struct yaml_reader *r)
{
    struct yaml_frame *f = &r->frames[r->n_frames - 1];
    if (any_pending(r)) {
        (void)yaml_take(r, COMMENT_HEAD);
        YAML_SET_NOTE(r, f->node, line, yaml_take(r, COMMENT_LINE));
        struct str foot = yaml_take(r, COMMENT_FOOT);
        if (foot.len && r->n_kids > f->base) {
            YAML_SET_NOTE(r, r->kids[r->n_kids - 1].name, foot, foot);
        }
    }
    yaml_skip(r);
    return yaml_close(r);
}

/* Line and foot of a flow collection stand behind its end, the head before its start. */
int yaml_close_flow(struct yaml_reader *r)
{
    struct node *n = r->frames[r->n_frames - 1].node;
    if (n->notes || any_pending(r)) {
        (void)yaml_take(r, COMMENT_HEAD);
        YAML_SET_NOTE(r, n, line, yaml_take(r, COMMENT_LINE));
        YAML_SET_NOTE(r, n, foot, yaml_take(r, COMMENT_FOOT));
    }
    yaml_skip(r);
    return yaml_close(r);
}
