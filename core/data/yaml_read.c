/* SPDX-License-Identifier: Apache-2.0
 *
 * YAML text into the node tree (yaml_doc.h): a parser over the tokens with a stack of its own, so
 * that depth costs heap and no recursion. Comments become notes of nodes where the peer's parser
 * puts them (yaml.md §6.5, §6.6). Two tokens behind the current one are always read, because their
 * comments may belong to it. Children gather on one scratch stack and move into the arena when
 * their collection is complete, so the arena holds no outgrown arrays.
 */
#include "data/yaml_doc.h"

#include <stdio.h>

#include "base/limits.h"
#include "base/map.h"
#include "base/mem.h"
#include "data/yaml_comment.h"
#include "data/yaml_scalar.h"

#define AHEAD 3 /* tokens to be at hand, the current one included */
#define TAG "tag:yaml.org,2002:"

enum frame_kind {
    BLOCK_MAP,
    BLOCK_LIST,
    INDENTLESS, /* block list in the column of its key: its end has no token */
    FLOW_LIST,
    FLOW_MAP,
    FLOW_PAIR /* `a: b` inside a flow list */
};

enum phase {
    AT_FIRST, /* no child yet */
    AT_KEY,   /* or at a list item */
    AT_VALUE,
    AT_LONE, /* the key of a flow map had no `?` and no `:` */
    AT_END
};

struct frame {
    enum frame_kind kind;
    enum phase phase;
    struct node *node;
    size_t base;           /* first child in the scratch */
    uint32_t line, column; /* of the start */
};

struct reader {
    struct arena *a;
    struct str text;
    size_t depth;
    struct yaml_fault fault;
    struct yaml_scanner *scanner;
    struct yaml_comments comments;
    struct yaml_token *tokens; /* head..n are at hand */
    size_t head, n, cap;
    bool ended;
    struct frame *frames;
    size_t n_frames, cap_frames;
    struct node_member *kids; /* scratch: children of open collections; name holds whole keys */
    size_t n_kids, cap_kids;
    struct node *spare; /* key nodes that nobody needs, linked by target */
    struct str stem;    /* head comment for the collection that a list item begins with */
    size_t last_to;     /* where the last token ended */
    struct map anchors; /* name → node, of the current document */
    struct str *prefixes; /* handle, prefix … of %TAG */
    size_t n_prefixes;
    struct node *root; /* of the current document once it is complete */
};

/* What stands before the content of a node. */
struct props {
    struct str anchor, tag;
    bool any;
    uint32_t from, to, line, column;
};

/* --- errors: parser errors show the line before the one meant, as the peer does --- */

static int fail(struct reader *r, const struct yaml_token *t, size_t context_line,
                const char *problem)
{
    size_t shown = context_line ? context_line : t->line;
    return yaml_fail(&r->fault, shown, t->line, t->column, problem);
}

static int fail_large(struct reader *r)
{
    return yaml_fail(&r->fault, 0, r->fault.line, r->fault.column, "document is too large");
}

/* --- tokens --- */

static int fetch(struct reader *r)
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
static const struct yaml_token *peek(struct reader *r)
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
static size_t own_end(const struct reader *r, const struct yaml_token *t)
{
    size_t to = t->to;
    if (t->type == TOKEN_SCALAR && (t->style == STYLE_LITERAL || t->style == STYLE_FOLDED)) {
        while (to > t->from && memchr(" \t\r\n", r->text.ptr[to - 1], 4)) {
            to--;
        }
    }
    return to;
}

static void skip(struct reader *r)
{
    const struct yaml_token *t = &r->tokens[r->head++];
    if (t->real) {
        r->last_to = own_end(r, t);
    }
}

static bool is_any(uint8_t type, enum yaml_token_type a, enum yaml_token_type b,
                   enum yaml_token_type c)
{
    return type == a || type == b || type == c;
}

/* --- notes --- */

static struct node_notes *notes_of(struct reader *r, struct node *n)
{
    if (!n->notes) {
        n->notes = arena_new(r->a, struct node_notes);
    }
    return n->notes;
}

static void set_note(struct reader *r, struct node *n, size_t offset, struct str s)
{
    struct node_notes *notes = s.len ? notes_of(r, n) : n->notes;
    if (notes) {
        *(struct str *)((char *)notes + offset) = s;
    }
}
#define SET_NOTE(r, n, which, s) set_note(r, n, offsetof(struct node_notes, which), s)

