/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside of the YAML scanner (room internal): its state, and the reading of single tokens that have
 * text of their own. yaml_token.c decides which token comes.
 */
#pragma once

#include "base/buf.h"
#include "data/yaml_token.h"

/* A place in the text. */
struct yaml_mark {
    size_t at, line, column; /* byte; from 0; characters */
};

/* A token that becomes a key when `:` follows in its line. There is one for each flow level. */
struct yaml_key {
    bool possible, required; /* required: in block context nothing else may stand there */
    uint64_t token;          /* its number */
    struct yaml_mark mark;
};

struct yaml_scanner {
    struct arena *a;
    struct str text; /* up to the first byte that may not be in YAML */
    size_t depth;    /* limit of block and of flow nesting */
    bool slash;      /* read the escape \/ */
    bool ascii;
    const char *unreadable; /* what is wrong with the byte behind text; NULL: nothing */
    struct yaml_fault *fault;

    struct yaml_mark mark; /* the next byte to read */
    bool breaks;           /* line breaks right before mark belong to the token before */
    long indent;           /* column of the innermost block collection, -1: none */
    long *indents;         /* of the outer ones */
    size_t n_indents, cap_indents;
    struct yaml_key *keys; /* keys[flow] is the current one */
    size_t flow, cap_keys;
    size_t low_key;        /* no key below this level is possible */
    bool key_allowed;      /* a key may start here */
    bool started, ended;

    struct yaml_token *tokens; /* head..n wait */
    size_t head, n, cap;
    uint64_t given;            /* tokens that left the queue: number of the first one in it */
    struct buf value;          /* of a scalar that is no slice of the text */
    struct buf more;           /* line breaks behind the first one */
};

static inline unsigned char yaml_byte(const struct yaml_scanner *s, size_t ahead)
{
    size_t at = s->mark.at + ahead;
    return at < s->text.len ? (unsigned char)s->text.ptr[at] : 0;
}

static inline bool yaml_blank(unsigned char c)
{
    return c == ' ' || c == '\t';
}

/* A blank, a line break or the end. */
static inline bool yaml_blankz(const struct yaml_scanner *s, size_t ahead)
{
    unsigned char c = yaml_byte(s, ahead);
    return yaml_blank(c) || c == 0 || yaml_newline_at(s->text, s->mark.at + ahead);
}

static inline bool yaml_at_end(const struct yaml_scanner *s)
{
    return s->mark.at >= s->text.len;
}

/* Length of the line break at the mark. */
static inline size_t yaml_newline(const struct yaml_scanner *s)
{
    return yaml_newline_at(s->text, s->mark.at);
}

static inline bool yaml_digit(unsigned char c)
{
    return c >= '0' && c <= '9';
}

/* -1: none. */
static inline int yaml_hex_digit(unsigned char c)
{
    return yaml_digit(c)            ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                    : -1;
}

/* Moves over n bytes of the line, which are whole characters. */
void yaml_move(struct yaml_scanner *s, size_t n);
/* Moves over a line break of n bytes. */
void yaml_move_line(struct yaml_scanner *s, size_t n);
/* A token from `from` to the mark. */
struct yaml_token yaml_token_from(const struct yaml_scanner *s, enum yaml_token_type type,
                                  struct yaml_mark from);
/* An error of the peer's scanner with its line rule: that of the context. Returns -1. */
int yaml_scan_fail(struct yaml_scanner *s, const struct yaml_mark *context, const char *problem);
/* A document marker stands at the start of this line. */
bool yaml_at_marker(const struct yaml_scanner *s);

/* Cuts the text at the first byte that may not be in YAML and says whether it is ASCII. */
void yaml_check_text(struct yaml_scanner *s);
void yaml_add_utf8(struct buf *b, uint32_t c);

void yaml_skip_blanks(struct yaml_scanner *s);

/* Read one token at the mark: yaml_property.c and, of scalars, yaml_scan.c. */
int yaml_scan_anchor(struct yaml_scanner *s, struct yaml_token *out);
int yaml_scan_tag(struct yaml_scanner *s, struct yaml_token *out);
int yaml_scan_directive(struct yaml_scanner *s, struct yaml_token *out);
int yaml_scan_quoted(struct yaml_scanner *s, struct yaml_token *out);
int yaml_scan_plain(struct yaml_scanner *s, struct yaml_token *out);
int yaml_scan_block(struct yaml_scanner *s, struct yaml_token *out);
