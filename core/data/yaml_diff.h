/* SPDX-License-Identifier: Apache-2.0
 *
 * From a YAML tree to another by changes of the text (room internal): the lines of what differs,
 * values and comments, change and all others stay.
 */
#pragma once

#include "data/yaml_emit.h"
#include "data/yaml_splice.h"

struct yaml_diff {
    struct arena *a;
    struct str text;
    struct yaml_splices out;
    struct yaml_layout layout;
    bool exact; /* comments stay with what they belong to when something new follows them */
    bool json;  /* set when values were written as JSON among JSON, whatever their style */
    bool unsupported; /* set when a layout defeats the changes */
};

/* Adds the changes that turn `source`, the root of a document of text, into `want`. Nodes that both
 * trees share are equal. */
void yaml_diff_tree(struct yaml_diff *d, const struct node *source, const struct node *want);
/* Adds the change that writes the root anew. */
void yaml_diff_root(struct yaml_diff *d, const struct node *source, const struct node *want);
/* 1 when the tree writes lists deeper than their keys, 0 when not, -1 when it has none. */
int yaml_diff_wide(const struct yaml_diff *d, const struct node *root);
