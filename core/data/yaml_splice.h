/* SPDX-License-Identifier: Apache-2.0
 *
 * A list of byte ranges of a text and what comes in their place (room internal), applied in one
 * pass. Also the questions about lines that edits ask.
 */
#pragma once

#include "data/node.h"

struct yaml_splice {
    size_t from, to;
    size_t turn; /* order of adding */
    struct str text;
};

struct yaml_splices {
    struct arena *a;
    struct str source;
    bool crlf;       /* inserted line feeds become CR LF */
    bool overlap;    /* set by apply: the ranges contradict each other */
    struct yaml_splice *list;
    size_t n, cap;
};

void yaml_splice_add(struct yaml_splices *s, size_t from, size_t to, struct str text);
/* Inserts whole lines (with line feeds) at the start of a line or the end of the text. */
void yaml_splice_add_lines(struct yaml_splices *s, size_t at, struct str lines);
/* STR_NULL on overlapping ranges or an exhausted arena. Later splices at the same place come
 * later in the result. */
struct str yaml_splice_apply(struct yaml_splices *s);

/* First byte of the line that holds `at`. */
size_t yaml_line_start(struct str text, size_t at);
/* Behind the line feed that ends the line of `at`, or the end of the text. */
size_t yaml_line_end(struct str text, size_t at);
/* True when only blanks stand before `at` in its line. */
bool yaml_starts_line(struct str text, size_t at);
/* `at` moved back over blanks. */
size_t yaml_skip_back(struct str text, size_t at);
