/* SPDX-License-Identifier: Apache-2.0
 *
 * The YAML document as written (room internal): one item per node of the source with its place,
 * style, tag and anchor; aliases are not followed. yaml.c makes nodes of it, yaml_edit.c finds the
 * bytes to change with it.
 */
#pragma once

#include "data/node.h"

enum yaml_item_type { YAML_SCALAR, YAML_LIST, YAML_MAP, YAML_ALIAS };

struct yaml_item {
    enum yaml_item_type type;
    bool flow;     /* [] or {} */
    bool plain;    /* scalar without quotes, type by its text unless tagged */
    bool block;    /* | or > scalar */
    bool busy;     /* being resolved: finds aliases to an enclosing item */
    struct str text;          /* decoded scalar */
    struct str tag;           /* full URI, STR_NULL when there is none */
    struct yaml_item *target; /* of an alias */
    struct yaml_item **items; /* list items; map keys and values in turn */
    size_t n, cap;
    size_t from, to;          /* bytes, with anchor and tag; without trailing breaks */
    size_t line;              /* from 1 */
    struct node *node;        /* set by yaml_item_resolve; of an alias: its own copy */
};

struct yaml_loader;

/* Text must live as long as the loader; items live in the arena. NULL on invalid UTF-8. */
struct yaml_loader *yaml_loader_new(struct arena *a, struct str text, struct err *err);
void yaml_loader_free(struct yaml_loader *l);
/* The next document's root in *out, or NULL at the end of the stream. */
int yaml_loader_next(struct yaml_loader *l, struct yaml_item **out, struct err *err);

static inline void yaml_loader_free_at(struct yaml_loader **l)
{
    yaml_loader_free(*l);
}
#define AUTO_YAML_LOADER __attribute__((cleanup(yaml_loader_free_at))) struct yaml_loader

/* Makes nodes of one document. o as in yaml_parse. */
struct node *yaml_item_resolve(struct arena *a, struct yaml_item *root,
                               const struct json_options *o, struct err *err);
