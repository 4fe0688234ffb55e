/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside of yaml_read (room internal): the state of a parser with a stack of its own, so that depth
 * costs heap and no recursion. yaml_tree.c has the tokens at hand and the tree that grows,
 * yaml_grammar.c decides what tokens mean, yaml_read.c reads documents.
 */
#pragma once

#include "base/map.h"
#include "data/yaml_comment.h"
#include "data/yaml_doc.h"

enum yaml_frame_kind {
    BLOCK_MAP,
    BLOCK_LIST,
    INDENTLESS, /* block list in the column of its key: its end has no token */
    FLOW_LIST,
    FLOW_MAP,
    FLOW_PAIR /* `a: b` inside a flow list */
};

enum yaml_phase {
    AT_FIRST, /* no child yet */
    AT_KEY,   /* or at a list item */
    AT_VALUE,
    AT_LONE, /* the key of a flow map had no `?` and no `:` */
    AT_END
};

struct yaml_frame {
    enum yaml_frame_kind kind;
    enum yaml_phase phase;
    struct node *node;
    size_t base;           /* first child in the scratch */
    uint32_t line, column; /* of the start */
};

struct yaml_reader {
    struct arena *a;
    struct str text;
    size_t depth;
    struct yaml_fault fault;
    struct yaml_scanner *scanner;
    struct yaml_comments comments;
    struct yaml_token *tokens; /* head..n are at hand */
    size_t head, n, cap;
    bool ended;
    struct yaml_frame *frames;
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
struct yaml_props {
    struct str anchor, tag;
    bool any;
    uint32_t from, to, line, column;
};

/* --- tokens at hand --- */

/* A parser error at a token; shows the line before the one meant, as the peer does: that of the
 * context when it is not 0. Returns -1. */
int yaml_read_fail(struct yaml_reader *r, const struct yaml_token *t, size_t context_line,
                   const char *problem);
int yaml_too_large(struct yaml_reader *r);
/* The current token; comments that are due at it become pending. NULL on failure. */
const struct yaml_token *yaml_peek(struct yaml_reader *r);
/* Goes behind the current token. */
void yaml_skip(struct yaml_reader *r);
static inline bool yaml_is_any(uint8_t type, enum yaml_token_type a, enum yaml_token_type b,
                   enum yaml_token_type c)
{
    return type == a || type == b || type == c;
}

/* --- comments and properties of nodes --- */

void yaml_set_note(struct yaml_reader *r, struct node *n, size_t offset, struct str s);
#define YAML_SET_NOTE(r, n, which, s) yaml_set_note(r, n, offsetof(struct node_notes, which), s)
/* The pending comments of a kind; none are pending then. */
struct str yaml_take(struct yaml_reader *r, enum yaml_comment_kind kind);
/* Gives all pending comments to the node. */
void yaml_take_all(struct yaml_reader *r, struct node *n);
void yaml_set_props(struct yaml_reader *r, struct node *n, const struct yaml_props *p);

/* --- the tree: makers return NULL and the others -1 past the arena's limit --- */

struct node *yaml_make(struct yaml_reader *r, enum node_type type, size_t from, size_t to);
struct node *yaml_make_scalar(struct yaml_reader *r, const struct yaml_token *t,
                              const struct yaml_props *p);
/* A value that is not written; comments wait for something that is. */
struct node *yaml_make_empty(struct yaml_reader *r, const struct yaml_props *p);
/* Gives a complete node to the collection it stands in, or makes it the root. */
int yaml_deliver(struct yaml_reader *r, struct node *n);
/* Opens a collection; what is delivered goes there until it is closed. */
int yaml_open(struct yaml_reader *r, enum yaml_frame_kind kind, struct node *n,
              const struct yaml_token *t);
int yaml_close(struct yaml_reader *r);
int yaml_close_block_map(struct yaml_reader *r);
int yaml_close_flow(struct yaml_reader *r);

/* --- the grammar --- */

/* Reads one node, or opens it when it is a collection. block: it may be a block collection;
 * indentless: a list in the column of its key, too. */
int yaml_read_node(struct yaml_reader *r, bool block, bool indentless);
int yaml_read_empty(struct yaml_reader *r);
/* Goes on in the innermost open collection. */
int yaml_read_step(struct yaml_reader *r);
