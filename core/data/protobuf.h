/* SPDX-License-Identifier: Apache-2.0
 *
 * Kubernetes protobuf bodies (kube-wire §4.3) into nodes. We only read them: answers are JSON.
 */
#pragma once

#include "data/node.h"

/* True when the body starts with the envelope's magic bytes "k8s\0". */
bool protobuf_is(struct str body);
/* Decodes an envelope with its object into the tree that the object's JSON form would give:
 * apiVersion and kind first, bytes as base64, times as RFC 3339; empty strings and zeroes of
 * fields that are no pointers in Go are left out. Everything is copied into the arena.
 * ERR_UNSUPPORTED_MEDIA for kinds that have no protobuf form here, ERR_BAD_REQUEST for broken
 * bytes. */
int protobuf_decode_object(struct arena *a, struct str body, struct node **out, struct err *err);
