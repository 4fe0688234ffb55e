/* SPDX-License-Identifier: Apache-2.0
 *
 * YAML text as it is written: documents with their comments, styles, anchors and aliases in the
 * node tree, and the way back. Scalars are resolved by the core rules of the peer's library (`yes`
 * is a string); data/yaml.h reads by the rules of the API. What is written for a tree equals what
 * the peer's library writes, byte for byte.
 */
#pragma once

#include "data/node.h"

struct yaml_doc {
    struct node *root;     /* never NULL; NODE_NULL with an empty text when the document is empty */
    struct str head, foot; /* comments of the document itself, as in struct node_notes */
    bool marked;           /* begins with `---` in the source */
    size_t from, to;       /* bytes of the source, markers included */
};

struct yaml_docs {
    struct yaml_doc *list;
    size_t n;
};

struct yaml_limits {
    size_t depth;     /* of nesting; 0: LIMIT_YAML_DEPTH */
    size_t documents; /* stop behind so many, whatever follows; 0: read all */
    bool slash;       /* read the escape \/ of JSON and YAML 1.2, which the peer refuses in files */
};

/* Reads every document of text, which must live as long as the arena. Duplicate keys are kept (the
 * first one is found by node_get). Errors are ERR_BAD_REQUEST; the message is the peer's, "yaml:
 * line N: …", and ends with " (document D, line L, column C)" only in *where when that is given
 * (arena). Nothing is read past a broken document: out then holds the documents before it. */
int yaml_read(struct arena *a, struct str text, const struct yaml_limits *limits,
              struct yaml_docs *out, struct str *where, struct err *err);

struct yaml_form {
    bool wide;    /* lists two columns deeper than their key instead of in its column */
    bool defects; /* repeat the defects of the peer's writer that change data or comments (growing
                   * folded scalars, comments that move); otherwise they are written right */
    uint8_t indent; /* blanks per level, at most 9; 0: 2 */
};

/* Writes documents, `---` between them. */
void yaml_write(struct buf *out, const struct yaml_docs *docs, const struct yaml_form *form);
/* Writes one tree as a document without head and foot. */
void yaml_write_node(struct buf *out, const struct node *n, const struct yaml_form *form);

/* The same for values of a program: strings that are words or numbers for a YAML 1.1 reader get
 * quotes. */
void yaml_write_values(struct buf *out, const struct node *n, const struct yaml_form *form);
/* Sorts the keys of all maps as the peer sorts those of a program's maps: naturally, a2 < a10. */
void yaml_sort_keys(struct node *n);

/* Wide or compact, as the peer guesses it from the text of one document; false: compact. */
bool yaml_is_wide(struct str text);

/* Types a scalar anew by its text, style and tag, as yaml_read does. */
void yaml_retype(struct node *scalar);
/* What a scalar without quotes and tag is by the core rules. */
enum node_type yaml_core_type(struct str text);
/* True when a YAML 1.1 parser reads the text as something else than a string: what the peer asks
 * before it writes a string without quotes. */
bool yaml_is_11_word(struct str text);

/* The trees are equal with their comments, styles, anchors, tags and order of keys. */
bool yaml_same(const struct node *a, const struct node *b);
