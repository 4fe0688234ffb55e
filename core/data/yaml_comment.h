/* SPDX-License-Identifier: Apache-2.0
 *
 * Comments between the tokens of YAML text (room internal): finds them in the gaps, says what kind
 * each is (yaml.md §6.2, §6.3), where block collections end among them (§6.4), and which are due
 * when the parser looks at a token (§6.5). Positions are bytes.
 */
#pragma once

#include "base/buf.h"
#include "data/yaml_token.h"

enum yaml_comment_kind { COMMENT_HEAD, COMMENT_LINE, COMMENT_FOOT, COMMENT_MAX };

struct yaml_comment {
    enum yaml_comment_kind kind;
    uint32_t column;  /* of its first #, from 1, in characters */
    int64_t attach;   /* due at the first token whose place is not before this */
    int64_t start;    /* its first # */
    int64_t scan, end; /* where the search that found it began and stopped */
    struct str text;
};

/* Text that grows by pieces: borrowed as long as it is one, amortised afterwards. */
struct yaml_gather {
    struct str one;
    struct buf many;
    bool joined;
};

struct yaml_comments {
    struct arena *a;
    struct str text;
    struct yaml_comment *list; /* head..n wait for their token */
    size_t head, n, cap;
    struct yaml_gather pending[COMMENT_MAX]; /* delivered, not yet taken by a node */
    struct yaml_gather run;

    /* The gap that begins behind the last real token. */
    struct yaml_token last;
    int64_t before_last;   /* place of the token before it */
    size_t at, breaks;     /* first byte not looked at; line breaks right before it */
    uint32_t line, column; /* of at */
    size_t flow;           /* open flow collections behind the last token */
    size_t gap;            /* first comment of the gap in list */
    int64_t gap_from;      /* place where it began */

    /* Columns of the open block collections, and for each the place where a comment of the gap
     * in its column starts, -1 when there is none. */
    uint32_t *columns;
    int64_t *starts;
    size_t depth, cap_depth;
};

void yaml_comments_init(struct yaml_comments *c, struct arena *a, struct str text);
void yaml_comments_done(struct yaml_comments *c);

/* Takes a group of tokens: any without bytes, and a real one at the end. Reads the comments before
 * and right behind the real one and moves the block ends of the group. */
void yaml_comments_add(struct yaml_comments *c, struct yaml_token *group, size_t n);
/* Delivers what is due at a token to `pending`. */
void yaml_comments_look(struct yaml_comments *c, const struct yaml_token *t);

static inline bool yaml_gather_any(const struct yaml_gather *g)
{
    return g->joined || g->one.len;
}
static inline struct str yaml_gather_str(const struct yaml_gather *g)
{
    return g->joined ? buf_str(&g->many) : g->one;
}
/* The text, in the arena or the source, and empties g. */
struct str yaml_gather_take(struct yaml_gather *g, struct arena *a);
/* Drops the first n bytes. */
void yaml_gather_drop(struct yaml_gather *g, size_t n);
