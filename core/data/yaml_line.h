/* SPDX-License-Identifier: Apache-2.0
 *
 * The pen of the YAML writer (room internal): where on a line it stands, what is pending, and how
 * indentation, indicators, comments and scalar texts go onto the page. Which of them come in which
 * order is yaml_write.c's business. The state and its rules are those of the peer's emitter
 * (yaml.md §7.4), which is what makes the bytes equal.
 */
#pragma once

#include "base/buf.h"
#include "data/node.h"

struct yaml_pen {
    struct buf *out;
    long step;              /* blanks per level */
    long base;              /* blanks before every line: for pieces of a document */
    long column, indent;    /* without base; indent -1: outside */
    long foot_indent;       /* a foot was written at this indentation; -1: none */
    bool whitespace;        /* a blank or the start of a line precedes */
    bool indention;         /* only indentation so far on this line */
    bool open;              /* directly behind a text that keeps its last line breaks: an empty line
                             * would become part of it */
    bool defects;           /* as in struct yaml_form */
    struct str head, line, foot, tail, key_line; /* pending comments */
};

void yaml_pen_break(struct yaml_pen *p);
/* Moves to the indentation, on a new line if need be. */
void yaml_pen_indent(struct yaml_pen *p);
/* An indicator; `space`: a blank before it, `white` and `indention` as the state after it. */
void yaml_pen_mark(struct yaml_pen *p, const char *text, bool space, bool white, bool indention);
/* Text that is part of a token. */
void yaml_pen_word(struct yaml_pen *p, struct str text);
void yaml_pen_tag(struct yaml_pen *p, struct str tag);

/* Replaces pending comments by those that are not empty. */
void yaml_pen_announce(struct yaml_pen *p, struct str head, struct str line, struct str foot,
                       struct str tail);
/* Write what is pending: tail and head above, line behind, foot below. */
void yaml_pen_head(struct yaml_pen *p);
void yaml_pen_line(struct yaml_pen *p);
void yaml_pen_foot(struct yaml_pen *p);

void yaml_pen_plain(struct yaml_pen *p, struct str text);
void yaml_pen_single(struct yaml_pen *p, struct str text);
void yaml_pen_double(struct yaml_pen *p, struct str text);
/* Literal or folded, with its header; takes a pending line comment. */
void yaml_pen_block(struct yaml_pen *p, struct str text, bool folded);
