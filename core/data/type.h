/* SPDX-License-Identifier: Apache-2.0
 *
 * struct type: what the schema says about one node (room internal, used by typed*.c). A type is
 * passed by value and derived on the way down.
 */
#pragma once

#include "api/kinds.h"
#include "data/node.h"

struct type {
    enum api_type kind;
    enum api_type element;           /* of API_MAP and API_LIST */
    enum api_list_type list;
    const char *const *keys;         /* of keyed lists */
    const struct api_schema *object; /* of API_OBJECT and of object elements */
    bool root;
    bool meta;                       /* ObjectMeta: has fields that are never recorded */
    bool entry;                      /* key of a map rather than a declared field */
    bool undeclared;                 /* the schema does not know this field */
};

/* How a node behaves under its type. */
enum type_shape {
    TYPE_LEAF,   /* scalar, null, atomic, or not what the schema says */
    TYPE_FIELDS, /* granular map or struct */
    TYPE_SET,    /* list of scalars, items by value */
    TYPE_KEYED   /* list of objects, items by key */
};

struct type type_root(const struct api_schema *schema);
struct type type_member(const struct type *t, struct str name);
struct type type_item(const struct type *t);
/* True for fields that ownership never records. */
bool type_unrecorded(const struct type *t, struct str name);
enum type_shape type_shape(const struct type *t, const struct node *n);
/* The items of a set or keyed list as a map from fieldset step to item; of duplicates the first.
 * *out_duplicate (may be NULL) is the step of one that comes twice, or STR_NULL. */
struct node *type_items(struct arena *a, const struct type *t, const struct node *list,
                        struct str *out_duplicate);
