/* SPDX-License-Identifier: Apache-2.0
 *
 * From what YAML text says to what it means for the API (room internal): a tree of yaml_read into
 * the values that sigs.k8s.io/yaml makes of it.
 */
#pragma once

#include "data/node.h"

/* Types plain scalars by YAML 1.1, expands aliases with a bound, applies merge keys. The text is
 * the one that root was read from. Values keep their spans, except copies that aliases make. o as
 * in yaml_parse. */
struct node *yaml_values(struct arena *a, struct str text, const struct node *root,
                         const struct json_options *o, struct err *err);

/* The member is a merge key, `<<` without quotes. */
bool yaml_is_merge(const struct node_member *m);
