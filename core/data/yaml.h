/* SPDX-License-Identifier: Apache-2.0
 *
 * YAML into the node tree (libyaml scans), YAML out of it, and edits that change only the lines of
 * the value they touch.
 */
#pragma once

#include "data/node.h"

/* Parses the first document (YAML 1.1 scalars as sigs.k8s.io/yaml resolves them); aliases are
 * expanded with a bound. Node spans are byte offsets into text. Empty document: NODE_NULL.
 * Errors: ERR_BAD_REQUEST with line and column. `o` reports duplicate keys (NULL: they are
 * errors). */
struct node *yaml_parse(struct arena *a, struct str text, const struct json_options *o,
                        struct err *err);
/* Parses every document of a stream into list items. */
struct node *yaml_parse_all(struct arena *a, struct str text, struct err *err);
/* Emits block style as kyaml does: 2 blanks, lists not indented under their key, strings quoted
 * only when needed, multi-line strings as literals. Ends with a newline. */
void yaml_emit(struct buf *out, const struct node *n);

/* Edits the first document of *text: sets the value at `path` (array of n_path member names) to
 * `value`, or deletes the member when value is NULL, and stores the new text in *out (arena).
 * Bytes outside the value's own lines stay as they are, comments included. Missing parents are
 * made at the end of their map in block style. Text that is empty becomes a new document. */
int yaml_edit_set(struct arena *a, struct str text, const struct str *path, size_t n_path,
                  const struct node *value, struct str *out, struct err *err);
/* The same; a member that is new stands behind the member `follow` of its map (STR_NULL: last). */
int yaml_edit_put(struct arena *a, struct str text, const struct str *path, size_t n_path,
                  const struct node *value, struct str follow, struct str *out, struct err *err);
/* Makes the first document of text hold the values `want` by the smallest such edits, as above.
 * Lists keep the elements that stay (equal, or with the same `type`, `conditionType` or `name`). */
int yaml_edit_values(struct arena *a, struct str text, const struct node *want, struct str *out,
                     struct err *err);
/* Makes the first document of text hold the tree `want`, comments, styles and anchors included,
 * as yaml_read would read it: lines of what differs change, all others stay. When a layout defeats
 * that, the document is written anew with its comments. UTF-16 becomes UTF-8 when it changes. */
int yaml_edit_tree(struct arena *a, struct str text, const struct node *want, struct str *out,
                   struct err *err);
/* The same where the first document of text, which is UTF-8, was read before: doc, with its spans
 * (NULL: there is none). */
struct yaml_doc;
int yaml_edit_doc(struct arena *a, struct str text, const struct yaml_doc *doc,
                  const struct node *want, struct str *out, struct err *err);
