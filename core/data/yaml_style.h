/* SPDX-License-Identifier: Apache-2.0
 *
 * Which YAML styles can carry a text (room internal): one pass over its characters. Used by the
 * writer; also the characters that YAML singles out.
 */
#pragma once

#include "base/str.h"

struct yaml_styles {
    bool block_plain, flow_plain; /* without quotes, outside and inside of [] and {} */
    bool single;                  /* 'text' */
    bool block;                   /* | and > */
    bool multiline;
    bool binary;                  /* not UTF-8: nothing else is set */
};

struct yaml_styles yaml_styles_of(struct str text);

/* The character at i of valid UTF-8. */
uint32_t yaml_char_at(struct str s, size_t i, size_t *out_len);
/* Length of the line break at i (LF, CR, NEL, LS, PS), 0 when there is none. */
size_t yaml_break_at(struct str s, size_t i);
/* Index of the first line break from i on, s.len when there is none. */
size_t yaml_find_break(struct str s, size_t i);
/* Can stand in a text as it is. */
bool yaml_is_printable(uint32_t c);
