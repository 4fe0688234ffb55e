/* SPDX-License-Identifier: Apache-2.0
 *
 * Nodes into JSON text (node.h): compact for the wire and indented as kubectl prints it.
 */
#include "data/node.h"

/* NULL nodes (an exhausted arena) come out as null; buf limits what is written. */
static void add_scalar(struct buf *out, const struct node *n)
{
    switch (n ? n->type : NODE_NULL) {
    case NODE_BOOL:
        buf_addz(out, n->boolean ? "true" : "false");
        break;
    case NODE_INT:
    case NODE_FLOAT:
        buf_add_str(out, n->text);
        break;
    case NODE_STRING:
        buf_add_json_string(out, n->text);
        break;
    default:
        buf_add(out, "null", 4);
    }
}

void json_emit(struct buf *out, const struct node *n)
{
    if (node_is(n, NODE_MAP)) {
        buf_addc(out, '{');
        for (size_t i = 0; i < n->n && !out->overflow; i++) {
            if (i) {
                buf_addc(out, ',');
            }
            buf_add_json_string(out, n->members[i].key);
            buf_addc(out, ':');
            json_emit(out, n->members[i].value);
        }
        buf_addc(out, '}');
    } else if (node_is(n, NODE_LIST)) {
        buf_addc(out, '[');
        for (size_t i = 0; i < n->n && !out->overflow; i++) {
            if (i) {
                buf_addc(out, ',');
            }
            json_emit(out, n->items[i]);
        }
        buf_addc(out, ']');
    } else {
        add_scalar(out, n);
    }
}

static void add_line(struct buf *out, size_t blanks)
{
    buf_addc(out, '\n');
    if (buf_reserve(out, blanks)) {
        memset(out->ptr + out->len, ' ', blanks);
        out->len += blanks;
        out->ptr[out->len] = 0;
    }
}

static void emit_pretty(struct buf *out, const struct node *n, size_t indent, size_t level)
{
    bool map = node_is(n, NODE_MAP);
    if (!map && !node_is(n, NODE_LIST)) {
        add_scalar(out, n);
        return;
    }
    buf_addc(out, map ? '{' : '[');
    for (size_t i = 0; i < n->n && !out->overflow; i++) {
        if (i) {
            buf_addc(out, ',');
        }
        add_line(out, indent * (level + 1));
        if (map) {
            buf_add_json_string(out, n->members[i].key);
            buf_add(out, ": ", 2);
        }
        emit_pretty(out, map ? n->members[i].value : n->items[i], indent, level + 1);
    }
    if (n->n) {
        add_line(out, indent * level);
    }
    buf_addc(out, map ? '}' : ']');
}

void json_emit_pretty(struct buf *out, const struct node *n, int indent)
{
    emit_pretty(out, n, indent > 0 ? (size_t)indent : 0, 0);
}

struct str json_emit_str(struct arena *a, const struct node *n)
{
    AUTO_BUF b = BUF_INIT;
    json_emit(&b, n);
    return arena_str(a, buf_str(&b));
}