static struct str take(struct reader *r, enum yaml_comment_kind kind)
{
    return yaml_gather_take(&r->comments.pending[kind], r->a);
}

static bool any_pending(const struct reader *r)
{
    const struct yaml_gather *p = r->comments.pending;
    return yaml_gather_any(&p[COMMENT_HEAD]) || yaml_gather_any(&p[COMMENT_LINE]) ||
           yaml_gather_any(&p[COMMENT_FOOT]);
}

static void take_all(struct reader *r, struct node *n)
{
    if (any_pending(r)) {
        SET_NOTE(r, n, head, take(r, COMMENT_HEAD));
        SET_NOTE(r, n, line, take(r, COMMENT_LINE));
        SET_NOTE(r, n, foot, take(r, COMMENT_FOOT));
    }
}

static struct str foot_of(const struct node *n)
{
    return n->notes ? n->notes->foot : STR_NULL;
}

/* --- nodes --- */

static struct node *make(struct reader *r, enum node_type type, size_t from, size_t to)
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

static int set_props(struct reader *r, struct node *n, const struct props *p)
{
    if (p->any) {
        n->span_from = p->from;
    }
    SET_NOTE(r, n, tag, p->tag);
    if (p->anchor.len) {
        SET_NOTE(r, n, anchor, p->anchor);
        map_set(&r->anchors, p->anchor, n);
    }
    return 0;
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

static struct node *make_scalar(struct reader *r, const struct yaml_token *t,
                                const struct props *p)
{
    struct node *n = make(r, NODE_STRING, t->from, own_end(r, t));
    if (!n) {
        return NULL;
    }
    n->style = t->style;
    n->text = t->text.ptr ? t->text : STR("");
    set_props(r, n, p);
    take_all(r, n);
    resolve(n, p->tag);
    return n;
}

/* A value that is not written; comments wait for something that is. */
static struct node *make_empty(struct reader *r, const struct props *p)
{
    size_t at = p->any ? p->to : r->last_to;
    struct node *n = make(r, NODE_NULL, at, at);
    if (n) {
        n->text = STR("");
        set_props(r, n, p);
        if (p->tag.len) {
            resolve(n, p->tag);
        }
    }
    return n;
}

/* --- the tree --- */

static bool is_map(enum frame_kind kind)
{
    return kind == BLOCK_MAP || kind == FLOW_MAP || kind == FLOW_PAIR;
}

/* A key that says no more than its text gives its node back. */
static void settle_key(struct reader *r, struct node_member *m)
{
    struct node *k = m->name;
    if (k && !k->notes && k->type == NODE_STRING && k->style == STYLE_PLAIN && !k->bare) {
        m->name = NULL;
        k->target = r->spare;
        r->spare = k;
    }
}

static int push_kid(struct reader *r, struct node_member m)
{
    if (r->n_kids == r->cap_kids) {
        r->cap_kids = r->cap_kids ? r->cap_kids * 2 : 64;
        r->kids = mem_resize(r->kids, r->cap_kids * sizeof(*r->kids));
    }
    r->kids[r->n_kids++] = m;
    return 0;
}

static void add_key(struct reader *r, struct frame *f, struct node *k)
{
    bool scalar = k->type != NODE_LIST && k->type != NODE_MAP && k->type != NODE_ALIAS;
    struct node_member *before = r->n_kids > f->base ? &r->kids[r->n_kids - 1] : NULL;
    if (before && f->kind == BLOCK_MAP && foot_of(k).len) {
        SET_NOTE(r, before->name, foot, foot_of(k)); /* it stood below the pair before */
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

static void add_value(struct reader *r, struct frame *f, struct node *v)
{
    struct node_member *m = &r->kids[r->n_kids - 1];
    m->value = v;
    if (foot_of(v).len && !foot_of(m->name).len) {
        SET_NOTE(r, m->name, foot, v->notes->foot);
        v->notes->foot = STR_NULL;
    }
    f->phase = f->kind == FLOW_PAIR ? AT_END : AT_KEY;
}

/* Gives a complete node to the collection it stands in. */
static int deliver(struct reader *r, struct node *n)
{
    if (!n || r->a->exhausted) {
        return fail_large(r);
    }
    if (r->n_frames == 0) {
        r->root = n;
        return 0;
    }
    struct frame *f = &r->frames[r->n_frames - 1];
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

static int open_node(struct reader *r, enum frame_kind kind, struct node *n,
                     const struct yaml_token *t)
{
    if (!n) {
        return fail_large(r);
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
    r->frames[r->n_frames++] = (struct frame){.kind = kind,
                                              .node = n,
                                              .base = r->n_kids,
                                              .line = t->line,
                                              .column = t->column};
    return 0;
}

/* Moves the children from the scratch into the node. */
static bool move_kids(struct reader *r, const struct frame *f)
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

static int close_node(struct reader *r)
{
    struct frame f = r->frames[--r->n_frames];
    f.node->span_to = (uint32_t)r->last_to;
    return move_kids(r, &f) ? deliver(r, f.node) : fail_large(r);
}

/* The comments at the end of a block map are feet of its last pair. */
static int close_block_map(struct reader *r)
{
    struct frame *f = &r->frames[r->n_frames - 1];
    if (any_pending(r)) {
        (void)take(r, COMMENT_HEAD);
        SET_NOTE(r, f->node, line, take(r, COMMENT_LINE));
        struct str foot = take(r, COMMENT_FOOT);
        if (foot.len && r->n_kids > f->base) {
            SET_NOTE(r, r->kids[r->n_kids - 1].name, foot, foot);
        }
    }
    skip(r);
    return close_node(r);
}

/* Line and foot of a flow collection stand behind its end, the head before its start. */
static int close_flow(struct reader *r)
{
    struct node *n = r->frames[r->n_frames - 1].node;
    if (n->notes || any_pending(r)) {
        (void)take(r, COMMENT_HEAD);
        SET_NOTE(r, n, line, take(r, COMMENT_LINE));
        SET_NOTE(r, n, foot, take(r, COMMENT_FOOT));
    }
    skip(r);
    return close_node(r);
}

/* --- tags --- */

static int read_tag(struct reader *r, const struct yaml_token *t, const struct props *p,
                    struct str *out)
{
    struct str prefix = STR_NULL;
    bool known = t->handle.len == 0;
    for (size_t i = 0; i < r->n_prefixes && !known; i += 2) {
        known = str_eq(r->prefixes[i], t->handle);
        prefix = known ? r->prefixes[i + 1] : prefix;
    }
    if (!known && (str_eqz(t->handle, "!") || str_eqz(t->handle, "!!"))) {
        known = true;
        prefix = t->handle.len == 1 ? STR("!") : STR(TAG);
    }
    if (!known || prefix.len + t->text.len == 0) {
        return fail(r, t, p->line, "found undefined tag handle");
    }
    struct str full = arena_printf(r->a, "%.*s%.*s", STR_ARG(prefix), STR_ARG(t->text));
    if (str_has_prefix(full, STR(TAG))) {
        *out = arena_printf(r->a, "!!%.*s", STR_ARG(str_sub(full, sizeof(TAG) - 1, full.len)));
    } else if (!str_eqz(full, "!")) { /* which says nothing */
        *out = full;
    }
    return 0;
}

/* Reads anchor and tag, in any order, each once. */
static int read_props(struct reader *r, struct props *p)
{
    bool anchor = false, tag = false;
    for (;;) {
        const struct yaml_token *t = peek(r);
        if (!t) {
            return -1;
        }
        if (!p->any) {
            p->line = t->line;
            p->column = t->column;
            p->from = t->from;
        }
        if (t->type == TOKEN_ANCHOR && !anchor) {
            p->anchor = t->text;
            anchor = true;
        } else if (t->type == TOKEN_TAG && !tag) {
            tag = true;
            if (read_tag(r, t, p, &p->tag)) {
                return -1;
            }
        } else {
            return 0;
        }
        p->any = true;
        p->to = t->to;
        skip(r);
    }
}

/* --- nodes by their tokens --- */

static int read_alias(struct reader *r, const struct yaml_token *t)
{
    struct node *target = map_find(&r->anchors, t->text);
    if (!target) {
        char problem[200];
        struct str name = str_sub(t->text, 0, 128);
        (void)snprintf(problem, sizeof(problem), "unknown anchor '%.*s' referenced",
                       STR_ARG(name));
        return yaml_fail(&r->fault, 0, t->line, t->column, problem);
    }
    struct node *n = make(r, NODE_ALIAS, t->from, t->to);
    if (n) {
        n->text = t->text;
        n->target = target;
        take_all(r, n);
    }
    skip(r);
    return deliver(r, n);
}

static int open_flow(struct reader *r, const struct yaml_token *t, const struct props *p)
{
    bool list = t->type == TOKEN_FLOW_LIST;
    struct node *n = make(r, list ? NODE_LIST : NODE_MAP, t->from, t->to);
    if (!n) {
        return fail_large(r);
    }
    set_props(r, n, p);
    take_all(r, n);
    return open_node(r, list ? FLOW_LIST : FLOW_MAP, n, t);
}

static int open_block(struct reader *r, enum frame_kind kind, const struct yaml_token *t,
                      const struct props *p)
{
    struct node *n = make(r, kind == BLOCK_MAP ? NODE_MAP : NODE_LIST, t->from, t->from);
    if (!n) {
        return fail_large(r);
    }
    set_props(r, n, p);
    if (kind != INDENTLESS) {
        SET_NOTE(r, n, head, r->stem);
        r->stem = STR_NULL;
    }
    return open_node(r, kind, n, t);
}

/* Reads one node, or opens it when it is a collection. */
static int read_node(struct reader *r, bool block, bool indentless)
{
    struct props p = {0};
    const struct yaml_token *t = peek(r);
    if (t && t->type == TOKEN_ALIAS) {
        return read_alias(r, t);
    }
    if (read_props(r, &p) || !(t = peek(r))) {
        return -1;
    }
    if (indentless && t->type == TOKEN_DASH) {
        return open_block(r, INDENTLESS, t, &p);
    }
    if (t->type == TOKEN_SCALAR) {
        struct node *n = make_scalar(r, t, &p);
        skip(r);
        return deliver(r, n);
    }
    if (t->type == TOKEN_FLOW_LIST || t->type == TOKEN_FLOW_MAP) {
        return open_flow(r, t, &p);
    }
    if (block && (t->type == TOKEN_BLOCK_LIST || t->type == TOKEN_BLOCK_MAP)) {
        return open_block(r, t->type == TOKEN_BLOCK_MAP ? BLOCK_MAP : BLOCK_LIST, t, &p);
    }
    if (p.any) {
        return deliver(r, make_empty(r, &p));
    }
    return fail(r, t, p.line, "did not find expected node content");
}

static int read_empty(struct reader *r)
{
    return deliver(r, make_empty(r, &(struct props){0}));
}

/* --- collections --- */

static int step_block_map(struct reader *r, struct frame *f)
{
    if (f->phase == AT_FIRST) {
        (void)peek(r);
        skip(r);
    }
    bool value = f->phase == AT_VALUE;
    const struct yaml_token *t = peek(r);
    if (!t) {
        return -1;
    }
    if (value && t->type != TOKEN_VALUE) {
        return read_empty(r);
    }
    if (!value && t->type == TOKEN_BLOCK_END) {
        return close_block_map(r);
    }
    if (!value && t->type != TOKEN_KEY) {
        return fail(r, t, f->line, "did not find expected key");
    }
    f->phase = value ? AT_VALUE : AT_KEY;
    skip(r);
    t = peek(r);
    if (!t) {
        return -1;
    }
    return is_any(t->type, TOKEN_KEY, TOKEN_VALUE, TOKEN_BLOCK_END) ? read_empty(r)
                                                                    : read_node(r, true, true);
}

/* The head comment above a dash is the collection's when the item begins with one. */
static int split_stem(struct reader *r, size_t head)
{
    const struct yaml_token *t = head ? peek(r) : NULL;
    if (!t) {
        return head ? -1 : 0;
    }
    if (t->type == TOKEN_BLOCK_LIST || t->type == TOKEN_BLOCK_MAP) {
        struct yaml_gather *g = &r->comments.pending[COMMENT_HEAD];
        struct str all = yaml_gather_str(g);
        r->stem = arena_str(r->a, str_sub(all, 0, head));
        yaml_gather_drop(g, all.len > head ? head + 1 : head);
    }
    return 0;
}

static int step_block_list(struct reader *r, struct frame *f)
{
    if (f->phase == AT_FIRST && f->kind == BLOCK_LIST) {
        (void)peek(r);
        skip(r);
    }
    f->phase = AT_KEY;
    const struct yaml_token *t = peek(r);
    if (!t) {
        return -1;
    }
    if (t->type != TOKEN_DASH) {
        if (f->kind == INDENTLESS) {
            return close_node(r);
        }
        if (t->type != TOKEN_BLOCK_END) {
            return fail(r, t, f->line, "did not find expected '-' indicator");
        }
        skip(r);
        return close_node(r);
    }
    size_t head = yaml_gather_str(&r->comments.pending[COMMENT_HEAD]).len;
    bool indentless = f->kind == INDENTLESS;
    skip(r);
    if (split_stem(r, head) || !(t = peek(r))) {
        return -1;
    }
    bool empty = t->type == TOKEN_DASH || t->type == TOKEN_BLOCK_END ||
                 (indentless && (t->type == TOKEN_KEY || t->type == TOKEN_VALUE));
    return empty ? read_empty(r) : read_node(r, true, false);
}

/* Behind an entry of a flow collection: at the next entry or the end. */
static const struct yaml_token *next_entry(struct reader *r, struct frame *f,
                                           enum yaml_token_type end, const char *problem)
{
    if (f->phase == AT_FIRST) {
        (void)peek(r);
        skip(r);
    }
    const struct yaml_token *t = peek(r);
    if (!t || t->type == end || f->phase == AT_FIRST) {
        return t;
    }
    if (t->type != TOKEN_COMMA) {
        (void)fail(r, t, f->line, problem);
        return NULL;
    }
    skip(r);
    return peek(r);
}

static int step_flow_list(struct reader *r, struct frame *f)
{
    const struct yaml_token *t =
        next_entry(r, f, TOKEN_FLOW_LIST_END, "did not find expected ',' or ']'");
    if (!t) {
        return -1;
    }
    f->phase = AT_KEY;
    if (t->type == TOKEN_FLOW_LIST_END) {
        return close_flow(r);
    }
    if (t->type != TOKEN_KEY) {
        return read_node(r, false, false);
    }
    struct node *n = make(r, NODE_MAP, t->from, t->from);
    if (open_node(r, FLOW_PAIR, n, t)) {
        return -1;
    }
    skip(r);
    return 0;
}

static int step_flow_pair(struct reader *r, struct frame *f)
{
    if (f->phase == AT_END) {
        return close_node(r);
    }
    const struct yaml_token *t = peek(r);
    if (!t) {
        return -1;
    }
    if (f->phase != AT_VALUE) {
        if (is_any(t->type, TOKEN_VALUE, TOKEN_COMMA, TOKEN_FLOW_LIST_END)) {
            skip(r); /* as libyaml and the peer: whatever it is */
            return read_empty(r);
        }
        return read_node(r, false, false);
    }
    if (t->type == TOKEN_VALUE) {
        skip(r);
        t = peek(r);
        if (!t) {
            return -1;
        }
        if (t->type != TOKEN_COMMA && t->type != TOKEN_FLOW_LIST_END) {
            return read_node(r, false, false);
        }
    }
    return read_empty(r);
}

static int step_flow_value(struct reader *r)
{
    const struct yaml_token *t = peek(r);
    if (!t) {
        return -1;
    }
    if (t->type == TOKEN_VALUE) {
        skip(r);
        t = peek(r);
        if (!t) {
            return -1;
        }
        if (t->type != TOKEN_COMMA && t->type != TOKEN_FLOW_MAP_END) {
            return read_node(r, false, false);
        }
    }
    return read_empty(r);
}

static int step_flow_map(struct reader *r, struct frame *f)
{
    if (f->phase == AT_VALUE) {
        return step_flow_value(r);
    }
    if (f->phase == AT_LONE) {
        f->phase = AT_VALUE;
        return peek(r) ? read_empty(r) : -1;
    }
    const struct yaml_token *t =
        next_entry(r, f, TOKEN_FLOW_MAP_END, "did not find expected ',' or '}'");
    if (!t) {
        return -1;
    }
    if (t->type == TOKEN_FLOW_MAP_END) {
        return close_flow(r);
    }
    f->phase = t->type == TOKEN_KEY ? AT_KEY : AT_LONE;
    if (t->type == TOKEN_KEY) {
        skip(r);
        t = peek(r);
        if (!t) {
            return -1;
        }
        if (is_any(t->type, TOKEN_VALUE, TOKEN_COMMA, TOKEN_FLOW_MAP_END)) {
            return read_empty(r);
        }
    }
    return read_node(r, false, false);
}

static int step(struct reader *r)
{
    struct frame *f = &r->frames[r->n_frames - 1];
    switch (f->kind) {
    case BLOCK_MAP:
        return step_block_map(r, f);
    case BLOCK_LIST:
    case INDENTLESS:
        return step_block_list(r, f);
    case FLOW_LIST:
        return step_flow_list(r, f);
    case FLOW_MAP:
        return step_flow_map(r, f);
    default:
        return step_flow_pair(r, f);
    }
}

/* --- documents --- */

/* Of the comments above the first document, those above the last empty line are its own. */
static void take_document_head(struct reader *r, struct yaml_doc *doc)
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

static int read_directives(struct reader *r)
{
    bool version = false;
    r->n_prefixes = 0;
    for (;;) {
        const struct yaml_token *t = peek(r);
        if (!t) {
            return -1;
        }
        if (t->type == TOKEN_VERSION) {
            if (version) {
                return fail(r, t, 0, "found duplicate %YAML directive");
            }
            if (!str_eqz(t->text, "1.1")) {
                return fail(r, t, 0, "found incompatible YAML document");
            }
            version = true;
        } else if (t->type == TOKEN_TAG_PREFIX) {
            for (size_t i = 0; i < r->n_prefixes; i += 2) {
                if (str_eq(r->prefixes[i], t->handle)) {
                    return fail(r, t, 0, "found duplicate %TAG directive");
                }
            }
            r->prefixes = mem_resize(r->prefixes, (r->n_prefixes + 2) * sizeof(*r->prefixes));
            r->prefixes[r->n_prefixes++] = t->handle;
            r->prefixes[r->n_prefixes++] = t->text;
        } else if (t->type != TOKEN_DOCUMENT_START) {
            return fail(r, t, 0, "did not find expected <document start>");
        } else {
            skip(r);
            return 0;
        }
        skip(r);
    }
}

static int read_content(struct reader *r, struct yaml_doc *doc)
{
    const struct yaml_token *t = peek(r);
    if (!t) {
        return -1;
    }
    bool none = doc->marked &&
                (t->type == TOKEN_VERSION || t->type == TOKEN_TAG_PREFIX ||
                 is_any(t->type, TOKEN_DOCUMENT_START, TOKEN_DOCUMENT_END, TOKEN_STREAM_END));
    r->root = NULL;
    if (none ? read_empty(r) : read_node(r, true, false)) {
        return -1;
    }
    while (!r->root) {
        if (step(r)) {
            return -1;
        }
    }
    doc->root = r->root;
    return 0;
}

static int end_document(struct reader *r, struct yaml_doc *doc)
{
    const struct yaml_token *t = peek(r);
    if (!t) {
        return -1;
    }
    if (t->type == TOKEN_DOCUMENT_END) {
        skip(r);
    }
    (void)take(r, COMMENT_LINE);
    struct str head = take(r, COMMENT_HEAD);
    doc->foot = take(r, COMMENT_FOOT);
    if (doc->foot.len == 0) {
        doc->foot = head;
    }
    return 0;
}

/* Reads the next document into *doc. 1: there is none. */
static int read_document(struct reader *r, struct yaml_doc *doc, bool first)
{
    const struct yaml_token *t = peek(r);
    while (t && !first && t->type == TOKEN_DOCUMENT_END) {
        skip(r);
        t = peek(r);
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

static void reader_done(struct reader *r)
{
    yaml_scanner_free(r->scanner);
    yaml_comments_done(&r->comments);
    map_done(&r->anchors);
    mem_free(r->tokens);
    mem_free(r->frames);
    mem_free(r->kids);
    mem_free(r->prefixes);
}
#define AUTO_READER __attribute__((cleanup(reader_done))) struct reader

static int read_stream(struct reader *r, size_t most, struct yaml_docs *out)
{
    if (!peek(r)) {
        return -1;
    }
    skip(r); /* start of the stream */
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
                return fail_large(r);
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
