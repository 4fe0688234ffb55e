/* SPDX-License-Identifier: Apache-2.0
 *
 * Tokens of YAML text (room internal): what the peer's scanner makes of it, with byte offsets. They
 * are libyaml's too, except where the peer accepts or refuses other texts; specs compare them.
 */
#pragma once

#include "data/node.h"

enum yaml_token_type {
    TOKEN_STREAM_START,
    TOKEN_STREAM_END,
    TOKEN_VERSION,    /* %YAML; text is "1.1" or other */
    TOKEN_TAG_PREFIX, /* %TAG; handle and text */
    TOKEN_DOCUMENT_START,
    TOKEN_DOCUMENT_END,
    TOKEN_BLOCK_LIST, /* start of a block list: no bytes, at its first dash */
    TOKEN_BLOCK_MAP,
    TOKEN_BLOCK_END, /* no bytes */
    TOKEN_FLOW_LIST,
    TOKEN_FLOW_LIST_END,
    TOKEN_FLOW_MAP,
    TOKEN_FLOW_MAP_END,
    TOKEN_DASH,
    TOKEN_COMMA,
    TOKEN_KEY, /* no bytes unless written as `?` */
    TOKEN_VALUE,
    TOKEN_ALIAS,
    TOKEN_ANCHOR,
    TOKEN_TAG, /* handle ("" in `!<…>`) and text */
    TOKEN_SCALAR
};

struct yaml_token {
    uint8_t type;              /* enum yaml_token_type */
    uint8_t style;             /* enum node_style of TOKEN_SCALAR */
    bool real;                 /* has bytes in the text, or ends the stream */
    uint32_t from, to;         /* bytes */
    uint32_t line, column;     /* of from; from 0, in characters */
    uint32_t end_line, end_column;
    int64_t at;                /* place for the order among comments: from, except for block ends */
    struct str text, handle;   /* in the source where that is possible, else in the arena */
};

/* Where reading failed. line and column count from 0. */
struct yaml_fault {
    struct err *err;
    size_t line, column;
};
/* Sets the error "yaml: line <shown>: <problem>" (without the line when shown is 0) and -1. */
int yaml_fail(struct yaml_fault *f, size_t shown, size_t line, size_t column,
              const char *problem);

/* UTF-16 with a byte order mark as UTF-8 in the arena, where what is no character becomes U+FFFD;
 * other text as it is. */
struct str yaml_as_utf8(struct arena *a, struct str text);

struct yaml_scanner;

/* The text must live as long as the arena and have less than 4 GiB. depth and slash: see struct
 * yaml_limits. */
struct yaml_scanner *yaml_scanner_new(struct arena *a, struct str text, size_t depth, bool slash);
void yaml_scanner_free(struct yaml_scanner *s);
/* The next token; not to be called behind TOKEN_STREAM_END. */
int yaml_scanner_next(struct yaml_scanner *s, struct yaml_token *out, struct yaml_fault *f);

/* Length of the line break at `at`: 0 when there is none, 2 for CR LF. */
static inline size_t yaml_newline_at(struct str text, size_t at)
{
    unsigned char c = at < text.len ? (unsigned char)text.ptr[at] : 0;
    if (c == '\n') {
        return 1;
    }
    if (c == '\r') {
        return at + 1 < text.len && text.ptr[at + 1] == '\n' ? 2 : 1;
    }
    if (c == 0xc2 && at + 1 < text.len && (unsigned char)text.ptr[at + 1] == 0x85) {
        return 2;
    }
    if (c == 0xe2 && at + 2 < text.len && (unsigned char)text.ptr[at + 1] == 0x80 &&
        ((unsigned char)text.ptr[at + 2] | 1) == 0xa9) {
        return 3;
    }
    return 0;
}
