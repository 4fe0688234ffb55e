/* SPDX-License-Identifier: Apache-2.0
 *
 * The walk that merges share (room internal): through two or three trees at once, field by field
 * and element by element, asking a visitor what becomes of each place. The first tree is changed
 * into the result. Order, styles and comments come out as kyaml's walker leaves them
 * (cad-library §3.6).
 */
#pragma once

#include "krm/merge.h"
#include "krm/merge_keys.h"

/* The trees. A merge of two has no BASE, and its patch is THEIRS. */
enum krm_side { OURS, BASE, THEIRS, SIDES };

/* Deeper places are taken or kept as a whole, so that the walk may recurse. */
#define WALK_DEPTH 400

struct krm_walk;

/* What the merges decide. The result is one of the sides, a new node, or NULL: nothing. A map or a
 * merging list that comes back is then filled by the walk. */
struct krm_visitor {
    struct node *(*map)(struct krm_walk *w, struct node **s);
    struct node *(*scalar)(struct krm_walk *w, struct node **s);
    struct node *(*list)(struct krm_walk *w, struct node **s, bool merges);
    /* Of the keys of one member (nodes of names): whose comments it gets; NULL: nobody's. May be
     * NULL itself. */
    struct node *(*key)(struct krm_walk *w, struct node **s);
    /* May settle a place or an element before the walk does: true when *out is the result. May be
     * NULL. */
    bool (*settle)(struct krm_walk *w, struct node **s, bool element, struct node **out);
    /* Says that the elements of these lists have an identity; NULL: they always do. */
    bool (*identifies)(struct krm_walk *w, struct node **s, const char *const *keys);
};

struct krm_walk {
    struct arena *a;
    struct err *err;
    bool failed;
    const struct krm_visitor *v;
    bool infer;      /* lists without a place merge by `name` when all elements have one */
    bool kpt;        /* as kpt does where that loses something */
    bool prepend;    /* new elements come first */
    bool keep_nulls; /* members that are null in words (null, ~) stay */
    struct buf path; /* of the place: "spec.containers[name=app].image" */
    size_t list_at;  /* where in path the innermost list element ends */
    size_t depth;
    void *ctx; /* the visitor's */
};

/* Merges one place. s is changed. */
struct node *krm_walk(struct krm_walk *w, struct node **s, const struct krm_place *place,
                      bool element);
/* The part for lists whose elements merge; NULL keys: a set of scalars. */
struct node *krm_walk_elements(struct krm_walk *w, struct node **s, const struct krm_place *place,
                               const char *const *keys);
/* Every element has a value of a key, and no two have the same. */
bool krm_walk_identifies(const struct node *list, const char *const *keys);
/* Puts a value into a map as kyaml's field setter: a value that is there keeps its style, nothing
 * and null delete. `at` is the member's index or SIZE_MAX; deleted members become holes that the
 * caller closes. name (may be NULL) is the key of a new member. */
void krm_walk_set(struct krm_walk *w, struct node *map, size_t at, struct str key,
                  struct node *name, struct node *value);
/* Sets the error once; returns NULL. */
struct node *krm_walk_fail(struct krm_walk *w, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
