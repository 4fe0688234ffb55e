/* SPDX-License-Identifier: Apache-2.0
 *
 * Pieces of the YAML emitter that edits need (room internal): text for a value at a place inside a
 * document that is already there.
 */
#pragma once

#include "data/node.h"

struct yaml_layout {
    bool wide; /* lists two columns deeper than their key, not in its column */
};

/* What follows "key:" when the key stands in column `indent`, up to the line feed at the end:
 * " scalar", or a line feed and the lines of a collection. */
void yaml_emit_value(struct buf *out, const struct node *n, size_t indent, struct yaml_layout l);
/* What follows "- " when it starts in column `indent`, up to the line feed at the end. */
void yaml_emit_item(struct buf *out, const struct node *n, size_t indent, struct yaml_layout l);
/* A map or list that is not empty, or a scalar, from column 0 of a line on. */
void yaml_emit_lines(struct buf *out, const struct node *n, size_t indent, struct yaml_layout l);
/* One line in flow style. */
void yaml_emit_flow(struct buf *out, const struct node *n);
