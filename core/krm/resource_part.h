/* SPDX-License-Identifier: Apache-2.0
 *
 * A YAML file as the parts that `---` lines make of it, each with at most one document (room
 * internal). The peer's reader looks at nothing but the first document of a part (cad-library
 * §5.2).
 */
#pragma once

#include "krm/resources.h"
#include "base/buf.h"
#include "base/err.h"

struct krm_part {
    struct str text;      /* up to the separator, with its last line feed */
    struct str separator; /* the line behind it, empty at the end of the file */
    struct node *root;    /* NULL: no document, only comments or nothing */
    bool placed;          /* spans of root are those of text */
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
/* Copies of the documents as they are now; NULL past the arena's limit. */
const struct krm_parts *krm_parts_snapshot(struct arena *a, const struct krm_parts *parts);
/* The text with CR LF as LF; text itself when there is none. */
struct str krm_plain_lines(struct arena *a, struct str text);
/* Adds the resources of parts to out, annotated as the options say; path empty: none is set. */
int krm_parts_resources(struct arena *a, const struct krm_parts *parts, struct str path,
                        const struct krm_read_options *o, struct node *out, struct err *err);
/* What is written for a resource: itself, or the list that it wraps. defects: kpt loses the comments
 * of that document and leaves an empty list wrapped. */
struct node *krm_resource_root(struct arena *a, struct node *resource, bool defects);
/* JSON of a resource as kyaml writes it: indented, keys sorted, a line feed at the end. */
int krm_resource_json(struct arena *a, struct node *resource, struct buf *out, struct err *err);
