/* SPDX-License-Identifier: Apache-2.0
 *
 * struct fieldset: a set of field paths as a trie, the content of managedFields[].fieldsV1. A node
 * is one step (`f:name`, `k:{"key":"v"}`, `v:"item"`, `i:3`); `member` says that the path ending
 * here belongs to the set. Sets live in an arena; operations share subtrees and change nothing
 * but the set given to fieldset_add.
 */
#pragma once

#include "data/node.h"

struct fieldset {
    struct str step; /* empty for the root */
    bool member;
    struct fieldset **kids; /* ordered as Kubernetes writes them */
    size_t n, cap;
};

struct fieldset *fieldset_new(struct arena *a);
/* The child with this step; NULL when absent. Accepts NULL. */
struct fieldset *fieldset_find(const struct fieldset *s, struct str step);
/* The same, made when absent; step is borrowed. */
struct fieldset *fieldset_add(struct arena *a, struct fieldset *s, struct str step);
/* True when neither this node nor one below it is a member. Accepts NULL. */
bool fieldset_empty(const struct fieldset *s);
bool fieldset_equal(const struct fieldset *x, const struct fieldset *y);
/* x or y, x without y, x and y: member by member. Arguments may be NULL (= empty). */
struct fieldset *fieldset_union(struct arena *a, const struct fieldset *x,
                                const struct fieldset *y);
struct fieldset *fieldset_minus(struct arena *a, const struct fieldset *x,
                                const struct fieldset *y);
struct fieldset *fieldset_common(struct arena *a, const struct fieldset *x,
                                 const struct fieldset *y);

/* Steps; the text is in a. */
struct str fieldset_step_field(struct arena *a, struct str name);
/* keys: NULL-terminated member names of the list's items, which go in sorted. */
struct str fieldset_step_key(struct arena *a, const struct node *item, const char *const *keys);
struct str fieldset_step_value(struct arena *a, const struct node *item);

/* The FieldsV1 object. */
struct node *fieldset_emit(struct arena *a, const struct fieldset *s);
/* Parses a FieldsV1 object; steps come out in canonical form. ERR_BAD_REQUEST on anything else. */
struct fieldset *fieldset_parse(struct arena *a, const struct node *fields, struct err *err);
/* Appends a step as people read it: `.name`, `[name="p"]`, `[="item"]`, `[3]`. */
void fieldset_add_step_text(struct buf *b, struct str step);
/* Calls fn for every member, members of a level before what lies below them; path is readable and
 * borrowed during the call. */
void fieldset_each(const struct fieldset *s, void (*fn)(void *ctx, struct str path), void *ctx);
