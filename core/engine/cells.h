/* SPDX-License-Identifier: Apache-2.0
 *
 * Table cells and the stored form of an object, from the kind's column sources (api/kinds.h).
 */
#pragma once

#include "api/kinds.h"
#include "base/buf.h"
#include "data/node.h"
#include "store/store.h"

/* Appends the JSON array of cells, a trailing "age" column left out. */
void cells_add(struct buf *out, const struct api_kind *kind, const struct node *object);
/* True when the kind's last column is the age. */
bool cells_has_age(const struct api_kind *kind);

/* Fills p's kind, ns, name, uid, json (resourceVersion empty, at rv_at), metadata range, cells,
 * indexed fields, reference and sealed flag from the object; data and expect_rv stay. Bytes live in a. */
void cells_encode(struct arena *a, const struct api_kind *kind, const struct node *object,
                  struct store_put *p);
