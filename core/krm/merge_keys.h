/* SPDX-License-Identifier: Apache-2.0
 *
 * Which lists of the built-in kinds merge element by element, and by which keys
 * (api/merge_keys.tsv, cad-library §8). A place is a position inside a kind; NULL is a position
 * about which nothing is known, and every function accepts it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/str.h"

#define KRM_PLACE_KEYS 2 /* keys of a list at most */

struct krm_place;

struct krm_place_field {
    const char *name;
    const struct krm_place *place;
};

struct krm_place {
    const struct krm_place_field *fields; /* of a map, sorted by name */
    size_t n_fields;
    const struct krm_place *items; /* of a list */
    bool merges;                   /* a list whose elements merge */
    const char *const *keys;       /* of such a list, ends with NULL; none: a set of scalars */
};

/* The generated table, sorted by apiVersion and kind. */
struct krm_place_root {
    const char *api_version, *kind;
    const struct krm_place *place;
};
extern const struct krm_place_root krm_place_roots[];
extern const size_t krm_place_n_roots;

/* The top of an object of that kind; the lookup is exact. */
const struct krm_place *krm_place_of(struct str api_version, struct str kind);
const struct krm_place *krm_place_field(const struct krm_place *p, struct str name);
const struct krm_place *krm_place_items(const struct krm_place *p);
/* What a comment says about the value it stands at, if it is a schema as JSON (`# {"type": "array",
 * "x-kubernetes-patch-strategy": …}`): kyaml reads such comments before it looks at kinds. NULL
 * when it is none, as nearly always. */
const struct krm_place *krm_place_of_comment(struct arena *a, struct str comment);
