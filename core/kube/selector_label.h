/* SPDX-License-Identifier: Apache-2.0
 *
 * The label selector grammar (used by selector.c only).
 */
#pragma once

#include "kube/selector.h"

/* Terms as they stand in the text. */
int kube_label_parse(struct arena *a, struct str text, struct kube_label_term **out, size_t *out_n,
                     struct err *err);
/* unset: value of a key that the map does not have, or STR_NULL. */
bool kube_label_match(const struct kube_label_term *t, const struct node *labels, struct str unset);
