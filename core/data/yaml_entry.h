/* SPDX-License-Identifier: Apache-2.0
 *
 * Entries of block collections as they stand in a text (room internal): where one begins and ends
 * with its comments, and changes of its comment lines. Comment lines are found by counting: the
 * head of an entry are the last comment lines above it, feet the first ones below its content.
 */
#pragma once

#include "data/yaml_diff.h"

/* One pair or item of a block collection as it stands in the text. */
struct yaml_entry {
    const struct node_member *pair; /* NULL: an item */
    const struct node *value;
    size_t from, behind; /* key or dash; behind colon or dash */
    size_t end;          /* behind the last line of its content */
    bool own_line;       /* nothing but blanks before it */
    bool odd;            /* with `?`, or the dash in another line: nothing of it can change */
};

static inline bool yaml_is_collection(const struct node *n)
{
    return n->type == NODE_LIST || n->type == NODE_MAP;
}

static inline bool yaml_is_flow(const struct node *n)
{
    return yaml_is_collection(n) && (n->style == STYLE_FLOW || n->n == 0);
}

static inline bool yaml_is_block_text(const struct node *n)
{
    return n->style == STYLE_LITERAL || n->style == STYLE_FOLDED;
}

static inline struct node_notes yaml_notes_of(const struct node *n)
{
    return n && n->notes ? *n->notes : (struct node_notes){0};
}

static inline size_t yaml_column_of(const struct yaml_diff *d, size_t at)
{
    return at - yaml_line_start(d->text, at);
}

/* No line break between two places. */
static inline bool yaml_same_line(const struct yaml_diff *d, size_t from, size_t to)
{
    return from >= to || !memchr(d->text.ptr + from, '\n', to - from);
}

static inline void yaml_add_pad(struct buf *b, size_t n)
{
    while (n--) {
        buf_addc(b, ' ');
    }
}

/* Lines of a comment, blank ones not counted. */
size_t yaml_count_lines(struct str comment);
/* The comment lines of feet below the content of a value, its own ones included. */
size_t yaml_count_feet(const struct node *n);
/* Where n comment lines above the line that starts at `line` begin. */
size_t yaml_head_start(const struct yaml_diff *d, size_t line, size_t n);
/* Where n comment lines from the line that starts at `line` on end. */
size_t yaml_foot_end(const struct yaml_diff *d, size_t line, size_t n);

/* A pair, or an item when m is NULL. */
struct yaml_entry yaml_entry_make(const struct yaml_diff *d, const struct node_member *m,
                                  const struct node *item);
struct str yaml_entry_head(const struct yaml_entry *e);
struct str yaml_entry_foot(const struct yaml_entry *e);
struct str yaml_entry_line(const struct yaml_entry *e);
/* From its head to behind its content and all feet. */
size_t yaml_entry_start(const struct yaml_diff *d, const struct yaml_entry *e);
size_t yaml_entry_end(const struct yaml_diff *d, const struct yaml_entry *e);

/* Add the changes that give e the comments of want; column: that of the collection. */
void yaml_entry_edit_head(struct yaml_diff *d, const struct yaml_entry *e,
                          const struct yaml_entry *want, size_t column);
void yaml_entry_edit_foot(struct yaml_diff *d, const struct yaml_entry *e,
                          const struct yaml_entry *want, size_t column);
void yaml_entry_edit_line(struct yaml_diff *d, const struct yaml_entry *e,
                          const struct yaml_entry *want);
/* Add the change that writes e at a place, below `above` (NULL: nothing), or takes it away. */
void yaml_entry_insert(struct yaml_diff *d, size_t at, const struct yaml_entry *e,
                       const struct yaml_entry *above, size_t column);
void yaml_entry_delete(struct yaml_diff *d, const struct yaml_entry *e);
