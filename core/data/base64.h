/* SPDX-License-Identifier: Apache-2.0
 *
 * Standard base64 (RFC 4648 §4, with padding): how JSON carries bytes.
 */
#pragma once

#include "base/arena.h"

/* STR_NULL only when the arena is exhausted. */
struct str base64_emit(struct arena *a, struct str bytes);
/* Blanks and line breaks are skipped; false on anything else that is not base64. */
bool base64_parse(struct arena *a, struct str text, struct str *out);
