/* SPDX-License-Identifier: Apache-2.0
 *
 * Trees of YAML files as JSON (room internal): aliases unfolded, numbers in JSON's spelling,
 * comments and styles gone.
 */
#pragma once

#include "data/node.h"

/* Infinities and NaN, which JSON has not, become strings. Aliases that unfold to too much end at
 * the buffer's maximum. */
void eval_json_emit(struct buf *out, const struct node *n);
