/* SPDX-License-Identifier: Apache-2.0
 *
 * What tokens mean (yaml_reader.h): anchors and tags, nodes, and for each kind of collection what
 * may come next in it. Grammar, quirks and error texts are those of the peer's parser.
 */
#include "data/yaml_reader.h"

#include <stdio.h>

#define TAG "tag:yaml.org,2002:"

/* --- tags --- */

static int read_tag(struct yaml_reader *r, const struct yaml_token *t, const struct yaml_props *p,
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
        return yaml_read_fail(r, t, p->line, "found undefined tag handle");
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
static int read_props(struct yaml_reader *r, struct yaml_props *p)
{
    bool anchor = false, tag = false;
    for (;;) {
        const struct yaml_token *t = yaml_peek(r);
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
        yaml_skip(r);
    }
}

/* --- nodes by their tokens --- */

static int read_alias(struct yaml_reader *r, const struct yaml_token *t)
{
    struct node *target = map_find(&r->anchors, t->text);
    if (!target) {
        char problem[200];
        struct str name = str_sub(t->text, 0, 128);
        (void)snprintf(problem, sizeof(problem), "unknown anchor '%.*s' referenced",
                       STR_ARG(name));
        return yaml_fail(&r->fault, 0, t->line, t->column, problem);
    }
    struct node *n = yaml_make(r, NODE_ALIAS, t->from, t->to);
    if (n) {
        n->text = t->text;
        n->target = target;
        yaml_take_all(r, n);
    }
    yaml_skip(r);
    return yaml_deliver(r, n);
}

static int open_flow(struct yaml_reader *r, const struct yaml_token *t, const struct yaml_props *p)
{
    bool list = t->type == TOKEN_FLOW_LIST;
    struct node *n = yaml_make(r, list ? NODE_LIST : NODE_MAP, t->from, t->to);
    if (!n) {
        return yaml_too_large(r);
    }
    yaml_set_props(r, n, p);
    yaml_take_all(r, n);
    return yaml_open(r, list ? FLOW_LIST : FLOW_MAP, n, t);
}

static int open_block(struct yaml_reader *r, enum yaml_frame_kind kind, const struct yaml_token *t,
                      const struct yaml_props *p)
{
    struct node *n = yaml_make(r, kind == BLOCK_MAP ? NODE_MAP : NODE_LIST, t->from, t->from);
    if (!n) {
        return yaml_too_large(r);
    }
    yaml_set_props(r, n, p);
    if (kind != INDENTLESS) {
        YAML_SET_NOTE(r, n, head, r->stem);
        r->stem = STR_NULL;
    }
    return yaml_open(r, kind, n, t);
}

/* Reads one node, or opens it when it is a collection. */
int yaml_read_node(struct yaml_reader *r, bool block, bool indentless)
{
    struct yaml_props p = {0};
    const struct yaml_token *t = yaml_peek(r);
    if (t && t->type == TOKEN_ALIAS) {
        return read_alias(r, t);
    }
    if (read_props(r, &p) || !(t = yaml_peek(r))) {
        return -1;
    }
    if (indentless && t->type == TOKEN_DASH) {
        return open_block(r, INDENTLESS, t, &p);
    }
    if (t->type == TOKEN_SCALAR) {
        struct node *n = yaml_make_scalar(r, t, &p);
        yaml_skip(r);
        return yaml_deliver(r, n);
    }
    if (t->type == TOKEN_FLOW_LIST || t->type == TOKEN_FLOW_MAP) {
        return open_flow(r, t, &p);
    }
    if (block && (t->type == TOKEN_BLOCK_LIST || t->type == TOKEN_BLOCK_MAP)) {
        return open_block(r, t->type == TOKEN_BLOCK_MAP ? BLOCK_MAP : BLOCK_LIST, t, &p);
    }
    if (p.any) {
        return yaml_deliver(r, yaml_make_empty(r, &p));
    }
    return yaml_read_fail(r, t, p.line, "did not find expected node content");
}

int yaml_read_empty(struct yaml_reader *r)
{
    return yaml_deliver(r, yaml_make_empty(r, &(struct yaml_props){0}));
}

/* --- collections --- */

static int step_block_map(struct yaml_reader *r, struct yaml_frame *f)
{
    if (f->phase == AT_FIRST) {
        (void)yaml_peek(r);
        yaml_skip(r);
    }
    bool value = f->phase == AT_VALUE;
    const struct yaml_token *t = yaml_peek(r);
    if (!t) {
        return -1;
    }
    if (value && t->type != TOKEN_VALUE) {
        return yaml_read_empty(r);
    }
    if (!value && t->type == TOKEN_BLOCK_END) {
        return yaml_close_block_map(r);
    }
    if (!value && t->type != TOKEN_KEY) {
        return yaml_read_fail(r, t, f->line, "did not find expected key");
    }
    f->phase = value ? AT_VALUE : AT_KEY;
    yaml_skip(r);
    t = yaml_peek(r);
    if (!t) {
        return -1;
    }
    return yaml_is_any(t->type, TOKEN_KEY, TOKEN_VALUE, TOKEN_BLOCK_END) ? yaml_read_empty(r)
                                                                    : yaml_read_node(r, true, true);
}

/* The head comment above a dash is the collection's when the item begins with one. */
static int split_stem(struct yaml_reader *r, size_t head)
{
    const struct yaml_token *t = head ? yaml_peek(r) : NULL;
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

static int step_block_list(struct yaml_reader *r, struct yaml_frame *f)
{
    if (f->phase == AT_FIRST && f->kind == BLOCK_LIST) {
        (void)yaml_peek(r);
        yaml_skip(r);
    }
    f->phase = AT_KEY;
    const struct yaml_token *t = yaml_peek(r);
    if (!t) {
        return -1;
    }
    if (t->type != TOKEN_DASH) {
        if (f->kind == INDENTLESS) {
            return yaml_close(r);
        }
        if (t->type != TOKEN_BLOCK_END) {
            return yaml_read_fail(r, t, f->line, "did not find expected '-' indicator");
        }
        yaml_skip(r);
        return yaml_close(r);
    }
    size_t head = yaml_gather_str(&r->comments.pending[COMMENT_HEAD]).len;
    bool indentless = f->kind == INDENTLESS;
    yaml_skip(r);
    if (split_stem(r, head) || !(t = yaml_peek(r))) {
        return -1;
    }
    bool empty = t->type == TOKEN_DASH || t->type == TOKEN_BLOCK_END ||
                 (indentless && (t->type == TOKEN_KEY || t->type == TOKEN_VALUE));
    return empty ? yaml_read_empty(r) : yaml_read_node(r, true, false);
}

/* Behind an entry of a flow collection: at the next entry or the end. */
static const struct yaml_token *next_entry(struct yaml_reader *r, struct yaml_frame *f,
                                           enum yaml_token_type end, const char *problem)
{
    if (f->phase == AT_FIRST) {
        (void)yaml_peek(r);
        yaml_skip(r);
    }
    const struct yaml_token *t = yaml_peek(r);
    if (!t || t->type == end || f->phase == AT_FIRST) {
        return t;
    }
    if (t->type != TOKEN_COMMA) {
        (void)yaml_read_fail(r, t, f->line, problem);
        return NULL;
    }
    yaml_skip(r);
    return yaml_peek(r);
}

static int step_flow_list(struct yaml_reader *r, struct yaml_frame *f)
{
    const struct yaml_token *t =
        next_entry(r, f, TOKEN_FLOW_LIST_END, "did not find expected ',' or ']'");
    if (!t) {
        return -1;
    }
    f->phase = AT_KEY;
    if (t->type == TOKEN_FLOW_LIST_END) {
        return yaml_close_flow(r);
    }
    if (t->type != TOKEN_KEY) {
        return yaml_read_node(r, false, false);
    }
    struct node *n = yaml_make(r, NODE_MAP, t->from, t->from);
    if (yaml_open(r, FLOW_PAIR, n, t)) {
        return -1;
    }
    yaml_skip(r);
    return 0;
}

static int step_flow_pair(struct yaml_reader *r, struct yaml_frame *f)
{
    if (f->phase == AT_END) {
        return yaml_close(r);
    }
    const struct yaml_token *t = yaml_peek(r);
    if (!t) {
        return -1;
    }
    if (f->phase != AT_VALUE) {
        if (yaml_is_any(t->type, TOKEN_VALUE, TOKEN_COMMA, TOKEN_FLOW_LIST_END)) {
            yaml_skip(r); /* as libyaml and the peer: whatever it is */
            return yaml_read_empty(r);
        }
        return yaml_read_node(r, false, false);
    }
    if (t->type == TOKEN_VALUE) {
        yaml_skip(r);
        t = yaml_peek(r);
        if (!t) {
            return -1;
        }
        if (t->type != TOKEN_COMMA && t->type != TOKEN_FLOW_LIST_END) {
            return yaml_read_node(r, false, false);
        }
    }
    return yaml_read_empty(r);
}

static int step_flow_value(struct yaml_reader *r)
{
    const struct yaml_token *t = yaml_peek(r);
    if (!t) {
        return -1;
    }
    if (t->type == TOKEN_VALUE) {
        yaml_skip(r);
        t = yaml_peek(r);
        if (!t) {
            return -1;
        }
        if (t->type != TOKEN_COMMA && t->type != TOKEN_FLOW_MAP_END) {
            return yaml_read_node(r, false, false);
        }
    }
    return yaml_read_empty(r);
}

static int step_flow_map(struct yaml_reader *r, struct yaml_frame *f)
{
    if (f->phase == AT_VALUE) {
        return step_flow_value(r);
    }
    if (f->phase == AT_LONE) {
        f->phase = AT_VALUE;
        return yaml_peek(r) ? yaml_read_empty(r) : -1;
    }
    const struct yaml_token *t =
        next_entry(r, f, TOKEN_FLOW_MAP_END, "did not find expected ',' or '}'");
    if (!t) {
        return -1;
    }
    if (t->type == TOKEN_FLOW_MAP_END) {
        return yaml_close_flow(r);
    }
    f->phase = t->type == TOKEN_KEY ? AT_KEY : AT_LONE;
    if (t->type == TOKEN_KEY) {
        yaml_skip(r);
        t = yaml_peek(r);
        if (!t) {
            return -1;
        }
        if (yaml_is_any(t->type, TOKEN_VALUE, TOKEN_COMMA, TOKEN_FLOW_MAP_END)) {
            return yaml_read_empty(r);
        }
    }
    return yaml_read_node(r, false, false);
}

int yaml_read_step(struct yaml_reader *r)
{
    struct yaml_frame *f = &r->frames[r->n_frames - 1];
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
