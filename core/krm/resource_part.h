/* SPDX-License-Identifier: Apache-2.0
 *
 * A YAML file as the parts that `---` lines make of it, each with at most one document (room
 * internal). The peer's reader looks at nothing but the first document of a part (cad-library
 * §5.2).
 */
#pragma once

#include "krm/resources.h"
#include "base/err.h"

struct krm_part {
    struct str text;      /* up to the separator, with its last line feed */
    struct str separator; /* the line behind it, empty at the end of the file */
    struct node *root;    /* NULL: no document, only comments or nothing */
};

struct krm_parts {
    struct krm_part *list;
    size_t n, cap;
};

/* Splits text (line ends as they are) and reads each part's document; comments of the document go
 * to the notes of its root (top, bottom). Errors are the peer's text; *where says document, line
 * and column (" (document …)"), or is empty. */
int krm_parts_read(struct arena *a, struct str text, struct krm_parts *out, struct str *where,
                   struct err *err);
/* The text with CR LF as LF; text itself when there is none. */
struct str krm_plain_lines(struct arena *a, struct str text);
